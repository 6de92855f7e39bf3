"""What a method hands in is looked at before it is scored."""

import torch
from torch import Tensor

from dfnet.errors import InputError

LEVELS = (7, 15, 31, 63, 127, 255)  # steps between black and white of 3 to 8 bits
_ON_LEVEL = 0.02  # of a step
_LARGEST_EXCESS = 0.02
_SHARE_BEYOND = 0.01


def refuse_unusable(picture: Tensor, image_w: Tensor, who: str) -> None:
    """Refuse an output that has no score.

    Args:
        picture: a method's.
        image_w: (3, H, W) the photo.
        who: the method's name and what it answered.

    Raises:
        InputError: not a picture of W's size, or not all of it are numbers.
    """
    if picture.shape != image_w.shape:
        raise InputError(
            f"{who}: the output is {tuple(picture.shape)}, the photo {tuple(image_w.shape)}\n"
            "  Outputs are scored pixel by pixel at W's own size: (3, height, width)."
        )
    wrong = int((~torch.isfinite(picture)).sum())
    if wrong:
        raise InputError(
            f"{who}: {wrong} values of the output are not finite\n"
            "  NaN or infinity has no error to measure; mend the method."
        )


def doubts(picture: Tensor, image_w: Tensor) -> tuple[str, ...]:
    """What a reader of the score should know of the output, in words."""
    found = []
    mine, given = levels(picture), levels(image_w)
    if mine is not None and (given is None or mine < given):
        found.append(f"only {mine + 1} levels per channel")
    beyond = ((picture - picture.clamp(0, 1)).abs() > _LARGEST_EXCESS).float().mean()
    if float(beyond) > _SHARE_BEYOND:
        found.append(f"{100 * float(beyond):.0f} % of values beyond black or white")
    return tuple(found)


def levels(picture: Tensor) -> int | None:
    """Steps between black and white that all values lie on; None above those of 8 bits."""
    values = picture.detach().float().flatten()[:: max(1, picture.numel() // 200_000)]
    for steps in LEVELS:
        scaled = values * steps
        if float((scaled - scaled.round()).abs().max()) < _ON_LEVEL:
            return steps
    return None
