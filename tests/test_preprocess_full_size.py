"""All maps at full size: where each pixel must come from, worked out by hand."""

import numpy as np
import pytest

from dfnet.io.images import floats_of
from dfnet.preprocess.align import Views, gray_8_bit, shrink
from dfnet.preprocess.colour import ColourMap
from dfnet.preprocess.full_size import full_size_maps
from dfnet.preprocess.order import NearFar
from dfnet.preprocess.rectify import Rectification, pixel_grid, sample_uw
from dfnet.preprocess.register import Registration
from dfnet.preprocess.stereo import Stereo
from dfnet.preprocess.validity import Reason

HEIGHT, WIDTH = 300, 120  # taller than two strips
RIGHT, UP = np.array([1.0, 0.0]), np.array([0.0, -1.0])
AS_IT_IS = ColourMap(
    np.linspace(0, 1, 256)[None].repeat(3, axis=0), np.eye(10, 3, -1), np.ones((2, 2, 3))
)
SHIFT = np.array([-30.0, -20.0])


def ramp(at):
    """A picture's values at positions (..., 2): cubic and linear sampling are exact on it."""
    x, y = at[..., 0], at[..., 1]
    value = np.stack([0.2 + 0.002 * x, 0.1 + 0.001 * y, 0.9 - 0.001 * x - 0.001 * y], axis=-1)
    return value.astype(np.float32)


def grain(shape, seed=0):
    return np.random.default_rng(seed).random((*shape, 3)).astype(np.float32)


def stereo_of(disparity, direction, **changes):
    nothing = np.zeros(disparity.shape, bool)
    known = Stereo(
        disparity.astype(np.float32),
        ~nothing,
        np.ones(disparity.shape, np.float32),
        nothing,
        nothing,
        direction,
        NearFar(True, 9.0, "images"),
    )
    return known._replace(**changes)


def enlarged(disparity, direction, image_uw, w_per_uw, scale=0.5, guide_w=None, **changes):
    """`full_size_maps` of a gray W whose UW is `w_per_uw` coarser and moved by `SHIFT`."""
    working = disparity.shape
    shape = round(working[0] / scale), round(working[1] / scale)
    image_w, small = np.full((*shape, 3), 0.5, np.float32), np.full((*working, 3), 0.5, np.float32)
    views = Views(small, scale, small, small, scale, [], w_per_uw, 0.0, 0.0)
    w_from_uw = np.array([[w_per_uw, 0, SHIFT[0]], [0, w_per_uw, SHIFT[1]], [0, 0, 1.0]])
    registration = Registration(w_from_uw, np.abs(direction), 99, 0.1, (0.0, 0.0))
    rectification = Rectification(registration, shape)
    stereo = stereo_of(disparity, direction, **changes)
    guide_w = grain(working) if guide_w is None else guide_w
    return full_size_maps((image_w, image_uw), views, rectification, stereo, guide_w, AS_IT_IS)


