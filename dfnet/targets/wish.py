"""From a list of steps to a map, and from two lists to a focus pull between them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from dfnet.errors import InputError
from dfnet.iris import Iris
from dfnet.targets.records import Record
from dfnet.targets.scene import Draft, Scene, first_draft


class Step(Protocol):
    """One thing that is asked: a frozen record whose fields survive JSON."""

    def apply(self, draft: Draft, scene: Scene) -> Draft:
        """The next draft."""


class Target(NamedTuple):
    """What is wanted of a photo.

    Attributes:
        defocus_w_px: (1, H, W) signed circle-of-confusion diameter [px].
        notes: what was limited or is good to know, in words for the user.
        iris: the shape of the blur; None is a disc.
    """

    defocus_w_px: Tensor
    notes: tuple[str, ...]
    iris: Iris | None = None


def work_out(steps: Iterable[Step], scene: Scene) -> Target:
    """Apply the steps in their order, starting from the photo as it is.

    Raises:
        InputError: a step does not fit this photo.
    """
    draft = reduce(lambda d, step: step.apply(d, scene), steps, first_draft(scene))
    return Target(draft.target_defocus_w_px, draft.notes, draft.iris)


def make_target(steps: Iterable[Step], scene: Scene) -> Tensor:
    """The map alone, (1, H, W); see `work_out`."""
    return work_out(steps, scene).defocus_w_px


@dataclass(frozen=True)
class Between(Record):
    """Part of the way from one wish to another: a frame of a focus pull.

    Both maps are linear in the focused disparity and in the aperture, so what lies between them is
    the map of a lens between the two. Shapes of blur are not mixed: each has its half.

    Attributes:
        start: steps.
        end: steps.
        share: 0 is the start, 1 the end.
    """

    start: tuple
    end: tuple
    share: float

    def __post_init__(self):
        super().__post_init__()
        if not 0 <= self.share <= 1:
            raise InputError(f"between: share is {self.share}\n  It must lie between 0 and 1.")

    def apply(self, draft: Draft, scene: Scene) -> Draft:
        """Both wishes from the draft so far, mixed."""
        first, last = (
            reduce(lambda d, step: step.apply(d, scene), steps, draft)
            for steps in (self.start, self.end)
        )
        return Draft(
            torch.lerp(first.target_defocus_w_px, last.target_defocus_w_px, self.share),
            torch.lerp(first.lens_defocus_w_px, last.lens_defocus_w_px, self.share),
            first.aperture_scale + self.share * (last.aperture_scale - first.aperture_scale),
            tuple(dict.fromkeys((*first.notes, *last.notes))),
            first.iris if self.share < 0.5 else last.iris,
        )


def focus_pull(
    steps_a: Sequence[Step], steps_b: Sequence[Step], frames: int
) -> list[tuple[Between]]:
    """One list of steps for each frame, evenly from the first wish to the second.

    Args:
        steps_a: of the first frame.
        steps_b: of the last frame.
        frames: at least 2.
    """
    if frames < 2:
        raise InputError(f"focus pull: {frames} frames\n  At least 2 are needed.")
    return [(Between(tuple(steps_a), tuple(steps_b), k / (frames - 1)),) for k in range(frames)]
