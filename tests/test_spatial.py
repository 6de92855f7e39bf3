"""Spatial photos: boxes written here by hand, read back; and bytes that no phone writes."""

import struct

import numpy as np
import pytest
import torch
from heif_file import (
    APPLE_EXTRINSICS,
    APPLE_INTRINSICS,
    box,
    extrinsics,
    full,
    heif,
    intrinsics,
    item,
    reference,
    size,
)

from dfnet.errors import InputError
from dfnet.io import spatial
from dfnet.io.heif_boxes import MAX_META_BYTES, parse_meta, read_heif_meta
from dfnet.io.metadata import Metadata
from dfnet.io.orientation import quarter_turns_left, turned_left
from dfnet.io.photo_files import Photo
from dfnet.io.spatial import finest_detail, is_spatial_photo, read_eyes, read_spatial_photo

WIDTH, HEIGHT = 400, 300
FOCAL_SHARE = 0.625  # of the width: 250 px
# Item 3 is the left picture, 7 the right one, 5 a tile, 9 a thumbnail.
ITEMS = (item(3), item(5, hidden=True), item(7), item(9))
THUMBNAIL = reference(b"thmb", 9, 3)


def photo(*, turn=None, left=None, right=None, group=(b"ster", (3, 7)), primary=3, apple=True):
    """A spatial photo; the right camera 18 mm to the right and 2 mm lower unless said otherwise."""
    kinds = (APPLE_INTRINSICS, APPLE_EXTRINSICS) if apple else (b"cmin", b"cmex")
    properties = [
        size(WIDTH, HEIGHT),
        intrinsics(FOCAL_SHARE, 0.5, 0.25, kinds[0]),
        left or extrinsics(kind=kinds[1]),
        right or extrinsics(18_000, 2_000, kind=kinds[1]),
    ]
    if turn is not None:
        properties.append(turn)
    extra = [5] if turn is not None else []
    owned = {3: [1, 2, 3, *extra], 7: [1, 2, 4, *extra]}
    return heif(ITEMS, properties, owned, [THUMBNAIL], [(b"altr", (3, 7)), group], primary)


def write(folder, data, name="photo.heic"):
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("apple", [True, False])
def test_boxes_tell_the_cameras(tmp_path, apple):
    left, right = read_eyes(write(tmp_path, photo(apple=apple)))
    assert (left.name, left.frame, left.is_primary) == ("left", 0, True)
    assert (right.name, right.frame, right.is_primary) == ("right", 1, False)
    assert left.focal_length_px == pytest.approx(250.0)
    # Half of 400 and a quarter of 300, counted from the corner; pixel centres are half a px on.
    assert left.principal_point_px == pytest.approx((199.5, 74.5))
    assert left.position_m == (0.0, 0.0, 0.0)
    assert right.position_m == pytest.approx((0.018, 0.002, 0.0))


def test_the_first_of_the_group_is_the_left_eye(tmp_path):
    left, right = read_eyes(write(tmp_path, photo(group=(b"ster", (7, 3)))))
    assert (left.frame, right.frame) == (1, 0)
    assert (left.is_primary, right.is_primary) == (False, True)


def test_turned_pictures_turn_their_cameras_along(tmp_path):
    """A quarter to the left: what was at the right edge is on top."""
    left, right = read_eyes(write(tmp_path, photo(turn=box(b"irot", b"\1"))))
    assert left.principal_point_px == pytest.approx((74.5, 399 - 199.5))
    assert right.position_m == pytest.approx((0.002, -0.018, 0.0))


@pytest.mark.parametrize("kind", [b"imir", b"clap"])
def test_cut_or_mirrored_pictures_have_unknown_cameras(tmp_path, kind):
    eye = read_eyes(write(tmp_path, photo(turn=box(kind, b"\0"))))[1]
    assert eye[3:] == (None, None, None)


