"""A photo alone: depth from its own file, the guide marked absent."""

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image, ImageOps

from dfnet.camera import Camera
from dfnet.io.phone_depth import PhoneDepth
from dfnet.preprocess.single import ALONE, preprocess_single, subject_point
from dfnet.targets import Aperture, FocusAt, FocusDistance, Scene, make_target

HEIGHT, WIDTH = 96, 128
# 0.004 m / 2 * 5000 px = 10 px of blur for one dioptre.
PHONE = Camera(focal_length_m=0.004, f_number=2.0, focal_length_px=5000.0)


def near_on_the_left(metric=True):
    """1/m: 3 on the left, 1 on the right; a quarter of the photo's size."""
    disparity = torch.ones(1, HEIGHT // 4, WIDTH // 4)
    disparity[..., : WIDTH // 8] = 3.0
    return PhoneDepth(disparity, metric, "test's")


def photo():
    """Dark on the left, bright on the right."""
    image = torch.full((3, HEIGHT, WIDTH), 0.2)
    image[..., WIDTH // 2 :] = 0.8
    return image


def seen(map_w):
    """In the middle of each half, and on both sides of the edge."""
    return map_w[0, 48, [20, 62, 65, 110]].tolist()


def test_blur_is_what_the_lens_does_at_those_distances():
    found = preprocess_single(photo(), near_on_the_left(), PHONE, (100, 50))
    assert seen(found.defocus_w_px) == pytest.approx([-20, -20, 0, 0], abs=1e-3)
    scene = Scene(found, photo())
    assert seen(make_target([FocusAt(20, 50)], scene)) == pytest.approx([0, 0, 20, 20], abs=1e-3)
    wide = make_target([FocusAt(20, 50), Aperture(0.5)], scene)
    assert seen(wide) == pytest.approx([0, 0, 10, 10], abs=1e-3)


def test_metres_only_where_the_file_has_them():
    found = preprocess_single(photo(), near_on_the_left(), PHONE)
    assert seen(found.depth_w_m) == pytest.approx([1 / 3, 1 / 3, 1, 1], rel=1e-4)
    target = make_target([FocusDistance(0.5)], Scene(found, photo()))
    assert seen(target) == pytest.approx([-10, -10, 10, 10], abs=1e-3)
    assert preprocess_single(photo(), near_on_the_left(False), PHONE).depth_w_m is None


def test_without_a_known_focus_it_counts_as_sharp():
    found = preprocess_single(photo(), near_on_the_left(), PHONE)
    assert not found.defocus_w_px.any()
    assert found.blur_law.defocus_per_disparity == 0


def test_an_unknown_lens_blurs_by_a_share_of_the_picture():
    found = preprocess_single(photo(), near_on_the_left(), Camera(), (100, 50))
    assert seen(found.defocus_w_px) == pytest.approx([-1.6, -1.6, 0, 0], abs=1e-3)  # 160 px across


def test_the_guide_is_marked_absent_and_the_user_told():
    found = preprocess_single(photo(), near_on_the_left(), PHONE, (100, 50))
    assert found.occluded_w.all()
    assert not found.valid_w.any()
    assert not found.validity_w.any()
    assert torch.equal(found.uw_on_w, photo())
    assert found.verdict == ALONE
    assert "no ultra-wide photo" in found.notes[0]


def exif_of(point, orientation, size=(WIDTH, HEIGHT)):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    inside = exif.get_ifd(ExifTags.IFD.Exif)
    inside[ExifTags.Base.ExifImageWidth], inside[ExifTags.Base.ExifImageHeight] = size
    if point:
        inside[0x9214] = (*point, 9, 9)
    return exif


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_focus_turns_with_the_photo(orientation):
    exif = exif_of((30, 10), orientation)
    stored = Image.new("L", (WIDTH, HEIGHT))
    stored.putpixel((30, 10), 255)
    stored.getexif()[ExifTags.Base.Orientation] = orientation
    upright = np.asarray(ImageOps.exif_transpose(stored))
    (row,), (column,) = np.nonzero(upright)
    assert subject_point(exif.tobytes()[6:]) == (column, row)


@pytest.mark.parametrize("exif", [exif_of(None, 1), exif_of((500, 10), 1), Image.Exif()])
def test_no_focus_where_exif_is_silent_or_wrong(exif):
    assert subject_point(exif.tobytes()[6:]) is None
    assert subject_point(b"") is None
