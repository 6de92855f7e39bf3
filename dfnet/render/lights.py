"""Point lights: bokeh discs without noise. Each sub-pixel of a disc is one point of the lens."""

import math

import numpy as np

from dfnet.render.geometry import World
from dfnet.render.kernels import entry, inlined
from dfnet.render.shade import transmittance
from dfnet.render.trace import View, field_of, in_open_lens, straightened

SUBPIXELS = 4  # per axis
SMALLEST_RADIUS_PX = 0.8  # a sharp lamp is not smaller than this
JUST_BEFORE = 1.0 - 1e-6
FARTHEST_SQUARE = 2.0  # squared radius of the farthest lamp worth a search, far outside the frame


@inlined()
def _to_camera(view, light):
    r = view.rotation
    dx, dy, dz = (
        light[0] - view.position[0],
        light[1] - view.position[1],
        light[2] - view.position[2],
    )
    return (
        r[0, 0] * dx + r[0, 1] * dy + r[0, 2] * dz,
        r[1, 0] * dx + r[1, 1] * dy + r[1, 2] * dz,
        r[2, 0] * dx + r[2, 1] * dy + r[2, 2] * dz,
    )


@inlined()
def _arrives(world, view, light, lens_x, lens_y):
    """Share of the light that reaches the lens point (lens_x, lens_y) [m]."""
    r, c = view.rotation, view.position
    origin = (
        c[0] + r[0, 0] * lens_x + r[1, 0] * lens_y,
        c[1] + r[0, 1] * lens_x + r[1, 1] * lens_y,
        c[2] + r[0, 2] * lens_x + r[1, 2] * lens_y,
    )
    direction = (light[0] - origin[0], light[1] - origin[1], light[2] - origin[2])
    return transmittance(world, (origin, direction), JUST_BEFORE)


@inlined()
def _open_share(shift):
    """Share of the unit lens inside a rim as wide, shifted by so many radii: two circles' lens."""
    half = min(0.5 * shift, 1.0)
    return 2.0 / math.pi * (math.acos(half) - half * math.sqrt(1.0 - half * half))


@inlined()
def _pixel_share(world, view, light, disc, x, y):
    """Part of the disc's area inside pixel (x, y), weighted by what is not hidden."""
    centre_x, centre_y, radius, to_lens = disc
    brightness, footprint, rim_x, rim_y = field_of(view, x, y)
    total = 0.0
    for j in range(SUBPIXELS):
        for i in range(SUBPIXELS):
            straight_x, straight_y = straightened(
                view,
                x + footprint * ((i + 0.5) / SUBPIXELS - 0.5),
                y + footprint * ((j + 0.5) / SUBPIXELS - 0.5),
            )
            a, b = (
                to_lens * (straight_x - centre_x) / radius,
                to_lens * (straight_y - centre_y) / radius,
            )
            if a * a + b * b <= 1.0 and in_open_lens(a, b, rim_x, rim_y):
                total += _arrives(
                    world, view, light, a * view.lens_radius_m, b * view.lens_radius_m
                )
    open_share = _open_share(math.sqrt(rim_x * rim_x + rim_y * rim_y))
    return brightness * total / (SUBPIXELS * SUBPIXELS * open_share)


@inlined()
def _add_light(world, view, light, image):
    x, y, z = _to_camera(view, light)
    if z <= 0.0:
        return
    height, width = image.shape[1], image.shape[2]
    # Lens point L sees the lamp at f L (1/focus - 1/z) from its centre: near discs are inverted.
    shift = view.focal_px * (1.0 / z - view.focus_dioptres)
    radius = max(abs(shift) * view.lens_radius_m, SMALLEST_RADIUS_PX)
    to_lens = -1.0 if shift > 0.0 else 1.0
    disc = (view.focal_px * x / z, view.focal_px * y / z, radius, to_lens)
    level = light[3] * (view.focal_px / z) ** 2 / (math.pi * radius * radius)
    left, top, right, bottom = _surroundings(view, disc)
    for j in range(max(0, top), min(height, bottom)):
        for i in range(max(0, left), min(width, right)):
            share = _pixel_share(world, view, light, disc, i, j)
            if share > 0.0:
                for c in range(3):
                    image[c, j, i] += share * level * light[4 + c]


@inlined()
def _surroundings(view, disc):
    """Whole pixels (left, top, right, bottom; the last two excluded) that a disc may touch."""
    x, y, radius, _ = disc
    square = (abs(x) + radius) ** 2 + (abs(y) + radius) ** 2
    relative = min(square / (view.corner_px * view.corner_px), FARTHEST_SQUARE)
    # What distortion does to an offset lies between nothing and twice its first order.
    stretch = 2.0 * abs(view.distortion) * relative
    reach = radius + 1.0 + 0.5 * view.corner_blur_px * relative
    reach_x, reach_y = reach + stretch * (abs(x) + radius), reach + stretch * (abs(y) + radius)
    left, top = view.principal[0] + x - reach_x, view.principal[1] + y - reach_y
    right, bottom = view.principal[0] + x + reach_x, view.principal[1] + y + reach_y
    return int(left), int(top), int(right) + 2, int(bottom) + 2


@entry()
def _add_lights(world, view, lights, image):
    for k in range(lights.shape[0]):
        row = lights[k]
        light = (row[0], row[1], row[2], row[3], row[4], row[5], row[6])
        _add_light(world, view, light, image)


def add_lights(world: World, view: View, lights: np.ndarray, image: np.ndarray) -> None:
    """Add the disc of every point light to a rendered picture, in place.

    Args:
        world: the scene that may hide them.
        view: the camera.
        lights: (N, 7): position [m], power [radiance m²], red, green, blue.
        image: (3, H, W) linear radiance; a light adds `power * (focal_px / depth)²` to its sum.
    """
    _add_lights(world, view, np.ascontiguousarray(lights, float).reshape(-1, 7), image)
