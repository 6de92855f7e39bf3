"""What preprocessing says of a pair, filled in by hand."""

import torch

from dfnet.optics import BlurLaw
from dfnet.preprocess import Preprocessed
from dfnet.preprocess.verdict import GOOD


def made_preprocessed(height, width, **known):
    """A pair that is aligned, flat, seen by both cameras and in focus, but for what is said."""
    nothing = torch.zeros(1, height, width)
    law = known.get("blur_law", BlurLaw(0.2, 0.0))
    neutral = {
        "uw_on_w": torch.zeros(3, height, width),
        "flow_w_to_uw": torch.zeros(2, height, width),
        "disparity_w_px": nothing,
        "occluded_w": nothing.bool(),
        "valid_w": ~nothing.bool(),
        "validity_w": nothing,
        "reason_w": nothing.byte(),
        "defocus_w_px": nothing,
        "defocus_deviation_w_px": nothing,
        "blur_law": law,
        "blur_law_deviation": (0.0, 0.0),
        "device_defocus_per_disparity": law.defocus_per_disparity,
        "baseline_direction": (1.0, 0.0),
        "depth_w_m": None,
        "relative_inverse_depth": nothing,
        "verdict": GOOD,
        "notes": (),
    }
    return Preprocessed(**{**neutral, **known})
