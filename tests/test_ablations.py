"""Every row of the ablation table starts, and differs from the base in what it names."""

from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf
from rich.console import Console
from test_model import awake_model, random_sample
from test_training_samples import make_stack
from torch.utils.data import default_collate

from dfnet.errors import InputError
from dfnet.evaluation.ablation import ablation_table, names_of, psnr_by_scene
from dfnet.model import DFNet
from dfnet.training.datamodule import StackSamples

CONFIGS = Path(__file__).parents[1] / "configs"
NAMES = names_of(CONFIGS)
TINY = ["task.model.width=8", "data.settings.crop_px=32", "task.optimizer.lr=1e-3"]
# By hand: what each row changes of the base.
CHANGES = {
    "no_guide": {"task.model.use_guide": False},
    "no_occlusion": {"task.model.withheld": ["occlusion"]},
    "no_source_defocus": {"task.model.withheld": ["source_defocus"]},
    "unsigned_defocus": {"task.model.withheld": ["defocus_sign"]},
    "no_radial": {"task.model.withheld": ["radial"]},
    "one_path": {"task.model.paths": 1},
    "no_multi_scale_loss": {"task.loss.coarse": 0.0},
    "true_maps": {"data.preprocessing": "truth", "task.preprocessing": "truth"},
    "alignment": {"task.model.align": True},
    "absent_guide_0": {"data.settings.absent_guide_share": 0.0},
    "one_stage": {
        "task.model.render": False,
        "data.settings.weights.refocus": 0.45,
        "data.settings.weights.shallow": 0.1,
        "data.settings.weights.aperture": 0.18,
    },
    "refocus_only": {
        "task.model.render": False,
        "data.settings.weights.refocus": 0.45,
        "data.settings.weights.all_in_focus": 0.0,
    },
    "charbonnier": {"task.loss.charbonnier": 0.01},
    "laplacian": {"task.loss.laplacian": 0.5},
    "shift_tolerant": {"task.loss.pixel": 0.0, "task.loss.shift_tolerant": 1.0},
    "edge_loss": {"task.loss.edge": 1.0},
    "finish": {
        "task.model.finish": True,
        "data.settings.weights.refocus": 0.45,
        "data.settings.weights.shallow": 0.1,
        "data.settings.weights.aperture": 0.18,
    },
    "base": {},
}


def composed(name, *overrides):
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose("train", overrides=[f"+experiment/ablation={name}", *overrides])


def flat(node, prefix=""):
    if not isinstance(node, dict):
        return {prefix: node}
    return {k: v for key, part in node.items() for k, v in flat(part, f"{prefix}.{key}").items()}


@pytest.mark.parametrize("name", NAMES)
def test_a_row_changes_what_it_names_and_nothing_else(name):
    base, row = (flat(OmegaConf.to_container(composed(n), resolve=True)) for n in ("base", name))
    changed = {key.lstrip("."): row[key] for key in row if row[key] != base.get(key)}
    for key in ("run_dir", "trainer.default_root_dir", "callbacks.last.dirpath"):
        assert changed.pop(key, "").startswith("logs/ablation/") or name == "base"
    assert {k: v for k, v in changed.items() if not k.startswith("logger.")} == CHANGES[name]
    assert row.keys() == base.keys()


@pytest.mark.parametrize("name", NAMES)
def test_a_row_starts(name):
    config = composed(name, *TINY)
    torch.manual_seed(0)
    task = instantiate(config.task)
    samples = StackSamples([make_stack(estimated=True)], instantiate(config.data.settings), seed=1)
    optimizer = instantiate(config.task.optimizer)(task.model.parameters())
    before = [p.detach().clone() for p in task.model.parameters()]
    for step in range(2):
        batch = default_collate([samples[2 * step], samples[2 * step + 1]])
        output = task.model(batch.sample)
        loss = task.loss(output, batch.target, batch.weight, batch.near_edge)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert torch.isfinite(loss)
    after = list(task.model.parameters())
    assert sum(not torch.equal(a, b) for a, b in zip(after, before, strict=True)) > len(after) // 2


@pytest.mark.parametrize(
    ("withheld", "change"),
    [
        ("occlusion", lambda s: s._replace(occluded_w=1 - s.occluded_w)),
        ("source_defocus", lambda s: s._replace(defocus_w_px=s.defocus_w_px + 4)),
        ("defocus_sign", lambda s: s._replace(defocus_w_px=-s.defocus_w_px)),
        ("radial", lambda s: s._replace(radial_w=1 - s.radial_w)),
    ],
)
def test_what_is_withheld_changes_nothing(withheld, change):
    sample = random_sample()
    other = change(sample)
    for names, is_told in (([], True), ([withheld], False)):
        model = awake_model(withheld=names)
        with torch.no_grad():
            blends = [model(s).images_by_scale[0] for s in (sample, other)]
        assert torch.equal(*blends) != is_told


def test_one_path_sees_both_photos_and_leaves_uw_as_it_is(tmp_path):
    model, sample = awake_model(paths=1), random_sample()
    other = sample._replace(uw_on_w=1 - sample.uw_on_w)
    with torch.no_grad():
        assert not torch.equal(model(sample).masks_by_scale[0], model(other).masks_by_scale[0])
    assert model.refine_uw is None
    two = sum(p.numel() for p in awake_model().refine_uw.parameters())
    parts = [sum(p.numel() for p in m.parameters()) for m in (awake_model(), model)]
    stem = 4 * 3 * 8 * 9  # three more channels, unshuffled, to the first eight
    assert parts[0] - parts[1] == two - stem
    model.save_pretrained(tmp_path)
    assert DFNet.from_pretrained(tmp_path).config == model.config


def test_there_are_two_paths_or_one():
    with pytest.raises(InputError, match=r"paths=3: no such number(.|\n)*Use 2 or 1"):
        DFNet(width=4, paths=3)


def test_an_unknown_input_cannot_be_withheld():
    with pytest.raises(InputError, match=r"withheld=colour: not an input(.|\n)*occlusion"):
        DFNet(width=4, withheld=["colour"])


def record_of(**psnr_db_by_task):
    rows = []
    for task, values in psnr_db_by_task.items():
        for scene, value in enumerate(values):
            for band, method, shift in (
                ("all", "dfnet", 0),
                ("depth_edge", "dfnet", -3),
                ("all", "x", 9),
            ):
                row = {"scene": f"{scene}", "task": task, "method": method, "band": band}
                rows.append(row | {"metrics": {"psnr_db": value + shift, "ssim": 0.5}})
    return {"rows": rows}


def test_the_table_compares_with_the_base_scene_by_scene():
    base = psnr_by_scene(record_of(all_in_focus=[20, 29], refocus=[27, 27]))
    assert base["all_in_focus"] == {"0": 20, "1": 29}
    # Each scene is 2.25 dB below; of refocus one scene stays and one gains 1.
    other = psnr_by_scene(record_of(all_in_focus=[17.75, 26.75], refocus=[27, 28]))
    console = Console(width=120, record=True)
    console.print(ablation_table({"base": base, "no_guide": other}))
    lines = [x for x in console.export_text().splitlines() if "base " in x or "no_guide" in x]
    cells = [[cell.strip() for cell in line.strip("│ ").split("│")] for line in lines[-2:]]
    assert cells == [
        ["base", "24.50", "27.00"],
        ["no_guide", "22.25 (-2.25 [-2.25, -2.25])", "27.50 (+0.50 [+0.00, +1.00])"],
    ]