def test_a_turned_camera_has_an_unknown_place(tmp_path):
    turned = extrinsics(18_000, turn=(0.0, 0.02, 0.0))
    straight = extrinsics(18_000, turn=(0.0, 0.0, 0.0))
    assert read_eyes(write(tmp_path, photo(right=turned)))[1].position_m is None
    assert read_eyes(write(tmp_path, photo(right=straight)))[1].position_m == (0.018, 0.0, 0.0)


def test_what_is_no_pair_is_said_to_be_none(tmp_path):
    for group in ((b"altr", (3, 7)), (b"ster", (3, 9)), (b"ster", (3, 3)), (b"ster", (3, 7, 5))):
        path = write(tmp_path, photo(group=group))
        assert not is_spatial_photo(path)
        with pytest.raises(InputError, match="not a spatial photo"):
            read_eyes(path)
    assert is_spatial_photo(write(tmp_path, photo()))
    assert not is_spatial_photo(write(tmp_path, photo(), "photo.jpg"))
    with pytest.raises(InputError, match="not a spatial photo"):
        read_spatial_photo(tmp_path / "photo.jpg")


def test_cut_short_anywhere_it_is_refused(tmp_path):
    whole = photo()
    for length in range(0, len(whole) - 72, 3):
        path = write(tmp_path, whole[:length])
        with pytest.raises(InputError, match=r"photo\.heic"):
            read_eyes(path)


def test_broken_anywhere_it_is_refused_or_read(tmp_path):
    """Every byte of the description once set to 0, 1 and 255: an answer or `InputError`."""
    whole, refused = photo(), 0
    for at in range(len(whole) - 72):
        for value in (0, 1, 255):
            data = bytearray(whole)
            data[at] = value
            try:
                read_eyes(write(tmp_path, bytes(data)))
            except InputError:
                refused += 1
    assert refused > 200


def test_a_short_camera_box_is_damage(tmp_path):
    path = write(tmp_path, photo(right=box(b"cmex", full(0, 1), b"\0\0")))
    with pytest.raises(InputError, match="description of the two cameras is damaged"):
        read_eyes(path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        box(b"ftyp", b"heic") * 100,
        box(b"ftyp", b"heic") + struct.pack(">I4s", 0, b"free"),
        struct.pack(">I4sQ", 1, b"free", 2**63),
        struct.pack(">I4sQ", 1, b"free", 3),
        struct.pack(">I4sQ", 1, b"meta", MAX_META_BYTES + 17),
        box(b"meta", full(), struct.pack(">I4s", 4, b"iinf")),
        box(b"meta", full(), struct.pack(">I4s", 20, b"uuid"), b"\0" * 12),
    ],
    ids=["empty", "no meta", "open box", "far jump", "negative", "huge", "small box", "short uuid"],
)
def test_boxes_that_lie_about_their_size(tmp_path, data):
    with pytest.raises(InputError, match="description of pictures cannot be read"):
        read_heif_meta(write(tmp_path, data))


def test_a_huge_meta_box_is_not_read(tmp_path):
    path = write(tmp_path, struct.pack(">I4s", MAX_META_BYTES + 9, b"meta"))
    with path.open("r+b") as file:
        file.truncate(MAX_META_BYTES + 9)
    with pytest.raises(InputError, match="claims to be"):
        read_heif_meta(path)


def test_wide_numbers_are_read():
    """Version 3 items, 32-bit references and ids, 15-bit property numbers."""
    infe = box(b"infe", full(3), struct.pack(">IH4s", 70_000, 0, b"hvc1"), b"\0")
    meta = full() + b"".join(
        [
            box(b"pitm", full(1), struct.pack(">I", 70_000)),
            box(b"iinf", full(1), struct.pack(">I", 1), infe),
            box(b"iref", full(1), box(b"cdsc", struct.pack(">IHI", 70_000, 1, 70_001))),
            box(
                b"iprp",
                box(b"ipco", size(1, 2), box(b"irot", b"\3")),
                box(b"ipma", full(1, 1), struct.pack(">IIBHH", 1, 70_000, 2, 0x8001, 2)),
            ),
        ]
    )
    found = parse_meta(meta)
    assert found.primary == 70_000
    assert found.references == ((b"cdsc", 70_000, (70_001,)),)
    assert [p.kind for p in found.items[70_000].properties] == [b"ispe", b"irot"]


