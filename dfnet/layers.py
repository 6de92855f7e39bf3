"""Blur an all-in-focus picture by its defocus map: layers in depth order, in linear light.

The scene is split into layers of about equal blur. Each is blurred by its own disc, matte and
colour alike, and what is nearer covers what is farther *after* the blur, as through a lens: a
blurred edge in front lets the background show through, a sharp one keeps the background's blur off.
What a layer hides is continued beneath it from its surroundings. Everything is differentiable in
the picture and in the map, and a surface's light is spread but neither lost nor gained.
"""

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from dfnet.blur import disc_blur
from dfnet.iris import Opening, PolygonIris, opening_blur
from dfnet.nearby import greatest_nearby
from dfnet.photo import linear_from_srgb, srgb_from_linear

STEP_PX, GROWTH = 1.0, 0.15  # between layers: diameters differ by 1 px, large ones by 15 %
_SMALL_ENOUGH_PX = 12.0  # wider discs are laid at half the size, or a quarter, ...
_SMALL_ENOUGH_FOR_CORNERS_PX = 32.0  # the same of polygons, which need more pixels
_WIDENED_BY_HALVING_PX = 4.0
_EPSILON = 1e-6


def blur_in_layers(
    image_linear: Tensor, defocus_px: Tensor, opening: Opening | None = None
) -> Tensor:
    """Render the defocus that a map describes.

    A pixel between two layers belongs to both in parts, so that the result follows the map
    smoothly. Neighbouring layers are taken for one surface and simply add up: a slope has no seams.
    With a disparity map and a law, take `dfnet.optics.defocus_from_disparity` first.

    Args:
        image_linear: (B, 3, H, W), all in focus, in linear light.
        defocus_px: (B, 1, H, W) signed diameter that is wanted [px]; its order is depth's:
            the smaller (more negative) is the nearer and covers the larger.
        opening: what shape a point is blurred into; a disc when None.

    Returns:
        Same shape as the picture; a constant picture stays constant.
    """
    light = torch.zeros_like(image_linear)
    nothing = torch.zeros_like(defocus_px)
    colour_and_cover = torch.cat([image_linear, torch.ones_like(defocus_px)], dim=1)
    cover, cover_before = nothing, nothing  # of all nearer layers; of those that are no neighbours
    matte_sum, matte_sum_before = nothing, nothing
    for level_px, matte in _mattes(defocus_px):
        hidden = matte_sum_before
        matte_sum_before, matte_sum = matte_sum, matte_sum + matte
        if not bool(matte.detach().any()):
            cover_before = cover
            continue
        spread = _blurred(matte * colour_and_cover, hidden, level_px, opening)
        seen = spread * (1 - cover_before).clamp_min(0)
        light = light + seen[:, :-1]
        cover_before, cover = cover, cover + seen[:, -1:]
    return light / cover.clamp_min(_EPSILON)


def blur_photo_in_layers(
    image: Tensor,
    defocus_px: Tensor,
    opening: Opening | None = None,
    beyond_white: Tensor | None = None,
) -> Tensor:
    """As `blur_in_layers`, of an sRGB picture in [0, 1] and into one.

    Args:
        image: (B, 3, H, W).
        defocus_px: (B, 1, H, W).
        opening: see there.
        beyond_white: (B, 1 or 3, H, W) linear light that the picture clips, such as a lamp's.
    """
    light = linear_from_srgb(image.clamp(0, 1))
    if beyond_white is not None:
        light = light + beyond_white
    light = blur_in_layers(light, defocus_px, opening)
    return srgb_from_linear(light.clamp(0, 1))


