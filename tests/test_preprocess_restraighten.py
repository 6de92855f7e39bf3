import numpy as np

from dfnet.optics import BlurLaw
from dfnet.preprocess.align import working_views
from dfnet.preprocess.order import NearFar
from dfnet.preprocess.rectify import Bend, Rectification, pixel_grid, sample_uw
from dfnet.preprocess.register import Registration
from dfnet.preprocess.restraighten import straighten_through_blur
from dfnet.preprocess.stereo import Stereo
from tests.made_pair import (
    DEFOCUS_PER_DISPARITY,
    HEIGHT,
    UW_HEIGHT,
    UW_WIDTH,
    W_PER_UW,
    WALL_PX,
    WIDTH,
    make_pair,
)

FOCUS_PX = WALL_PX + 20  # the wall is 5 px out of focus, the card 2
ALONG = np.array([1.0, 0.0])


def w_from_uw(shift_px):
    """The made cameras, registered this far too low."""
    centre = [(WIDTH - 1 - W_PER_UW * (UW_WIDTH - 1)) / 2]
    centre.append((HEIGHT - 1 - W_PER_UW * (UW_HEIGHT - 1)) / 2 + shift_px)
    return np.array([[W_PER_UW, 0, centre[0]], [0, W_PER_UW, centre[1]], [0, 0, 1]])


def restraightened(bend=None):
    made = make_pair((1.0, 0.0), FOCUS_PX)
    w, uw = (
        np.ascontiguousarray(x.permute(1, 2, 0).numpy()) for x in (made.image_w, made.image_uw)
    )
    registration = Registration(w_from_uw(1.5), ALONG, 100, 0.1, (-20.0, 0.0))
    views = working_views(w, uw, registration, 1024)
    rectification = Rectification(registration, w.shape[:2], bend=bend)
    disparity = made.disparity_w_px[0].numpy()
    everywhere, nowhere = np.ones_like(disparity, bool), np.zeros_like(disparity, bool)
    near_far = NearFar(False, 9.0, "images")
    stereo = Stereo(disparity, everywhere, everywhere * 1.0, nowhere, nowhere, ALONG, near_far)
    at = pixel_grid(disparity.shape) - disparity[..., None] * ALONG
    guide, _ = sample_uw(uw, rectification.points_uw(at))
    law = BlurLaw(DEFOCUS_PER_DISPARITY, FOCUS_PX)
    found = straighten_through_blur(views, rectification, stereo, guide, law)
    truth = pixel_grid(disparity.shape) + made.flow_w_to_uw.permute(1, 2, 0).numpy()
    across_px = [W_PER_UW * (r.points_uw(at) - truth)[..., 1] for r in (rectification, found)]
    return across_px, rectification, found


def test_what_the_blurred_photos_miss_across_the_baseline_is_removed():
    (before, after), _, _ = restraightened()
    inner = (slice(16, -16), slice(16, -16))
    assert np.abs(np.median(before[inner])) > 1.4
    assert np.quantile(np.abs(after[inner]), 0.9) < 0.3


def test_a_bent_rectification_is_left_alone():
    bend = Bend(np.zeros((HEIGHT, WIDTH), np.float32), 1.0)
    _, given, found = restraightened(bend)
    assert found is given
