"""Resampling by a flow. Pixel centres sit at integers, corners aligned."""

import torch
import torch.nn.functional as F
from torch import Tensor


def backward_warp(image_b: Tensor, flow_a_to_b: Tensor, mode: str = "bilinear") -> Tensor:
    """Image b on grid a: the value at p is b's at `p + flow[p]`.

    Args:
        image_b: (B, C, Hb, Wb); its size may differ from a's.
        flow_a_to_b: (B, 2, H, W) as (dx, dy) px, x right, y down.
        mode: `bilinear`, `nearest` or `bicubic`.

    Returns:
        (B, C, H, W); outside b's frame its border is repeated (`inside_frame` tells where).
    """
    if flow_a_to_b.ndim != 4 or flow_a_to_b.shape[1] != 2:
        raise ValueError(f"need a flow (B, 2, H, W), got {tuple(flow_a_to_b.shape)}")
    height_b, width_b = image_b.shape[-2:]
    x, y = _target(flow_a_to_b)
    grid = torch.stack([2 * x / max(width_b - 1, 1) - 1, 2 * y / max(height_b - 1, 1) - 1], dim=-1)
    return F.grid_sample(
        image_b, grid.to(image_b.dtype), mode=mode, padding_mode="border", align_corners=True
    )


def inside_frame(flow_a_to_b: Tensor, shape_b: tuple[int, int]) -> Tensor:
    """Where `p + flow[p]` falls into b's frame (Hb, Wb): bool (B, 1, H, W)."""
    x, y = _target(flow_a_to_b)
    height_b, width_b = shape_b
    inside = (x >= -0.5) & (x <= width_b - 0.5) & (y >= -0.5) & (y <= height_b - 0.5)
    return inside[:, None]


def _target(flow: Tensor) -> tuple[Tensor, Tensor]:
    height, width = flow.shape[-2:]
    x = torch.arange(width, device=flow.device, dtype=flow.dtype)
    y = torch.arange(height, device=flow.device, dtype=flow.dtype)
    return flow[:, 0] + x, flow[:, 1] + y[:, None]
