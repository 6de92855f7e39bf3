"""Pairs of photos with everything known that preprocessing has to find."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from kornia.filters import gaussian_blur2d
from torch import Tensor

from dfnet.camera import Camera
from dfnet.capture import Capture, find_captures, load_capture
from dfnet.optics import BlurLaw
from dfnet.preprocess import true_preprocessing
from dfnet.warp import inside_frame

PHONE_DEPTH_REDUCE = 5  # of 4032 px to 768
PHONE_DEPTH_SIGMA_PX = 1.5
PHONE_DEPTH_BEND = 0.03  # of the range, slowly over the picture
BORDER_PX = 8  # left out on each side: no method sees what lies beyond


class Truth(NamedTuple):
    """What is known of a pair, on W's grid.

    Attributes:
        flow_w_to_uw: (2, H, W) [px].
        disparity_w_px: (1, H, W), larger is nearer.
        hidden_w: bool (1, H, W), behind something as seen from UW.
        counted_w: bool (1, H, W), known, in UW's frame and not at the border.
        defocus_w_px: (1, H, W) signed circle-of-confusion diameter.
        law: behind `defocus_w_px`, in the frame of `disparity_w_px`.
        w_px_per_uw_px: turns errors of the flow into W's pixels.
    """

    flow_w_to_uw: Tensor
    disparity_w_px: Tensor
    hidden_w: Tensor
    counted_w: Tensor
    defocus_w_px: Tensor
    law: BlurLaw
    w_px_per_uw_px: float


class Case(NamedTuple):
    """One pair, what may be told of its cameras, and the truth.

    Attributes:
        name: for people.
        image_w: (3, H, W) sRGB in [0, 1].
        image_uw: (3, H', W').
        cameras: empty where everything is to be found in the pictures.
        focus_distance_m: of W, or None.
        truth: of the pair.
        phone_depth: (1, h, w) such as a phone stores it, simulated; None where there is none.
    """

    name: str
    image_w: Tensor
    image_uw: Tensor
    cameras: dict[str, Camera]
    focus_distance_m: float | None
    truth: Truth
    phone_depth: Tensor | None = None


@dataclass(frozen=True)
class RenderedSet:
    """Focus stacks with a renderer's truth.

    Attributes:
        root: capture folders lie at or below it.
        scenes: how many of them, the first by name; None for all.
        slices: of each scene, evenly from first to last; None for all.
        metadata: whether the cameras and focus distances are told.
    """

    root: str
    scenes: int | None = None
    slices: int | None = None
    metadata: bool = False

    def __iter__(self) -> Iterator[Case]:
        """The cases, in order."""
        for folder in find_captures(self.root)[: self.scenes]:
            capture = load_capture(folder)
            count = len(capture.wide)
            wanted = np.linspace(0, count - 1, min(self.slices or count, count)).round()
            for index in wanted.astype(int):
                yield rendered_case(capture, int(index), self.metadata)


def rendered_case(capture: Capture, index: int, metadata: bool) -> Case:
    """One slice of a rendered stack.

    Raises:
        InputError: the capture is no complete render.
    """
    known, hidden = true_preprocessing(capture, index), capture.load_truth().occluded_w
    image_uw = capture.load_ultrawide(index)
    inside = inside_frame(known.flow_w_to_uw[None], image_uw.shape[-2:])[0]
    wide, ultrawide = capture.cameras["wide"], capture.cameras["ultrawide"]
    truth = Truth(
        known.flow_w_to_uw,
        known.disparity_w_px,
        hidden & inside,
        inside & away_from_border(inside),
        known.defocus_w_px,
        known.blur_law,
        wide.focal_length_px / ultrawide.focal_length_px,
    )
    return Case(
        f"{capture.folder.name} {index}",
        capture.load_wide(index),
        image_uw,
        capture.cameras if metadata else {},
        capture.focus_distance_m[index] if metadata else None,
        truth,
        as_phone_depth(known.disparity_w_px),
    )


def as_phone_depth(disparity_px: Tensor) -> Tensor:
    """What a phone might store of a true disparity: small, smooth, bent, 8 bits, without a unit.

    Args:
        disparity_px: (1, H, W), larger is nearer.

    Returns:
        (1, H / 5, W / 5) in [0, 1], larger is nearer.
    """
    size = [round(side / PHONE_DEPTH_REDUCE) for side in disparity_px.shape[-2:]]
    small = F.interpolate(disparity_px[None], size, mode="area")
    small = gaussian_blur2d(small, 7, (PHONE_DEPTH_SIGMA_PX,) * 2)[0]
    small = (small - small.min()) / (small.max() - small.min()).clamp_min(1e-6)
    y, x = (torch.linspace(0, torch.pi, side) for side in size)
    bent = small + PHONE_DEPTH_BEND * torch.sin(y)[:, None] * torch.cos(x)
    return (bent.clamp(0, 1) * 255).round() / 255


def away_from_border(like: Tensor) -> Tensor:
    """Bool (1, H, W), false within `BORDER_PX` of the frame."""
    height, width = like.shape[-2:]
    inner = torch.ones(1, height - 2 * BORDER_PX, width - 2 * BORDER_PX, dtype=torch.bool)
    return F.pad(inner, (BORDER_PX,) * 4)
