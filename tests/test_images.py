import os
import stat

import cv2
import numpy as np
import pytest
import torch
from made_profile import profile
from PIL import ExifTags, Image
from torch.testing import assert_close

from dfnet.errors import InputError
from dfnet.io.images import (
    check_writable,
    floats_of,
    read_exif,
    read_image,
    read_levels,
    write_image,
    write_whole,
)

HEIGHT, WIDTH = 70, 90


def a_picture(top=255, dtype=np.uint8, channels=3):
    shape = (HEIGHT, WIDTH) if channels == 1 else (HEIGHT, WIDTH, channels)
    return np.random.default_rng(0).integers(0, top + 1, shape, dtype=dtype)


# --- reading -----------------------------------------------------------------------------------


def test_channels_are_rgb_and_axes_chw(tmp_path):
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[10, 20] = (255, 128, 0)  # an orange dot at x = 20, y = 10
    Image.fromarray(pixels).save(tmp_path / "dot.png")
    image = read_image(tmp_path / "dot.png")
    assert image.dtype == torch.float32
    assert image.shape == (3, HEIGHT, WIDTH)
    assert_close(image[:, 10, 20], torch.tensor([1.0, 128 / 255, 0.0]))
    assert float(image.sum()) == pytest.approx(1 + 128 / 255)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bits_are_kept(tmp_path, suffix, channels):
    pixels = a_picture(65535, np.uint16, channels)
    cv2.imwrite(str(tmp_path / f"deep{suffix}"), pixels)
    bgr = pixels[..., None].repeat(3, 2) if channels == 1 else pixels[..., :3]
    want = torch.from_numpy(bgr[..., ::-1].transpose(2, 0, 1) / np.float32(65535))
    assert_close(read_image(tmp_path / f"deep{suffix}"), want)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "CMYK", "1"])
def test_other_modes_become_rgb(tmp_path, mode):
    path = tmp_path / ("odd.tif" if mode == "CMYK" else "odd.png")
    Image.fromarray(a_picture()).convert(mode).save(path)
    image = read_image(path)
    assert image.shape == (3, HEIGHT, WIDTH)
    if mode in ("L", "LA", "1"):
        assert torch.equal(image[0], image[2])


def test_photos_are_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be shown turned clockwise
    pixels = a_picture()
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    want = np.rot90(pixels, -1).transpose(2, 0, 1) / np.float32(255)
    assert_close(read_image(tmp_path / "turned.png"), torch.from_numpy(want.copy()))


