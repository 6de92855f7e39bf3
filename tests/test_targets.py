import math

import cv2
import numpy as np
import pytest
import torch
from torch.testing import assert_close

from dfnet import targets
from dfnet.targets import maps
from dfnet.errors import InputError
from dfnet.optics import BlurLaw, Lens, defocus_from_disparity, signed_defocus_px

HEIGHT, WIDTH = 48, 64


def a_ramp():
    """Rises to the right; (1, 48, 64), from -6 to 6 px."""
    return torch.linspace(-6, 6, WIDTH).expand(1, HEIGHT, WIDTH).clone()


def test_all_in_focus_is_zero_everywhere():
    assert_close(maps.all_in_focus(a_ramp()), torch.zeros(1, HEIGHT, WIDTH))


def test_refocusing_equals_the_blur_law_with_another_focus():
    disparity = torch.rand(1, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0)) * 40
    disparity[:, 10:30, 20:50] = 12.5
    law = BlurLaw(defocus_per_disparity=0.22, disparity_at_focus_px=31.0)
    wanted = defocus_from_disparity(disparity, BlurLaw(0.22, 12.5))
    got = maps.refocus_at(defocus_from_disparity(disparity, law), (35, 20))
    assert_close(got, wanted, atol=1e-5, rtol=0)


def test_refocusing_on_something_nearer_makes_the_rest_beyond_focus():
    depth_m = torch.full((1, HEIGHT, WIDTH), 3.0)
    depth_m[:, :, :32] = 0.8
    defocus = signed_defocus_px(depth_m, Lens(0.0068, 2800.0, 1.85, 3.0))
    target = maps.refocus_at(defocus, (10, 20))
    assert (target[:, :, :32] == 0).all()
    assert (target[:, :, 32:] > 1).all()


def test_point_is_x_then_y():
    defocus = torch.zeros(1, HEIGHT, WIDTH)
    defocus[:, 5:20, 40:60] = 3.0  # y around 12, x around 50
    assert float(maps.refocus_at(defocus, (50, 12))[0, 0, 0]) == -3.0


def test_one_wild_pixel_under_the_click_changes_nothing():
    defocus = torch.full((1, HEIGHT, WIDTH), 2.0)
    defocus[0, 20, 30] = 500.0
    assert float(maps.refocus_at(defocus, (30, 20))[0, 0, 0]) == 0.0


@pytest.mark.parametrize("corner", [(0, 0), (WIDTH - 1, HEIGHT - 1)])
def test_corners_can_be_clicked(corner):
    assert_close(maps.refocus_at(torch.ones(1, HEIGHT, WIDTH), corner).abs().max().item(), 0.0)


def test_aperture_multiplies_the_blur():
    assert_close(maps.aperture(a_ramp(), 1.5), a_ramp() * 1.5)


def test_a_written_map_reads_back(tmp_path):
    targets.write_map(a_ramp(), tmp_path / "map.npy")
    got = targets.read_map(tmp_path / "map.npy", (HEIGHT, WIDTH))
    assert got.dtype == torch.float32
    assert_close(got, a_ramp(), atol=0.003, rtol=0)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_levels_need_and_get_a_unit(tmp_path, dtype):
    path = tmp_path / "map.png"
    levels = np.full((HEIGHT, WIDTH), 100, dtype)
    levels[:, 40:] = 140
    cv2.imwrite(str(path), levels)
    with pytest.raises(InputError, match="map_px_per_level"):
        targets.read_map(path, (HEIGHT, WIDTH))
    got = targets.read_map(path, (HEIGHT, WIDTH), px_per_level=0.25, zero_level=120)
    assert_close(got[0, 0, [0, -1]], torch.tensor([-5.0, 5.0]))


@pytest.mark.parametrize("layout", [(1, HEIGHT, WIDTH), (HEIGHT, WIDTH, 1)])
def test_a_spare_axis_is_dropped(tmp_path, layout):
    np.save(tmp_path / "m.npy", np.ones(layout, np.float32))
    assert targets.read_map(tmp_path / "m.npy", (HEIGHT, WIDTH)).shape == (1, HEIGHT, WIDTH)


def broken_maps():
    good = np.zeros((HEIGHT, WIDTH), np.float32)
    nan, huge = good.copy(), good.copy()
    nan[3, 4] = np.nan
    huge[3, 4] = -100.0
    return {
        "nan": (nan, "1 of the map's values are NaN"),
        "wrong size": (good.T, "the map is 48x64, the wide photo 64x48"),
        "colour": (np.zeros((HEIGHT, WIDTH, 3), np.float32), r"its shape is \(48, 64, 3\); colour"),
        "absurd": (huge, r"100 px wide; the limit here is 16"),
        "text": (np.array(["a"]), "cannot be read as a target map"),
        "pickle": (np.array([{}]), "cannot be read as a target map"),
    }


@pytest.mark.parametrize("name", broken_maps())
def test_broken_maps_are_refused(tmp_path, name):
    values, message = broken_maps()[name]
    np.save(tmp_path / "map.npy", values, allow_pickle=True)
    with pytest.raises(InputError, match=message):
        targets.read_map(tmp_path / "map.npy", (HEIGHT, WIDTH))


@pytest.mark.parametrize("name", ["empty.npy", "empty.png", "garbage.npy", "garbage.png"])
def test_files_that_are_no_map_are_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"" if "empty" in name else b"not a map at all")
    with pytest.raises(InputError, match="cannot be read as a target map"):
        targets.read_map(tmp_path / name, (HEIGHT, WIDTH))


def test_a_missing_map_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        targets.read_map(tmp_path / "nowhere.npy", (HEIGHT, WIDTH))
