"""Which files of a folder are pairs."""

import pytest

from dfnet.errors import InputError
from dfnet.folder import find_pairs


@pytest.fixture
def files(tmp_path):
    """Make empty files in a folder."""

    def make(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(b"")
        return tmp_path

    return make


def test_pairs_by_name_in_any_format_and_depth(files):
    folder = files(
        *("b_wide.JPG", "b_UltraWide.png", "Day 1/wide.dng", "Day 1/ultrawide.jpg"),
        *("Day 1/cat_wide.webp", "Day 1/cat_ultrawide.tif", "x/y_wide.jpg", "x/y_ultrawide.jpg"),
        *("ultrawide_alone.jpg", "notes_wide.txt", "worldwide.jpg", "wide.txt", "IMG_1.jpg"),
    )
    found = [
        (p.name, p.wide.relative_to(folder).as_posix(), p.ultrawide.relative_to(folder).as_posix())
        for p in find_pairs(folder)
    ]
    assert found == [
        ("Day 1/cat", "Day 1/cat_wide.webp", "Day 1/cat_ultrawide.tif"),
        ("Day 1", "Day 1/wide.dng", "Day 1/ultrawide.jpg"),
        ("b", "b_wide.JPG", "b_UltraWide.png"),
        ("x/y", "x/y_wide.jpg", "x/y_ultrawide.jpg"),
    ]


def test_a_folder_that_is_a_pair_itself_gives_it_its_name(files):
    (pair,) = find_pairs(files("wide.jpg", "ultrawide.jpg"))
    assert pair.name == pair.wide.parent.name


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), "no pair of photos in it"),
        (("IMG_1.jpg", "IMG_2.jpg"), "Name them NAME_wide.jpg and NAME_ultrawide.jpg"),
        (("a_wide.jpg", "b_ultrawide.jpg"), "a_wide.jpg: its ultra-wide twin is missing"),
        (("a_wide.jpg", "sub/a_ultrawide.jpg"), "a_wide.jpg: its ultra-wide twin is missing"),
        (("wide.jpg", "wide.png", "ultrawide.jpg"), "wide.png: a second wide photo"),
    ],
)
def test_what_is_no_pair_is_said(files, names, message):
    with pytest.raises(InputError, match=message):
        find_pairs(files(*names))


def test_no_folder(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        find_pairs(tmp_path / "nowhere")
