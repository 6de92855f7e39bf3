"""The thin-lens ray caster: every sample is one ray from a point of the lens through its focus.

Blur and partial occlusion need no model of their own: a ray that starts left on the lens sees past
a foreground edge what its neighbour does not. Distributed ray tracing after Cook, Porter and
Carpenter (SIGGRAPH 1984); samples follow Roberts' recurrence with a hashed shift per pixel.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from dfnet.render.cameras import Camera
from dfnet.render.culling import Tile, gather, shapes_before
from dfnet.render.geometry import NOTHING, World, hit
from dfnet.render.kernels import entry, inlined
from dfnet.render.shade import shade

TILE_PX = 16
MAX_LAYERS = 24  # see-through surfaces along one ray; farther ones are dropped
PLASTIC = 1.1673039782614187  # the root of x^5 = x + 1: Roberts' sequence in four dimensions
ROUNDED_ONE = 1.0 + 1e-6  # a point of the unit disc, squared and rounded, is not more
STEPS = tuple(PLASTIC ** -(k + 1) % 1.0 for k in range(4))


class View(NamedTuple):
    """A camera as numba reads it."""

    rotation: np.ndarray  # (3, 3) world -> camera
    position: np.ndarray  # (3,)
    principal: np.ndarray  # (2,)
    focal_px: float
    lens_radius_m: float
    focus_dioptres: float
    samples: int
    corner_px: float  # where the flaws' radius is 1
    vignetting: float
    distortion: float
    corner_blur_px: float
    cat_eye: float


def view_of(camera: Camera, samples: int, pinhole: bool = False) -> View:
    """What the kernels need of a camera; `pinhole` makes its lens a point, focused at infinity."""
    flaws = camera.flaws
    return View(
        np.ascontiguousarray(camera.matrix),
        np.array(camera.position_m, float),
        np.array(camera.principal_point_px, float),
        float(camera.lens.focal_length_px if pinhole else camera.pixels_per_radian),
        0.0 if pinhole else float(camera.lens_radius_m),
        1.0 / camera.lens.focus_distance_m,
        samples,
        float(camera.corner_px),
        float(flaws.vignetting),
        float(flaws.distortion),
        float(flaws.corner_blur_px),
        float(flaws.cat_eye),
    )


@inlined()
def straightened(view, x, y):
    """Offset from the principal point that a pinhole would give pixel (x, y): undistorted."""
    dx, dy = x - view.principal[0], y - view.principal[1]
    scale = 1.0 + view.distortion * (dx * dx + dy * dy) / (view.corner_px * view.corner_px)
    return dx * scale, dy * scale


@inlined()
def field_of(view, x, y):
    """What the lens's flaws are at a pixel: brightness, footprint [px], shift (x, y) of the rim."""
    dx, dy = x - view.principal[0], y - view.principal[1]
    square = dx * dx + dy * dy
    cosine_square = 1.0 / (1.0 + square / (view.focal_px * view.focal_px))
    brightness = cosine_square ** (2.0 * view.vignetting)
    footprint = 1.0 + view.corner_blur_px * square / (view.corner_px * view.corner_px)
    # The rim lies before the lens: seen from the picture's edge it covers the lens's outer side.
    shift = -view.cat_eye / view.corner_px
    return brightness, footprint, shift * dx, shift * dy


@inlined()
def ray_through(view, x, y, lens_x, lens_y):
    """World ray from a lens point [m] through what pixel (x, y) is focused on; `t` is z-depth."""
    straight_x, straight_y = straightened(view, x, y)
    dx = straight_x / view.focal_px - lens_x * view.focus_dioptres
    dy = straight_y / view.focal_px - lens_y * view.focus_dioptres
    r, c = view.rotation, view.position
    origin = (
        c[0] + r[0, 0] * lens_x + r[1, 0] * lens_y,
        c[1] + r[0, 1] * lens_x + r[1, 1] * lens_y,
        c[2] + r[0, 2] * lens_x + r[1, 2] * lens_y,
    )
    direction = (
        r[0, 0] * dx + r[1, 0] * dy + r[2, 0],
        r[0, 1] * dx + r[1, 1] * dy + r[2, 1],
        r[0, 2] * dx + r[1, 2] * dy + r[2, 2],
    )
    return origin, direction


