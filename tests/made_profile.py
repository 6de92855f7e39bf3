"""Colour profiles written by hand as ICC.1 says."""

import struct

# Of Display P3, adapted to D50, as its makers publish them.
DISPLAY_P3 = (
    (0.51512, 0.24120, -0.00105),
    (0.29198, 0.69225, 0.04189),
    (0.15710, 0.06657, 0.78407),
)
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
# What sRGB's (255, 0, 0) is in Display P3: color(display-p3 0.9175 0.2003 0.1386), CSS Color 4.
RED_IN_P3 = (234, 51, 35)


def fixed(*numbers):
    return struct.pack(f">{len(numbers)}i", *(round(n * 65536) for n in numbers))


def parametric(kind, *parameters):
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + fixed(*parameters)


def table(*values):
    return b"curv\0\0\0\0" + struct.pack(f">I{len(values)}H", len(values), *values)


def profile(primaries=DISPLAY_P3, curve=None, space=b"RGB ", pcs=b"XYZ "):
    """A display profile of three primaries and one tone curve."""
    curve = parametric(3, *SRGB_CURVE) if curve is None else curve
    tags = {
        b"%cXYZ" % letter: b"XYZ \0\0\0\0" + fixed(*xyz)
        for letter, xyz in zip(b"rgb", primaries, strict=True)
    }
    tags |= {b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642, 1.0, 0.8249)}
    tags |= {b"%cTRC" % letter: curve for letter in b"rgb"}
    start = 128 + 4 + 12 * len(tags)
    table_of_tags, data = struct.pack(">I", len(tags)), b""
    for name, body in tags.items():
        table_of_tags += struct.pack(">4sII", name, start + len(data), len(body))
        data += body + b"\0" * (-len(body) % 4)
    size = start + len(data)
    header = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x04000000, b"mntr", space, pcs)
    header += b"\0" * 12 + b"acsp" + b"\0" * 28 + fixed(0.9642, 1.0, 0.8249)
    return header.ljust(128, b"\0") + table_of_tags + data
