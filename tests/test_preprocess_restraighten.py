import numpy as np
from made_pair import DEFOCUS_PER_DISPARITY, HEIGHT, W_PER_UW, WALL_PX, WIDTH
from made_views import made_views

from dfnet.optics import BlurLaw
from dfnet.preprocess.rectify import Bend, pixel_grid
from dfnet.preprocess.restraighten import straighten_through_blur

FOCUS_PX = WALL_PX + 20  # the wall is 5 px out of focus, the card 2


def restraightened(bend=None):
    made, views, rectification, stereo, guide, at = made_views(FOCUS_PX, too_low_px=1.5, bend=bend)
    law = BlurLaw(DEFOCUS_PER_DISPARITY, FOCUS_PX)
    found = straighten_through_blur(views, rectification, stereo, guide, law)
    truth = pixel_grid(stereo.disparity_w_px.shape) + made.flow_w_to_uw.permute(1, 2, 0).numpy()
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
