"""What moves between the exposures: the world, the truth and the pictures agree about it."""

import numpy as np
import pytest
from render_worlds import DARK, camera, facing_quad, glow, psnr_warped, smooth_world

from dfnet.render.builder import WorldBuilder
from dfnet.render.cameras import rotation_matrix
from dfnet.render.effects import CameraEffects
from dfnet.render.motion import Motion, draw_motion
from dfnet.render.rig import crop_covering
from dfnet.render.scene import SceneOptions, build_scene
from dfnet.render.truth import trace_truth

BALL = 2  # of `smooth_world`


def test_a_shifted_card_is_where_it_was_shifted_to():
    # By hand: at 0.5 m 1 mm is 2 px; UW sits 6 mm to the right, so the card shows 12 px left of W.
    builder = WorldBuilder()
    facing_quad(builder, (0, 0, 2.0), (3, 3), glow(builder))
    facing_quad(builder, (0, 0, 0.5), (0.005, 0.005), glow(builder))
    moved = np.array([False, True])
    motion = Motion(moved, np.eye(3), np.array([0.001, -0.0015, 0.0]))
    ultrawide = camera((120, 80), position_m=(0.006, 0, 0), principal=(60.0, 40.0))
    wide = camera((48, 48))
    world = builder.build(DARK)
    truth = trace_truth(world, wide, ultrawide, motion)
    # The pixel at W's middle sees the card; the flow also holds the crops' different middles.
    flow = truth.flow_w_to_uw - (np.array([60.0, 40.0]) - 23.5).reshape(2, 1, 1)
    np.testing.assert_allclose(flow[:, 23, 23], [-12 + 2, -3], atol=1e-4)
    np.testing.assert_allclose(flow[:, 2, 2], [-3, 0], atol=1e-4)
    np.testing.assert_allclose(truth.depth_w_m[23, 23], 0.5, rtol=1e-6)  # depth is W's own
    # The card, 20 px wide, hides from UW what it has come to lie before: on the wall, 3 px of
    # baseline shift away, columns 13.5 - 9 + 2 = 6.5 to 26.5, of which W itself sees the first 7.
    row = truth.occluded_w[23]
    assert row[:7].sum() == 0
    assert row[7:14].all()
    assert not row[14:].any()
    at_rest = trace_truth(world, wide, ultrawide)
    assert at_rest.occluded_w[23, 5:14].all()


def test_truth_follows_a_ball_that_rolls_between_the_exposures():
    world, wide = smooth_world(np.random.default_rng(8)), camera((192, 144))
    centre = world.geometry.bound[BALL, :3]
    turn = rotation_matrix((0.02, 0.03, -0.05))
    shift = np.array([4.0, 3.0, 0.0]) * 0.65 / 1000
    motion = Motion(np.arange(4) == BALL, turn, centre - turn @ centre + shift)
    uncropped = camera((1, 1), position_m=(0.002, 0.014, -0.001), rotation=(0.006, -0.004, 0.008))
    ultrawide = crop_covering(uncropped, wide, (0.5, 2.5), margin=0.1)
    after = motion.of_world(world)
    truth = trace_truth(world, wide, ultrawide, motion)
    psnr, mixed = psnr_warped(truth, world, wide, ultrawide, after)
    ball = truth.depth_w_m < 0.72
    ball[:, 80:] = False  # floor and box
    assert psnr(ball & ~mixed) > 45
    at_rest = trace_truth(world, wide, ultrawide)
    psnr, _ = psnr_warped(at_rest, world, wide, ultrawide, after)
    assert psnr(ball & ~mixed) < 35


def test_a_motion_moves_a_thing_by_the_pixels_asked_for():
    effects = CameraEffects(moved_probability=1.0, moved_px=(5.0, 5.0), moved_turn_deg=(2.0, 2.0))
    scene = build_scene(20, SceneOptions(size=(96, 72), effects=CameraEffects.none()))
    assert scene.motion is None
    assert scene.at_ultrawide() is scene
    motion = draw_motion(np.random.default_rng(1), scene.world, scene.wide, effects)
    bound = scene.world.geometry.bound[motion.moved]
    assert 0 < motion.moved.sum() < 0.5 * motion.moved.size
    after = motion.of_points(bound[:, :3], np.flatnonzero(motion.moved))
    pixels = np.linalg.norm(scene.wide.project(after) - scene.wide.project(bound[:, :3]), axis=1)
    assert pixels.min() == pytest.approx(5 * 96 / 384, rel=0.3)  # others turn about the first one
    angle = np.rad2deg(np.arccos((np.trace(motion.rotation) - 1) / 2))
    assert angle == pytest.approx(2.0)
    world = motion.of_world(scene.world)
    np.testing.assert_allclose(world.geometry.bound[motion.moved, :3], after)
    still = ~motion.moved
    before = scene.world.geometry.to_local
    np.testing.assert_array_equal(world.geometry.to_local[still], before[still])
    assert world.textures is scene.world.textures


def test_motion_is_as_frequent_as_told():
    scene = build_scene(20, SceneOptions(size=(96, 72), effects=CameraEffects.none()))
    effects = CameraEffects(moved_probability=0.3)
    drawn = [
        draw_motion(np.random.default_rng(k), scene.world, scene.wide, effects) for k in range(60)
    ]
    assert 0.15 < np.mean([m is not None for m in drawn]) < 0.45
