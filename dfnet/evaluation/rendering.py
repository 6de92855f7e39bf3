"""Methods in two steps: an all-in-focus picture first, then the wanted blur in layers."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from dfnet.blur import disc_blur
from dfnet.detail import bring_to_full_size
from dfnet.errors import InputError
from dfnet.evaluation.deconvolution import Restore, deconvolve
from dfnet.evaluation.methods import Method
from dfnet.evaluation.question import Question
from dfnet.importing.merge import merge
from dfnet.importing.sharpness import find_sharpest
from dfnet.layers import blur_photo_in_layers
from dfnet.model.change import change_weight
from dfnet.photo import linear_from_srgb, srgb_from_linear
from dfnet.resizing import resize
from dfnet.working import at_full_size

IN_FOCUS_PX, OUT_OF_FOCUS_PX = 1.0, 2.0  # below W is taken as it is, above never
WORKING_SIDE_PX = 1344  # of larger photos, only the change is brought to full size


@dataclass(frozen=True)
class ThenLayers:
    """An all-in-focus picture, blurred as wanted; W stays where it is in focus or nothing changes.

    Attributes:
        sharp: a method, which is asked for all in focus.
        needs_guide: whether `sharp` looks at the ultra-wide photo.
    """

    sharp: Method
    needs_guide: bool = True

    def __call__(self, question: Question) -> Tensor:
        """The answer, (3, H, W)."""
        return at_working_size(self._answer, question)

    def _answer(self, question: Question) -> Tensor:
        target = question.target_defocus_w_px
        coc_px = question.prepared.defocus_w_px.abs()
        blurred = ((coc_px - IN_FOCUS_PX) / (OUT_OF_FOCUS_PX - IN_FOCUS_PX)).clamp(0, 1)
        sharp = question.image_w
        if blurred.any():
            asked = question._replace(target_defocus_w_px=torch.zeros_like(target))
            sharp = torch.lerp(sharp, self.sharp(asked), blurred)
        rendered = _blurred(sharp, target)
        change = change_weight(question.prepared.defocus_w_px[None], target[None])[0]
        return torch.lerp(question.image_w, rendered, change).clamp(0, 1)


@dataclass(frozen=True)
class Deconvolved:
    """W without its defocus, by a textbook method that its map drives.

    Attributes:
        restore: see `dfnet.evaluation.deconvolution`.
    """

    restore: Restore

    def __call__(self, question: Question) -> Tensor:
        """All in focus, (3, H, W)."""
        light = linear_from_srgb(question.image_w)
        sharp = deconvolve(light, question.prepared.defocus_w_px.abs(), self.restore)
        return srgb_from_linear(sharp.clamp(0, 1))


def focus_stack(question: Question) -> Tensor:
    """A ceiling: all slices merged, each where it is sharpest, then blurred as wanted.

    Raises:
        InputError: the question comes without a stack.
    """
    if not question.target_defocus_w_px.any():
        return focus_stacked(question)  # whatever the map holds to be in focus already
    return ThenLayers(focus_stacked)(question)


focus_stack.needs_guide = False
focus_stack.needs_stack = True


def focus_stacked(question: Question) -> Tensor:
    """All slices of the stack merged: all in focus, (3, H, W).

    Raises:
        InputError: the question comes without a stack.
    """
    if question.slices is None:
        raise InputError(
            f"{question.scene}: focus_stack needs the slices of a focus stack\n"
            "  A pair of photos has none; leave the method out."
        )
    slices = [np.ascontiguousarray(x.permute(1, 2, 0).numpy()) for x in question.slices()]
    grays = [cv2.cvtColor(x, cv2.COLOR_RGB2GRAY) for x in slices]
    index = find_sharpest(grays).index if len(grays) > 1 else np.zeros_like(grays[0])
    merged = torch.from_numpy(merge(slices, index)).permute(2, 0, 1)
    return resize(merged[None], question.image_w.shape[-2:])[0]


def layers_alone(question: Question) -> Tensor:
    """W with the blur that it lacks, in layers; what it has too much of stays."""

    def answer(asked: Question) -> Tensor:
        sign = asked.target_defocus_w_px.sign()
        return _blurred(asked.image_w, sign * _missing_px(asked))

    return at_working_size(answer, question)


def constant_blur(question: Question) -> Tensor:
    """W with one disc everywhere: the median of the blur that it lacks."""
    light = linear_from_srgb(question.image_w)[None]
    light = disc_blur(light, float(_missing_px(question).median()))[0]
    return srgb_from_linear(light.clamp(0, 1))


def at_working_size(method: Method, question: Question) -> Tensor:
    """A method on a large photo: it sees the photo reduced, and its change is brought to full size.

    As the network and detail transfer do; W's finest detail goes where blur is added.
    """
    photo, prepared = question.image_w, question.prepared
    scale = min(1.0, WORKING_SIDE_PX / max(photo.shape[-2:]))
    if scale == 1:
        return method(question)
    target = question.target_defocus_w_px
    working = at_full_size(photo, prepared, target, question.camera).reduced(scale)
    prepared = prepared._replace(
        uw_on_w=working.uw_on_w[0],
        occluded_w=working.occluded_w[0] > 0.5,
        defocus_w_px=working.defocus_w_px[0],
    )
    picture = method(
        question._replace(
            image_w=working.image_w[0],
            prepared=prepared,
            target_defocus_w_px=working.target_defocus_w_px[0],
        )
    )
    return bring_to_full_size(photo[None], working, picture[None])[0].clamp(0, 1)


layers_alone.needs_guide = constant_blur.needs_guide = False


def _missing_px(question: Question) -> Tensor:
    """The diameter that brings the blur shown to the one that is wanted; 0 where it is more."""
    wanted, shown = question.target_defocus_w_px, question.prepared.defocus_w_px
    return (wanted.square() - shown.square()).clamp_min(0).sqrt()


def _blurred(image: Tensor, defocus_px: Tensor) -> Tensor:
    """An sRGB picture (3, H, W) with the defocus of a map (1, H, W)."""
    if float(defocus_px.abs().max()) <= IN_FOCUS_PX:
        return image
    return blur_photo_in_layers(image[None], defocus_px[None])[0]
