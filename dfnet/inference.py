"""From a photo, its maps and a wish to the refocused picture, at any size in bounded memory.

The network knows blur up to some diameter, so a strongly blurred photo is reduced until its blur
fits. Only the *change* is brought back to full size and added to W, whose finest detail (its high
band) stays where the wish is as sharp as the photo and goes where more blur is wanted.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dfnet.camera import Camera, frame_of
from dfnet.detail import bring_to_full_size, remove_leftovers
from dfnet.devices import inference_context, pick_device, to_fast_layout
from dfnet.iris import Iris, Opening
from dfnet.preprocess import Preprocessed
from dfnet.resizing import chosen, resize
from dfnet.sample import Sample
from dfnet.tiling import Mosaic, tiles
from dfnet.working import Reach, Working, at_full_size

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
        limits = Reach(float(self.model.trained_coc_px), float(self.model.target_coc_px))
        camera = (cameras or {}).get("wide")
        full = at_full_size(image_w, preprocessed, target_defocus_w_px, camera, limits)
        opening, disc_only = self._opening(iris, image_w.shape[-2:], camera)
        largest = largest_coc_px(full.defocus_w_px, full.target_defocus_w_px, opening)
        scale = min(self.max_scale, working_scale(largest, limits))
        working = full.reduced(scale)
        picture, mask = self._in_tiles(working, opening and opening.scaled(scale))
        remove_leftovers(picture, working)
        image = picture if scale == 1 else bring_to_full_size(image_w[None], working, picture)
        if scale != 1:
            mask = resize(mask, image_w.shape[-2:]).clamp_(0, 1)
        notes = [*_notes(largest, limits), *disc_only]
        return Refocused(image[0].clamp_(0, 1), mask[0], scale, notes)

    def _opening(
        self, iris: Iris | None, size: tuple[int, int], camera: Camera | None
    ) -> tuple[Opening | None, list[str]]:
        """The shape on the photo's grid, as far as the model gives it, and a note where not."""
        if iris is None:
            return None, []
        if not getattr(self.model, "render", False):
            return None, [
                "these weights make the blur with the network itself, which has learned the "
                f"lens's disc only: {iris} is left out"
            ]
        return Opening(iris, frame_of(*size, camera)), []

    def _in_tiles(self, working: Working, opening: Opening | None) -> tuple[Tensor, Tensor]:
        """The network's picture and its finest mask, blended from overlapping tiles."""
        device = pick_device(self.device)
        model = to_fast_layout(self.model, device)
        height, width = working.size
        picture, mask = torch.empty(1, 3, height, width), torch.empty(1, 1, height, width)

        def finish(rows: slice, values: Tensor) -> None:
            inside = slice(max(0, rows.start - FRAME_PX), min(height, rows.stop - FRAME_PX))
            skipped = inside.start + FRAME_PX - rows.start
            values = values[..., skipped : skipped + inside.stop - inside.start, FRAME_PX:-FRAME_PX]
            torch.add(working.image_w[..., inside, :], values[:, :3], out=picture[..., inside, :])
            torch.clamp(values[:, 3:], 0, 1, out=mask[..., inside, :])

        # Convolutions see zeros beyond their input: a mirrored border keeps them off the picture.
        framed = (height + 2 * FRAME_PX, width + 2 * FRAME_PX)
        mosaic = Mosaic(4, framed, finish)
        for rows, columns in self.track(tiles(*framed, self.tile_px)):
            spans = [slice(s.start - FRAME_PX, s.stop - FRAME_PX) for s in (rows, columns)]
            sample = Sample(*(x.to(device) for x in working.piece(*spans)))
            here = opening and opening.from_origin(spans[1].start, spans[0].start)
            with inference_context(device):
                output = model(sample) if here is None else model(sample, here)
            h, w = sample.image_w.shape[-2:]
            seen = output.masks_by_scale[0][..., :h, :w]
            both = torch.cat([output.image - sample.image_w, seen], dim=1)
            mosaic.add(rows, columns, both.float().cpu())
        mosaic.close()
        return picture, mask


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


def largest_coc_px(
    defocus_w_px: Tensor, target_defocus_w_px: Tensor, opening: Opening | None = None
) -> Reach:
    """The largest diameters among the pixels that change, wild ones left out; 0 if none do.

    All blur changes that gets another shape.
    """
    changing = (defocus_w_px - target_defocus_w_px).abs_() > _UNCHANGED_PX
    if opening is not None:
        changing |= target_defocus_w_px.abs() > _UNCHANGED_PX
    if not changing.any():
        return Reach(0.0, 0.0)
    maps = (defocus_w_px, target_defocus_w_px)
    return Reach(*(_largest(chosen(x, changing).abs_()) for x in maps))


def _largest(coc_px: Tensor) -> float:
    some = coc_px[:: coc_px.numel() // 1_000_000 + 1]
    return float(torch.quantile(some, _COC_QUANTILE))


def working_scale(largest: Reach, limits: Reach) -> float:
    """How much to reduce the photo so that its blur is no wider than the network knows."""
    fits = min(limit / max(x, 1e-6) for x, limit in zip(largest, limits, strict=True))
    return min(1.0, max(MIN_WORKING_SCALE, fits))


def _notes(largest: Reach, limits: Reach) -> list[str]:
    notes = []
    for x, limit in zip(largest, limits, strict=True):
        reach_px = limit / MIN_WORKING_SCALE
        if x > reach_px:
            notes.append(f"blur above {reach_px:.0f} px (asked: {x:.0f}) was limited to that")
    return notes
