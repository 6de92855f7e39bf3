"""Photos of phones, damaged ones, and which of two is the wide one."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from made_dng import dng
from made_photo import Base, a_photo, written
from PIL import Image

from dfnet import load_pair
from dfnet.errors import InputError
from dfnet.io.images import read_image, write_image
from dfnet.io.pair_order import wide_first
from dfnet.io.photo_files import read_photo
from dfnet.io.tiff_tags import EXIF

TURNED_HEIC = Path(__file__).parent / "turned_p3.heic"


class TestWhatPhonesMake:
    def test_the_content_counts_not_the_name(self, tmp_path):
        pixels = a_photo(tmp_path / "in.png")
        for name in ("photo.jpg", "photo.heic", "photo.dng", "photo"):
            (tmp_path / name).write_bytes((tmp_path / "in.png").read_bytes())
            want = torch.from_numpy(pixels.transpose(2, 0, 1) / np.float32(255))
            assert torch.equal(read_photo(tmp_path / name).image, want)

    @pytest.mark.parametrize(
        ("extra", "note"),
        [
            (b"MotionPhoto_Data" + b"\0\0\0\x18ftypmp42" * 20, "video is not kept"),
            (b'<x hdrgm:Version="1.0"/>', "SDR output"),
            (b"urn:com:apple:photo:2020:aux:hdrgainmap", "SDR output"),
            (b'<x GCamera:MotionPhoto="1"/>', "video is not kept"),
            (b"<apdi:AuxiliaryImageType>disparity</apdi:AuxiliaryImageType>", "depth map"),
            (b"jumb....c2pa.claim", "content credentials"),
        ],
    )
    def test_what_follows_the_picture_is_passed_over_and_said(self, tmp_path, extra, note):
        a_photo(tmp_path / "in.jpg")
        plain = read_photo(tmp_path / "in.jpg")
        with (tmp_path / "in.jpg").open("ab") as file:
            file.write(extra)
        photo = read_photo(tmp_path / "in.jpg")
        assert torch.equal(photo.image, plain.image)
        assert plain.notes == ()
        assert len(photo.notes) == 1
        assert note in photo.notes[0]

    def test_further_pictures_in_a_file_do_not_disturb(self, tmp_path):
        a_photo(tmp_path / "in.jpg", quality=95)
        want = read_image(tmp_path / "in.jpg")
        with Image.open(tmp_path / "in.jpg") as first:
            second = Image.new("L", (32, 24), 200)
            first.save(tmp_path / "two.mpo", save_all=True, append_images=[second], quality=95)
        (tmp_path / "two.mpo").rename(tmp_path / "two.jpg")
        assert float((read_image(tmp_path / "two.jpg") - want).abs().max()) < 0.05

    def test_heic(self, tmp_path):
        pytest.importorskip("pi_heif", reason="the extra `heic` is not installed")
        # 96 x 72, upper half P3's (234, 51, 35), lower half gray, to be turned clockwise; made
        # with pillow-heif.
        (tmp_path / "renamed.jpg").write_bytes(TURNED_HEIC.read_bytes())
        photo = read_photo(tmp_path / "renamed.jpg")
        assert photo.image.shape == (3, 96, 72)
        assert torch.allclose(photo.image[:, 40, 10] * 255, torch.full((3,), 128.0), atol=2)
        assert torch.allclose(photo.image[:, 40, 60], torch.tensor([1.0, 0, 0]), atol=0.06)
        tags, camera, _, _ = written(tmp_path, metadata=photo.metadata)
        assert tags[Base.Orientation] == 1
        assert camera[Base.FocalLengthIn35mmFilm] == 26
        assert Base.SubjectLocation not in camera
        assert b'xmp:CreatorTool="Phone 1"' in (tmp_path / "out.jpg").read_bytes()

    @pytest.mark.parametrize("size", [500, 900, 1200])
    def test_heic_cut_short(self, tmp_path, size):
        pytest.importorskip("pi_heif", reason="the extra `heic` is not installed")
        (tmp_path / "cut.heic").write_bytes(TURNED_HEIC.read_bytes()[:size])
        with pytest.raises(InputError, match=r"cut.heic: cannot be read as an image"):
            read_photo(tmp_path / "cut.heic")

    def test_dng(self, tmp_path):
        pytest.importorskip("rawpy", reason="the extra `dng` is not installed")
        light = np.ones((96, 128))
        light[:, :64] = 0.5
        (tmp_path / "a.dng").write_bytes(dng(0.5 * light, 0.25 * light, 0.1 * light, 6))
        photo = read_photo(tmp_path / "a.dng")
        # By hand: sRGB encodes 0.5, 0.25 and 0.1 as 188, 137 and 89, half of each as 137, 99, 63.
        assert photo.image.shape == (3, 128, 96)  # turned clockwise: the left is above
        for row, levels in ((20, (137, 99, 63)), (100, (188, 137, 89))):
            assert torch.allclose(
                photo.image[:, row, 40] * 255, torch.tensor(levels) * 1.0, atol=0.6
            )
        tags, _, _, _ = written(tmp_path, metadata=photo.metadata)
        assert tags[Base.Make] == "Maker"
        assert tags[Base.Orientation] == 1
        assert set(tags) <= {EXIF, Base.Make, Base.Model, Base.Orientation, Base.Software}
        (tmp_path / "cut.dng").write_bytes((tmp_path / "a.dng").read_bytes()[:9000])
        with pytest.raises(InputError, match=r"cut.dng: cannot be"):
            read_photo(tmp_path / "cut.dng")


class TestRefusals:
    def test_few_bytes_that_claim_many_pixels(self, tmp_path):
        a_photo(tmp_path / "in.png")
        data = bytearray((tmp_path / "in.png").read_bytes())
        data[16:24] = struct.pack(">II", 14_000, 15_000)  # of the IHDR chunk
        data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
        (tmp_path / "bomb.png").write_bytes(data)
        with pytest.raises(InputError, match=r"claims to hold 14000x15000 pixels in \d+ bytes"):
            read_photo(tmp_path / "bomb.png")

    def test_a_profile_that_unpacks_to_far_more(self, tmp_path):
        a_photo(tmp_path / "in.png")
        data = (tmp_path / "in.png").read_bytes()
        body = b"iCCP" + b"a\0\0" + zlib.compress(b"\0" * (1 << 24), 9)
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        (tmp_path / "bomb.png").write_bytes(data[:33] + chunk + data[33:])
        with pytest.raises(InputError, match=r"bomb.png: cannot be read"):
            read_photo(tmp_path / "bomb.png")

    def test_a_chunk_that_claims_more_than_the_file_has(self, tmp_path):
        write_image(torch.zeros(3, 70, 80), tmp_path / "deep.png", 16)
        data = bytearray((tmp_path / "deep.png").read_bytes())
        data[data.index(b"IDAT") - 4] = 0x7F  # 2 GB, which OpenCV would ask for
        (tmp_path / "deep.png").write_bytes(data)
        with pytest.raises(InputError, match=r"deep.png: .*a chunk claims 21307\d+ bytes"):
            read_photo(tmp_path / "deep.png")

    @pytest.mark.parametrize("kind", ["GIF", "BMP", "PDF", "EPS"])
    def test_formats_that_no_camera_writes(self, tmp_path, kind):
        Image.new("RGB", (80, 80)).save(tmp_path / "photo.jpg", kind)
        with pytest.raises(InputError, match=r"photo.jpg: cannot be read as an image"):
            read_photo(tmp_path / "photo.jpg")


class TestOrder:
    def shot(self, path, **lens):
        tags = Image.Exif()
        tags[Base.Model] = lens.pop("model", "Phone 1")
        tags.get_ifd(EXIF).update({getattr(Base, k): v for k, v in lens.items()})
        Image.new("RGB", (64, 64)).save(path, exif=tags)
        return path

    @pytest.mark.parametrize(
        ("first", "second", "swapped"),
        [
            ({"FocalLengthIn35mmFilm": 26}, {"FocalLengthIn35mmFilm": 13}, False),
            ({"FocalLengthIn35mmFilm": 13}, {"FocalLengthIn35mmFilm": 26}, True),
            ({"FocalLengthIn35mmFilm": 24}, {"FocalLengthIn35mmFilm": 26}, False),
            ({"FocalLength": 1.57}, {"FocalLength": 5.7}, True),
            ({"FocalLength": 1.57}, {"FocalLength": 5.7, "model": "Phone 2"}, False),
            # The equivalent length decides: a large sensor has long lenses.
            (
                {"FocalLength": 2.2, "FocalLengthIn35mmFilm": 26},
                {"FocalLength": 6.0, "FocalLengthIn35mmFilm": 13},
                False,
            ),
            ({}, {"FocalLengthIn35mmFilm": 26}, False),
            ({"FocalLengthIn35mmFilm": 0}, {"FocalLengthIn35mmFilm": 26}, False),
        ],
    )
    def test_the_longer_lens_is_the_wide_photo(self, tmp_path, first, second, swapped):
        a = self.shot(tmp_path / "a.jpg", **first)
        b = self.shot(tmp_path / "b.jpg", **second)
        pair = wide_first(a, b)
        assert (pair.wide, pair.ultrawide) == ((b, a) if swapped else (a, b))
        assert (pair.note is not None) == swapped
        if swapped:
            assert pair.note.startswith("b.jpg is taken as the wide photo")

    def test_a_pair_is_loaded_in_its_order(self, tmp_path):
        uw = self.shot(tmp_path / "first.jpg", FocalLengthIn35mmFilm=13)
        w = self.shot(tmp_path / "second.jpg", FocalLengthIn35mmFilm=26)
        pair = load_pair(uw, w)
        assert (pair.recipe.wide, pair.recipe.ultrawide) == (str(w), str(uw))
        assert any("second.jpg is taken as the wide photo" in note for note in pair.notes)
        assert load_pair(w, uw).recipe == pair.recipe
