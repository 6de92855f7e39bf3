"""How far a guess of clipped light is off, learned from the renderer's light itself."""

import torch
import torch.nn.functional as F
from torch import Tensor

from dfnet.model.blocks import double
from dfnet.model.highlights import Highlights

_CLIPPED_SHARE = 0.03  # of a picture, typically: pictures count by how much of them is clipped


def highlight_misfit(found: Highlights | None, true: Tensor) -> Tensor:
    """Square error of the logarithm of how bright clipped channels were, a scalar.

    Its sum over what is clipped, by the share that typically is.

    Args:
        found: see `DFNetOutput`; None costs nothing.
        true: (B, 3, H, W) light beyond white, see `TrainingBatch`; what is not finite is left out.
    """
    if found is None:
        return true.new_zeros(())
    height, width = found.clipped.shape[-2:]
    true = F.pad(true, (0, width - true.shape[-1], 0, height - true.shape[-2]), value=torch.nan)
    known = true.isfinite()
    off = double(found.log_gain) - torch.log1p(true.nan_to_num())
    total = (off.square() * found.clipped * known).sum()
    return total / (_CLIPPED_SHARE * known.sum()).clamp_min(1.0)
