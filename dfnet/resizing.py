"""Maps and pictures of any size with little memory: strips, other sizes, some of the pixels."""

import torch
import torch.nn.functional as F
from torch import Tensor

STRIP_PX = 1 << 20


def row_strips(height: int, width: int) -> list[slice]:
    """All rows, in parts of about a megapixel."""
    count = max(1, STRIP_PX // width)
    return [slice(y, min(y + count, height)) for y in range(0, height, count)]


def chosen(values: Tensor, flags: Tensor) -> Tensor:
    """A map's values where flags of its shape are set, (N,), on the CPU.

    PyTorch would list the four coordinates of each place first, in 64 bits.
    """
    return torch.from_numpy(values.cpu().numpy()[flags.cpu().numpy()])


def resize(x: Tensor, size: tuple[int, int], mode: str = "bicubic") -> Tensor:
    """Antialiased when it shrinks (then linear, which does not ring)."""
    if size[0] < x.shape[-2]:
        return F.interpolate(x, size, mode="bilinear", antialias=True)
    return F.interpolate(x, size, mode=mode)


def enlarged_rows(x: Tensor, size: tuple[int, int], rows: slice, mode: str = "bicubic") -> Tensor:
    """Some rows of a map (B, C, h, w) enlarged to a size, as `resize` has them; (B, C, rows, W)."""
    height = x.shape[-2]
    at = (torch.arange(rows.start, rows.stop, dtype=torch.float64) + 0.5) * height / size[0] - 0.5
    at = at if mode == "bicubic" else at.clamp_min(0)
    below = at - at.floor()
    weights = _cubic(below) if mode == "bicubic" else [1 - below, below]
    first = at.floor().long() - (1 if mode == "bicubic" else 0)
    taps = [(first + k).clamp(0, height - 1) for k in range(len(weights))]
    low, high = int(taps[0].min()), int(taps[-1].max()) + 1
    wide = F.interpolate(x[..., low:high, :], (high - low, size[1]), mode=mode)
    parts = zip(taps, weights, strict=True)
    return sum(w.float()[:, None] * wide.index_select(-2, tap - low) for tap, w in parts)


def _cubic(t: Tensor) -> list[Tensor]:
    """Weights of the four pixels around a place (Keys 1981, with PyTorch's parameter)."""
    a = -0.75
    far, near = [
        (lambda u: ((a * u - 5 * a) * u + 8 * a) * u - 4 * a),
        (lambda u: ((a + 2) * u - (a + 3)) * u * u + 1),
    ]
    return [far(1 + t), near(t), near(1 - t), far(2 - t)]
