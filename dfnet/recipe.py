"""One edit as data, and as a JSON file that repeats it."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from dfnet import __version__
from dfnet.errors import InputError
from dfnet.model.released import NAMES
from dfnet.targets import AllInFocus, Step, files_of, steps_from_json, steps_to_json, with_files

FORMAT = 2
SUFFIX = "_recipe.json"
_FILES = ("wide", "ultrawide", "weights")
_STEPS = ("steps", "pull_to")


@dataclass(frozen=True)
class Recipe:
    """One edit of one pair.

    Attributes:
        wide: the photo to refocus, or a spatial photo.
        ultrawide: its twin; None where one file holds both, or where there is none.
        steps: what is wanted; a focus pull's first frame.
        pull_to: a focus pull's last frame.
        frames: of a focus pull; 0 is a picture.
        photo_size: (width, height) of the photo whose pixels the steps count.
        camera: a preset, as in configs/camera.
        weights: a folder, or a released network's name; None takes the default network.
        device: `auto`, `cpu`, `cuda` or `mps`.
        suffix: of the picture, such as `.png`.
        bits: 8 or 16.
    """

    wide: str | None = None
    ultrawide: str | None = None
    steps: tuple[Step, ...] = (AllInFocus(),)
    pull_to: tuple[Step, ...] = ()
    frames: int = 0
    photo_size: tuple[int, int] | None = None
    camera: dict = field(default_factory=dict)
    weights: str | None = None
    device: str = "auto"
    suffix: str = ".png"
    bits: int = 8

    def with_files(self, rename: Callable[[str], str]) -> "Recipe":
        """The same edit with each file's name changed."""
        names = {n: rename(v) for n in _FILES if (v := getattr(self, n)) is not None}
        if self.weights in NAMES:  # no file
            del names["weights"]
        steps = {n: with_files(getattr(self, n), rename) for n in _STEPS}
        return replace(self, **names, **steps)

    @property
    def inputs(self) -> list[str]:
        """The files whose content the picture depends on, but for the weights."""
        photos = [name for name in (self.wide, self.ultrawide) if name is not None]
        return [*photos, *files_of(self.steps), *files_of(self.pull_to)]


def recipe_path(output: Path) -> Path:
    """Where a picture's recipe goes: beside it."""
    return output.with_name(output.stem + SUFFIX)


def output_of(recipe_file: Path, suffix: str) -> Path:
    """The picture that a recipe's file lies beside."""
    return recipe_file.with_name(recipe_file.name.removesuffix(SUFFIX) + suffix)


def recipe_to_text(recipe: Recipe, folder: Path, found: dict) -> str:
    """The saved form; file names relative to the recipe's folder, so that it can be moved.

    Args:
        recipe: the edit.
        folder: where it will be kept.
        found: facts for the reader; not used when it is run again.
    """
    kept = recipe.with_files(lambda name: _relative(name, folder))
    record = {f.name: getattr(kept, f.name) for f in fields(kept)}
    record |= {name: steps_to_json(record[name]) for name in _STEPS}
    hashes = [hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in recipe.inputs]
    record = {
        "recipe": FORMAT,
        "dfnet": __version__,
        "run_again": "python refocus.py recipe=THIS_FILE",
        **record,
        "sha256": dict(zip(kept.inputs, hashes, strict=True)),
        "found": found,
    }
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def load_recipe(path: Path) -> tuple[Recipe, list[str]]:
    """A saved edit, file names resolved against the recipe's folder.

    Returns:
        The edit, and those of its files that have changed or gone since.

    Raises:
        InputError: missing, not a recipe, or of another format.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file\n  Check the spelling; paths are relative to here.")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if "edit" in record:
            recipe, hashes = _from_first_format(record["edit"]), {}
        else:
            _check_format(path, record["recipe"])
            recipe, hashes = _from_record(record), dict(record["sha256"])
        recipe = recipe.with_files(lambda name: os.path.normpath(path.parent / name))
    except InputError as error:
        message = str(error)
        raise InputError(
            message if message.startswith(str(path)) else f"{path}: {error}"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{path}: not a recipe ({type(error).__name__}: {error})\n"
            f"  Give a <name>{SUFFIX} that refocus.py wrote beside a picture."
        ) from error
    return recipe, [n for n, h in hashes.items() if not _is_same(path.parent / n, h)]


def _check_format(path: Path, number: object) -> None:
    if number != FORMAT:
        raise InputError(
            f"{path}: a recipe of format {number}; this version reads {FORMAT} and the first\n"
            "  Was it written by a newer version? Update dfnet."
        )


def _from_record(record: dict) -> Recipe:
    values = {f.name: record[f.name] for f in fields(Recipe)}
    values |= {name: steps_from_json(values[name]) for name in _STEPS}
    for name, kinds in _KINDS.items():
        if not isinstance(values[name], kinds) or isinstance(values[name], bool):
            raise TypeError(f"{name} is {values[name]!r}")
    size = values["photo_size"]
    if size is not None and not (
        len(size) == 2 and all(isinstance(v, int) and 0 < v < 10**6 for v in size)
    ):
        raise ValueError(f"photo_size is {size}")
    return Recipe(**(values | {"photo_size": size and tuple(size)}))


_KINDS = {
    "wide": str,
    "ultrawide": str | None,
    "frames": int,
    "photo_size": list | None,
    "camera": dict,
    "weights": str | None,
    "device": str,
    "suffix": str,
    "bits": int,
}


def _from_first_format(edit: dict) -> Recipe:
    """Version 0.1 had one target with options instead of steps."""
    first = {
        "all_in_focus": [{"step": "all_in_focus"}],
        "refocus": [{"step": "focus_at"} | dict(zip("xy", edit["focus_at"] or (), strict=False))],
        "aperture": [],
        "map": [
            {
                "step": "map",
                "path": edit["path"],
                "px_per_level": edit["map_px_per_level"],
                "zero_level": edit["map_zero_level"],
            }
        ],
        "like": [{"step": "like", "path": edit["like"]}],
    }[edit["target"]]
    if edit["aperture_scale"] is not None:
        first = [*first, {"step": "aperture", "scale": edit["aperture_scale"]}]
    same = ("wide", "ultrawide", "camera", "weights", "device", "bits")
    return Recipe(
        steps=steps_from_json(first),
        suffix=Path(edit["output"]).suffix,
        **{name: edit[name] for name in same},
    )


def _is_same(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def _relative(path: str, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive, on Windows
        return str(Path(path).resolve())
