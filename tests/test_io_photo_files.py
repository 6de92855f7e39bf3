"""Photos in and out: what is read, kept, lost and refused."""

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import torch
from made_dng import dng
from made_profile import profile
from PIL import ExifTags, Image

from dfnet import load_pair
from dfnet.errors import InputError
from dfnet.io.images import read_image, write_image
from dfnet.io.pair_order import wide_first
from dfnet.io.photo_files import read_photo, write_photo
from dfnet.io.tiff_tags import EXIF, GPS, INTEROP, read_tags

HEIGHT, WIDTH = 66, 90
MAKER_NOTE = b"Maker\0\1\2\xff" * 9
TURNED_HEIC = Path(__file__).parent / "turned_p3.heic"
Base = ExifTags.Base


def exif(orientation=1, maker_note=MAKER_NOTE):
    """As a phone writes it, by Pillow: camera, place, thumbnail."""
    tags = Image.Exif()
    tags[Base.Make], tags[Base.Orientation], tags[Base.Software] = "Maker", orientation, "16.2"
    tags[Base.ImageWidth], tags[Base.ImageLength] = 4000, 3000
    camera = tags.get_ifd(EXIF)
    camera |= {Base.FNumber: 1.5, Base.FocalLengthIn35mmFilm: 26, Base.MakerNote: maker_note}
    camera |= {Base.ExifImageWidth: 4000, Base.ExifImageHeight: 3000}
    camera |= {Base.SubjectLocation: (40, 30), Base.DateTimeOriginal: "2026:01:02 03:04:05"}
    tags.get_ifd(GPS).update({1: "N", 2: (48.0, 51.0, 30.5), 3: "E", 4: (2.0, 21.0, 7.0)})
    return tags


def a_photo(path, tags=None, **options):
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    pixels = cv2.blur(pixels, (9, 9))
    Image.fromarray(pixels).save(path, exif=exif() if tags is None else tags, **options)
    return pixels


ALL = [
    ("out.jpg", 8),
    ("out.webp", 8),
    *((f"out{s}", b) for s in (".png", ".tif") for b in (8, 16)),
]


def written(tmp_path, name="out.jpg", bits=8, metadata=None, **options):
    """A photo taken in and given out, seen by Pillow."""
    if metadata is None:
        a_photo(tmp_path / "in.jpg")
        metadata = read_photo(tmp_path / "in.jpg").metadata
    notes = write_photo(torch.full((3, 70, 80), 0.5), tmp_path / name, bits, metadata, **options)
    with Image.open(tmp_path / name) as out:
        tags = out.getexif()
        return tags, tags.get_ifd(EXIF), tags.get_ifd(GPS), notes


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
