"""What is compared, on exactly the same inputs: W as it is, the guide pasted, the network."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dfnet.evaluation.tasks import Question
from dfnet.inference import refocus
from dfnet.model import DFNet
from dfnet.sample import absent_guide

Method = Callable[[Question], Tensor]


def w_unchanged(question: Question) -> Tensor:
    """The wide photo itself."""
    return question.image_w


def uw_pasted(question: Question) -> Tensor:
    """The aligned, colour-matched guide, and W where the guide cannot see."""
    prepared = question.prepared
    return torch.where(prepared.occluded_w, question.image_w, prepared.uw_on_w)


def needs_guide(method: Method) -> bool:
    """Whether a method looks at the ultra-wide photo; one that does not says so itself."""
    method = getattr(method, "func", method)  # as configuration wraps a plain function
    return getattr(method, "needs_guide", method is not w_unchanged)


def needs_stack(method: Method) -> bool:
    """Whether a method looks at all slices of a focus stack; one that does says so itself."""
    return getattr(getattr(method, "func", method), "needs_stack", False)


CONTROLS: dict[str, Method] = {"W unchanged": w_unchanged, "UW pasted": uw_pasted}


def network(model: DFNet, device: str = "auto") -> Method:
    """The network as `refocus.py` runs it: its working scale, its tiles, W's high band."""

    def refocused(question: Question) -> Tensor:
        cameras = {"wide": question.camera}
        target = question.target_defocus_w_px
        return refocus(model, question.image_w, question.prepared, target, device, cameras)

    refocused.needs_guide = getattr(model, "use_guide", True)
    return refocused


@dataclass(frozen=True)
class WithoutGuide:
    """A method that is told that UW sees nothing of the scene, and given W in its place.

    Attributes:
        method: which.
    """

    method: Method

    needs_guide = False

    def __call__(self, question: Question) -> Tensor:
        """The answer, (3, H, W)."""
        uw_on_w, occluded_w = absent_guide(question.image_w)
        prepared = question.prepared._replace(uw_on_w=uw_on_w, occluded_w=occluded_w)
        return self.method(question._replace(prepared=prepared))
