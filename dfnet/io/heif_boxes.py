"""What a HEIF file says of its pictures: items, their properties, references and groups.

Only the `meta` box is read, never a picture. Sources: ISO/IEC 14496-12 (boxes, `iinf`, `iref`,
`pitm`), ISO/IEC 23008-12 (`ipco`, `ipma`, `grpl`). Files are hostile: all loops advance, all sizes
are checked, and memory is bounded by `MAX_META_BYTES`.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from dfnet.errors import InputError

MAX_META_BYTES = 8 << 20  # real ones hold a few kB; colour profiles are the largest part
MAX_TOP_BOXES = 64  # before the `meta` box
PICTURES = (b"hvc1", b"grid", b"av01", b"avc1", b"jpeg", b"iden", b"iovl", b"unci")
EXTENDED = b"uuid"
AUXILIARY = (b"thmb", b"auxl")  # items that refer so to another are not pictures of their own


class Property(NamedTuple):
    """One property box.

    Attributes:
        kind: four characters, or the 16 bytes of a `uuid` box.
        payload: what follows.
    """

    kind: bytes
    payload: bytes


class Item(NamedTuple):
    """One item.

    Attributes:
        kind: four characters.
        hidden: not meant to be shown by itself.
        properties: in the order of the file.
    """

    kind: bytes
    hidden: bool
    properties: tuple[Property, ...]

    def property(self, *kinds: bytes) -> bytes | None:
        """Payload of the first property of one of these kinds."""
        return next((p.payload for p in self.properties if p.kind in kinds), None)


class HeifMeta(NamedTuple):
    """A file's `meta` box.

    Attributes:
        primary: id of the main picture.
        items: by id.
        references: kind, from, to.
        groups: kind and the items' ids, in order.
    """

    primary: int
    items: dict[int, Item]
    references: tuple[tuple[bytes, int, tuple[int, ...]], ...]
    groups: tuple[tuple[bytes, tuple[int, ...]], ...]

    @property
    def pictures(self) -> list[int]:
        """Ids of the pictures that a viewer would show, in the order that decoders count them."""
        auxiliary = {origin for kind, origin, _ in self.references if kind in AUXILIARY}
        shown = (i for i, item in self.items.items() if item.kind in PICTURES and not item.hidden)
        return sorted(i for i in shown if i not in auxiliary)


class _Reader:
    """Big-endian numbers from bytes; `struct.error` beyond their end."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def number(self, size: int) -> int:
        """An unsigned number of so many bytes."""
        return int.from_bytes(self.take(size))

    def take(self, size: int) -> bytes:
        """The next bytes."""
        if size < 0 or self.at + size > len(self.data):
            raise struct.error(f"a box ends {self.at + size - len(self.data)} bytes too early")
        self.at += size
        return self.data[self.at - size : self.at]


def read_heif_meta(path: Path | str) -> HeifMeta:
    """Read a HEIF file's `meta` box.

    Raises:
        InputError: the file is missing, damaged or no HEIF file.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file\n  Check the spelling; paths are relative to here.")
    try:
        with path.open("rb") as file:
            return parse_meta(_find_meta(file))
    except (OSError, struct.error) as error:
        raise InputError(
            f"{path}: its description of pictures cannot be read ({error})\n"
            "  The file is damaged, cut short or no HEIC file. Copy it again from the phone."
        ) from error


def parse_meta(data: bytes) -> HeifMeta:
    """The payload of a `meta` box.

    Raises:
        struct.error: it is damaged.
    """
    parts: dict[bytes, bytes] = {}
    for kind, payload in boxes(data[4:]):
        parts.setdefault(kind, payload)
    owned = _properties(parts.get(b"iprp", b""))
    items = {
        i: Item(kind, hidden, owned.get(i, ())) for i, kind, hidden in _items(parts.get(b"iinf"))
    }
    return HeifMeta(
        _primary(parts.get(b"pitm")),
        items,
        tuple(_references(parts.get(b"iref"))),
        tuple(_groups(parts.get(b"grpl", b""))),
    )


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and payload of each box; a `uuid` box's kind is its 16 bytes.

    Raises:
        struct.error: a box is longer than what holds it, or shorter than its own head.
    """
    reader = _Reader(data)
    while reader.at < len(data):
        start, size, kind = reader.at, reader.number(4), reader.take(4)
        if size == 1:
            size = reader.number(8)
        if size == 0:  # up to the end
            size = len(data) - start
        if kind == EXTENDED:
            kind = reader.take(16)
        yield kind, reader.take(start + size - reader.at)


