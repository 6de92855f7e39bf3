"""What a set of captures looks like in numbers: depth, blur, gradients, occlusion."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from dfnet.capture import Capture, load_capture
from dfnet.errors import InputError
from dfnet.io.images import read_image
from dfnet.preprocess import preprocess_pair

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
COC_EDGES_PX = (0.0, 1.0, 8.0, 25.0, np.inf)
COC_NAMES = ("in focus (below 1 px)", "light (1 to 8 px)", "strong (8 to 25 px)", "heavy (above)")
EVERY_PX = 5  # pixels lie this far apart in the samples: neighbours say the same
LUMA = (0.2126, 0.7152, 0.0722)


class Samples(NamedTuple):
    """Values of pixels, of one capture or of many; empty where they are not known.

    Attributes:
        depth_m: (N,) z-depth; `inf` is sky.
        coc_px: (N,) unsigned circle-of-confusion diameter of W's slices [W's pixels].
        gradient: (N,) length of the gradient of W's photos, in sRGB-encoded luminance per pixel.
        sharp_gradient: (N,) the same of the all-in-focus photo.
        occluded: (N,) 1 where UW cannot see W's point, else 0.
    """

    depth_m: np.ndarray
    coc_px: np.ndarray
    gradient: np.ndarray
    sharp_gradient: np.ndarray
    occluded: np.ndarray


def sample_render(capture: Capture) -> Samples:
    """Values of a rendered stack, by its truth.

    Raises:
        InputError: files are missing or damaged.
    """
    truth = capture.load_truth()
    slices = range(len(capture.wide))
    return Samples(
        _spread(truth.depth_w_m),
        np.concatenate([_spread(capture.true_defocus_w_px(i, truth.depth_w_m)) for i in slices]),
        np.concatenate([_spread(gradient(capture.load_wide(i))) for i in slices]),
        _spread(gradient(truth.all_in_focus)),
        _spread(truth.occluded_w.float()),
    )


def sample_pair(folder: Path, reduce: int = 1) -> Samples:
    """Values of a real pair, `wide.*` and `ultrawide.*`; its blur is estimated, its depth unknown.

    Args:
        folder: with the two photos.
        reduce: both photos are made this many times smaller first; pixels are those afterwards.

    Raises:
        InputError: no such photos, or they do not match.
    """
    photos = (read_image(_photo(folder, name)) for name in ("wide", "ultrawide"))
    image_w, image_uw = (F.avg_pool2d(photo, reduce) for photo in photos)
    found = preprocess_pair(image_w, image_uw)
    nothing = np.empty(0, np.float32)
    return Samples(
        nothing,
        _spread(found.defocus_w_px),
        _spread(gradient(image_w)),
        nothing,
        _spread(found.occluded_w.float()),
    )


def sample_renders(folders: Iterable[Path]) -> Samples:
    """Values of all rendered stacks together.

    Raises:
        InputError: one has no truth.
    """
    return pool(sample_render(load_capture(folder)) for folder in folders)


def pool(samples: Iterable[Samples]) -> Samples:
    """Several captures' values in one."""
    return Samples(*(np.concatenate(values) for values in zip(*samples, strict=True)))


def find_pairs(root: Path | str) -> list[Path]:
    """Folders with a `wide.*` and an `ultrawide.*` right below `root`, sorted.

    Raises:
        InputError: there is none.
    """
    folders = sorted(p.parent for p in Path(root).glob("*/wide.*"))
    folders = [folder for folder in folders if any(folder.glob("ultrawide.*"))]
    if not folders:
        raise InputError(
            f"{root}: no folder with a wide and an ultrawide photo\n"
            "  Real pairs are sub-folders that hold wide.jpg and ultrawide.jpg (or .png, .webp)."
        )
    return folders


def gradient(image: Tensor) -> Tensor:
    """Length of the gradient of luminance, (1, H - 2, W - 2), by central differences [1 / px]."""
    luma = (image * image.new_tensor(LUMA)[:, None, None]).sum(0, keepdim=True)
    dx = (luma[:, 1:-1, 2:] - luma[:, 1:-1, :-2]) / 2
    dy = (luma[:, 2:, 1:-1] - luma[:, :-2, 1:-1]) / 2
    return (dx.square() + dy.square()).sqrt()


def coc_shares(coc_px: np.ndarray) -> dict[str, float]:
    """Share of the pixels in each class of blur."""
    counts = np.histogram(coc_px, COC_EDGES_PX)[0] / max(1, coc_px.size)
    return dict(zip(COC_NAMES, counts.tolist(), strict=True))


def report(groups: Mapping[str, Samples]) -> str:
    """Percentiles and shares of named groups, one line each, aligned for people."""
    lines = [f"{'':56}" + "".join(f"{f'{p} %':>9}" for p in PERCENTILES)]
    for quantity in ("depth_m", "coc_px", "gradient", "sharp_gradient"):
        for name, samples in groups.items():
            values = getattr(samples, quantity)
            if values.size:
                found = np.percentile(values, PERCENTILES, method="lower")
                numbers = "".join(f"{v:9.3g}" for v in found)
                lines.append(f"{f'{quantity}, {name}':56}{numbers}")
    for name, samples in groups.items():
        shares = coc_shares(samples.coc_px) | {"hidden from UW": float(samples.occluded.mean())}
        lines.append(f"{name}: " + ", ".join(f"{n} {100 * s:.1f} %" for n, s in shares.items()))
    return "\n".join(lines)


def _spread(picture: Tensor) -> np.ndarray:
    """Magnitudes at evenly spaced pixels of (1, H, W)."""
    return picture[0, ::EVERY_PX, ::EVERY_PX].abs().flatten().numpy()


def _photo(folder: Path, name: str) -> Path:
    return next(iter(sorted(folder.glob(f"{name}.*"))))
