"""What refocus.py is asked, read from its configuration and checked before any work."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dfnet.errors import InputError
from dfnet.io.images import check_writable
from dfnet.io.video import VIDEO
from dfnet.recipe import Recipe, load_recipe, output_of, recipe_path
from dfnet.targets import WORDS, AllInFocus, Step, step_from_text

PULL = "pull"
TARGET = "target"  # what version 0.1 asked with
STEP_KEYS = (*WORDS, "all_in_focus", PULL, TARGET)
EXTRAS = {  # side outputs and how their names may end; the last is a picture of its own
    "target": ("target.npy",),
    "depth": ("depth_m.npy", "relative_inverse_depth.png"),
    "defocus": ("defocus.npy",),
    "confidence": ("confidence.png",),
    "mask": ("mask.png",),
    "all_in_focus": (),
}
_OWN = ("wide", "ultrawide", "weights", "device", "bits", "camera")
SWITCHES = ("cache", "location", "disclose")
KEYS = (*_OWN, "folder", "output", "steps", "also", "recipe", *SWITCHES)


@dataclass(frozen=True)
class Request:
    """One run of refocus.py.

    Attributes:
        recipe: the edit; of a folder, for each pair in it.
        output: the picture; of a folder, where `*` becomes the pair's name.
        folder: of pairs, or None.
        extras: side outputs, of `EXTRAS`.
        keep: whether prepared pairs are kept for the next time.
        location: whether pictures tell where the photo was taken.
        disclose: whether pictures say that they were edited.
        notes: for the user.
    """

    recipe: Recipe
    output: Path
    folder: Path | None = None
    extras: tuple[str, ...] = ()
    keep: bool = True
    location: bool = True
    disclose: bool = True
    notes: tuple[str, ...] = ()


def request_from_config(config: dict, overrides: Sequence[str]) -> Request:
    """What a configuration asks for, checked.

    Args:
        config: the keys of configs/refocus.yaml.
        overrides: the command line, `key=value` each; only these override a saved recipe.

    Raises:
        InputError: something is missing, impossible or contradictory.
    """
    unknown = set(config) - set(KEYS)
    if unknown:
        raise InputError(
            f"configuration: unknown key {', '.join(sorted(unknown))}\n"
            "  configs/refocus.yaml lists them all."
        )
    for name in SWITCHES:
        if not isinstance(config[name], bool):
            raise InputError(f"{name}={config[name]}: not understood\n  Write true or false.")
    config = {k: _home(v) for k, v in config.items()}
    recipe, notes = _recipe(config, overrides)
    folder = None if config["folder"] is None else Path(config["folder"])
    output = _output(config, recipe, folder)
    request = Request(
        recipe=replace(recipe, suffix=output.suffix),
        output=output,
        folder=folder,
        extras=_extras(config["also"]),
        keep=config["cache"],
        location=config["location"],
        disclose=config["disclose"],
        notes=notes,
    )
    for check in (_check_photos, _check_settings, _check_outputs):
        check(request)
    return request


def _recipe(config: dict, overrides: Sequence[str]) -> tuple[Recipe, tuple[str, ...]]:
    """The edit, from a saved one or from nothing, and notes on a saved one's files."""
    given = {re.split(r"[.=@]", override.lstrip("+~"))[0] for override in overrides}
    own = {name: config[name] for name in _OWN}
    notes: tuple[str, ...] = ()
    if config["recipe"] is None:
        recipe = Recipe(**own)
    else:
        recipe, changed = load_recipe(Path(config["recipe"]))
        if "wide" in given or config["folder"] is not None:
            given.add("ultrawide")  # other photos: none of the saved ones
        else:
            was = f"is not what it was when {config['recipe']} was written"
            notes = tuple(f"{name} {was}" for name in changed)
        recipe = replace(recipe, **{name: own[name] for name in _OWN if name in given})
    if config["steps"]:
        recipe = replace(recipe, **_wish(config["steps"]))
    return recipe, notes


