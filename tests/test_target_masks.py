"""Masks: how they are read, what they do, and that feathering stops at depth edges."""

import base64
import io

import numpy as np
import pytest
import torch
from made_preprocessed import made_preprocessed
from PIL import Image
from torch.testing import assert_close

from dfnet.errors import InputError
from dfnet.optics import BlurLaw
from dfnet.targets import Aperture, FocusAt, Mask, Scene, make_target, painted
from dfnet.targets.masks import feather, read_mask

HEIGHT, WIDTH = 90, 120
NEAR_TO_PX = 60  # columns left of this lie near


def two_walls(height=HEIGHT, width=WIDTH):
    """Defocus -3 px on the left half, 1 px on the right; (1, H, W)."""
    disparity = torch.full((1, height, width), 4.0)
    disparity[..., : width // 2] = 20.0
    return disparity


def scene(**more):
    disparity = two_walls()
    law = BlurLaw(0.25, 8.0)
    maps = {"disparity_w_px": disparity, "defocus_w_px": 0.25 * (8 - disparity), "blur_law": law}
    return Scene(made_preprocessed(HEIGHT, WIDTH, **maps), torch.rand(3, HEIGHT, WIDTH), **more)


def quarter(dtype=np.uint8):
    """White in the upper half of the picture."""
    mask = np.zeros((HEIGHT, WIDTH), dtype)
    mask[:45] = 1 if dtype is bool else np.iinfo(dtype).max
    return mask


@pytest.fixture
def upper(tmp_path):
    Image.fromarray(quarter()).save(tmp_path / "upper, half.png")
    return str(tmp_path / "upper, half.png")


@pytest.mark.parametrize(
    ("steps", "white", "black"),
    [
        (lambda m: [Mask(m, "sharpen")], (0, 0), (-3, 1)),
        (lambda m: [Mask(m, "blur", 2)], (-5, 3), (-3, 1)),
        (lambda m: [Aperture(2), Mask(m, "protect")], (-3, 1), (-6, 2)),
        (lambda m: [Mask(m, "sharpen"), Aperture(2)], (0, 0), (-6, 2)),
        (lambda m: [FocusAt(90, 60), Mask(m, "blur", 2)], (-6, 2), (-4, 0)),
        (lambda m: [Mask(m, "sharpen"), Mask(m, "blur", 7)], (7, 7), (-3, 1)),
        (lambda m: [Mask(m, "sharpen"), FocusAt(90, 60)], (-4, 0), (-4, 0)),
    ],
)
def test_effects_by_hand(upper, steps, white, black):
    target = make_target(steps(upper), scene())
    assert target[0, [10, 10], [10, 110]].tolist() == pytest.approx(white)
    assert target[0, [80, 80], [10, 110]].tolist() == pytest.approx(black)


def test_gray_is_part_of_the_way():
    gray = painted(np.full((HEIGHT, WIDTH), 0.4))
    assert_close(make_target([Mask(gray, "sharpen")], scene())[0, 5, 5].item(), -3 * 0.6)


@pytest.mark.parametrize("mask", [quarter(), quarter(bool), quarter() / 255.0])
def test_what_is_painted_is_kept_in_the_step(mask):
    got = read_mask(painted(mask), (WIDTH, HEIGHT), (HEIGHT, WIDTH))
    assert torch.equal(got[0], torch.from_numpy(quarter() / 255).float())


@pytest.mark.parametrize("mode", ["L", "1", "RGB", "I;16"])
def test_masks_of_many_kinds(tmp_path, mode):
    if mode == "I;16":
        Image.fromarray(quarter(np.uint16)).save(tmp_path / "m.png")
    else:
        Image.fromarray(quarter()).convert(mode).save(tmp_path / "m.png")
    got = read_mask(str(tmp_path / "m.png"), (WIDTH, HEIGHT), (HEIGHT, WIDTH))
    assert got[0, [10, 80], 5].tolist() == [1, 0]


def test_a_mask_of_any_size_covers_the_frame():
    small = np.zeros((9, 12), np.uint8)
    small[:3] = 255
    got = read_mask(painted(small), (WIDTH, HEIGHT), (HEIGHT, WIDTH))
    assert got[0, [0, 20, 40, 89], 60].tolist() == [1, 1, 0, 0]
    large = np.zeros((4 * HEIGHT, 4 * WIDTH), np.uint8)
    large[: 4 * 30] = 255
    got = read_mask(painted(large), (WIDTH, HEIGHT), (HEIGHT, WIDTH))
    assert got[0, [0, 28, 31, 89], 60].tolist() == [1, 1, 0, 0]


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(InputError, match="the mask is 90x120, the photo 120x90"):
        read_mask(painted(quarter().T), (WIDTH, HEIGHT), (HEIGHT, WIDTH))


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_mask_is_refused(tmp_path, data):
    (tmp_path / "m.png").write_bytes(data)
    embedded = "data:image/png;base64," + base64.b64encode(data).decode()
    for source in (str(tmp_path / "m.png"), embedded, str(tmp_path / "gone.png")):
        with pytest.raises(InputError, match="cannot be read as a mask"):
            read_mask(source, (WIDTH, HEIGHT), (HEIGHT, WIDTH))


def test_a_huge_mask_is_refused_before_it_is_unpacked():
    buffer = io.BytesIO()
    Image.new("1", (40_000, 10_000)).save(buffer, "PNG")
    source = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    with pytest.raises(InputError, match="40000x10000 pixels is more than this tool takes"):
        read_mask(source, (WIDTH, HEIGHT), (HEIGHT, WIDTH))


@pytest.mark.parametrize("shape", [(3, 4, 5), (0, 4), (7,)])
def test_only_planes_can_be_painted(shape):
    with pytest.raises(InputError, match="its shape is"):
        painted(np.zeros(shape))


def test_an_unknown_effect_is_refused():
    with pytest.raises(InputError, match="'melt' is no effect"):
        Mask("m.png", "melt")
    with pytest.raises(InputError, match="blur: -1 is negative"):
        Mask("m.png", "blur", -1)


# --- feathering ---------------------------------------------------------------------------------


def test_no_feather_changes_nothing():
    mask = torch.from_numpy(quarter() / 255).float()[None]
    assert torch.equal(feather(mask, two_walls(), 0), mask)


def test_a_border_on_one_surface_becomes_a_ramp_of_about_the_asked_width():
    mask = torch.zeros(1, HEIGHT, WIDTH)
    mask[:, :45] = 1
    got = feather(mask, torch.full((1, HEIGHT, WIDTH), 7.0), 20)
    column = got[0, :, 30]
    assert (column.diff() <= 1e-6).all()
    assert column[[44, 45]].mean().item() == pytest.approx(0.5, abs=0.05)
    inside = ((column > 0.1) & (column < 0.9)).sum().item()
    assert 14 <= inside <= 30
    assert column[10] > 0.99
    assert column[80] < 0.01
    assert got.max() <= 1
    assert got[0, 2, 2] > 0.999  # the picture's corner is not darkened


def test_a_mask_of_one_surface_stops_at_its_edge():
    mask = (two_walls() > 10).float()
    got = feather(mask, two_walls(), 20)
    assert_close(got, mask, atol=1e-4, rtol=0)


def test_a_border_painted_beside_the_edge_moves_onto_it():
    mask = torch.zeros(1, HEIGHT, WIDTH)
    mask[..., : NEAR_TO_PX - 5] = 1  # a rim of the near wall was missed
    got = feather(mask, two_walls(), 30)
    assert got[0, 45, NEAR_TO_PX - 1] > 0.55  # and yet belongs to it
    assert got[0, 45, NEAR_TO_PX:].max() < 1e-4
    mask[..., : NEAR_TO_PX + 5] = 1  # or it ran over
    got = feather(mask, two_walls(), 30)
    assert got[0, 45, : NEAR_TO_PX - 1].min() > 0.999
    assert got[0, 45, NEAR_TO_PX] < 0.45


def test_what_lies_between_two_layers_is_no_third_surface():
    ramp = torch.linspace(4, 20, WIDTH).expand(1, HEIGHT, WIDTH).clone()
    mask = torch.zeros(1, HEIGHT, WIDTH)
    mask[:, 30:60] = 1
    got = feather(mask, ramp, 12)
    assert got[0, 45].std() < 0.01  # the same along the slope
    assert_close(got[0, 45].mean().item(), 1.0, atol=0.01, rtol=0)


def test_feathers_scale_with_a_preview():
    def upper_part(height, width):
        mask = torch.zeros(1, height, width)
        mask[:, : height // 2] = 1
        return mask

    full = feather(upper_part(4 * HEIGHT, 4 * WIDTH), torch.zeros(1, 4 * HEIGHT, 4 * WIDTH), 80)
    small = feather(upper_part(HEIGHT, WIDTH), torch.zeros(1, HEIGHT, WIDTH), 20)
    assert_close(small, full[:, 2::4, 2::4], atol=0.02, rtol=0)
    steps = [Mask(painted(upper_part(HEIGHT, WIDTH)[0].numpy()), "blur", 8, 80)]
    seen = make_target(steps, scene(photo_size=(4 * WIDTH, 4 * HEIGHT)))
    assert seen[0, 5, 110].item() == pytest.approx(1 + 8 / 4, abs=0.01)
    assert 1.1 < seen[0, 47, 110].item() < 2
