"""One edit as data: what is asked, checked before any work, saved so that it can be repeated."""

import hashlib
import json
import math
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from dfnet import __version__
from dfnet.errors import InputError
from dfnet.io.images import check_writable
from dfnet.targets import Aperture

TARGETS = ("all_in_focus", "refocus", "aperture", "map", "like")
_INPUTS = ("wide", "ultrawide", "path", "like")
_FILES = (*_INPUTS, "output", "weights")


@dataclass(frozen=True)
class Recipe:
    """One edit of one pair; configs/refocus.yaml says what each field means."""

    wide: str | None = None
    ultrawide: str | None = None
    output: str | None = None
    target: str = "all_in_focus"
    focus_at: list[float] | None = None
    aperture_scale: float | None = None
    path: str | None = None
    map_px_per_level: float | None = None
    map_zero_level: float = 0.0
    like: str | None = None
    camera: dict = field(default_factory=dict)
    weights: str | None = None
    device: str = "auto"
    bits: int = 8

    @property
    def outputs(self) -> tuple[Path, Path, Path]:
        """Where the picture, the target map and the recipe go."""
        picture = Path(self.output)
        return (
            picture,
            picture.with_name(f"{picture.stem}_target.npy"),
            picture.with_name(f"{picture.stem}_recipe.json"),
        )


def recipe_from_config(config: dict, overrides: Sequence[str]) -> Recipe:
    """The edit that a configuration asks for, checked.

    Args:
        config: the keys of configs/refocus.yaml.
        overrides: the command line, `key=value` each; only these keys override a saved recipe.

    Raises:
        InputError: something is missing, impossible or contradictory.
    """
    config = dict(config)
    saved = config.pop("recipe")
    if saved is not None:
        given = {re.split(r"[.=@]", override.lstrip("+~"))[0] for override in overrides}
        config = load_recipe(Path(saved)) | {k: v for k, v in config.items() if k in given}
    unknown = set(config) - {f.name for f in fields(Recipe)}
    if unknown:
        raise InputError(
            f"configuration: unknown key {', '.join(sorted(unknown))}\n"
            "  configs/refocus.yaml lists them all."
        )
    recipe = Recipe(**{k: _home(v) if k in _FILES else v for k, v in config.items()})
    for check in (_check_files, _check_target, _check_numbers, _check_outputs):
        check(recipe)
    return recipe


def load_recipe(path: Path) -> dict:
    """A saved recipe's fields, file names resolved against the recipe's folder.

    Raises:
        InputError: missing, not JSON, or not a recipe.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file\n  Check the spelling; paths are relative to here.")
    try:
        edit = dict(json.loads(path.read_text(encoding="utf-8"))["edit"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"{path}: not a recipe ({type(error).__name__}: {error})\n"
            "  Give a <name>_recipe.json that refocus.py wrote beside a picture."
        ) from error
    for name in _FILES:
        if isinstance(edit.get(name), str):
            edit[name] = os.path.normpath(path.parent / edit[name])
    return edit


def recipe_to_json(recipe: Recipe, found: dict) -> dict:
    """The saved form; file names relative to the recipe, so that a folder can be moved.

    Args:
        recipe: the edit.
        found: facts for the reader; not used when it is run again.
    """
    folder = recipe.outputs[2].parent
    given = {n: v for n in _FILES if (v := getattr(recipe, n)) is not None}
    edit = asdict(replace(recipe, **{n: _relative(v, folder) for n, v in given.items()}))
    inputs = {n: v for n, v in given.items() if n in _INPUTS}
    return {
        "dfnet": __version__,
        "run_again": "python refocus.py recipe=THIS_FILE",
        "edit": edit,
        "sha256": {n: hashlib.sha256(Path(v).read_bytes()).hexdigest() for n, v in inputs.items()},
        "found": found,
    }


def _home(name: str | None) -> str | None:
    """Shells expand `~` only at the start of a word, not after `wide=`."""
    return str(Path(name).expanduser()) if str(name).startswith("~/") else name


def _relative(path: str, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive, on Windows
        return str(Path(path).resolve())


def _check_files(recipe: Recipe) -> None:
    for name in ("wide", "ultrawide", "output"):
        if not isinstance(getattr(recipe, name), str) or not getattr(recipe, name):
            raise InputError(
                f"{name}=…: missing\n"
                "  Needed are wide=PHOTO ultrawide=PHOTO output=PICTURE. Give nothing to see how."
            )
    if recipe.like is not None and not Path(recipe.like).is_file():
        raise InputError(
            f"{recipe.like}: no such file\n  like=… is a photo; paths are relative to here."
        )
    if Path(recipe.wide).resolve() == Path(recipe.ultrawide).resolve():
        raise InputError(
            f"{recipe.ultrawide}: given both as wide and as ultrawide photo\n"
            "  Two photos of one moment are needed, from the phone's two cameras."
        )


def _check_target(recipe: Recipe) -> None:
    needs = {"refocus": "focus_at", "aperture": "aperture_scale", "map": "path", "like": "like"}
    also = {"refocus": "aperture_scale"}
    if recipe.target not in TARGETS:
        raise InputError(f"target={recipe.target}: unknown\n  Choose one of {', '.join(TARGETS)}.")
    need = needs.get(recipe.target)
    if need and getattr(recipe, need) is None:
        raise InputError(f"{need}=…: missing\n  target={recipe.target} needs it.")
    for option in sorted({*needs.values()} - {need, also.get(recipe.target)}):
        if getattr(recipe, option) is not None:
            raise InputError(
                f"{option}={getattr(recipe, option)}: has no meaning with target={recipe.target}\n"
                "  Leave it out, or choose another target."
            )


def _check_numbers(recipe: Recipe) -> None:
    point = recipe.focus_at
    if point is not None and not (
        isinstance(point, list) and len(point) == 2 and all(map(_is_number, point))
    ):
        raise InputError(f"focus_at={point}: not a point\n  Write focus_at=[x,y], without spaces.")
    for name in ("aperture_scale", "map_px_per_level", "map_zero_level"):
        value = getattr(recipe, name)
        if value is not None and not _is_number(value):
            raise InputError(f"{name}={value}: not a number\n  Write it as {name}=1.5")
    if recipe.aperture_scale is not None:
        Aperture(recipe.aperture_scale)
    if recipe.bits not in (8, 16):
        raise InputError(f"bits={recipe.bits}: not possible\n  Choose 8 or 16.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_outputs(recipe: Recipe) -> None:
    picture, *_ = recipe.outputs
    check_writable(picture, recipe.bits)
    inputs = [Path(p).resolve() for n in _INPUTS if (p := getattr(recipe, n))]
    for output in recipe.outputs:
        if output.resolve() in inputs:
            raise InputError(
                f"{output}: would be overwritten, and is needed as input\n"
                "  Choose another name for output=…"
            )
