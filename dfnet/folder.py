"""Pairs of photos in a folder, found by their names."""

from pathlib import Path
from typing import NamedTuple

from dfnet.errors import InputError
from dfnet.io.phone_formats import DNG, HEIC
from dfnet.io.spatial import is_spatial_photo

READABLE = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", *HEIC, *DNG)
WIDE, ULTRAWIDE = "wide", "ultrawide"


class FoundPair(NamedTuple):
    """Two files, or a spatial photo.

    Attributes:
        name: unique below the folder, without suffix; `/` where it lies deeper.
        wide: the photo.
        ultrawide: its twin, or None.
    """

    name: str
    wide: Path
    ultrawide: Path | None


def find_pairs(folder: Path) -> list[FoundPair]:
    """All pairs at or below a folder, by name.

    A pair is `NAME_wide.jpg` with `NAME_ultrawide.jpg`, or `wide.jpg` with `ultrawide.jpg`, which
    is called as its folder; a spatial photo is a pair on its own, and so is a damaged HEIC, which
    could be one. Any readable format will do.

    Raises:
        InputError: there is no such folder, no pair, or a wide photo without its twin.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder\n  Check the spelling.")
    photos = sorted(p for p in folder.rglob("*") if p.suffix.lower() in READABLE and p.is_file())
    twins = {key: path for path in photos if (key := _key(path, ULTRAWIDE)) is not None}
    pairs, alone = [], []
    for path in photos:
        key = _key(path, WIDE)
        if key in twins:
            _refuse_second(pairs, path, key)
            pairs.append(FoundPair(_name(folder, path, key[1]), path, twins[key]))
        elif key is not None:
            alone.append(path)
        elif path.suffix.lower() in HEIC and _may_be_spatial(path):
            pairs.append(FoundPair(_name(folder, path, path.stem), path, None))
    if alone:
        raise InputError(
            f"{alone[0]}: its ultra-wide twin is missing\n"
            f"  Beside NAME_{WIDE}.* belongs NAME_{ULTRAWIDE}.*, of the same NAME."
        )
    if not pairs:
        raise InputError(
            f"{folder}: no pair of photos in it\n"
            f"  Name them NAME_{WIDE}.jpg and NAME_{ULTRAWIDE}.jpg, or put each pair into\n"
            f"  a folder as {WIDE}.jpg and {ULTRAWIDE}.jpg; spatial photos (HEIC) need no name."
        )
    return pairs


def _may_be_spatial(path: Path) -> bool:
    """A damaged file may: it is refused when it is read, and the others are done."""
    try:
        return is_spatial_photo(path)
    except InputError:
        return True


def _refuse_second(pairs: list[FoundPair], path: Path, key: tuple[Path, str]) -> None:
    if any(_key(pair.wide, WIDE) == key for pair in pairs):
        raise InputError(
            f"{path}: a second wide photo of the same name\n  Keep one of the two formats."
        )


def _key(path: Path, role: str) -> tuple[Path, str] | None:
    """Folder and NAME of a photo of that role; None for another file."""
    stem = path.stem.lower()
    if stem == role:
        return path.parent, ""
    if stem.endswith(f"_{role}"):
        return path.parent, path.stem[: -len(role) - 1]
    return None


def _name(folder: Path, path: Path, name: str) -> str:
    inside = path.parent.relative_to(folder)
    if name:
        return (inside / name).as_posix()
    return inside.as_posix() if inside.parts else folder.resolve().name
