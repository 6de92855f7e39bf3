"""What a network costs, against convolutions counted by hand."""

import importlib.util
from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from rich.console import Console
from torch import nn

from dfnet.evaluation.cost import PUBLISHED, Cost, cost_table, macs_per_px, measure, tile
from dfnet.model import DFNet, SingleImageNet

ROOT = Path(__file__).parents[1]
SMALL_PARAMETERS, SMALL_MACS_PER_PX = 1.5e6, 30e3


class Known(nn.Module):
    """A 3x3 convolution at full size, 3 to 8, then a strided 1x1, 8 to 4."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 4, 1, stride=2))

    def forward(self, sample):
        return self.layers(sample.image_w)


def test_multiply_accumulates_and_parameters_by_hand():
    # 3 * 8 * 9 = 216 at each pixel, 8 * 4 = 32 at every fourth.
    assert macs_per_px(Known(), tile(32, 0.0)) == 216 + 32 / 4
    cost = measure("known", {"_target_": f"{__name__}.Known"}, "float32", 32)
    assert cost.parameters == 216 + 8 + 32 + 4
    assert cost.macs_per_px == 224
    assert cost.sharp_s > 0
    assert cost.peak_mb > 50


def test_the_wish_of_a_tile_is_as_strong_as_asked():
    sample = tile(32, 12.0)
    assert sample.target_defocus_w_px.abs().max() == 12
    assert not tile(32, 0.0).target_defocus_w_px.any()
    assert not torch.equal(sample.image_w, sample.uw_on_w)


def test_the_table_sets_published_networks_beside_ours():
    console = Console(width=120, record=True)
    console.print(cost_table([Cost("ours", "bfloat16", 1_440_000, 31_400.0, 0.5, 0.75, 812.3)]))
    text = console.export_text()
    row = next(line for line in text.splitlines() if "ours" in line)
    cells = [cell.strip() for cell in row.strip("│ ").split("│")]
    assert cells == ["ours", "bfloat16", "1.44", "31", "0.50", "0.75", "812"]
    assert PUBLISHED["DRBNet"][1] == pytest.approx(751e3, rel=1e-3)
    assert all(name in text for name in PUBLISHED)


@pytest.fixture
def network_config():
    spec = importlib.util.spec_from_file_location("benchmark", ROOT / "scripts/benchmark_model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.network_config


def test_the_small_network_is_small(network_config):
    model = instantiate(network_config("dfnet_s"))
    assert sum(p.numel() for p in model.parameters()) <= SMALL_PARAMETERS
    assert macs_per_px(model.eval(), tile(64, 0.0)) <= SMALL_MACS_PER_PX


def test_what_is_measured_is_a_released_network_or_an_experiment_s(network_config):
    released = DFNet.from_pretrained("dfnet")
    assert instantiate(network_config("dfnet")).config == released.config
    assert isinstance(instantiate(network_config("single_image")), SingleImageNet)