def _blurred(layer: Tensor, hidden: Tensor, level_px: float, opening: Opening | None) -> Tensor:
    """A layer, continued beneath what hides it, by its disc; wide discs on a reduced layer.

    Averaging pixels and interpolating between them blurs too, by as much as a disc whose diameter
    is twice the step; the disc is made narrower by that.
    """
    diameter_px = abs(level_px)
    has_corners = opening is not None and isinstance(opening.iris, PolygonIris)
    small_enough_px = _SMALL_ENOUGH_FOR_CORNERS_PX if has_corners else _SMALL_ENOUGH_PX
    if diameter_px <= small_enough_px or min(layer.shape[-2:]) < 4:
        whole = _continued_beneath(layer, hidden)
        if opening is None:
            return disc_blur(whole, diameter_px)
        return opening_blur(whole, level_px, opening)
    height, width = layer.shape[-2:]
    layer, hidden = (
        F.pad(x, (0, width % 2, 0, height % 2), mode="replicate") for x in (layer, hidden)
    )
    narrower_px = math.sqrt(diameter_px**2 - _WIDENED_BY_HALVING_PX**2) / 2
    narrower_px = math.copysign(narrower_px, level_px)
    opening = opening and opening.scaled(0.5)
    small = _blurred(_halved(layer), _halved(hidden), narrower_px, opening)
    return F.interpolate(small, scale_factor=2, mode="bilinear")[..., :height, :width]


def _mattes(defocus_px: Tensor) -> Iterator[tuple[float, Tensor]]:
    """Signed diameter and matte (B, 1, H, W) of each layer, near to far; the mattes sum to 1."""
    known = defocus_px.detach()
    behind = _diameters_px(max(float(known.max()), 0.0))
    before = _diameters_px(max(-float(known.min()), 0.0))
    levels_px = [-d for d in before[:0:-1]] + behind
    for i, level in enumerate(levels_px):
        below = levels_px[i - 1] if i > 0 else level - STEP_PX
        above = levels_px[i + 1] if i + 1 < len(levels_px) else level + STEP_PX
        rise = (defocus_px - below) / (level - below)
        fall = (above - defocus_px) / (above - level)
        yield level, torch.minimum(rise, fall).clamp_min(0)


def _diameters_px(largest_px: float) -> list[float]:
    """From 0 up to the first that exceeds `largest_px`."""
    diameters_px = [0.0]
    while diameters_px[-1] <= largest_px:
        diameters_px.append(diameters_px[-1] + max(STEP_PX, GROWTH * diameters_px[-1]))
    return diameters_px


def _continued_beneath(layer: Tensor, hidden: Tensor) -> Tensor:
    """A layer (B, C, H, W), premultiplied, that goes on where nearer ones hide it.

    Args:
        layer: colour times matte, and the matte.
        hidden: (B, 1, H, W) share of each pixel that nearer layers take.
    """
    if not bool(hidden.detach().any()):
        return layer
    trusted = 1 - greatest_nearby(hidden, 3)  # an edge's pixels mix both sides
    seen = torch.minimum(layer, layer[:, -1:])  # up to white: no lamp's light is made up
    known = seen * trusted, (1 - hidden) * trusted
    halves = torch.cat([_halved(x) for x in known], dim=1)  # what is made up is smooth
    beneath = _spread(halves)[:, :-1]
    height, width = layer.shape[-2:]
    beneath = F.interpolate(beneath, scale_factor=2, mode="bilinear")[..., :height, :width]
    return layer + hidden * beneath


def _spread(known: Tensor) -> Tensor:
    """Values where they are known, smoothly continued elsewhere: pull and push of a pyramid.

    Gortler et al., "The lumigraph", 1996.

    Args:
        known: (B, C, H, W), times their weight, which is the last channel, in [0, 1].

    Returns:
        Same shape; the last channel is 1 where anything is known.
    """
    size, weight = known.shape[-2:], known[:, -1:]
    if max(size) == 1:
        return known / weight.clamp_min(_EPSILON)
    coarse = _spread(_halved(known))
    return known + (1 - weight) * F.interpolate(coarse, size, mode="bilinear")


def _halved(x: Tensor) -> Tensor:
    """Averages of 2x2 pixels; what an odd side leaves over averages by itself."""
    height, width = x.shape[-2:]
    if height % 2 or width % 2:
        x = F.pad(x, (0, width % 2, 0, height % 2), mode="replicate")
    return F.interpolate(x, scale_factor=0.5, mode="bilinear")
