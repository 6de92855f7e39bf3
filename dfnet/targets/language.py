"""The steps as JSON, for recipes, and as `name=values`, for the command line."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from typing import NamedTuple

from dfnet.errors import InputError
from dfnet.targets.file_steps import Like, MapFile, Mask
from dfnet.targets.masks import EMBEDDED
from dfnet.targets.shape_steps import CatEye, Polygon
from dfnet.targets.steps import (
    AllInFocus,
    Aperture,
    DistanceRange,
    FocusAt,
    FocusDistance,
    FocusRange,
    Plane,
    Slab,
    SplitFocus,
    TiltShift,
)
from dfnet.targets.wish import Between, Step

KINDS: dict[str, type] = {
    "all_in_focus": AllInFocus,
    "focus_at": FocusAt,
    "focus_distance": FocusDistance,
    "focus_range": FocusRange,
    "distance_range": DistanceRange,
    "plane": Plane,
    "split_focus": SplitFocus,
    "tilt_shift": TiltShift,
    "slab": Slab,
    "aperture": Aperture,
    "polygon": Polygon,
    "cat_eye": CatEye,
    "mask": Mask,
    "map": MapFile,
    "like": Like,
    "between": Between,
}
_NAMES = {kind: name for name, kind in KINDS.items()}
_FILE_FIELDS = {Mask: "source", MapFile: "path", Like: "path"}


class Word(NamedTuple):
    """How a step is written on the command line: numbers, then a file if it needs one.

    Attributes:
        kind: the record.
        numbers: its fields, in order; those with a default may be left out at the end.
        file: the field that takes the rest, whatever commas it holds.
        fixed: what the word itself says.
    """

    kind: type
    numbers: tuple[str, ...] = ()
    file: str | None = None
    fixed: tuple[tuple[str, object], ...] = ()


WORDS: dict[str, Word] = {
    **{
        name: Word(kind, tuple(f.name for f in fields(kind)))
        for name, kind in KINDS.items()
        if kind not in (AllInFocus, Aperture, Mask, MapFile, Like, Between)
    },
    "aperture_scale": Word(Aperture, ("scale",)),
    "f_number": Word(Aperture, ("f_number",)),
    "sharpen": Word(Mask, ("feather_px",), "source", (("effect", "sharpen"),)),
    "blur": Word(Mask, ("blur_px", "feather_px"), "source", (("effect", "blur"),)),
    "protect": Word(Mask, ("feather_px",), "source", (("effect", "protect"),)),
    "map": Word(MapFile, (), "path"),
    "map_levels": Word(MapFile, ("px_per_level", "zero_level"), "path"),
    "like": Word(Like, (), "path"),
}


def steps_to_json(steps: Iterable[Step]) -> list[dict]:
    """The steps as lists, dictionaries, numbers and text, for `json.dumps`."""
    return [
        {"step": _NAMES[type(step)]}
        | {
            f.name: steps_to_json(v) if isinstance(v, tuple) else v
            for f in fields(step)
            if (v := getattr(step, f.name)) is not None
        }
        for step in steps
    ]


def steps_from_json(records: Sequence[dict]) -> tuple[Step, ...]:
    """What `steps_to_json` gave, exactly.

    Raises:
        InputError: not a list of steps, an unknown step or field, or an impossible value.
    """
    if not isinstance(records, list | tuple):
        raise InputError("steps: not a list\n  A recipe's steps are a list of records.")
    return tuple(_from_record(record) for record in records)


def _from_record(record: dict) -> Step:
    name = record.get("step") if isinstance(record, dict) else record
    if not isinstance(record, dict) or not isinstance(name, str) or name not in KINDS:
        raise InputError(f"step {name!r}: unknown\n  Known are {', '.join(KINDS)}.")
    kind = KINDS[name]
    values = {k: v for k, v in record.items() if k != "step"}
    known = {f.name for f in fields(kind)}
    if set(values) - known:
        raise InputError(
            f"step {name}: unknown {', '.join(sorted(set(values) - known))}\n"
            f"  It takes {', '.join(f.name for f in fields(kind)) or 'nothing'}."
        )
    if kind is Between:
        values |= {k: steps_from_json(values[k]) for k in ("start", "end") if k in values}
    try:
        return kind(**values)
    except TypeError as error:
        raise InputError(f"step {name}: {error}") from error


def step_from_text(word: str, value: str) -> Step:
    """One step of the command line, `word=value`.

    Args:
        word: a key of `WORDS`, or `all_in_focus`.
        value: numbers with commas between them, brackets around them or not; then a file's name.

    Raises:
        InputError: it cannot be read as that step.
    """
    if word == "all_in_focus":
        if value != "true":
            raise InputError(f"all_in_focus={value}: write all_in_focus=true, or leave it out")
        return AllInFocus()
    how = WORDS[word]
    given = dict(how.fixed)
    if how.file is None:
        parts = value.strip().removeprefix("[").removesuffix("]").split(",")
    else:
        *parts, given[how.file] = value.split(",", len(how.numbers))
    too_few = how.file is not None and (len(parts) < len(how.numbers) or not given[how.file])
    if too_few or len(parts) > len(how.numbers):
        raise InputError(_how_to_write(word, value))
    try:
        given |= {n: float(p) for n, p in zip(how.numbers, parts, strict=False)}
    except ValueError as error:
        raise InputError(_how_to_write(word, value)) from error
    try:
        return how.kind(**given)
    except TypeError as error:  # a field is missing
        raise InputError(_how_to_write(word, value)) from error


def _how_to_write(word: str, value: str) -> str:
    how = WORDS[word]
    defaults = {f.name for f in fields(how.kind) if f.default is None or f.default == 0.0}
    may = [n for n in how.numbers if n in defaults and not how.file and len(how.numbers) > 1]
    needed = [n.upper() for n in how.numbers if n not in may] + ["FILE"] * bool(how.file)
    optional = "".join(f"[,{n.upper()}]" for n in may)
    return f"{word}={value}: not understood\n  Write {word}={','.join(needed)}{optional}"


def files_of(steps: Iterable[Step]) -> list[str]:
    """The files that steps read, in order."""
    found: list[str] = []
    with_files(steps, lambda name: found.append(name) or name)
    return found


def with_files(steps: Iterable[Step], rename: Callable[[str], str]) -> tuple[Step, ...]:
    """The same steps with each file's name changed; what is painted has none."""
    return tuple(_with_file(step, rename) for step in steps)


def _with_file(step: Step, rename: Callable[[str], str]) -> Step:
    if isinstance(step, Between):
        ends = {k: with_files(getattr(step, k), rename) for k in ("start", "end")}
        return replace(step, **ends)
    field = _FILE_FIELDS.get(type(step))
    if field is None or getattr(step, field).startswith(EMBEDDED):
        return step
    return replace(step, **{field: rename(getattr(step, field))})
