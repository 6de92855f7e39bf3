"""What moves between the wide and the ultra-wide exposure: one thing, a little, rigidly."""

from dataclasses import dataclass

import numpy as np

from dfnet.render.cameras import Camera, rotation_matrix
from dfnet.render.effects import CameraEffects
from dfnet.render.geometry import World
from dfnet.render.shade import first_solid_hit
from dfnet.render.trace import ray_through, view_of

TRIES = 40  # pixels looked through for a thing that can move
LARGEST_SHARE = 0.5  # of the picture's width; what is larger is furniture, floor or wall
REFERENCE_WIDTH_PX = 384  # the picture that `CameraEffects.moved_px` counts pixels of


@dataclass(frozen=True)
class Motion:
    """A rigid motion of some primitives.

    Attributes:
        moved: (P,) bool, which ones.
        rotation: (3, 3).
        shift_m: (3,); a point p of them comes to `rotation p + shift_m`.
    """

    moved: np.ndarray
    rotation: np.ndarray
    shift_m: np.ndarray

    def of_points(self, points_m: np.ndarray, primitives: np.ndarray) -> np.ndarray:
        """Where points (..., 3) on the surfaces of primitives (...) are afterwards."""
        after = points_m @ self.rotation.T + self.shift_m
        return np.where(self.moved[primitives][..., None], after, points_m)

    def of_world(self, world: World) -> World:
        """The world afterwards. Textures are shared; light and shadows stay as they were."""
        geometry = world.geometry
        to_local, bound = geometry.to_local.copy(), geometry.bound.copy()
        back = self.rotation.T
        linear = geometry.to_local[self.moved, :, :3] @ back
        to_local[self.moved, :, :3] = linear
        to_local[self.moved, :, 3] -= linear @ self.shift_m
        bound[self.moved, :3] = bound[self.moved, :3] @ self.rotation.T + self.shift_m
        return world._replace(geometry=geometry._replace(to_local=to_local, bound=bound))


def draw_motion(
    rng: np.random.Generator, world: World, wide: Camera, effects: CameraEffects
) -> Motion | None:
    """Sometimes move a thing that W sees.

    Args:
        rng: source of chance.
        world: the scene.
        wide: the camera that sees the thing.
        effects: how often, how far, how much turned.

    Returns:
        None where nothing moves.
    """
    if rng.random() >= effects.moved_probability:
        return None
    view = view_of(wide, 1, pinhole=True)
    for _ in range(TRIES):
        x, y = rng.uniform(0, 1, 2) * wide.size
        depth_m, seed = first_solid_hit(world, ray_through(view, x, y, 0.0, 0.0))
        metres_per_px = depth_m / wide.lens.focal_length_px
        if _can_move(world, seed, LARGEST_SHARE * wide.size[0] * metres_per_px):
            return _moving(rng, world, seed, metres_per_px * wide.size[0], effects)
    return None


def _can_move(world: World, primitive: int, largest_m: float) -> bool:
    geometry = world.geometry
    return (
        primitive >= 0
        and geometry.emission[primitive] == 0
        and 2 * geometry.bound[primitive, 3] <= largest_m
    )


def _moving(rng, world: World, seed: int, width_m: float, effects: CameraEffects) -> Motion:
    """Move a primitive with what is joined to it, by a share of the picture's width."""
    centre, radius = world.geometry.bound[:, :3], world.geometry.bound[:, 3]
    reach = np.maximum(radius, radius[seed])
    joined = np.linalg.norm(centre - centre[seed], axis=1) < reach
    moved = joined & (radius <= 1.5 * radius[seed]) & (world.geometry.emission == 0)
    axis = rng.normal(0, 1, 3)
    turn = np.deg2rad(rng.uniform(*effects.moved_turn_deg))
    rotation = rotation_matrix(axis / np.linalg.norm(axis) * turn)
    angle = rng.uniform(0, 2 * np.pi)
    distance_m = rng.uniform(*effects.moved_px) / REFERENCE_WIDTH_PX * width_m
    shift = distance_m * np.array([np.cos(angle), np.sin(angle), 0.0])
    return Motion(moved, rotation, centre[seed] - rotation @ centre[seed] + shift)
