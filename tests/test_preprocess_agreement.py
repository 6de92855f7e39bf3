import cv2
import numpy as np
import pytest

from dfnet.preprocess.agreement import Frames, find_agreement
from dfnet.preprocess.epipolar import Matches, apply_homography, fit_across
from dfnet.preprocess.overlap import measure_overlap
from dfnet.preprocess.patches import match_patches
from dfnet.preprocess.register import register

FRAMES = Frames((480, 640), (480, 640))
AXIS = np.array([0.0, 1.0])
SIMILARITY = np.array([[1.5, -0.04, -140.0], [0.04, 1.5, -130.0], [0.0, 0.0, 1.0]])
LIMITS = (0.35, 3.5)


def matches(good, bad, parallax_px=200.0, noise_px=0.5, seed=0):
    """Some that obey a geometry with any parallax down the picture, some that obey none."""
    generator = np.random.default_rng(seed)
    uw = generator.uniform([130, 110], [480, 370], (good, 2))
    wide = apply_homography(SIMILARITY, uw) + generator.normal(0, noise_px, (good, 2))
    wide[:, 1] += generator.uniform(-parallax_px / 2, parallax_px / 2, good)
    stray = generator.uniform(0, [640, 480], (2, bad, 2))
    return Matches(np.vstack([wide, stray[0]]), np.vstack([uw, stray[1]]))


def test_a_minority_that_agrees_across_the_baseline_is_found_whatever_the_parallax():
    found = find_agreement(matches(25, 60), AXIS, FRAMES, LIMITS)
    assert found.log10_chance < -6
    assert found.inliers[:25].mean() > 0.9
    assert found.inliers[25:].mean() < 0.2
    uw = np.array([[150.0, 150.0], [450.0, 350.0]])
    across = (apply_homography(found.similarity, uw) - apply_homography(SIMILARITY, uw))[:, 0]
    np.testing.assert_allclose(across, 0, atol=4)


def test_the_wrong_axis_is_far_likelier_to_be_chance():
    wrong = find_agreement(matches(60, 20), np.array([1.0, 0.0]), FRAMES, LIMITS)
    right = find_agreement(matches(60, 20), AXIS, FRAMES, LIMITS)
    assert right.log10_chance < wrong.log10_chance - 20


@pytest.mark.parametrize("count", [3, 12, 40, 150])
def test_chance_is_called_chance(count):
    for seed in range(5):
        found = find_agreement(matches(0, count, seed=seed), AXIS, FRAMES, LIMITS)
        assert found is None or found.log10_chance > -2


def test_a_repeated_pattern_beside_the_frame_is_not_believed():
    """As many matches as one likes: the cameras cannot look past each other."""
    good = matches(60, 0, parallax_px=20.0)
    aside = Matches(good.wide, good.ultrawide + np.array([170.0, 0.0]))
    found = find_agreement(aside, AXIS, FRAMES, LIMITS)
    assert found is None or found.log10_chance > -3


def test_the_fit_across_is_not_pulled_by_parallax_or_strays():
    true = np.array([[1.5, -0.04, -140.0], [0.04, 1.5, -130.0], [2e-5, -1e-5, 1.0]])
    generator = np.random.default_rng(1)
    uw = generator.uniform([130, 110], [480, 370], (200, 2))
    wide = apply_homography(true, uw) + generator.normal(0, 0.3, (200, 2))
    wide[:, 1] += np.where(uw[:, 0] > 300, 60, 5)  # one side near, one far
    wide[:20] += generator.uniform(-60, 60, (20, 2))
    fit = fit_across(Matches(wide, uw), SIMILARITY, AXIS, 640)
    across = np.array([-fit.axis[1], fit.axis[0]])
    error = (apply_homography(fit.w_from_uw, uw[20:]) - wide[20:]) @ across
    assert np.median(np.abs(error)) < 0.4
    assert abs(fit.axis[1]) > 0.9995


def scene(height, width, seed=0):
    noise = np.random.default_rng(seed).random((height, width)).astype(np.float32)
    fine, coarse = (cv2.GaussianBlur(noise, (0, 0), s) for s in (1.2, 14.0))
    gray = 0.5 + 1.0 * (fine - 0.5) + 12 * (coarse - 0.5)
    return (255 * gray.clip(0, 1)).astype(np.uint8)


def far_out_of_focus(shift_px=0):
    """W 384 x 288 through a disc of 41 px; UW sees 1.5 times as much, W's centre moved."""
    whole = scene(700, 900)
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (41, 41)).astype(np.float32)
    blurred = cv2.filter2D(whole, -1, element / element.sum())
    noise = np.random.default_rng(3).normal(0, 2, (288, 384))
    wide = (blurred[206:494, 258:642] + noise).clip(0, 255).astype(np.uint8)
    uw_from_w = np.array([[1 / 1.5, 0, 64 + shift_px], [0, 1 / 1.5, 48], [0, 0, 1.0]])
    to_w = np.array([[1, 0, -258], [0, 1, -206], [0, 0, 1.0]])
    return wide, cv2.warpPerspective(whole, uw_from_w @ to_w, (384, 288), flags=cv2.INTER_AREA)


def test_patches_of_a_picture_without_any_detail_still_find_their_place():
    wide, ultrawide = far_out_of_focus(6)
    found = match_patches(wide, ultrawide, 1.5)
    error = found.ultrawide - (found.wide / 1.5 + [70, 48])
    assert len(found) > 15
    assert np.median(np.linalg.norm(error, axis=1)) < 2.5


def test_a_photo_without_any_detail_is_registered():
    wide, ultrawide = far_out_of_focus()
    found = register(wide, ultrawide)
    corners = np.array([[100.0, 80.0], [300.0, 80.0], [100.0, 220.0], [300.0, 220.0]])
    error = apply_homography(found.w_from_uw, corners / 1.5 + [64, 48]) - corners
    assert np.abs(error @ np.array([-found.axis[1], found.axis[0]])).max() < 5.0


def test_overlap_finds_the_range_of_what_keypoints_may_miss():
    whole = scene(240, 500, 5)
    wide, uw = whole[:, 90:410].copy(), whole[:, 90:410].copy()
    wide[60:180, 100:180] = whole[60:180, 200:280]  # a thing that moves by 40 px
    uw[60:180, 140:220] = whole[60:180, 200:280]
    found = measure_overlap(wide, uw, np.eye(3), np.array([1.0, 0.0]))
    assert found.motion_range_px[0] == pytest.approx(0, abs=4)
    assert found.motion_range_px[1] == pytest.approx(40, abs=4)
    assert found.share * found.likeness > 0.5
    other = measure_overlap(wide, scene(240, 320, 6), np.eye(3), np.array([1.0, 0.0]))
    assert other.share * other.likeness < 0.2
