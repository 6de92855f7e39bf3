"""Stacks on disk: whole or absent, the same bytes again, and settings refused in time."""

import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from render_worlds import camera
from test_render_blur import empty_world, moments
from torch.testing import assert_close

from dfnet.capture import load_capture
from dfnet.errors import InputError
from dfnet.io.images import read_image
from dfnet.optics import signed_defocus_px
from dfnet.render import stack as stack_module
from dfnet.render.lights import add_lights
from dfnet.render.pair import WIDER, render_pair
from dfnet.render.scene import SceneOptions, build_scene
from dfnet.render.stack import (
    StackOptions,
    draw_apertures,
    focus_distances,
    render_stack,
    with_aperture,
)
from dfnet.render.trace import ray_through, view_of
from dfnet.render.truth import rounded, trace_truth

SCENE = SceneOptions(size=(128, 112), kind="room")
STACK_OF_SIX = StackOptions(slices=6)
STACK = StackOptions(slices=2, lens_samples=4, ultrawide_samples=2, sharp_samples=2, apertures=1)


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_stack_is_a_capture_with_truth(tmp_path):
    assert render_stack(3, tmp_path / "a b", SCENE, STACK)
    capture = load_capture(tmp_path / "a b")
    assert capture.load_wide(1).shape == (3, 112, 128)
    assert 0.02 < capture.load_clean_wide(0).mean() < 0.9
    truth = capture.load_truth()
    scene = build_scene(3, SCENE)
    expected = rounded(trace_truth(scene.world, scene.wide, scene.ultrawide, scene.motion))
    assert_close(truth.depth_w_m[0], torch.from_numpy(expected.depth_w_m))
    assert_close(truth.flow_w_to_uw, torch.from_numpy(expected.flow_w_to_uw))
    width, height = scene.ultrawide.size
    assert capture.load_ultrawide().shape == (3, height, width)
    assert capture.cameras["ultrawide"].position_m == pytest.approx(scene.ultrawide.position_m)
    defocus = capture.true_defocus_w_px(0, truth.depth_w_m)
    lens = scene.wide.focused_at(capture.focus_distance_m[0]).lens
    assert_close(defocus, signed_defocus_px(truth.depth_w_m, lens))
    assert defocus.min() < 0 < defocus.max()


def test_what_lamps_shine_beyond_the_file_s_range_is_kept(tmp_path):
    """Together with the file it is all the light that a pinhole camera gets."""
    scene = build_scene(3, SCENE)
    origin, direction = ray_through(view_of(scene.wide, 1, pinhole=True), 64, 56, 0.0, 0.0)
    lamp = [*(np.array(origin) + 0.1 * np.array(direction)), 5e-4, 1.5, 1.0, 0.5]
    light = []
    for name, lamps in (("dark", np.zeros((0, 7))), ("lit", np.array([lamp]))):
        (tmp_path / name / "truth").mkdir(parents=True)
        stack_module._fill(tmp_path / name, 3, replace(scene, lamps=lamps), STACK)
        capture = load_capture(tmp_path / name)
        stored = read_image(tmp_path / name / capture.truth["all_in_focus"])
        beyond = capture.load_truth().beyond_white_level.float()
        assert (stored[beyond > 0] > 0.99).all()
        light.append((4 * stored.square() + beyond)[:, 50:62, 58:70].sum(dim=(1, 2)))
    lamp_s = light[1] - light[0]
    assert lamp_s[1] > 100
    assert_close(lamp_s / lamp_s[1], torch.tensor([1.5, 1.0, 0.5]), atol=0.02, rtol=0)


def test_an_aperture_picture_is_its_slice_through_another_aperture(tmp_path, monkeypatch):
    monkeypatch.setattr(stack_module, "APERTURE_SCALES", (1.0, 1.0))
    two = replace(STACK, apertures=2)
    render_stack(3, tmp_path / "same", SCENE, two)
    pictures = load_capture(tmp_path / "same").apertures
    assert sorted(picture.slice for picture in pictures) == [0, 1]
    for picture in pictures:
        files = (picture.file, f"wide_{picture.slice:02d}.png")
        own, of_slice = ((tmp_path / "same" / name).read_bytes() for name in files)
        assert own == of_slice


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_blur_is_proportional_to_the_aperture(scale):
    focus_m, depth_m = 0.3, 1.2
    wide = camera((80, 72), focus_m)
    diameters = []
    for taken in (wide, with_aperture(wide, scale)):
        image = np.zeros((3, 72, 80), np.float32)
        lamp = np.array([[0.003 * depth_m, -0.002 * depth_m, depth_m, 2e-6, 1.0, 1.0, 1.0]])
        add_lights(empty_world(), view_of(taken, samples=1), lamp, image)
        _, _, _, spread = moments(image)
        diameters.append(4 * np.sqrt(spread - 1 / 12))  # of an evenly bright disc
    assert diameters[1] == pytest.approx(scale * diameters[0], rel=0.05)
    depth = torch.tensor(depth_m)
    defocus = [float(signed_defocus_px(depth, c.lens)) for c in (wide, with_aperture(wide, scale))]
    assert defocus[1] == pytest.approx(scale * defocus[0])
    assert diameters[1] == pytest.approx(defocus[1], rel=0.05)


