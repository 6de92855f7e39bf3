"""DFNet, the detail fusion network of DC² (Alzayer et al., CVPR 2023, section 3.3)."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from dfnet.errors import InputError
from dfnet.iris import Opening
from dfnet.layers import blur_photo_in_layers
from dfnet.model.alignment import GuideAlignment
from dfnet.model.beyond_white import BeyondWhite
from dfnet.model.blocks import double, halve
from dfnet.model.change import change_weight
from dfnet.model.finish import Finish, blur_weight
from dfnet.model.fusion import Fusion
from dfnet.model.highlights import HighlightFinder, Highlights
from dfnet.model.lamps import LampFinder, Lamps
from dfnet.model.maps import check_withheld, encode_maps, withhold
from dfnet.model.refinement import MAP_CHANNELS, RefinementPath, level_widths
from dfnet.model.released import weights_folder
from dfnet.model.saving import Saved
from dfnet.sample import Sample
from dfnet.warp import backward_warp

SCALES = 4
RENDERED_COC_PX = 64.0  # wide blur reaches as far as tiles overlap
_MULTIPLE = 2**SCALES


class DFNetOutput(NamedTuple):
    """What the network makes of a batch.

    Attributes:
        image: (B, 3, H, W) float32, W re-rendered with the target defocus; not clipped.
        images_by_scale: the blend at full, 1/2, 1/4 and 1/8 size, before W is kept where nothing
            changes; padded to a multiple of 16.
        masks_by_scale: (B, 1, ...) in [0, 1] at the same sizes; 1 takes W's detail, 0 UW's.
        guide_motions_px: (B, 2, H, W), padded alike, how far the guide was moved (from where on the
            given guide each pixel was taken), coarse and fine; empty where it was not.
        lamps: what was taken for lamps in the sharp picture, padded alike; None where none were
            looked for.
        highlights: how bright the rest of what the sharp picture clips was taken to be, padded
            alike; None where it was not guessed.
    """

    image: Tensor
    images_by_scale: list[Tensor]
    masks_by_scale: list[Tensor]
    guide_motions_px: Sequence[Tensor] = ()
    lamps: Lamps | None = None
    highlights: Highlights | None = None


class Fused(NamedTuple):
    """What the paths and their fusion make of a batch; sizes are padded to a multiple of 16.

    Attributes:
        images_by_scale: the blend at full, 1/2, 1/4 and 1/8 size.
        masks_by_scale: (B, 1, ...) in [0, 1] at the same sizes; 1 takes W's detail, 0 UW's.
        guide_motions_px: see `DFNetOutput`.
    """

    images_by_scale: list[Tensor]
    masks_by_scale: list[Tensor]
    guide_motions_px: list[Tensor]


class DFNet(Saved):
    """W refined from W, UW refined from UW, a blend of the two at every scale, and blur.

    Neither refinement path sees the other's image; only the fusion sees both. The blend is that of
    Laplacian pyramids (Burt and Adelson, "A multiresolution spline", 1983): each octave of detail
    has its own mask, so low frequencies can come from W and high ones from UW.

    With `render` the blend is all in focus whatever is asked, and the wanted blur is then rendered
    in layers, with `lamps` and `highlights` as bright as they were before a photo clipped them, and
    with `finish` lightly mended; else the paths are told what is wanted and give it, as in DC².

    Args:
        width: channels at half resolution; doubled at each coarser level, up to `widest`.
        blocks: residual blocks per level, in each half of each path and in the fusion.
        trained_coc_px: the largest blur diameter the weights have learned; kept with them.
        use_guide: False blinds the network to UW, for the control experiment.
        align: whether the guide is aligned once more, by learned features.
        render: whether the wanted blur is rendered after the fusion.
        finish: whether a small network mends what was rendered.
        lamps: whether a small network tells the renderer which white spots are lamps.
        highlights: whether a small network tells it how bright windows and the like were.
        widest: channels of the coarsest levels, at most so many times `width`.
        paths: 2; 1, for an ablation, refines W by a path that sees both images, and leaves UW as it
            is.
        withheld: inputs that the network is not told, for ablations, see `dfnet.model.maps`; where
            W is kept is decided with them all the same.

    Raises:
        InputError: another number of paths, or an input that cannot be withheld.

    Attributes:
        target_coc_px: the largest blur diameter that it can give.
    """

    def __init__(
        self,
        width: int = 32,
        blocks: int = 1,
        trained_coc_px: float = 32.0,
        use_guide: bool = True,
        align: bool = False,
        render: bool = False,
        finish: bool = False,
        lamps: bool = False,
        highlights: bool = False,
        widest: int = 6,
        paths: int = 2,
        withheld: Sequence[str] = (),
    ):
        super().__init__()
        self.config = {
            "width": width,
            "blocks": blocks,
            "trained_coc_px": trained_coc_px,
            "use_guide": use_guide,
            "align": align,
            "render": render,
            "finish": finish,
            "lamps": lamps,
            "highlights": highlights,
            "widest": widest,
            "paths": paths,
            "withheld": list(withheld),
        }
        if paths not in (1, 2):
            raise InputError(
                f"model.paths={paths}: no such number of refinement paths\n  Use 2 or 1."
            )
        self.trained_coc_px, self.render = trained_coc_px, render
        self.target_coc_px = RENDERED_COC_PX if render else trained_coc_px
        self.use_guide, self.withheld = use_guide, check_withheld(withheld)
        self.align = GuideAlignment(MAP_CHANNELS) if align and use_guide else None
        widths = level_widths(width, SCALES, widest)
        self.refine_w = RefinementPath(widths, blocks, image_channels=3 if paths == 2 else 6)
        self.refine_uw = RefinementPath(widths, blocks) if paths == 2 else None
        self.fuse = Fusion(widths, blocks)
        self.lamps = LampFinder(width // 2, blocks) if render and lamps else None
        self.highlights = HighlightFinder(width // 2, blocks) if render and highlights else None
        self.finish = Finish(width // 2, blocks) if render and finish else None

    def forward(self, sample: Sample, opening: Opening | None = None) -> DFNetOutput:
        """Re-render W with the target defocus; any height and width.

        Args:
            sample: maps and photos.
            opening: the shape of the blur, with `render`; what the network itself makes is the
                lens's disc. None is a disc.
        """
        height, width = sample.image_w.shape[-2:]
        padded = Sample(*(pad_to_multiple(x.float()) for x in sample))
        target = padded.target_defocus_w_px
        asked = torch.zeros_like(target) if self.render else target
        fused = self._fused(padded._replace(target_defocus_w_px=asked))
        # From here on in float32: bfloat16 has 8 bits, too few for a smooth sky.
        with torch.autocast(sample.image_w.device.type, enabled=False):
            image = _keep_w(padded, asked, fused.images_by_scale[0])
        images, beyond_white = fused.images_by_scale, BeyondWhite()
        if self.render and bool(target.any()):
            beyond_white = self._beyond_white(padded, image)
            sharp, image = image, self._blurred(padded, image, beyond_white.light(), opening)
            images = [i + s for i, s in zip(images, pyramid(image - sharp), strict=True)]
        return DFNetOutput(
            image[..., :height, :width],
            images,
            fused.masks_by_scale,
            fused.guide_motions_px,
            *beyond_white,
        )

    def _fused(self, sample: Sample) -> Fused:
        """The blend with the sample's target."""
        uw_on_w, occluded_w = sample.uw_on_w, sample.occluded_w
        if not self.use_guide:
            uw_on_w, occluded_w = torch.zeros_like(uw_on_w), torch.ones_like(occluded_w)
        told = withhold(sample._replace(occluded_w=occluded_w), self.withheld)
        maps = encode_maps(told)
        motions = [] if self.align is None else self.align(sample.image_w, uw_on_w, maps)
        if motions:
            uw_on_w = backward_warp(uw_on_w, motions[-1])

        if self.refine_uw is None:
            both = torch.cat([sample.image_w, uw_on_w], dim=1)
            residuals_w, features_w = self.refine_w(both, maps)
            residuals_uw, features_uw = None, features_w
        else:
            residuals_w, features_w = self.refine_w(sample.image_w, maps)
            residuals_uw, features_uw = self.refine_uw(uw_on_w, maps)
        mask_logits, corrections = self.fuse(features_w, features_uw)

        with torch.autocast(uw_on_w.device.type, enabled=False):
            refined_w = _add(pyramid(sample.image_w), residuals_w)
            refined_uw = pyramid(uw_on_w)
            if residuals_uw is not None:
                refined_uw = _add(refined_uw, residuals_uw)
            masks = [torch.sigmoid(m.float()) for m in mask_logits]
            images = blend(refined_w, refined_uw, masks, corrections)
        return Fused(images, masks, motions)

    def _beyond_white(self, sample: Sample, sharp: Tensor) -> BeyondWhite:
        """What the all-in-focus picture clips; it does not depend on the blur that is wanted."""
        asked = torch.zeros_like(sample.target_defocus_w_px)
        told = withhold(sample._replace(target_defocus_w_px=asked), self.withheld)
        seen = sample.image_w, sharp, encode_maps(told)
        return BeyondWhite(*(part and part(*seen) for part in (self.lamps, self.highlights)))

    def _blurred(
        self,
        sample: Sample,
        sharp: Tensor,
        beyond_white: Tensor | None,
        opening: Opening | None,
    ) -> Tensor:
        """The all-in-focus picture with the sample's target blur.

        What shall be blurred into another shape than W's disc is never left as W has it, and
        `finish`, which has seen discs only, does not mend it.
        """
        target = sample.target_defocus_w_px
        device = sharp.device.type
        with torch.autocast(device, enabled=False):
            rendered = blur_photo_in_layers(sharp, target, opening, beyond_white)
        if self.finish is not None and opening is None:
            told = withhold(sample, self.withheld)
            rendered = self.finish(sample.image_w, sharp, rendered, encode_maps(told), target)
        with torch.autocast(device, enabled=False):
            if opening is None:
                image = torch.lerp(sharp, rendered, blur_weight(target))
                return _keep_w(sample, target, image)
            blurred = blur_weight(target * opening.iris.reach)
            image = torch.lerp(sharp, rendered, blurred)
            changed = torch.maximum(change_weight(sample.defocus_w_px, target), blurred)
            return torch.lerp(sample.image_w, image, changed)

    @classmethod
    def from_pretrained(cls, folder: Path | str | None = None) -> "DFNet":
        """Rebuild a saved network, ready for use; the released one by default.

        Args:
            folder: of weights, or a released network's name.

        Raises:
            InputError: the folder lacks its two files or they do not belong together.
        """
        return super().from_pretrained(weights_folder(folder))


