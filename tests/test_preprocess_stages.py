"""Order, upsampling and depth: small arrays, truth by hand."""

import numpy as np
import pytest
import torch

from dfnet.camera import Camera
from dfnet.preprocess.depth import (
    depth_from_disparity,
    known_rig,
    relative_inverse_depth,
    zero_offset_px,
)
from dfnet.preprocess.order import NearFar, solve_near_far
from dfnet.preprocess.refine import upsample_along_edges

UNKNOWN = np.nan


def layered(near_is_larger, gap_on_left):
    """UW's view of a red card before a green wall, with the green strip that W does not see."""
    image = np.full((96, 80, 3), (0.1, 0.6, 0.1), np.float32)
    image[:, 30:50] = (0.7, 0.1, 0.1)
    near, far = (6.0, 0.0) if near_is_larger else (0.0, 6.0)
    motion = np.full((96, 80), far, np.float32)
    motion[:, 30:50] = near
    motion[:, slice(24, 30) if gap_on_left else slice(50, 56)] = UNKNOWN
    return image, motion


@pytest.mark.parametrize("near_is_larger", [True, False])
def test_the_strip_without_match_belongs_to_what_is_behind(near_is_larger):
    # UW to W is x - m: a card of larger m moves left and hides wall on its left.
    image, motion = layered(near_is_larger, gap_on_left=near_is_larger)
    nothing = np.full(motion.shape, UNKNOWN, np.float32)
    found = solve_near_far(image, image, nothing, motion, nothing)
    assert found.near_is_larger == near_is_larger
    assert found.is_sure


def test_without_strips_lower_is_nearer():
    image = np.full((40, 50, 3), 0.5, np.float32)
    motion = np.repeat(np.linspace(0, 9, 40, dtype=np.float32)[:, None], 50, axis=1)
    assert solve_near_far(image, image, motion, motion, motion).near_is_larger
    assert not solve_near_far(image, image, -motion, -motion, -motion).near_is_larger


def test_no_evidence_is_not_sure():
    flat = np.zeros((20, 30), np.float32)
    image = np.full((20, 30, 3), 0.5, np.float32)
    assert not solve_near_far(image, image, flat, flat, flat).is_sure


def test_a_second_opinion_counts_half_and_never_against_metadata():
    first, against = NearFar(True, 1.0, "images"), NearFar(False, -1.6, "images")
    assert first.seconded(against).near_is_larger
    assert not NearFar(True, 0.7, "images").seconded(against).near_is_larger
    assert not NearFar(False, -float("inf"), "metadata").seconded(first).near_is_larger


def test_upsampling_follows_the_pictures_edge_and_invents_no_depth_between():
    guide = np.zeros((40, 60, 3), np.float32)
    guide[:, 31:] = 0.8
    small_guide = guide[::2, ::2].copy()
    values = np.where(np.arange(30) < 15, 2.0, 9.0).astype(np.float32)[None].repeat(20, axis=0)
    up = upsample_along_edges(values, np.ones_like(values), small_guide, guide)
    assert set(np.unique(up[:, :31].round(3))) <= {2.0, 9.0}
    np.testing.assert_allclose(up[:, :29], 2.0, atol=1e-4)
    np.testing.assert_allclose(up[:, 33:], 9.0, atol=1e-4)


def rig(**changes):
    wide = Camera(focal_length_px=400.0)
    uw = Camera(**{"focal_length_px": 300.0, "position_m": (0.0, 0.01, 0.0), **changes})
    return known_rig({"wide": wide, "ultrawide": uw}, (90, 120), (110, 130))


def test_depth_is_baseline_times_focal_length_over_disparity():
    depth = depth_from_disparity(torch.tensor([8.0, 2.0, 0.0, -3.0]), rig())
    torch.testing.assert_close(depth, torch.tensor([0.5, 2.0, torch.inf, torch.inf]))


def projected_flow(depth_m):
    """By hand: a pixel's point, moved by the baseline, seen at 300 px of focal length."""
    y, x = np.mgrid[:90, :120]
    u = 300.0 * ((x - 59.5) / 400.0) + 64.5
    v = 300.0 * ((y - 44.5) / 400.0 - 0.01 / depth_m) + 54.5
    return np.stack([u - x, v - y], axis=-1)


def test_the_zero_of_disparity_is_found_from_the_rig():
    depth_m = np.where(np.mgrid[:90, :120][1] < 60, 0.5, 2.0)
    disparity = 4.0 / depth_m
    valid = np.ones((90, 120), bool)
    offset = zero_offset_px(rig(), disparity - 3.25, projected_flow(depth_m), valid)
    assert offset == pytest.approx(3.25, abs=1e-6)


def test_a_rig_that_contradicts_the_flow_gives_no_zero():
    depth_m = np.full((90, 120), 0.5)
    wrong = rig(focal_length_px=200.0)
    valid = np.ones((90, 120), bool)
    assert zero_offset_px(wrong, 4.0 / depth_m, projected_flow(depth_m), valid) is None


def test_an_incomplete_rig_is_none():
    assert rig(focal_length_px=None) is None
    assert rig(position_m=None) is None
    assert rig(position_m=(0.0, 0.0, 0.02)) is None


def test_relative_inverse_depth_runs_from_far_to_near():
    disparity = torch.linspace(-7, 13, 101).view(1, 1, 101)
    relative = relative_inverse_depth(disparity, torch.ones_like(disparity, dtype=torch.bool))
    assert relative[0, 0, 0] == 0
    assert relative[0, 0, -1] == 1
    assert relative[0, 0, 50].item() == pytest.approx(0.5, abs=0.01)
