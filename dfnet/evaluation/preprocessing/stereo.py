"""Middlebury stereo made to look like a phone's two cameras, focus and truth known.

The left picture becomes W: out of focus by its true disparity. The right one becomes UW: sharp, but
with fewer pixels, other colours and more noise.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from dfnet.errors import InputError
from dfnet.evaluation.preprocessing.cases import Case, Truth, away_from_border
from dfnet.io.images import read_image
from dfnet.layers import blur_in_layers
from dfnet.optics import BlurLaw, defocus_from_disparity
from dfnet.photo import linear_from_srgb, srgb_from_linear

DEFOCUS_PER_DISPARITY = 0.3
NOISE_W, NOISE_UW = 2 / 255, 4 / 255  # sRGB-encoded
UW_RESOLUTION = 0.6
UW_COLOURS = ((0.90, 0.08, 0.02), (0.05, 0.90, 0.05), (0.02, 0.10, 0.88))
UW_GAMMA = 1.1
ENDS = (0.02, 0.98)  # quantiles of the disparity at which the near and the far end are focused


class StereoFiles(NamedTuple):
    """A stereo pair on disk.

    Attributes:
        left: file in the scene's folder.
        right: the same.
        disparity: of the left picture; 0 is unknown.
        levels_per_px: of the disparity's file.
        reduce: the pair is used at 1 / this.
    """

    left: str
    right: str
    disparity: str
    levels_per_px: float
    reduce: int


SCENES = {
    "cones": StereoFiles("im2.ppm", "im6.ppm", "disp2.pgm", 4.0, 1),
    "aloe": StereoFiles("aloeL.jpg", "aloeR.jpg", "aloeGT.png", 1.0, 2),
}


@dataclass(frozen=True)
class StereoSet:
    """Cones and aloe, each focused at its far and at its near end.

    Attributes:
        root: holds the folders `cones` and `aloe` as they are published.
    """

    root: str

    def __iter__(self) -> Iterator[Case]:
        """The four cases.

        Raises:
            InputError: a file is missing.
        """
        for scene, files in SCENES.items():
            left, right, disparity_px = read_stereo(Path(self.root) / scene, files)
            for end, quantile in zip(("far", "near"), ENDS, strict=True):
                at_focus = float(disparity_px[disparity_px > 0].quantile(quantile))
                law = BlurLaw(DEFOCUS_PER_DISPARITY, at_focus)
                yield stereo_case(f"{scene} {end}", left, right, disparity_px, law)


def read_stereo(folder: Path, files: StereoFiles) -> tuple[Tensor, Tensor, Tensor]:
    """Left, right (3, H, W) in [0, 1], and the left disparity (1, H, W) [px], 0 unknown.

    Raises:
        InputError: a file is missing.
    """
    for name in files[:3]:
        if not (folder / name).is_file():
            raise InputError(
                f"{folder / name}: no such file\n"
                f"  middlebury=DIR needs DIR/{folder.name} with {', '.join(files[:3])}."
            )
    left, right = (read_image(folder / name) for name in files[:2])
    levels = read_image(folder / files.disparity)[:1] * 255
    if files.reduce > 1:
        left, right = (_resized(p, 1 / files.reduce, cv2.INTER_AREA) for p in (left, right))
        levels = levels[:, :: files.reduce, :: files.reduce][:, : left.shape[1], : left.shape[2]]
    return left, right, levels / files.levels_per_px / files.reduce


def stereo_case(name: str, left: Tensor, right: Tensor, disparity_px: Tensor, law: BlurLaw) -> Case:
    """One dual-camera-like pair from a stereo pair; nothing is told of its cameras."""
    random = torch.Generator().manual_seed(sum(name.encode()))
    dense = fill_unknown(disparity_px)
    defocus = defocus_from_disparity(dense, law)
    blurred = blur_in_layers(linear_from_srgb(left)[None], defocus[None])[0]
    image_w = with_noise(srgb_from_linear(blurred.clamp(0, 1)), NOISE_W, random)
    x = torch.arange(left.shape[-1])
    inside = x - dense >= 0
    truth = Truth(
        torch.cat([-dense, torch.zeros_like(dense)]),
        dense,
        splat_hidden(dense),
        (disparity_px > 0) & inside & away_from_border(dense),
        defocus,
        law,
        1.0,
    )
    return Case(name, image_w, as_ultrawide(right, random), {}, None, truth)


def as_ultrawide(image: Tensor, random: torch.Generator) -> Tensor:
    """The picture as a lesser camera shows it, at its old size."""
    small = _resized(image, UW_RESOLUTION, cv2.INTER_AREA)
    coloured = torch.einsum("oc,chw->ohw", torch.tensor(UW_COLOURS), small).clamp(0, 1)
    noisy = with_noise(coloured**UW_GAMMA, NOISE_UW, random)
    size = image.shape[-1], image.shape[-2]
    large = cv2.resize(noisy.permute(1, 2, 0).numpy(), size, interpolation=cv2.INTER_CUBIC)
    return torch.from_numpy(large).permute(2, 0, 1).clamp(0, 1)


def with_noise(image: Tensor, deviation: float, random: torch.Generator) -> Tensor:
    """Gaussian noise on the encoded values, clipped and rounded to 8 bits as a file would."""
    noisy = image + deviation * torch.randn(image.shape, generator=random)
    return (noisy.clamp(0, 1) * 255).round() / 255


def fill_unknown(disparity_px: Tensor) -> Tensor:
    """Unknown (0) disparities take the smaller of their row's nearest known ones."""
    values = disparity_px[0].numpy()
    known = values > 0
    column = np.arange(values.shape[1])[None]
    before = np.maximum.accumulate(np.where(known, column, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, column, 10**6)[:, ::-1], axis=1)[:, ::-1]
    sides = [
        np.where(
            (at >= 0) & (at < 10**6),
            np.take_along_axis(values, at.clip(0, values.shape[1] - 1), axis=1),
            np.inf,
        )
        for at in (before, after)
    ]
    filled = np.minimum(*sides)
    filled[~np.isfinite(filled)] = values[known].min()
    return torch.from_numpy(filled.astype(np.float32))[None]


def splat_hidden(disparity_px: Tensor) -> Tensor:
    """Bool (1, H, W): something at least 1 px nearer lands on the same pixel of the right picture.

    Args:
        disparity_px: (1, H, W), known everywhere; left (x, y) is right (x - disparity, y).
    """
    values = disparity_px[0]
    x = torch.arange(values.shape[1])
    landing = (x - values).round().long().clamp(0, values.shape[1] - 1)
    nearest = torch.zeros_like(values).scatter_reduce(1, landing, values, "amax")
    out = x - values < -0.5
    return ((nearest.gather(1, landing) > values + 1) & ~out)[None]


def _resized(image: Tensor, scale: float, interpolation: int) -> Tensor:
    size = round(image.shape[-1] * scale), round(image.shape[-2] * scale)
    pixels = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
    return torch.from_numpy(cv2.resize(pixels, size, interpolation=interpolation)).permute(2, 0, 1)
