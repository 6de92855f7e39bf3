"""What a network costs: parameters, multiply-accumulates, seconds and memory of one tile."""

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

import torch
from hydra.utils import instantiate
from rich.table import Table
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dfnet.devices import to_fast_layout
from dfnet.evaluation.preprocessing.run import peak_memory_mb
from dfnet.sample import Sample

FORMATS = ("bfloat16", "float32", "float32 AVX2")  # the last: what most laptops can do
_REPETITIONS = 3
_COC_PX = 12.0
# Params and FLOPs as listed for DPDD in the README of github.com/lizhangray/3SDeblur. It tells no
# input size; 16.0 G is what NAFNet's authors count for width 32 at 256x256, so we read all so.
_COUNTED_PX = 256 * 256
PUBLISHED = {"DRBNet": (11.69e6, 49.2e9 / _COUNTED_PX), "NAFNet": (17.06e6, 16.0e9 / _COUNTED_PX)}


class Cost(NamedTuple):
    """One network in one number format.

    Attributes:
        name: of the network.
        format: one of `FORMATS`.
        parameters: numbers that are learned.
        macs_per_px: multiply-accumulates of its convolutions, per pixel, for all in focus.
        sharp_s: processor seconds of all threads together per megapixel, for all in focus.
        blurred_s: the same for a picture that is wanted blurred.
        peak_mb: most memory the process held [MB], the libraries included.
    """

    name: str
    format: str
    parameters: int
    macs_per_px: float
    sharp_s: float
    blurred_s: float
    peak_mb: float


def measure(name: str, config: dict, number_format: str, side_px: int) -> Cost:
    """Build a network and run it on one square tile; call it in a process of its own.

    Args:
        name: for the table.
        config: what `hydra` builds the network from.
        number_format: one of `FORMATS`.
        side_px: of the tile.
    """
    if number_format.endswith("AVX2"):
        os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX2"  # read when the first convolution runs
    model = to_fast_layout(instantiate(config), torch.device("cpu")).eval()
    sharp, blurred = tile(side_px, 0.0), tile(side_px, _COC_PX)
    is_bfloat16 = number_format == "bfloat16"
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=is_bfloat16):
        seconds = [_seconds(model, sample) for sample in (sharp, blurred)]
        peak_mb = peak_memory_mb()
        macs = macs_per_px(model, sharp)
    per_megapixel = 1e6 / side_px**2
    return Cost(
        name,
        number_format,
        sum(p.numel() for p in model.parameters()),
        macs,
        *(s * per_megapixel for s in seconds),
        peak_mb,
    )


def tile(side_px: int, target_px: float) -> Sample:
    """A batch of one: noise for pictures, smooth maps, a wish of up to `target_px` of blur."""
    generator = torch.Generator().manual_seed(0)
    photos = torch.rand(2, 1, 3, side_px, side_px, generator=generator)
    ramp = torch.linspace(-1, 1, side_px).expand(1, 1, side_px, side_px)
    return Sample(
        image_w=photos[0],
        uw_on_w=photos[1],
        occluded_w=torch.zeros_like(ramp),
        defocus_w_px=_COC_PX * ramp.mT,
        target_defocus_w_px=target_px * ramp,
        radial_w=ramp.abs(),
    )


def macs_per_px(model: nn.Module, sample: Sample) -> float:
    """Multiply-accumulates of all convolutions and matrix products, per pixel of W."""
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(sample)
    return counter.get_total_flops() / 2 / sample.image_w[:, 0].numel()


def cost_table(costs: Sequence[Cost]) -> Table:
    """A line per network and format, then what is published of others."""
    view = Table(title="one tile; processor seconds per megapixel, half of which two cores take")
    for column in ("network", "format", "M params", "kMAC/px", "sharp", "blurred", "peak MB"):
        view.add_column(column, justify="left" if column in ("network", "format") else "right")
    for cost in costs:
        view.add_row(
            cost.name,
            cost.format,
            f"{cost.parameters / 1e6:.2f}",
            f"{cost.macs_per_px / 1e3:.0f}",
            f"{cost.sharp_s:.2f}",
            f"{cost.blurred_s:.2f}",
            f"{cost.peak_mb:.0f}",
        )
    for name, (parameters, macs) in PUBLISHED.items():
        view.add_row(name, "published", f"{parameters / 1e6:.2f}", f"{macs / 1e3:.0f}")
    return view


def _seconds(model: nn.Module, sample: Sample) -> float:
    """The least of a few runs, after one that prepares the kernels."""
    model(sample)
    spent = []
    for _ in range(_REPETITIONS):
        start = time.process_time()
        model(sample)
        spent.append(time.process_time() - start)
    return min(spent)
