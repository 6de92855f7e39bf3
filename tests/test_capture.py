import dataclasses
import json
import math

import cv2
import numpy as np
import pytest
import torch
from made_stack import make_stack
from torch.testing import assert_close

from dfnet.camera import Camera, camera_from_json, radial_map
from dfnet.capture import Capture, find_captures, load_capture, save_capture
from dfnet.errors import InputError
from dfnet.photo import CLEAN, srgb_from_linear
from dfnet.training.stacks import load_stack

FOCUS_M = (0.5, 2.0)


@pytest.fixture
def stack(tmp_path):
    return make_stack(tmp_path / "stack", FOCUS_M)


def edit(folder, **changes):
    """Change fields of the metadata; `...` takes one out."""
    path = folder / "capture.json"
    record = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in record.items() if v is not ...}))


def test_a_stack_reads_as_documented(stack):
    capture = load_capture(stack)
    assert capture.wide == ("wide_00.png", "wide_01.png")
    assert capture.focus_distance_m == FOCUS_M
    assert capture.cameras["wide"].f_number == 2.0
    height, width = capture.load_wide().shape[1:]
    truth = capture.load_truth()
    assert truth.depth_w_m.shape == truth.occluded_w.shape == (1, height, width)
    assert truth.flow_w_to_uw.shape == (2, height, width)
    assert truth.occluded_w.dtype == torch.bool
    assert capture.load_ultrawide(1).shape[0] == 3


def test_saving_and_loading_returns_the_same(stack):
    edit(stack, apertures=[{"file": "aperture_00.png", "slice": 1, "scale": 0.5}])
    capture = load_capture(stack)
    assert capture.apertures[0].scale == 0.5
    save_capture(capture)
    assert load_capture(stack) == capture


def test_defocus_is_zero_on_the_focused_plane_and_signed_beside_it(stack):
    capture = load_capture(stack)
    depth = torch.tensor([[[0.5, 2.0]]])
    near, far = (capture.true_defocus_w_px(i, depth) for i in (0, 1))
    assert_close(near[0, 0, 0].item(), 0.0, atol=1e-4, rtol=0)
    assert near[0, 0, 1] > 1
    assert far[0, 0, 0] < -1


def test_sqrt_linear_files_are_developed(tmp_path):
    """v = 0.25 stands for radiance 4 * 0.25² = 0.25."""
    level = np.full((64, 64, 3), round(0.25 * 65535), np.uint16)
    cv2.imwrite(str(tmp_path / "w.png"), level)
    capture = Capture(tmp_path, ("w.png",), encoding="sqrt_linear", photo=CLEAN)
    want = srgb_from_linear(torch.tensor(0.25)).item()
    assert capture.load_clean_wide()[0, 0, 0].item() == pytest.approx(want, abs=1e-4)


def test_noise_repeats_by_slice_and_differs_between_slices_cameras_and_scenes(tmp_path):
    cv2.imwrite(str(tmp_path / "w.png"), np.full((64, 64, 3), 20_000, np.uint16))
    capture = Capture(tmp_path, ("w.png", "w.png"), ("w.png",), encoding="sqrt_linear")
    assert torch.equal(capture.load_wide(0), capture.load_wide(0))
    assert not torch.equal(capture.load_wide(0), capture.load_wide(1))
    assert not torch.equal(capture.load_wide(0), capture.load_ultrawide(0))
    other = dataclasses.replace(capture, origin={"seed": 5})
    assert not torch.equal(capture.load_wide(0), other.load_wide(0))
    assert torch.equal(other.load_wide(0), dataclasses.replace(other).load_wide(0))


def test_one_look_for_all_slices_of_a_scene_and_its_targets(tmp_path):
    """Flat pictures: exposure and tone of a noisy photo are those of the target, slice by slice."""
    cv2.imwrite(str(tmp_path / "w.png"), np.full((64, 64, 3), 20_000, np.uint16))
    capture = Capture(tmp_path, ("w.png", "w.png"), encoding="sqrt_linear")
    means = []
    for seed in range(6):
        scene = dataclasses.replace(capture, origin={"seed": seed})
        want = scene.load_clean_wide(0)
        assert float(want.std()) < 1e-6
        assert torch.equal(want, scene.load_clean_wide(1))
        for index in (0, 1):
            assert scene.load_wide(index).mean().item() == pytest.approx(
                want.mean().item(), abs=3e-3
            )
        means.append(want.mean().item())
    assert np.std(means) > 0.02  # exposures differ between scenes


def test_the_look_follows_the_seed_and_not_the_folder(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "w.png"), np.full((64, 64, 3), 20_000, np.uint16))
    a, b = (Capture(tmp_path / n, ("w.png",), encoding="sqrt_linear") for n in ("a", "b"))
    assert not torch.equal(a.load_wide(), b.load_wide())
    a, b = (dataclasses.replace(c, origin={"seed": 3}) for c in (a, b))
    assert torch.equal(a.load_wide(), b.load_wide())


def test_photos_of_a_phone_are_passed_through(tmp_path):
    cv2.imwrite(str(tmp_path / "w.png"), np.full((64, 64, 3), 77, np.uint8))
    capture = Capture(tmp_path, ("w.png",), ("w.png",))
    for image in (capture.load_wide(), capture.load_ultrawide(), capture.load_clean_wide()):
        assert_close(image, torch.full((3, 64, 64), 77 / 255))


