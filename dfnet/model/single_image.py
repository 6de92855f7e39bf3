"""The single-image peer: deblurs W from W alone, without guide, map or wish.

After the description of DRBNet (Ruan et al., "Learning to deblur using light field generated and
real defocus images", CVPR 2022): an encoder-decoder that works from coarse to fine, and at every
scale predicts for each pixel a filter of its own and a residual. Written anew from that
description, with this project's blocks; it shares no code with the authors' and is not their
network in detail.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dfnet.model.blocks import double, head
from dfnet.model.dfnet import SCALES, DFNetOutput, pad_to_multiple, pyramid
from dfnet.model.refinement import MAP_CHANNELS, RefinementPath, level_widths
from dfnet.model.saving import Saved
from dfnet.sample import Sample


class SingleImageNet(Saved):
    """All in focus from one photo.

    Args:
        width: channels at half resolution; doubled at each coarser level.
        blocks: residual blocks per level, in the encoder and again in the decoder.
        filter_px: side of the predicted filters, odd.
        trained_coc_px: the largest blur diameter the weights have learned; kept with them.
    """

    use_guide = False

    def __init__(
        self, width: int = 32, blocks: int = 1, filter_px: int = 5, trained_coc_px: float = 32.0
    ):
        super().__init__()
        self.config = {
            "width": width,
            "blocks": blocks,
            "filter_px": filter_px,
            "trained_coc_px": trained_coc_px,
        }
        self.filter_px = filter_px
        self.trained_coc_px = self.target_coc_px = trained_coc_px
        widths = level_widths(width, SCALES)
        self.path = RefinementPath(widths, blocks)
        self.filter_heads = nn.ModuleList(head(w, 4 * filter_px**2) for w in widths)

    def forward(self, sample: Sample) -> DFNetOutput:
        """Deblur `sample.image_w`, of any height and width; nothing else of the sample is used."""
        height, width = sample.image_w.shape[-2:]
        image_w = pad_to_multiple(sample.image_w.float())
        no_maps = image_w.new_zeros(image_w.shape[0], MAP_CHANNELS, *image_w.shape[-2:])
        residuals, features = self.path(image_w, no_maps)
        filters = [h(f) for h, f in zip(self.filter_heads, features, strict=True)]

        with torch.autocast(image_w.device.type, enabled=False):
            photos = pyramid(image_w)
            images: list[Tensor] = []
            for k in reversed(range(SCALES)):
                start = photos[k]
                if images:  # with what the coarser scale has changed
                    start = start + double(images[0] - photos[k + 1])
                # Many taps add up: each is kept small, or the first steps of training overshoot.
                taps = F.pixel_shuffle(filters[k].float(), 2) / self.filter_px**2
                images.insert(0, start + filtered(start, taps) + residuals[k].float())
        masks = [torch.ones_like(image[:, :1]) for image in images]  # all is W's
        return DFNetOutput(images[0][..., :height, :width], images, masks)


def filtered(image: Tensor, filters: Tensor) -> Tensor:
    """Each pixel's own filter on its surroundings.

    Args:
        image: (B, C, H, W); borders are repeated.
        filters: (B, K * K, H, W), row by row.

    Returns:
        (B, C, H, W).
    """
    size = round(filters.shape[1] ** 0.5)
    height, width = image.shape[-2:]
    padded = F.pad(image, [size // 2] * 4, mode="replicate")
    total = torch.zeros_like(image)
    for tap in range(size * size):  # one after the other: unfolding would take K² times the memory
        row, column = divmod(tap, size)
        shifted = padded[..., row : row + height, column : column + width]
        total = total + filters[:, tap : tap + 1] * shifted
    return total
