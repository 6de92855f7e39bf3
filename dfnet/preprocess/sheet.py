"""A contact sheet for eyes: what preprocessing found, picture by picture."""

import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from dfnet.preprocess.pipeline import image_pixels, image_tensor
from dfnet.preprocess.result import Preprocessed

CELL_PX = 480
CAPTION_PX = 26
COLUMNS = 3


def contact_sheet(image_w: Tensor, image_uw: Tensor, result: Preprocessed) -> Tensor:
    """W, UW, aligned UW, disparity, depth, occlusion, defocus and flicker in one picture.

    Args:
        image_w: (3, H, W).
        image_uw: (3, H', W').
        result: of preprocessing them.

    Returns:
        (3, h, w) in [0, 1].
    """
    shape = image_w.shape[-2:]
    cells = [
        _cell(_small(image_w, shape), "wide (W)"),
        _cell(_small(image_uw, shape), "ultra-wide (UW)"),
        _cell(_small(result.uw_on_w, shape), "UW on W's grid, W's colours"),
        _cell(
            _small(_mapped(result.relative_inverse_depth, 0, 1), shape), _disparity_title(result)
        ),
        _cell(_small(_depth(result), shape), _depth_title(result)),
        _cell(_small(_visibility(image_w, result), shape), "red: hidden from UW, blue: no match"),
        _cell(_small(_defocus(result.defocus_w_px), shape), _defocus_title(result)),
        _cell(_small((image_w - result.uw_on_w).abs() * 4, shape), "4 x |W - UW on W|"),
        _cell(_notes(result, shape), "notes"),
    ]
    rows = [np.hstack(cells[i : i + COLUMNS]) for i in range(0, len(cells), COLUMNS)]
    return image_tensor(np.vstack(rows))


def _small(image: Tensor, shape: tuple[int, int]) -> np.ndarray:
    """Fitted into a box of W's shape, white around it."""
    height = round(CELL_PX * shape[0] / shape[1])
    factor = min(CELL_PX / image.shape[-1], height / image.shape[-2])
    size = max(1, round(image.shape[-1] * factor)), max(1, round(image.shape[-2] * factor))
    small = cv2.resize(image_pixels(image).clip(0, 1), size, interpolation=cv2.INTER_AREA)
    box = np.ones((height, CELL_PX, 3), dtype=np.float32)
    box[: small.shape[0], : small.shape[1]] = small
    return box


def _cell(picture: np.ndarray, title: str) -> np.ndarray:
    strip = Image.new("RGB", (picture.shape[1], CAPTION_PX), "white")
    font = ImageFont.load_default(size=15)
    ImageDraw.Draw(strip).text((5, 3), title, fill="black", font=font)
    return np.vstack([picture, np.asarray(strip, dtype=np.float32) / 255])


def _mapped(values: Tensor, low: float, high: float) -> Tensor:
    scaled = ((values[0] - low) / max(high - low, 1e-9)).clamp(0, 1).numpy()
    colours = cv2.applyColorMap((scaled * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
    return image_tensor(colours[..., ::-1].astype(np.float32) / 255)


def _depth(result: Preprocessed) -> Tensor:
    if result.depth_w_m is None:
        return _mapped(result.relative_inverse_depth, 0, 1)
    near, far = _range(1 / result.depth_w_m)
    return _mapped(1 / result.depth_w_m, near, far)


def _defocus(defocus_px: Tensor) -> Tensor:
    """Blue nearer than focus, white sharp, red beyond."""
    top = max(abs(v) for v in _range(defocus_px)) or 1.0
    share = (defocus_px / top).clamp(-1, 1)
    fade = 1 - share.abs()
    return torch.cat([torch.where(share < 0, fade, 1.0), fade, torch.where(share > 0, fade, 1.0)])


def _visibility(image_w: Tensor, result: Preprocessed) -> Tensor:
    gray = image_w.mean(dim=0, keepdim=True).expand(3, -1, -1) * 0.6 + 0.2
    red, blue = (torch.tensor(c).view(3, 1, 1) for c in ((0.9, 0.1, 0.1), (0.2, 0.4, 0.9)))
    unmatched = ~result.valid_w & ~result.occluded_w
    return torch.where(result.occluded_w, red, torch.where(unmatched, blue, gray))


def _range(values: Tensor) -> tuple[float, float]:
    some = values.flatten()[:: max(1, values.numel() // 50_000)]
    some = some[some.isfinite()]
    low, high = torch.quantile(some, torch.tensor([0.01, 0.99]))
    return float(low), float(high)


def _disparity_title(result: Preprocessed) -> str:
    low, high = _range(result.disparity_w_px)
    x, y = result.baseline_direction
    return f"disparity {low:.0f} .. {high:.0f} px, UW lies at ({x:+.2f}, {y:+.2f})"


def _depth_title(result: Preprocessed) -> str:
    if result.depth_w_m is None:
        return "relative inverse depth (no unit)"
    low, high = _range(result.depth_w_m)
    return f"depth {low:.2f} .. {high:.2f} m"


def _defocus_title(result: Preprocessed) -> str:
    low, high = _range(result.defocus_w_px)
    slope = result.blur_law.defocus_per_disparity
    return f"defocus {low:.1f} .. {high:.1f} px ({slope:.2f} per px of disparity)"


def _notes(result: Preprocessed, shape: tuple[int, int]) -> np.ndarray:
    page = Image.new("RGB", (CELL_PX, round(CELL_PX * shape[0] / shape[1])), "white")
    draw, font, y = ImageDraw.Draw(page), ImageFont.load_default(size=16), 8
    for note in (f"{result.verdict.name}: {result.verdict.sentence}", *result.notes):
        for line in _wrapped(note, 56):
            draw.text((8, y), line, fill="black", font=font)
            y += 22
        y += 8
    return np.asarray(page, dtype=np.float32) / 255


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) + 1 > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