# Numba counts references, dearer than the geometry, wherever it cannot prove that needless: where
# a function that takes arrays is called in a branch, or a loop is left by `break` or `return`.
@inlined()
def _comes_after(t, p, other_t, other_p, solid_p):
    """Order of hits that does not depend on how they were found: by `t`, solid last, by number."""
    if t != other_t:
        return t > other_t
    return p > other_p if other_p != solid_p else False


@inlined()
def _sort(layers_t, layers_p, count, solid_p):
    for i in range(1, count):
        for j in range(i, 0, -1):
            if _comes_after(layers_t[j - 1], layers_p[j - 1], layers_t[j], layers_p[j], solid_p):
                layers_t[j - 1], layers_t[j] = layers_t[j], layers_t[j - 1]
                layers_p[j - 1], layers_p[j] = layers_p[j], layers_p[j - 1]


@inlined()
def _layers_along(world, ray, tile, layers_t, layers_p):
    """Sort the see-through hits in front of the first solid one, which comes last; their number."""
    count, solid_t, solid_p = 0, NOTHING, -1
    k = 0
    while k < tile.count[0] and tile.nearest[k] <= solid_t:
        p = tile.chosen[k]
        t = hit(world, p, ray)
        if t <= solid_t and t < NOTHING:
            if world.geometry.see_through[p]:
                # A full list loses its last entry: candidates come roughly from near to far.
                layers_t[count], layers_p[count] = t, p
                count = min(count + 1, MAX_LAYERS - 1)
            elif t < solid_t or p < solid_p:
                solid_t, solid_p = t, p
        k += 1
    if solid_p >= 0:
        layers_t[count], layers_p[count] = solid_t, solid_p
        count += 1
    _sort(layers_t, layers_p, count, solid_p)
    return count


@inlined()
def _composite(world, view, ray, dither, layers_t, layers_p, count):
    """Front-to-back `over` of the sorted hits."""
    red = green = blue = 0.0
    remaining = 1.0
    k = 0
    while k < count and remaining > 1e-3:
        t = layers_t[k]
        pixel_m = 0.6 * t / view.focal_px
        blur_m = 2.2 * view.lens_radius_m * abs(1.0 - t * view.focus_dioptres)
        footprint_m = max(pixel_m, blur_m / math.sqrt(view.samples))
        r, g, b, alpha = shade(world, layers_p[k], t, ray, footprint_m, dither)
        weight = remaining * alpha
        red, green, blue = red + weight * r, green + weight * g, blue + weight * b
        remaining -= weight
        k += 1
    return red, green, blue


@inlined()
def hashed(x, y, k):
    """A number in 0..1 for pixel (x, y) and dimension k (an integer hash, the same everywhere)."""
    h = np.uint64(x) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(y) * np.uint64(0xC2B2AE3D27D4EB4F)
    h += np.uint64(k + 1) * np.uint64(0x165667B19E3779F9)
    h ^= h >> np.uint64(29)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    h ^= h >> np.uint64(32)
    h *= np.uint64(0x94D049BB133111EB)
    h ^= h >> np.uint64(31)
    return float(h >> np.uint64(11)) / 9007199254740992.0


@inlined()
def wrapped(number):
    """Fractional part of a positive number (`%` is slow)."""
    return number - math.floor(number)


@inlined()
def _cosine_and_sine(angle):
    """Of an angle within ±pi/4, to 2e-9: Taylor's polynomials, faster than the library's."""
    q = angle * angle
    sine = angle * (1 - q / 6 * (1 - q / 20 * (1 - q / 42 * (1 - q / 72))))
    return 1 - q / 2 * (1 - q / 12 * (1 - q / 30 * (1 - q / 56 * (1 - q / 90)))), sine


