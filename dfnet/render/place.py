"""A level frame under a tilted camera: where floors are flat and things stand upright."""

from dataclasses import dataclass

import numpy as np

from dfnet.render.cameras import Camera, rotation_matrix


@dataclass(frozen=True)
class Place:
    """Axes of the ground in W's coordinates, and how W looks at it.

    Attributes:
        camera: W.
        right: level, to the right.
        up: against gravity.
        ahead: level, forward.
    """

    camera: Camera
    right: np.ndarray
    up: np.ndarray
    ahead: np.ndarray

    @property
    def half_fov(self) -> tuple[float, float]:
        """Half the crop's field of view, horizontal and vertical [rad]."""
        width, height = self.camera.size
        f = self.camera.lens.focal_length_px
        return float(np.arctan(width / 2 / f)), float(np.arctan(height / 2 / f))

    def point(self, right_m: float, up_m: float, ahead_m: float) -> np.ndarray:
        """W coordinates of a point given from the camera, along the ground's axes."""
        return right_m * self.right + up_m * self.up + ahead_m * self.ahead

    def in_column(self, x_px: float, up_m: float, ahead_m: float) -> np.ndarray:
        """The point at this height and distance that shows up in pixel column x."""
        slope = (x_px - self.camera.principal_point_px[0]) / self.camera.lens.focal_length_px
        base = self.point(0.0, up_m, ahead_m)
        aside = (base[0] - slope * base[2]) / (slope * self.right[2] - self.right[0])
        return base + aside * self.right

    def through_pixel(self, x_px: float, y_px: float, depth_m: float) -> np.ndarray:
        """The point at this z-depth that shows up at pixel (x, y)."""
        offset = np.array([x_px, y_px]) - self.camera.principal_point_px
        return np.array([*(offset / self.camera.lens.focal_length_px), 1.0]) * depth_m

    def metres(self, pixels: float, depth_m: float) -> float:
        """Length that spans so many pixels at a z-depth."""
        return pixels * depth_m / self.camera.lens.focal_length_px

    def upright(self, half_m, turn: float = 0.0, lean: float = 0.0) -> np.ndarray:
        """Half-axes (rows: right, down, ahead), turned about `up`, the top leaning back."""
        about_up = rotation_matrix(self.up * turn)
        right, ahead = about_up @ self.right, about_up @ self.ahead
        tilt = rotation_matrix(right * -lean)
        return np.stack([right, -(tilt @ self.up), tilt @ ahead]) * np.asarray(half_m)[:, None]


def level_place(rng: np.random.Generator, camera: Camera, looking_down: float) -> Place:
    """The ground under a camera whose crop looks down by an angle [rad], rolled a little."""
    width, height = camera.size
    middle = (np.array([width - 1, height - 1]) / 2 - camera.principal_point_px) / (
        camera.lens.focal_length_px
    )
    gaze = np.array([*middle, 1.0])
    gaze /= np.linalg.norm(gaze)
    down = np.array([0.0, 1.0, 0.0]) - gaze[1] * gaze
    down = rotation_matrix(gaze * rng.normal(0, 0.03)) @ (down / np.linalg.norm(down))
    gravity = np.cos(looking_down) * down + np.sin(looking_down) * gaze
    ahead = np.cos(looking_down) * gaze - np.sin(looking_down) * down
    return Place(camera, np.cross(gravity, ahead), -gravity, ahead)
