import cv2
import numpy as np
import pytest

from dfnet.preprocess.match import EpipolarPair, SemiGlobalMatcher, sample_row, turn_to_axis

AXES = {"right": (1.0, 0.0), "left": (-1.0, 0.0), "down": (0.0, 1.0), "up": (0.0, -1.0)}


def texture(height=60, width=150, seed=0):
    noise = np.random.default_rng(seed).uniform(0, 1, (height, width)).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 1.2) * 2 - 0.5


@pytest.mark.parametrize("shift", [7, -5])
def test_motion_counts_right_as_positive_and_no_strip_is_lost(shift):
    wide = texture()
    pair = EpipolarPair(wide, np.roll(wide, shift, axis=1), (-12.0, 12.0))
    motion_w, motion_uw, *_ = SemiGlobalMatcher()(pair)
    inner = np.s_[3:-3, 14:-14]
    assert np.nanmean(np.abs(motion_w[inner] - shift) < 0.3) > 0.97
    assert np.nanmean(np.abs(motion_uw[inner] - shift) < 0.3) > 0.97
    # Only what really left the frame is unknown: the strip at the side that it moved to.
    strip = motion_w[3:-3, :8] if shift > 0 else motion_w[3:-3, -8:]
    assert np.isfinite(strip).mean() > 0.9


def test_motion_is_finer_than_a_pixel():
    wide = texture()
    x, y = np.meshgrid(np.arange(150, dtype=np.float32), np.arange(60, dtype=np.float32))
    ultrawide = cv2.remap(wide, x - 3.5, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    motion_w, *_ = SemiGlobalMatcher()(EpipolarPair(wide, ultrawide, (0.0, 8.0)))
    assert np.nanmedian(motion_w[:, 10:-10]) == pytest.approx(3.5, abs=0.15)


def test_what_the_two_views_contradict_is_unknown():
    pair = EpipolarPair(texture(seed=1), texture(seed=2), (-8.0, 8.0))
    motion_w, *_ = SemiGlobalMatcher()(pair)
    assert np.isnan(motion_w).mean() > 0.3


@pytest.mark.parametrize("axis", AXES.values(), ids=AXES.keys())
def test_turning_brings_the_axis_to_x_and_back(axis):
    values = np.arange(5 * 9, dtype=np.float32).reshape(5, 9)
    turn = turn_to_axis((5, 9), np.array(axis), margin_px=2)
    canvas = turn.apply(values, cv2.INTER_NEAREST)
    assert (canvas.shape[1], canvas.shape[0]) == turn.size
    np.testing.assert_array_equal(turn.undo(canvas), values)
    # One step along the canvas's x is one step along the axis.
    step = turn.positions()[1, 3] - turn.positions()[1, 2]
    np.testing.assert_allclose(step, axis, atol=1e-6)


def test_a_tilted_axis_is_turned_too():
    axis = np.array([np.sin(0.2), np.cos(0.2)])
    turn = turn_to_axis((40, 60), axis)
    step = turn.positions()[10, 11] - turn.positions()[10, 10]
    np.testing.assert_allclose(step, axis, atol=1e-9)


def test_sampling_a_row_outside_or_unknown_is_unknown():
    values = np.array([[1.0, 2.0, 3.0]])
    found = sample_row(values, np.array([[1.0, np.nan, 1.0]]))
    np.testing.assert_array_equal(found, [[2.0, np.nan, np.nan]])
