"""Parts of a data set share neither a photograph, whatever its name, nor a seed."""

import csv
import hashlib
import shutil
from pathlib import Path

import pytest

from dfnet.errors import InputError
from dfnet.render.splits import PARTS, SEEDS, check_seeds, find_photos, part_of

RELEASED = Path(__file__).parents[1] / "data/textures/released.csv"


@pytest.fixture
def folder(tmp_path):
    """60 files that are photographs by their name, and a note."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for k in range(60):
        (folder / f"photo_{k:02d}.jpg").write_bytes(b"picture %d" % k)
    (folder / "notes.txt").write_text("no photograph")
    return folder


def contents(photos):
    return [photo.path.read_bytes() for photo in photos]


def test_parts_share_no_photograph_and_make_up_the_whole(folder):
    parts = {part: contents(find_photos(folder, part)) for part in PARTS}
    everything = [content for part in parts.values() for content in part]
    assert sorted(everything) == sorted(contents(find_photos(folder))) != []
    assert len(set(everything)) == 60
    # Shares of one sixth: 10 expected of 60, standard deviation 2.9.
    assert 3 <= len(parts["val"]) <= 17
    assert 3 <= len(parts["test"]) <= 17


def test_renamed_and_doubled_files_stay_in_their_part_and_count_once(folder):
    before = {part: contents(find_photos(folder, part)) for part in (*PARTS, "all")}
    for k, path in enumerate(sorted(folder.glob("*.jpg"))):
        if k % 3 == 0:
            shutil.copy(path, folder / f"a copy of {k}.png")
        else:
            path.rename(folder / f"{59 - k}.webp")
    after = {part: contents(find_photos(folder, part)) for part in (*PARTS, "all")}
    assert after == before  # in the same order, so that seeds make the same scenes


def test_the_part_follows_from_the_first_digits_of_the_checksum():
    # A sixth of 2^32 is 0x2AAAAAAA.
    rest = "0" * 56
    assert [part_of(first + rest) for first in ("00000000", "2aaaaaaa")] == ["test"] * 2
    assert [part_of(first + rest) for first in ("2aaaaaab", "55555555")] == ["val"] * 2
    assert [part_of(first + rest) for first in ("55555556", "ffffffff")] == ["train"] * 2


def write_list(path, rows):
    text = "file,sha256,part\n" + "".join(f"{','.join(row)}\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


def checksum(folder, k):
    return hashlib.sha256((folder / f"photo_{k:02d}.jpg").read_bytes()).hexdigest()


def test_a_list_admits_its_photographs_alone_in_its_parts(folder, tmp_path):
    rows = [(f"p{k}", checksum(folder, k), part) for k, part in enumerate(("test", "val", "val"))]
    table = write_list(tmp_path / "list.csv", rows)
    assert contents(find_photos(folder, "test", table)) == [b"picture 0"]
    assert set(contents(find_photos(folder, "val", table))) == {b"picture 1", b"picture 2"}
    assert len(find_photos(folder, "all", table)) == 3
    with pytest.raises(InputError, match="no photograph"):
        find_photos(folder, "train", table)


def test_listed_photographs_that_are_missing_are_named(folder, tmp_path):
    rows = [("here", checksum(folder, 0), "val"), ("gone", "ab" * 32, "val")]
    rows.append(("elsewhere", "cd" * 32, "test"))
    table = write_list(tmp_path / "list.csv", rows)
    with pytest.raises(InputError, match=r"1 of 2 listed[^\n]*\n  Missing: gone\."):
        find_photos(folder, "val", table)
    with pytest.raises(InputError, match="Missing: elsewhere, gone"):
        find_photos(folder, "all", table)


@pytest.mark.parametrize("text", ["file,sha256\na,b\n", "", None])
def test_a_list_that_is_none_is_refused(folder, tmp_path, text):
    table = tmp_path / "list.csv"
    if text is not None:
        table.write_text(text)
    with pytest.raises(InputError, match=r"list\.csv: no list|no photograph"):
        find_photos(folder, "train", table)


def test_folders_that_cannot_be_used_are_named(tmp_path):
    assert find_photos(None) == ()
    with pytest.raises(InputError, match="no such folder"):
        find_photos(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no photograph"):
        find_photos(tmp_path)
    with pytest.raises(InputError, match="texture_part=half"):
        find_photos(tmp_path, "half")


def test_seeds_of_parts_are_apart_and_kept_apart():
    seeds = [seed for part in PARTS for seed in SEEDS[part]]
    assert len(set(seeds)) == len(seeds)
    check_seeds("test", range(900_000, 900_024))
    check_seeds("all", range(5, 10**7))
    for part, first in (("train", 799_999), ("val", 799_999), ("val", 899_999), ("test", 899_999)):
        with pytest.raises(InputError, match=f"not seeds of texture_part={part}"):
            check_seeds(part, range(first, first + 2))


def test_the_released_list_is_free_to_use_and_split_by_the_rule():
    with RELEASED.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["licence"] for row in rows} == {"unrestricted use", "CC-BY-4.0", "CC-BY-SA-4.0"}
    assert all(row["author"] and row["source"] for row in rows)
    assert [row["part"] for row in rows] == [part_of(row["sha256"]) for row in rows]
    assert len({row["sha256"] for row in rows}) == len(rows) == 29
