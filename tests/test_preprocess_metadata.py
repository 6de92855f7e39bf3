"""Metadata against reason, against each other, and against the pictures."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from made_pair import CARD_PX, W_PER_UW, make_pair
from PIL import Image

from dfnet.camera import Camera, camera_from_json
from dfnet.errors import InputError
from dfnet.io.metadata import Metadata
from dfnet.io.photo_files import Photo
from dfnet.io.spatial import SpatialPhoto
from dfnet.optics import BlurLaw
from dfnet.preprocess import photos, stated
from dfnet.preprocess.cameras import photo_cameras
from dfnet.preprocess.geometry import find_geometry
from dfnet.preprocess.order import NearFar
from dfnet.preprocess.photos import load_photos
from dfnet.preprocess.pipeline import image_pixels
from dfnet.preprocess.plausible import plausible_cameras
from dfnet.preprocess.stated import believed_slope, order_with_metadata

SHAPES = {"wide": (3000, 4000), "ultrawide": (3000, 4000)}  # 5000 px of diagonal: 43.27 mm
SOUND = Camera(focal_length_m=0.0068, f_number=1.85, focal_length_px=2800.0)

# By hand: 8 px of focal length on 5000 px are 0.07 mm of film; 0.6 mm behind 2800 px a frame of
# 4000 px that is 0.86 mm wide.
IMPOSSIBLE = [
    ({"focal_length_px": 8.0}, "focal_length_px", "that of a 0.0692 mm lens"),
    ({"focal_length_m": 0.0006}, "focal_length_m", "sensor 0.86 mm wide"),
    ({"focal_length_m": 6.8}, "focal_length_m", "sensor 9.7e"),  # millimetres taken for metres
    ({"f_number": 185.0}, "f_number", "f-number is 185"),
    ({"position_m": (0.0, 16.0, 0.0)}, "position_m", "distance to the wide camera is 16 m"),
    ({"defocus_per_disparity": 24.0}, "defocus_per_disparity", "blur per disparity is 24"),
]


@pytest.mark.parametrize(("change", "field", "text"), IMPOSSIBLE)
def test_what_cannot_be_is_dropped_with_a_note(change, field, text):
    given = Camera(**{**SOUND.__dict__, **change})
    kept, notes = plausible_cameras({"wide": given}, SHAPES)
    assert kept["wide"] == Camera(**{**given.__dict__, field: None})
    assert len(notes) == 1
    assert text in notes[0]
    assert notes[0].startswith("The wide camera's ")


def test_phones_and_headsets_are_plausible():
    cameras = {
        "wide": SOUND,
        "ultrawide": Camera(
            focal_length_m=0.00235,
            f_number=2.2,
            focal_length_px=1880.0,
            position_m=(0.0638, 0.0, 0.0),
            defocus_per_disparity=0.25,
        ),
    }
    assert plausible_cameras(cameras, SHAPES) == (cameras, ())
    crop = Camera(focal_length_px=2800.0, focal_length_m=0.0068, full_frame_px=(4000, 3000))
    assert plausible_cameras({"wide": crop}, {"wide": (128, 128)}) == ({"wide": crop}, ())


@pytest.mark.parametrize("value", [[1, 2], "abc", [0, 1, math.nan], [0, 0, "x"], 3])
def test_vectors_must_be_numbers(value):
    with pytest.raises(InputError, match=r"here: position_m is .*\n  It must be 3 numbers"):
        camera_from_json({"position_m": value}, "here")


DOWN = np.array([0.0, 1.0])


def placed(**fields):
    return {"ultrawide": Camera(**fields)}


@pytest.mark.parametrize(
    ("cameras", "axis", "images", "near_is_larger", "noted"),
    [
        # UW below W: near things lie higher in UW, against the axis. Pictures hardly object.
        (placed(position_m=(0.0, 0.016, 0.0)), DOWN, -2.0, False, False),
        (placed(position_m=(0.0, 0.016, 0.0)), DOWN, 2.0, False, False),
        (placed(position_m=(0.0, 0.016, 0.0)), -DOWN, -2.0, True, False),
        (placed(position_m=(0.0, 0.016, 0.0)), DOWN, 5.0, False, True),
        (placed(position_m=(0.0, 0.016, 0.0)), DOWN, 9.0, True, True),
        # A direction alone weighs half.
        (placed(direction=(0.0, 1.0)), DOWN, 3.5, False, True),
        (placed(direction=(0.0, 1.0)), DOWN, 4.5, True, True),
        (placed(direction=(0.0, -1.0)), DOWN, -3.5, True, True),
        (placed(direction=(1.0, 0.1)), DOWN, -0.5, False, True),
        ({}, DOWN, 0.5, True, False),
    ],
)
def test_near_and_far_from_both(cameras, axis, images, near_is_larger, noted):
    found, notes = order_with_metadata(NearFar(images > 0, images, "images"), cameras, axis)
    assert found.near_is_larger == near_is_larger
    assert bool(notes) == noted


def test_a_side_makes_a_guess_sure():
    guess = NearFar(False, -0.4, "images")
    assert order_with_metadata(guess, placed(direction=(0.0, 1.0)), DOWN)[0].is_sure
    assert not order_with_metadata(guess, {}, DOWN)[0].is_sure


@pytest.mark.parametrize(
    ("stated_slope", "seen", "lead", "believed"),
    [(0.25, 0.3, 50.0, 0.25), (0.1, 0.3, 50.0, None), (0.1, 0.3, 5.0, 0.1), (0.1, 0.0, 50.0, 0.1)],
)
def test_a_slope_that_the_blur_contradicts(monkeypatch, stated_slope, seen, lead, believed):
    def fit(patches, prior):
        free = prior.log_spread > 0
        slope = seen if free else stated_slope
        return SimpleNamespace(law=BlurLaw(slope, 0.0), evidence=100.0 + lead * free)

    monkeypatch.setattr(stated, "fit_blur_law", fit)
    found, notes = believed_slope(stated_slope, None)
    assert found == believed
    assert bool(notes) == (believed is None)


def photos_with(folder, exif_w, exif_uw=None, upright=True):
    """Files, and pictures as they are read."""
    paths = []
    for name, fields in (("w.jpg", exif_w), ("uw.jpg", exif_uw or {})):
        exif = Image.Exif()
        for number, value in fields.items():
            exif.get_ifd(0x8769)[number] = value
            exif[number] = value
        Image.new("RGB", (400, 300)).save(folder / name, exif=exif)
        paths.append(folder / name)
    shape = (3, 300, 400) if upright else (3, 400, 300)
    return paths, (torch.zeros(shape), torch.zeros(shape))


MODEL, ORIENTATION, FOCAL, FOCAL_35 = 272, 274, 37386, 41989


def test_exif_is_believed_before_a_preset_of_another_view(tmp_path):
    files, photos = photos_with(tmp_path, {FOCAL_35: 48}, {FOCAL_35: 13})
    preset = {"wide": Camera(focal_length_px=280.0), "ultrawide": Camera(focal_length_px=150.0)}
    cameras, notes = photo_cameras(files, photos, preset)
    # 48 / 43.27 x 500 px; the ultra-wide's preset is that of EXIF's 13 mm, 150.2 px.
    assert cameras["wide"].focal_length_px == pytest.approx(554.7, abs=0.1)
    assert cameras["ultrawide"].focal_length_px == 150.0
    assert len(notes) == 1
    assert "wide lens sees 1.98 times as much" in notes[0]
    assert photo_cameras(files, photos, preset, metadata=False) == (preset, ())


def test_photos_of_two_phones_are_noted(tmp_path):
    files, photos = photos_with(tmp_path, {MODEL: "A 1"}, {MODEL: "B 2"})
    assert "two phones, A 1 and B 2" in photo_cameras(files, photos, {})[1][0]
    files, photos = photos_with(tmp_path, {MODEL: "A 1"}, {MODEL: "A 1"})
    assert photo_cameras(files, photos, {})[1] == ()


@pytest.mark.parametrize(
    ("orientation", "upright", "direction"),
    [
        (1, True, (0.0, 1.0)),
        (3, True, (0.0, -1.0)),
        (6, False, (-1.0, 0.0)),  # turned right: what was below is to the left
        (8, False, (1.0, 0.0)),
        (1, False, None),  # a lying photo that is upright now was turned by somebody
        (6, True, None),
        (2, True, None),
    ],
)
def test_a_presets_side_turns_with_the_phone(tmp_path, orientation, upright, direction):
    files, photos = photos_with(tmp_path, {ORIENTATION: orientation}, upright=upright)
    found, _ = photo_cameras(files, photos, placed(direction=(0.0, 1.0)))
    given = found["ultrawide"].direction
    assert given == (None if direction is None else pytest.approx(direction))


def test_a_known_phones_preset_serves_unasked(tmp_path):
    exif = {271: "Google", MODEL: "Pixel 6 Pro"}
    files, _ = photos_with(tmp_path, exif, exif)
    known = load_photos(*files).cameras
    # 2838 px on a frame of 4080 x 3072, diagonal 5107, for one of 500 px.
    assert known["wide"].focal_length_px == pytest.approx(2838 / 5107.2 * 500, rel=1e-3)
    assert known["ultrawide"].f_number == 2.2
    assert load_photos(*files, metadata=False).cameras == {}
    mine = {"wide": Camera(f_number=1.2)}
    assert load_photos(*files, mine).cameras["wide"] == Camera(f_number=1.2)


def test_a_spatial_photo_is_a_pair_by_itself(monkeypatch):
    images = torch.zeros(3, 96, 128), torch.ones(3, 96, 128)
    boxes = {"wide": Camera(focal_length_px=90.0), "ultrawide": Camera(position_m=(0.02, 0, 0))}
    photo_w = Photo(images[0], Metadata())
    found = SpatialPhoto(photo_w, images[1], boxes, (1, 0), ("It is spatial.",))
    monkeypatch.setattr(photos, "read_spatial_photo", lambda path: found)
    pair = load_photos("a.heic")
    assert pair.photo_w is photo_w
    assert pair.cameras == boxes
    assert pair.notes == ("It is spatial.",)
    mine = {"wide": Camera(f_number=1.5, focal_length_px=80.0)}
    assert load_photos("a.heic", preset=mine).cameras["wide"] == mine["wide"]
    assert load_photos("a.heic", metadata=False).cameras == {}
    with pytest.raises(InputError, match=r"wide=\.\.\.: not given"):
        load_photos(None)


def laid_out(position_m, uw_focal_px=500.0 / W_PER_UW, direction=(1.0, 0.0)):
    made = make_pair(direction, CARD_PX)
    cameras = {
        "wide": Camera(focal_length_px=500.0),
        "ultrawide": Camera(focal_length_px=uw_focal_px, position_m=position_m),
    }
    return find_geometry(
        (image_pixels(made.image_w), image_pixels(made.image_uw)), cameras, 1024, 2
    )


def test_a_baseline_on_the_wrong_axis_is_dropped():
    found = laid_out((0.0, 0.008, 0.0))
    assert abs(found.rectification.registration.axis[0]) > 0.98
    assert found.cameras["ultrawide"].position_m is None
    assert found.rig is None
    assert len(found.notes) == 1
    assert "along (0.00, 1.00)" in found.notes[0]


def test_sound_metadata_are_kept_and_swapped_focal_lengths_are_not():
    assert laid_out((0.008, 0.0, 0.0)).notes == ()
    swapped = laid_out((0.008, 0.0, 0.0), 500.0 * W_PER_UW)
    assert "the two cameras' look swapped" in swapped.notes[0]
    assert swapped.rig is None
