"""Which primitives the rays of a rectangle of pixels can meet, and no sooner than at which depth.

The rays of a tile fill a beam: all of the lens, narrowing to the focal plane and widening after it.
On each of the tile's four sides, what lies beyond the beam is where two planes' half-spaces meet;
a convex shape is out there if both hold all of it, which its support function tells exactly.
"""

import math
from typing import NamedTuple

import numpy as np

from dfnet.render.geometry import BOX, DISC, QUAD, SPHERE, TUBE, Geometry
from dfnet.render.kernels import inlined

ROUNDING = 1e-6  # shapes count as so much larger, since hits are rounded


class Shapes(NamedTuple):
    """P primitives in a camera's axes."""

    kind: np.ndarray  # (P,)
    centre: np.ndarray  # (P, 3)
    axes: np.ndarray  # (P, 3, 3) half-axes as rows
    front: np.ndarray  # (P, 3, 4) unit normal and distance of planes no ray hits it before


class Tile(NamedTuple):
    """A rectangle of pixels and the primitives that its rays may meet."""

    corners: np.ndarray  # (4,) int64: left, top, right, bottom (the last two excluded)
    chosen: np.ndarray  # (P,) int64: primitives, by nearest possible depth
    nearest: np.ndarray  # (P,) that depth
    count: np.ndarray  # (1,) how many


def shapes_before(geometry: Geometry, rotation: np.ndarray, position: np.ndarray) -> Shapes:
    """Primitives in the axes of a camera at `position` (`p_camera = rotation (p - position)`)."""
    inverse = np.linalg.inv(geometry.to_local[:, :, :3])  # columns are half-axes
    centre = -(inverse @ geometry.to_local[:, :, 3:])[..., 0]
    centre = (centre - position) @ rotation.T
    axes = np.swapaxes(inverse, 1, 2) @ rotation.T
    # A plane's normal is the cross product of the two other axes; boxes have six, flat shapes one.
    normal = np.stack([np.cross(axes[:, (k + 1) % 3], axes[:, (k + 2) % 3]) for k in range(3)], 1)
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    middle = (normal * centre[:, None]).sum(2)
    normal *= np.where(middle < 0, -1.0, 1.0)[..., None]
    thickness = np.abs((normal * axes).sum(2))
    flat = np.isin(geometry.kind, (QUAD, DISC))
    thickness[flat] = 0.0
    distance = np.abs(middle) - (1 + ROUNDING) * thickness
    distance[~(flat | (geometry.kind == BOX))] = -1.0
    distance[flat, :2] = -1.0
    front = np.concatenate([normal, distance[..., None]], 2)
    return Shapes(geometry.kind, centre, np.ascontiguousarray(axes), np.ascontiguousarray(front))


@inlined()
def _extent(shapes, p, lateral, slope_of_z, direction):
    """How far a shape reaches from its centre along `lateral * x_direction + slope_of_z * z`."""
    a = shapes.axes
    u = abs(lateral * a[p, 0, direction] + slope_of_z * a[p, 0, 2])
    v = abs(lateral * a[p, 1, direction] + slope_of_z * a[p, 1, 2])
    w = abs(lateral * a[p, 2, direction] + slope_of_z * a[p, 2, 2])
    kind = shapes.kind[p]
    if kind == QUAD:
        extent = u + v
    elif kind == DISC:
        extent = math.sqrt(u * u + v * v)
    elif kind == SPHERE:
        extent = math.sqrt(u * u + v * v + w * w)
    elif kind == TUBE:
        extent = math.sqrt(u * u + w * w) + v
    else:
        extent = u + v + w
    return (1.0 + ROUNDING) * extent


@inlined()
def _beyond(shapes, p, direction, sign, slope, view):
    """Whether a shape lies beyond the edge `x = slope z + R |1 - z / focus|` of the beam."""
    lens, dioptres = view.lens_radius_m, view.focus_dioptres
    x, z = sign * shapes.centre[p, direction], shapes.centre[p, 2]
    near, far = slope - lens * dioptres, slope + lens * dioptres
    if x - near * z - lens <= _extent(shapes, p, sign, -near, direction):
        return False
    return x - far * z + lens > _extent(shapes, p, sign, -far, direction)


@inlined()
def _nearest(shapes, p, beam, view):
    """Depth before which no ray of the beam meets a shape; infinite if none can."""
    nearest = shapes.centre[p, 2] - _extent(shapes, p, 0.0, 1.0, 0)
    lens = view.lens_radius_m
    for k in range(3):
        nx, ny, nz = shapes.front[p, k, 0], shapes.front[p, k, 1], shapes.front[p, k, 2]
        aside = lens * math.sqrt(nx * nx + ny * ny)
        distance = shapes.front[p, k, 3] - aside
        if distance > 0.0:
            steepest = nz + aside * view.focus_dioptres
            steepest += max(nx * beam[0], nx * beam[2]) + max(ny * beam[1], ny * beam[3])
            least = distance / steepest if steepest > 0.0 else math.inf
            nearest = max(nearest, (1.0 - ROUNDING) * least)
    return nearest


@inlined()
def _slopes(view, corners):
    """Slopes (left, top, right, bottom) between which all pinhole rays of a tile lie."""
    cx, cy = view.principal[0], view.principal[1]
    wide_x = max(abs(corners[0] - cx), abs(corners[2] - cx)) + 1.0
    wide_y = max(abs(corners[1] - cy), abs(corners[3] - cy)) + 1.0
    square = (wide_x * wide_x + wide_y * wide_y) / (view.corner_px * view.corner_px)
    half = 0.5 + 0.5 * view.corner_blur_px * square
    bend = view.distortion * (1.0 + half / view.corner_px) ** 2 * square
    low, high = 1.0 + min(bend, 0.0), 1.0 + max(bend, 0.0)
    left, right = corners[0] - half - cx, corners[2] - 1 + half - cx
    top, bottom = corners[1] - half - cy, corners[3] - 1 + half - cy
    return (
        min(left * low, left * high) / view.focal_px,
        min(top * low, top * high) / view.focal_px,
        max(right * low, right * high) / view.focal_px,
        max(bottom * low, bottom * high) / view.focal_px,
    )


@inlined()
def gather(shapes, view, tile):
    """List the primitives that a tile's rays may meet, nearest possible hit first."""
    beam = _slopes(view, tile.corners)
    count = 0
    for p in range(shapes.kind.size):
        missed = (
            _beyond(shapes, p, 0, 1.0, beam[2], view)
            or _beyond(shapes, p, 0, -1.0, -beam[0], view)
            or _beyond(shapes, p, 1, 1.0, beam[3], view)
            or _beyond(shapes, p, 1, -1.0, -beam[1], view)
        )
        behind = shapes.centre[p, 2] + _extent(shapes, p, 0.0, 1.0, 0) <= 0.0
        near = math.inf if missed or behind else _nearest(shapes, p, beam, view)
        if near < math.inf:
            k = count
            while k > 0 and tile.nearest[k - 1] > near:
                tile.nearest[k], tile.chosen[k] = tile.nearest[k - 1], tile.chosen[k - 1]
                k -= 1
            tile.nearest[k], tile.chosen[k] = near, p
            count += 1
    tile.count[0] = count
