"""The shape of blur: a point of light out of focus is a picture of the lens's opening.

A polygon is the opening between the blades of an iris, of the same area as the disc of the stated
diameter: that is how f-numbers count openings that are not round (ISO 517). A cat's eye is a disc
that the lens's front rim cuts, the more the farther from the frame's centre. What is nearer than
the focus shows the opening turned by half a turn.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from scipy.fft import next_fast_len
from torch import Tensor

from dfnet.blur import blurred_by, with_border
from dfnet.camera import Frame

SCANLINES = 32  # per pixel; along each the opening's width is exact
CUT_AT_CORNER = 1.0  # radii by which the front rim has moved there, at full strength
FARTHEST_SHIFT = 1.5  # radii; two discs 2 radii apart have nothing in common
_NODES_TO_CORNER, _LEAST_STEP_PX = 12, 16  # between which kernels are mixed
_PARALLEL = 1e-9


class PolygonIris(NamedTuple):
    """A regular polygon.

    Attributes:
        blades: its number of sides.
        rotation_deg: 0 has a corner at the top of what is blurred behind the focus; growing angles
            turn it clockwise.
    """

    blades: int
    rotation_deg: float = 0.0

    def __str__(self) -> str:
        return f"a polygon of {self.blades} sides"

    @property
    def reach(self) -> float:
        """How far its corners lie from the centre, in radii of the disc of the same area."""
        turn = 2 * math.pi / self.blades
        return math.sqrt(turn / math.sin(turn))


class CatEyeIris(NamedTuple):
    """A disc, cut on the side away from the frame's centre (behind the focus).

    Attributes:
        strength: 0 to 1; with 1 it is half as wide as the disc in the frame's corner. The disc
            keeps the stated diameter, and a cut one its light, but for the part that blur's radius
            is of the way to the corner: one colour stays one colour.
    """

    strength: float

    def __str__(self) -> str:
        return f"a cat's eye of strength {self.strength:g}"

    @property
    def reach(self) -> float:
        """How far it reaches from the disc's centre, in radii."""
        return 1.0


Iris = PolygonIris | CatEyeIris


class Opening(NamedTuple):
    """A lens's opening, and where on the grid its axis is.

    Attributes:
        iris: the shape.
        frame: of the grid at hand.
    """

    iris: Iris
    frame: Frame

    def scaled(self, factor: float) -> "Opening":
        """On the grid resized by `factor`."""
        return self._replace(frame=self.frame.scaled(factor))

    def from_origin(self, x_px: float, y_px: float) -> "Opening":
        """On the grid whose first pixel is this grid's (x, y)."""
        return self._replace(frame=self.frame.from_origin(x_px, y_px))


def polygon_kernel(diameter_px: float, iris: PolygonIris) -> Tensor:
    """A uniform polygon, each tap the share of its pixel that it covers.

    Args:
        diameter_px: of the disc of the same area; up to one pixel the kernel is the identity.
        iris: the shape, as seen behind the focus.

    Returns:
        (K, K) float32, K odd, sum 1.
    """
    if diameter_px <= 1:
        return torch.ones(1, 1)
    corner_px = iris.reach * diameter_px / 2
    reach = math.ceil(corner_px - 0.5)
    y = _scanlines(reach)
    left, right = torch.full_like(y, -math.inf), torch.full_like(y, math.inf)
    side_px = corner_px * math.cos(math.pi / iris.blades)
    for blade in range(iris.blades):
        turns = (blade + 0.5) / iris.blades + iris.rotation_deg / 360 - 0.25
        across, down = math.cos(math.tau * turns), math.sin(math.tau * turns)
        if abs(across) < _PARALLEL:
            right = torch.where(down * y > side_px, left, right)
        elif across > 0:
            right = torch.minimum(right, (side_px - down * y) / across)
        else:
            left = torch.maximum(left, (side_px - down * y) / across)
    return _covered(left, right, reach)


def cat_eye_kernels(diameter_px: float, shift_x: Tensor, shift_y: Tensor) -> Tensor:
    """Discs, each cut by a second one as large.

    Args:
        diameter_px: of both; up to one pixel the kernels are the identity.
        shift_x: (N,) centre of the second from the first's, in radii; both are shortened to
            `FARTHEST_SHIFT`, so that something is left.
        shift_y: (N,) the same, down.

    Returns:
        (N, K, K) float32, K odd, each of sum 1.
    """
    if diameter_px <= 1:
        return torch.ones(len(shift_x), 1, 1)
    far = torch.hypot(shift_x, shift_y).clamp_min(FARTHEST_SHIFT) / FARTHEST_SHIFT
    shift_x, shift_y = shift_x / far, shift_y / far
    radius_px = diameter_px / 2
    reach = math.ceil(radius_px - 0.5)
    y = _scanlines(reach)
    x2, y2 = (radius_px * shift.double()[:, None] for shift in (shift_x, shift_y))
    half, half2 = ((radius_px**2 - at**2).clamp_min(0).sqrt() for at in (y, y - y2))
    lit = (y - y2).abs() < radius_px
    left, right = torch.maximum(-half, x2 - half2), torch.minimum(half, x2 + half2)
    return _covered(left, torch.where(lit, right, left), reach)


