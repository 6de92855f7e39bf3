"""Small hand-made worlds for the renderer's tests."""

from dataclasses import replace

import numpy as np

from dfnet.optics import Lens
from dfnet.render.builder import Lighting, Material, WorldBuilder
from dfnet.render.cameras import Camera
from dfnet.render.geometry import QUAD

WIDE_LENS = Lens(0.00681, 1000.0, 1.85, 1.0)
DARK = Lighting(np.array([0.0, -1.0, -1.0]), np.zeros(3), np.zeros(3), samples=(1, 1))


def camera(size=(64, 48), focus_m=1.0, principal=None, **changes) -> Camera:
    """W at the origin, its optical axis in the picture's middle unless told otherwise."""
    middle = ((size[0] - 1) / 2, (size[1] - 1) / 2)
    lens = replace(WIDE_LENS, focus_distance_m=focus_m)
    return replace(Camera(lens, size, principal or middle, size), **changes)


def glow(builder: WorldBuilder, gray: float = 1.0, alpha: float = 1.0) -> Material:
    """A surface of constant radiance `gray` that needs no light."""
    picture = np.full((8, 8, 4), gray, np.float32)
    picture[..., 3] = alpha
    return Material(builder.add_texture(picture), (1.0, 1.0), emission=1.0)


def facing_quad(builder: WorldBuilder, centre, half_m, material: Material) -> int:
    """An upright rectangle that faces the camera."""
    axes = np.diag([half_m[0], half_m[1], 1.0])
    return builder.add(QUAD, np.array(centre, float), axes, material)
