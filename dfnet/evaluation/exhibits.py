"""Pictures that the report shows: of the first question of each task, kept with the results."""

from collections.abc import Mapping

import torch
from torch import Tensor

from dfnet.evaluation.bands import bands
from dfnet.evaluation.question import Question
from dfnet.evaluation.score import Scored
from dfnet.evaluation.store import Entry

QUESTION_PICTURES = ("w", "truth", "guide", "masks", "defocus", "target")
ERROR_GAIN = 4.0  # of error maps
_BLUE_TO_RED_PX = 0.012  # of the longer side: defocus shown in full colour
_MASK_COLOURS = {"occluded": (0.85, 0.1, 0.1), "depth_edge": (0.1, 0.4, 0.9)}


def save_question(entry: Entry, question: Question) -> None:
    """W, the truth, the guide, masks, and both defocus maps."""
    side_px = max(question.image_w.shape[-2:])
    pictures = {
        "w": question.image_w,
        "truth": question.truth,
        "guide": question.prepared.uw_on_w,
        "masks": mask_picture(question),
        "defocus": defocus_picture(question.prepared.defocus_w_px, _BLUE_TO_RED_PX * side_px),
        "target": defocus_picture(question.target_defocus_w_px, _BLUE_TO_RED_PX * side_px),
    }
    for name, picture in pictures.items():
        entry.save_picture(f"{question.task}_{name}", picture)


def save_answer(entry: Entry, question: Question, picture: Tensor, scored: Scored) -> None:
    """A method's picture and its error."""
    entry.save_picture(f"{question.task}_picture", picture)
    entry.save_picture(f"{question.task}_error", (ERROR_GAIN * scored.error).clamp(0, 1))


def comparison(question: Question, pictures: Mapping[str, Tensor]) -> Tensor:
    """W and the truth, then each picture and its error, side by side, (3, H, n W) in [0, 1]."""
    shown = [question.image_w, question.truth]
    for picture in pictures.values():
        error = (picture.cpu() - question.truth).abs().mean(dim=0, keepdim=True)
        shown += [picture.cpu(), ERROR_GAIN * error.expand(3, -1, -1)]
    return torch.cat(shown, dim=-1).clamp(0, 1)


def defocus_picture(defocus_px: Tensor, full_px: float) -> Tensor:
    """Blue nearer than focus, white sharp, red beyond, (3, H, W).

    Args:
        defocus_px: (1, H, W) signed diameter.
        full_px: the diameter of full colour.
    """
    share = (defocus_px / full_px).nan_to_num().clamp(-1, 1)
    fade = 1 - share.abs()
    return torch.cat([torch.where(share < 0, fade, 1.0), fade, torch.where(share > 0, fade, 1.0)])


def mask_picture(question: Question) -> Tensor:
    """W in gray, darker where more blurred; red hidden from UW, blue near depth edges."""
    gray = 0.3 + 0.5 * question.image_w.mean(dim=0, keepdim=True)
    if question.maps is None:
        return gray.expand(3, -1, -1)
    masks = bands(question.maps)
    shade = 1 - 0.3 * masks["lightly_defocused"].float() - 0.55 * masks["heavily_defocused"].float()
    shown = (gray * shade).expand(3, -1, -1)
    for name, colour in _MASK_COLOURS.items():
        tinted = 0.45 * shown + 0.55 * torch.tensor(colour).view(3, 1, 1)
        shown = torch.where(masks[name], tinted, shown)
    return shown
