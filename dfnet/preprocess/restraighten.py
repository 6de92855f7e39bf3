"""The rectification once more, when a first match tells where things are and how blurred.

Dense flow between W and UW goes astray where W is blurred and where parallax is large. UW brought
to W's place by a first disparity and blurred as W is leaves only a little flow, which can be
trusted: what of it lies across the baseline is what rectification missed.
"""

import numpy as np

from dfnet.optics import BlurLaw
from dfnet.preprocess.align import Views, gray_8_bit
from dfnet.preprocess.blur_match import blurred_as_w
from dfnet.preprocess.flow import consistent_flow
from dfnet.preprocess.rectify import CONSISTENT_PX, Rectification, fit_cross_correction
from dfnet.preprocess.stereo import Stereo


def straighten_through_blur(
    views: Views, rectification: Rectification, stereo: Stereo, guide: np.ndarray, law: BlurLaw
) -> Rectification:
    """One more correction across the baseline.

    Args:
        views: the working photos.
        rectification: under which `stereo` was found; returned as it is where it had to bend.
        stereo: a first result.
        guide: UW on W's working grid by it, in W's colours (h, w, 3).
        law: blur of W by disparity [full W px].
    """
    if rectification.bend is not None:
        return rectification
    like_w = blurred_as_w(guide, stereo.disparity_w_px, law, views.scale)
    flow, sure = consistent_flow(
        gray_8_bit(views.image_w), (like_w * 255).round().astype(np.uint8), CONSISTENT_PX
    )
    axis = rectification.registration.axis
    across = np.array([-axis[1], axis[0]])
    # What lies at p in W lies on rectified UW's grid where its motion along the baseline leads.
    along = -stereo.disparity_w_px * views.scale
    moved = along[..., None] * stereo.baseline_direction + (flow @ across)[..., None] * across
    correction = fit_cross_correction(moved, sure, axis, rectification.shape_w, views.scale)
    return rectification._replace(corrections=(*rectification.corrections, correction))
