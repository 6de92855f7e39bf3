import cv2
import numpy as np
import pytest
from made_pair import CARD_PX, UW_HEIGHT, UW_WIDTH, W_PER_UW, WALL_PX, make_pair, texture

from dfnet.preprocess.align import gray_8_bit
from dfnet.preprocess.epipolar import apply_homography
from dfnet.preprocess.pipeline import image_pixels
from dfnet.preprocess.rectify import (
    Rectification,
    fit_cross_correction,
    net_around,
    pixel_grid,
    sample_uw,
)
from dfnet.preprocess.register import (
    NoOverlapError,
    Registration,
    SwappedError,
    _motion_range,
    _patch_start,
    register,
)


def grays(made):
    return gray_8_bit(image_pixels(made.image_w)), gray_8_bit(image_pixels(made.image_uw))


@pytest.mark.parametrize("direction", [(1.0, 0.0), (0.0, -1.0)])
def test_scale_and_axis_are_found_in_spite_of_parallax(direction):
    found = register(*grays(make_pair(direction)))
    assert abs(np.dot(found.axis, direction)) > 0.999
    assert found.w_from_uw[0, 0] == pytest.approx(W_PER_UW, rel=0.01)
    assert found.cross_residual_px < 0.5
    low, high = found.motion_range_px
    assert CARD_PX - WALL_PX - 1 < high - low < 1.5 * (CARD_PX - WALL_PX)


def test_across_the_baseline_the_fit_is_exact():
    found = register(*grays(make_pair((1.0, 0.0))))
    centre_uw = np.array([[(UW_WIDTH - 1) / 2, (UW_HEIGHT - 1) / 2]])
    assert apply_homography(found.w_from_uw, centre_uw)[0, 1] == pytest.approx(95.5, abs=0.5)


def test_a_photo_far_out_of_focus_is_registered_too():
    made = make_pair((0.0, 1.0), focus_px=WALL_PX + 70)
    found = register(*grays(made))
    assert abs(found.axis[1]) > 0.99
    assert found.w_from_uw[0, 0] == pytest.approx(W_PER_UW, rel=0.04)


def test_a_homography_from_metadata_is_refined_and_a_wrong_one_dropped():
    made = make_pair((1.0, 0.0))
    near = np.array([[1.32, 0.0, -60.0], [0.0, 1.32, -46.0], [0.0, 0.0, 1.0]])
    for expected in (near, np.diag([2.5, 2.5, 1.0])):
        found = register(*grays(made), np.array([1.0, 0.0]), expected)
        assert found.w_from_uw[1, 1] == pytest.approx(W_PER_UW, rel=0.01)


def test_photos_with_nothing_in_common_are_refused():
    with pytest.raises(NoOverlapError, match="not more agree than by chance"):
        register(grays(make_pair(seed=1))[0], grays(make_pair(seed=2))[1])


def test_swapped_photos_are_told_apart_from_equal_ones():
    wide, ultrawide = grays(make_pair())
    with pytest.raises(SwappedError, match="the two look swapped"):
        register(ultrawide, wide)
    assert register(wide, wide).w_from_uw == pytest.approx(np.eye(3), abs=1e-3)


def rectification(axis=(0.0, 1.0), corrections=()):
    w_from_uw = np.array([[1.3, 0.02, -40.0], [-0.02, 1.3, -30.0], [0.0, 0.0, 1.0]])
    registration = Registration(w_from_uw, np.array(axis), 99, 0.1, (0.0, 0.0))
    return Rectification(registration, (90, 120), corrections)


