"""The convolutional pieces that paths and fusion share: dense 3x3 residual blocks, no norms."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NEGATIVE_SLOPE = 0.1  # plain ReLUs died in a control run at this learning rate


def convolution(in_channels: int, out_channels: int, dilation: int = 1) -> nn.Conv2d:
    """A 3x3 convolution that keeps the size, initialised for leaky ReLUs."""
    layer = nn.Conv2d(in_channels, out_channels, 3, padding=dilation, dilation=dilation)
    nn.init.kaiming_normal_(layer.weight, a=NEGATIVE_SLOPE)
    nn.init.zeros_(layer.bias)
    return layer


def head(in_channels: int, out_channels: int) -> nn.Conv2d:
    """A 3x3 convolution that starts at zero, so that training starts from the unrefined image."""
    layer = nn.Conv2d(in_channels, out_channels, 3, padding=1)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class ResidualBlock(nn.Module):
    """`x + conv(act(conv(act(x))))`; a dilation widens the first convolution (atrous)."""

    def __init__(self, channels: int, dilation: int = 1):
        super().__init__()
        self.widen = convolution(channels, channels, dilation)
        self.mix = convolution(channels, channels)
        with torch.no_grad():
            self.mix.weight.mul_(0.2)  # depth without norms: each block starts as a small change

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        inner = F.leaky_relu(self.widen(F.leaky_relu(x, NEGATIVE_SLOPE)), NEGATIVE_SLOPE)
        return x + self.mix(inner)


def stack(channels: int, dilations: tuple[int, ...]) -> nn.Sequential:
    """Residual blocks one after another."""
    return nn.Sequential(*(ResidualBlock(channels, d) for d in dilations))


class Down(nn.Module):
    """Half the resolution at the new width, by a 2x2 strided convolution."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.project = nn.Conv2d(in_channels, out_channels, 2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', H/2, W/2)."""
        return self.project(x)


class Up(nn.Module):
    """Twice the resolution: a 1x1 convolution to the new width, then bilinear."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.project = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', 2H, 2W)."""
        return double(self.project(x))


def double(x: Tensor) -> Tensor:
    """Bilinear upsampling by 2."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def halve(x: Tensor) -> Tensor:
    """Downsampling by 2 by averaging."""
    return F.avg_pool2d(x, 2)


def sum_of_scales(parts: list[Tensor]) -> Tensor:
    """Parts of halving size, finest first, in one of the finest's size; float32."""
    total = parts[-1].float()
    for finer in reversed(parts[:-1]):
        total = double(total) + finer.float()
    return total
