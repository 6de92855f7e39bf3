"""The command `python refocus.py` over many: focus pulls, folders, recipes."""

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from refocus_command import HEIGHT, WIDTH, names

from dfnet.io.declaration import read_declaration
from dfnet.io.images import read_image
from dfnet.io.video import XMP_BOX, video_xmp


@pytest.mark.parametrize(
    "box", [b"\0\0\0\1uuid" + b"\0" * 7 + b"\x17", b"\0\0\0\x09uuid", b"\0\0\0\7free"]
)
def test_a_film_whose_boxes_lie_is_damaged(tmp_path, box):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"\0\0\0\x0cftypisom" + box + XMP_BOX + b"x" * 40)
    with pytest.raises(ValueError, match="a box of"):
        video_xmp(path)


def test_a_film_with_long_lengths_is_read_to_the_end_of_its_box(tmp_path):
    path, length = tmp_path / "a.mp4", 32 + 5
    path.write_bytes(b"\0\0\0\1uuid" + length.to_bytes(8) + XMP_BOX + b"<xmp>" + b"\0\0\0\x08free")
    assert video_xmp(path) == b"<xmp>"


# --- focus pulls and folders --------------------------------------------------------------------


def test_a_focus_pull_is_a_video(run, photos):
    code, _, err = run("output=a.mp4", "focus_at=30,50", "pull=5", "focus_at=100,50")
    assert code == 0, err
    assert names(photos) == {"W.png", "UW.png", "a.mp4", "a_recipe.json"}
    video = cv2.VideoCapture("a.mp4")
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 5
    assert video.read()[1].shape == (HEIGHT, WIDTH, 3)
    declared = read_declaration("a.mp4")
    assert declared.source_type == "algorithmicallyEnhanced"
    assert declared.recipe_sha256 == hashlib.sha256(Path("a_recipe.json").read_bytes()).hexdigest()
    first = (photos / "a.mp4").read_bytes()
    assert run("recipe=a_recipe.json", defaults=False)[0] == 0
    assert (photos / "a.mp4").read_bytes() == first
    assert run("recipe=a_recipe.json", "disclose=false", defaults=False)[0] == 0
    assert not read_declaration("a.mp4").is_edit
    assert len(first) - (photos / "a.mp4").stat().st_size > 200  # the box, and nothing else
    assert first.startswith((photos / "a.mp4").read_bytes())


def test_or_pictures_one_by_one_that_end_as_asked(run, photos):
    code, _, err = run("output=f_*.png", "focus_at=30,50", "pull=3", "focus_at=100,50")
    assert code == 0, err
    run("output=first.png", "focus_at=30,50")
    run("output=last.png", "focus_at=100,50")
    for frame, picture in (("f_1.png", "first.png"), ("f_3.png", "last.png")):
        assert torch.equal(read_image(frame), read_image(picture))
    assert run("recipe=f_2_recipe.json", "output=again.png", defaults=False)[0] == 0
    assert torch.equal(read_image("again.png"), read_image("f_2.png"))


@pytest.fixture
def folder(photos):
    """Two pairs, one of them deeper, and files that are none."""
    for name in ("one_wide.png", "in here/wide.png"):
        path = photos / "pairs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((photos / "W.png").read_bytes())
        twin = path.with_name(path.name.replace("wide", "ultrawide"))
        twin.write_bytes((photos / "UW.png").read_bytes())
    (photos / "pairs" / "notes.txt").write_text("no photo")
    (photos / "pairs" / "single.png").write_bytes((photos / "W.png").read_bytes())
    return photos / "pairs"


def test_a_folder_of_pairs_by_a_recipe(run, photos, folder):
    run("output=a.png", "focus_at=30,50", "aperture_scale=2")
    code, _, err = run("folder=pairs", "recipe=a_recipe.json", "output=out/*.png", defaults=False)
    assert code == 0, err
    assert names(photos / "out") == {
        "one.png",
        "one_recipe.json",
        "in here.png",
        "in here_recipe.json",
    }
    for name in ("one", "in here"):
        assert torch.equal(read_image(f"out/{name}.png"), read_image("a.png"))


