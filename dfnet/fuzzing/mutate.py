"""Ways to damage a file: as a bad copy would, and as somebody who knows the format would."""

import json
import random
import struct
from collections.abc import Callable

NUMBERS = (0, 1, -1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1)
WORDS = (
    b"NaN",
    b"-1",
    b"1e999",
    b"99999999999999999999",
    b"",
    b"null",
    b"%s",
    b"\0",
    b"]]>",
    b"&x;",
)
VALUES = (
    *(None, True, -1, 0, 10**30, 1e308, float("nan"), float("inf"), "", "\0", "../../etc/passwd"),
    *("x" * 1000, [], {}, [[]], [None], [1e999] * 3, {"step": "mask"}, {"a": {"b": []}}),
)
MAX_BLOCK = 64


def mutate(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """A damaged copy.

    Args:
        data: a whole file.
        other: another file, to take pieces from.
        rng: decides how.
    """
    if data[:1] == b"{" and rng.random() < 0.5:
        return _json(data, rng)
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        if damaged:
            rng.choice(_WAYS)(damaged, other, rng)
    return bytes(damaged)


def _flip(data: bytearray, other: bytes, rng: random.Random) -> None:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _byte(data: bytearray, other: bytes, rng: random.Random) -> None:
    data[rng.randrange(len(data))] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))


def _number(data: bytearray, other: bytes, rng: random.Random) -> None:
    size, letter = rng.choice(((2, "H"), (4, "I"), (8, "Q")))
    value = rng.choice((*NUMBERS, len(data), len(data) - 1)) % (1 << 8 * size)
    at = rng.randrange(len(data))
    data[at : at + size] = struct.pack(rng.choice("<>") + letter, value)


def _word(data: bytearray, other: bytes, rng: random.Random) -> None:
    """A value in a text, replaced."""
    at = rng.randrange(len(data))
    ends = [data.find(mark, at) for mark in (b'"', b"<", b",", b" ")]
    end = min((e for e in ends if e >= 0), default=at)
    if end - at < 1000:
        data[at:end] = rng.choice(WORDS)


def _cut(data: bytearray, other: bytes, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def _remove(data: bytearray, other: bytes, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.randint(1, MAX_BLOCK)]


def _repeat(data: bytearray, other: bytes, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    data[at:at] = data[at : at + rng.randint(1, MAX_BLOCK)] * rng.choice((1, 2, 50))


def _splice(data: bytearray, other: bytes, rng: random.Random) -> None:
    start, at = rng.randrange(len(other)), rng.randrange(len(data))
    piece = other[start : start + rng.randint(1, 4 * MAX_BLOCK)]
    data[at : at + len(piece)] = piece


def _json(data: bytes, rng: random.Random) -> bytes:
    """One value of a JSON text, replaced, removed or wrapped."""
    record = json.loads(data)
    places = list(_places(record))
    holder, key = rng.choice(places)
    action = rng.random()
    if action < 0.15:
        del holder[key]
    elif action < 0.25:
        value = holder[key]
        for _ in range(rng.choice((1, 3, 200))):
            value = [value]
        holder[key] = value
    elif action < 0.35 and isinstance(holder, dict):
        holder["extra"] = rng.choice(VALUES)
    else:
        holder[key] = rng.choice(VALUES)
    return json.dumps(record).encode()


def _places(record: object) -> list[tuple[dict | list, object]]:
    """Each value's holder and key, at all depths."""
    found: list[tuple[dict | list, object]] = []
    if isinstance(record, dict | list):
        keys = record if isinstance(record, dict) else range(len(record))
        for key in keys:
            found += [(record, key), *_places(record[key])]
    return found


_WAYS: tuple[Callable[[bytearray, bytes, random.Random], None], ...] = (
    *(_flip, _byte, _number, _number, _word),
    *(_cut, _remove, _repeat, _splice),
)