def _wish(texts: Sequence[str]) -> dict:
    """Steps, and those of a focus pull's end, from `word=value` each."""
    parts: list[list[Step]] = [[]]
    frames = 0
    for text in texts:
        word, _, value = str(text).partition("=")
        if word == TARGET:
            raise InputError(
                f"target={value}: steps are now named directly\n"
                "  all_in_focus=true, focus_at=X,Y, aperture_scale=2, map=FILE, like=PHOTO, …"
            )
        if word == PULL:
            frames = _frames(value)
            parts.append([])
        elif word in STEP_KEYS:
            parts[-1].append(step_from_text(word, _home(value)))
        else:
            raise InputError(f"{word}: not a step\n  {', '.join(STEP_KEYS[:-1])} are.")
    if len(parts) > 2:
        raise InputError("pull: given twice\n  It stands between the first and the last frame.")
    steps, *end = (tuple(part) for part in parts)
    return {"steps": steps or (AllInFocus(),), "pull_to": end[0] if end else (), "frames": frames}


def _frames(value: str) -> int:
    if not (value.isdecimal() and 2 <= int(value) <= 10_000):
        raise InputError(f"pull={value}: not a number of frames\n  Write pull=48; at least 2.")
    return int(value)


def _extras(asked: str | Sequence[str] | None) -> tuple[str, ...]:
    names = asked.split(",") if isinstance(asked, str) else list(asked or ())
    for name in names:
        if name not in EXTRAS:
            raise InputError(f"also={name}: unknown\n  Choose of {', '.join(EXTRAS)}.")
    return tuple(dict.fromkeys(names))


def _home(name: object) -> object:
    """Shells expand `~` only at the start of a word, not after `wide=`."""
    return str(Path(name).expanduser()) if str(name).startswith("~/") else name


def _output(config: dict, recipe: Recipe, folder: Path | None) -> Path:
    """The picture's path; for a folder of pairs one with `*` in it."""
    if config["output"] is None and config["recipe"] is not None and folder is None:
        return output_of(Path(config["recipe"]), recipe.suffix)
    if not isinstance(config["output"], str) or not config["output"]:
        raise InputError(
            "output=…: missing\n"
            "  Needed are wide=PHOTO ultrawide=PHOTO output=PICTURE. Give nothing to see how."
        )
    output = Path(config["output"])
    if folder is not None and "*" not in str(output):
        return output / "*.jpg"
    return output


def _check_photos(request: Request) -> None:
    recipe = request.recipe
    if request.folder is not None:
        return
    if not isinstance(recipe.wide, str) or not recipe.wide:
        raise InputError(
            "wide=…: missing\n"
            "  Needed are wide=PHOTO ultrawide=PHOTO output=PICTURE. Give nothing to see how."
        )
    if recipe.ultrawide and Path(recipe.wide).resolve() == Path(recipe.ultrawide).resolve():
        raise InputError(
            f"{recipe.ultrawide}: given both as wide and as ultrawide photo\n"
            "  Two photos of one moment are needed, from the phone's two cameras."
        )


def _check_settings(request: Request) -> None:
    if request.recipe.bits not in (8, 16):
        raise InputError(f"bits={request.recipe.bits}: not possible\n  Choose 8 or 16.")
    is_pull, is_video = request.recipe.frames > 0, request.output.suffix.lower() in VIDEO
    in_frames = request.folder is None and "*" in request.output.name
    if (is_video and not is_pull) or (is_pull and not (is_video or in_frames)):
        raise InputError(
            f"{request.output}: a focus pull is a video, and only it is\n"
            f"  pull=FRAMES goes with output=NAME{VIDEO[0]}, or with output='NAME_*.png'"
        )


def _check_outputs(request: Request) -> None:
    if request.output.suffix.lower() not in VIDEO:
        some = request.output.with_name(request.output.name.replace("*", "x"))
        check_writable(some, request.recipe.bits)
    if request.folder is not None:
        return
    inputs = [Path(name).resolve() for name in request.recipe.inputs]
    picture = request.output
    endings = [ending for name in request.extras for ending in EXTRAS[name]]
    extras = [picture.with_name(f"{picture.stem}_{ending}") for ending in endings]
    for output in (picture, recipe_path(picture), *extras):
        if output.resolve() in inputs:
            raise InputError(
                f"{output}: would be overwritten, and is needed as input\n"
                "  Choose another name for output=…"
            )
