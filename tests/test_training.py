import dataclasses
import warnings
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from lightning import Callback, LightningDataModule, Trainer, seed_everything
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint
from test_training_samples import QUIET, make_stack
from torch.testing import assert_close
from torch.utils.data import DataLoader, default_collate

from dfnet.errors import InputError
from dfnet.model import DFNet
from dfnet.model.dfnet import DFNetOutput
from dfnet.sample import Sample
from dfnet.training.datamodule import NumberSampler, StackSamples
from dfnet.training.kinds import KindWeights
from dfnet.training.losses import RefocusLoss
from dfnet.training.pixel_losses import coarse_l1, gradient_l1
from dfnet.training.samples import draw_sample, smooth_noise
from dfnet.training.setup import find_resume, start_weights
from dfnet.training.task import RefocusTask

STEPS_PER_EPOCH = 3
EXPERIMENTS = [
    "adversarial",
    "dfnet",
    "dfnet_s",
    "finish",
    "highlights",
    "no_guide",
    "one_stage",
    "refocus_only",
    "single_image",
    "smoke",
    "with_all_in_focus",
]


class TinyData(LightningDataModule):
    def train_dataloader(self):
        samples = StackSamples([make_stack()], QUIET, seed=1)
        return DataLoader(samples, batch_size=2, sampler=NumberSampler(2 * STEPS_PER_EPOCH))


class StopAfter(Callback):
    """Ends a run early, as a kill right after a checkpoint would."""

    def __init__(self, epochs):
        self.epochs = epochs

    def on_train_epoch_end(self, trainer, task):
        if trainer.current_epoch + 1 == self.epochs:
            trainer.should_stop = True


def make_task(lr=2e-3, lamps=1.0, highlights=1.0):
    return RefocusTask(
        DFNet(width=4),
        RefocusLoss(),
        lambda parameters: torch.optim.AdamW(parameters, lr=lr),
        alignment=0.01,
        lamps=lamps,
        highlights=highlights,
        warmup_steps=2,
        val_tasks=["all_in_focus"],
        preprocessing="truth",
        image_every_n_steps=1000,
    )


def fit(folder, epochs, resume=None, stop_after=0):
    seed_everything(0, verbose=False)
    task = make_task()
    saver = ModelCheckpoint(folder, save_last=True, save_on_train_epoch_end=True)
    trainer = Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        callbacks=[EMAWeightAveraging(decay=0.9), saver, StopAfter(stop_after)],
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        limit_val_batches=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's advice on workers and logging
        trainer.fit(task, TinyData(), ckpt_path=resume)
    return task


def test_gradient_loss_by_hand():
    target = torch.zeros(1, 1, 2, 3)
    image = torch.tensor([[[[0.0, 1.0, 3.0], [0.0, 1.0, 3.0]]]])
    # Horizontal differences 1, 2, 1, 2: mean 1.5; vertical ones 0.
    ones = torch.ones_like(target)
    assert_close(gradient_l1(image, target, ones), torch.tensor(1.5))
    assert_close(gradient_l1(image.mT, target.mT, ones.mT), torch.tensor(1.5))


def test_coarse_loss_compares_each_scale_with_the_averaged_target():
    target = torch.zeros(1, 3, 4, 4)
    target[..., 0, 0] = 1.0  # a quarter at 1/2 size, a sixteenth at 1/4 size
    images = [target + 9, torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 1, 1)]
    assert_close(coarse_l1(images, target, torch.ones(1, 1, 4, 4)), torch.tensor(0.25 / 4 + 1 / 16))


def test_coarse_loss_leaves_padding_out():
    target = torch.zeros(1, 3, 6, 6)
    padded = torch.zeros(1, 3, 8, 8)
    padded[..., 3:, :] = 100.0
    padded[..., :, 3:] = 100.0
    assert coarse_l1([target, padded], target, torch.ones(1, 1, 6, 6)) == 0


