"""What metadata state, held against what the pictures show; where they disagree, notes say so."""

import math

import numpy as np

from dfnet.camera import Camera
from dfnet.preprocess.blur_patches import BlurPatches
from dfnet.preprocess.blur_posterior import PHONES, SlopePrior
from dfnet.preprocess.calibrate import fit_blur_law
from dfnet.preprocess.cameras import baseline_direction
from dfnet.preprocess.order import NearFar

POSITION_SCORE = 8.0  # of near/far evidence: a wrong sign in a file is rarer than wrong pictures
HELD_SCORE = 4.0  # the same where a preset knows the phone and EXIF how it was held
ODD_SCORE = 3.0  # of the pictures, against the metadata: worth a note
MIN_COSINE = 0.7
MAX_SLOPE_RATIO = 1.6  # of the stated slope and the one seen
MIN_EVIDENCE = 8.0  # nats by which the slope seen explains the blur better; the true loses 2


def order_with_metadata(
    images: NearFar, cameras: dict[str, Camera], axis: np.ndarray
) -> tuple[NearFar, tuple[str, ...]]:
    """Near and far from pictures and metadata together.

    Args:
        images: what the pictures say.
        cameras: UW's `position_m`, or else its `direction`, tells the order.
        axis: of the motion, unit vector in W's image axes.

    Returns:
        the order, and a note where the two contradict each other.
    """
    direction, weight = baseline_direction(cameras), POSITION_SCORE
    if direction is None:
        stated, weight = cameras.get("ultrawide", Camera()).direction, HELD_SCORE
        direction = None if stated is None else np.asarray(stated, dtype=float)
    if direction is None:
        return images, ()
    along = float(direction @ axis)
    if abs(along) < MIN_COSINE:
        return images, (
            "The preset places the ultra-wide camera across the axis that the pictures show.",
        )
    metadata = -math.copysign(weight, along)  # near things move against the baseline
    score = images.score + metadata
    notes = ()
    if images.score * metadata < 0 and abs(images.score) > ODD_SCORE:
        believed = "pictures" if score * metadata < 0 else "metadata"
        notes = (
            "The pictures contradict the metadata on which side the ultra-wide camera lies, and so "
            f"on near and far; the {believed} were believed.",
        )
    return NearFar(score >= 0, score, "metadata"), notes


def believed_slope(stated: float, patches: BlurPatches) -> tuple[float | None, tuple[str, ...]]:
    """The stated defocus per disparity, or None and a note where the blur contradicts it.

    Args:
        stated: from aperture and baseline, or a preset.
        patches: of the pictures' blur.
    """
    held, free = fit_blur_law(patches, SlopePrior(stated, 0.0)), fit_blur_law(patches, PHONES)
    if held is None or free is None or free.law.defocus_per_disparity == 0:
        return stated, ()
    seen = free.law.defocus_per_disparity
    is_odd = abs(math.log(seen / stated)) > math.log(MAX_SLOPE_RATIO)
    if not is_odd or free.evidence - held.evidence < MIN_EVIDENCE:
        return stated, ()
    return None, (
        f"Aperture and baseline are stated to blur {stated:.3f} px per px of disparity, the "
        f"pictures show {seen:.2f}; the pictures were believed. Is it another phone's preset?",
    )
