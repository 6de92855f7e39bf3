"""Depth maps inside photos, written here by hand as the phones' formats say."""

import base64
import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image

from dfnet.errors import InputError
from dfnet.io.phone_depth import EXTENSION, read_phone_depth

WIDTH, HEIGHT = 160, 120


@pytest.fixture
def levels():
    """40 x 30: dark, but for a white square at the upper left."""
    values = np.full((30, 40), 51, np.uint8)
    values[:10, :10] = 255
    return values


def jpeg(pixels, xmp=b"", orientation=1):
    data = io.BytesIO()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    options = {"xmp": xmp} if xmp else {}
    Image.fromarray(pixels).save(data, "JPEG", quality=100, exif=exif, **options)
    return data.getvalue()


def photo(**options):
    return jpeg(np.full((HEIGHT, WIDTH, 3), 128, np.uint8), **options)


def multi_picture(first, second):
    """Two JPEGs and the index (CIPA DC-007) that makes one file of them."""
    entries = 12 + 3 * 12 + 4
    index = b"MM\0*\0\0\0\x08\0\x03" + struct.pack(">HHI4s", 0xB000, 7, 4, b"0100")
    index += struct.pack(">HHII", 0xB001, 4, 1, 2)
    index += struct.pack(">HHII", 0xB002, 7, 32, entries - 2) + b"\0\0\0\0"
    size = len(first) + 2 + 2 + 4 + len(index) + 32
    start = 2 + 2 + 2 + 4  # of the index, from which offsets count
    for length, offset in ((size, 0), (len(second), size - start)):
        index += struct.pack(">IIIHH", 0x030000 if offset == 0 else 0, length, offset, 0, 0)
    segment = b"MPF\0" + index
    return (
        first[:2] + b"\xff\xe2" + struct.pack(">H", len(segment) + 2) + segment + first[2:] + second
    )


def apple_xmp(kind="disparity", accuracy="relative"):
    fields = {
        "apdi:IntMaxValue": 255,
        "apdi:FloatMinValue": 0.5,
        "apdi:FloatMaxValue": 2.5,
        "apdi:AuxiliaryImageType": kind,
        "depthData:Accuracy": accuracy,
    }
    body = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return f"<x:xmpmeta>{body}</x:xmpmeta>".encode()


