"""From a photo, its maps and a wish to the refocused picture, at any size in bounded memory.

The network knows blur up to some diameter, so a strongly blurred photo is reduced until its blur
fits. Only the *change* is brought back to full size and added to W, whose finest detail (its high
band) stays where the wish is as sharp as the photo and goes where more blur is wanted.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dfnet.camera import Camera, frame_of, radial_map
from dfnet.detail import bring_to_full_size, resize, without_leftovers
from dfnet.devices import inference_context, pick_device, to_fast_layout
from dfnet.iris import Iris, Opening
from dfnet.preprocess import Preprocessed
from dfnet.sample import Sample
from dfnet.tiling import feather, tiles

MIN_WORKING_SCALE = 1 / 8
TILE_PX = 768
FRAME_PX = 16  # mirrored border around the picture while the network works
_COC_QUANTILE = 0.98  # a few wild pixels of an estimated map must not choose the scale
_UNCHANGED_PX = 0.5


class Refocused(NamedTuple):
    """A finished picture and what is worth knowing of it.

    Attributes:
        image_w: (3, H, W) float32 in [0, 1].
        mask_w: (1, H, W) in [0, 1]; 1 where the finest working detail is W's, 0 where UW's.
        working_scale: the network saw the photo reduced by this factor.
        notes: what was limited, in words for the user.
    """

    image_w: Tensor
    mask_w: Tensor
    working_scale: float
    notes: list[str]


@dataclass
class Refocuser:
    """A network ready for use on one device.

    Attributes:
        model: a `DFNet`, or any module with `trained_coc_px`, `target_coc_px` and the same output;
            shapes other than discs need its `render` to be true.
        device: `auto`, `cpu`, `cuda` or `mps`.
        tile_px: side of the tiles that the network sees; it bounds the memory.
        track: wraps the list of tiles, for a progress bar.
        max_scale: of the photo that the network sees; less than 1 gives a quick preview.
    """

    model: nn.Module
    device: str = "auto"
    tile_px: int = TILE_PX
    track: Callable[[Sequence], Iterable] = iter
    max_scale: float = 1.0

    @torch.no_grad()
    def __call__(
        self,
        image_w: Tensor,
        preprocessed: Preprocessed,
        target_defocus_w_px: Tensor,
        cameras: dict[str, Camera] | None = None,
        iris: Iris | None = None,
    ) -> Refocused:
        """Re-render W with the wanted defocus.

        Args:
            image_w: (3, H, W) in [0, 1].
            preprocessed: of this pair.
            target_defocus_w_px: signed diameter that is wanted [px], (1, H, W).
            cameras: `wide` places the lens's axis in a crop or for a shifted lens.
            iris: the shape of the blur; None is a disc.
        """
        full = full_sample(image_w, preprocessed, target_defocus_w_px, cameras or {})
        limits = Reach(float(self.model.trained_coc_px), float(self.model.target_coc_px))
        opening, disc_only = self._opening(iris, full, (cameras or {}).get("wide"))
        largest = largest_coc_px(full.defocus_w_px, full.target_defocus_w_px, opening)
        scale = min(self.max_scale, working_scale(largest, limits))
        working = resize_sample(full, scale, limits)
        picture, mask = self._in_tiles(working, opening and opening.scaled(scale))
        picture = without_leftovers(picture, working)
        image = picture if scale == 1 else bring_to_full_size(full, working, picture, scale)
        return Refocused(
            image[0].clamp_(0, 1),
            resize(mask, image_w.shape[-2:])[0].clamp_(0, 1),
            scale,
            [*_notes(largest, limits), *disc_only],
        )

    def _opening(
        self, iris: Iris | None, full: Sample, camera: Camera | None
    ) -> tuple[Opening | None, list[str]]:
        """The shape on the photo's grid, as far as the model gives it, and a note where not."""
        if iris is None:
            return None, []
        if not getattr(self.model, "render", False):
            return None, [
                "these weights make the blur with the network itself, which has learned the "
                f"lens's disc only: {iris} is left out"
            ]
        return Opening(iris, frame_of(*full.image_w.shape[-2:], camera)), []

    def _in_tiles(self, working: Sample, opening: Opening | None) -> tuple[Tensor, Tensor]:
        """The network's picture and its finest mask, blended from overlapping tiles."""
        device = pick_device(self.device)
        model = to_fast_layout(self.model, device)
        # Convolutions see zeros beyond their input: a mirrored border keeps them off the picture.
        height, width = (side + 2 * FRAME_PX for side in working.image_w.shape[-2:])
        total = torch.zeros(1, 4, height, width)
        weights = torch.zeros(1, 1, height, width)
        for rows, columns in self.track(tiles(height, width, self.tile_px)):
            sample = Sample(*(_framed(x, rows, columns).to(device) for x in working))
            here = opening and opening.from_origin(columns.start - FRAME_PX, rows.start - FRAME_PX)
            with inference_context(device):
                output = model(sample) if here is None else model(sample, here)
            h, w = sample.image_w.shape[-2:]
            mask = output.masks_by_scale[0][..., :h, :w]
            both = torch.cat([output.image - sample.image_w, mask], dim=1).float().cpu()
            weight = feather(rows, height)[:, None] * feather(columns, width)
            total[..., rows, columns] += weight * both
            weights[..., rows, columns] += weight
        total /= weights
        total = total[..., FRAME_PX:-FRAME_PX, FRAME_PX:-FRAME_PX]
        return working.image_w + total[:, :3], total[:, 3:]