def test_radial_map_is_zero_in_the_middle_and_one_in_the_corner():
    radial = radial_map(61, 81)
    assert radial.shape == (1, 61, 81)
    assert radial[0, 30, 40] == 0
    assert radial[0, 0, 0].item() == pytest.approx(1.0, rel=0.02)


def test_a_crop_keeps_the_radial_map_of_its_frame():
    full = radial_map(60, 80)
    crop = Camera(principal_point_px=(39.5 - 50, 29.5 - 20), full_frame_px=(80, 60))
    assert_close(radial_map(40, 30, crop), full[:, 20:60, 50:80])


def test_camera_units_are_converted():
    camera = camera_from_json({"focal_length_mm": 6.8, "pixel_pitch_um": 2.0}, "here")
    assert camera.focal_length_m == pytest.approx(0.0068)
    assert camera.focal_length_px == pytest.approx(3400)


def test_a_camera_not_known_well_enough_has_no_lens():
    assert Camera(f_number=2.0).lens(1.0) is None
    assert Camera(0.005, 2.0, 4000.0).lens(1.0).aperture_m == pytest.approx(0.0025)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"focal": 5}, "unknown field focal"),
        ({"f_number": -2}, "f_number is -2"),
        ({"focal_length_px": math.inf}, "focal_length_px is inf"),
    ],
)
def test_impossible_cameras_are_refused(record, message):
    with pytest.raises(InputError, match=message):
        camera_from_json(record, "here")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"wide": []}, "`wide` names no file"),
        ({"wide": ...}, "not a usable capture description"),
        ({"ultrawide": ["a", "b", "c"]}, "3 ultrawide for 2 wide"),
        ({"encoding": "log"}, "encoding is `log`"),
        ({"focus_distance_m": [0.5]}, "1 focus distances for 2"),
        ({"apertures": [{"file": "a", "slice": 2, "scale": 0.5}]}, "slice 2, scale 0.5"),
        ({"apertures": [{"file": "a", "slice": 0, "scale": 0}]}, "slice 0, scale 0"),
        ({"apertures": [{"file": "a"}]}, "not a usable capture description"),
        ({"format": 9}, "not of format 1"),
        ({"format": ...}, "not a usable capture description"),
        ({"lens": "big"}, "not a usable capture description"),
        ({"photo": {}}, "not a usable capture description"),
        ({"cameras": {"wide": {"f": 1}}}, "camera wide: unknown field f"),
        ({"cameras": {"wide": 3}}, "not a usable capture description"),
        ({"cameras": {"wide": {"f_number": "two"}}}, "f_number|not a usable"),
    ],
)
def test_broken_metadata_is_refused_by_name(stack, changes, message):
    edit(stack, **changes)
    with pytest.raises(InputError, match=message):
        load_capture(stack)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"x"', "\x00\xff"])
def test_metadata_that_is_no_description_is_refused(stack, text):
    (stack / "capture.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"capture\.json"):
        load_capture(stack)


def test_what_is_missing_is_said(stack, tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_capture(tmp_path)
    with pytest.raises(InputError, match=r"no folder with a capture\.json"):
        find_captures(tmp_path / "nowhere")
    edit(stack, ultrawide=[], truth=None, focus_distance_m=None)
    capture = load_capture(stack)
    with pytest.raises(InputError, match="no `ultrawide`"):
        capture.load_ultrawide()
    with pytest.raises(InputError, match="no `truth`"):
        capture.load_truth()
    with pytest.raises(InputError, match="needs `focus_distance_m`"):
        capture.true_defocus_w_px(0, torch.ones(1, 2, 2))


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut short"])
def test_broken_geometry_is_refused(stack, content):
    (stack / "truth/geometry.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"geometry\.npz: cannot be read"):
        load_capture(stack).load_truth()


def test_what_lamps_shine_is_read_and_reaches_training(stack):
    assert load_capture(stack).load_truth().beyond_white_level is None
    light = np.zeros((3, 80, 112), np.float16)
    light[1, 40, 50] = 300.0
    np.savez_compressed(stack / "truth/beyond_white_level.npz", beyond_white_level=light)
    truth = json.loads((stack / "capture.json").read_text())["truth"]
    edit(stack, truth=truth | {"beyond_white_level": "truth/beyond_white_level.npz"})
    found = load_capture(stack).load_truth().beyond_white_level
    assert found[1, 40, 50] == 300
    assert found.sum() == 300
    assert torch.equal(load_stack(stack, use_estimated=False).beyond_white_level, found)
    (stack / "truth/beyond_white_level.npz").write_bytes(b"")
    with pytest.raises(InputError, match=r"beyond_white_level\.npz: cannot be read"):
        load_capture(stack).load_truth()


def test_captures_are_found_at_any_depth_in_order(tmp_path):
    for name in ("b/x", "a", ".partial-7-c"):  # the last is still being rendered
        make_stack(tmp_path / name, FOCUS_M)
    assert find_captures(tmp_path) == [tmp_path / "a", tmp_path / "b" / "x"]
    assert find_captures(tmp_path / "a") == [tmp_path / "a"]
