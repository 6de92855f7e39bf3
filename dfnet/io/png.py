"""PNG files as a row of chunks: length, name, data, checksum."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_START = len(SIGNATURE) + 25  # behind IHDR, where further chunks may come
PIXELS = (b"IHDR", b"PLTE", b"IDAT", b"IEND")


def png_chunk(name: bytes, data: bytes) -> bytes:
    """One chunk."""
    check = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)


def only_pixels(data: bytes) -> bytes:
    """A PNG file without all that is beside its pixels, its chunks found to be whole.

    OpenCV takes as much memory as a chunk claims to need.

    Raises:
        ValueError: a chunk reaches beyond the file, or its checksum is wrong.
    """
    at, kept = len(SIGNATURE), [SIGNATURE]
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, end = data[at + 4 : at + 8], at + 12 + length
        if end > len(data):
            raise ValueError(f"a chunk claims {length} bytes, more than the file has")
        if name in PIXELS:
            if struct.unpack_from(">I", data, end - 4)[0] != zlib.crc32(data[at + 4 : end - 4]):
                raise ValueError("a checksum is wrong")
            kept.append(data[at:end])
        at = end
    return b"".join(kept)
