"""A refinement path: one camera's image and the maps in, residuals at every scale out."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dfnet.model.blocks import Down, Up, convolution, head, stack

MAP_CHANNELS = 6


class RefinementPath(nn.Module):
    """An encoder-decoder over one image (Φ_W or Φ_UW of DC²).

    It works at half resolution and coarser, and its heads write each scale by pixel shuffling:
    dense convolutions at full resolution would cost most and add least.

    Args:
        widths: channels of each feature level, half resolution first; one level per image scale.
        blocks: residual blocks per level, in the encoder and again in the decoder.
        image_channels: of what it looks at.
        out_channels: of each residual.
    """

    def __init__(
        self, widths: list[int], blocks: int, image_channels: int = 3, out_channels: int = 3
    ):
        super().__init__()
        dilations = (1,) * blocks
        self.stem = convolution(4 * (image_channels + MAP_CHANNELS), widths[0])
        self.encoders = nn.ModuleList(stack(w, dilations) for w in widths)
        self.downs = nn.ModuleList(map(Down, widths[:-1], widths[1:]))
        self.ups = nn.ModuleList(map(Up, widths[1:], widths[:-1]))
        self.decoders = nn.ModuleList(stack(w, dilations) for w in widths)
        self.heads = nn.ModuleList(head(w, 4 * out_channels) for w in widths)

    def forward(self, image: Tensor, maps: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Residuals and features, finest first.

        Args:
            image: (B, 3, H, W), sides multiples of 2^levels.
            maps: (B, 6, H, W), see `encode_maps`.

        Returns:
            Residuals (B, out_channels, H/2^k, W/2^k) and features (B, C_k, H/2^(k+1), W/2^(k+1)).
        """
        x = self.stem(F.pixel_unshuffle(torch.cat([image - 0.5, maps], dim=1), 2))
        encoded = []
        for k, encoder in enumerate(self.encoders):
            x = encoder(x if k == 0 else self.downs[k - 1](x))
            encoded.append(x)
        features = [self.decoders[-1](encoded[-1])]
        for k in reversed(range(len(self.ups))):
            features.insert(0, self.decoders[k](encoded[k] + self.ups[k](features[0])))
        residuals = [F.pixel_shuffle(h(f), 2) for h, f in zip(self.heads, features, strict=True)]
        return residuals, features


def level_widths(width: int, scales: int, widest: int = 6) -> list[int]:
    """Channels per level: doubled at each coarser one, at most `widest` times the finest."""
    return [min(width * 2**k, widest * width) for k in range(scales)]
