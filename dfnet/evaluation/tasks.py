"""The questions that an evaluation asks of every method, and their answers.

The target map comes from what a method is given, not from the truth: a refocused target is the
source's map plus a constant, the shallow target the device's blur per disparity plus a constant.
Only that constant is fitted to the true map, as a user would set a focus slider; errors of the
estimated maps stay in. With true preprocessing the target map is the true one.

A focus stack of photographs has answers too: its slices, and the merge of all slices, where the
import trusts it. Its slices share one disparity and one blur law, found when it was imported.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from dfnet.camera import Camera
from dfnet.capture import Capture
from dfnet.errors import InputError
from dfnet.preprocess import Preprocessed, preprocess_capture, true_preprocessing

MIN_CONFIDENCE = 0.5  # of an imported stack, from which a pixel counts
MIN_TRUSTED_SHARE = 0.05
TASKS = ("all_in_focus", "refocus", "shallow_depth_of_field", "identity")
PREPARATIONS = {"estimated": preprocess_capture, "truth": true_preprocessing}


class Question(NamedTuple):
    """A photo, what is known of it, and what it shall become.

    Attributes:
        task: one of `TASKS`.
        name: which slices, for people.
        image_w: (3, H, W) the photo, with its noise.
        prepared: alignment, occlusion, defocus.
        target_defocus_w_px: (1, H, W) signed diameter that is wanted [px].
        camera: what is known of W's.
        truth: (3, H, W) the answer; noise-free but for `identity`, whose answer is the photo.
        trusted: bool (1, H, W), where the answer counts; everywhere when None.
        scene: the capture folder's name.
        slices: loads all photos of the stack, (3, H, W) each, in order of focus; only the
            focus-stacking ceiling may look at them. None where there are none.
    """

    task: str
    name: str
    image_w: Tensor
    prepared: Preprocessed
    target_defocus_w_px: Tensor
    camera: Camera
    truth: Tensor
    trusted: Tensor | None = None
    scene: str = ""
    slices: Callable[[], list[Tensor]] | None = None


def why_not(capture: Capture, task: str, preprocessing: str = "estimated") -> str | None:
    """What this capture lacks for a task; None when nothing is missing."""
    if not capture.ultrawide and capture.stack_geometry is None:
        return "no ultra-wide photo"
    if not capture.has_geometry and preprocessing == "truth":
        return "no true geometry"
    if capture.truth is None and task in ("all_in_focus", "shallow_depth_of_field"):
        return "no true all-in-focus photo"
    if len(capture.wide) < 2 and task == "refocus":
        return "fewer than two slices"
    return None


def questions(
    capture: Capture, tasks: Sequence[str] = TASKS, preprocessing: str = "estimated"
) -> Iterator[Question]:
    """All questions that this capture can answer.

    Args:
        capture: a stack; what `why_not` names for a task leaves that task out.
        tasks: some of `TASKS`.
        preprocessing: `estimated` from the two photos, as users have it, or `truth`.

    Raises:
        InputError: a task or preprocessing of another name, or files that cannot be used.
    """
    refuse_unknown(tasks, preprocessing)
    stack = _Stack(capture, preprocessing)
    for task in tasks:
        if why_not(capture, task, preprocessing) is None:
            yield from _ASK[task](stack)


def refuse_unknown(tasks: Sequence[str], preprocessing: str) -> None:
    """Check names that a user types.

    Raises:
        InputError: one is not known.
    """
    for setting, names, known in (
        ("tasks", tasks, TASKS),
        ("preprocessing", [preprocessing], tuple(PREPARATIONS)),
    ):
        unknown = [name for name in names if name not in known]
        if unknown:
            raise InputError(
                f"{setting}: `{unknown[0]}` is not known\n  Choose from {', '.join(known)}."
            )


class _Stack:
    """A capture with its slices in order, each prepared once."""

    def __init__(self, capture: Capture, preprocessing: str):
        self.capture = capture
        self.preprocessing = preprocessing
        slices = range(len(capture.wide))
        distances = capture.focus_distance_m
        order = sorted(slices, key=lambda i: distances[i]) if distances else list(slices)
        self.order = order
        self.near, self.middle, self.far = order[0], order[len(order) // 2], order[-1]
        self.truth = capture.load_truth() if capture.truth else None
        self.trusted = self._trusted()
        self.prepared = functools.cache(lambda index: PREPARATIONS[preprocessing](capture, index))

    def _trusted(self) -> Tensor | None:
        if self.truth is None or self.truth.confidence is None:
            return None
        trusted = self.truth.confidence > MIN_CONFIDENCE
        if trusted.float().mean() < MIN_TRUSTED_SHARE:
            raise InputError(
                f"{self.capture.folder}: hardly any pixel of the merged picture can be trusted\n"
                "  See its quality sheet; the stack cannot serve as truth."
            )
        return trusted

    def defocus_w_px(self, index: int) -> Tensor:
        """The best map known of what a slice shows: from the truth, else estimated."""
        if not self.capture.has_geometry:
            return self.prepared(index).defocus_w_px
        return self.capture.true_defocus_w_px(index, self.truth.depth_w_m)

    def ask(self, task: str, source: int, name: str, target: Tensor, truth: Tensor) -> Question:
        """A question about one of the slices."""
        image_w = self.capture.load_wide(source)
        return self.question(task, name, image_w, self.prepared(source), target, truth)

    def sharp(self) -> tuple[Tensor, Preprocessed]:
        """The true all-in-focus photo, taken with W's noise, and its maps with no defocus."""
        if self.capture.stack_geometry is not None:  # all slices and the merge share it
            prepared = self.prepared(self.near)
            sharp = torch.zeros_like(prepared.defocus_w_px)
            return self.truth.all_in_focus, prepared._replace(defocus_w_px=sharp)
        index = len(self.capture.wide)  # one more slice, so that its maps are cached as their own
        guides = self.capture.ultrawide
        capture = replace(
            self.capture,
            wide=(*self.capture.wide, self.capture.truth["all_in_focus"]),
            ultrawide=guides if len(guides) == 1 else (*guides, guides[self.near]),
            focus_distance_m=None,
        )
        known = self.preprocessing == "truth"  # all slices share one geometry
        prepared = self.prepared(self.near) if known else preprocess_capture(capture, index)
        sharp = torch.zeros_like(prepared.defocus_w_px)
        return capture.load_wide(index), prepared._replace(defocus_w_px=sharp)

    def question(self, task, name, image_w, prepared, target, truth) -> Question:
        """A question with what all of them share."""
        camera = self.capture.cameras.get("wide", Camera())
        trusted = None if task == "identity" else self.trusted
        return Question(
            task,
            name,
            image_w,
            prepared,
            target,
            camera,
            truth,
            trusted,
            self.capture.folder.resolve().name,
            self.load_slices,
        )

    def load_slices(self) -> list[Tensor]:
        """All photos of the stack, in order of focus."""
        return [self.capture.load_wide(i) for i in self.order]


