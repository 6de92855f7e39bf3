"""W's finest detail beside the network's picture: what stays, what goes, what comes back.

It stays where the wish is as sharp as the photo, and goes where more blur is wanted, there and
where that blur spreads. Maps are (1, 1, h, w) signed diameters at the working size.
"""

import torch
from kornia.filters import gaussian_blur2d
from torch import Tensor

from dfnet.blur import disc_blur
from dfnet.nearby import greatest_nearby
from dfnet.resizing import enlarged_rows, resize, row_strips
from dfnet.working import Working

_HALO_PX = 4  # beside a strip: what the largest and the blur behind it reach
_KEEP_UP_TO_PX, _REMOVE_FROM_PX = 0.5, 2.0
_LEFTOVERS_FROM_PX, _NO_LEFTOVERS_FROM_PX = 4.0, 8.0


def remove_leftovers(picture: Tensor, working: Working) -> None:
    """Take pixel-sized texture out of a picture where much blur was added, strip by strip.

    A disc of more than 5 px passes next to nothing above a quarter of a cycle per pixel (its first
    zero lies at 1.22 / diameter), so what the network leaves there is a remnant of W's texture.

    Args:
        picture: (1, 3, h, w), changed in place.
        working: the photo at its size.
    """
    height = picture.shape[-2]
    above = picture[..., :0, :]
    for rows in row_strips(*picture.shape[-2:]):
        around = slice(max(0, rows.start - _HALO_PX), min(height, rows.stop + _HALO_PX))
        seen = torch.cat([above, picture[..., rows.start : around.stop, :]], dim=-2)
        above = picture[..., max(0, rows.stop - _HALO_PX) : rows.stop, :].clone()
        extra_px = _extra_blur_px(*working.diameters_px(around))
        added = _smooth_step(extra_px, _LEFTOVERS_FROM_PX, _NO_LEFTOVERS_FROM_PX)
        if added.any():
            # Two pixels short of anything sharper, whose edges would else be softened on one side.
            inside = 1 - greatest_nearby(1 - added, 5)
            clean = torch.lerp(seen, gaussian_blur2d(seen, 5, (1.0, 1.0)), inside)
            first = rows.start - around.start
            picture[..., rows, :] = clean[..., first : first + rows.stop - rows.start, :]


def keep_high_band(defocus_px: Tensor, target_px: Tensor, scale: float) -> Tensor:
    """Where W's finest detail may stay, 1, and where the wish blurs it away, 0.

    Args:
        defocus_px: signed diameter shown, at the working size, (1, 1, h, w).
        target_px: signed diameter wanted.
        scale: the working scale; the thresholds count W's own pixels.

    Returns:
        (1, 1, h, w) in [0, 1], smooth.
    """
    extra_px = _extra_blur_px(defocus_px, target_px) / scale
    blurred = _smooth_step(extra_px, _KEEP_UP_TO_PX, _REMOVE_FROM_PX)
    return (1 - blurred) * (1 - _veil(target_px, blurred))


def bring_to_full_size(image_w: Tensor, working: Working, picture: Tensor) -> Tensor:
    """W plus the working picture's change, less W's high band where it may not stay.

    Args:
        image_w: W at full size, (1, 3, H, W).
        working: the photo and its maps, reduced.
        picture: the network's, (1, 3, h, w).

    Returns:
        (1, 3, H, W) float32.
    """
    size = tuple(image_w.shape[-2:])
    maps_px = working.diameters_px(slice(0, working.size[0]))
    keep = keep_high_band(*maps_px, working.scale)
    change = picture - working.image_w
    image = torch.empty_like(image_w)
    for rows in row_strips(*size):
        part = image_w[..., rows, :]
        high_band = part - enlarged_rows(working.image_w, size, rows)
        remove = 1 - enlarged_rows(keep, size, rows, "bilinear")
        image[..., rows, :] = part + enlarged_rows(change, size, rows) - remove * high_band
    return image


def _extra_blur_px(defocus_px: Tensor, target_px: Tensor) -> Tensor:
    """The diameter that brings one blur to the other; 0 where the wish is as sharp or sharper."""
    return (target_px.square() - defocus_px.square()).clamp_min(0).sqrt()


def _smooth_step(x: Tensor, start: float, stop: float) -> Tensor:
    rise = ((x - start) / (stop - start)).clamp(0, 1)
    return rise * rise * (3 - 2 * rise)


def _veil(target_px: Tensor, blurred: Tensor) -> Tensor:
    """How much of each pixel the newly blurred things *in front of* the focus come to cover.

    What lies behind the focus spreads only over things yet farther, which are blurred themselves.
    """
    clear = torch.ones_like(blurred)
    diameter_px = 2.0
    while diameter_px <= 2**0.5 * float(target_px.abs().max()):
        here = (-target_px / diameter_px).log2().abs() <= 0.5  # NaN behind the focus: not here
        if here.any():
            clear *= 1 - _spread(blurred * here, diameter_px)
        diameter_px *= 2
    return 1 - clear


def _spread(cover: Tensor, diameter_px: float) -> Tensor:
    """A disc blur at just the size that it needs: wide discs on a reduced map."""
    reduce = max(1.0, diameter_px / 4)
    height, width = cover.shape[-2:]
    size = (max(1, round(height / reduce)), max(1, round(width / reduce)))
    spread = disc_blur(resize(cover, size), diameter_px / reduce)
    return resize(spread, (height, width), "bilinear")
