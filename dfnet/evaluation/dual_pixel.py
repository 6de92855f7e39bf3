"""Dual-pixel photos as questions: their blur and a sharp truth were measured, UW there is none.

After the files that came with Xin et al., "Defocus map estimation and deblurring from a single
dual-pixel image", ICCV 2021: `N_left`, `N_right` (each half of the aperture, green, linear, 14 bits
with black at 1024), and of their middle part `N_gt` (in focus throughout, from a focus stack;
linear, of another gain) and `N_defocus` (proportional to the blur's diameter; 0 where it is not
known). The mean of both halves is what a camera without dual pixels would take.
"""

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from dfnet.camera import Camera
from dfnet.errors import InputError
from dfnet.evaluation.bands import SceneMaps
from dfnet.evaluation.question import Question
from dfnet.io.images import read_image
from dfnet.optics import BlurLaw
from dfnet.photo import srgb_from_linear
from dfnet.preprocess import Preprocessed
from dfnet.preprocess.validity import Reason
from dfnet.preprocess.verdict import GOOD

PARTS = ("left", "right", "gt", "defocus")
FULL_SCALE = 65535  # of the files
BLACK, WHITE = 1024, 16383
# Which disc turns the truth into the photo: 0.119 to 0.133 times the map's value in ten of eleven
# regions of three photos, at the photo's size.
COC_PX_PER_LEVEL = 0.126
LEVELS = 255  # of the map
BRIGHTEST_SHARE = 0.999  # of the truth's pixels; lighter ones are clipped


def dual_pixel_names(folder: Path) -> list[str]:
    """Of the photos in a folder that have all their files, sorted."""
    stems = sorted(p.name.removesuffix("_left.png") for p in folder.glob("*_left.png"))
    return [stem for stem in stems if all((folder / f"{stem}_{p}.png").is_file() for p in PARTS)]


def dual_pixel_question(folder: Path, name: str) -> Question:
    """All in focus, from one photo and the map of its blur.

    The photo has the truth's exposure, by one gain for the whole picture.

    Args:
        folder: with the files.
        name: which of `dual_pixel_names`.

    Raises:
        InputError: the files do not belong together.
    """
    left, right, truth, defocus = (read_image(folder / f"{name}_{p}.png") for p in PARTS)
    truth = truth / torch.quantile(truth[0].flatten()[::8], BRIGHTEST_SHARE)
    photo = _middle(left + right, truth, folder / name) * FULL_SCALE / 2
    photo = ((photo - BLACK) / (WHITE - BLACK)).clamp_min(0)
    photo = photo * (truth.mean() / photo.mean())
    coc_px = COC_PX_PER_LEVEL * LEVELS * _without_gaps(defocus[:1])
    image_w, answer = (srgb_from_linear(x.clamp(0, 1)) for x in (photo, truth))
    prepared = unseen_by_uw(image_w, coc_px)
    return Question(
        "all_in_focus",
        "photo → all in focus",
        image_w,
        prepared,
        torch.zeros_like(coc_px),
        Camera(),
        answer,
        scene=name,
        maps=SceneMaps(coc_px, prepared.disparity_w_px, prepared.occluded_w),
        is_other_exposure=True,
    )


def unseen_by_uw(image_w: Tensor, defocus_w_px: Tensor) -> Preprocessed:
    """What is known of a photo whose blur is, and of which UW sees nothing; W stands for UW.

    Args:
        image_w: (3, H, W).
        defocus_w_px: (1, H, W) signed diameter.
    """
    nothing = torch.zeros_like(defocus_w_px)
    return Preprocessed(
        uw_on_w=image_w,
        flow_w_to_uw=torch.zeros_like(image_w[:2]),
        disparity_w_px=-defocus_w_px,
        occluded_w=nothing == 0,
        valid_w=nothing > 0,
        validity_w=nothing,
        reason_w=torch.full_like(nothing, Reason.OUT_OF_FRAME, dtype=torch.uint8),
        defocus_w_px=defocus_w_px,
        defocus_deviation_w_px=nothing,
        blur_law=BlurLaw(1.0, 0.0),
        blur_law_deviation=(0.0, 0.0),
        device_defocus_per_disparity=1.0,
        baseline_direction=(1.0, 0.0),
        depth_w_m=None,
        relative_inverse_depth=nothing,
        verdict=GOOD,
        notes=(),
    )


def _middle(photo: Tensor, truth: Tensor, name: Path) -> Tensor:
    """The part of the photo that the truth shows."""
    (height, width), (h, w) = photo.shape[-2:], truth.shape[-2:]
    if h > height or w > width:
        raise InputError(
            f"{name}: the truth is {w}x{h}, the photo {width}x{height}\n"
            "  The truth shows the photo's middle, pixel by pixel."
        )
    top, left = (height - h) // 2, (width - w) // 2
    return photo[:, top : top + h, left : left + w]


def _without_gaps(values: Tensor) -> Tensor:
    """The map (1, H, W) with its zeros replaced by what is nearest."""
    gaps = (values[0] == 0).numpy().astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(
        gaps, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    known = gaps == 0
    by_label = np.zeros(labels.max() + 1, dtype=np.float32)
    by_label[labels[known]] = values[0].numpy()[known]
    return torch.from_numpy(by_label[labels])[None]
