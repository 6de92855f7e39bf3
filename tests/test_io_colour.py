"""Colour profiles: hand-computed values, and LittleCMS as the slow twin."""

import io
import struct

import cv2
import numpy as np
import pytest
import torch
from made_profile import DISPLAY_P3, RED_IN_P3, parametric, profile, table
from PIL import Image, ImageCms

from dfnet.io.colour import colours_of, srgb_profile
from dfnet.io.images import read_image
from dfnet.io.photo_files import read_photo, write_photo

SIDE = 64
GAMMA_1_8 = table(round(1.8 * 256))
CURVE = table(*(round(65535 * (k / 99) ** 2.1) for k in range(100)))
# Adobe RGB (1998), adapted to D50, as its specification lists the colorants.
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))


def save(path, pixels, icc, **options):
    Image.fromarray(pixels).save(path, icc_profile=icc, **options)
    return path


def flat(colour, dtype=np.uint8):
    return np.full((SIDE, SIDE, 3), colour, dtype)


def test_display_p3_becomes_srgb_and_is_written_back(tmp_path):
    pixels = flat(128)
    pixels[:32] = RED_IN_P3
    photo = read_photo(save(tmp_path / "p3.png", pixels, profile()))
    assert torch.allclose(photo.image[:, 5, 5], torch.tensor([1.0, 0, 0]), atol=0.012)
    assert torch.allclose(photo.image[:, 40, 5], torch.full((3,), 128 / 255), atol=1e-4)
    write_photo(photo.image, tmp_path / "out.png", metadata=photo.metadata)
    with Image.open(tmp_path / "out.png") as out:
        assert out.info["icc_profile"] == profile()
        assert np.abs(np.asarray(out)[5, 5].astype(int) - RED_IN_P3).max() <= 1
        assert (np.asarray(out)[40, 5] == 128).all()


def test_srgb_photos_pass_unchanged_and_are_tagged(tmp_path):
    pixels = np.arange(SIDE * SIDE * 3, dtype=np.uint32).astype(np.uint8).reshape(SIDE, SIDE, 3)
    for name, icc in (("tagged.png", srgb_profile()), ("plain.png", None)):
        photo = read_photo(save(tmp_path / name, pixels, icc))
        want = torch.from_numpy(pixels.transpose(2, 0, 1) / np.float32(255))
        assert torch.equal(photo.image, want)
        write_photo(photo.image, tmp_path / "out.png", metadata=photo.metadata)
        with Image.open(tmp_path / "out.png") as out:
            assert (np.asarray(out) == pixels).all()
            name = ImageCms.getProfileDescription(
                ImageCms.ImageCmsProfile(io.BytesIO(out.info["icc_profile"]))
            )
            assert "sRGB" in name


def test_the_tag_is_the_same_on_every_day():
    assert srgb_profile()[24:36] == struct.pack(">6H", 2000, 1, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("primaries", "curve"),
    [
        (DISPLAY_P3, None),
        (ADOBE, parametric(0, 2.19921875)),
        (DISPLAY_P3, GAMMA_1_8),
        (DISPLAY_P3, CURVE),
        (DISPLAY_P3, parametric(4, 2.2, 0.9, 0.08, 0.25, 0.05, 0.01, 0.005)),
        (DISPLAY_P3, parametric(1, 2.0, 1.0, 0.0)),
        (DISPLAY_P3, parametric(2, 2.0, 0.95, 0.0, 0.02)),
    ],
)
def test_colours_are_those_of_littlecms(tmp_path, primaries, curve):
    icc = profile(primaries, curve)
    pixels = np.random.default_rng(0).integers(20, 236, (SIDE, SIDE, 3), dtype=np.uint8)
    pixels = (pixels // 3 + 85).astype(np.uint8)  # muted: within sRGB
    twin = ImageCms.profileToProfile(
        Image.fromarray(pixels),
        ImageCms.ImageCmsProfile(io.BytesIO(icc)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    got = read_image(save(tmp_path / "photo.png", pixels, icc))
    worst = np.abs(got.numpy().transpose(1, 2, 0) * 255 - np.asarray(twin)).max()
    assert worst < 0.8  # LittleCMS rounds its levels; 0.55 measured
    colours = colours_of(icc)
    encoded = pixels.transpose(2, 0, 1) / np.float32(255)
    assert np.abs(colours.from_srgb(got.numpy()) - encoded).max() < 1e-3


def test_16_bits_keep_their_precision_through_a_profile(tmp_path):
    levels = np.random.default_rng(0).integers(25000, 40000, (SIDE, SIDE, 3)).astype(np.uint16)
    image = torch.from_numpy(
        colours_of(profile()).to_srgb(levels.transpose(2, 0, 1) / np.float32(65535))
    )
    cv2.imwrite(str(tmp_path / "plain.png"), levels[..., ::-1])
    metadata = read_photo(save(tmp_path / "p3.png", flat(128), profile())).metadata
    for suffix in (".png", ".tif"):
        write_photo(image, tmp_path / f"out{suffix}", 16, metadata)
        stored = cv2.imread(str(tmp_path / f"out{suffix}"), cv2.IMREAD_UNCHANGED)[..., ::-1]
        assert np.abs(stored.astype(int) - levels).max() <= 2
        again = read_photo(tmp_path / f"out{suffix}")
        assert float((again.image - image).abs().max()) < 1e-4


def test_gray_photos_go_through_their_own_profile(tmp_path):
    # Linear gray: level 128 is 50.2 % of the light, which sRGB encodes as 188.
    gray = profile(curve=table(256), space=b"GRAY").replace(b"rTRC", b"kTRC")
    save(tmp_path / "gray.png", np.full((SIDE, SIDE), 128, np.uint8), gray)
    photo = read_photo(tmp_path / "gray.png")
    assert torch.allclose(photo.image * 255, torch.full_like(photo.image, 188), atol=1)
    assert photo.metadata.icc == b""


def test_colours_that_srgb_lacks_are_clipped_and_said(tmp_path):
    pixels = flat(128)
    pixels[:16] = (0, 255, 0)  # P3's green
    photo = read_photo(save(tmp_path / "p3.png", pixels, profile()))
    assert photo.notes == ("25.0% of the photo has colours that sRGB lacks; they are clipped",)
    assert torch.allclose(photo.image[:, 5, 5], torch.tensor([0.0, 1, 0]), atol=1e-3)


DAMAGED = {
    "garbage": b"garbage" * 40,
    "cut short": profile()[:150],
    "flat": profile(curve=table(*[30000] * 9)),
    "gray primaries": profile(((0.3, 0.3, 0.3),) * 3),
    "absurd power": profile(curve=parametric(0, 400.0)),
    "unknown curve": profile(curve=b"abcd" + bytes(20)),
    "huge count": profile(curve=b"curv\0\0\0\0\xff\xff\xff\xff"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_profiles_are_set_aside_and_said(tmp_path, name):
    with pytest.raises(ValueError, match=r"."):
        colours_of(DAMAGED[name])
    photo = read_photo(save(tmp_path / "a.png", flat((10, 20, 30)), DAMAGED[name]))
    assert "its colours are taken as sRGB" in photo.notes[0]
    assert torch.allclose(photo.image[:, 0, 0] * 255, torch.tensor([10.0, 20, 30]), atol=1e-3)
    write_photo(photo.image, tmp_path / "out.png", metadata=photo.metadata)
    with Image.open(tmp_path / "out.png") as out:
        assert out.info["icc_profile"] == srgb_profile()
