"""HEIF boxes as ISO/IEC 14496-12 and 23008-12 write them; no pictures in them."""

import struct

APPLE_EXTRINSICS = bytes.fromhex("4363e9145b7d4aab97aebea69803b434")
APPLE_INTRINSICS = bytes.fromhex("22cc04c7d6d94e079d904eb6ecbaf3a3")


def box(kind, *parts):
    """A box; a kind of 16 bytes makes a `uuid` box."""
    payload = b"".join(parts)
    if len(kind) == 16:
        kind, payload = b"uuid", kind + payload
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def full(version=0, flags=0):
    return struct.pack(">I", version << 24 | flags)


def size(width, height):
    return box(b"ispe", full(), struct.pack(">II", width, height))


def intrinsics(focal, x, y, kind=b"cmin", shift=20):
    """In shares of the picture's sides, as fixed point."""
    values = (round(v * 2**shift) for v in (focal, x, y))
    return box(kind, full(0, shift << 8), struct.pack(">3i", *values))


def extrinsics(x=None, y=None, z=None, turn=None, kind=b"cmex"):
    """Micrometres; a turn is the vector part of a quaternion."""
    flags, body = 0, b""
    for bit, value in enumerate((x, y, z)):
        if value is not None:
            flags, body = flags | 1 << bit, body + struct.pack(">i", value)
    if turn is not None:
        flags, body = flags | 8, body + struct.pack(">3h", *(round(t * 2**14) for t in turn))
    return box(kind, full(0, flags), body)


def item(number, kind=b"hvc1", hidden=False):
    return box(b"infe", full(2, int(hidden)), struct.pack(">HH4s", number, 0, kind), b"\0")


def reference(kind, origin, *targets):
    return box(kind, struct.pack(f">HH{len(targets)}H", origin, len(targets), *targets))


def heif(items, properties, associations, references=(), groups=(), primary=1):
    """A whole file, without pictures.

    Args:
        items: of `item`.
        properties: boxes, counted from 1.
        associations: item's number to its properties' numbers.
        references: of `reference`.
        groups: kind and item numbers.
        primary: item's number.
    """
    owned = b"".join(
        struct.pack(f">HB{len(numbers)}B", item, len(numbers), *numbers)
        for item, numbers in associations.items()
    )
    meta = box(
        b"meta",
        full(),
        box(b"pitm", full(), struct.pack(">H", primary)),
        box(b"iinf", full(), struct.pack(">H", len(items)), *items),
        box(b"iref", full(), *references),
        box(
            b"iprp",
            box(b"ipco", *properties),
            box(b"ipma", full(), struct.pack(">I", len(associations)), owned),
        ),
        box(
            b"grpl",
            *(
                box(kind, full(), struct.pack(f">II{len(n)}I", 99, len(n), *n))
                for kind, n in groups
            ),
        ),
    )
    return box(b"ftyp", b"heic\0\0\0\0mif1") + meta + box(b"mdat", b"\0" * 64)
