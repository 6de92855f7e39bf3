"""evaluate.py as it is typed."""

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch
from made_stack import make_stack
from omegaconf import OmegaConf

from dfnet.errors import InputError
from dfnet.evaluation.weights import load_network, network_from_checkpoint
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


def test_a_checkpoint_gives_its_network_back(tmp_path):
    torch.manual_seed(1)
    model = DFNet(width=4, trained_coc_px=17.0)
    state = {f"model.{k}": v for k, v in model.state_dict().items()} | {"loss.w": torch.ones(2)}
    torch.save({"model": model.config, "state_dict": state}, tmp_path / "last.ckpt")
    loaded = load_network(checkpoint=tmp_path / "last.ckpt")
    assert loaded.trained_coc_px == 17.0
    assert not loaded.training
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_what_is_no_checkpoint_is_refused(tmp_path):
    (tmp_path / "text.ckpt").write_text("not one")
    torch.save({"state_dict": {}}, tmp_path / "foreign.ckpt")
    for name in ("text.ckpt", "foreign.ckpt"):
        with pytest.raises(InputError, match=rf"{name}: not a usable checkpoint"):
            network_from_checkpoint(tmp_path / name)
    with pytest.raises(InputError, match=r"missing\.ckpt: no such file"):
        network_from_checkpoint(tmp_path / "missing.ckpt")
    with pytest.raises(InputError, match="both are given"):
        load_network(tmp_path, tmp_path / "text.ckpt")


def test_all_methods_are_those_that_need_no_file():
    folder = ROOT / "configs" / "method"
    listed = OmegaConf.load(folder / "all.yaml").defaults
    needs_more = {"all", "folder", "single_image", "blind"}  # files; minutes per picture
    assert set(listed) == {path.stem for path in folder.glob("*.yaml")} - needs_more
