"""The two cameras of a phone, and crops of their frames.

Numbers like those of a Pixel 6 Pro, from its public specifications: wide f 6.81 mm at f/1.85 and
2838 px per radian on a 4080 px wide frame; ultra-wide f 2.35 mm at f/2.2. A rendered picture is a
crop of a virtual full frame: it keeps the blur in pixels that a small full frame would lose.
"""

from dataclasses import dataclass, replace

import numpy as np

from dfnet.optics import Lens

WIDE_FOCAL_LENGTH_M, WIDE_F_NUMBER = 0.00681, 1.85
ULTRAWIDE_FOCAL_LENGTH_M, ULTRAWIDE_F_NUMBER = 0.00235, 2.2
FOCAL_LENGTH_PER_FULL_WIDTH = 2838 / 4080
FULL_FRAME_ASPECT = 3 / 4


@dataclass(frozen=True)
class Camera:
    """A thin lens somewhere, and the pixels behind it.

    Attributes:
        lens: what it blurs; `focal_length_px` is also the pinhole geometry (no focus breathing).
        size: (width, height) of the picture [px].
        principal_point_px: (x, y) where the optical axis meets the picture; may lie outside a crop.
        full_frame_px: (width, height) of the frame that the picture is a crop of.
        position_m: optical centre in W's axes (x right, y down, z forward).
        rotation: axis-angle [rad]; `p_camera = R (p_w - position_m)`.
    """

    lens: Lens
    size: tuple[int, int]
    principal_point_px: tuple[float, float]
    full_frame_px: tuple[int, int]
    position_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def matrix(self) -> np.ndarray:
        """R, world to camera, (3, 3)."""
        return rotation_matrix(self.rotation)

    @property
    def lens_radius_m(self) -> float:
        """Half of the aperture that blurs as `dfnet.optics.signed_defocus_px` says."""
        lens = self.lens
        return 0.5 * lens.aperture_m / (1.0 - lens.focal_length_m / lens.focus_distance_m)

    def focused_at(self, focus_distance_m: float) -> "Camera":
        """The same camera with another focus distance."""
        return replace(self, lens=replace(self.lens, focus_distance_m=focus_distance_m))

    def project(self, points_w_m: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of world points (..., 3)."""
        p = (np.asarray(points_w_m) - self.position_m) @ self.matrix.T
        return self.lens.focal_length_px * p[..., :2] / p[..., 2:] + self.principal_point_px

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


def draw_wide(rng: np.random.Generator, size: tuple[int, int], full_width_px: float) -> Camera:
    """A crop of `size`, somewhere in W's full frame of the given width.

    Args:
        rng: source of the crop's place.
        size: (width, height) of the picture [px].
        full_width_px: width of the virtual full frame [px].
    """
    full = (round(full_width_px), round(full_width_px * FULL_FRAME_ASPECT))
    spare = np.maximum(np.subtract(full, size), 0) / 2
    offset = rng.uniform(-0.7, 0.7, 2) * spare
    lens = Lens(WIDE_FOCAL_LENGTH_M, full[0] * FOCAL_LENGTH_PER_FULL_WIDTH, WIDE_F_NUMBER, 1.0)
    principal = tuple(np.round((np.array(size) - 1) / 2 + offset, 2).tolist())
    return Camera(lens, size, principal, full)


def draw_ultrawide(
    rng: np.random.Generator,
    wide: Camera,
    defocus_per_disparity: float,
    depth_range_m: tuple[float, float],
) -> Camera:
    """The ultra-wide beside W: coarser pixels, deep focus, a crop that covers W's view.

    Args:
        rng: source of side, rotation, scale and margin.
        wide: the principal camera.
        defocus_per_disparity: W's aperture over the baseline's length.
        depth_range_m: nearest and farthest z-depth that the crop has to cover.
    """
    scale = rng.uniform(0.5, 0.9)
    axis, sign = rng.integers(2), rng.choice([-1.0, 1.0])
    position = rng.normal(0, 0.03, 3)
    position[axis] = sign
    position *= wide.lens.aperture_m / defocus_per_disparity / np.linalg.norm(position)
    lens = Lens(
        ULTRAWIDE_FOCAL_LENGTH_M,
        wide.lens.focal_length_px * scale,
        ULTRAWIDE_F_NUMBER,
        rng.uniform(0.7, 1.5),
    )
    uncropped = Camera(
        lens=lens,
        size=(1, 1),
        principal_point_px=(0.0, 0.0),
        full_frame_px=(0, 0),
        position_m=tuple(position.tolist()),
        rotation=tuple(np.deg2rad(rng.normal(0, 0.5, 3)).tolist()),
    )
    return crop_covering(uncropped, wide, depth_range_m, rng.uniform(0.10, 0.2))


def crop_covering(
    camera: Camera, wide: Camera, depth_range_m: tuple[float, float], margin: float
) -> Camera:
    """Crop `camera` so that it sees all that W sees between two depths.

    Args:
        camera: any crop of the ultra-wide.
        wide: the camera whose view is to be covered.
        depth_range_m: nearest and farthest z-depth.
        margin: added on each side, as a share of the picture.
    """
    width, height = wide.size
    corners = np.array([[x, y] for x in (0, width - 1) for y in (0, height - 1)], float)
    rays = np.c_[(corners - wide.principal_point_px) / wide.lens.focal_length_px, np.ones(4)]
    seen = np.concatenate([camera.project(rays * depth) for depth in depth_range_m])
    low, high = seen.min(0), seen.max(0)
    border = margin * (high - low)
    size = tuple(int(n) for n in np.ceil(high - low + 2 * border))
    principal = np.round(np.array(camera.principal_point_px) - (low - border), 2)
    # The whole ultra-wide frame: 107 degrees across its diagonal, 4:3.
    half_diagonal = np.tan(np.deg2rad(107 / 2)) * camera.lens.focal_length_px
    full = (round(2 * half_diagonal * 0.8), round(2 * half_diagonal * 0.6))
    return replace(
        camera, size=size, principal_point_px=tuple(principal.tolist()), full_frame_px=full
    )
