"""What can be evaluated below a folder: focus stacks, published pairs, dual-pixel photos."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from dfnet.capture import METADATA, PARTIAL, load_capture
from dfnet.errors import InputError
from dfnet.evaluation.asking import Asking
from dfnet.evaluation.dual_pixel import dual_pixel_names, dual_pixel_question
from dfnet.evaluation.pairs import is_pair, pair_questions
from dfnet.evaluation.question import Question
from dfnet.evaluation.tasks import questions, why_not

STACK, PAIR, DUAL_PIXEL = "stack", "pair", "dual_pixel"


class Scene(NamedTuple):
    """A folder that is evaluated.

    Attributes:
        name: its path below the root.
        folder: with a `capture.json`, or with the pictures of a pair or of dual-pixel photos.
        kind: `STACK`, `PAIR` or `DUAL_PIXEL`.
    """

    name: str
    folder: Path
    kind: str


def find_scenes(root: Path | str) -> list[Scene]:
    """All captures and pairs at or below a folder, sorted.

    Raises:
        InputError: there is none.
    """
    root = Path(root)
    found = {p.parent for p in root.rglob(METADATA) if not _is_partial(p.relative_to(root))}
    pairs = {p.parent for p in root.rglob("target.*") if is_pair(p.parent)} - found
    scenes = [Scene(_name(p, root), p, PAIR if p in pairs else STACK) for p in found | pairs]
    for folder in {p.parent for p in root.rglob("*_left.png")}:
        names = dual_pixel_names(folder)
        scenes += [Scene(f"{_name(folder, root)}/{n}", folder, DUAL_PIXEL) for n in names]
    if not scenes:
        raise InputError(
            f"{root}: no folder with a {METADATA}, or with wide, ultrawide and target, in it\n"
            "  Give a folder of captures (data/README.md), or render some with\n"
            "  python scripts/render_stacks.py"
        )
    return sorted(scenes)


def some_of(scenes: Sequence[Scene], wanted: int | str) -> list[Scene]:
    """So many of the scenes, spread evenly over their order.

    Args:
        scenes: in order.
        wanted: how many, or `all`.

    Raises:
        InputError: not a number.
    """
    if wanted == "all":
        return list(scenes)
    if not isinstance(wanted, int) or wanted < 1:
        raise InputError(f"scenes: `{wanted}` is not a number\n  Give one from 1, or all.")
    count = min(wanted, len(scenes))
    return [scenes[(2 * i + 1) * len(scenes) // (2 * count)] for i in range(count)]


def scene_questions(
    scene: Scene, asking: Asking, pair_tasks: Mapping[str, str]
) -> Iterator[Question]:
    """All questions that a scene can answer.

    Args:
        scene: a stack or a pair.
        asking: what is asked.
        pair_tasks: what a pair's target shows, by its folder's name.

    Raises:
        InputError: its files cannot be used.
    """
    if scene.kind == STACK:
        yield from questions(load_capture(scene.folder), asking)
    elif scene.kind == DUAL_PIXEL:
        yield dual_pixel_question(scene.folder, Path(scene.name).name)
    else:
        asked = pair_questions(scene.folder, pair_tasks)
        yield from (question for question in asked if question.task in asking.tasks)


def missing_for(scene: Scene, asking: Asking) -> dict[str, str]:
    """Why tasks cannot be asked, by task.

    Raises:
        InputError: the capture cannot be read.
    """
    if scene.kind == PAIR:
        return {}
    if scene.kind == DUAL_PIXEL:
        others = [task for task in asking.tasks if task != "all_in_focus"]
        return dict.fromkeys(others, "a dual-pixel photo has no such truth")
    capture = load_capture(scene.folder)
    reasons = {task: why_not(capture, task, asking.preprocessing) for task in asking.tasks}
    return {task: reason for task, reason in reasons.items() if reason}


def has_guide(scene: Scene) -> bool:
    """Whether there is an ultra-wide photo."""
    if scene.kind != STACK:
        return scene.kind == PAIR
    return bool(load_capture(scene.folder).ultrawide)


def _name(folder: Path, root: Path) -> str:
    name = folder.relative_to(root).as_posix()
    return folder.resolve().name if name in ("", ".") else name


def _is_partial(path: Path) -> bool:
    return any(part.startswith(PARTIAL) for part in path.parts)
