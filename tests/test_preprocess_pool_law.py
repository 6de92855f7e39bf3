"""One slope from many photos: arithmetic by hand, coverage on drawn phones, and the script."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image

from dfnet.camera import Camera, camera_from_json, cameras_of_preset
from dfnet.errors import InputError
from dfnet.io.images import write_image
from dfnet.optics import BlurLaw
from dfnet.preprocess import pipeline
from dfnet.preprocess.cameras import defocus_per_disparity
from dfnet.preprocess.device_table import find_preset
from dfnet.preprocess.pool_law import (
    MeasuredLaw,
    PooledSlope,
    measure_folder,
    one_model,
    pool_direction,
    pool_slopes,
    write_preset,
)

ROOT = Path(__file__).resolve().parents[1]


def measured(slope, deviation, name="photo", model=""):
    return MeasuredLaw(name, model, BlurLaw(slope, -30.0), deviation, 4.0)


def test_the_pool_is_the_inverse_variance_mean_and_holds_the_prior_once():
    # Two photos of variances 0.1² and 0.2² of log slope, which each hold phones at large (0.24,
    # 0.3²): 100 - 11.1 and 25 - 11.1 of their own, 11.1 once.
    first, second = 0.20, 0.23
    pooled = pool_slopes([measured(first, 0.1 * first), measured(second, 0.2 * second)])
    own = 100 * np.log(first) + 25 * np.log(second) - 11.111 * np.log(0.24)
    assert pooled.defocus_per_disparity == pytest.approx(np.exp(own / 113.889), rel=1e-4)
    assert pooled.deviation == pytest.approx(pooled.defocus_per_disparity / 113.889**0.5, rel=1e-3)
    assert pooled.count == 2


def test_photos_without_defocus_do_not_vote():
    alone = pool_slopes([measured(0.2, 0.02)])
    assert pool_slopes([measured(0.2, 0.02), measured(0.0, 0.05)]) == alone
    with pytest.raises(InputError, match="none of the photos shows defocus"):
        pool_slopes([measured(0.0, 0.05)])


def test_disagreement_widens_the_deviation():
    agreed = pool_slopes([measured(0.2, 0.01), measured(0.2, 0.01)])
    torn = pool_slopes([measured(0.16, 0.01), measured(0.25, 0.01)])
    assert torn.deviation > 4 * agreed.deviation


def test_the_stated_deviation_is_that_of_the_errors():
    """Phones as the prior has them; photos that answer with the mean of prior and evidence."""
    generator = np.random.default_rng(0)
    z = []
    for _ in range(4000):
        true = np.log(0.24) + 0.3 * generator.standard_normal()
        photos = []
        for deviation in generator.uniform(0.05, 0.3, 4):
            seen = true + deviation * generator.standard_normal()
            weight = deviation**-2 / (deviation**-2 + 0.3**-2)
            answer = np.exp(weight * seen + (1 - weight) * np.log(0.24))
            photos.append(measured(answer, answer * (deviation**-2 + 0.3**-2) ** -0.5))
        pooled = pool_slopes(photos)
        error = np.log(pooled.defocus_per_disparity) - true
        z.append(error * pooled.defocus_per_disparity / pooled.deviation)
    assert np.std(z) == pytest.approx(0.9, abs=0.1)  # under 1: chance disagreement only widens
    assert abs(np.mean(z)) < 0.1


def test_photos_of_several_phones_are_refused():
    assert one_model([measured(0.2, 0.02), measured(0.2, 0.02, model="A 1")]) == "A 1"
    with pytest.raises(InputError, match="several phones: A 1, B 2"):
        one_model([measured(0.2, 0.02, model="B 2"), measured(0.2, 0.02, model="A 1")])


def test_a_preset_is_read_back_and_completes_another(tmp_path):
    path = tmp_path / "mine.yaml"
    write_preset(path, PooledSlope(0.2154, 0.011, 3), "A 1", {"ultrawide": {"f_number": 2.2}})
    record = OmegaConf.to_container(OmegaConf.load(path))
    cameras = cameras_of_preset(record, "mine")
    assert defocus_per_disparity(cameras) == 0.2154
    assert cameras["ultrawide"].f_number == 2.2
    assert path.read_text().startswith("# A 1: wide.defocus_per_disparity measured")
    with pytest.raises(InputError, match=r"mine\.json: a preset ends in \.yaml"):
        write_preset(tmp_path / "mine.json", PooledSlope(0.2, 0.01, 3), "", {})


def test_a_known_lens_and_baseline_are_believed_first():
    wide = {"focal_length_mm": 6.8, "f_number": 1.7, "defocus_per_disparity": 0.3}
    ultrawide = camera_from_json({"position_m": [0.0, -0.016, 0.0]}, "")
    cameras = {"wide": camera_from_json(wide, ""), "ultrawide": ultrawide}
    assert defocus_per_disparity(cameras) == pytest.approx(0.25)


def told(*directions):
    return [measured(0.2, 0.02)._replace(direction=d) for d in directions]


def test_the_side_of_uw_needs_photos_that_agree():
    up, down = (0.0, -1.0), (0.0, 1.0)
    assert pool_direction(told(up, up)) is None
    assert pool_direction(told(up, up, up, None, down, up)) == (0.0, -1.0)
    assert pool_direction(told(up, down, up)) is None
    assert pool_direction(told((0.6, 0.8), (1.0, 0.0), (0.6, 0.8))) == pytest.approx(
        (2.2 / 7.4**0.5, 1.6 / 7.4**0.5)
    )


def test_a_written_preset_is_found_by_the_phones_name(tmp_path):
    base = {"wide": {"f_number": 1.7}}
    write_preset(tmp_path / "z.yaml", PooledSlope(0.25, 0.01, 3), "A 1 [x]", base, (0.0, -1.0))
    (tmp_path / "shipped.yaml").write_text(
        "models: ['a 1*']\nwide: {f_number: 1.8, focal_length_mm: 7}\nultrawide: {f_number: 2.2}\n"
    )
    found = find_preset("A", "1 [x]", tmp_path)
    assert found["wide"] == Camera(0.007, 1.7, defocus_per_disparity=0.25)
    assert found["ultrawide"] == Camera(f_number=2.2, direction=(0.0, -1.0))
    assert find_preset("A", "1 x", tmp_path)["wide"].defocus_per_disparity is None
    assert find_preset("A", "2", tmp_path) == {}
    (tmp_path / "b.yaml").write_text("models: [")
    with pytest.raises(InputError, match=r"b\.yaml: not a camera preset"):
        find_preset("A", "1", tmp_path)


def test_the_shipped_phones_are_found():
    assert find_preset("Apple", "iPhone 15 Pro")["wide"].f_number == 1.78
    assert find_preset("samsung", "SM-S918B")["wide"].f_number == 1.7
    assert find_preset("Google", "Pixel 6 Pro")["wide"].f_number == 1.85
    assert find_preset("Apple", "iPhone 15") == find_preset("", "") == {}


@pytest.fixture
def pairs(tmp_path):
    for name in ("near", "far", "no pair"):
        (tmp_path / "pairs" / name).mkdir(parents=True)
        size = (96, 72) if name == "near" else (128, 96)
        photo, exif = Image.new("RGB", size), Image.Exif()
        exif[271], exif[272] = "A", "1"
        exif[274] = 6 if name == "near" else 1  # near: stored lying, shown turned to the right
        photo.save(tmp_path / "pairs" / name / "wide.jpg", exif=exif)
        if name != "no pair":
            write_image(torch.rand(3, 72, 96), tmp_path / "pairs" / name / "ultrawide.png")
    return tmp_path / "pairs"


def answers(self, image_w, image_uw):
    """A chain that finds slopes by the photos' size."""
    slope = 0.2 if max(image_w.shape) == 96 else 0.22
    return SimpleNamespace(
        blur_law=BlurLaw(slope, 12.0),
        blur_law_deviation=(0.02, 3.0),
        baseline_direction=(0.0, 1.0) if slope == 0.2 else (1.0, 0.0),
    )


