"""A raw photo written by hand as Adobe's DNG specification says: an uncompressed Bayer mosaic."""

import struct

import numpy as np

SHORT, LONG, BYTE, ASCII, RATIONAL, SRATIONAL = 3, 4, 1, 2, 5, 10
FORMATS = {SHORT: "H", LONG: "I", BYTE: "B", ASCII: "B", RATIONAL: "I", SRATIONAL: "i"}
# XYZ to the camera's colours; this camera sees linear sRGB under D65.
COLOUR_MATRIX = (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570)


def dng(red, green, blue, orientation=1):
    """(H, W) linear light of each colour in [0, 1]; H and W even."""
    mosaic = green.copy()
    mosaic[::2, ::2], mosaic[1::2, 1::2] = red[::2, ::2], blue[1::2, 1::2]
    height, width = mosaic.shape
    pixels = np.round(mosaic * 65535).astype("<u2").tobytes()

    def fractions(*numbers):
        return [part for number in numbers for part in (round(number * 10_000), 10_000)]

    tags = {
        254: (LONG, [0]),
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [16]),
        259: (SHORT, [1]),
        262: (SHORT, [32803]),  # a mosaic
        271: (ASCII, b"Maker\0"),
        272: (ASCII, b"Phone 1\0"),
        273: (LONG, [8]),
        274: (SHORT, [orientation]),
        277: (SHORT, [1]),
        278: (LONG, [height]),
        279: (LONG, [len(pixels)]),
        284: (SHORT, [1]),
        33421: (SHORT, [2, 2]),
        33422: (BYTE, [0, 1, 1, 2]),  # red green, green blue
        50706: (BYTE, [1, 4, 0, 0]),
        50708: (ASCII, b"Phone 1\0"),
        50714: (SHORT, [0]),
        50717: (LONG, [65535]),
        50721: (SRATIONAL, fractions(*COLOUR_MATRIX)),
        50728: (RATIONAL, fractions(1, 1, 1)),
        50778: (SHORT, [21]),  # D65
    }
    at = 8 + len(pixels)
    start = at + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    for tag, (kind, numbers) in tags.items():
        data = struct.pack(f"<{len(numbers)}{FORMATS[kind]}", *numbers)
        count = len(numbers) // (2 if kind in (RATIONAL, SRATIONAL) else 1)
        entries += struct.pack("<HHI", tag, kind, count)
        if len(data) <= 4:
            entries += data.ljust(4, b"\0")
        else:
            entries += struct.pack("<I", start + len(values))
            values += data + b"\0" * (len(data) % 2)
    head = b"II*\0" + struct.pack("<I", at)
    return head + pixels + struct.pack("<H", len(tags)) + entries + b"\0" * 4 + values
