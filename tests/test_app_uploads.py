import struct
import zlib

import pytest
from PIL import Image

from dfnet.app import uploads
from dfnet.app.uploads import take_in
from dfnet.errors import InputError


def photo(path, size=(80, 70), kind="JPEG"):
    Image.new("RGB", size, (90, 120, 60)).save(path, kind)
    return path


def png_of(width, height):
    """A PNG that says so much and holds hardly anything."""

    def chunk(name, data):
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body)


@pytest.fixture
def sent(tmp_path):
    folder = tmp_path / "sent"
    folder.mkdir()
    return folder


@pytest.fixture
def kept(tmp_path):
    folder = tmp_path / "kept"
    folder.mkdir()
    return folder


def test_photos_keep_their_names_and_get_the_ending_of_their_content(sent, kept):
    wide, png = photo(sent / "Küste 1.bin"), photo(sent / "IMG_2.jpg", kind="PNG")
    assert take_in([wide, png], kept) == [kept / "Küste 1.jpg", kept / "IMG_2.png"]
    assert (kept / "Küste 1.jpg").read_bytes() == wide.read_bytes()


@pytest.mark.parametrize(
    "name", ["...jpg", ".jpg", "a\\..\\b;$(x).jpg", "x" * 200 + ".jpg", "..\n"]
)
def test_no_name_leads_out_of_the_folder(sent, kept, name):
    (copy,) = take_in([photo(sent / name)], kept)
    assert copy.parent == kept
    assert copy.is_file()
    assert not copy.name.startswith(".")
    assert not set(copy.name) & set("/\\;$\n")
    assert len(copy.name) <= 64


def test_two_photos_of_one_name_stay_two(sent, kept):
    (sent / "other").mkdir()
    photos = [photo(sent / "a.jpg"), photo(sent / "other" / "a.jpg", (100, 90))]
    copies = take_in(photos, kept)
    assert [c.read_bytes() for c in copies] == [p.read_bytes() for p in photos]
    assert photos[0].read_bytes() != photos[1].read_bytes()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Photo 1 is not a photo"),
        (b"<svg onload=alert(1)>", "Photo 1 is not a photo"),
        (b"PK\x03\x04 zip", "Photo 1 is not a photo"),
        (b"\xff\xd8\xff\xe0 cut", "Photo 1 is damaged"),
        (png_of(60_000, 60_000), "Photo 1 has 60000x60000 pixels"),
    ],
)
def test_what_is_no_photo_or_a_bomb_is_refused_undecoded(sent, kept, content, said):
    (sent / "x.jpg").write_bytes(content)
    with pytest.raises(InputError, match=said):
        take_in([sent / "x.jpg"], kept)


def test_a_file_that_is_too_long_is_not_even_copied(sent, kept, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_FILE_BYTES", 1000)
    long = photo(sent / "x.png", (300, 300), "PNG")
    long.write_bytes(long.read_bytes() + b"\0" * 1000)
    with pytest.raises(InputError, match="Photo 1 is larger than"):
        take_in([long], kept)
    assert not list(kept.iterdir())


@pytest.mark.parametrize("number", [0, 3])
def test_one_or_two_files_are_needed(sent, kept, number):
    with pytest.raises(InputError, match=f"{number} files were given"):
        take_in([photo(sent / "a.jpg")] * number, kept)
