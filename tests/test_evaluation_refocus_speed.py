"""Seconds and memory of a whole run: of a program whose use of both is known."""

import pytest
import torch
from rich.console import Console

from dfnet.errors import InputError
from dfnet.evaluation import refocus_speed
from dfnet.evaluation.refocus_speed import RefocusSpeed, refocus_table
from dfnet.io.images import read_image, write_image

STAND_IN = """
import json, os, sys, time
from pathlib import Path
named = dict(argument.split("=", 1) for argument in sys.argv[1:])
kept = Path(os.environ["XDG_CACHE_HOME"]) / "kept"
if named["all_in_focus"] != "true":
    raise SystemExit(1)
memory = bytearray(0 if kept.exists() else 150_000_000)
memory[::4096] = b"x" * len(memory[::4096])
kept.touch()
while time.process_time() < 0.3:
    pass
picture = Path(named["output"])
found = {"working_scale": 0.25, "wide": Path(named["wide"]).stat().st_size}
picture.with_name(picture.stem + "_recipe.json").write_text(json.dumps({"found": found}))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    program = tmp_path / "stand_in.py"
    program.write_text(STAND_IN)
    monkeypatch.setattr(refocus_speed, "REFOCUS", program)
    for name, level in (("wide", 0.2), ("ultrawide", 0.8)):
        write_image(torch.full((3, 96, 128), level), tmp_path / f"{name}.png")
    return tmp_path


def test_each_size_is_run_anew_and_then_again(folder):
    rows = list(RefocusSpeed(str(folder), [0.01, 0.02], ["as taken"]).rows())
    assert [(r.megapixels, r.run) for r in rows] == [
        (0.01, "first"),
        (0.01, "again"),
        (0.02, "first"),
        (0.02, "again"),
    ]
    for first, again in (rows[:2], rows[2:]):
        assert 100 < first.peak_mb - again.peak_mb < 200
        assert 0.25 < again.processor_s < 3
        assert again.wall_s > 0.25
    assert {r.working_scale for r in rows} == {0.25}
    console = Console(width=100, record=True)
    console.print(refocus_table(rows))
    assert "0.25" in console.export_text()


def test_a_sharp_wide_photo_is_cut_out_of_the_ultrawide(folder):
    place = folder / "made"
    refocus_speed._make_pair(folder, place, 0.02, "sharp")
    image = read_image(place / "wide.jpg")
    assert image[0].numel() == pytest.approx(20_000, rel=0.02)
    assert float(image.mean()) == pytest.approx(0.8, abs=0.01)
    refocus_speed._make_pair(folder, place, 0.02, "as taken")
    assert float(read_image(place / "wide.jpg").mean()) == pytest.approx(0.2, abs=0.01)


def test_a_run_that_fails_is_told(folder):
    with pytest.raises(InputError, match="failed"):
        list(RefocusSpeed(str(folder), [0.01], ["as taken"], "all_in_focus=no").rows())


def test_a_missing_photo_is_named(tmp_path):
    with pytest.raises(InputError, match="no photo named wide"):
        list(RefocusSpeed(str(tmp_path), [0.01]).rows())
