"""What a network can never measure: depth, flow and visibility, from rays through pixel centres."""

from typing import NamedTuple

import numpy as np

from dfnet.render.cameras import Camera
from dfnet.render.geometry import NOTHING, World
from dfnet.render.kernels import entry
from dfnet.render.motion import Motion
from dfnet.render.shade import first_solid_hit
from dfnet.render.trace import ray_through, view_of

SKY_BEYOND_M = 1000.0
FLOW_STEP_PX = 1 / 64  # rounding before storage, so that files compress
DEPTH_MANTISSA_BITS = 12
NEARLY = 1.0 - 1e-6


class Truth(NamedTuple):
    """Geometry of W's pixel centres."""

    depth_w_m: np.ndarray  # (H, W) float32 z-depth, inf = sky
    flow_w_to_uw: np.ndarray  # (2, H, W) float32
    occluded_w: np.ndarray  # (H, W) bool: hidden from UW, or out of its frame


@entry()
def _first_points(world, view, depth, points, primitives):
    for y in range(depth.shape[0]):
        for x in range(depth.shape[1]):
            ray = ray_through(view, x, y, 0.0, 0.0)
            t, p = first_solid_hit(world, ray)
            depth[y, x], primitives[y, x] = t, p
            for c in range(3):
                points[y, x, c] = ray[0][c] + t * ray[1][c]


@entry()
def _hidden(world, position, points, hidden):
    origin = (position[0], position[1], position[2])
    for y in range(hidden.shape[0]):
        for x in range(hidden.shape[1]):
            direction = (
                points[y, x, 0] - origin[0],
                points[y, x, 1] - origin[1],
                points[y, x, 2] - origin[2],
            )
            hidden[y, x] = first_solid_hit(world, (origin, direction))[0] < NEARLY


def trace_truth(
    world: World, wide: Camera, ultrawide: Camera, motion: Motion | None = None
) -> Truth:
    """Depth, flow and occlusion of W's pixels.

    Args:
        world: the scene; a surface that lets more than half the light through does not count.
        wide: the principal camera (its pinhole is used).
        ultrawide: the camera that may not see everything.
        motion: what moves between W's exposure and UW's.

    Raises:
        ValueError: a pixel of W sees no surface at all.
    """
    width, height = wide.size
    depth, points = np.empty((height, width)), np.empty((height, width, 3))
    primitives = np.empty((height, width), np.int64)
    _first_points(world, view_of(wide, 1, pinhole=True), depth, points, primitives)
    if (depth >= NOTHING).any():
        raise ValueError(f"{(depth >= NOTHING).mean():.1%} of the pixels look past the scene")
    if motion is not None:
        points, world = motion.of_points(points, primitives), motion.of_world(world)
    hidden = np.empty((height, width), np.bool_)
    _hidden(world, np.array(ultrawide.position_m, float), points, hidden)
    seen_at = ultrawide.project(points)
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1)
    inside = ((seen_at >= -0.5) & (seen_at <= np.array(ultrawide.size) - 0.5)).all(-1)
    depth = np.where(depth > SKY_BEYOND_M, np.inf, depth)
    flow = np.moveaxis(seen_at - grid, -1, 0)
    return Truth(depth.astype(np.float32), flow.astype(np.float32), hidden | ~inside)


def rounded(truth: Truth) -> Truth:
    """The truth as stored: flow to 1/64 px, depth to 12 bits of mantissa (0.024 % at most)."""
    mantissa, exponent = np.frexp(truth.depth_w_m)
    scale = float(1 << DEPTH_MANTISSA_BITS)
    depth = np.ldexp(np.round(mantissa * scale) / scale, exponent)
    depth = np.where(np.isfinite(truth.depth_w_m), depth, np.inf)
    flow = np.round(truth.flow_w_to_uw / FLOW_STEP_PX) * FLOW_STEP_PX
    return Truth(depth.astype(np.float32), flow.astype(np.float32), truth.occluded_w)
