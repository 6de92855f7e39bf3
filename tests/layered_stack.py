"""A focus stack rendered exactly: flat layers, each blurred by its own disc."""

import numpy as np
import torch
from made_pair import texture
from torch import Tensor

from dfnet.blur import disc_blur
from dfnet.capture import Capture, save_capture
from dfnet.io.images import write_image
from dfnet.photo import srgb_from_linear

HEIGHT, WIDTH = 276, 368
UW_HEIGHT, UW_WIDTH, W_PER_UW = 280, 372, 1.3
BORDER = 64  # the layers go on beyond W's frame
DEFOCUS_PER_DISPARITY = 0.25
# Back to front: disparity [px] and the part of W's frame that the layer covers (top, left, ...).
LAYERS = [
    (4.0, (-1.0, -1.0, 2.0, 2.0)),
    (10.0, (0.35, -1.0, 2.0, 0.45)),
    (16.0, (0.15, 0.5, 0.6, 0.85)),
    (22.0, (0.55, 0.3, 0.95, 0.7)),
    (28.0, (0.75, -1.0, 2.0, 2.0)),
]
DIRECTION = (0.0, 1.0)  # UW below W in the picture


def render_layers(folder, seed=0) -> Capture:
    """Write slices focused on each layer from near to far, UW, and the all-in-focus truth."""
    layers = list(_layers(np.random.default_rng(seed)))
    folder.mkdir(parents=True)
    focus = [disparity for disparity, _ in LAYERS[::-1]]
    names = [f"wide_{i:02d}.png" for i in range(len(focus))]
    for name, at in zip(names, focus, strict=True):
        write_image(srgb_from_linear(_composite(layers, at)), folder / name, bits=16)
    write_image(srgb_from_linear(_composite(layers, None)), folder / "sharp.png", bits=16)
    write_image(srgb_from_linear(_seen_by_uw(layers)), folder / "ultrawide.png", bits=16)
    capture = Capture(folder, tuple(names), ("ultrawide.png",), truth={"all_in_focus": "sharp.png"})
    save_capture(capture)
    return capture


def true_disparity() -> np.ndarray:
    """Of W's pixels, (H, W) [px]."""
    disparity = np.zeros((HEIGHT, WIDTH), np.float32)
    for value, part in LAYERS:
        disparity[_covered(part, 0)] = value
    return disparity


def _layers(random):
    shape = HEIGHT + 2 * BORDER, WIDTH + 2 * BORDER
    for disparity, part in LAYERS:
        cover = torch.zeros(1, 1, *shape)
        cover[0, 0][_covered(part, BORDER)] = 1.0
        yield disparity, texture(random, shape), cover


def _covered(part, border) -> tuple[slice, slice]:
    top, left, bottom, right = part
    rows, columns = HEIGHT + 2 * border, WIDTH + 2 * border
    edges = (top * HEIGHT, left * WIDTH, bottom * HEIGHT, right * WIDTH)
    top, left, bottom, right = (round(e) + border for e in edges)
    return slice(max(top, 0), min(bottom, rows)), slice(max(left, 0), min(right, columns))


def _composite(layers, focus_px) -> Tensor:
    """W's picture in linear light, (3, H, W); sharp everywhere when nothing is in focus."""
    out = torch.zeros(1)
    for disparity, colour, cover in layers:
        coc = 0.0 if focus_px is None else DEFOCUS_PER_DISPARITY * abs(focus_px - disparity)
        out = disc_blur(colour * cover, coc) + (1 - disc_blur(cover, coc)) * out
    return out[0, :, BORDER:-BORDER, BORDER:-BORDER].clamp(0, 1)


def _seen_by_uw(layers) -> Tensor:
    out = torch.zeros(1)
    y, x = torch.meshgrid(
        torch.arange(UW_HEIGHT).float(), torch.arange(UW_WIDTH).float(), indexing="ij"
    )
    for disparity, colour, cover in layers:
        at_x = (x - (UW_WIDTH - 1) / 2) * W_PER_UW + (WIDTH - 1) / 2 + disparity * DIRECTION[0]
        at_y = (y - (UW_HEIGHT - 1) / 2) * W_PER_UW + (HEIGHT - 1) / 2 + disparity * DIRECTION[1]
        height, width = cover.shape[-2:]
        grid = torch.stack(
            [2 * (at_x + BORDER) / (width - 1) - 1, 2 * (at_y + BORDER) / (height - 1) - 1], dim=-1
        )
        seen, alpha = (
            torch.nn.functional.grid_sample(
                image, grid[None], align_corners=True, padding_mode="border"
            )
            for image in (colour, cover)
        )
        out = torch.where(alpha > 0.5, seen, out)
    return out[0].clamp(0, 1)
