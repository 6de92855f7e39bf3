"""Stacks on disk: whole or absent, the same bytes again, and settings refused in time."""

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate
from torch.testing import assert_close

from dfnet.capture import load_capture
from dfnet.errors import InputError
from dfnet.io.images import read_image
from dfnet.render import stack as stack_module
from dfnet.render.pair import render_pair
from dfnet.render.scene import SceneOptions, build_scene
from dfnet.render.stack import StackOptions, focus_distances, render_stack
from dfnet.render.truth import rounded, trace_truth

SCENE = SceneOptions(size=(96, 72), kind="room")
STACK = StackOptions(slices=2, lens_samples=4, ultrawide_samples=2, sharp_samples=2, apertures=1)


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_stack_is_a_capture_with_truth(tmp_path):
    assert render_stack(3, tmp_path / "a b", SCENE, STACK)
    capture = load_capture(tmp_path / "a b")
    assert capture.load_wide(1).shape == (3, 72, 96)
    assert 0.02 < capture.load_clean_wide(0).mean() < 0.9
    truth = capture.load_truth()
    scene = build_scene(3, SCENE)
    expected = rounded(trace_truth(scene.world, scene.wide, scene.ultrawide))
    assert_close(truth.depth_w_m[0], torch.from_numpy(expected.depth_w_m))
    assert_close(truth.flow_w_to_uw, torch.from_numpy(expected.flow_w_to_uw))
    width, height = scene.ultrawide.size
    assert capture.load_ultrawide().shape == (3, height, width)
    assert capture.cameras["ultrawide"].position_m == pytest.approx(scene.ultrawide.position_m)
    defocus = capture.true_defocus_w_px(0, truth.depth_w_m)
    assert defocus.min() < 1 < defocus.max()


def test_the_same_seed_makes_the_same_bytes_at_one_and_two_threads(tmp_path):
    render_stack(3, tmp_path / "one", SCENE, STACK)
    two = StackOptions(**{**vars(STACK), "threads": 2})
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


def test_focus_distances_span_the_scene_evenly_in_dioptres():
    depth = 1 / np.linspace(0.5, 4.5, 1000).reshape(20, 50)
    found = 1 / np.array(focus_distances(depth, 5, np.random.default_rng(0)))
    assert (np.diff(found) < 0).all()
    np.testing.assert_allclose(found, np.linspace(4.4, 0.6, 5), atol=0.3)
    assert len(focus_distances(np.full((4, 4), np.inf), 1, np.random.default_rng(0))) == 1


def test_a_pair_of_photos_has_a_wider_ultrawide_without_gaps(tmp_path):
    render_pair(6, tmp_path, SceneOptions(size=(96, 72), kind="desk"), samples=4)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ultrawide.jpg", "wide.jpg"]
    wide, ultrawide = (read_image(tmp_path / f"{n}.jpg") for n in ("wide", "ultrawide"))
    assert wide.shape == ultrawide.shape == (3, 72, 96)
    assert (ultrawide.amax(0) < 0.02).float().mean() < 0.02
    # The middle two thirds of UW show W's view: more alike than UW as a whole.
    middle = interpolate(ultrawide[None, :, 12:60, 16:80], wide.shape[1:], mode="bilinear")[0]
    assert correlation(middle, wide) > correlation(ultrawide, wide) + 0.03


def correlation(a, b):
    return torch.corrcoef(torch.stack([a.mean(0).flatten(), b.mean(0).flatten()]))[0, 1]