@inlined()
def disc_point(a, b):
    """Shirley and Chiu's concentric map of the unit square onto the unit disc."""
    x, y = 2.0 * a - 1.0, 2.0 * b - 1.0
    if x == 0.0 and y == 0.0:
        return 0.0, 0.0
    if abs(x) > abs(y):
        cosine, sine = _cosine_and_sine(math.pi / 4 * y / x)
        return x * cosine, x * sine
    cosine, sine = _cosine_and_sine(math.pi / 4 * x / y)
    return y * sine, y * cosine


@inlined()
def in_open_lens(a, b, rim_x, rim_y):
    """Whether the barrel's rim, shifted, leaves the point (a, b) of the unit lens open."""
    return (a - rim_x) ** 2 + (b - rim_y) ** 2 <= ROUNDED_ONE


@inlined()
def _lens_point(i, shift, rim_x, rim_y):
    """The next point of the unit lens that is open, from the i-th on, and its number."""
    a, b = disc_point(wrapped(shift[2] + i * STEPS[2]), wrapped(shift[3] + i * STEPS[3]))
    while not in_open_lens(a, b, rim_x, rim_y):
        i += 1
        a, b = disc_point(wrapped(shift[2] + i * STEPS[2]), wrapped(shift[3] + i * STEPS[3]))
    return a, b, i


@entry()
def _trace_tile(world, view, tile, image):
    layers_t, layers_p = np.empty(MAX_LAYERS), np.empty(MAX_LAYERS, np.int64)
    for y in range(tile.corners[1], tile.corners[3]):
        for x in range(tile.corners[0], tile.corners[2]):
            shift = (hashed(x, y, 0), hashed(x, y, 1), hashed(x, y, 2), hashed(x, y, 3))
            brightness, footprint, rim_x, rim_y = field_of(view, x, y)
            red = green = blue = 0.0
            i = 0
            for _ in range(view.samples):
                a, b, i = _lens_point(i, shift, rim_x, rim_y)
                sub_x = x - 0.5 * footprint + footprint * wrapped(shift[0] + i * STEPS[0])
                sub_y = y - 0.5 * footprint + footprint * wrapped(shift[1] + i * STEPS[1])
                ray = ray_through(
                    view, sub_x, sub_y, a * view.lens_radius_m, b * view.lens_radius_m
                )
                count = _layers_along(world, ray, tile, layers_t, layers_p)
                dither = wrapped(shift[0] + i * 0.6180339887498949)
                r, g, b = _composite(world, view, ray, dither, layers_t, layers_p, count)
                red, green, blue = red + r, green + g, blue + b
                i += 1
            image[0, y, x] = brightness * (red / view.samples)
            image[1, y, x] = brightness * (green / view.samples)
            image[2, y, x] = brightness * (blue / view.samples)


@entry()
def _trace_tiles(world, shapes, view, tiles, image):
    total = world.geometry.kind.size
    tile = Tile(
        np.empty(4, np.int64), np.empty(total, np.int64), np.empty(total), np.zeros(1, np.int64)
    )
    for k in range(tiles.shape[0]):
        tile.corners[:] = tiles[k]
        gather(shapes, view, tile)
        _trace_tile(world, view, tile, image)


def render(world: World, view: View, size, threads: int = 1, tile_px: int = TILE_PX) -> np.ndarray:
    """Take the picture.

    Args:
        world: the lit scene.
        view: the camera, its samples per pixel and whether its lens is open.
        size: (width, height) [px].
        threads: workers; the result does not depend on them.
        tile_px: side of the tiles in which primitives are culled; the result does not depend on it.

    Returns:
        Linear radiance (3, H, W) float32.
    """
    width, height = size
    tiles = np.array(
        [
            (x, y, min(x + tile_px, width), min(y + tile_px, height))
            for y in range(0, height, tile_px)
            for x in range(0, width, tile_px)
        ]
    )
    image = np.zeros((3, height, width), np.float32)
    shapes = shapes_before(world.geometry, view.rotation, view.position)
    shares = [tiles[k::threads] for k in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda share: _trace_tiles(world, shapes, view, share, image), shares))
    return image
