"""Depth, flow and occlusion: by hand, by brute force, and by warping one picture onto the other."""

from dataclasses import replace

import numpy as np
import pytest
from render_worlds import DARK, camera, facing_quad, glow, psnr_warped, smooth_world

from dfnet.render.builder import WorldBuilder
from dfnet.render.cameras import Flaws
from dfnet.render.devices import load_device
from dfnet.render.effects import CameraEffects
from dfnet.render.rig import crop_covering, draw_ultrawide, draw_wide
from dfnet.render.scene import SceneOptions, build_scene
from dfnet.render.truth import rounded, trace_truth

DIRECTIONS = [(1, 0), (-1, 0), (0, 1), (0, -1)]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_flow_runs_against_the_baseline(direction):
    # By hand: 1000 px * 0.012 m / 0.8 m = 15 px of disparity, and flow = -disparity * direction.
    builder = WorldBuilder()
    facing_quad(builder, (0, 0, 0.8), (2, 2), glow(builder))
    position = (0.012 * direction[0], 0.012 * direction[1], 0.0)
    ultrawide = camera((160, 140), position_m=position, principal=(31.5, 23.5))
    truth = trace_truth(builder.build(DARK), camera((64, 48)), ultrawide)
    expected = np.array(direction).reshape(2, 1, 1) * -15.0
    np.testing.assert_allclose(
        truth.flow_w_to_uw, np.broadcast_to(expected, (2, 48, 64)), atol=1e-4
    )
    np.testing.assert_allclose(truth.depth_w_m, 0.8, rtol=1e-6)


def test_outside_the_ultrawide_frame_is_occluded():
    builder = WorldBuilder()
    facing_quad(builder, (0, 0, 0.8), (2, 2), glow(builder))
    ultrawide = camera((40, 48), position_m=(0.004, 0, 0), principal=(31.5, 23.5))
    truth = trace_truth(builder.build(DARK), camera((64, 48)), ultrawide)
    # W's column x is UW's column x - 5, and UW has columns 0 to 39.
    seen = np.zeros(64, bool)
    seen[5:45] = True
    np.testing.assert_array_equal(truth.occluded_w, np.broadcast_to(~seen, (48, 64)))


def test_the_sky_is_infinitely_far_and_stands_still():
    builder = WorldBuilder()
    facing_quad(builder, (0, 0, 5000.0), (1e4, 1e4), glow(builder))
    ultrawide = camera((64, 48), position_m=(0.012, 0, 0))
    truth = trace_truth(builder.build(DARK), camera((64, 48)), ultrawide)
    assert np.isinf(truth.depth_w_m).all()
    assert np.abs(truth.flow_w_to_uw).max() < 0.01


def test_looking_past_the_scene_is_refused():
    builder = WorldBuilder()
    facing_quad(builder, (0, 0, 1.0), (0.01, 0.01), glow(builder))
    with pytest.raises(ValueError, match="look past the scene"):
        trace_truth(builder.build(DARK), camera((64, 48)), camera((64, 48)))


def test_occlusion_is_what_brute_force_finds():
    rng = np.random.default_rng(5)
    builder = WorldBuilder()
    facing_quad(builder, (0, 0, 2.0), (3, 3), glow(builder))
    cards = [(*rng.uniform(-0.02, 0.02, 2), rng.uniform(0.3, 1.0)) for _ in range(6)]
    for card in cards:
        facing_quad(builder, card, (0.012, 0.007), glow(builder))
    wide = camera((72, 60))
    ultrawide = camera((200, 180), position_m=(0.011, -0.006, 0.001), principal=(101.3, 83.1))
    truth = trace_truth(builder.build(DARK), wide, ultrawide)

    def nearest(origin, target):
        # Share of the way from origin to target at which the first card (or the wall) is met.
        share = np.full(target.shape[:-1], np.inf)
        for cx, cy, cz, hx, hy in [(*c, 0.012, 0.007) for c in cards] + [(0, 0, 2.0, 3, 3)]:
            s = (cz - origin[2]) / (target[..., 2] - origin[2])
            point = origin + s[..., None] * (target - origin)
            inside = (abs(point[..., 0] - cx) <= hx) & (abs(point[..., 1] - cy) <= hy)
            share = np.where(inside, np.minimum(share, s), share)
        return share

    y, x = np.mgrid[:60, :72]
    rays = np.stack([(x - 35.5) / 1000, (y - 29.5) / 1000, np.ones((60, 72))], -1)
    depth = nearest(np.zeros(3), rays)
    hidden = nearest(np.array(ultrawide.position_m), rays * depth[..., None]) < 1 - 1e-6
    np.testing.assert_allclose(truth.depth_w_m, depth, rtol=1e-6)
    np.testing.assert_array_equal(truth.occluded_w, hidden)
    assert 0.05 < hidden.mean() < 0.6


