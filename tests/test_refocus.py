"""The command `python refocus.py`, run in this process with the matching of photos replaced."""

import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import dfnet.preprocess
from dfnet.io.images import read_image, write_image
from dfnet.model import DFNet
from dfnet.optics import BlurLaw
from dfnet.preprocess import Preprocessed

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data/sample/photos"
REALLY_MATCH = dfnet.preprocess.preprocess_pair
HEIGHT, WIDTH = 96, 128


def matched(image_w, image_uw, cameras):
    """Two walls: the left one 10 px of disparity nearer, and 3 px out of focus."""
    disparity = torch.zeros(1, *image_w.shape[-2:])
    disparity[..., : image_w.shape[-1] // 2] = 10.0
    law = BlurLaw(0.3, 0.0)
    nothing = torch.zeros_like(disparity, dtype=torch.bool)
    return Preprocessed(
        uw_on_w=image_w.clone(),
        flow_w_to_uw=torch.zeros(2, *image_w.shape[-2:]),
        disparity_w_px=disparity,
        occluded_w=nothing,
        valid_w=~nothing,
        defocus_w_px=law.defocus_per_disparity * -disparity,
        blur_law=law,
        device_defocus_per_disparity=0.3,
        baseline_direction=(0.0, 1.0),
        depth_w_m=None,
        relative_inverse_depth=disparity / 10,
        notes=("a remark on the photos",),
    )


def sharp(image_w, image_uw, cameras):
    """The same scene by a W that shows no defocus."""
    pair = matched(image_w, image_uw, cameras)
    return pair._replace(
        defocus_w_px=torch.zeros_like(pair.defocus_w_px), blur_law=BlurLaw(0.0, 0.0)
    )


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    model = DFNet(width=4)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.02)
    folder = tmp_path_factory.mktemp("some weights")
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """An empty user's folder to work in, with two photos, and nothing slow."""
    monkeypatch.setattr(dfnet.preprocess, "preprocess_pair", matched)
    folder = tmp_path / "user"
    folder.mkdir()
    monkeypatch.chdir(folder)
    generator = torch.Generator().manual_seed(1)
    for name in ("W.png", "UW.png"):
        write_image(torch.rand(3, HEIGHT, WIDTH, generator=generator), folder / name)
    return folder


@pytest.fixture
def run(photos, weights, monkeypatch, capsys):
    """Run refocus.py on the two photos; returns (exit code, stdout, stderr)."""

    def run(*options, wide="W.png", ultrawide="UW.png", defaults=True):
        given = [f"wide={wide}", f"ultrawide={ultrawide}", f"weights={weights}", "device=cpu"]
        argv = [*(given if defaults else ()), *options]
        monkeypatch.setattr(sys, "argv", [str(ROOT / "refocus.py"), *argv])
        code = 0
        try:
            runpy.run_path(str(ROOT / "refocus.py"), run_name="__main__")
        except SystemExit as stop:
            code = stop.code
        said = capsys.readouterr()
        if isinstance(code, str):  # as the interpreter would
            return 1, said.out, said.err + code
        return code, said.out, said.err

    return run


