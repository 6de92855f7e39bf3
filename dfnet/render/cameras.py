"""A camera: a thin lens, its flaws, and the pixels behind it.

A rendered picture is a crop of a virtual full frame: it keeps the blur in pixels that a small full
frame would lose.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from dfnet.optics import Lens

NEWTON_STEPS = 6  # of the inverse of the distortion; exact to rounding within the frame
LEAST_CUBIC = -0.14  # s + q s^3 = 1 has a root for q > -4/27; only far outside the frame is q less


@dataclass(frozen=True)
class Flaws:
    """What a lens does beyond blurring; zero is none of it.

    The radius r is the distance from the principal point over half the full frame's diagonal.

    Attributes:
        vignetting: exponent of the cos⁴ law that the photo still follows; 1 is uncorrected.
        distortion: k; what a straight ray would bring to radius r (1 + k r²) arrives at r.
        corner_blur_px: a pixel's square footprint is 1 + corner_blur_px r² wide.
        cat_eye: the barrel's rim, as wide as the lens, is shifted over it by this times r [lens
            radii]. Light does not get less: the mean over the open part of the lens counts.
    """

    vignetting: float = 0.0
    distortion: float = 0.0
    corner_blur_px: float = 0.0
    cat_eye: float = 0.0


@dataclass(frozen=True)
class Camera:
    """A thin lens somewhere, and the pixels behind it.

    Attributes:
        lens: what it blurs; `focal_length_px` is also the geometry, but for breathing.
        size: (width, height) of the picture [px].
        principal_point_px: (x, y) where the optical axis meets the picture; may lie outside a crop.
        full_frame_px: (width, height) of the frame that the picture is a crop of.
        position_m: optical centre in W's axes (x right, y down, z forward).
        rotation: axis-angle [rad]; `p_camera = R (p_w - position_m)`.
        flaws: beyond the thin lens.
        breathes: the picture grows as the lens moves out to focus nearer.
    """

    lens: Lens
    size: tuple[int, int]
    principal_point_px: tuple[float, float]
    full_frame_px: tuple[int, int]
    position_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    flaws: Flaws = Flaws()
    breathes: bool = False

    @property
    def matrix(self) -> np.ndarray:
        """R, world to camera, (3, 3)."""
        return rotation_matrix(self.rotation)

    @property
    def corner_px(self) -> float:
        """Half the full frame's diagonal."""
        return 0.5 * math.hypot(*self.full_frame_px)

    @property
    def pixels_per_radian(self) -> float:
        """Focal length of the picture's geometry: with breathing, that of this focus distance."""
        return self.lens.focal_length_px * (self._extension if self.breathes else 1.0)

    @property
    def lens_radius_m(self) -> float:
        """Half of the aperture that blurs as `dfnet.optics.signed_defocus_px` says.

        Without breathing the picture's scale is that of focus at infinity, and the aperture has to
        make up for the extension of the lens.
        """
        return 0.5 * self.lens.aperture_m * (1.0 if self.breathes else self._extension)

    @property
    def _extension(self) -> float:
        """Image distance over focal length."""
        return 1.0 / (1.0 - self.lens.focal_length_m / self.lens.focus_distance_m)

    def focused_at(self, focus_distance_m: float) -> "Camera":
        """The same camera with another focus distance."""
        return replace(self, lens=replace(self.lens, focus_distance_m=focus_distance_m))

    def project(self, points_w_m: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of world points (..., 3)."""
        p = (np.asarray(points_w_m) - self.position_m) @ self.matrix.T
        straight = self.pixels_per_radian * p[..., :2] / p[..., 2:]
        return straight * self._distortion(straight) + self.principal_point_px

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Directions (..., 3) in the camera's axes, z = 1, of pixels (..., 2)."""
        offset = np.asarray(pixels, float) - self.principal_point_px
        square = (offset**2).sum(-1, keepdims=True) / self.corner_px**2
        slopes = offset * (1.0 + self.flaws.distortion * square) / self.pixels_per_radian
        return np.concatenate([slopes, np.ones_like(square)], -1)

    def _distortion(self, straight: np.ndarray) -> np.ndarray:
        """What brings straight offsets (..., 2) to where they show up: the inverse of `rays`."""
        square = (straight**2).sum(-1, keepdims=True) / self.corner_px**2
        cubic = np.maximum(self.flaws.distortion * square, LEAST_CUBIC)
        scale = np.ones_like(cubic)
        for _ in range(NEWTON_STEPS):
            scale -= (scale + cubic * scale**3 - 1.0) / (1.0 + 3.0 * cubic * scale**2)
        return scale

    def metadata(self) -> dict:
        """The camera's entry in `capture.json`."""
        return {
            "focal_length_m": self.lens.focal_length_m,
            "f_number": self.lens.f_number,
            "focal_length_px": self.lens.focal_length_px,
            "principal_point_px": list(self.principal_point_px),
            "full_frame_px": list(self.full_frame_px),
            "position_m": list(self.position_m),
            "rotation": list(self.rotation),
        }


def rotation_matrix(axis_angle) -> np.ndarray:
    """Rodrigues' formula, (3,) to (3, 3)."""
    vector = np.asarray(axis_angle, dtype=float)
    angle = np.linalg.norm(vector)
    if angle == 0:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
