"""Tag directories as TIFF and EXIF have them, read and written without touching the values."""

import struct
from dataclasses import dataclass, field, replace
from typing import NamedTuple

EXIF, GPS, INTEROP = 0x8769, 0x8825, 0xA005  # tags that point to further directories
BYTE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
ASCII, SHORT, LONG, UNDEFINED = 2, 3, 4, 7
HEADER_BYTES = 8
ENTRY_BYTES = 12
MAX_VALUE_BYTES = 1 << 20  # longer ones are pixels or an attack, not a description
MAX_BYTES = 1 << 22  # of all values: entries may point to the same bytes again and again


class Value(NamedTuple):
    """One tag's value as stored.

    Attributes:
        kind: the TIFF type.
        data: raw bytes, in the tree's byte order.
    """

    kind: int
    data: bytes


Directory = dict[int, Value]


@dataclass(frozen=True)
class TagTree:
    """A TIFF header's first directory and those it points to.

    Attributes:
        order: `<` little or `>` big endian.
        main: the first directory, without pointers.
        below: `EXIF`, `GPS` and `INTEROP` directories, where there are any.
        damaged: whether something could not be read and is missing.
    """

    order: str = "<"
    main: Directory = field(default_factory=dict)
    below: dict[int, Directory] = field(default_factory=dict)
    damaged: bool = False

    def number(self, kind: int, *numbers: int) -> Value:
        """Whole numbers as a value of type SHORT or LONG."""
        letter = {SHORT: "H", LONG: "I"}[kind]
        return Value(kind, struct.pack(f"{self.order}{len(numbers)}{letter}", *numbers))

    def first(self, value: Value | None) -> int | None:
        """A SHORT or LONG value's first number, else None."""
        letter = {SHORT: "H", LONG: "I"}.get(value.kind) if value else None
        return None if letter is None else struct.unpack_from(self.order + letter, value.data)[0]


def text(words: str) -> Value:
    """A string value; EXIF knows ASCII only."""
    return Value(ASCII, words.encode("ascii", "replace") + b"\0")


class _Reader:
    """Follows pointers through bytes that may lie."""

    def __init__(self, data: bytes, order: str):
        self.data, self.order = data, order
        self.left = MAX_BYTES
        self.damaged = False

    def number(self, letter: str, at: int) -> int:
        return struct.unpack_from(self.order + letter, self.data, at)[0]

    def directory(self, at: int) -> Directory:
        """The entries at `at`; those that lead nowhere are left out."""
        found: Directory = {}
        try:
            count = self.number("H", at)
            for k in range(count):
                entry = at + 2 + k * ENTRY_BYTES
                tag, value = self.number("H", entry), self.value(entry)
                if value is not None:
                    found.setdefault(tag, value)
        except struct.error:
            self.damaged = True
        return found

    def value(self, entry: int) -> Value | None:
        kind, count = self.number("H", entry + 2), self.number("I", entry + 4)
        size = BYTE_SIZES.get(kind, 0) * count
        at = entry + HEADER_BYTES if size <= 4 else self.number("I", entry + HEADER_BYTES)
        if not 0 < size <= min(MAX_VALUE_BYTES, self.left) or at + size > len(self.data):
            self.damaged |= size > 0
            return None
        self.left -= size
        return Value(kind, bytes(self.data[at : at + size]))


def read_tags(data: bytes) -> TagTree:
    """A TIFF structure's first directory, with EXIF, GPS and interoperability.

    Args:
        data: from the byte-order mark on; JPEG's "Exif" in front of it is skipped.

    Raises:
        ValueError: not a TIFF structure at all. Smaller damage is left out, and said.
    """
    data = data.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < HEADER_BYTES:
        raise ValueError("no TIFF header")
    reader = _Reader(data, order)
    main = reader.directory(reader.number("I", 4))
    below = {}
    for tag, parent in ((EXIF, main), (GPS, main), (INTEROP, None)):
        holder = below.get(EXIF, {}) if parent is None else parent
        at = TagTree(order).first(holder.pop(tag, None))
        if at is not None:
            below[tag] = reader.directory(at)
    return TagTree(order, main, {k: v for k, v in below.items() if v}, reader.damaged)


def write_tags(tree: TagTree) -> bytes:
    """The tree as a TIFF structure of its own: header, directories, values."""
    head = (b"II*\0" if tree.order == "<" else b"MM\0*") + struct.pack(tree.order + "I", 8)
    return head + pack_directories(tree, HEADER_BYTES)


def pack_directories(tree: TagTree, at: int) -> bytes:
    """The tree's directories and values, as bytes that will lie `at` bytes into a file."""
    below = {tag: tree.below[tag] for tag in (EXIF, GPS) if tree.below.get(tag)}
    main = dict(tree.main) | {tag: tree.number(LONG, 0) for tag in below}
    sizes = _size(main)
    packed = b""
    for tag, directory in below.items():
        main[tag] = tree.number(LONG, at + sizes + len(packed))
        packed += _with_interop(tree, directory, at + sizes + len(packed), tag)
    return _pack(tree.order, main, at) + packed


def _with_interop(tree: TagTree, directory: Directory, at: int, tag: int) -> bytes:
    interop = tree.below.get(INTEROP) if tag == EXIF else None
    if not interop:
        return _pack(tree.order, directory, at)
    directory = directory | {INTEROP: tree.number(LONG, 0)}
    end = at + _size(directory)
    directory[INTEROP] = tree.number(LONG, end)
    return _pack(tree.order, directory, at) + _pack(tree.order, interop, end)


def _size(directory: Directory) -> int:
    far = sum(len(v.data) + len(v.data) % 2 for v in directory.values() if len(v.data) > 4)
    return 2 + ENTRY_BYTES * len(directory) + 4 + far


def _pack(order: str, directory: Directory, at: int) -> bytes:
    entries, values = b"", b""
    start = at + 2 + ENTRY_BYTES * len(directory) + 4
    for tag, (kind, data) in sorted(directory.items()):
        entries += struct.pack(order + "HHI", tag, kind, len(data) // BYTE_SIZES[kind])
        if len(data) <= 4:
            entries += data.ljust(4, b"\0")
        else:
            entries += struct.pack(order + "I", start + len(values))
            values += data + b"\0" * (len(data) % 2)
    return struct.pack(order + "H", len(directory)) + entries + b"\0" * 4 + values


def without(tree: TagTree, *tags: int) -> TagTree:
    """The tree without these tags, wherever they are; a directory's tag removes it whole."""
    kept = {
        name: {t: v for t, v in directory.items() if t not in tags}
        for name, directory in tree.below.items()
        if name not in tags
    }
    return replace(tree, main={t: v for t, v in tree.main.items() if t not in tags}, below=kept)
