"""The questions that an evaluation asks of every method, and their answers.

The target map comes from what a method is given, not from the truth: a refocused target is the
source's map plus a constant, the shallow target the device's blur per disparity plus a constant.
Only that constant is fitted to the true map, as a user would set a focus slider; errors of the
estimated maps stay in. With true preprocessing the target map is the true one.

A focus stack of photographs has answers too: its slices, and the merge of all slices, where the
import trusts it. Its slices share one disparity and one blur law, found when it was imported.

Refocusing is asked between pairs of slices: some drawn by seed, all of them, or the `extremes` that
the first release was scored on (nearest to farthest, back, and middle to farthest).
"""

import itertools
import random
from collections.abc import Iterator

import torch
from torch import Tensor

from dfnet.capture import Capture
from dfnet.evaluation.asking import CONTROL, Asking
from dfnet.evaluation.question import Question
from dfnet.evaluation.stack import Stack

NEED_TRUTH = ("all_in_focus", "shallow_depth_of_field", CONTROL)


def why_not(capture: Capture, task: str, preprocessing: str = "estimated") -> str | None:
    """What this capture lacks for a task; None when nothing is missing."""
    if not capture.ultrawide and capture.stack_geometry is None:
        return "no ultra-wide photo"
    if not capture.has_geometry and preprocessing == "truth":
        return "no true geometry"
    if capture.truth is None and task in NEED_TRUTH:
        return "no true all-in-focus photo"
    if len(capture.wide) < 2 and task == "refocus":
        return "fewer than two slices"
    return None


def questions(capture: Capture, asking: Asking | None = None) -> Iterator[Question]:
    """All questions that this capture can answer.

    Args:
        capture: a stack; what `why_not` names for a task leaves that task out.
        asking: all tasks, by default.

    Raises:
        InputError: files cannot be used.
    """
    asking = asking or Asking()
    stack = Stack(capture, asking)
    for task in asking.tasks:
        if task in _ASK and why_not(capture, task, asking.preprocessing) is None:
            yield from _ASK[task](stack)


def _ask_all_in_focus(stack: Stack) -> Iterator[Question]:
    for source in _distinct(stack.near, stack.middle, stack.far):
        target = torch.zeros_like(stack.prepared(source).defocus_w_px)
        name = f"slice {source} → all in focus"
        yield stack.ask("all_in_focus", source, name, target, stack.truth.all_in_focus)


def _ask_refocus(stack: Stack) -> Iterator[Question]:
    for source, target in _pairs_of_slices(stack):
        wanted = stack.defocus_w_px(target)
        if stack.preprocessing == "estimated":
            wanted = shifted_to(wanted, stack.prepared(source).defocus_w_px)
        name = f"slice {source} → slice {target}"
        truth = stack.capture.load_clean_wide(target)
        yield stack.ask("refocus", source, name, wanted, truth)


def _pairs_of_slices(stack: Stack) -> list[tuple[int, int]]:
    asked = stack.asking.refocus_pairs
    if asked == "extremes":
        pairs = [(stack.near, stack.far), (stack.far, stack.near), (stack.middle, stack.far)]
        return _distinct(*(pair for pair in pairs if pair[0] != pair[1]))
    pairs = list(itertools.permutations(stack.order, 2))
    if asked == "all" or asked >= len(pairs):
        return pairs
    drawing = random.Random(f"{stack.asking.seed} {stack.capture.scene}")
    return sorted(drawing.sample(pairs, asked), key=pairs.index)


def _ask_shallow(stack: Stack) -> Iterator[Question]:
    blurs = {i: float(stack.defocus_w_px(i).abs().mean()) for i in range(len(stack.capture.wide))}
    blurriest = max(blurs, key=blurs.get)
    image_w, prepared = stack.sharp()
    target = stack.defocus_w_px(blurriest)
    if stack.preprocessing == "estimated":
        per_disparity = prepared.device_defocus_per_disparity
        target = shifted_to(target, -per_disparity * prepared.disparity_w_px)
    name = f"all in focus → slice {blurriest}"
    truth = stack.capture.load_clean_wide(blurriest)
    maps = stack.maps(stack.defocus_w_px(blurriest).abs(), prepared)
    question = stack.question("shallow_depth_of_field", name, image_w, prepared, target, truth)
    yield question._replace(maps=maps)


def _ask_identity(stack: Stack) -> Iterator[Question]:
    for source in _distinct(stack.near, stack.far):
        same = stack.prepared(source).defocus_w_px
        photo = stack.capture.load_wide(source)
        yield stack.ask("identity", source, f"slice {source} → itself", same, photo)


_ASK = {
    "all_in_focus": _ask_all_in_focus,
    "refocus": _ask_refocus,
    "shallow_depth_of_field": _ask_shallow,
    "identity": _ask_identity,
}


def shifted_to(wanted_px: Tensor, defocus_w_px: Tensor) -> Tensor:
    """The map plus the constant that brings it nearest to the wanted one (a focus shift)."""
    return defocus_w_px + (wanted_px - defocus_w_px).median()


def _distinct(*items):
    return list(dict.fromkeys(items))
