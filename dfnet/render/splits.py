"""Training, validation and test apart: by seed, and by the content of photographs."""

import csv
import hashlib
from pathlib import Path
from typing import NamedTuple

from dfnet.errors import InputError

PARTS = ("train", "val", "test")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
ONE_IN = 6  # photographs are kept for validation, and as many for test
SEEDS = {"train": range(800_000), "val": range(800_000, 900_000), "test": range(900_000, 1_000_000)}


class Photo(NamedTuple):
    """A photograph for surfaces, known by what it holds.

    Attributes:
        sha256: of the file's bytes, hexadecimal.
        part: `train`, `val` or `test`.
        path: where it is; its name does not matter.
    """

    sha256: str
    part: str
    path: Path


def find_photos(
    folder: str | Path | None, part: str = "all", listed: str | Path | None = None
) -> tuple[Photo, ...]:
    """The photographs of a part, each content once, in order of their checksums.

    A file's part follows from its bytes alone: scenes of different parts share no photograph even
    where files were renamed, or copied under two names.

    Args:
        folder: of pictures; None gives none.
        part: `train`, `val`, `test`, or `all`.
        listed: a table with columns `file`, `sha256` and `part`: only photographs with a listed
            checksum count, each in its listed part, and all those of the part have to be there.

    Raises:
        InputError: no such folder, an unknown part, nothing in it, or listed ones are missing.
    """
    if part not in (*PARTS, "all"):
        raise InputError(f"texture_part={part}: unknown\n  Known: {', '.join(PARTS)}, all.")
    if folder is None:
        return ()
    if not Path(folder).is_dir():
        raise InputError(
            f"{folder}: no such folder\n  `textures` names a folder of photographs, or is null."
        )
    there = {content_hash(p): p for p in sorted(Path(folder).iterdir()) if _is_picture(p)}
    parts = _listed_parts(Path(listed), there, part) if listed else {h: part_of(h) for h in there}
    photos = [Photo(h, parts[h], there[h]) for h in sorted(parts) if part in (parts[h], "all")]
    if not photos:
        raise InputError(
            f"{folder}: no photograph ({', '.join(SUFFIXES)}) for texture_part={part}\n"
            "  Add some, or leave `textures` null for procedural surfaces."
        )
    return tuple(photos)


def part_of(sha256: str) -> str:
    """Part of a photograph with this checksum: one in six is `test`, one in six `val`."""
    slot = int(sha256[:8], 16) * ONE_IN >> 32
    return {0: "test", 1: "val"}.get(slot, "train")


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_seeds(part: str, seeds: range) -> None:
    """Refuse seeds that belong to another part.

    Raises:
        InputError: names the seeds that are free to use.
    """
    allowed = SEEDS.get(part)
    if allowed and (seeds.start not in allowed or seeds[-1] not in allowed):
        raise InputError(
            f"first_seed={seeds.start}, scenes={len(seeds)}: not seeds of texture_part={part}\n"
            f"  Its seeds are {allowed.start} to {allowed.stop - 1}, so that parts share no scene."
        )


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _listed_parts(table: Path, there: dict[str, Path], part: str) -> dict[str, str]:
    """Part of each listed checksum.

    Raises:
        InputError: the table cannot be used, or photographs of the part are missing.
    """
    try:
        with table.open(newline="", encoding="utf-8") as file:
            rows = {row["sha256"]: row for row in csv.DictReader(file)}
            parts = {sha256: row["part"] for sha256, row in rows.items()}
    except (OSError, KeyError, csv.Error, UnicodeDecodeError) as error:
        raise InputError(
            f"{table}: no list of photographs ({type(error).__name__}: {error})\n"
            "  It needs the columns file, sha256 and part."
        ) from error
    wanted = {sha256 for sha256, name in parts.items() if part in (name, "all")}
    missing = sorted(rows[sha256]["file"] for sha256 in wanted - set(there))
    if missing:
        raise InputError(
            f"{table}: {len(missing)} of {len(wanted)} listed photographs are not in `textures`\n"
            f"  Missing: {', '.join(missing)}.\n"
            "  Files are known by their checksum, not by their name; docs/dataset.md says where\n"
            "  they come from. Without `textures` all surfaces are procedural."
        )
    return parts