def damaged(folder):
    jpeg = cv2.imencode(".jpg", a_picture())[1].tobytes()
    deep = cv2.imencode(".png", a_picture(65535, np.uint16))[1].tobytes()
    flipped = bytearray(deep)
    flipped[len(deep) // 2] ^= 255
    contents = {
        "cut.jpg": jpeg[: len(jpeg) // 2],
        "cut.png": deep[: len(deep) // 2],
        "flipped.png": bytes(flipped),
        "text.jpg": b"not a picture" * 100,
        "renamed.heic": b"\0\0\0\x18ftypheic" + b"\0" * 200,
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return list(contents)


def test_damaged_files_are_named(tmp_path, capfd):
    for name in damaged(tmp_path):
        with pytest.raises(InputError, match=rf"{name}: cannot be read as an image"):
            read_image(tmp_path / name)
    assert capfd.readouterr().err == ""  # no chatter of the libraries beside our message


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.jpg", "no such file"),
        (".", "is a folder, not a photo"),
        ("empty.jpg", "the file is empty"),
        ("film.jpg", "1025 MiB is more than a photo has"),
    ],
)
def test_what_is_no_photo_by_its_size_is_named(tmp_path, name, message):
    (tmp_path / "empty.jpg").write_bytes(b"")
    with (tmp_path / "film.jpg").open("wb") as film:
        film.truncate(1025 << 20)  # sparse: takes no room
    with pytest.raises(InputError, match=message):
        read_image(tmp_path / name)


def test_thumbnails_and_float_pictures_are_refused(tmp_path):
    Image.fromarray(a_picture()[:63]).save(tmp_path / "small.png")
    with pytest.raises(InputError, match="only 90x63 pixels"):
        read_image(tmp_path / "small.png")
    Image.fromarray(a_picture(channels=1).astype(np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(InputError, match="floating-point"):
        read_image(tmp_path / "float.tif")


def test_gigantic_pictures_are_refused_before_they_fill_the_memory(tmp_path):
    Image.new("1", (20_000, 12_000)).save(tmp_path / "huge.png")
    with pytest.raises(InputError, match="20000x12000 pixels is more than"):
        read_image(tmp_path / "huge.png")


def test_exif_by_name(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = "Phone 3"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FNumber] = 1.85
    Image.fromarray(a_picture()).save(tmp_path / "photo.jpg", exif=exif)
    assert read_exif(tmp_path / "photo.jpg") == {"Model": "Phone 3", "FNumber": 1.85}
    (tmp_path / "text.jpg").write_text("no picture")
    assert read_exif(tmp_path / "text.jpg") == {}


# --- writing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".tif", ".PNG"])
@pytest.mark.parametrize("bits", [8, 16])
def test_lossless_formats_return_what_was_written(tmp_path, suffix, bits):
    top = 2**bits - 1
    image = torch.randint(0, top + 1, (3, HEIGHT, WIDTH)) / top
    write_image(image, tmp_path / f"picture{suffix}", bits)
    assert_close(read_image(tmp_path / f"picture{suffix}"), image, atol=1e-6, rtol=0)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp"])
def test_lossy_formats_are_near(tmp_path, suffix):
    image = torch.zeros(3, HEIGHT, WIDTH)
    image[0] = torch.linspace(0, 1, WIDTH)  # red rises: colours in the wrong order would show
    write_image(image, tmp_path / f"picture{suffix}")
    assert float((read_image(tmp_path / f"picture{suffix}") - image).abs().mean()) < 0.02


def test_values_are_clipped_and_gray_is_written_as_gray(tmp_path):
    image = torch.linspace(-1, 2, WIDTH).expand(1, HEIGHT, WIDTH)
    write_image(image, tmp_path / "gray.png")
    with Image.open(tmp_path / "gray.png") as written:
        assert written.mode == "L"
    assert_close(read_image(tmp_path / "gray.png")[[0]], image.clamp(0, 1), atol=1 / 255, rtol=0)


def test_8_bit_pictures_say_who_made_them(tmp_path):
    write_image(torch.zeros(3, HEIGHT, WIDTH), tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as written:
        assert written.getexif()[ExifTags.Base.Software].startswith("dfnet ")


@pytest.mark.parametrize(
    "check", [check_writable, lambda p, b: write_image(torch.zeros(3, 9, 9), p, b)]
)
@pytest.mark.parametrize(
    ("name", "bits", "message"),
    [
        ("a.gif", 8, "cannot write `.gif`"),
        ("a", 8, "cannot write `a file without suffix`"),
        ("a.jpg", 16, ".jpg holds 8 bits only"),
        ("folder.png", 8, "cannot be written"),
        ("file.txt/a.png", 8, "cannot be written"),
        (f"{'long' * 100}.png", 8, "cannot be written"),
    ],
)
def test_places_that_cannot_be_written_are_named_and_stay_clean(
    tmp_path, check, name, bits, message
):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file.txt").write_text("kept")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match=message):
        check(tmp_path / name, bits)
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "file.txt").read_text() == "kept"


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_read_only_places_are_refused(tmp_path):
    (tmp_path / "kept.png").write_bytes(b"")
    (tmp_path / "kept.png").chmod(stat.S_IRUSR)
    with pytest.raises(InputError, match="write-protected"):
        check_writable(tmp_path / "kept.png")
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(InputError, match="cannot be written"):
        check_writable(tmp_path / "new.png")
    tmp_path.chmod(stat.S_IRWXU)


def test_checking_creates_nothing_not_even_folders(tmp_path):
    check_writable(tmp_path / "new" / "deep" / "a.png")
    assert list(tmp_path.iterdir()) == []
    write_image(torch.zeros(3, 9, 9), tmp_path / "new" / "deep" / "a.png")
    assert [p.name for p in (tmp_path / "new" / "deep").iterdir()] == ["a.png"]


@pytest.mark.parametrize("problem", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_midway_keeps_the_old_file(tmp_path, problem):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def half(partial):
        partial.write_text("ne")
        raise problem

    with pytest.raises((InputError, KeyboardInterrupt)):
        write_whole(path, half)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_levels_are_what_a_picture_is_made_of(tmp_path):
    image = torch.rand(3, 70, 90, generator=torch.Generator().manual_seed(0))
    for bits, kind in ((8, torch.uint8), (16, torch.float32)):
        write_image(image, tmp_path / "a.png", bits=bits)
        levels = read_levels(tmp_path / "a.png")
        assert levels.dtype == kind
        floats = torch.from_numpy(floats_of(levels.numpy()))
        assert torch.equal(floats, read_image(tmp_path / "a.png"))


def test_levels_in_other_colours_are_converted(tmp_path):
    Image.new("RGB", (80, 70), (250, 20, 20)).save(tmp_path / "p3.png", icc_profile=profile())
    assert torch.equal(read_levels(tmp_path / "p3.png"), read_image(tmp_path / "p3.png"))