def _framed(x: Tensor, rows: slice, columns: slice) -> Tensor:
    """A tile, counted from `FRAME_PX` above and left of the picture, which is mirrored there."""
    for dimension, span in ((-2, rows), (-1, columns)):
        last = x.shape[dimension] - 1
        places = (torch.arange(span.start, span.stop) - FRAME_PX).abs()
        places = torch.where(places > last, 2 * last - places, places)
        x = x.index_select(dimension, places.clamp(0, last))
    return x


def refocus(
    model: nn.Module,
    image_w: Tensor,
    preprocessed: Preprocessed,
    target_defocus_w_px: Tensor,
    device: str = "auto",
    cameras: dict[str, Camera] | None = None,
) -> Tensor:
    """The picture alone, (3, H, W) in [0, 1]; see `Refocuser`."""
    refocuser = Refocuser(model, device)
    return refocuser(image_w, preprocessed, target_defocus_w_px, cameras).image_w


def full_sample(
    image_w: Tensor,
    preprocessed: Preprocessed,
    target_defocus_w_px: Tensor,
    cameras: dict[str, Camera],
) -> Sample:
    """A batch of one at full size.

    Raises:
        ValueError: a map is not of the photo's size.
    """
    height, width = image_w.shape[-2:]
    parts = {
        "image_w": image_w,
        "uw_on_w": preprocessed.uw_on_w,
        "occluded_w": preprocessed.occluded_w,
        "defocus_w_px": preprocessed.defocus_w_px,
        "target_defocus_w_px": target_defocus_w_px,
        "radial_w": radial_map(height, width, cameras.get("wide")),
    }
    for name, x in parts.items():
        channels = 3 if name in ("image_w", "uw_on_w") else 1
        if x.shape != (channels, height, width):
            raise ValueError(f"need {name} of {(channels, height, width)}, got {tuple(x.shape)}")
    return Sample(**{name: x[None].float() for name, x in parts.items()})


class Reach(NamedTuple):
    """Blur diameters [px]: of the photo, and of the wish."""

    source_px: float
    target_px: float


UNLIMITED = Reach(math.inf, math.inf)


def largest_coc_px(
    defocus_w_px: Tensor, target_defocus_w_px: Tensor, opening: Opening | None = None
) -> Reach:
    """The largest diameters among the pixels that change, wild ones left out; 0 if none do.

    All blur changes that gets another shape.
    """
    changing = (defocus_w_px - target_defocus_w_px).abs() > _UNCHANGED_PX
    if opening is not None:
        changing |= target_defocus_w_px.abs() > _UNCHANGED_PX
    if not changing.any():
        return Reach(0.0, 0.0)
    return Reach(*(_largest(x[changing].abs()) for x in (defocus_w_px, target_defocus_w_px)))


def _largest(coc_px: Tensor) -> float:
    some = coc_px[:: coc_px.numel() // 1_000_000 + 1]
    return float(torch.quantile(some, _COC_QUANTILE))


def working_scale(largest: Reach, limits: Reach) -> float:
    """How much to reduce the photo so that its blur is no wider than the network knows."""
    fits = min(limit / max(x, 1e-6) for x, limit in zip(largest, limits, strict=True))
    return min(1.0, max(MIN_WORKING_SCALE, fits))


def resize_sample(full: Sample, scale: float, limits: Reach) -> Sample:
    """The network's inputs at the working size; diameters scale too and are held in the range."""
    height, width = full.image_w.shape[-2:]
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    small = full if size == (height, width) else Sample(*(resize(x, size) for x in full))
    source_px, target_px = limits
    return small._replace(
        defocus_w_px=(small.defocus_w_px * scale).clamp(-source_px, source_px),
        target_defocus_w_px=(small.target_defocus_w_px * scale).clamp(-target_px, target_px),
    )


def _notes(largest: Reach, limits: Reach) -> list[str]:
    notes = []
    for x, limit in zip(largest, limits, strict=True):
        reach_px = limit / MIN_WORKING_SCALE
        if x > reach_px:
            notes.append(f"blur above {reach_px:.0f} px (asked: {x:.0f}) was limited to that")
    return notes
