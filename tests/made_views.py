"""The made pair as preprocessing holds it halfway: working photos, a rectification, a stereo."""

from typing import NamedTuple

import numpy as np
from made_pair import HEIGHT, UW_HEIGHT, UW_WIDTH, W_PER_UW, WIDTH, MadePair, make_pair

from dfnet.preprocess.align import Views, working_views
from dfnet.preprocess.order import NearFar
from dfnet.preprocess.rectify import Bend, Rectification, pixel_grid, sample_uw
from dfnet.preprocess.register import Registration
from dfnet.preprocess.stereo import Stereo

ALONG = np.array([1.0, 0.0])


class MadeViews(NamedTuple):
    """What `made_views` gives; `at` is where the given disparities send W's pixels on its grid."""

    made: MadePair
    views: Views
    rectification: Rectification
    stereo: Stereo
    guide: np.ndarray
    at: np.ndarray


def made_views(
    focus_px: float, too_low_px: float = 0.0, off_px: float = 0.0, bend: Bend | None = None
) -> MadeViews:
    """A pair with its cameras and its depth known, but for errors that are asked for.

    Args:
        focus_px: the disparity that W shows sharp.
        too_low_px: across the baseline, of the registration.
        off_px: of all disparities.
        bend: of the rectification.
    """
    made = make_pair((1.0, 0.0), focus_px)
    w, uw = (
        np.ascontiguousarray(x.permute(1, 2, 0).numpy()) for x in (made.image_w, made.image_uw)
    )
    registration = Registration(_w_from_uw(too_low_px), ALONG, 100, 0.1, (-20.0, 0.0))
    views = working_views(w, uw, registration, 1024)
    rectification = Rectification(registration, w.shape[:2], bend=bend)
    disparity = made.disparity_w_px[0].numpy() + np.float32(off_px)
    everywhere, nowhere = np.ones_like(disparity, bool), np.zeros_like(disparity, bool)
    near_far = NearFar(False, 9.0, "images")
    stereo = Stereo(disparity, everywhere, everywhere * 1.0, nowhere, nowhere, ALONG, near_far)
    at = pixel_grid(disparity.shape) - disparity[..., None] * ALONG
    guide, _ = sample_uw(uw, rectification.points_uw(at))
    return MadeViews(made, views, rectification, stereo, guide, at)


def _w_from_uw(too_low_px: float) -> np.ndarray:
    centre_x = (WIDTH - 1 - W_PER_UW * (UW_WIDTH - 1)) / 2
    centre_y = (HEIGHT - 1 - W_PER_UW * (UW_HEIGHT - 1)) / 2 + too_low_px
    return np.array([[W_PER_UW, 0, centre_x], [0, W_PER_UW, centre_y], [0, 0, 1]])
