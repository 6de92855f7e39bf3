"""Where a scene's point lights hang: before surfaces far and near, or on a string."""

import numpy as np

from dfnet.render.cameras import Camera
from dfnet.render.geometry import World
from dfnet.render.shade import first_solid_hit
from dfnet.render.trace import ray_through, view_of

SHARE_OF_SCENES = {"desk": 0.4, "room": 0.4, "terrace": 0.5}
MOST_LAMPS = 25
FARTHEST_M = 60.0


def draw_lamps(
    rng: np.random.Generator, world: World, wide: Camera, largest_coc_px: float, kind: str
) -> np.ndarray:
    """Draw point lights, in some scenes none.

    Args:
        rng: source of chance.
        world: the scene; lamps hang just before its surfaces.
        wide: the camera that shall see them.
        largest_coc_px: the scene's largest blur; a lamp blurred to half of it is about white.
        kind: sort of place.

    Returns:
        (N, 7): position [m], power [radiance m²], red, green, blue.
    """
    if rng.random() > SHARE_OF_SCENES[kind]:
        return np.zeros((0, 7))
    view = view_of(wide, 1, pinhole=True)
    lamps = []
    for _ in range(int(rng.integers(3, MOST_LAMPS))):
        x, y = rng.uniform(0, 1, 2) * wide.size
        ray = ray_through(view, x, 0.8 * y, 0.0, 0.0)
        t = min(first_solid_hit(world, ray)[0], FARTHEST_M) * 0.99
        position = np.array(ray[0]) + t * np.array(ray[1])
        disc_px2 = np.pi / 4 * max(4.0, 0.5 * largest_coc_px) ** 2
        power = rng.uniform(0.5, 2.5) * disc_px2 * (t / wide.lens.focal_length_px) ** 2
        colour = np.array([1.0, rng.uniform(0.6, 1.0), rng.uniform(0.3, 1.0)])
        lamps.append([*position, power, *(colour / colour.mean())])
    return np.array(lamps)
