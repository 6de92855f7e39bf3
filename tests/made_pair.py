"""A W/UW pair whose truth is known by construction: a card before a wall, blurred by discs."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dfnet.blur import disc_blur
from dfnet.photo import srgb_from_linear

HEIGHT, WIDTH = 192, 256
UW_HEIGHT, UW_WIDTH = 216, 288
W_PER_UW = 1.3  # W px per UW px: UW sees 1.46 times as far to each side
WALL_PX, CARD_PX = 4.0, 16.0  # disparities
CARD = (slice(70, 150), slice(80, 170))  # in W
BORDER = 160  # the wall goes on beyond W's frame
DEFOCUS_PER_DISPARITY = 0.25


class MadePair(NamedTuple):
    """Photos and truth, as `Preprocessed` names them."""

    image_w: Tensor
    image_uw: Tensor
    disparity_w_px: Tensor
    defocus_w_px: Tensor
    flow_w_to_uw: Tensor


def make_pair(direction=(1.0, 0.0), focus_px=CARD_PX, seed=0, tint=(1.0, 1.0, 1.0)) -> MadePair:
    """Photograph card and wall with W focused at disparity `focus_px` and UW sharp everywhere.

    Args:
        direction: unit vector W to UW, in W's image axes.
        focus_px: the disparity that W shows sharp.
        seed: of the textures.
        tint: gains of UW's channels, in linear light.
    """
    generator = np.random.default_rng(seed)
    shape = HEIGHT + 2 * BORDER, WIDTH + 2 * BORDER
    wall, card = texture(generator, shape), texture(generator, shape)
    cover = torch.zeros(1, 1, *shape)
    inner = tuple(slice(s.start + BORDER, s.stop + BORDER) for s in CARD)
    cover[..., inner[0], inner[1]] = 1.0
    coc = [DEFOCUS_PER_DISPARITY * abs(focus_px - d) for d in (WALL_PX, CARD_PX)]
    blurred_cover = disc_blur(cover, coc[1])
    image_w = disc_blur(card * cover, coc[1]) + (1 - blurred_cover) * disc_blur(wall, coc[0])
    image_w = image_w[0, :, BORDER:-BORDER, BORDER:-BORDER]

    step_x, step_y = direction
    uw_wall = _seen_by_uw(wall, WALL_PX, step_x, step_y)
    uw_card, uw_cover = (_seen_by_uw(i, CARD_PX, step_x, step_y) for i in (card, cover))
    image_uw = torch.where(uw_cover > 0.5, uw_card, uw_wall)[0] * torch.tensor(tint).view(3, 1, 1)

    disparity = torch.full((1, HEIGHT, WIDTH), WALL_PX)
    disparity[:, CARD[0], CARD[1]] = CARD_PX
    return MadePair(
        srgb_from_linear(image_w.clamp(0, 1)),
        srgb_from_linear(image_uw.clamp(0, 1)),
        disparity,
        DEFOCUS_PER_DISPARITY * (focus_px - disparity),
        _flow(disparity, step_x, step_y),
    )


def texture(generator, shape) -> Tensor:
    """Blotches, bars and grain, (1, 3, H, W) in linear light."""
    image = np.zeros((*shape, 3), np.float32) + generator.uniform(0.1, 0.5, 3)
    for _ in range(700):
        y, x = generator.integers(0, shape[0]), generator.integers(0, shape[1])
        h, w = generator.integers(3, 24, 2)
        image[y : y + h, x : x + w] = generator.uniform(0.02, 0.8, 3)
    image *= generator.uniform(0.85, 1.0, (*shape, 1))
    return disc_blur(torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None], 1.8)


def _seen_by_uw(layer: Tensor, disparity_px: float, step_x: float, step_y: float) -> Tensor:
    """A layer of this disparity, on UW's pixels."""
    y, x = torch.meshgrid(
        torch.arange(UW_HEIGHT).float(), torch.arange(UW_WIDTH).float(), indexing="ij"
    )
    x = (x - (UW_WIDTH - 1) / 2) * W_PER_UW + (WIDTH - 1) / 2 + disparity_px * step_x + BORDER
    y = (y - (UW_HEIGHT - 1) / 2) * W_PER_UW + (HEIGHT - 1) / 2 + disparity_px * step_y + BORDER
    height, width = layer.shape[-2:]
    grid = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], dim=-1)[None]
    return torch.nn.functional.grid_sample(layer, grid, align_corners=True)


def _flow(disparity: Tensor, step_x: float, step_y: float) -> Tensor:
    y, x = torch.meshgrid(torch.arange(HEIGHT).float(), torch.arange(WIDTH).float(), indexing="ij")
    u = (x - disparity[0] * step_x - (WIDTH - 1) / 2) / W_PER_UW + (UW_WIDTH - 1) / 2
    v = (y - disparity[0] * step_y - (HEIGHT - 1) / 2) / W_PER_UW + (UW_HEIGHT - 1) / 2
    return torch.stack([u - x, v - y])
