"""What validation logs is what evaluation of the saved checkpoint measures."""

import math
import warnings

import pytest
import torch
from lightning import Trainer, seed_everything
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint
from lightning.pytorch.loggers import Logger
from made_stack import make_stack

from dfnet.capture import find_captures, load_capture
from dfnet.evaluation.asking import Asking
from dfnet.evaluation.intervals import summaries
from dfnet.evaluation.methods import CONTROLS, network
from dfnet.evaluation.score import score_capture
from dfnet.evaluation.weights import network_from_checkpoint
from dfnet.model import DFNet
from dfnet.training.datamodule import StackDataModule
from dfnet.training.losses import RefocusLoss
from dfnet.training.samples import SampleSettings
from dfnet.training.task import RefocusTask

TASKS = ["all_in_focus", "refocus"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("stacks")
    for seed in range(3):
        make_stack(root / f"scene_{seed}", (0.4, 1.0), seed)
    return root


@pytest.fixture(autouse=True)
def one_thread():
    """Pictures this small gain nothing from more, and lose much on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Recorder(Logger):
    """Keeps the pictures that TensorBoard would show, by name."""

    name, version = "recorder", 0

    def __init__(self):
        super().__init__()
        self.pictures = {}

    @property
    def experiment(self):
        return self

    def add_image(self, name, picture, step):
        self.pictures.setdefault(name, []).append((step, picture))

    def log_metrics(self, metrics, step=None): ...

    def log_hyperparams(self, *params): ...


def train(root, folder, logger):
    """A few steps in bfloat16 with averaged weights; returns what validation logged."""
    seed_everything(0, verbose=False)
    task = RefocusTask(
        DFNet(width=4),
        RefocusLoss(ssim=0.0),
        lambda parameters: torch.optim.AdamW(parameters, lr=5e-3),
        alignment=0.0,
        lamps=0.0,
        highlights=0.0,
        warmup_steps=1,
        val_tasks=TASKS,
        preprocessing="truth",
        image_every_n_steps=1000,
    )
    settings = SampleSettings(crop_px=48)
    data = StackDataModule(str(root), str(root), 2, 4, 0, "truth", 8, 0, settings)
    saver = ModelCheckpoint(folder, save_last=True, save_on_train_epoch_end=True)
    trainer = Trainer(
        max_epochs=2,
        accelerator="cpu",
        precision="bf16-mixed",
        logger=logger,
        callbacks=[EMAWeightAveraging(decay=0.8), saver],
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's advice on workers and logging
        trainer.fit(task, data)
    return {k: float(v) for k, v in trainer.callback_metrics.items()}


def test_evaluating_the_checkpoint_repeats_the_logged_metric(root, tmp_path):
    recorder = Recorder()
    logged = train(root, tmp_path, recorder)
    model = network_from_checkpoint(tmp_path / "last.ckpt")
    methods = {**CONTROLS, "dfnet": network(model, "cpu")}
    asking = Asking(tuple(TASKS), "truth")
    rows = [
        row
        for folder in find_captures(root)
        for row in score_capture(load_capture(folder), methods, asking)
    ]
    (first, *_) = find_captures(root)
    again = score_capture(load_capture(first), methods, asking)
    assert again == rows[: len(again)]  # to the last digit
    measured = {s[:4]: s.interval.mean for s in summaries(rows)}
    for task in TASKS:
        for metric, tolerance in (("psnr_db", 1e-4), ("ssim", 1e-5)):
            wanted = logged[f"val/{metric}/{task}/dfnet"]
            got = measured[task, "dfnet", "all", metric]
            assert math.isclose(got, wanted, abs_tol=tolerance)
    gains = [
        measured[task, "dfnet", "all", "psnr_db"] - measured[task, "W unchanged", "all", "psnr_db"]
        for task in TASKS
    ]
    assert max(abs(gain) for gain in gains) > 0.05  # it does something
    check_pictures(recorder.pictures, load_capture(first))


def check_pictures(pictures, capture):
    """Of the first capture's questions, once per validation; W and the truth to the left."""
    shown = {name: found for name, found in pictures.items() if name.startswith("val/")}
    assert {name.split("/")[1] for name in shown} == set(TASKS)
    name = "val/all_in_focus/slice 0 → all in focus: W | truth | dfnet | error | w | error"
    steps = [step for step, _ in shown[name]]
    assert len(steps) == len(set(steps)) == 2  # epochs
    picture = shown[name][-1][1]
    parts = picture.chunk(6, dim=-1)
    assert torch.equal(parts[0], capture.load_wide(0))
    assert torch.equal(parts[1], capture.load_truth().all_in_focus)
    assert torch.equal(parts[4], parts[0])
    assert torch.equal(parts[5][:1], (4 * (parts[0] - parts[1]).abs().mean(0, True)).clamp(0, 1))
