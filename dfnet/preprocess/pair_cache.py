"""Preprocessed pairs of loose files in the user's cache folder; the longest unused go first."""

import contextlib
from collections.abc import Callable
from pathlib import Path

from dfnet.preprocess.cache import (
    fingerprint,
    read_stored,
    user_cache,
    write_stored,
)
from dfnet.preprocess.result import Preprocessed

MAX_BYTES = 4 * 2**30  # about 16 pairs of 12 megapixels


def pairs_folder() -> Path:
    """Where pairs are kept."""
    return user_cache() / "pairs"


def prepared(
    files: list[Path], settings: str, prepare: Callable[[], Preprocessed], keep: bool = True
) -> Preprocessed:
    """The stored result, or a new one, which is stored.

    Args:
        files: the photos; their content counts, not their names.
        settings: whatever else the result depends on.
        prepare: makes a new one.
        keep: whether to read and to write the store; the result is the same to the bit.
    """
    key = fingerprint(files, settings)
    place = pairs_folder() / f"{key[:32]}.npz"
    found = read_stored(place, key) if keep else None
    if found is not None:
        with contextlib.suppress(OSError):
            place.touch()
        return found
    result = write_stored([place] if keep else [], key, prepare())
    if keep:
        _make_room(place)
    return result


def _make_room(newest: Path) -> None:
    """Remove what was not used for the longest time, until the rest is small enough."""
    with contextlib.suppress(OSError):  # another process may tidy up too
        stored = [(p, p.stat()) for p in newest.parent.glob("*.npz") if p != newest]
        room = MAX_BYTES - (newest.stat().st_size if newest.is_file() else 0)
        for path, about in sorted(stored, key=lambda entry: -entry[1].st_mtime):
            room -= about.st_size
            if room < 0:
                path.unlink(missing_ok=True)
