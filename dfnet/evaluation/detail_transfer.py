"""Refocusing without training: what a change of focus does to UW is done to W.

W shows UW's content out of focus, so UW as wanted + (W - UW as W shows it) is W as wanted: colours
that differ smoothly between the cameras cancel. What the bracket holds that is finer than W's own
blur cannot be of the scene and is smoothed away. What remains is to lay UW where W has it, and to
keep W where the two do not show the same.
"""

import cv2
import numpy as np
import torch
from torch import Tensor

from dfnet.detail import bring_to_full_size
from dfnet.evaluation.question import Question
from dfnet.layers import blur_photo_in_layers
from dfnet.preprocess.flow import dense_flow
from dfnet.sample import Sample
from dfnet.working import at_full_size

WORKING_SIDE_PX = 1344
SHIFT_SIGMA_PX = 12.0  # at the working size; the leftover misalignment varies no faster
DETAIL_SIGMA_PX = 4.0  # what is finer is compared
WINDOW_SIGMA_PX = 8.0  # over such surroundings
REST_SIGMA = 0.4  # of the blur's diameter: finer differences than that are no light of W's
REST_LEVELS_PX = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
FLAT = 1e-5  # variance [sRGB²] below which nothing can be compared


@torch.no_grad()
def detail_transfer(question: Question) -> Tensor:
    """The photo plus the change that the wish makes to UW, (3, H, W) in [0, 1]."""
    target = question.target_defocus_w_px
    photo = question.image_w
    scale = min(1.0, WORKING_SIDE_PX / max(photo.shape[-2:]))
    working = at_full_size(photo, question.prepared, target, question.camera).reduced(scale)
    picture = transferred(working.whole())
    image = picture if scale == 1 else bring_to_full_size(photo[None], working, picture)
    return image[0].clamp(0, 1)


def transferred(sample: Sample) -> Tensor:
    """The working picture with the change, (1, 3, h, w)."""
    uw_as_w = blur_photo_in_layers(sample.uw_on_w, sample.defocus_w_px)
    uw_as_wanted = blur_photo_in_layers(sample.uw_on_w, sample.target_defocus_w_px)
    shift = leftover_shift(_gray(sample.image_w), _gray(uw_as_w))
    uw_as_w, uw_as_wanted = (_shifted(x, shift) for x in (uw_as_w, uw_as_wanted))
    alike = torch.from_numpy(likeness(_gray(sample.image_w), _gray(uw_as_w)))
    trust = (1 - sample.occluded_w) * alike
    rest = smoothed(sample.image_w - uw_as_w, REST_SIGMA * sample.defocus_w_px.abs())
    return torch.lerp(sample.image_w, uw_as_wanted + rest, trust)


def smoothed(image: Tensor, sigma_px: Tensor) -> Tensor:
    """Gaussian of varying deviation, interpolated between a few; (1, 3, h, w) by (1, 1, h, w)."""
    pixels = _pixels(image)
    position = np.interp(sigma_px[0, 0].numpy(), REST_LEVELS_PX, np.arange(len(REST_LEVELS_PX)))
    out = np.zeros_like(pixels)
    for k, sigma in enumerate(REST_LEVELS_PX):
        weight = np.maximum(1 - np.abs(position - k), 0).astype(np.float32)
        if weight.any():
            out += weight[..., None] * (_smooth(pixels, sigma) if sigma > 0 else pixels)
    return _tensor(out)


def leftover_shift(gray_w: np.ndarray, gray_uw: np.ndarray) -> np.ndarray:
    """Smooth flow (h, w, 2) [px] from W to the guide blurred alike, which ought to be zero.

    Blurred alike, the two can be compared even where W is far out of focus; the flow's error in
    flat areas is smoothed away.
    """
    flow = dense_flow(
        *(np.ascontiguousarray((g * 255).round(), np.uint8) for g in (gray_w, gray_uw))
    )
    return _smooth(flow, SHIFT_SIGMA_PX)


def likeness(gray_w: np.ndarray, gray_uw: np.ndarray) -> np.ndarray:
    """Local correlation of fine detail, (h, w) in [0, 1]; 0 where one of them has none."""
    fine_w, fine_uw = (g - _smooth(g, DETAIL_SIGMA_PX) for g in (gray_w, gray_uw))
    products = fine_w * fine_uw, fine_w**2, fine_uw**2
    together, alone_w, alone_uw = (_smooth(x, WINDOW_SIGMA_PX) for x in products)
    return (together / np.sqrt((alone_w + FLAT) * (alone_uw + FLAT))).clip(0, 1)


def _shifted(image: Tensor, flow: np.ndarray) -> Tensor:
    y, x = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    at = x + flow[..., 0], y + flow[..., 1]
    moved = cv2.remap(_pixels(image), *at, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return _tensor(moved)


def _pixels(image: Tensor) -> np.ndarray:
    return np.ascontiguousarray(image[0].permute(1, 2, 0).numpy())


def _tensor(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels).permute(2, 0, 1)[None]


def _gray(image: Tensor) -> np.ndarray:
    weights = torch.tensor([0.299, 0.587, 0.114])
    return (image[0].clamp(0, 1) * weights[:, None, None]).sum(dim=0).numpy()


def _smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(values, (0, 0), sigma)
