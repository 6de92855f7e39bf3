"""The command `python refocus.py`: what it writes, and that it repeats."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from refocus_command import HEIGHT, ROOT, WIDTH, matched, names, sharp

import dfnet.edit
import dfnet.preprocess
from dfnet.io.images import read_image
from dfnet.optics import BlurLaw
from dfnet.preprocess.calibrate import BlurFit
from dfnet.preprocess.pool_law import PooledSlope, write_preset


def test_writes_picture_map_and_recipe_and_nothing_else(run, photos):
    code, out, err = run("output=sharp.png", "target=all_in_focus")
    assert code == 0, err
    assert names(photos) == {
        "W.png",
        "UW.png",
        "sharp.png",
        "sharp_target.npy",
        "sharp_recipe.json",
    }
    assert read_image(photos / "sharp.png").shape == (3, HEIGHT, WIDTH)
    assert out.split() == ["wrote", "sharp.png", "sharp_target.npy", "sharp_recipe.json"]
    assert "note: a remark on the photos" in err
    assert (np.load("sharp_target.npy") == 0).all()


def test_what_does_not_change_is_the_photo_itself(run, photos):
    run("output=same.png", "target=aperture", "aperture_scale=1")
    assert torch.equal(read_image("same.png"), read_image("W.png"))


@pytest.mark.parametrize(
    ("options", "left_px", "right_px"),
    [
        (["target=refocus", "focus_at=[30,50]"], 0.0, 3.0),
        (["target=refocus", "focus_at=[30, 50]", "aperture_scale=2"], 0.0, 6.0),
        (["target=refocus", "focus_at=[100.5,50]"], -3.0, 0.0),
        (["target=aperture", "aperture_scale=0.5"], -1.5, 0.0),
    ],
)
def test_targets_follow_the_options(run, options, left_px, right_px):
    code, _, err = run("output=a.png", *options)
    assert code == 0, err
    assert np.load("a_target.npy")[40, [10, 120]] == pytest.approx([left_px, right_px], rel=1e-3)


def test_a_map_from_a_file(run, photos):
    wish = np.full((HEIGHT, WIDTH), 2.5, np.float32)
    np.save(photos / "wish.npy", wish)
    code, _, err = run("output=a.png", "target=map", "path=wish.npy")
    assert code == 0, err
    assert (np.load("a_target.npy") == 2.5).all()


def test_another_photo_says_how_and_its_recipe_repeats_that(run, photos, monkeypatch):
    seen = []

    def law_of_photo(photo, preprocessed):
        seen.append(photo)
        return BlurFit(BlurLaw(0.3, 5.0), 9.0, 1.0, 0.01)

    monkeypatch.setattr(dfnet.edit, "law_of_photo", law_of_photo)
    (photos / "other one.png").write_bytes((photos / "UW.png").read_bytes())
    code, _, err = run("output=a.png", "target=like", "like=other one.png")
    assert code == 0, err
    assert torch.equal(seen[0], read_image("UW.png"))
    assert np.load("a_target.npy")[40, [10, 120]] == pytest.approx([-1.5, 1.5], rel=1e-3)
    first = (photos / "a.png").read_bytes()
    record = json.loads((photos / "a_recipe.json").read_text())
    assert record["edit"]["like"] == "other one.png"
    assert len(record["sha256"]["like"]) == 64
    assert run("recipe=a_recipe.json", defaults=False)[0] == 0
    assert (photos / "a.png").read_bytes() == first
    assert run("recipe=a_recipe.json", "like=W.png", "output=b.png", defaults=False)[0] == 0
    assert torch.equal(seen[2], read_image("W.png"))


def test_a_sharp_photo_can_be_given_blur_by_a_point_but_not_by_a_factor(run, monkeypatch):
    monkeypatch.setattr(dfnet.preprocess, "preprocess_pair", sharp)
    assert run("output=a.png", "target=refocus", "focus_at=[30,50]")[0] == 0
    assert np.load("a_target.npy")[40, [10, 120]] == pytest.approx([0.0, 3.0], rel=1e-3)
    code, _, err = run("output=b.png", "target=aperture", "aperture_scale=2")
    assert code == 1
    assert "shows no blur that target=aperture could multiply" in err


def test_16_bits(run):
    assert run("output=deep.png", "bits=16")[0] == 0
    assert cv2.imread("deep.png", cv2.IMREAD_UNCHANGED).dtype == np.uint16


def test_a_preset_is_scaled_to_the_photo_and_kept_in_the_recipe(run, monkeypatch):
    seen = {}
    monkeypatch.setattr(
        dfnet.preprocess,
        "preprocess_pair",
        lambda w, uw, cameras: seen.update(cameras) or matched(w, uw, cameras),
    )
    assert run("output=a.png", "camera=pixel6pro")[0] == 0
    assert seen["wide"].focal_length_px == pytest.approx(2838 * WIDTH / 4080, rel=5e-3)
    assert seen["wide"].full_frame_px == (WIDTH, HEIGHT)
    first = dict(seen)
    assert run("recipe=a_recipe.json", "output=b.png", defaults=False)[0] == 0
    assert seen == first


def test_a_measured_phone_is_a_preset_like_others(run, photos, monkeypatch):
    (photos / "presets" / "camera").mkdir(parents=True)
    path = photos / "presets" / "camera" / "mine.yaml"
    write_preset(path, PooledSlope(0.21, 0.01, 3), "", {})
    seen = {}
    monkeypatch.setattr(
        dfnet.preprocess,
        "preprocess_pair",
        lambda w, uw, cameras: seen.update(cameras) or matched(w, uw, cameras),
    )
    code, _, err = run("output=a.png", "camera=mine", f"--config-dir={photos / 'presets'}")
    assert code == 0, err
    assert seen["wide"].defocus_per_disparity == 0.21
    recipe = json.loads((photos / "a_recipe.json").read_text())
    assert recipe["edit"]["camera"] == {"wide": {"defocus_per_disparity": 0.21}}


# --- recipes -----------------------------------------------------------------------------------


def test_a_recipe_repeats_the_edit(run, photos):
    run("output=a.png", "target=refocus", "focus_at=[30,50]", "aperture_scale=1.5", "bits=16")
    first = (photos / "a.png").read_bytes()
    (photos / "a.png").unlink()
    code, _, err = run("recipe=a_recipe.json", defaults=False)
    assert code == 0, err
    assert (photos / "a.png").read_bytes() == first


def test_a_recipe_moves_with_its_folder_and_yields_to_the_command_line(run, photos, monkeypatch):
    run("output=a.png", "target=refocus", "focus_at=[30,50]")
    moved = photos.rename(photos.parent / "moved")
    monkeypatch.chdir(moved.parent)
    code, _, err = run(
        "recipe=moved/a_recipe.json", "output=moved/b.png", "focus_at=[100,50]", defaults=False
    )
    assert code == 0, err
    assert np.load("moved/b_target.npy")[40, 10] == pytest.approx(-3, rel=1e-3)


def test_a_recipe_says_what_it_was_made_from(run, photos):
    run("output=a.png")
    record = json.loads((photos / "a_recipe.json").read_text())
    assert record["edit"]["wide"] == "W.png"
    assert len(record["sha256"]["ultrawide"]) == 64
    assert record["found"]["defocus_per_disparity"] == pytest.approx(0.3)


# --- file names --------------------------------------------------------------------------------

AWKWARD = [
    "with spaces (1)",
    "a,b=c",
    "it's [one] {two}",
    'say "hi" $HOME ${HOME}',
    "ünï 写真 #1 @x;y:z",
    "back\\slash\\${x}",
    "null",
]


@pytest.mark.parametrize("name", AWKWARD)
def test_any_file_name_works(run, photos, name):
    folder = photos / name
    folder.mkdir()
    for photo in ("W.png", "UW.png"):
        (photos / photo).rename(folder / f"{name} {photo}")
    output = folder / f"{name}.png"
    code, _, err = run(
        f"output={output}",
        wide=folder / f"{name} W.png",
        ultrawide=folder / f"{name} UW.png",
    )
    assert code == 0, err
    assert output.is_file()
    assert (folder / f"{name}_recipe.json").is_file()
    assert run(f"recipe={folder / f'{name}_recipe.json'}", defaults=False)[0] == 0


def test_ctrl_c_leaves_nothing(run, photos, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(dfnet.preprocess, "preprocess_pair", interrupted)
    code, _, err = run("output=a.png")
    assert code == 1
    assert "error: interrupted" in err
    assert names(photos) == {"W.png", "UW.png"}


def test_our_own_bugs_keep_their_traceback(run, monkeypatch):
    def bug(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(dfnet.preprocess, "preprocess_pair", bug)
    with pytest.raises(ZeroDivisionError):
        run("output=a.png")


@pytest.mark.parametrize("mode", ["L", "RGBA", "LA"])
def test_gray_and_alpha_photos_work(run, photos, mode):
    from PIL import Image

    with Image.open("W.png") as image:
        image.convert(mode).save("odd.png")
    code, _, err = run("output=a.png", wide="odd.png")
    assert code == 0, err
    assert read_image("a.png").shape == (3, HEIGHT, WIDTH)


def test_without_arguments_it_says_how_to_use_it(run):
    code, out, _ = run(defaults=False)
    assert code == 0
    assert "python refocus.py wide=W.jpg ultrawide=UW.jpg output=a.png" in out


def test_as_a_command_from_another_folder(photos, weights):
    """The real thing once: a fresh process, whose error is short and whose folder stays clean."""
    command = [sys.executable, str(ROOT / "refocus.py"), "wide=W.png", "ultrawide=(a,b)=c.png"]
    done = subprocess.run(
        [*command, "output=a.png"], cwd=photos, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: (a,b)=c.png: no such file")
    assert done.stderr.count("\n") == 2
    assert names(photos) == {"W.png", "UW.png"}