def test_a_smooth_drift_across_the_baseline_is_fitted_and_parallax_is_not():
    axis = np.array([0.0, 1.0])
    at = pixel_grid((90, 120))
    x, y = (at[..., 0] - 59.5) / 60, (at[..., 1] - 44.5) / 60
    drift = 1.5 + 2.0 * x - 1.0 * x * y + 0.7 * y**3
    flow = np.stack([-drift, 9.0 * np.sign(x) + 2 * y], axis=-1)  # across is -x for a baseline down
    flow[20:40, 20:40] += 25  # outliers
    coefficients = fit_cross_correction(flow, np.ones((90, 120), bool), axis, (90, 120), 1.0)
    corrected = rectification(axis, (coefficients,))
    plain = rectification(axis)
    inverse = np.linalg.inv(plain.registration.w_from_uw)
    moved = at.reshape(-1, 2) + flow.reshape(-1, 2)
    # W's grid, corrected, fetches from UW what the flow says lies across.
    landed = corrected.points_uw(moved * [0, 1] + at.reshape(-1, 2) * [1, 0])
    expected = apply_homography(inverse, moved)
    keep = np.ones((90, 120), bool)
    keep[15:45, 15:45] = False
    error = np.linalg.norm(landed - expected, axis=1)[keep.ravel()]
    assert np.median(error) < 0.15


@pytest.mark.parametrize(("scale", "top"), [(1.0, 0), (0.5, 0), (1.0, 17)])
def test_whole_pictures_are_mapped_like_single_points(scale, top):
    exact = rectification(corrections=(np.linspace(-1.0, 1.0, 10), np.linspace(2.0, 0.0, 10)))
    disparity = np.random.default_rng(0).uniform(-30, 20, (round(90 * scale), round(120 * scale)))
    direction = np.array([0.6, -0.8])
    net = net_around(exact, disparity, direction, scale)
    found = net.points_uw(disparity[top:], direction, scale, top)
    points = pixel_grid(disparity.shape, scale) - disparity[..., None] * direction
    np.testing.assert_allclose(found, exact.points_uw(points)[top:], atol=0.03)


def test_corrections_apply_one_after_the_other_before_the_homography():
    """By hand at the middle's right end, where x is 1 and y is 0: only powers of x count."""
    at = np.array([[119.5, 44.5]])  # half of 120 px from the middle
    first, second = np.zeros(10), np.zeros(10)
    first[[0, 4, 7, 9]] = 1.0, 2.0, 3.0, 4.0  # 1, x, x², x³
    second[[1, 2, 3]] = 60.0, 0.0, 3600.0  # y, y³
    # Across a baseline to the right is down. The last correction comes first: none at y = 0, then
    # the first moves by 10.
    landed = rectification((1.0, 0.0), (first, second)).points_uw(at)
    inverse = np.linalg.inv(rectification().registration.w_from_uw)
    np.testing.assert_allclose(landed, apply_homography(inverse, np.array([[119.5, 54.5]])))
    # The other way round, y is 1/6 by then: 60 / 6 + 3600 / 216 more.
    landed = rectification((1.0, 0.0), (second, first)).points_uw(at)
    down = 54.5 + 10 + 3600 / 216
    np.testing.assert_allclose(landed, apply_homography(inverse, np.array([[119.5, down]])))


def test_a_grid_resized_by_s_sits_at_the_centres_of_its_larger_pixels():
    np.testing.assert_allclose(pixel_grid((2, 3), 0.5)[1, 2], [4.5, 2.5])


def test_sampling_a_reduced_uw_needs_no_other_points():
    image = cv2.GaussianBlur(np.random.default_rng(0).random((80, 100, 3)), (0, 0), 6)
    image = image.astype(np.float32)
    half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    points = pixel_grid((60, 80)) + np.array([10.3, 9.6])
    whole, inside = sample_uw(image, points)
    reduced, _ = sample_uw(half, points, 0.5)
    assert np.abs(whole - reduced).max() < 0.01
    assert inside.all()
    assert not sample_uw(image, points + 200)[1].any()


def slanted_plane(tilt):
    """A textured wall seen straight on, and by a camera turned far away from it."""
    wide = (texture(np.random.default_rng(7), (400, 520))[0] * 255).mean(dim=0).numpy()
    uw_from_w = np.array([[0.62, -0.25, 150.0], [0.16, 0.85, -10.0], [-tilt, 1e-4, 1.0]])
    shot = cv2.warpPerspective(wide, uw_from_w, (560, 480), flags=cv2.INTER_AREA)
    return wide.astype(np.uint8), shot.astype(np.uint8), np.linalg.inv(uw_from_w)