@pytest.mark.parametrize("distortion", [0.0, 0.03, -0.03])
def test_the_ultrawide_warped_by_true_flow_is_the_wide_picture(distortion):
    world, wide = smooth_world(np.random.default_rng(8)), camera((192, 144))
    uncropped = camera(
        (1, 1),
        position_m=(0.002, 0.014, -0.001),
        rotation=(0.006, -0.004, 0.008),
        full_frame_px=(320, 240),
        flaws=Flaws(distortion=distortion),
    )
    ultrawide = crop_covering(uncropped, wide, (0.5, 2.5), margin=0.1)
    truth = trace_truth(world, wide, ultrawide)
    psnr, mixed = psnr_warped(truth, world, wide, ultrawide)
    assert mixed.mean() < 0.4
    assert np.abs(truth.flow_w_to_uw).max() > 10
    assert psnr(~mixed) > 45
    # A wrong flow is noticed: of a lens without distortion, or of a baseline 7 % off.
    near = (0.0, 0.001, 0.0) if distortion == 0 else (0.0, 0.0, 0.0)
    position_m = tuple(np.add(ultrawide.position_m, near).tolist())
    wrong = replace(ultrawide, flaws=Flaws(), position_m=position_m)
    psnr, _ = psnr_warped(trace_truth(world, wide, wrong), world, wide, ultrawide)
    assert psnr(~mixed) < 40


@pytest.mark.parametrize("seed", range(4))
def test_a_drawn_ultrawide_covers_what_the_wide_camera_sees(seed):
    rng = np.random.default_rng(seed)
    device, effects = load_device("pixel6pro"), CameraEffects()
    wide = draw_wide(rng, (384, 288), 1800, device, effects)
    ultrawide = draw_ultrawide(rng, wide, device, effects, 0.25, (0.3, 5.0))
    corners = np.array([[0, 0], [383, 0], [0, 287], [383, 287]]) - wide.principal_point_px
    rays = np.c_[corners / wide.lens.focal_length_px, np.ones(4)]
    seen = np.concatenate([ultrawide.project(rays * z) for z in (0.3, 1.0, 5.0)])
    span = seen.max(0) - seen.min(0)
    assert (seen.min(0) > 0.09 * span).all()
    assert (np.array(ultrawide.size) - 1 - seen.max(0) > 0.09 * span).all()
    baseline = np.linalg.norm(ultrawide.position_m)
    assert wide.lens.aperture_m / baseline == pytest.approx(0.25)


@pytest.mark.parametrize("kind", ["desk", "room", "terrace"])
def test_every_pixel_of_a_scene_shows_something(kind):
    for seed in range(1):
        scene = build_scene(seed, SceneOptions(size=(96, 72), kind=kind))
        truth = trace_truth(scene.world, scene.wide, scene.ultrawide)
        assert truth.depth_w_m.min() > 0.1
        assert 0 < truth.occluded_w.mean() < 0.7
        assert (
            0.15 < scene.wide.lens.aperture_m / np.linalg.norm(scene.ultrawide.position_m) <= 0.41
        )


def test_rounding_for_storage_is_harmless():
    scene = build_scene(2, SceneOptions(size=(96, 72), kind="terrace"))
    truth = trace_truth(scene.world, scene.wide, scene.ultrawide)
    stored = rounded(truth)
    finite = np.isfinite(truth.depth_w_m)
    np.testing.assert_array_equal(np.isfinite(stored.depth_w_m), finite)
    np.testing.assert_allclose(stored.depth_w_m[finite], truth.depth_w_m[finite], rtol=2.5e-4)
    assert np.abs(stored.flow_w_to_uw - truth.flow_w_to_uw).max() <= 1 / 128 + 1e-5