def test_a_folder_goes_on_after_a_pair_that_fails_and_says_so(run, photos, folder):
    (folder / "one_wide.png").write_bytes(b"broken")
    code, _, err = run("folder=pairs", "output=out", wide="W.png")
    assert code == 1
    assert "1 of 2 pairs are done; these are not:\none: pairs/one_wide.png: cannot be read" in err
    assert names(photos / "out") == {"in here.jpg", "in here_recipe.json"}


# --- recipes -----------------------------------------------------------------------------------


def test_a_recipe_repeats_the_edit_to_the_byte(run, photos):
    run("output=a.png", "focus_at=30,50", "aperture_scale=1.5", "bits=16")
    first = (photos / "a.png").read_bytes(), (photos / "a_recipe.json").read_bytes()
    (photos / "a.png").unlink()
    code, _, err = run("recipe=a_recipe.json", defaults=False)
    assert code == 0, err
    assert ((photos / "a.png").read_bytes(), (photos / "a_recipe.json").read_bytes()) == first
    assert run("recipe=a_recipe.json", "output=b.png", defaults=False)[0] == 0
    assert (photos / "b.png").read_bytes() == first[0]


def test_a_recipe_moves_with_its_folder_and_yields_to_the_command_line(run, photos, monkeypatch):
    run("output=a.png", "focus_at=30,50")
    moved = photos.rename(photos.parent / "moved")
    monkeypatch.chdir(moved.parent)
    code, _, err = run(
        "recipe=moved/a_recipe.json",
        "output=moved/b.png",
        "focus_at=100,50",
        "also=target",
        defaults=False,
    )
    assert code == 0, err
    assert np.load("moved/b_target.npy")[40, 10] == pytest.approx(-3, rel=1e-3)


def test_a_recipe_says_what_it_was_made_from_and_when_that_has_changed(run, photos):
    run("output=a.png")
    record = json.loads((photos / "a_recipe.json").read_text())
    assert record["wide"] == "W.png"
    assert record["photo_size"] == [WIDTH, HEIGHT]
    assert len(record["sha256"]["UW.png"]) == 64
    assert record["found"]["defocus_per_disparity"] == pytest.approx(0.3)
    assert "not what it was" not in run("recipe=a_recipe.json", defaults=False)[2]
    (photos / "UW.png").write_bytes((photos / "W.png").read_bytes() + b" ")
    assert "UW.png is not what it was" in run("recipe=a_recipe.json", defaults=False)[2]


def test_a_recipe_on_a_photo_of_another_size_keeps_its_places(run, photos):
    run("output=a.png", "focus_at=30,50")
    with Image.open("W.png") as image:
        image.resize((2 * WIDTH, 2 * HEIGHT)).save("large.png")
        image.resize((WIDTH, WIDTH)).save("square.png")
    again = ("recipe=a_recipe.json", "ultrawide=UW.png", "output=b.png", "also=target")
    code, _, err = run(*again, "wide=large.png", defaults=False)
    assert code == 0, err
    assert np.load("b_target.npy")[80, [20, 250]] == pytest.approx([0.0, 3.0], abs=1e-3)
    code, _, err = run(*again, "wide=square.png", defaults=False)
    assert code == 1
    assert "focus_at: its places are of a photo of 128x96 pixels, and this one has 128x128" in err


def test_recipes_of_the_first_version_still_work(run, photos):
    edit = {
        "wide": "W.png",
        "ultrawide": "UW.png",
        "output": "old.png",
        "target": "refocus",
        "focus_at": [100, 50],
        "aperture_scale": 2,
        "path": None,
        "map_px_per_level": None,
        "map_zero_level": 0.0,
        "like": None,
        "camera": {},
        "weights": None,
        "device": "cpu",
        "bits": 8,
    }
    (photos / "old_recipe.json").write_text(json.dumps({"dfnet": "0.1.0", "edit": edit}))
    code, _, err = run("recipe=old_recipe.json", "also=target")
    assert code == 0, err
    assert np.load("old_target.npy")[40, [10, 120]] == pytest.approx([-6.0, 0.0], rel=1e-3)
