"""Photos in and out: what is kept, and what other programs read."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
import tifffile
import torch
from made_photo import HEIGHT, MAKER_NOTE, WIDTH, Base, a_photo, exif, written
from made_profile import profile
from PIL import Image

from dfnet.errors import InputError
from dfnet.io.images import read_image, write_image
from dfnet.io.photo_files import read_photo, write_photo
from dfnet.io.tiff_tags import EXIF, GPS, INTEROP, read_tags

ALL = [
    ("out.jpg", 8),
    ("out.webp", 8),
    *((f"out{s}", b) for s in (".png", ".tif") for b in (8, 16)),
]


class TestExif:
    @pytest.mark.parametrize(("name", "bits"), ALL)
    def test_the_cameras_facts_stay_and_the_files_facts_are_new(self, tmp_path, name, bits):
        tags, camera, place, notes = written(tmp_path, name, bits)
        assert tags[Base.Make] == "Maker"
        assert tags[Base.Orientation] == 1
        assert tags[Base.Software].startswith("dfnet ")
        assert (camera[Base.FNumber], camera[Base.FocalLengthIn35mmFilm]) == (1.5, 26)
        assert camera[Base.MakerNote] == MAKER_NOTE
        assert camera[Base.DateTimeOriginal] == "2026:01:02 03:04:05"
        assert (camera[Base.ExifImageWidth], camera[Base.ExifImageHeight]) == (80, 70)
        assert place[2] == (48.0, 51.0, 30.5)
        assert camera[Base.ColorSpace] == 1
        assert notes == ()
        if name != "out.tif":
            assert Base.ImageWidth not in tags

    def test_a_wide_colour_space_is_not_called_srgb(self, tmp_path):
        a_photo(tmp_path / "p3.jpg", icc_profile=profile())
        metadata = read_photo(tmp_path / "p3.jpg").metadata
        assert written(tmp_path, metadata=metadata)[1][Base.ColorSpace] == 0xFFFF

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_photos_come_upright_and_places_in_them_do_not_lie(self, tmp_path, orientation):
        a_photo(tmp_path / "in.png", exif(orientation))
        with Image.open(tmp_path / "in.png") as stored:
            turn = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # Pillow's names for the same
            turned = stored.convert("RGB")
            if orientation > 1:
                turned = turned.transpose(Image.Transpose(turn[orientation]))
        photo = read_photo(tmp_path / "in.png")
        want = np.asarray(turned).transpose(2, 0, 1) / np.float32(255)
        assert torch.equal(photo.image, torch.from_numpy(want))
        tags, camera, _, _ = written(tmp_path, metadata=photo.metadata)
        assert tags[Base.Orientation] == 1
        assert (Base.SubjectLocation in camera) == (orientation == 1)

    @pytest.mark.parametrize("suffix", [".png", ".tif"])
    def test_16_bit_photos_come_upright_too(self, tmp_path, suffix):
        levels = np.random.default_rng(0).integers(0, 65536, (HEIGHT, WIDTH, 3)).astype(np.uint16)
        a_photo(tmp_path / "in.jpg", exif(6))
        metadata = read_photo(tmp_path / "in.jpg").metadata
        image = torch.from_numpy(levels.transpose(2, 0, 1) / np.float32(65535))
        path = tmp_path / f"deep{suffix}"
        write_photo(image, path, 16, metadata)
        data = bytearray(path.read_bytes())
        at = data.index(b"\x01\x12\x00\x03\0\0\0\1\0\1")  # the orientation, big endian
        data[at + 9] = 6
        path.write_bytes(data)
        if suffix == ".png":  # chunks have sums
            start = data.index(b"eXIf")
            length = struct.unpack(">I", data[start - 4 : start])[0]
            data[start + 4 + length : start + 8 + length] = struct.pack(
                ">I", zlib.crc32(bytes(data[start : start + 4 + length]))
            )
            path.write_bytes(data)
        want = np.rot90(levels, -1).transpose(2, 0, 1) / np.float32(65535)
        assert np.abs(read_image(path).numpy() - want).max() < 1e-6

    def test_the_thumbnail_goes(self, tmp_path):
        a_photo(tmp_path / "in.jpg")
        small = io.BytesIO()
        Image.new("RGB", (16, 12), "red").save(small, "JPEG")
        tags = exif().tobytes()
        tree = tags[6:]
        order = "<" if tree[:2] == b"II" else ">"
        count = struct.unpack_from(order + "H", tree, 8)[0]
        link = 8 + 2 + 12 * count
        second = struct.pack(order + "H", 2)
        second += struct.pack(order + "HHII", 0x201, 4, 1, len(tree) + 30)
        second += struct.pack(order + "HHII", 0x202, 4, 1, len(small.getvalue())) + b"\0" * 4
        tree = tree[:link] + struct.pack(order + "I", len(tree)) + tree[link + 4 :] + second
        a_photo(tmp_path / "in.jpg", b"Exif\0\0" + tree + small.getvalue())
        assert small.getvalue() in (tmp_path / "in.jpg").read_bytes()
        metadata = read_photo(tmp_path / "in.jpg").metadata
        assert written(tmp_path, metadata=metadata)[0][Base.Make] == "Maker"
        assert small.getvalue()[-40:] not in (tmp_path / "out.jpg").read_bytes()

    def test_the_place_can_be_left_out(self, tmp_path):
        a_photo(tmp_path / "in.jpg")
        metadata = read_photo(tmp_path / "in.jpg").metadata.without_location()
        _, camera, place, _ = written(tmp_path, metadata=metadata)
        assert place == {}
        assert Base.MakerNote not in camera  # some makers write places there
        assert camera[Base.FNumber] == 1.5

    def test_a_makers_note_that_no_jpeg_can_hold_is_dropped_and_said(self, tmp_path):
        a_photo(tmp_path / "in.png", exif(maker_note=b"x" * 70_000))
        metadata = read_photo(tmp_path / "in.png").metadata
        _, camera, place, notes = written(tmp_path, metadata=metadata)
        assert Base.MakerNote not in camera
        assert place
        assert notes == ("the maker's note is too long for a JPEG",)
        assert len(written(tmp_path, "out.png", metadata=metadata)[1][Base.MakerNote]) == 70_000

    def test_damaged_exif_loses_only_what_is_damaged(self, tmp_path):
        tags = bytearray(exif().tobytes())
        at = tags.index(struct.pack(">H" if tags[6:8] == b"MM" else "<H", EXIF))
        tags[at + 8 : at + 12] = b"\xff\xff\xff\x7f"
        a_photo(tmp_path / "in.jpg", bytes(tags))
        tags, camera, place, notes = written(
            tmp_path, metadata=read_photo(tmp_path / "in.jpg").metadata
        )
        assert tags[Base.Make] == "Maker"
        assert Base.FNumber not in camera
        assert place[1] == "N"
        assert notes == ("its EXIF is damaged in part, which is left out",)

    def test_tags_are_bounded_however_often_they_point_to_the_same_bytes(self):
        entries = b"".join(struct.pack("<HHII", tag, 7, 90_000, 8) for tag in range(1000, 1200))
        data = b"II*\0" + struct.pack("<IH", 100_000, 0).ljust(100_000 - 4, b"x")
        tree = read_tags(data + struct.pack("<H", 200) + entries + b"\0" * 4)
        assert tree.damaged
        assert 1 << 21 < sum(len(v.data) for v in tree.main.values()) <= 1 << 22

    def test_interoperability_survives(self, tmp_path):
        tags = exif()
        tags.get_ifd(EXIF)[INTEROP] = {1: "R98"}
        a_photo(tmp_path / "in.jpg", tags)
        metadata = read_photo(tmp_path / "in.jpg").metadata
        assert written(tmp_path, metadata=metadata)[0].get_ifd(INTEROP)[1] == "R98"


class TestFormats:
    @pytest.mark.parametrize("bits", [8, 16])
    @pytest.mark.parametrize("shape", [(3, 300, 70), (1, 70, 80), (3, 1, 1)])
    def test_tiff_as_other_programs_read_it(self, tmp_path, bits, shape):
        top = 2**bits - 1
        levels = np.random.default_rng(0).integers(0, top + 1, shape)
        write_image(torch.from_numpy(levels / top), tmp_path / "a.tif", bits)
        want = levels.transpose(1, 2, 0) if shape[0] == 3 else levels[0]
        assert (tifffile.imread(tmp_path / "a.tif") == want).all()
        opened = cv2.imread(str(tmp_path / "a.tif"), cv2.IMREAD_UNCHANGED)
        assert (opened == (want[..., ::-1] if shape[0] == 3 else want)).all()

    @pytest.mark.parametrize(("suffix", "side"), [(".webp", 16384), (".jpg", 65501)])
    def test_sides_that_a_format_cannot_hold_are_refused(self, tmp_path, suffix, side):
        with pytest.raises(InputError, match=rf"{suffix} holds at most \d+ pixels a side"):
            write_photo(torch.zeros(3, 1, side), tmp_path / f"a{suffix}")

    @pytest.mark.parametrize(("name", "bits"), ALL)
    def test_the_same_picture_gives_the_same_bytes(self, tmp_path, name, bits):
        a_photo(tmp_path / "in.jpg")
        image, metadata, _ = read_photo(tmp_path / "in.jpg")
        for folder in ("one", "two"):
            write_photo(image, tmp_path / folder / name, bits, metadata)
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_command_tells_the_place_unless_that_is_turned_off(run, photos):
    with Image.open("W.png") as photo:
        photo.save("placed.jpg", exif=exif(), quality=95)
    for name, options in (("a.jpg", ()), ("b.jpg", ("location=false",))):
        code, _, err = run(f"output={name}", *options, wide="placed.jpg")
        assert code == 0, err
    with Image.open("a.jpg") as a, Image.open("b.jpg") as b:
        assert a.getexif().get_ifd(GPS)[1] == "N"
        assert b.getexif().get_ifd(GPS) == {}
        assert b.getexif()[Base.Make] == "Maker"
