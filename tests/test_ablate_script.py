"""What scripts/ablate.py asks of the entry points, without any training."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts/ablate.py"


@pytest.fixture
def ablate(monkeypatch):
    """The script, whose calls are noted instead of made; each scores 20 dB."""
    spec = importlib.util.spec_from_file_location("ablate_script", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.calls = []

    def call(script, *arguments):
        module.calls.append((script, arguments))
        told = dict(a.split("=", 1) for a in arguments)
        if script == "train.py":
            weights = Path(told["run_dir"]) / "weights"
            weights.mkdir(parents=True)
            (weights / "config.json").write_text("{}")
            return
        row = {"scene": "a", "task": "refocus", "method": "dfnet", "band": "all"}
        Path(told["output"]).mkdir(exist_ok=True)
        record = {"rows": [row | {"metrics": {"psnr_db": 20.0}}]}
        (Path(told["output"]) / "scores.json").write_text(json.dumps(record))

    monkeypatch.setattr(module, "call", call)
    return module


def run(ablate, monkeypatch, output, *words):
    asked = ["--train", "T", "--test", "V", "--epochs", "2", "--output", str(output), *words]
    monkeypatch.setattr(sys, "argv", ["ablate.py", *asked])
    ablate.main()


def test_settings_that_rows_share_reach_training_and_keep_runs_apart(
    ablate, monkeypatch, tmp_path, capsys
):
    run(ablate, monkeypatch, tmp_path, "base", "no_guide", "task.model.width=16")
    trained = [arguments for script, arguments in ablate.calls if script == "train.py"]
    assert [a[0] for a in trained] == [f"+experiment/ablation={n}" for n in ("base", "no_guide")]
    assert all({"task.model.width=16", "trainer.max_epochs=2"} <= set(a) for a in trained)
    assert "20.00 (+0.00)" in capsys.readouterr().out
    run(ablate, monkeypatch, tmp_path, "base")
    plain = [arguments for script, arguments in ablate.calls if script == "train.py"][2]
    assert "task.model.width=16" not in plain
    folders = {next(a for a in arguments if a.startswith("run_dir=")) for arguments in trained}
    assert next(a for a in plain if a.startswith("run_dir=")) not in folders


def test_what_is_trained_is_not_trained_again(ablate, monkeypatch, tmp_path):
    run(ablate, monkeypatch, tmp_path, "base")
    run(ablate, monkeypatch, tmp_path, "base")
    assert [script for script, _ in ablate.calls] == ["train.py", "evaluate.py", "evaluate.py"]


def test_an_unknown_row_names_the_known_ones(ablate, monkeypatch, tmp_path):
    with pytest.raises(SystemExit, match=r"no_such_row: no ablation(.|\n)*no_guide"):
        run(ablate, monkeypatch, tmp_path, "no_such_row")
    assert ablate.calls == []