def _ask_all_in_focus(stack: _Stack) -> Iterator[Question]:
    for source in _distinct(stack.near, stack.middle, stack.far):
        target = torch.zeros_like(stack.prepared(source).defocus_w_px)
        name = f"slice {source} → all in focus"
        yield stack.ask("all_in_focus", source, name, target, stack.truth.all_in_focus)


def _ask_refocus(stack: _Stack) -> Iterator[Question]:
    pairs = [(stack.near, stack.far), (stack.far, stack.near), (stack.middle, stack.far)]
    for source, target in _distinct(*(pair for pair in pairs if pair[0] != pair[1])):
        wanted = stack.defocus_w_px(target)
        if stack.preprocessing == "estimated":
            wanted = shifted_to(wanted, stack.prepared(source).defocus_w_px)
        name = f"slice {source} → slice {target}"
        truth = stack.capture.load_clean_wide(target)
        yield stack.ask("refocus", source, name, wanted, truth)


def _ask_shallow(stack: _Stack) -> Iterator[Question]:
    blurs = {i: float(stack.defocus_w_px(i).abs().mean()) for i in range(len(stack.capture.wide))}
    blurriest = max(blurs, key=blurs.get)
    image_w, prepared = stack.sharp()
    target = stack.defocus_w_px(blurriest)
    if stack.preprocessing == "estimated":
        per_disparity = prepared.device_defocus_per_disparity
        target = shifted_to(target, -per_disparity * prepared.disparity_w_px)
    name = f"all in focus → slice {blurriest}"
    truth = stack.capture.load_clean_wide(blurriest)
    yield stack.question("shallow_depth_of_field", name, image_w, prepared, target, truth)


def _ask_identity(stack: _Stack) -> Iterator[Question]:
    for source in _distinct(stack.near, stack.far):
        same = stack.prepared(source).defocus_w_px
        photo = stack.capture.load_wide(source)
        yield stack.ask("identity", source, f"slice {source} → itself", same, photo)


_ASK = dict(zip(TASKS, (_ask_all_in_focus, _ask_refocus, _ask_shallow, _ask_identity), strict=True))


def shifted_to(wanted_px: Tensor, defocus_w_px: Tensor) -> Tensor:
    """The map plus the constant that brings it nearest to the wanted one (a focus shift)."""
    return defocus_w_px + (wanted_px - defocus_w_px).median()


def _distinct(*items):
    return list(dict.fromkeys(items))
