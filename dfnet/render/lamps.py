"""Where a scene's point lights are: on a cable, in the distance, or as glints on things."""

import numpy as np

from dfnet.render.cameras import Camera
from dfnet.render.geometry import World
from dfnet.render.shade import first_solid_hit
from dfnet.render.trace import ray_through, view_of

MOST_LAMPS = 25
FARTHEST_M = 60.0


def draw_lamps(
    rng: np.random.Generator, world: World, wide: Camera, largest_coc_px: float, share: float
) -> np.ndarray:
    """Draw point lights, in some scenes none.

    Args:
        rng: source of chance.
        world: the scene; lamps hang just before its surfaces.
        wide: the camera that shall see them.
        largest_coc_px: the scene's largest blur; a lamp blurred to half of it is about white.
        share: how many scenes have any.

    Returns:
        (N, 7): position [m], power [radiance m²], red, green, blue.
    """
    if rng.random() > share:
        return np.zeros((0, 7))
    pixels, strength = _draw_pixels(rng, wide.size)
    view = view_of(wide, 1, pinhole=True)
    warm = np.array([1.0, rng.uniform(0.6, 1.0), rng.uniform(0.3, 1.0)])
    lamps = []
    for x, y in pixels:
        ray = ray_through(view, x, y, 0.0, 0.0)
        t = min(first_solid_hit(world, ray)[0], FARTHEST_M) * 0.99
        position = np.array(ray[0]) + t * np.array(ray[1])
        disc_px2 = np.pi / 4 * max(4.0, 0.5 * largest_coc_px) ** 2
        power = strength * rng.uniform(0.5, 2.0) * disc_px2 * (t / wide.lens.focal_length_px) ** 2
        colour = warm * rng.uniform(0.8, 1.2, 3)
        lamps.append([*position, power, *(colour / colour.mean())])
    return np.array(lamps)


def _draw_pixels(rng, size) -> tuple[np.ndarray, float]:
    """Where lamps show up, and how bright: a string, lights in the distance, or a few glints."""
    width, height = size
    way = rng.choice(["string", "distance", "glints"], p=[0.4, 0.4, 0.2])
    if way == "string":
        x = np.linspace(0.02, 0.98, int(rng.integers(6, MOST_LAMPS)))
        sag = rng.uniform(0.02, 0.15) * (1 - (2 * x - 1) ** 2)
        y = rng.uniform(0.0, 0.3) + rng.uniform(-0.15, 0.15) * x + sag
        return np.stack([x * width, np.clip(y, 0, 1) * height], 1), 1.0
    if way == "distance":
        spots = rng.uniform(0, 1, (int(rng.integers(4, MOST_LAMPS)), 2)) * (1.0, 0.45)
        return spots * (width, height), 1.0
    spots = rng.normal(rng.uniform(0.3, 0.7, 2), 0.15, (int(rng.integers(2, 9)), 2))
    return np.clip(spots, 0, 1) * (width, height), 0.3