@pytest.fixture
def pictures(monkeypatch):
    """What decoding would give, by frame; and EXIF, to be filled."""
    generator = torch.Generator().manual_seed(0)
    made = {k: torch.rand(3, 256, 320, generator=generator) for k in (0, 1)}
    exif = {0: {}, 1: {}}
    monkeypatch.setattr(
        spatial, "read_photo", lambda path, frame: Photo(made[frame], Metadata(), (f"of {frame}",))
    )
    monkeypatch.setattr(spatial, "read_exif", lambda path, frame: exif[frame])
    return made, exif


def test_the_main_picture_is_w_where_nothing_else_tells(tmp_path, pictures):
    found = read_spatial_photo(write(tmp_path, photo(primary=7)))
    assert found.frames == (1, 0)
    assert found.photo_w.image is pictures[0][1]
    assert found.photo_w.notes == ("of 1",)
    # W is the right one: UW lies to its left and higher.
    assert found.cameras["ultrawide"].position_m == pytest.approx((-0.018, -0.002, 0.0))
    assert found.cameras["wide"].position_m is None
    assert "right picture is taken as the wide camera's; it is the main picture" in found.notes[0]


def test_an_enlarged_picture_is_uw(tmp_path, pictures):
    made, _ = pictures
    small = torch.nn.functional.interpolate(made[0][None], scale_factor=0.6, mode="area")
    made[0] = torch.nn.functional.interpolate(small, (256, 320), mode="bicubic")[0]
    assert finest_detail(made[1]) > 5 * finest_detail(made[0])
    found = read_spatial_photo(write(tmp_path, photo(primary=3)))
    assert found.frames == (1, 0)
    assert "enlarged" in found.notes[0]


def test_exif_tells_w_first(tmp_path, pictures):
    _, exif = pictures
    exif[0] = {"FocalLength": 2.2, "FNumber": 2.2}
    exif[1] = {"FocalLength": 6.8, "FNumber": 1.8}
    found = read_spatial_photo(write(tmp_path, photo(primary=3)))
    assert found.frames == (1, 0)
    wide, ultrawide = found.cameras["wide"], found.cameras["ultrawide"]
    assert (wide.focal_length_m, wide.f_number) == pytest.approx((0.0068, 1.8))
    assert ultrawide.focal_length_m == pytest.approx(0.0022)
    assert wide.focal_length_px == pytest.approx(250.0)
    assert "longer focal length" in found.notes[0]


def test_how_a_phone_was_held(tmp_path):
    """EXIF 6 stores a picture that is to be turned right once: three times left."""
    from PIL import Image

    for orientation, quarters in {1: 0, 6: 3, 3: 2, 8: 1, 2: None, None: None}.items():
        exif = Image.Exif()
        if orientation is not None:
            exif[274] = orientation
        Image.new("RGB", (96, 72)).save(tmp_path / "a.jpg", exif=exif)
        assert quarter_turns_left(tmp_path / "a.jpg") == quarters
    assert quarter_turns_left(write(tmp_path, photo(turn=box(b"irot", b"\2")))) == 2
    assert quarter_turns_left(write(tmp_path, photo())) == 0
    assert quarter_turns_left(write(tmp_path, b"nothing")) is None
    picture = np.zeros((2, 3))
    picture[0, 2] = 1  # upper right; turned left it is upper left
    assert np.rot90(picture)[0, 0] == 1
    assert turned_left(1.0, -0.5, 1) == (-0.5, -1.0)
