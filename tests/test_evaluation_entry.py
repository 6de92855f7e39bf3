"""evaluate.py as it is typed."""

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch
from made_stack import make_stack
from omegaconf import OmegaConf

from dfnet.model import DFNet

ROOT = Path(__file__).parents[1]


@pytest.fixture
def evaluate(tmp_path, monkeypatch, capsys):
    """Run the script in this process; returns exit code, stdout and stderr."""

    def run(*options):
        monkeypatch.chdir(tmp_path)
        command = [str(ROOT / "evaluate.py"), "device=cpu", "workers=1", *options]
        monkeypatch.setattr(sys, "argv", command)
        try:
            runpy.run_path(str(ROOT / "evaluate.py"), run_name="__main__")
            message, code = "", 0
        except SystemExit as stop:
            message, code = str(stop.code), 1
        printed = capsys.readouterr()
        return code, printed.out, printed.err + message

    return run


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    DFNet(width=4).save_pretrained(folder)
    return folder


def test_a_run_prints_a_table_and_writes_its_file_and_nothing_else(evaluate, tmp_path, weights):
    make_stack(tmp_path / "my stacks, new" / "desk", (0.4, 1.0))
    code, printed, complaint = evaluate(
        f"data.root={tmp_path}/my stacks, new",
        f"weights={weights}",
        "preprocessing=truth",
        "output=scores [1]",
    )
    assert code == 0, complaint
    assert "all in focus" in printed
    assert "LPIPS is not measured: lpips_weights names no file" in printed
    assert "scores [1]/scores.json" in printed
    assert {p.name for p in tmp_path.iterdir()} == {"my stacks, new", "scores [1]"}
    record = json.loads((tmp_path / "scores [1]" / "scores.json").read_text())
    whole = [row for row in record["rows"] if row["band"] == "all"]
    assert len(whole) == 4 * 3  # tasks and methods
    assert {r["scene"] for r in record["rows"]} == {"desk"}
    assert record["settings"]["preprocessing"] == "truth"


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("data.root=nowhere", "error: nowhere: no folder with a capture.json"),
        ("wieghts=null", "wieghts"),
    ],
)
def test_a_mistake_gets_one_message_and_no_traceback(evaluate, argument, message, tmp_path):
    make_stack(tmp_path / "desk", (0.4, 1.0))
    code, printed, complaint = evaluate(argument)
    assert code == 1
    assert message in complaint
    assert "Traceback" not in complaint + printed
    assert [p.name for p in tmp_path.iterdir()] == ["desk"]


def test_all_methods_are_those_that_need_no_file():
    folder = ROOT / "configs" / "method"
    listed = OmegaConf.load(folder / "all.yaml").defaults
    # Files; minutes per picture; another question.
    needs_more = {"all", "folder", "single_image", "blind", "dfnet_without_guide"}
    assert set(listed) == {path.stem for path in folder.glob("*.yaml")} - needs_more