def test_loss_is_zero_only_for_the_answer():
    g = torch.Generator().manual_seed(0)
    target = torch.rand(2, 3, 32, 32, generator=g)
    half = torch.nn.functional.avg_pool2d(target, 2)
    right, ones = DFNetOutput(target, [target, half], []), torch.ones(2, 1, 32, 32)
    assert_close(RefocusLoss()(right, target, ones), torch.tensor(0.0), atol=1e-6, rtol=0)
    for wrong in (
        right._replace(image=target + 0.1),
        right._replace(images_by_scale=[target, half + 0.1]),
    ):
        assert RefocusLoss()(wrong, target, ones) > 0.01


def test_perceptual_loss_needs_weights_by_path(tmp_path):
    with pytest.raises(InputError, match="vgg_weights"):
        RefocusLoss(perceptual=0.1)
    with pytest.raises(InputError, match="no such file"):
        RefocusLoss(perceptual=0.1, vgg_weights=str(tmp_path / "none.pth"))


def test_inverting_a_smooth_picture_is_learned():
    generator = torch.Generator().manual_seed(0)
    picture = 0.5 + 0.1 * smooth_noise((3, 64, 64), generator)[None]
    zeros = torch.zeros(1, 1, 64, 64)
    sample = Sample(picture, picture, zeros, zeros + 6, zeros, zeros)
    torch.manual_seed(0)
    model, loss = DFNet(width=8), RefocusLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    history = []
    for _ in range(60):
        value = loss(model(sample), 1 - picture, zeros + 1)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        history.append(value.item())
    assert history[-1] < 0.3 * history[0]


def test_resumed_run_equals_an_unbroken_one(tmp_path):
    unbroken = fit(tmp_path / "a", epochs=3)
    fit(tmp_path / "b", epochs=3, stop_after=2)
    resumed = fit(tmp_path / "b", epochs=3, resume=tmp_path / "b" / "last.ckpt")
    fresh = make_task()
    for (name, a), (_, b), (_, c) in zip(
        *(t.model.named_parameters() for t in (unbroken, resumed, fresh)), strict=True
    ):
        assert_close(a, b, atol=1e-6, rtol=1e-5, msg=name)
        if "mask_heads.0.weight" in name:
            assert not torch.equal(a, c)  # it did train


def test_find_resume_refuses_to_overwrite_a_run(tmp_path):
    assert find_resume(tmp_path, resume=True) is None
    last = tmp_path / "checkpoints" / "last.ckpt"
    last.parent.mkdir()
    last.touch()
    assert find_resume(tmp_path, resume=True) == str(last)
    with pytest.raises(InputError, match="holds an earlier run"):
        find_resume(tmp_path, resume=False)


def test_start_weights_copy_or_explain(tmp_path):
    torch.manual_seed(1)
    DFNet(width=4).save_pretrained(tmp_path)
    model = DFNet(width=4)
    start_weights(model, str(tmp_path))
    reference = DFNet.from_pretrained(tmp_path)
    assert_close(model.refine_w.stem.weight, reference.refine_w.stem.weight)
    fuller = DFNet(width=4, align=True)
    untouched = fuller.align.coarse.join.weight.clone()
    start_weights(fuller, str(tmp_path))
    assert_close(fuller.refine_w.stem.weight, reference.refine_w.stem.weight)
    assert torch.equal(fuller.align.coarse.join.weight, untouched)
    fuller.save_pretrained(tmp_path)
    plain = DFNet(width=4)
    start_weights(plain, str(tmp_path))  # without its alignment
    assert_close(plain.refine_w.stem.weight, reference.refine_w.stem.weight)
    with pytest.raises(InputError, match="another network"):
        start_weights(DFNet(width=8), str(tmp_path))


