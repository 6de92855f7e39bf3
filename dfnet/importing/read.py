"""Which photos a folder holds: W shots at different focus, and shots of the ultra-wide camera."""

import csv
import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dfnet.capture import Camera, camera_from_json
from dfnet.errors import InputError
from dfnet.io.images import read_exif

PHOTOS = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".heic", ".heif", ".dng")
UW_FOLDERS = ("ultrawide", "uw", "ultra_wide", "ultra-wide")
UW_NAME = re.compile(r"(?<![a-z])(uw|ultra[ _-]?wide|ultra)(?![a-z])", re.IGNORECASE)
UW_FOCAL_RATIO = 0.7  # an ultra-wide's focal length against the others' median
METADATA_FILES = ("stack.json", "stack.csv")


class Source(NamedTuple):
    """The photos of one stack.

    Attributes:
        wide: W shots, sorted by name.
        ultrawide: UW shots, sorted by name.
        focus_distance_m: of each W shot [m], from a metadata file or EXIF; None where unknown.
        distances_from: `metadata file`, `EXIF` or None.
        cameras: from the metadata file.
        ultrawide_by: how UW shots were told apart, for people; None where there are none.
    """

    wide: list[Path]
    ultrawide: list[Path]
    focus_distance_m: list[float] | None
    distances_from: str | None
    cameras: dict[str, Camera]
    ultrawide_by: str | None


def find_shots(folder: Path | str, ultrawide: Sequence[str] | None = None) -> Source:
    """Sort the photos of a folder.

    Args:
        folder: of the photos; UW shots may lie in its sub-folder `ultrawide`.
        ultrawide: names of the UW shots, relative to the folder; found by folder, name or EXIF
            when None.

    Raises:
        InputError: no folder, too few W shots, the same photo twice, unusable metadata.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(
            f"{folder}: no such folder\n  Give a folder with the photos of one focus stack."
        )
    photos = sorted((p for p in folder.iterdir() if _is_photo(p)), key=_by_number)
    in_folder = [
        p for name in UW_FOLDERS for p in sorted((folder / name).glob("*")) if _is_photo(p)
    ]
    if ultrawide is not None:
        uw, by = [_named(folder, name) for name in ultrawide], "the command line"
    else:
        uw, by = _told_apart(photos, in_folder)
    wide = [p for p in photos if p not in uw]
    if len(wide) < 2:
        raise InputError(
            f"{folder}: {len(wide)} wide photos\n"
            "  A focus stack needs at least two, each focused elsewhere. One pair of photos needs\n"
            "  no import: python refocus.py wide=… ultrawide=…"
        )
    _refuse_twins(wide)
    distances, source, cameras = _metadata(folder, wide)
    return Source(wide, uw, distances, source, cameras, by if uw else None)


def _is_photo(path: Path) -> bool:
    return path.suffix.lower() in PHOTOS and path.is_file() and not path.name.startswith(".")


def _by_number(path: Path) -> tuple:
    """Names in the order people count: IMG_9 before IMG_10."""
    parts = re.split(r"(\d+)", path.name.lower())
    return tuple((int(p), "") if p.isdigit() else (-1, p) for p in parts)


def _named(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise InputError(f"{path}: no such file\n  `ultrawide` names it; check the spelling.")
    return path


def _told_apart(photos: list[Path], in_folder: list[Path]) -> tuple[list[Path], str | None]:
    """UW shots by folder, else by name, else by focal length; a mark all photos bear is none."""
    if in_folder:
        return in_folder, f"the folder {in_folder[0].parent.name}"
    named = [p for p in photos if UW_NAME.search(p.stem)]
    if named and len(named) < len(photos):
        return named, "the file name"
    for field in ("FocalLengthIn35mmFilm", "FocalLength"):
        lengths = [read_exif(p, (field,)).get(field) for p in photos]
        known = [v for v in lengths if v]
        if not known:
            continue
        limit = UW_FOCAL_RATIO * max(known)
        short = [p for p, v in zip(photos, lengths, strict=True) if v and v < limit]
        if short:
            return short, f"EXIF {field}"
    return [], None


def _refuse_twins(wide: list[Path]) -> None:
    seen: dict[str, Path] = {}
    for path in wide:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest in seen:
            raise InputError(
                f"{path}: the same photo as {seen[digest].name}\n"
                "  Each slice must be a shot of its own; remove one of the two."
            )
        seen[digest] = path


def _metadata(folder: Path, wide: list[Path]):
    """Focus distances, where they come from, and cameras."""
    for name in METADATA_FILES:
        path = folder / name
        if path.is_file():
            distances, cameras = _read_metadata(path)
            missing = [p.name for p in wide if p.name not in distances]
            if distances and missing:
                raise InputError(
                    f"{path}: no focus distance for {', '.join(missing)}\n"
                    "  Name every wide photo, or none."
                )
            found = [distances[p.name] for p in wide] if distances else None
            return found, "metadata file" if found else None, cameras
    exif = [read_exif(p, ("SubjectDistance",)).get("SubjectDistance") for p in wide]
    if all(d is not None and 0 < d < np.inf for d in exif) and len(set(exif)) == len(exif):
        return [float(d) for d in exif], "EXIF", {}
    return None, None, {}


def _read_metadata(path: Path) -> tuple[dict[str, float], dict[str, Camera]]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".csv":
            record = {"shots": list(csv.DictReader(text.splitlines()))}
        else:
            record = json.loads(text)
        distances = {
            shot["file"]: distance
            for shot in record.get("shots", [])
            if (distance := _distance(shot)) is not None
        }
        cameras = {
            name: camera_from_json(camera, f"{path}, camera {name}")
            for name, camera in (record.get("cameras") or {}).items()
        }
    except InputError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"{path}: not a usable description ({type(error).__name__}: {error})\n"
            "  docs/capture.md shows how it looks; without the file, the order is found from the\n"
            "  photos."
        ) from error
    return distances, cameras


def _distance(shot: dict) -> float | None:
    """Metres; phones count in dioptres (1/m), 0 being their farthest focus."""
    if shot.get("focus_distance_m") not in (None, ""):
        distance = float(shot["focus_distance_m"])
    elif shot.get("focus_dioptres") not in (None, ""):
        dioptres = float(shot["focus_dioptres"])
        distance = 1 / dioptres if dioptres > 0 else float("inf")
    else:
        return None
    if not distance > 0:
        raise ValueError(f"a focus distance of {distance} m")
    return distance
