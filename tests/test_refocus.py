"""The command `python refocus.py`: what it writes, and that it repeats."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from refocus_command import HEIGHT, ROOT, WIDTH, matched, names, sharp

import dfnet.pair
import dfnet.targets.file_steps
from dfnet.io.images import read_image
from dfnet.optics import BlurLaw
from dfnet.preprocess.calibrate import BlurFit
from dfnet.preprocess.pool_law import PooledSlope, write_preset


def test_writes_picture_and_recipe_and_nothing_else(run, photos):
    code, out, err = run("output=sharp.png", "all_in_focus=true")
    assert code == 0, err
    assert names(photos) == {"W.png", "UW.png", "sharp.png", "sharp_recipe.json"}
    assert read_image(photos / "sharp.png").shape == (3, HEIGHT, WIDTH)
    assert out.split() == ["wrote", "sharp.png", "sharp_recipe.json"]
    assert "note: a remark on the photos" in err


def test_side_outputs_on_request(run, photos):
    also = "also=target,depth,defocus,confidence,mask,all_in_focus"
    code, out, err = run("output=a.png", "focus_at=30,50", also)
    assert code == 0, err
    extras = {
        "a_target.npy",
        "a_relative_inverse_depth.png",  # no metres without calibrated cameras
        "a_defocus.npy",
        "a_confidence.png",
        "a_mask.png",
        "a_all_in_focus.png",
        "a_all_in_focus_recipe.json",
    }
    assert names(photos) == {"W.png", "UW.png", "a.png", "a_recipe.json"} | extras
    assert set(out.split()[1:]) == {"a.png", "a_recipe.json"} | extras
    assert np.load("a_defocus.npy")[40, [10, 120]] == pytest.approx([-3.0, 0.0])
    depth = cv2.imread("a_relative_inverse_depth.png", cv2.IMREAD_UNCHANGED)
    assert depth[40, [10, 120]].tolist() == [65535, 0]
    assert (cv2.imread("a_confidence.png", cv2.IMREAD_UNCHANGED) == 65535).all()


def test_what_does_not_change_is_the_photo_itself(run):
    run("output=same.png", "aperture_scale=1")
    assert torch.equal(read_image("same.png"), read_image("W.png"))


@pytest.mark.parametrize(
    ("options", "left_px", "right_px"),
    [
        ([], 0.0, 0.0),
        (["focus_at=30,50"], 0.0, 3.0),
        (["focus_at=[30, 50]", "aperture_scale=2"], 0.0, 6.0),
        (["focus_at=100.5,50"], -3.0, 0.0),
        (["aperture_scale=0.5"], -1.5, 0.0),
        (["aperture_scale=0.5", "aperture_scale=0.5"], -0.75, 0.0),
        (["focus_at=100,50", "slab=1,1"], -2.0, 0.0),
        (["slab=1,1", "focus_at=30,50"], 0.0, 3.0),  # to focus starts anew
        (["aperture_scale=2", "slab=1,1"], -5.0, 0.0),
        (["slab=1,1", "aperture_scale=2"], -4.0, 0.0),
    ],
)
def test_steps_are_done_in_their_order(run, options, left_px, right_px):
    code, _, err = run("output=a.png", "also=target", *options)
    assert code == 0, err
    assert np.load("a_target.npy")[40, [10, 120]] == pytest.approx([left_px, right_px], rel=1e-4)


def test_a_map_from_a_file(run, photos):
    wish = np.full((HEIGHT, WIDTH), 2.5, np.float32)
    np.save(photos / "wish, 1.npy", wish)
    code, _, err = run("output=a.png", "map=wish, 1.npy", "also=target")
    assert code == 0, err
    assert (np.load("a_target.npy") == 2.5).all()


def test_another_photo_says_how_and_its_recipe_repeats_that(run, photos, monkeypatch):
    seen = []

    def law_of_photo(photo, preprocessed):
        seen.append(photo)
        return BlurFit(BlurLaw(0.3, 5.0), 9.0, 1.0, 0.01)

    monkeypatch.setattr(dfnet.targets.file_steps, "law_of_photo", law_of_photo)
    (photos / "other one.png").write_bytes((photos / "UW.png").read_bytes())
    code, _, err = run("output=a.png", "like=other one.png", "also=target")
    assert code == 0, err
    assert torch.equal(seen[0], read_image("UW.png"))
    assert np.load("a_target.npy")[40, [10, 120]] == pytest.approx([-1.5, 1.5], rel=1e-3)
    first = (photos / "a.png").read_bytes()
    record = json.loads((photos / "a_recipe.json").read_text())
    assert record["steps"] == [{"step": "like", "path": "other one.png"}]
    assert len(record["sha256"]["other one.png"]) == 64
    assert run("recipe=a_recipe.json", defaults=False)[0] == 0
    assert (photos / "a.png").read_bytes() == first
    assert run("recipe=a_recipe.json", "like=W.png", "output=b.png", defaults=False)[0] == 0
    assert torch.equal(seen[2], read_image("W.png"))


def test_a_sharp_photo_can_be_given_blur_by_a_point(run, monkeypatch):
    monkeypatch.setattr(dfnet.pair, "Preprocessor", lambda: sharp)
    assert run("output=a.png", "focus_at=30,50", "also=target")[0] == 0
    assert np.load("a_target.npy")[40, [10, 120]] == pytest.approx([0.0, 3.0], rel=1e-3)


def test_16_bits(run):
    assert run("output=deep.png", "bits=16")[0] == 0
    assert cv2.imread("deep.png", cv2.IMREAD_UNCHANGED).dtype == np.uint16


def test_the_file_says_that_it_was_edited_unless_that_is_turned_off(run, photos):
    run("output=a.png")
    run("output=b.png", "disclose=false")
    said = [(photos / name).read_bytes() for name in ("a.png", "b.png")]
    assert [b"algorithmicallyEnhanced" in data for data in said] == [True, False]


def test_a_preset_is_scaled_to_the_photo_and_kept_in_the_recipe(run, monkeypatch):
    seen = {}
    monkeypatch.setattr(
        dfnet.pair,
        "Preprocessor",
        lambda: lambda w, uw, cameras: seen.update(cameras) or matched(w, uw, cameras),
    )
    assert run("output=a.png", "camera=pixel6pro", "cache=false")[0] == 0
    assert seen["wide"].focal_length_px == pytest.approx(2838 * WIDTH / 4080, rel=5e-3)
    assert seen["wide"].full_frame_px == (WIDTH, HEIGHT)
    first = dict(seen)
    seen.clear()
    assert run("recipe=a_recipe.json", "output=b.png", "cache=false", defaults=False)[0] == 0
    assert seen == first


def test_f_numbers_count_from_the_captured_one(run):
    code, _, err = run("output=a.png", "camera=pixel6pro", "f_number=3.7", "also=target")
    assert code == 0, err
    assert np.load("a_target.npy")[40, [10, 120]] == pytest.approx([-1.5, 0.0], rel=1e-3)
    assert "f/3.7 instead of f/1.85: on full frame f/13" in err  # 25 mm equivalent, lens 6.81 mm


def test_a_measured_phone_is_a_preset_like_others(run, photos, monkeypatch):
    (photos / "presets" / "camera").mkdir(parents=True)
    path = photos / "presets" / "camera" / "mine.yaml"
    write_preset(path, PooledSlope(0.21, 0.01, 3), "", {})
    seen = {}
    monkeypatch.setattr(
        dfnet.pair,
        "Preprocessor",
        lambda: lambda w, uw, cameras: seen.update(cameras) or matched(w, uw, cameras),
    )
    code, _, err = run("output=a.png", "camera=mine", f"--config-dir={photos / 'presets'}")
    assert code == 0, err
    assert seen["wide"].defocus_per_disparity == 0.21
    recipe = json.loads((photos / "a_recipe.json").read_text())
    assert recipe["camera"] == {"wide": {"defocus_per_disparity": 0.21}}


def test_a_second_edit_does_not_match_the_photos_again(run, photos, monkeypatch):
    calls = []

    def counted(*photos):  # one function: its name is part of the cache's key
        calls.append(1)
        return matched(*photos)

    monkeypatch.setattr(dfnet.pair, "Preprocessor", lambda: counted)
    run("output=a.png", "focus_at=30,50")
    run("output=b.png", "focus_at=30,50")
    assert len(calls) == 1
    assert (photos / "a.png").read_bytes() == (photos / "b.png").read_bytes()
    run("output=c.png", "focus_at=30,50", "cache=false")
    assert len(calls) == 2
    assert (photos / "a.png").read_bytes() == (photos / "c.png").read_bytes()
    (photos / "W.png").write_bytes((photos / "UW.png").read_bytes())  # another photo, same name
    run("output=d.png", "focus_at=30,50")
    assert len(calls) == 3


# --- file names and what goes wrong -------------------------------------------------------------

AWKWARD = [
    "with spaces (1)",
    "a,b=c",
    "it's [one] {two}",
    'say "hi" $HOME ${HOME}',
    "ünï 写真 #1 @x;y:z",
    "back\\slash\\${x}",
    "null",
    "-rf --help",
]


@pytest.mark.parametrize("name", AWKWARD)
def test_any_file_name_works(run, photos, name):
    folder = photos / name
    folder.mkdir()
    for photo in ("W.png", "UW.png"):
        (photos / photo).rename(folder / f"{name} {photo}")
    cv2.imwrite(str(folder / "m.png"), np.full((HEIGHT, WIDTH), 255, np.uint8))
    (folder / "m.png").rename(folder / f"{name} m.png")
    output = f"{name}/{name}.png"  # relative: the leading dash is the file's
    code, _, err = run(
        f"output={output}",
        f"protect=3,{name}/{name} m.png",
        wide=f"{name}/{name} W.png",
        ultrawide=f"{name}/{name} UW.png",
    )
    assert code == 0, err
    assert (folder / f"{name}.png").is_file()
    assert run(f"recipe={name}/{name}_recipe.json", defaults=False)[0] == 0


def test_ctrl_c_leaves_nothing(run, photos, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(dfnet.pair, "Preprocessor", lambda: interrupted)
    code, _, err = run("output=a.png")
    assert code == 1
    assert "error: interrupted" in err
    assert names(photos) == {"W.png", "UW.png"}


def test_our_own_bugs_keep_their_traceback(run, monkeypatch):
    def bug(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(dfnet.pair, "Preprocessor", lambda: bug)
    with pytest.raises(ZeroDivisionError):
        run("output=a.png")


@pytest.mark.parametrize("mode", ["L", "RGBA", "LA"])
def test_gray_and_alpha_photos_work(run, photos, mode):
    with Image.open("W.png") as image:
        image.convert(mode).save("odd.png")
    code, _, err = run("output=a.png", wide="odd.png")
    assert code == 0, err
    assert read_image("a.png").shape == (3, HEIGHT, WIDTH)


def test_without_arguments_it_says_how_to_use_it_on_one_screen(run):
    code, out, _ = run(defaults=False)
    assert code == 0
    assert out.count("\n") <= 24
    assert out.count("python refocus.py ") == 4
    assert max(map(len, out.splitlines())) <= 100


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
