"""The critic: its loss by hand, and a run that stays in balance."""

import dataclasses
import warnings

import pytest
import torch
from lightning import Callback, LightningDataModule, Trainer, seed_everything
from lightning.pytorch.callbacks import EMAWeightAveraging
from test_training_samples import QUIET, make_stack, only
from torch.nn.functional import avg_pool2d
from torch.utils.data import DataLoader

from dfnet.model import DFNet
from dfnet.training.adversarial import AdversarialTask, PatchCritic, critic_loss
from dfnet.training.datamodule import NumberSampler, StackSamples
from dfnet.training.losses import RefocusLoss

STEPS = 101


class TinyData(LightningDataModule):
    """Smoothed noise, and a guide that is sharp in its left half: the rest cannot be right."""

    def train_dataloader(self):
        stack = make_stack()
        smooth = avg_pool2d(stack.all_in_focus.float(), 5, 1, 2).half()
        sharp = torch.roll(stack.all_in_focus, (-3, 5), dims=(-2, -1))  # as its flow says
        sharp[..., sharp.shape[-1] // 2 :] = smooth[..., sharp.shape[-1] // 2 :]
        stack = dataclasses.replace(stack, wide=[smooth] * 3, ultrawide=[sharp] * 3)
        settings = dataclasses.replace(QUIET, weights=only("all_in_focus"))
        samples = StackSamples([stack], settings, seed=1)
        return DataLoader(samples, batch_size=2, sampler=NumberSampler(2 * STEPS))


class Record(Callback):
    def __init__(self):
        self.rows = []

    def on_train_batch_end(self, trainer, task, *_):
        self.rows.append({k: float(v) for k, v in trainer.callback_metrics.items()})


@pytest.fixture(scope="module")
def run():
    seed_everything(0, verbose=False)
    task = AdversarialTask(
        adversarial=0.02,
        critic_width=8,
        critic_lr=5e-4,
        clip=1.0,
        model=DFNet(width=4),
        loss=RefocusLoss(),
        optimizer=lambda parameters: torch.optim.AdamW(parameters, lr=2e-3),
        alignment=0.0,
        lamps=0.0,
        highlights=0.0,
        warmup_steps=5,
        val_tasks=[],
        preprocessing="truth",
        image_every_n_steps=1000,
    )
    before = [p.detach().clone() for p in task.parameters()]
    record, averaging = Record(), EMAWeightAveraging(decay=0.5, update_every_n_steps=10)
    trainer = Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        callbacks=[record, averaging],
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        use_distributed_sampler=False,
        limit_val_batches=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's advice on workers and logging
        trainer.fit(task, TinyData())
    return task, before, record.rows, trainer


def test_the_critic_s_loss_by_hand():
    real, made = torch.tensor([2.0, 0.5]), torch.tensor([-3.0, 1.0])
    # (0 + 0.5) / 2 + (0 + 2) / 2
    assert critic_loss(real, made) == 1.25
    assert critic_loss(torch.zeros(4), torch.zeros(4)) == 2


def test_a_score_looks_at_38_pixels():
    torch.manual_seed(0)
    critic, image = PatchCritic(4), torch.rand(1, 3, 96, 96, requires_grad=True)
    critic(image, torch.zeros(1, 1, 96, 96))[0, 0, 6, 6].backward()
    rows, columns = image.grad[0].abs().sum(0).nonzero().T
    assert rows.max() - rows.min() + 1 == 38
    assert columns.max() - columns.min() + 1 == 38


def test_the_wanted_blur_is_part_of_the_judgement():
    torch.manual_seed(0)
    critic, image = PatchCritic(4), torch.rand(1, 3, 32, 32)
    wanted = torch.zeros(1, 1, 32, 32)
    assert not torch.equal(critic(image, wanted), critic(image, wanted + 8))


def test_a_run_stays_in_balance(run):
    """All finite; the critic neither always right nor for ever at chance, a loss of 2."""
    _, _, rows, _ = run
    assert len(rows) == STEPS
    assert all(torch.isfinite(torch.tensor(list(row.values()))).all() for row in rows)
    late = rows[STEPS // 2 :]
    judged = torch.tensor([row["train/critic_loss"] for row in late])
    right = torch.tensor([row["train/critic_right"] for row in late])
    assert 0.05 < judged.mean() < 1.99
    assert right.mean() > 0.55
    first, last = (sum(row["train/loss"] for row in part) for part in (rows[:20], rows[-20:]))
    assert last < first


def test_both_networks_learn_and_only_the_first_counts_steps(run):
    task, before, _, trainer = run
    assert trainer.global_step == STEPS
    changed = {
        name.split(".")[0]
        for (name, now), was in zip(task.named_parameters(), before, strict=True)
        if not torch.equal(now, was)
    }
    assert changed == {"model", "critic"}
    assert all(p.requires_grad for p in task.parameters())
