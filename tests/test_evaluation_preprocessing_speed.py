"""What each stage costs: a real run on a tiny pair, and seconds that are known."""

import shutil
from pathlib import Path

import pytest
import torch
from rich.console import Console

from dfnet.errors import InputError
from dfnet.evaluation.preprocessing import speed
from dfnet.evaluation.preprocessing.run import in_fresh_process
from dfnet.evaluation.preprocessing.speed import STAGES, SpeedPair, run_speed, speed_table
from dfnet.preprocess import Preprocessor

DESK = Path(__file__).parents[1] / "data/sample/desk"


@pytest.fixture
def pair(tmp_path):
    photos = {"wide": "wide_00", "ultrawide": "ultrawide"}
    for name, stem in photos.items():
        (found,) = DESK.glob(f"{stem}.*")
        shutil.copy(found, tmp_path / f"{name}{found.suffix}")
    return SpeedPair(str(tmp_path), 0.1)


def test_the_stages_are_all_run_and_add_up(pair, monkeypatch):
    monkeypatch.setattr(speed, "WARM_UP_MEGAPIXELS", 0.1)
    row = run_speed("ours", Preprocessor(working_side_px=256), pair)
    spent = dict(row.processor_s)
    assert list(spent) == [*STAGES, "rest", "all"]
    assert all(spent[stage] > 0 for stage in STAGES)
    everything = spent.pop("all")
    assert sum(spent.values()) == pytest.approx(everything)
    assert 0 <= spent["rest"] < 0.3 * everything
    assert row.wall_s > 0.5 * everything
    assert row.peak_mb > 100


def test_a_folder_without_the_pair_is_refused(tmp_path):
    with pytest.raises(InputError, match="no photo named wide"):
        run_speed("ours", Preprocessor(), SpeedPair(str(tmp_path), 1.0))


def test_the_table_tells_seconds_by_stage():
    seconds = {stage: 0.5 + i for i, stage in enumerate([*STAGES, "rest", "all"])}
    rows = [speed.SpeedRow("ours", 12.0, seconds, 9.94, 2345.6)]
    console = Console(width=200, record=True)
    console.print(speed_table(rows, "costs"))
    line = next(x for x in console.export_text().splitlines() if "ours" in x)
    assert [cell.strip() for cell in line.strip("│ ").split("│")] == [
        "ours", "12", *(f"{0.5 + i:.2f}" for i in range(12)), "9.9", "2346",
    ]  # fmt: skip


def test_as_many_threads_as_asked_for():
    # numba's start would give torch all cores again.
    assert in_fresh_process(1, torch.get_num_threads) == 1
