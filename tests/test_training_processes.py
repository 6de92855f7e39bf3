"""Two processes (gloo) learn what one learns."""

import csv
import os
import runpy
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch
from lightning import seed_everything
from made_stack import make_stack

import dfnet.devices
from dfnet.errors import InputError
from dfnet.model import DFNet
from dfnet.training.datamodule import NumberSampler, StackDataModule

ROOT = Path(__file__).parents[1]
VALIDATED = 3  # captures: no multiple of two processes
START_S = 400  # a busy machine takes long


def test_processes_share_the_numbers_of_each_step_without_overlap():
    samplers = [NumberSampler(12, process, 3) for process in range(3)]
    for sampler in samplers:
        sampler.set_epoch(2)
    shares = [list(sampler) for sampler in samplers]
    assert [len(sampler) for sampler in samplers] == [4, 4, 4]
    # Two samples a process and step: the first step is that of one process, 24 to 29.
    assert sorted(n for share in shares for n in share[:2]) == list(range(24, 30))
    assert sorted(n for share in shares for n in share) == list(range(24, 36))


class Processes:
    """What a data module asks of its trainer."""

    def __init__(self, global_rank, world_size):
        self.global_rank, self.world_size = global_rank, world_size


def test_captures_to_validate_on_are_shared_evenly_and_batches_must_be():
    data = StackDataModule("root", None, 4, 5, 0, "truth", 8, 0, None)
    data.val_folders = [Path(name) for name in "abc"]
    shares = []
    for process in range(2):
        data.trainer = Processes(process, 2)
        shares.append(list(data.val_dataloader()))
    assert shares == [["a", "c"], ["b", ""]]
    data.trainer = Processes(0, 3)
    with pytest.raises(InputError, match=r"batch_size=4: not a multiple of 3 processes"):
        data.train_dataloader()


@pytest.fixture(scope="module")
def arguments(tmp_path_factory):
    root = tmp_path_factory.mktemp("stacks")
    for seed in range(VALIDATED):
        make_stack(root / f"scene {seed}", (0.4, 1.0), seed)
    return [
        "+experiment=smoke",
        f"data.root={root}",
        f"data.val_root={root}",
        "data.preprocessing=truth",
        "data.settings.crop_px=48",
        "device=cpu",
        "task.model.render=false",  # the renderer's layers depend on the whole batch
    ]


def one_process(run, arguments, monkeypatch):
    monkeypatch.setattr(dfnet.devices, "trainer_precision", lambda device: "32-true")
    monkeypatch.setattr(sys, "argv", [str(ROOT / "train.py"), f"run_dir={run}", *arguments])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's advice on workers and logging
        runpy.run_path(str(ROOT / "train.py"), run_name="__main__")


def two_processes(run, arguments):
    several = ["trainer=ddp", "trainer.devices=2", "data.workers=0"]
    command = [sys.executable, str(ROOT / "train.py"), f"run_dir={run}", *several, *arguments]
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    slow_bfloat16 = {"ONEDNN_MAX_CPU_ISA": "AVX2"}  # so that none of them takes it
    process = subprocess.Popen(
        command,
        env=os.environ | one_thread | slow_bfloat16 | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        cwd=run.parent,
    )
    try:
        said, _ = process.communicate(timeout=START_S)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    assert process.returncode == 0, said
    return said


def logged(run):
    text = (run / "csv" / "version_0" / "metrics.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    losses = [float(row["train/loss"]) for row in rows if row["train/loss"]]
    (scores,) = [
        {k: float(v) for k, v in row.items() if k.startswith("val/") and v}
        for row in rows
        if row["val/psnr_db/all_in_focus/dfnet"]
    ]
    return losses, scores


@torch.no_grad()
def distance(model, other):
    pairs = zip(model.parameters(), other.parameters(), strict=True)
    return float(sum((a - b).square().sum() for a, b in pairs)) ** 0.5


@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without distributed")
def test_two_processes_learn_what_one_learns(tmp_path, arguments, monkeypatch):
    alone, together = tmp_path / "alone", tmp_path / "together"
    said = two_processes(together, arguments)
    one_process(alone, arguments, monkeypatch)

    (losses, scores), (want_losses, want_scores) = logged(together), logged(alone)
    assert len(want_losses) == 8
    assert losses[0] == pytest.approx(want_losses[0], rel=1e-5)
    assert losses == pytest.approx(want_losses, rel=0.01)  # rounding, enlarged by eight steps
    assert scores == pytest.approx(want_scores, abs=0.01)  # dB, and SSIM
    assert scores["val/psnr_db/all_in_focus/w"] == want_scores["val/psnr_db/all_in_focus/w"]

    got, want = (DFNet.from_pretrained(run / "weights") for run in (together, alone))
    seed_everything(0, verbose=False)
    assert distance(got, want) < 0.2 * distance(want, DFNet(**want.config))

    assert said.count("weights: ") == 1
    assert sorted(f.name for f in (together / "checkpoints").iterdir()) == sorted(
        f.name for f in (alone / "checkpoints").iterdir()
    )
    assert len(list((together / "csv").iterdir())) == 1
