"""What a sample asks for: another focus, everything sharp, a shallow picture, another aperture."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from dfnet.errors import InputError
from dfnet.evaluation.tasks import shifted_to
from dfnet.training.stacks import Guidance, TrainingStack

_SAME_SLICE_SHARE = 0.5  # of aperture samples whose source has the target's focus already


@dataclass(frozen=True)
class KindWeights:
    """How often each kind of target is drawn, relative to the others.

    A stack that lacks what a kind needs draws the remaining kinds in their proportions.

    Attributes:
        refocus: a slice becomes another slice or stays as it is (the proxy task of DC²).
        all_in_focus: a slice becomes the all-in-focus picture.
        shallow: the all-in-focus picture becomes a slice.
        aperture: a slice or the all-in-focus picture becomes a picture at another aperture.
    """

    refocus: float = 0.45
    all_in_focus: float = 0.45
    shallow: float = 0.1
    aperture: float = 0.18


class Choice(NamedTuple):
    """A question to the network, on the whole frame.

    Attributes:
        source: (3, H, W) stored picture that W takes.
        target: (3, H, W) stored picture that it shall become.
        ultrawide: (3, H', W') stored picture that UW takes.
        guidance: what is known of the source.
        target_defocus_w_px: (1, H, W) what is asked for.
        weight: (1, H, W) trust in the target, 0 to 1; None is 1 everywhere.
        is_identity: whether the source itself, with its noise, is the answer.
    """

    source: Tensor
    target: Tensor
    ultrawide: Tensor
    guidance: Guidance
    target_defocus_w_px: Tensor
    weight: Tensor | None = None
    is_identity: bool = False


def choose(
    stack: TrainingStack,
    guidance: list[Guidance],
    weights: KindWeights,
    generator: torch.Generator,
) -> Choice:
    """Draw a kind, and slices for it.

    Args:
        stack: the pictures.
        guidance: of each slice, estimated or true.
        weights: of the kinds.
        generator: of the draw.

    Raises:
        InputError: the stack serves no kind that has a weight.
    """
    return _CHOOSE[draw_kind(stack, weights, generator)](stack, guidance, generator)


def draw_kind(stack: TrainingStack, weights: KindWeights, generator: torch.Generator) -> str:
    """The name of one of the `KindWeights` that this stack can serve."""
    needs = {
        "refocus": True,
        "all_in_focus": stack.all_in_focus is not None,
        "shallow": stack.all_in_focus is not None,
        "aperture": bool(stack.apertures),
    }
    possible = {kind: getattr(weights, kind) for kind, has in needs.items() if has}
    total = sum(possible.values())
    if total <= 0:
        raise InputError(
            f"data.settings.weights: a stack serves only {', '.join(possible)}, whose weight is 0\n"
            "  Give one of them a weight, or leave stacks without truth out."
        )
    place = total * float(torch.rand((), generator=generator))
    for kind, weight in possible.items():
        if place < weight:
            return kind
        place -= weight
    return max(possible, key=possible.get)  # rounding left a little over


def _refocus(stack: TrainingStack, guidance: list[Guidance], generator) -> Choice:
    source, target = _slice(stack, generator), _slice(stack, generator)
    return Choice(
        stack.wide[source],
        stack.wide[target],
        stack.ultrawide[source],
        guidance[source],
        _refocused_map(stack, guidance, source, target),
        is_identity=source == target,
    )


def _all_in_focus(stack: TrainingStack, guidance: list[Guidance], generator) -> Choice:
    source = _slice(stack, generator)
    return Choice(
        stack.wide[source],
        stack.all_in_focus,
        stack.ultrawide[source],
        guidance[source],
        torch.zeros_like(guidance[source].defocus_w_px),
        stack.confidence,
    )


def _shallow(stack: TrainingStack, guidance: list[Guidance], generator) -> Choice:
    target = _slice(stack, generator)
    return _from_sharp(stack, guidance, target, stack.wide[target], scale=1.0)


def _aperture(stack: TrainingStack, guidance: list[Guidance], generator) -> Choice:
    picture = stack.apertures[int(torch.randint(len(stack.apertures), (), generator=generator))]
    source = picture.slice
    if float(torch.rand((), generator=generator)) >= _SAME_SLICE_SHARE:
        sources = len(stack.wide) + (stack.all_in_focus is not None)
        source = int(torch.randint(sources, (), generator=generator))
    if source == len(stack.wide):
        return _from_sharp(stack, guidance, picture.slice, picture.image, picture.scale)
    return Choice(
        stack.wide[source],
        picture.image,
        stack.ultrawide[source],
        guidance[source],
        picture.scale * _refocused_map(stack, guidance, source, picture.slice),
    )


def _from_sharp(stack, guidance, index: int, target: Tensor, scale: float) -> Choice:
    """The all-in-focus picture becomes one that is focused as slice `index`."""
    wanted = guidance[index].defocus_w_px
    sharp = guidance[index]._replace(defocus_w_px=torch.zeros_like(wanted))
    return Choice(stack.all_in_focus, target, stack.ultrawide[index], sharp, scale * wanted)


def _refocused_map(stack, guidance, source: int, target: int) -> Tensor:
    """As a user would ask: the source map moved by a constant, its errors included."""
    if source == target:
        return guidance[source].defocus_w_px
    return shifted_to(stack.defocus_w_px[target], guidance[source].defocus_w_px)


def _slice(stack: TrainingStack, generator: torch.Generator) -> int:
    return int(torch.randint(len(stack.wide), (), generator=generator))


_CHOOSE = {
    "refocus": _refocus,
    "all_in_focus": _all_in_focus,
    "shallow": _shallow,
    "aperture": _aperture,
}