def test_apertures_are_even_in_their_logarithm_and_slices_do_not_repeat():
    drawn = [draw_apertures(STACK_OF_SIX, np.random.default_rng(seed)) for seed in range(400)]
    scales = np.array([picture.scale for pictures in drawn for picture in pictures])
    assert scales.min() >= 0.25
    assert scales.max() <= 2.5
    # Quartiles of a decade from 0.25: 10^0.25 apart; 800 draws are within about 3 %.
    np.testing.assert_allclose(
        np.percentile(scales, [25, 50, 75]), [0.4446, 0.7906, 1.406], rtol=0.1
    )
    slices = [[picture.slice for picture in pictures] for pictures in drawn]
    assert all(len(set(pair)) == 2 for pair in slices)
    assert {k for pair in slices for k in pair} == set(range(6))
    assert len(draw_apertures(StackOptions(slices=1), np.random.default_rng(0))) == 2
    assert draw_apertures(StackOptions(apertures=0), np.random.default_rng(0)) == ()


def test_the_same_seed_makes_the_same_bytes_at_one_and_two_threads(tmp_path):
    render_stack(3, tmp_path / "one", SCENE, STACK)
    two = replace(STACK, threads=2)
    render_stack(3, tmp_path / "two", SCENE, two)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_broken_off_scene_leaves_nothing_and_is_made_later(tmp_path, monkeypatch):
    calls = []

    def break_off(*args):
        calls.append(args)
        if len(calls) == 2:  # after the all-in-focus picture
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stack_module, "_write_radiance", break_off)
        with pytest.raises(KeyboardInterrupt):
            render_stack(3, tmp_path / "scene", SCENE, STACK)
    assert list(tmp_path.iterdir()) == []
    assert render_stack(3, tmp_path / "scene", SCENE, STACK)
    before = contents(tmp_path / "scene")
    assert not render_stack(3, tmp_path / "scene", SCENE, STACK)
    assert contents(tmp_path / "scene") == before


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        render_stack(3, tmp_path / "file" / "scene", SCENE, STACK)


def test_a_scene_that_another_process_finished_first_is_left_alone(tmp_path, monkeypatch):
    fill = stack_module._fill

    def overtaken(folder, *args):
        fill(folder, *args)
        shutil.copytree(folder, tmp_path / "scene")
        (tmp_path / "scene" / "first").touch()

    monkeypatch.setattr(stack_module, "_fill", overtaken)
    assert not render_stack(3, tmp_path / "scene", SCENE, STACK)
    assert [p.name for p in tmp_path.iterdir()] == ["scene"]
    assert (tmp_path / "scene" / "first").exists()


def test_focus_distances_span_the_scene_evenly_in_dioptres():
    depth = 1 / np.linspace(0.5, 4.5, 1000).reshape(20, 50)
    found = 1 / np.array(focus_distances(depth, 5, np.random.default_rng(0)))
    assert (np.diff(found) < 0).all()
    np.testing.assert_allclose(found, np.linspace(4.4, 0.6, 5), atol=0.3)
    assert focus_distances(np.full((4, 4), np.inf), 1, np.random.default_rng(0)) == [1e4]


def test_a_pair_of_photos_has_a_wider_ultrawide_without_gaps(tmp_path):
    render_pair(3, tmp_path, SceneOptions(size=(128, 96), kind="desk"), samples=4)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ultrawide.jpg", "wide.jpg"]
    wide, ultrawide = (read_image(tmp_path / f"{n}.jpg") for n in ("wide", "ultrawide"))
    assert wide.shape == ultrawide.shape == (3, 96, 128)
    assert (ultrawide.amax(0) < 0.02).float().mean() < 0.02
    # W's middle is found in UW at two thirds of its size, and nothing like it at its own size.
    assert best_match(wide, ultrawide, 1 / WIDER) > best_match(wide, ultrawide, 1.0) + 0.3


def best_match(image, inside, scale):
    """Largest correlation of the middle of `image`, resized, with any place of `inside`."""
    image, inside = (picture.mean(0).numpy() for picture in (image, inside))
    resized = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    y, x = (n // 4 for n in resized.shape)
    return cv2.matchTemplate(inside, resized[y:-y, x:-x], cv2.TM_CCOEFF_NORMED).max()