def opening_blur(image_linear: Tensor, defocus_px: float, opening: Opening) -> Tensor:
    """Blur linear light by an opening's picture; borders are reflected.

    Args:
        image_linear: (B, C, H, W) in linear light.
        defocus_px: signed diameter, negative nearer than the focus.
        opening: with the frame of this grid.

    Returns:
        Same shape.
    """
    if isinstance(opening.iris, PolygonIris):
        kernel = polygon_kernel(abs(defocus_px), opening.iris).to(image_linear)
        return blurred_by(image_linear, kernel.flip(0, 1) if defocus_px < 0 else kernel)
    return _cat_eye_blur(image_linear, defocus_px, opening)


def _scanlines(reach: int) -> Tensor:
    """Their places, float64."""
    count = (2 * reach + 1) * SCANLINES
    return (torch.arange(count, dtype=torch.float64) + 0.5) / SCANLINES - (reach + 0.5)


def _covered(left: Tensor, right: Tensor, reach: int) -> Tensor:
    """The share of each pixel between the ends of scanlines (..., L), as kernels (..., K, K)."""
    columns = torch.arange(-reach, reach + 1, dtype=torch.float64)
    ends = torch.minimum(right[..., None], columns + 0.5)
    width = (ends - torch.maximum(left[..., None], columns - 0.5)).clamp_min(0)
    kernel = width.unflatten(-2, (2 * reach + 1, SCANLINES)).mean(-2)
    return (kernel / kernel.sum((-2, -1), keepdim=True)).float()


def _cat_eye_blur(image: Tensor, defocus_px: float, opening: Opening) -> Tensor:
    """Kernels that change over the picture: exact at nodes, mixed linearly between them.

    One row of nodes at a time bounds the memory (Hirsch et al., "Efficient filter flow", 2010).
    """
    frame, (height, width) = opening.frame, image.shape[-2:]
    reach = math.ceil(max(abs(defocus_px), 1.0) / 2 - 0.5)
    if reach == 0:
        return image
    step = max(_LEAST_STEP_PX, round(frame.corner_px / _NODES_TO_CORNER))
    rows, columns = (math.ceil((side - 1) / step) + 1 for side in (height, width))
    padded = F.pad(with_border(image, reach), _beyond(height, width, rows, columns, step))
    # The front rim is seen moved towards the frame's centre, before the focus away from it.
    cut = -CUT_AT_CORNER * opening.iris.strength * math.copysign(1, defocus_px) / frame.corner_px
    shift_x = cut * (torch.arange(columns) * step - frame.x_px)
    ramp = 1 - (torch.arange(-step, step) / step).abs().to(image)
    size = 2 * step + 2 * reach
    total = image.new_zeros(*image.shape[:2], (rows + 1) * step, (columns + 1) * step)
    for row in range(rows):
        shift_y = torch.full_like(shift_x, cut * (row * step - frame.y_px))
        kernels = cat_eye_kernels(abs(defocus_px), shift_x, shift_y).to(image)
        strip = padded[..., row * step : row * step + size, :].unfold(-1, size, step)
        seen = _each_by_its_own(strip.permute(3, 0, 1, 2, 4), kernels)
        seen = seen * (ramp[:, None] * ramp)
        total[..., row * step : (row + 2) * step, :] += _side_by_side(seen, step)
    return total[..., step : step + height, step : step + width]


def _beyond(height: int, width: int, rows: int, columns: int, step: int) -> tuple[int, ...]:
    """Zeros around the picture, so that all nodes have a whole patch."""
    return step, columns * step - width, step, rows * step - height


def _each_by_its_own(patches: Tensor, kernels: Tensor) -> Tensor:
    """(N, B, C, S, S) by (N, K, K), without the borders: (N, B, C, S - K + 1, S - K + 1)."""
    lost = kernels.shape[-1] - 1
    size = [next_fast_len(patches.shape[-1], real=True)] * 2
    spectrum = torch.fft.rfft2(patches, size) * torch.fft.rfft2(kernels, size)[:, None, None]
    return torch.fft.irfft2(spectrum, size)[..., lost : patches.shape[-1], lost : patches.shape[-1]]


def _side_by_side(seen: Tensor, step: int) -> Tensor:
    """Patches (N, B, C, 2·step, 2·step) that overlap by half, added: (B, C, 2·step, (N+1)·step)."""
    none = torch.zeros_like(seen[:1, ..., :step])
    blocks = torch.cat([seen[..., :step], none]) + torch.cat([none, seen[..., step:]])
    return blocks.permute(1, 2, 3, 0, 4).flatten(-2)