def compose_train(overrides=()):
    configs = str(Path(__file__).parents[1] / "configs")
    with initialize_config_dir(configs, version_base="1.3"):
        return compose("train", overrides=list(overrides))


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_experiments_change_known_keys_only_and_can_be_built(experiment):
    base, cfg = compose_train(), compose_train([f"+experiment={experiment}"])
    assert cfg.keys() == base.keys()
    task, data = instantiate(cfg.task), instantiate(cfg.data)
    assert task.model.use_guide == (experiment not in ("no_guide", "single_image"))
    assert data.settings.crop_px <= 160
    assert {type(instantiate(c)).__name__ for c in cfg.callbacks.values()} >= {
        "EMAWeightAveraging",
        "ModelCheckpoint",
    }


def test_every_experiment_file_is_tested():
    folder = Path(__file__).parents[1] / "configs" / "experiment"
    assert {f.stem for f in folder.glob("*.yaml")} == set(EXPERIMENTS)


@pytest.mark.parametrize(
    ("experiment", "parts"), [("finish", {"finish"}), ("highlights", {"lamps", "highlights"})]
)
def test_small_parts_begin_behind_released_weights_and_learn_alone(experiment, parts):
    cfg = compose_train([f"+experiment={experiment}"])
    task = instantiate(cfg.task)
    start_weights(task.model, "dfnet")
    kept = DFNet.from_pretrained("dfnet").state_dict()
    learning = {name.split(".")[0] for name, p in task.model.named_parameters() if p.requires_grad}
    assert learning == parts
    assert all(torch.equal(v, kept[k]) for k, v in task.model.state_dict().items() if k in kept)
    assert sum(k.startswith("refine_w") for k in kept) > 0
    assert cfg.data.preprocessing == "truth"
    assert instantiate(cfg.data).settings.weights.all_in_focus == 0


@pytest.mark.parametrize(("part", "step", "level"), [("lamps", 10, 1.0), ("highlights", 1, 0.9)])
def test_light_beyond_white_is_learned_from_itself_alone(monkeypatch, part, step, level):
    """White dots that are lamps, and a white area that is a window, are taken for brighter."""
    stack = make_stack(slices=1)
    white = slice(None), slice(10, 40, step), slice(10, 60, step)
    light = torch.zeros_like(stack.all_in_focus)
    stack.all_in_focus[white] = level
    light[white] = 100.0 * (step > 1)
    stack = dataclasses.replace(stack, beyond_white_level=light)
    settings = dataclasses.replace(QUIET, weights=KindWeights(0.0, 0.0, 1.0, 0.0))
    generator = torch.Generator().manual_seed(0)
    batch = default_collate([draw_sample(stack, settings, generator) for _ in range(2)])
    gradients = []
    for weight in (0.0, 2.0):
        task = make_task(**{part: weight})
        task.model = DFNet(width=8, render=True, **{part: True})
        monkeypatch.setattr(task, "log", lambda *told, **how: None)
        task.loss_of(batch, 0)[1].backward()
        gradients.append(float(getattr(task.model, part).path.heads[0].bias.grad[:4].sum()))
    assert gradients[0] == 0
    assert gradients[1] < -0.1


def test_only_the_named_parts_learn():
    model = DFNet(width=4, render=True, finish=True)
    task = make_task()
    RefocusTask(
        model,
        RefocusLoss(),
        lambda parameters: torch.optim.AdamW(parameters, lr=1e-3),
        alignment=0.0,
        lamps=0.0,
        highlights=0.0,
        warmup_steps=1,
        val_tasks=[],
        preprocessing="truth",
        image_every_n_steps=1,
        only=["finish"],
    )
    learning = {name.split(".")[0] for name, p in model.named_parameters() if p.requires_grad}
    assert learning == {"finish"}
    assert all(p.requires_grad for p in task.parameters())
    with pytest.raises(InputError, match="no part end"):
        RefocusTask(model, None, None, 0.0, 0.0, 0.0, 1, [], "truth", 1, only=["end"])