def pyramid(image: Tensor) -> list[Tensor]:
    """The image at full, 1/2, 1/4 and 1/8 size."""
    images = [image]
    while len(images) < SCALES:
        images.append(halve(images[-1]))
    return images


def blend(
    refined_w: list[Tensor],
    refined_uw: list[Tensor],
    masks: list[Tensor],
    corrections: list[Tensor],
) -> list[Tensor]:
    """Blend two pyramids octave by octave, coarse to fine.

    Args:
        refined_w: images at full, 1/2, 1/4, 1/8 size.
        refined_uw: same shapes.
        masks: (B, 1, ...) per scale, 1 takes W.
        corrections: what the fusion adds per scale.

    Returns:
        The blended image at each scale, finest first.
    """
    coarsest = len(masks) - 1
    image = masks[coarsest] * refined_w[coarsest] + (1 - masks[coarsest]) * refined_uw[coarsest]
    image = image + corrections[coarsest].float()
    images = [image]
    for k in reversed(range(coarsest)):
        detail_w = refined_w[k] - double(refined_w[k + 1])
        detail_uw = refined_uw[k] - double(refined_uw[k + 1])
        detail = masks[k] * detail_w + (1 - masks[k]) * detail_uw + corrections[k].float()
        image = double(image) + detail
        images.insert(0, image)
    return images


def _keep_w(sample: Sample, target_px: Tensor, image: Tensor) -> Tensor:
    """The image where defocus is to change, W elsewhere."""
    weight = change_weight(sample.defocus_w_px, target_px)
    return sample.image_w + weight * (image - sample.image_w)


def _add(images: list[Tensor], residuals: list[Tensor]) -> list[Tensor]:
    return [i + r.float() for i, r in zip(images, residuals, strict=True)]


def pad_to_multiple(x: Tensor) -> Tensor:
    """Borders repeated until the sides are multiples of the coarsest pixel."""
    bottom, right = -x.shape[-2] % _MULTIPLE, -x.shape[-1] % _MULTIPLE
    return F.pad(x, (0, right, 0, bottom), mode="replicate")
