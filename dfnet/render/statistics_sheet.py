"""Histograms of captures in one picture."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from dfnet.render.statistics import Samples

PANEL_PX, PLOT_PX = (560, 380), (470, 270)  # width, height
CORNER_PX = (60, 45)  # of the plot in its panel, left and top
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")
FONT = ImageFont.load_default(size=14)


class Axis(NamedTuple):
    """One quantity's histogram.

    Attributes:
        quantity: field of `Samples`.
        title: for people.
        low: values below fall into the first bin.
        high: values above fall into the last bin.
        ticks: values that are written below.
    """

    quantity: str
    title: str
    low: float
    high: float
    ticks: tuple[float, ...]


AXES = (
    Axis("depth_m", "depth [m]; the last bin holds all beyond, and sky", 0.08, 100, (0.1, 1, 10)),
    Axis("coc_px", "blur of the slices: CoC diameter [px]", 0.2, 200, (1, 10, 100)),
    Axis("gradient", "gradient of W's photos [1 / px]", 1e-3, 1, (0.01, 0.1)),
    Axis("sharp_gradient", "gradient of all-in-focus photos [1 / px]", 1e-3, 1, (0.01, 0.1)),
)
BINS = 60


def histogram(values: np.ndarray, axis: Axis) -> np.ndarray:
    """Share of the values in each of the bins, which are even in the logarithm."""
    edges = np.geomspace(axis.low, axis.high, BINS + 1)
    inside = np.clip(values, axis.low, axis.high * (1 - 1e-9))
    return np.histogram(inside, edges)[0] / max(1, values.size)


def statistics_sheet(groups: Mapping[str, Samples]) -> Tensor:
    """Four histograms, a curve for each group that knows the quantity.

    Args:
        groups: at most four, by name.

    Returns:
        (3, h, w) in [0, 1].
    """
    panels = [_panel(axis, groups) for axis in AXES]
    sheet = np.vstack([np.hstack(panels[:2]), np.hstack(panels[2:])])
    return torch.from_numpy(sheet.astype(np.float32) / 255).permute(2, 0, 1)


def _panel(axis: Axis, groups: Mapping[str, Samples]) -> np.ndarray:
    picture = Image.new("RGB", PANEL_PX, "white")
    draw = ImageDraw.Draw(picture)
    left, top = CORNER_PX
    bottom = top + PLOT_PX[1]
    curves = {
        name: (histogram(values, axis), colour)
        for (name, samples), colour in zip(groups.items(), COLOURS, strict=False)
        if (values := getattr(samples, axis.quantity)).size
    }
    highest = max((curve.max() for curve, _ in curves.values()), default=1.0)
    draw.text((left, 8), axis.title, fill="black", font=FONT)
    for value in axis.ticks:
        x = left + PLOT_PX[0] * np.log(value / axis.low) / np.log(axis.high / axis.low)
        draw.line([(x, top), (x, bottom)], fill="#dddddd")
        draw.text((x - 10, bottom + 6), f"{value:g}", fill="black", font=FONT)
    draw.rectangle([left, top, left + PLOT_PX[0], bottom], outline="black")
    draw.text((8, top - 8), f"{100 * highest:.1f}%", fill="black", font=FONT)
    for row, (name, (curve, colour)) in enumerate(curves.items()):
        x = left + PLOT_PX[0] * (np.arange(BINS) + 0.5) / BINS
        y = bottom - PLOT_PX[1] * curve / highest
        draw.line([*zip(x.tolist(), y.tolist(), strict=True)], fill=colour, width=2)
        draw.text((left + 10, top + 6 + 18 * row), name, fill=colour, font=FONT)
    return np.asarray(picture)
