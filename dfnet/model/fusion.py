"""The fusion: both paths' features in, a blending mask at every scale out."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dfnet.model.blocks import Up, convolution, double, head, stack

_ATROUS = (1, 2, 3)


class Fusion(nn.Module):
    """Coarse to fine, with atrous convolutions for reach (Φ_fusion of DC²).

    Each scale refines the coarser scale's mask by a residual, and may correct what no blend of the
    two images gives (the guide's remaining misalignment, holes of both).

    Args:
        widths: channels of the paths at each level, half resolution first.
        blocks: residual blocks per level.
    """

    def __init__(self, widths: list[int], blocks: int):
        super().__init__()
        dilations = tuple(_ATROUS[i % len(_ATROUS)] for i in range(1, blocks + 1))
        self.joins = nn.ModuleList(convolution(2 * w, w) for w in widths)
        self.ups = nn.ModuleList(map(Up, widths[1:], widths[:-1]))
        self.bodies = nn.ModuleList(stack(w, dilations) for w in widths)
        self.mask_heads = nn.ModuleList(head(w, 4) for w in widths)
        self.correction_heads = nn.ModuleList(head(w, 12) for w in widths)

    def forward(
        self, features_w: list[Tensor], features_uw: list[Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Mask logits (B, 1, H/2^k, W/2^k) and corrections (B, 3, ...), finest first."""
        logits: list[Tensor] = []
        corrections: list[Tensor] = []
        state: Tensor | None = None
        for k in reversed(range(len(self.joins))):
            x = self.joins[k](torch.cat([features_w[k], features_uw[k]], dim=1))
            state = self.bodies[k](x if state is None else x + self.ups[k](state))
            logit = F.pixel_shuffle(self.mask_heads[k](state), 2)
            logits.insert(0, logit if not logits else logit + double(logits[0]))
            corrections.insert(0, F.pixel_shuffle(self.correction_heads[k](state), 2))
        return logits, corrections
