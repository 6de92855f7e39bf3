"""How any photo of the scene is focused: its blur law, read off it on W's disparity."""

import cv2
import numpy as np
import torch
from torch import Tensor

from dfnet.errors import InputError
from dfnet.importing.register import at_scale, link
from dfnet.preprocess.align import gray_8_bit, shrink
from dfnet.preprocess.blur_patches import measure_patches
from dfnet.preprocess.blur_posterior import PHONES, SlopePrior
from dfnet.preprocess.calibrate import BlurFit, fit_blur_law
from dfnet.preprocess.colour import apply_curves, histogram_curves
from dfnet.preprocess.result import Preprocessed

LAW_SIDE_PX = 512  # longer side of the grid that laws are read on
LINK_SIDE_PX = 1024
SAME_LENS = 0.1  # log spread of the slope of W's own lens at another focus
SAME_SHAPE = 0.02  # part by which two photos' proportions may differ
LIKELY_VALID = 0.99


def law_of_photo(photo: Tensor, preprocessed: Preprocessed) -> BlurFit:
    """The blur law of another photo by W: another slice, a truth, a later attempt.

    Focusing changes a lens's magnification and the hand moves: the photo is laid onto W first.

    Args:
        photo: (3, H', W') of any size, of what W shows.
        preprocessed: of the pair; its slope says what W's lens does.

    Returns:
        The law in full W px, in the frame of `disparity_w_px`.

    Raises:
        InputError: the photo does not show the scene, or shows too little of it.
    """
    registered = _on_w(photo, preprocessed)
    prior = SlopePrior(preprocessed.device_defocus_per_disparity, SAME_LENS)
    return law_of_registered(registered, preprocessed, prior)


def law_of_registered(
    photo_on_w: Tensor, preprocessed: Preprocessed, prior: SlopePrior = PHONES
) -> BlurFit:
    """The blur law of a photo that lies on W already, W itself for one.

    Args:
        photo_on_w: (3, H, W); pixels below zero are not known.
        preprocessed: of the pair.
        prior: of the slope.

    Raises:
        InputError: too little texture is seen by both.
    """
    scale = min(1.0, LAW_SIDE_PX / max(photo_on_w.shape[-2:]))
    small, guide, disparity, valid = (
        shrink(_pixels(x), scale)
        for x in (
            photo_on_w,
            preprocessed.uw_on_w,
            preprocessed.disparity_w_px,
            preprocessed.valid_w.float(),
        )
    )
    valid = (valid > LIKELY_VALID) & (small.min(axis=2) >= 0)
    small = small.clip(0, 1)
    small = apply_curves(small, histogram_curves(small, guide, valid)) if valid.any() else small
    fit = fit_blur_law(measure_patches(small, guide, disparity * scale, valid), prior)
    if fit is None:
        raise InputError(
            "the photo's blur cannot be read\n"
            "  Too little texture is seen by it and by the ultra-wide photo."
        )
    return fit.scaled(1 / scale)


def _on_w(photo: Tensor, preprocessed: Preprocessed) -> Tensor:
    """The photo on W's grid, -1 beyond its frame."""
    guide, image = _pixels(preprocessed.uw_on_w), _pixels(photo)
    height, width = guide.shape[:2]
    shape = image.shape[1] * height / (image.shape[0] * width)
    if abs(shape - 1) > SAME_SHAPE:
        raise InputError(
            f"the photo is {image.shape[1]}x{image.shape[0]}, the wide photo {width}x{height}\n"
            "  A photo to be followed must show the same frame, at any size."
        )
    if image.shape != guide.shape:
        way = cv2.INTER_AREA if image.shape[1] > width else cv2.INTER_CUBIC
        image = cv2.resize(image, (width, height), interpolation=way)
    scale = min(1.0, LINK_SIDE_PX / max(height, width))
    found = link(0, 1, *(gray_8_bit(shrink(x, scale)) for x in (guide, image)))
    if found is None:
        raise InputError(
            "the photo does not show what the wide photo shows\n"
            "  Give one of the same scene from the same place, focused otherwise."
        )
    on_w, inside = (
        cv2.warpPerspective(
            x,
            at_scale(found.homography, scale),
            (width, height),
            flags=cv2.WARP_INVERSE_MAP | way,
        )
        for x, way in ((image, cv2.INTER_CUBIC), (np.ones_like(image[..., 0]), cv2.INTER_NEAREST))
    )
    on_w = np.where(inside[..., None] > 0, on_w.clip(0, 1), np.float32(-1))
    return torch.from_numpy(np.ascontiguousarray(on_w.transpose(2, 0, 1)))


def _pixels(x: Tensor) -> np.ndarray:
    """(H, W, 3), or (H, W) of one channel."""
    return np.ascontiguousarray(x.permute(1, 2, 0).squeeze(2).numpy(), dtype=np.float32)