def names(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


# --- what it writes ----------------------------------------------------------------------------


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


# --- the user's mistakes -----------------------------------------------------------------------


def make_mistakes(folder):
    (folder / "corrupt.jpg").write_bytes(b"\xff\xd8\xff\xe0 no photo" * 20)
    (folder / "text.png").write_text("not an image")
    whole = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (96, 128, 3)))[1]
    (folder / "short.jpg").write_bytes(whole.tobytes()[: whole.size // 2])
    cv2.imwrite(str(folder / "tiny.png"), np.zeros((20, 30, 3), np.uint8))
    np.save(folder / "nan.npy", np.full((HEIGHT, WIDTH), np.nan, np.float32))
    np.save(folder / "wrong.npy", np.zeros((HEIGHT, WIDTH + 1), np.float32))
    (folder / "bad_recipe.json").write_text("{}")
    (folder / "new_recipe.json").write_text('{"edit": {"sharpness": 3}}')
    (folder / "folder.png").mkdir()
    (folder / "no_weights").mkdir()


MISTAKES = {
    "wide missing": (["wide=nowhere.jpg"], "nowhere.jpg: no such file"),
    "no image": (["wide=text.png"], "text.png: cannot be read as an image"),
    "corrupt": (["ultrawide=corrupt.jpg"], "corrupt.jpg: cannot be read as an image"),
    "truncated": (["wide=short.jpg"], "short.jpg: cannot be read as an image"),
    "tiny": (["wide=tiny.png"], "tiny.png: the picture is only 30x20 pixels"),
    "a folder": (["wide=folder.png"], "folder.png: no such file"),
    "no wide": (["wide="], "wide=…: missing"),
    "twice the same": (["ultrawide=./W.png"], "given both as wide and as ultrawide"),
    "nan map": (["target=map", "path=nan.npy"], "12288 of the map's values are NaN"),
    "wrong map": (["target=map", "path=wrong.npy"], "the map is 129x96, the wide photo 128x96"),
    "no map": (["target=map"], "path=…: missing"),
    "unknown target": (["target=sharpen"], "target=sharpen: unknown"),
    "no point": (["target=refocus"], "focus_at=…: missing"),
    "point outside": (["target=refocus", "focus_at=[128,3]"], "outside of the picture"),
    "half a point": (["target=refocus", "focus_at=[12]"], "focus_at=[12]: not a point"),
    "point of words": (["target=refocus", "focus_at=[a,b]"], "not a point"),
    "no scale": (["target=aperture"], "aperture_scale=…: missing"),
    "scale of words": (
        ["target=aperture", "aperture_scale=big"],
        "aperture_scale=big: not a number",
    ),
    "negative scale": (["target=aperture", "aperture_scale=-1"], "must lie between 0 and 16"),
    "contradiction": (["focus_at=[3,4]"], "has no meaning with target=all_in_focus"),
    "12 bits": (["bits=12"], "bits=12: not possible"),
    "16-bit jpeg": (["bits=16", "output=a.jpg"], ".jpg holds 8 bits only"),
    "unknown format": (["output=a.heic"], "cannot write `.heic`"),
    "output is a folder": (["output=folder.png"], "folder.png: cannot be written"),
    "output below a file": (["output=W.png/a.png"], "W.png/a.png: cannot be written"),
    "output is input": (["output=W.png"], "would be overwritten, and is needed as input"),
    "no weights": (["weights=no_weights"], "no_weights: no usable weights"),
    "unknown device": (["device=tpu"], "device=tpu: not a device"),
    "unknown key": (["wid=3"], "configuration: Could not override 'wid'"),
    "another key": (["+wid=3"], "configuration: unknown key wid"),
    "unknown preset": (["camera=brownie"], "pixel6pro"),
    "no key": (["W.jpg"], "configuration: "),
    "unknown option": (["--frobnicate"], "unrecognized arguments"),
    "bad recipe": (["recipe=bad_recipe.json"], "bad_recipe.json: not a recipe"),
    "recipe of a newer version": (["recipe=new_recipe.json"], "unknown key sharpness"),
    "no recipe": (["recipe=none.json"], "none.json: no such file"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_one_clear_message(run, photos, name):
    options, message = MISTAKES[name]
    make_mistakes(photos)
    before = names(photos)
    code, out, err = run("output=a.png", *options)
    assert code == 1
    assert message in err
    assert "Traceback" not in err
    assert "HYDRA_FULL_ERROR" not in err
    assert out == ""
    assert names(photos) == before  # nothing half-written, nothing left behind


PAIRS_THAT_ARE_NONE = {
    "swapped": ("ultrawide.jpg", "wide.jpg", "the two look swapped"),
    "of two scenes": ("wide.jpg", "other.png", "must show the same scene"),
    "with a covered lens": ("wide.jpg", "black.png", "must show the same scene"),
}


@pytest.mark.parametrize("name", PAIRS_THAT_ARE_NONE)
def test_photos_that_are_no_pair_are_refused(run, photos, monkeypatch, name):
    wide, ultrawide, message = PAIRS_THAT_ARE_NONE[name]
    monkeypatch.setattr(dfnet.preprocess, "preprocess_pair", REALLY_MATCH)
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    cv2.imwrite("other.png", cv2.resize(noise, (1024, 768), interpolation=cv2.INTER_CUBIC))
    cv2.imwrite("black.png", np.zeros((768, 1024, 3), np.uint8))
    for photo in ("wide.jpg", "ultrawide.jpg"):
        shutil.copy(SAMPLE / photo, photos)
    before = names(photos)
    code, _, err = run("output=a.png", wide=wide, ultrawide=ultrawide)
    assert code == 1
    assert message in err
    assert names(photos) == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_cuda_where_there_is_none(run):
    code, _, err = run("output=a.png", "device=cuda")
    assert code == 1
    assert "device=cuda: this machine" in err


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