def test_a_strongly_slanted_plane_is_registered_by_a_homography():
    wide, shot, w_from_uw = slanted_plane(5e-4)
    found = register(wide, shot)
    at_w = pixel_grid((4, 5), 0.01).reshape(-1, 2)
    at_uw = apply_homography(np.linalg.inv(w_from_uw), at_w)
    error = np.linalg.norm(apply_homography(found.w_from_uw, at_uw) - at_w, axis=1)
    assert error.max() < 2.0


def test_a_black_photo_is_refused():
    wide, _ = grays(make_pair())
    with pytest.raises(NoOverlapError, match="neither black"):
        register(wide, np.zeros_like(wide))


def two_halves():
    """The upper half moves by 20 px, the lower by 200 of 520: UW's x less W's."""
    scene = (texture(np.random.default_rng(8), (400, 900))[0] * 255).mean(dim=0).numpy()
    wide, shot = scene[:, 200:720].copy(), scene[:, 180:760].copy()
    wide[200:] = scene[200:, 380:900]
    return wide.astype(np.uint8), shot.astype(np.uint8)


def test_more_parallax_than_a_third_of_the_picture_is_found():
    found = register(*two_halves())
    assert abs(found.axis[0]) > 0.999
    low, high = found.motion_range_px
    assert high - low == pytest.approx(180, abs=8)


def test_whole_pictures_widen_the_range_of_keypoints_that_missed_half():
    shifted = np.array([[1.0, 0.0, -20.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    seen = np.linspace(-2.0, 2.0, 41)
    low, high = _motion_range(two_halves(), shifted, np.array([1.0, 0.0]), seen)
    assert low == pytest.approx(-1.8, abs=1)
    assert high == pytest.approx(180, abs=8)
    wide, other = two_halves()[0], slanted_plane(5e-4)[0]
    alone = _motion_range((wide, other), shifted, np.array([1.0, 0.0]), seen)
    assert alone == pytest.approx((-1.8, 1.8))  # 5 and 95 % of 41 even steps


def test_patches_alone_find_the_scale_of_a_photo_far_out_of_focus():
    made = grays(make_pair((0.0, 1.0), focus_px=WALL_PX + 70))
    start = _patch_start(made, np.array([0.0, 1.0]))
    assert start.agreement.log10_chance < -3
    assert start.agreement.similarity[0, 0] == pytest.approx(W_PER_UW, rel=0.06)


def test_a_camera_panned_by_two_degrees_is_fitted_to_the_corners():
    wide, ultrawide = grays(make_pair((0.0, 1.0)))
    pan = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.2e-4, 0.0, 1.0]])
    shot = cv2.warpPerspective(ultrawide, pan, (UW_WIDTH, UW_HEIGHT))
    found = register(wide, shot)
    # Across a baseline down is x; made_pair: W's x is 1.3 times UW's, the middles on each other.
    corners = np.array([[45.0, 35.0], [240.0, 35.0], [45.0, 180.0], [240.0, 180.0]])
    expected = W_PER_UW * (corners[:, 0] + 0.5) - 0.5 - (W_PER_UW * UW_WIDTH - wide.shape[1]) / 2
    landed = apply_homography(found.w_from_uw, apply_homography(pan, corners))
    np.testing.assert_allclose(landed[:, 0], expected, atol=1.0)


def test_a_roll_of_five_degrees_between_the_cameras_is_found():
    made = make_pair((0.0, 1.0))
    wide, ultrawide = grays(made)
    roll = cv2.getRotationMatrix2D((UW_WIDTH / 2, UW_HEIGHT / 2), 5.0, 1.0)
    found = register(wide, cv2.warpAffine(ultrawide, roll, (UW_WIDTH, UW_HEIGHT)))
    turned = np.degrees(np.arctan2(found.w_from_uw[1, 0], found.w_from_uw[0, 0]))
    assert turned == pytest.approx(5.0, abs=0.3)
