"""The made pair under hard conditions: a flat wall, a card that moved, a reflection, a roll."""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from made_pair import (
    BORDER,
    CARD,
    CARD_PX,
    DEFOCUS_PER_DISPARITY,
    HEIGHT,
    UW_HEIGHT,
    UW_WIDTH,
    W_PER_UW,
    WALL_PX,
    WIDTH,
    _seen_by_uw,
    texture,
)
from torch import Tensor

from dfnet.blur import disc_blur
from dfnet.photo import CameraShot, develop

PANE = (slice(30, 130), slice(185, 245))  # of glass, on the wall
SHOT_NOISE, READ_NOISE = 1.1e-4, 9.5e-4  # the middle of what training draws
DIRECTION = (0.0, 1.0)  # UW below W


class HardPair(NamedTuple):
    """Linear light of both cameras, and truth."""

    light_w: Tensor
    light_uw: Tensor
    disparity_w_px: Tensor
    flow_w_to_uw: Tensor


def make_hard_pair(focus_px=CARD_PX, wall="textured", card_moved=(0.0, 0.0), reflection=None):
    """Card before a wall.

    Args:
        focus_px: the disparity that W shows sharp.
        wall: `textured` or `flat`.
        card_moved: how far the card is from its place when UW is exposed [W px].
        reflection: a pane on the wall shows something of this further shift in UW [W px].
    """
    random = np.random.default_rng(0)
    shape = HEIGHT + 2 * BORDER, WIDTH + 2 * BORDER
    back, card, mirrored = (texture(random, shape) for _ in range(3))
    if wall == "flat":
        back = torch.full_like(back, 0.35)
    cover, pane = (_cover(part, shape) for part in (CARD, PANE))
    if reflection is None:
        pane = torch.zeros_like(pane)
    coc = [DEFOCUS_PER_DISPARITY * abs(focus_px - d) for d in (WALL_PX, CARD_PX)]
    behind = disc_blur(back * (1 - pane) + mirrored * pane, coc[0])
    light_w = disc_blur(card * cover, coc[1]) + (1 - disc_blur(cover, coc[1])) * behind

    shift = {"wall": _shift(WALL_PX), "card": _shift(CARD_PX, card_moved)}
    shift["pane"] = _shift(WALL_PX, reflection or (0.0, 0.0))
    light_uw = torch.where(
        _at(pane, shift["wall"]) > 0.5, _at(mirrored, shift["pane"]), _at(back, shift["wall"])
    )
    light_uw = torch.where(_at(cover, shift["card"]) > 0.5, _at(card, shift["card"]), light_uw)

    disparity = torch.full((1, HEIGHT, WIDTH), WALL_PX)
    disparity[:, CARD[0], CARD[1]] = CARD_PX
    moved = torch.tensor(shift["wall"])[:, None, None].repeat(1, HEIGHT, WIDTH)
    if reflection is not None:
        moved[:, PANE[0], PANE[1]] = torch.tensor(shift["pane"])[:, None, None]
    moved[:, CARD[0], CARD[1]] = torch.tensor(shift["card"])[:, None, None]
    inner = light_w[0, :, BORDER:-BORDER, BORDER:-BORDER]
    return HardPair(inner.clamp(0, 1), light_uw[0].clamp(0, 1), disparity, _flow(moved))


def shoot(light: Tensor, noise=1.0, seed=0) -> Tensor:
    """An 8-bit photo with `noise` times the middle amount of noise."""
    shot = CameraShot(
        shot_noise=SHOT_NOISE * noise**2, read_noise=READ_NOISE * noise, is_8_bit=True
    )
    return develop(light, shot, torch.Generator().manual_seed(seed))


def rolled(light: Tensor, degrees: float) -> Tensor:
    """The picture of a camera turned about its axis."""
    height, width = light.shape[-2:]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    pixels = np.ascontiguousarray(light.numpy().transpose(1, 2, 0))
    turned = cv2.warpAffine(
        pixels, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    return torch.from_numpy(turned.transpose(2, 0, 1).copy()).clamp(0, 1)


def inside(part, margin=8) -> Tensor:
    """Bool (1, H, W): a part of W but for its outline."""
    region = torch.zeros(1, HEIGHT, WIDTH, dtype=torch.bool)
    rows, columns = part
    region[
        :, rows.start + margin : rows.stop - margin, columns.start + margin : columns.stop - margin
    ] = True
    return region


def open_wall() -> Tensor:
    """Bool (1, H, W): the wall, away from card, pane and the frame's border."""
    frame = inside((slice(0, HEIGHT), slice(0, WIDTH)), 10)
    return frame & ~inside(CARD, -20) & ~inside(PANE, -8)


def _cover(part, shape) -> Tensor:
    cover = torch.zeros(1, 1, *shape)
    rows, columns = (slice(s.start + BORDER, s.stop + BORDER) for s in part)
    cover[..., rows, columns] = 1.0
    return cover


def _shift(disparity_px, moved=(0.0, 0.0)) -> tuple[float, float]:
    return tuple(disparity_px * d + m for d, m in zip(DIRECTION, moved, strict=True))


def _at(layer: Tensor, shift) -> Tensor:
    """A layer as UW sees it, all of it shifted alike [W px]."""
    return _seen_by_uw(layer, 1.0, *shift)


def _flow(moved_px: Tensor) -> Tensor:
    y, x = torch.meshgrid(torch.arange(HEIGHT).float(), torch.arange(WIDTH).float(), indexing="ij")
    u = (x - moved_px[0] - (WIDTH - 1) / 2) / W_PER_UW + (UW_WIDTH - 1) / 2
    v = (y - moved_px[1] - (HEIGHT - 1) / 2) / W_PER_UW + (UW_HEIGHT - 1) / 2
    return torch.stack([u - x, v - y])
