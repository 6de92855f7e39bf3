"""Target maps in files: formats, units, and what is refused."""

import cv2
import numpy as np
import pytest
import torch
from made_preprocessed import made_preprocessed
from torch.testing import assert_close

from dfnet import targets
from dfnet.errors import InputError
from dfnet.targets import MapFile

HEIGHT, WIDTH = 48, 64


def a_ramp():
    """Rises to the right; (1, 48, 64), from -6 to 6 px."""
    return torch.linspace(-6, 6, WIDTH).expand(1, HEIGHT, WIDTH).clone()


def test_a_written_map_reads_back(tmp_path):
    targets.write_map(a_ramp(), tmp_path / "map.npy")
    got = targets.read_map(tmp_path / "map.npy", (HEIGHT, WIDTH))
    assert torch.equal(got, a_ramp())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_levels_need_and_get_a_unit(tmp_path, dtype):
    path = tmp_path / "map.png"
    levels = np.full((HEIGHT, WIDTH), 100, dtype)
    levels[:, 40:] = 140
    cv2.imwrite(str(path), levels)
    with pytest.raises(InputError, match="Write map_levels=PX_PER_LEVEL,ZERO_LEVEL,map"):
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


def written_by(kind, path):
    values = a_ramp()[0].numpy()
    if kind == "tiff":
        cv2.imwrite(str(path), values)
    elif kind == "npy of doubles":
        np.save(path, values.astype(np.float64))
    else:
        exr = pytest.importorskip("OpenEXR", reason="the extra `exr` is not installed")
        pixels = values.astype(np.float16) if kind == "exr of halves" else values
        about = {"compression": exr.ZIP_COMPRESSION, "type": exr.scanlineimage}
        exr.File(about, {"Y": pixels}).write(str(path))


@pytest.mark.parametrize(
    ("kind", "name", "error"),
    [
        ("tiff", "m.tif", 0),
        ("npy of doubles", "m.npy", 0),
        ("exr", "m.exr", 0),
        ("exr of halves", "m.exr", 0.002),
    ],
)
def test_floats_are_pixels_whatever_holds_them(tmp_path, kind, name, error):
    written_by(kind, tmp_path / name)
    got = targets.read_map(tmp_path / name, (HEIGHT, WIDTH))
    assert_close(got, a_ramp(), atol=error, rtol=0)


def test_floats_can_be_levels_too(tmp_path):
    written_by("tiff", tmp_path / "m.tif")
    got = targets.read_map(tmp_path / "m.tif", (HEIGHT, WIDTH), px_per_level=0.5, zero_level=-6)
    assert_close(got, (a_ramp() + 6) / 2)


def test_colour_and_damaged_exr_are_refused(tmp_path):
    exr = pytest.importorskip("OpenEXR", reason="the extra `exr` is not installed")
    about = {"compression": exr.ZIP_COMPRESSION, "type": exr.scanlineimage}
    two = {name: np.zeros((HEIGHT, WIDTH), np.float32) for name in "AY"}
    exr.File(about, two).write(str(tmp_path / "m.exr"))
    with pytest.raises(InputError, match="its channels are A, Y; one is needed"):
        targets.read_map(tmp_path / "m.exr", (HEIGHT, WIDTH))
    (tmp_path / "m.exr").write_bytes(b"no exr")
    with pytest.raises(InputError, match="cannot be read as a target map"):
        targets.read_map(tmp_path / "m.exr", (HEIGHT, WIDTH))


def test_a_file_that_claims_to_be_larger_than_it_is_fills_no_memory(tmp_path):
    np.save(tmp_path / "m.npy", np.zeros((4, 4), np.float32))
    data = (tmp_path / "m.npy").read_bytes().replace(b"(4, 4), ", b"(4000000, 4000000), ", 1)
    (tmp_path / "m.npy").write_bytes(data)
    with pytest.raises(InputError, match="cannot be read as a target map"):
        targets.read_map(tmp_path / "m.npy", (HEIGHT, WIDTH))


def test_a_map_of_the_full_photo_serves_its_preview(tmp_path):
    np.save(tmp_path / "m.npy", np.full((4 * HEIGHT, 4 * WIDTH), 6.0, np.float32))
    scene = targets.Scene(
        made_preprocessed(HEIGHT, WIDTH),
        torch.zeros(3, HEIGHT, WIDTH),
        photo_size=(4 * WIDTH, 4 * HEIGHT),
    )
    target = targets.make_target([MapFile(str(tmp_path / "m.npy"))], scene)
    assert_close(target, torch.full((1, HEIGHT, WIDTH), 1.5))
    np.save(tmp_path / "m.npy", np.zeros((HEIGHT, WIDTH), np.float32))
    with pytest.raises(InputError, match="the map is 64x48, the wide photo 256x192"):
        targets.make_target([MapFile(str(tmp_path / "m.npy"))], scene)