def write(tmp_path, data, name="photo.jpg"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


class TestApple:
    def test_white_is_near_between_the_limits(self, tmp_path, levels):
        found = read_phone_depth(write(tmp_path, multi_picture(photo(), jpeg(levels, apple_xmp()))))
        assert found.disparity.shape == (1, 30, 40)
        assert float(found.disparity[0, 5, 5]) == pytest.approx(2.5, abs=0.02)
        assert float(found.disparity[0, 20, 30]) == pytest.approx(0.5 + 2.0 * 51 / 255, abs=0.02)
        assert not found.metric
        assert found.source == "Apple disparity"

    def test_absolute_depth_is_inverted(self, tmp_path, levels):
        second = jpeg(levels, apple_xmp("depth", "absolute"))
        found = read_phone_depth(write(tmp_path, multi_picture(photo(), second)))
        assert float(found.disparity[0, 5, 5]) == pytest.approx(1 / 2.5, abs=0.01)
        assert found.metric

    def test_it_is_turned_as_the_photo_is(self, tmp_path, levels):
        first = photo(orientation=6)  # to be turned clockwise
        found = read_phone_depth(write(tmp_path, multi_picture(first, jpeg(levels, apple_xmp()))))
        assert found.disparity.shape == (1, 40, 30)
        assert float(found.disparity[0, 5, 25]) == pytest.approx(2.5, abs=0.02)  # upper right now

    def test_other_second_pictures_are_no_depth(self, tmp_path, levels):
        second = jpeg(levels, apple_xmp("urn:hdrgainmap"))
        assert read_phone_depth(write(tmp_path, multi_picture(photo(), second))) is None

    def test_a_map_of_another_frame_is_left_out(self, tmp_path, levels):
        second = jpeg(levels[:, :30], apple_xmp())
        assert read_phone_depth(write(tmp_path, multi_picture(photo(), second))) is None


def google(levels, kind, near=0.5, far=4.0, extended=False):
    picture = io.BytesIO()
    Image.fromarray(levels).save(picture, "PNG")
    data = base64.b64encode(picture.getvalue()).decode()
    head = f'GDepth:Format="{kind}" GDepth:Near="{near}" GDepth:Far="{far}" GDepth:Units="m"'
    if not extended:
        return photo(xmp=f'<x:xmpmeta {head} GDepth:Data="{data}"/>'.encode())
    text = f'<x:xmpmeta GDepth:Data="{data}"/>'.encode()
    half, segments = len(text) // 2, b""
    for offset, piece in ((half, text[half:]), (0, text[:half])):  # in any order
        body = EXTENSION + b"G" * 32 + struct.pack(">II", len(text), offset) + piece
        segments += b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    first = photo(xmp=f"<x:xmpmeta {head}/>".encode())
    return first[:2] + segments + first[2:]


class TestGoogle:
    @pytest.mark.parametrize("extended", [False, True])
    def test_black_is_near_and_inverse_depth_is_linear(self, tmp_path, levels, extended):
        data = google(255 - levels, "RangeInverse", extended=extended)
        found = read_phone_depth(write(tmp_path, data))
        assert float(found.disparity[0, 5, 5]) == pytest.approx(1 / 0.5, rel=1e-3)
        # By hand: level 0.8 lies at 2 - 0.8 * (2 - 0.25).
        assert float(found.disparity[0, 20, 30]) == pytest.approx(0.6, rel=1e-3)
        assert found.metric

    def test_linear_range_is_depth(self, tmp_path, levels):
        found = read_phone_depth(write(tmp_path, google(levels, "RangeLinear")))
        assert float(found.disparity[0, 5, 5]) == pytest.approx(1 / 4.0, rel=1e-3)
        assert float(found.disparity[0, 20, 30]) == pytest.approx(1 / (0.5 + 0.2 * 3.5), rel=1e-3)

    def test_impossible_ranges_are_refused(self, tmp_path, levels):
        with pytest.raises(InputError, match="depth map cannot be read"):
            read_phone_depth(write(tmp_path, google(levels, "RangeLinear", near=5.0)))

    def test_damaged_data_are_refused(self, tmp_path, levels):
        data = google(levels, "RangeLinear").replace(b"iVBORw0K", b"AAAAAAAA")
        with pytest.raises(InputError, match="depth map cannot be read"):
            read_phone_depth(write(tmp_path, data))

    def test_ranges_without_end_are_refused(self, tmp_path, levels):
        data = google(levels, "RangeInverse", far="1e999")
        with pytest.raises(InputError, match="its values are not finite"):
            read_phone_depth(write(tmp_path, data))

    def test_a_map_that_would_fill_the_memory_is_refused(self, tmp_path, levels):
        picture = io.BytesIO()
        Image.fromarray(levels).save(picture, "PNG")
        bomb = bytearray(picture.getvalue())
        bomb[16:24] = struct.pack(">II", 30_000, 20_000)
        bomb[29:33] = struct.pack(">I", zlib.crc32(bytes(bomb[12:29])))
        small, large = (base64.b64encode(bytes(b)) for b in (picture.getvalue(), bomb))
        data = google(levels, "RangeLinear")
        assert small in data
        with pytest.raises(InputError, match="30000x20000 pixels are too many"):
            read_phone_depth(write(tmp_path, data.replace(small, large)))

    def test_long_runs_of_nothing_take_no_time(self, tmp_path):
        hole = b"<GDepth:Data>" + b" " * 60_000
        start = time.process_time()
        assert read_phone_depth(write(tmp_path, photo(xmp=hole))) is None
        assert time.process_time() - start < 2  # 0.01 measured; hours where a pattern goes back


def test_a_plain_photo_has_none(tmp_path):
    assert read_phone_depth(write(tmp_path, photo())) is None


def test_no_file_and_no_image(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_phone_depth(tmp_path / "missing.jpg")
    with pytest.raises(InputError, match="cannot be read"):
        read_phone_depth(write(tmp_path, b"hello"))
