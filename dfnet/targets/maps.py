"""Pure functions on signed defocus maps (1, H, W), circle-of-confusion diameters in pixels.

A focus shift moves the sharp plane, and as defocus is linear in disparity it adds one constant to
the whole signed map; an aperture change multiplies the map; a tilted plane of focus, whose
disparity is linear in the picture's coordinates, adds a plane.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from dfnet.errors import InputError

CLICK_OF_DIAGONAL = 0.004  # half the side of the window that a click reads, 20 px of a 12 MP photo
MIN_TRIANGLE_OF_DIAGONAL = 0.02  # height of the flattest triangle that says how a plane lies

Point = tuple[float, float]


def all_in_focus(defocus_w_px: Tensor) -> Tensor:
    """No blur anywhere, (1, H, W)."""
    return torch.zeros_like(defocus_w_px)


def value_at(defocus_w_px: Tensor, point: Point) -> float:
    """The map's value around a click [px]: the median of a small window, as maps are noisy.

    Args:
        defocus_w_px: (1, H, W).
        point: (x, y) in the map's pixels, within the picture.
    """
    height, width = defocus_w_px.shape[-2:]
    radius = max(2, round(CLICK_OF_DIAGONAL * math.hypot(height, width)))
    column, row = min(max(round(point[0]), 0), width - 1), min(max(round(point[1]), 0), height - 1)
    window = defocus_w_px[
        ...,
        max(0, row - radius) : row + radius + 1,
        max(0, column - radius) : column + radius + 1,
    ]
    return float(window.median())


def refocus_at(defocus_w_px: Tensor, point: Point) -> Tensor:
    """The same lens focused on what is seen at `point`: zero around it, (1, H, W)."""
    return defocus_w_px - value_at(defocus_w_px, point)


def aperture(defocus_w_px: Tensor, scale: float) -> Tensor:
    """The same focus with an aperture `scale` times as wide, (1, H, W)."""
    return defocus_w_px * scale


def slab(defocus_w_px: Tensor, low_px: float, high_px: float, softness_px: float = 0.0) -> Tensor:
    """Everything between two values is sharp; beyond them blur grows as it did before.

    Args:
        defocus_w_px: (1, H, W).
        low_px: the near end of what shall be sharp.
        high_px: the far end.
        softness_px: how much blur it takes beyond an end until blur grows at its full rate; it
            starts with no kink, and is half of this less in the end.
    """
    beyond = _shoulder((defocus_w_px - high_px).clamp_min(0), softness_px)
    nearer = _shoulder((low_px - defocus_w_px).clamp_min(0), softness_px)
    return beyond - nearer


def plane_through(defocus_w_px: Tensor, points: Sequence[Point]) -> Tensor:
    """A tilted lens: sharp on the plane in space that three points of the scene span.

    The disparity of a plane in space is linear in the picture's coordinates, so the plane through
    the three signed values is what to take off (Scheimpflug).

    Raises:
        InputError: the points lie almost on one line.
    """
    height, width = defocus_w_px.shape[-2:]
    (x1, y1), (x2, y2), (x3, y3) = points
    twice_area = abs((x2 - x1) * (y3 - y1) - (x3 - x1) * (y2 - y1))
    longest = max(math.dist(points[i], points[i - 1]) for i in range(3))
    if twice_area < MIN_TRIANGLE_OF_DIAGONAL * math.hypot(height, width) * max(longest, 1.0):
        raise InputError(
            "plane: the three points lie almost on one line\n"
            "  They say how the plane of focus lies; spread them over the picture."
        )
    corners = torch.tensor([[x, y, 1.0] for x, y in points], dtype=torch.float64)
    values = torch.tensor([value_at(defocus_w_px, p) for p in points], dtype=torch.float64)
    along_x, along_y, offset = torch.linalg.solve(corners, values).tolist()
    x, y = _coordinates(height, width)
    return defocus_w_px - (along_x * x + (along_y * y + offset))


def split(defocus_w_px: Tensor, points: Sequence[Point], feather_px: float) -> Tensor:
    """A split dioptre: each of two points is sharp on its side of the picture.

    The line half way between the two divides it; there the focus goes from one to the other.

    Args:
        defocus_w_px: (1, H, W).
        points: two.
        feather_px: width of the transition [px].

    Raises:
        InputError: the two points are one.
    """
    (x1, y1), (x2, y2) = points
    apart = math.dist(*points)
    if apart < 1:
        raise InputError("split_focus: the two points are one\n  Give one for each side.")
    x, y = _coordinates(*defocus_w_px.shape[-2:])
    across = ((x2 - x1) * (x - (x1 + x2) / 2) + (y2 - y1) * (y - (y1 + y2) / 2)) / apart
    share = _smooth_step(across / max(feather_px, 1e-3) + 0.5)
    first, second = (value_at(defocus_w_px, p) for p in points)
    return defocus_w_px - (first + (second - first) * share)


def tilt_shift(
    shape: tuple[int, int], point: Point, angle_deg: float, widths_px: tuple[float, float]
) -> Tensor:
    """The look of a tilted lens that heeds no depth: a sharp band, and blur that grows beside it.

    Args:
        shape: (H, W).
        point: (x, y) on the band's middle line.
        angle_deg: of the line, 0 is level; with growing angles it turns clockwise.
        widths_px: of the sharp band, and of the growth on each side.

    Returns:
        (1, H, W) from -1 to 1: what lies below the line counts as near, and is negative.
    """
    band_px, fade_px = widths_px
    angle = math.radians(angle_deg)
    x, y = _coordinates(*shape)
    below = (y - point[1]) * math.cos(angle) - (x - point[0]) * math.sin(angle)
    growth = ((below.abs() - band_px / 2) / max(fade_px, 1e-3)).clamp(0, 1)
    return (-below.sign() * growth)[None]


def _coordinates(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Of all pixels: x (1, W) and y (H, 1)."""
    x = torch.arange(width, dtype=torch.float32)
    return x[None], torch.arange(height, dtype=torch.float32)[:, None]


def _shoulder(u: Tensor, softness_px: float) -> Tensor:
    """From 0 with slope 0 to slope 1 at `softness_px`, and on."""
    if softness_px <= 0:
        return u
    return torch.where(u < softness_px, u * u / (2 * softness_px), u - softness_px / 2)


def _smooth_step(x: Tensor) -> Tensor:
    x = x.clamp(0, 1)
    return x * x * (3 - 2 * x)
