"""train.py as it is typed."""

import csv
import runpy
import sys
import warnings
from pathlib import Path

import pytest
import torch
from made_stack import make_stack

from dfnet.model import DFNet

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def stacks(tmp_path_factory):
    root = tmp_path_factory.mktemp("stacks")
    for seed in range(2):
        make_stack(root / f"scene_{seed}", (0.4, 1.0), seed)
    return root


@pytest.fixture
def train(stacks, tmp_path, monkeypatch, capsys):
    """Run the smoke experiment in this process; returns exit code and what was said."""

    def run(*options):
        fixed = ["+experiment=smoke", f"run_dir={tmp_path / 'run'}", "device=cpu"]
        fixed += [f"data.root={stacks}", "data.preprocessing=truth", "data.settings.crop_px=48"]
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [str(ROOT / "train.py"), *fixed, *options])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Lightning's advice on workers and logging
                runpy.run_path(str(ROOT / "train.py"), run_name="__main__")
            message, code = "", 0
        except SystemExit as stop:
            message, code = str(stop.code), 1
        return code, capsys.readouterr().out + message

    return run


def logged(run, version):
    text = (run / "csv" / f"version_{version}" / "metrics.csv").read_text()
    return list(csv.DictReader(text.splitlines()))


def test_a_run_leaves_weights_logs_and_goes_on_where_it_was(train, tmp_path):
    assert train()[0] == 0
    run = tmp_path / "run"
    first = DFNet.from_pretrained(run / "weights")
    rows = logged(run, 0)
    assert [r["step"] for r in rows if r["train/loss"]] == [str(i) for i in range(8)]
    assert any(r["val/psnr_db/all_in_focus/dfnet"] for r in rows)
    assert list((run / "tensorboard").glob("events*"))

    code, said = train("resume=false")
    assert code == 1
    assert "holds an earlier run" in said
    assert "Traceback" not in said

    assert train("trainer.max_epochs=4")[0] == 0
    checkpoint = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["global_step"] == 16
    assert len(logged(run, 0)) == len(rows)
    assert logged(run, 1)[-1]["step"] == "15"
    second = DFNet.from_pretrained(run / "weights")
    assert not torch.equal(first.refine_w.stem.weight, second.refine_w.stem.weight)


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("data.rooot=x", "rooot"),
        ("data.root=nowhere", "nowhere"),
        ("data.preprocessing=guess", "estimated or truth"),
        ("data.settings.crop_px=512", "crop_px"),
        ("start_from=nowhere", "no usable weights"),
        ("device=abacus", "auto, cpu, cuda, mps"),
    ],
)
def test_a_mistake_gets_one_message(train, option, expected):
    code, said = train(option)
    assert code == 1
    assert "error: " in said
    assert expected in said
    assert "Traceback" not in said
    assert "InputError" not in said
