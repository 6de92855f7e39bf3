"""Which photo is which: wide or ultra-wide, and what is written beside them."""

import numpy as np
import pytest
from PIL import ExifTags, Image

from dfnet.errors import InputError
from dfnet.importing.read import find_shots
from dfnet.io.images import read_image


def shoot(folder, *names, equivalent_mm=None, subject_m=None):
    """Write photos that differ in their pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        seed = sum(map(ord, f"{folder.name}/{name}"))
        pixels = np.random.default_rng(seed).integers(0, 255, (70, 80, 3), dtype=np.uint8)
        exif = Image.Exif()
        ifd = exif.get_ifd(ExifTags.IFD.Exif)
        if equivalent_mm is not None:
            ifd[ExifTags.Base.FocalLengthIn35mmFilm] = equivalent_mm
        if subject_m is not None:
            ifd[ExifTags.Base.SubjectDistance] = subject_m
        Image.fromarray(pixels).save(folder / name, exif=exif)


def names(paths):
    return [p.name for p in paths]


def test_names_are_sorted_as_people_count(tmp_path):
    shoot(tmp_path, "IMG_10.jpg", "IMG_9.jpg", "IMG_100.jpg")
    assert names(find_shots(tmp_path).wide) == ["IMG_9.jpg", "IMG_10.jpg", "IMG_100.jpg"]


def test_ultra_wide_photos_are_told_by_folder(tmp_path):
    shoot(tmp_path, "a.jpg", "b.jpg")
    shoot(tmp_path / "ultrawide", "c.jpg")
    found = find_shots(tmp_path)
    assert (names(found.wide), names(found.ultrawide)) == (["a.jpg", "b.jpg"], ["c.jpg"])


@pytest.mark.parametrize("name", ["scene_uw.jpg", "UW-1.jpg", "my ultrawide 2.jpg", "ultra_1.jpg"])
def test_ultra_wide_photos_are_told_by_name(tmp_path, name):
    shoot(tmp_path, "a.jpg", "b.jpg", name)
    assert names(find_shots(tmp_path).ultrawide) == [name]


def test_a_mark_that_all_photos_bear_is_a_phones_name(tmp_path):
    shoot(tmp_path, "S23_ultra_1.jpg", "S23_ultra_2.jpg")
    found = find_shots(tmp_path)
    assert (len(found.wide), found.ultrawide) == (2, [])


def test_letters_within_a_word_are_no_mark(tmp_path):
    shoot(tmp_path, "uwe_1.jpg", "b.jpg", "c.jpg")
    assert find_shots(tmp_path).ultrawide == []


def test_ultra_wide_photos_are_told_by_focal_length(tmp_path):
    shoot(tmp_path, "a.jpg", "b.jpg", equivalent_mm=26)
    shoot(tmp_path, "c.jpg", equivalent_mm=13)
    found = find_shots(tmp_path)
    assert names(found.ultrawide) == ["c.jpg"]
    assert found.ultrawide_by == "EXIF FocalLengthIn35mmFilm"


def test_ultra_wide_photos_can_be_named(tmp_path):
    shoot(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    assert names(find_shots(tmp_path, ["b.jpg"]).ultrawide) == ["b.jpg"]
    with pytest.raises(InputError, match=r"d\.jpg: no such file"):
        find_shots(tmp_path, ["d.jpg"])


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("stack.csv", "file,focus_distance_m\nb.jpg,0.2\na.jpg,0.5\n"),
        ("stack.csv", "file,focus_dioptres\nb.jpg,5\na.jpg,2\n"),
        ("stack.json", '{"shots": [{"file": "a.jpg", "focus_distance_m": 0.5},'
         ' {"file": "b.jpg", "focus_dioptres": 5}]}'),
    ],
)  # fmt: skip
def test_focus_distances_are_read(tmp_path, file, text):
    shoot(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / file).write_text(text)
    found = find_shots(tmp_path)
    assert found.focus_distance_m == pytest.approx([0.5, 0.2])
    assert found.distances_from == "metadata file"


def test_zero_dioptres_is_infinity(tmp_path):
    shoot(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "stack.csv").write_text("file,focus_dioptres\na.jpg,4\nb.jpg,0\n")
    assert find_shots(tmp_path).focus_distance_m == [0.25, float("inf")]


def test_cameras_of_the_metadata_file_are_read(tmp_path):
    shoot(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "stack.json").write_text('{"cameras": {"wide": {"focal_length_mm": 6.8}}}')
    assert find_shots(tmp_path).cameras["wide"].focal_length_m == pytest.approx(0.0068)


def test_exif_distances_serve_when_all_photos_have_one(tmp_path):
    shoot(tmp_path, "a.jpg", subject_m=0.3)
    shoot(tmp_path, "b.jpg", subject_m=0.9)
    assert find_shots(tmp_path).focus_distance_m == pytest.approx([0.3, 0.9])
    shoot(tmp_path, "c.jpg")
    assert find_shots(tmp_path).focus_distance_m is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,focus_distance_m\na.jpg,0.5\n", "no focus distance for b.jpg"),
        ("file,focus_distance_m\na.jpg,-1\nb.jpg,2\n", "not a usable description"),
        ("file,focus_distance_m\na.jpg,near\nb.jpg,2\n", "not a usable description"),
    ],
)
def test_metadata_that_cannot_be_used_is_refused(tmp_path, text, message):
    shoot(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / "stack.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        find_shots(tmp_path)


def test_what_is_no_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        find_shots(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("suffix", "module", "head"),
    [("heic", "pi_heif", b"\0\0\0\x18ftypheic"), ("dng", "rawpy", b"II*\0\x08\0\0\0")],
)
def test_a_missing_extra_is_named(tmp_path, monkeypatch, suffix, module, head):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(head + b"0" * 100)
    with pytest.raises(InputError, match=rf"pip install 'dfnet\[{suffix}\]'"):
        read_image(path)
