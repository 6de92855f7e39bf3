"""What `python refocus.py` says to a user's mistakes."""

import shutil

import cv2
import numpy as np
import pytest
import torch
from refocus_command import HEIGHT, ROOT, WIDTH, names

import dfnet.pair

SAMPLE = ROOT / "data/sample/photos"
REALLY_MATCH = dfnet.pair.Preprocessor
ODD_RECIPE = (
    '{"recipe": 2, "wide": "W.png", "ultrawide": null, "steps": [{"step": "melt"}], "pull_to": [],'
    ' "frames": 0, "photo_size": null, "camera": {}, "weights": null, "device": "cpu",'
    ' "suffix": ".png", "bits": 8, "sha256": {}}'
)


def make_mistakes(folder):
    (folder / "corrupt.jpg").write_bytes(b"\xff\xd8\xff\xe0 no photo" * 20)
    (folder / "text.png").write_text("not an image")
    whole = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (96, 128, 3)))[1]
    (folder / "short.jpg").write_bytes(whole.tobytes()[: whole.size // 2])
    cv2.imwrite(str(folder / "tiny.png"), np.zeros((20, 30, 3), np.uint8))
    cv2.imwrite(str(folder / "gray.png"), np.zeros((HEIGHT, WIDTH), np.uint8))
    cv2.imwrite(str(folder / "strip.png"), np.zeros((96, 96, 3), np.uint8))
    np.save(folder / "nan.npy", np.full((HEIGHT, WIDTH), np.nan, np.float32))
    np.save(folder / "wrong.npy", np.zeros((HEIGHT, WIDTH + 1), np.float32))
    (folder / "bad_recipe.json").write_text("{}")
    (folder / "new_recipe.json").write_text('{"recipe": 9}')
    (folder / "old_recipe.json").write_text('{"edit": {"sharpness": 3}}')
    (folder / "odd_recipe.json").write_text(ODD_RECIPE)
    (folder / "folder.png").mkdir()
    (folder / "no_weights").mkdir()


MISTAKES = {
    "wide missing": (["wide=nowhere.jpg"], "nowhere.jpg: no such file"),
    "no image": (["wide=text.png"], "text.png: cannot be read as an image"),
    "corrupt": (["ultrawide=corrupt.jpg"], "corrupt.jpg: cannot be read as an image"),
    "truncated": (["wide=short.jpg"], "short.jpg: cannot be read as an image"),
    "tiny": (["wide=tiny.png"], "tiny.png: the picture is only 30x20 pixels"),
    "a folder": (["wide=folder.png"], "folder.png: is a folder, not a photo"),
    "no wide": (["wide="], "wide=…: missing"),
    "one alone": (["ultrawide=null"], "W.png: one photo alone, and no depth map in its file"),
    "twice the same": (["ultrawide=./W.png"], "given both as wide and as ultrawide"),
    "nan map": (["map=nan.npy"], "12288 of the map's values are NaN"),
    "wrong map": (["map=wrong.npy"], "the map is 129x96, the wide photo 128x96"),
    "no map": (["map="], "map=: not understood"),
    "levels of what": (["map=gray.png"], "holds whole levels"),
    "a photo that is not there": (["like=gone.png"], "gone.png: no such file"),
    "a photo of another shape": (["like=strip.png"], "strip.png: the photo is"),
    "a mask of another shape": (["sharpen=3,strip.png"], "the mask is 96x96, the photo 128x96"),
    "a mask that is none": (["sharpen=3,text.png"], "text.png: cannot be read as a mask"),
    "a mask without its feather": (["sharpen=text.png"], "Write sharpen=FEATHER_PX,FILE"),
    "the first version's words": (["target=refocus"], "target=refocus: steps are now named"),
    "unknown step": (["steps=['sharper=3']"], "sharper: not a step"),
    "no point": (["focus_at="], "focus_at=: not understood"),
    "point outside": (["focus_at=128,3"], "outside of the picture, which is 128x96"),
    "half a point": (["focus_at=12"], "Write focus_at=X,Y"),
    "point of words": (["focus_at=a,b"], "focus_at=a,b: not understood"),
    "no number": (["focus_at=nan,3"], "FocusAt: x is nan"),
    "scale of words": (["aperture_scale=big"], "aperture_scale=big: not understood"),
    "negative scale": (["aperture_scale=-1"], "aperture_scale: -1 is negative"),
    "f-number of what": (["f_number=2"], "does not say with which f-number"),
    "metres of what": (["focus_distance=2"], "distances in metres are not known"),
    "far before near": (["distance_range=3,2"], "the far end is not beyond the near"),
    "points on a line": (["plane=10,10,50,50,90,90"], "almost on one line"),
    "one point twice": (["split_focus=10,10,10,10"], "the two points are one"),
    "two pulls": (["pull=3", "pull=4"], "pull: given twice"),
    "a pull of one frame": (["pull=1"], "pull=1: not a number of frames"),
    "a pull as a picture": (["pull=9"], "pull=FRAMES goes with output=NAME.mp4"),
    "a video of nothing": (["output=a.mp4"], "a focus pull is a video, and only it is"),
    "unknown extra": (["also=speed"], "also=speed: unknown"),
    "no such folder": (["folder=nowhere"], "nowhere: no such folder"),
    "a folder without pairs": (["folder=no_weights"], "no_weights: no pair of photos in it"),
    "neither yes nor no": (["disclose=no"], "disclose=no: not understood\n  Write true or false"),
    "12 bits": (["bits=12"], "bits=12: not possible"),
    "16-bit jpeg": (["bits=16", "output=a.jpg"], ".jpg holds 8 bits only"),
    "unknown format": (["output=a.heic"], "cannot write `.heic`"),
    "output is a folder": (["output=folder.png"], "folder.png: cannot be written"),
    "output below a file": (["output=W.png/a.png"], "W.png/a.png: cannot be written"),
    "output is input": (["output=W.png"], "would be overwritten, and is needed as input"),
    "a side output is input": (["map=a_target.npy", "also=target"], "a_target.npy: would be over"),
    "no weights": (["weights=no_weights"], "no_weights: no usable weights"),
    "unknown device": (["device=tpu"], "device=tpu: not a device"),
    "unknown key": (["wid=3"], "configuration: Could not override 'wid'"),
    "another key": (["+wid=3"], "configuration: unknown key wid"),
    "unknown preset": (["camera=brownie"], "pixel6pro"),
    "no key": (["W.jpg"], "configuration: "),
    "unknown option": (["--frobnicate"], "unrecognized arguments"),
    "bad recipe": (["recipe=bad_recipe.json"], "bad_recipe.json: not a recipe"),
    "recipe of a newer version": (["recipe=new_recipe.json"], "a recipe of format 9"),
    "half an old recipe": (["recipe=old_recipe.json"], "old_recipe.json: not a recipe"),
    "recipe of unknown steps": (["recipe=odd_recipe.json"], "odd_recipe.json: step 'melt'"),
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
    monkeypatch.setattr(dfnet.pair, "Preprocessor", REALLY_MATCH)
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
