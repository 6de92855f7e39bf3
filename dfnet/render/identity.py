"""What makes a rendered set what it is, written beside its scenes; other sets stay out of it."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock

from dfnet.errors import InputError
from dfnet.io.images import write_whole
from dfnet.render.scene import SceneOptions
from dfnet.render.splits import Photo
from dfnet.render.stack import GENERATOR, VERSION, StackOptions

IDENTITY = "set.json"
LOCK = ".set.lock"


def identify(
    scene: SceneOptions, stack: StackOptions, photos: Iterable[Photo], part: str = "all"
) -> dict:
    """All that decides the pictures of a seed, and nothing that does not.

    Args:
        scene: options of the scenes; photographs count by their checksums, not by their place.
        stack: options of the pictures; threads change nothing.
        photos: photographs that surfaces are drawn from.
        part: `train`, `val`, `test` or `all`.
    """
    options = {"scene": asdict(scene), "stack": asdict(stack), "part": part}
    del options["scene"]["photos"], options["stack"]["threads"]
    record = {
        "generator": GENERATOR,
        "version": VERSION,
        "options": json.loads(json.dumps(options)),  # as it will be read again
        "textures": [{"sha256": p.sha256, "file": p.path.name, "part": p.part} for p in photos],
    }
    return record | {"identity": _digest(record)}


def join_set(folder: Path, identity: dict, seeds: range) -> dict:
    """Announce that seeds will be rendered into a set; the first one founds it.

    Any number of processes may join at the same time, also from other machines.

    Args:
        folder: parent of the scene folders.
        identity: from `identify`.
        seeds: of this run; they are added to those that the set lists.

    Returns:
        The set's record as it is written in `set.json`.

    Raises:
        InputError: the folder holds another set, or scenes of no known set.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / LOCK):
            known = read_set(folder) if (folder / IDENTITY).exists() else None
            if known is None:
                _refuse_unknown_scenes(folder)
            else:
                _refuse_another(folder, known, identity)
            record = identity | {"seeds": _merged((known or {}).get("seeds", []), seeds)}
            if record != known:
                text = json.dumps(record, indent=1) + "\n"
                write_whole(folder / IDENTITY, lambda p: p.write_text(text, encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror or error})\n"
            "  Choose another output, or make room and permit writing there."
        ) from error
    return record


def read_set(folder: Path) -> dict:
    """The record of the set in a folder.

    Raises:
        InputError: there is none, or it is damaged.
    """
    path = Path(folder) / IDENTITY
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if _digest(record) != record["identity"]:
            raise ValueError("its `identity` is not that of its contents")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: not the record of a rendered set ({error})\n"
            "  It is written by scripts/render_stacks.py, and not to be edited."
        ) from error
    return record


def _digest(record: dict) -> str:
    """Checksum of what decides the pictures: a photograph's file name does not."""
    decisive = {key: record[key] for key in ("generator", "version", "options")}
    decisive["textures"] = sorted(photo["sha256"] for photo in record["textures"])
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def _refuse_another(folder: Path, known: dict, wanted: dict) -> None:
    if known["identity"] == wanted["identity"]:
        return
    differences = _differences(_flat(known), _flat(wanted))
    raise InputError(
        f"{folder / IDENTITY}: the folder holds another set\n"
        + "".join(f"  {line}\n" for line in differences)
        + "  Sets are not mixed. Choose another output, or the options of the set that is there."
    )


def _refuse_unknown_scenes(folder: Path) -> None:
    strangers = sorted(p.parent.name for p in folder.glob("*/capture.json"))
    strangers = [name for name in strangers if not name.startswith(".")]
    if strangers:
        raise InputError(
            f"{folder}: has no {IDENTITY}, but captures ({len(strangers)}, as {strangers[0]})\n"
            "  They may be of another generator version; sets are not mixed. Choose another output."
        )


def _flat(record: dict) -> dict[str, object]:
    """Everything decisive by a readable name."""
    flat = {"generator": record["generator"], "generator version": record["version"]}
    _flatten("", record["options"], flat)
    return flat | {"textures": {photo["sha256"] for photo in record["textures"]}}


def _flatten(prefix: str, value: object, into: dict[str, object]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _flatten(f"{prefix}.{key}" if prefix else key, inner, into)
    else:
        into[prefix] = value


def _differences(known: dict[str, object], wanted: dict[str, object]) -> list[str]:
    lines = []
    for key in [*known, *(k for k in wanted if k not in known)]:
        old, new = known.get(key), wanted.get(key)
        if old == new:
            continue
        if key == "textures":
            lines.append(f"textures: {len(old - new)} of the set's are gone, {len(new - old)} new")
        else:
            lines.append(f"{key}: the set has {old}, asked for is {new}")
    return lines


def _merged(ranges: list[list[int]], seeds: range) -> list[list[int]]:
    """First and last seed of each stretch, in order, without overlaps."""
    merged: list[list[int]] = []
    for first, last in sorted([*map(list, ranges), [seeds.start, seeds[-1]]]):
        if merged and first <= merged[-1][1] + 1:
            merged[-1][1] = max(merged[-1][1], last)
        else:
            merged.append([first, last])
    return merged