@pytest.mark.parametrize("direction", [RIGHT, UP])
@pytest.mark.parametrize("w_per_uw", [1.25, 0.5])
def test_each_pixel_is_fetched_from_where_disparity_and_homography_say(direction, w_per_uw):
    # A slanted wall: 3 px of disparity at the left, 23 at the right, in pixels of full W.
    columns = np.arange(WIDTH)
    slope = 3 + 20 * columns / (WIDTH - 1)
    small = np.interp(2 * np.arange(WIDTH // 2) + 0.5, columns, slope)
    disparity = small[None].repeat(HEIGHT // 2, axis=0)
    uw_shape = round(380 / w_per_uw), round(200 / w_per_uw)
    # `ramp` is of W's pixels: UW shows at u what W's grid has at w_per_uw * u + SHIFT.
    image_uw = ramp(pixel_grid(uw_shape) * w_per_uw + SHIFT)
    found = enlarged(disparity, direction, image_uw, w_per_uw)
    inner = np.s_[2:-2, 2:-2]
    grid = pixel_grid((HEIGHT, WIDTH))
    np.testing.assert_allclose(
        found.disparity_w_px[inner], grid[inner][..., 0] * 20 / 119 + 3, atol=1e-3
    )
    landing = grid - slope[:, None] * direction
    in_uw = (landing - SHIFT) / w_per_uw
    flow = (in_uw - grid).transpose(2, 0, 1)
    np.testing.assert_allclose(found.flow_w_to_uw[:, 2:-2, 2:-2], flow[:, 2:-2, 2:-2], atol=0.01)
    np.testing.assert_allclose(
        found.uw_on_w.transpose(1, 2, 0)[inner], ramp(landing)[inner], atol=0.002
    )
    assert found.inside_uw.all()


def test_a_card_hides_the_wall_on_its_left_and_only_there():
    # UW, to the right, sees the card (20 px nearer) move left over columns 20 to 39 of the wall.
    disparity = np.full((HEIGHT // 2, WIDTH // 2), 4.0)
    disparity[50:100, 20:35] = 24.0  # columns 40 to 69 and rows 100 to 199 of full W
    found = enlarged(disparity, RIGHT, grain((400, 300)), 1.0)
    row = found.hidden_w[150]
    assert row[22:38].all()
    assert not row[:18].any()
    assert not row[42:].any()
    assert not found.hidden_w[:96].any()
    assert (found.validity.reason_w[150, 24:36] == Reason.OCCLUDED).all()
    assert (found.validity.reason_w[150, 80:] == Reason.VALID).all()


def test_what_uw_alone_tells_to_be_hidden_stays_hidden():
    told = np.zeros((HEIGHT // 2, WIDTH // 2), bool)
    told[40:60, 10:20] = True
    found = enlarged(np.full(told.shape, 4.0), RIGHT, grain((400, 300)), 1.0, hidden_by_uw_w=told)
    assert found.hidden_w[82:118, 22:38].all()
    assert not found.hidden_w[:76].any()


def test_what_is_hidden_is_called_so_even_without_texture():
    disparity, guide = np.full((150, 60), 4.0), grain((150, 60))
    disparity[50:100, 20:35] = 24.0
    guide[60:90] = 0.5
    reason = enlarged(disparity, RIGHT, grain((400, 300)), 1.0, guide_w=guide).validity.reason_w
    assert (reason[140:160, 24:36] == Reason.OCCLUDED).all()
    assert (reason[140:160, 80:] == Reason.TEXTURELESS).all()


def test_an_uw_of_finer_pixels_is_averaged_and_not_skipped_through():
    checks = (np.indices((760, 500)).sum(axis=0) % 2).astype(np.float32)
    found = enlarged(np.full((150, 60), 5.0), RIGHT, checks[..., None].repeat(3, axis=2), 0.5)
    np.testing.assert_allclose(found.uw_on_w, 0.5, atol=0.01)


def test_beyond_uws_frame_there_is_nothing_to_believe():
    # UW's column u is W's column u - 30 once the disparity of 5 is taken off: its last is 100.
    found = enlarged(np.full((150, 60), 5.0), RIGHT, grain((400, 126)), 1.0)
    assert found.inside_uw[:, :101].all()
    assert not found.inside_uw[:, 101:].any()
    assert (found.validity.reason_w[:, 101:] == Reason.OUT_OF_FRAME).all()
    assert (found.validity.validity_w[:, 101:] == 0).all()


def test_confidence_and_texture_are_enlarged_in_place():
    disparity = np.full((150, 60), 5.0)
    confidence = np.ones(disparity.shape, np.float32)
    confidence[:, :20] = 0.0
    guide = grain(disparity.shape)
    guide[100:] = 0.5
    found = enlarged(
        disparity, RIGHT, grain((400, 300)), 1.0, guide_w=guide, confidence_w=confidence
    )
    reason = found.validity.reason_w
    assert (reason[:180, :36] == Reason.INCONSISTENT).all()
    assert (reason[:180, 44:] == Reason.VALID).all()
    assert (reason[215:] == Reason.TEXTURELESS).all()


def test_at_full_size_already_what_was_found_is_kept():
    disparity = np.full((140, 60), 5.0)
    disparity[70:, 30:] = 11.0
    hidden = np.zeros(disparity.shape, bool)
    hidden[3, 4] = True
    found = enlarged(disparity, UP, grain((300, 300)), 1.0, scale=1.0, hidden_w=hidden)
    np.testing.assert_array_equal(found.disparity_w_px, disparity.astype(np.float32))
    np.testing.assert_array_equal(found.hidden_w, hidden)


def test_planes_and_levels_do_as_well_as_floats_side_by_side():
    levels = (255 * grain((140, 120))).astype(np.uint8)
    floats = floats_of(levels)
    as_planes = [
        np.ascontiguousarray(x.transpose(2, 0, 1)).transpose(1, 2, 0) for x in (levels, floats)
    ]
    points = pixel_grid((130, 110)) * 0.9 + np.array([9.3, 22.7])  # some lie beyond the frame
    points[:, :3] -= 40
    image, inside = sample_uw(floats, points)
    for photo in (levels, *as_planes):
        np.testing.assert_array_equal(shrink(photo, 0.4), shrink(floats, 0.4))
        np.testing.assert_array_equal(gray_8_bit(photo), gray_8_bit(floats))
        again, inside_again = sample_uw(photo, points)
        np.testing.assert_array_equal(again, image)
        np.testing.assert_array_equal(inside_again, inside)
    below, _ = sample_uw(levels, points[100:])  # needs the lower rows of UW only
    np.testing.assert_array_equal(below, image[100:])
    assert not inside.all()