def _find_meta(file: BinaryIO) -> bytes:
    for _ in range(MAX_TOP_BOXES):
        kind, length = _head(file)
        if kind == b"meta":
            break
        if not 0 < length < 1 << 62:
            raise struct.error("there is none")
        file.seek(length, 1)
    else:
        raise struct.error("there is none among the first boxes")
    if not 4 <= length <= MAX_META_BYTES:
        raise struct.error(f"it claims to be {length} bytes long")
    data = file.read(length)
    if len(data) < length:
        raise struct.error("the file ends in it")
    return data


def _head(file: BinaryIO) -> tuple[bytes, int]:
    """Kind of the next box and the length of what follows; negative where that is open."""
    size, kind = struct.unpack(">I4s", file.read(8))
    if size == 1:
        return kind, struct.unpack(">Q", file.read(8))[0] - 16
    return kind, size - 8


def _primary(payload: bytes | None) -> int:
    if payload is None:
        raise struct.error("no main picture")
    reader = _Reader(payload)
    return reader.number(2 if reader.number(4) >> 24 == 0 else 4)


def _items(payload: bytes | None) -> Iterator[tuple[int, bytes, bool]]:
    """Id, kind and whether it is hidden."""
    if payload is None:
        raise struct.error("no items")
    skipped = 6 if payload[:1] == b"\0" else 8  # version and flags, count
    for kind, entry in boxes(payload[skipped:]):
        reader = _Reader(entry)
        head = reader.number(4)
        version, flags = head >> 24, head & 0xFFFFFF
        if kind != b"infe" or version < 2:  # older ones have no kind
            continue
        number = reader.number(2 if version == 2 else 4)
        reader.take(2)  # protection
        yield number, reader.take(4), bool(flags & 1)


def _properties(payload: bytes) -> dict[int, tuple[Property, ...]]:
    """The properties of each item."""
    known: list[Property] = []
    owned: dict[int, tuple[Property, ...]] = {}
    for kind, part in boxes(payload):
        if kind == b"ipco":
            known += (Property(*box) for box in boxes(part))
        if kind == b"ipma":
            for item, numbers in _associations(part):
                owned[item] = tuple(known[n - 1] for n in numbers if 0 < n <= len(known))
    return owned


def _associations(payload: bytes) -> Iterator[tuple[int, list[int]]]:
    """An item's id and the numbers of its properties, counted from 1."""
    reader = _Reader(payload)
    head = reader.number(4)
    id_size, wide = 2 if head >> 24 == 0 else 4, head & 1
    for _ in range(reader.number(4)):
        item, count = reader.number(id_size), reader.number(1)
        numbers = [reader.number(1 + wide) for _ in range(count)]
        yield item, [n & (0x7FFF if wide else 0x7F) for n in numbers]


def _references(payload: bytes | None) -> Iterator[tuple[bytes, int, tuple[int, ...]]]:
    if payload is None:
        return
    size = 2 if payload[:1] == b"\0" else 4
    for kind, entry in boxes(payload[4:]):
        reader = _Reader(entry)
        origin, count = reader.number(size), reader.number(2)
        yield kind, origin, tuple(reader.number(size) for _ in range(count))


def _groups(payload: bytes) -> Iterator[tuple[bytes, tuple[int, ...]]]:
    for kind, entry in boxes(payload):
        reader = _Reader(entry)
        reader.take(8)  # version and flags, the group's own id
        count = reader.number(4)
        yield kind, tuple(reader.number(4) for _ in range(count))
