"""Several checkpoints in one command."""

import subprocess
import sys
from pathlib import Path

import torch
from made_stack import make_stack

from dfnet.model import DFNet

ROOT = Path(__file__).parents[1]


def test_a_sweep_has_a_folder_per_checkpoint_and_scores_the_rest_once(tmp_path):
    make_stack(tmp_path / "stacks" / "desk", (0.4, 1.0))
    for name, seed in (("a_first.ckpt", 1), ("b.ckpt", 2)):
        torch.manual_seed(seed)
        model = DFNet(width=4)
        state = {f"model.{k}": v for k, v in model.state_dict().items()}
        torch.save({"model": model.config, "state_dict": state}, tmp_path / name)
    command = [sys.executable, str(ROOT / "evaluate.py"), "--multirun", "data.root=stacks"]
    command += ["checkpoint=a_first.ckpt,b.ckpt", "preprocessing=truth", "tasks=[identity]"]
    command += ["device=cpu", "workers=1", "output=out", "method=[w_unchanged,dfnet]"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    runs = sorted(path.parent.name for path in tmp_path.glob("out/*/scores.json"))
    assert len(runs) == 2
    assert "checkpoint=a_first.ckpt" in runs[0]
    assert "checkpoint=b.ckpt" in runs[1]
    kept = sorted(path.name.split("-")[0] for path in tmp_path.glob("out/store/desk/*"))
    assert kept == ["dfnet", "dfnet", "scene", "w_unchanged"]