def test_each_pair_of_a_folder_is_measured(pairs, monkeypatch):
    monkeypatch.setattr(pipeline.Preprocessor, "__call__", answers)
    found = list(measure_folder(pairs, pipeline.Preprocessor()))
    assert [(m.name, m.model, m.law.defocus_per_disparity) for m in found] == [
        ("far", "A 1", 0.22),
        ("near", "A 1", 0.2),
    ]
    # What is down in the upright photo is to the right in the stored one, which lies on its left.
    assert [m.direction for m in found] == [(1.0, 0.0), (1.0, 0.0)]
    with pytest.raises(InputError, match="no pairs"):
        next(measure_folder(pairs / "no pair", pipeline.Preprocessor()))


def test_the_script_prints_and_writes_what_the_photos_say(pairs, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(pipeline.Preprocessor, "__call__", answers)
    monkeypatch.chdir(tmp_path)
    script = str(ROOT / "scripts/calibrate.py")
    monkeypatch.setattr(sys, "argv", [script, f"root={pairs}", "output=camera/mine.yaml"])
    runpy.run_path(script, run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "far  0.220 +- 0.020, in focus at 12 +- 3 px",
        "near  0.200 +- 0.020, in focus at 12 +- 3 px",
    ]
    # (100 ln 0.2 + 121 ln 0.22 - 11.1 ln 0.24) / 209.9, and 209.9 ** -0.5 of it
    assert lines[2] == "A 1: defocus_per_disparity 0.209 +- 0.014 from 2 of 2 pairs"
    written = OmegaConf.load(tmp_path / "camera" / "mine.yaml")
    assert 0.2 < written.wide.defocus_per_disparity < 0.22


@pytest.mark.parametrize(
    ("options", "message"), [([], "root=FOLDER: missing"), (["root=gone"], "gone: no pairs")]
)
def test_the_script_says_what_is_wrong(options, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    script = str(ROOT / "scripts/calibrate.py")
    monkeypatch.setattr(sys, "argv", [script, "output=a.yaml", *options])
    with pytest.raises(SystemExit, match=message):
        runpy.run_path(script, run_name="__main__")
