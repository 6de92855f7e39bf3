"""What the released network must do, whatever it was trained on."""

import pytest
import torch
from test_inference import a_pair, checkerboard, smooth_pair

from dfnet.inference import Refocuser, refocus
from dfnet.model import DFNet
from dfnet.model.released import RELEASED

pytestmark = pytest.mark.skipif(not RELEASED.is_dir(), reason="no weights are released yet")


@pytest.fixture(scope="module")
def released():
    return DFNet.from_pretrained()


def psnr(a, b):
    return float(-10 * (a - b).square().mean().log10())


def test_identity_keeps_the_photo_with_its_noise(released):
    image, maps = smooth_pair(160, 200)
    noisy = (image + 0.02 * torch.randn(image.shape)).clamp(0, 1)
    assert psnr(refocus(released, noisy, maps, maps.defocus_w_px, "cpu"), noisy) > 60


def test_a_checkerboard_given_20_px_of_blur_keeps_no_fine_texture(released):
    image, maps = checkerboard(160, 200), a_pair(160, 200)[1]
    maps.uw_on_w = image.clone()
    got = refocus(released, image, maps, torch.full((1, 160, 200), 20.0), "cpu")
    inner = got[:, 20:-20, 20:-20]
    assert float(inner.diff(dim=-1).abs().max()) < 4 / 255
    assert float(inner.diff(dim=-2).abs().max()) < 4 / 255


def test_a_smooth_gradient_stays_smooth(released):
    ramp = torch.linspace(0.2, 0.6, 600).expand(3, 96, 600).clone()
    _, maps = a_pair(96, 600)
    maps.uw_on_w, maps.defocus_w_px = ramp.clone(), torch.full((1, 96, 600), 6.0)
    got = refocus(released, ramp, maps, torch.zeros(1, 96, 600), "cpu")
    assert float(got.diff(dim=-1).abs().max()) < 1 / 255
    assert got[0, 48].mul(65535).round().unique().numel() > 256


def test_tiles_leave_no_seam(released):
    image, maps = smooth_pair(420, 300)
    target = torch.zeros(1, 420, 300)
    whole = Refocuser(released, "cpu", tile_px=1024)(image, maps, target).image_w
    tiled = Refocuser(released, "cpu", tile_px=272)(image, maps, target).image_w
    assert float((whole - tiled).abs().max()) < 1 / 255


def test_a_lamp_becomes_a_bright_disc_and_white_paper_does_not_glow(released):
    """A white dot and a white sheet before something dark, both blurred by 20 px."""
    torch.manual_seed(0)
    photo = 0.25 + 0.02 * torch.randn(3, 288, 384)
    photo[:, 79:82, 59:62] = 1.0
    photo[:, 180:250, 60:130] = 1.0
    photo = photo.clamp(0, 1)
    _, maps = a_pair(288, 384)
    maps.uw_on_w, maps.defocus_w_px = photo.clone(), torch.zeros(1, 288, 384)
    got = refocus(released, photo, maps, torch.full((1, 288, 384), 20.0), "cpu")
    assert float(got[:, 80, 60].min()) > 0.8
    assert float(got[:, 80, 60 + 14].max()) < 0.35  # beyond the disc
    assert float(got[:, 215, 130 + 14].max()) < 0.35  # beyond the sheet's blurred edge
