"""Unit shapes under affine maps: the records the kernels read, and ray-surface intersection.

Every primitive is a unit shape (a square, disc, sphere, tube or cube, spanning -1..1) under one
affine map. Rays go into its local space unnormalised, so the ray parameter `t` means the same
everywhere.
"""

import math
from typing import NamedTuple

import numpy as np

from dfnet.render.kernels import inlined

QUAD, DISC, SPHERE, TUBE, BOX = range(5)
FACES = {QUAD: 1, DISC: 1, SPHERE: 1, TUBE: 1, BOX: 6}  # light maps per primitive
NOTHING = 1e30  # the `t` of a ray that hits nothing
NEAREST_T = 1e-7  # hits nearer than this are the surface the ray starts on


class Geometry(NamedTuple):
    """P primitives and what covers them, as arrays that numba can read."""

    kind: np.ndarray  # (P,) int64
    to_local: np.ndarray  # (P, 3, 4) world -> unit shape
    half_m: np.ndarray  # (P, 3) half-lengths of the local axes
    bound: np.ndarray  # (P, 4) bounding sphere: centre, radius [m]
    texture: np.ndarray  # (P,) int64
    texels_per_m: np.ndarray  # (P, 2)
    texel_offset: np.ndarray  # (P, 2)
    see_through: np.ndarray  # (P,) bool: the texture has holes
    light_map: np.ndarray  # (P, 2) int64: first texel, side length
    gloss: np.ndarray  # (P, 2) strength, exponent of the highlight
    emission: np.ndarray  # (P,) > 0: shines by itself (sky), needs no light map


class Textures(NamedTuple):
    """All mip chains in one array; colours sRGB-encoded, straight alpha."""

    texels: np.ndarray  # (T, 4) uint8
    table: np.ndarray  # (N, levels, 3) int64: first texel, width, height
    levels: np.ndarray  # (N,) int64
    mirrored: np.ndarray  # (N,) bool: repeats by reflection rather than by shifting
    linear: np.ndarray  # (256,) float32 sRGB code -> linear


class World(NamedTuple):
    """A whole lit scene."""

    geometry: Geometry
    textures: Textures
    irradiance: np.ndarray  # (L, 3) float32: every light map, row by row
    key_direction: np.ndarray  # (3,) unit vector towards the key light
    key_colour: np.ndarray  # (3,)


@inlined()
def _row_times(m, p, row, vector):
    return m[p, row, 0] * vector[0] + m[p, row, 1] * vector[1] + m[p, row, 2] * vector[2]


@inlined()
def to_local_ray(to_local, p, origin, direction):
    """Map a ray into the unit space of primitive `p`."""
    m = to_local
    o = (
        _row_times(m, p, 0, origin) + m[p, 0, 3],
        _row_times(m, p, 1, origin) + m[p, 1, 3],
        _row_times(m, p, 2, origin) + m[p, 2, 3],
    )
    d = (
        _row_times(m, p, 0, direction),
        _row_times(m, p, 1, direction),
        _row_times(m, p, 2, direction),
    )
    return o, d


@inlined()
def _hit_flat(round_, o, d):
    if d[2] == 0.0:
        return NOTHING
    t = -o[2] / d[2]
    x, y = o[0] + t * d[0], o[1] + t * d[1]
    inside = x * x + y * y <= 1.0 if round_ else abs(x) <= 1.0 and abs(y) <= 1.0
    return t if inside and t > NEAREST_T else NOTHING


@inlined()
def _hit_sphere(o, d):
    a = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    b = o[0] * d[0] + o[1] * d[1] + o[2] * d[2]
    c = o[0] * o[0] + o[1] * o[1] + o[2] * o[2] - 1.0
    under_root = b * b - a * c
    if under_root <= 0.0:
        return NOTHING
    t = (-b - math.sqrt(under_root)) / a
    return t if t > NEAREST_T else NOTHING


@inlined()
def _hit_tube(o, d):
    # An open tube about the local y axis: through a missing lid one sees the inside.
    a = d[0] * d[0] + d[2] * d[2]
    b = o[0] * d[0] + o[2] * d[2]
    c = o[0] * o[0] + o[2] * o[2] - 1.0
    under_root = b * b - a * c
    if under_root <= 0.0 or a == 0.0:
        return NOTHING
    root = math.sqrt(under_root)
    t = (-b - root) / a
    if t > NEAREST_T and abs(o[1] + t * d[1]) <= 1.0:
        return t
    t = (-b + root) / a
    if t > NEAREST_T and abs(o[1] + t * d[1]) <= 1.0:
        return t
    return NOTHING


@inlined()
def _hit_box(o, d):
    near, far = -NOTHING, NOTHING
    for axis in range(3):
        if d[axis] == 0.0:
            if abs(o[axis]) > 1.0:
                return NOTHING
            continue
        a, b = (-1.0 - o[axis]) / d[axis], (1.0 - o[axis]) / d[axis]
        near, far = max(near, min(a, b)), min(far, max(a, b))
    return near if NEAREST_T < near <= far else NOTHING


@inlined()
def hit_local(kind, o, d):
    """First `t` at which a local ray meets a unit shape, or `NOTHING`."""
    if kind in (QUAD, DISC):
        t = _hit_flat(kind == DISC, o, d)
    elif kind == BOX:
        t = _hit_box(o, d)
    elif kind == SPHERE:
        t = _hit_sphere(o, d)
    else:
        t = _hit_tube(o, d)
    return t


@inlined()
def hit(world, p, ray):
    """First `t` at which a world ray (origin, direction) meets primitive `p`, or `NOTHING`."""
    o, d = to_local_ray(world.geometry.to_local, p, ray[0], ray[1])
    return hit_local(world.geometry.kind[p], o, d)


@inlined()
def _box_coordinates(q, half):
    ax, ay, az = abs(q[0]), abs(q[1]), abs(q[2])
    if ax >= ay and ax >= az:
        return (0 if q[0] > 0 else 1), q[2], q[1], half[2], half[1]
    if ay >= az:
        return (2 if q[1] > 0 else 3), q[0], q[2], half[0], half[2]
    return (4 if q[2] > 0 else 5), q[0], q[1], half[0], half[1]


@inlined()
def surface_coordinates(kind, q, half):
    """Where a local point lies on its surface.

    Returns:
        The face, (u, v) in 0..1 across that face's light map, and (u, v) in metres for the texture.
    """
    if kind == BOX:
        face, a, b, half_a, half_b = _box_coordinates(q, half)
        return face, 0.5 * (a + 1.0), 0.5 * (b + 1.0), a * half_a, b * half_b
    if kind == TUBE:
        angle = math.atan2(q[0], -q[2])
        return 0, angle / (2 * math.pi) + 0.5, 0.5 * (q[1] + 1.0), angle * half[0], q[1] * half[1]
    if kind == SPHERE:
        angle = math.atan2(q[0], -q[2])
        polar = math.acos(min(1.0, max(-1.0, q[1])))
        u_m, v_m = angle * half[0], -polar * half[1]
        return 0, angle / (2 * math.pi) + 0.5, polar / math.pi, u_m, v_m
    return 0, 0.5 * (q[0] + 1.0), 0.5 * (q[1] + 1.0), q[0] * half[0], q[1] * half[1]


@inlined()
def surface_point(kind, face, u, v):
    """Inverse of `surface_coordinates`: the local point at (u, v) of a face."""
    a, b = 2.0 * u - 1.0, 2.0 * v - 1.0
    if kind == BOX:
        sign = 1.0 if face % 2 == 0 else -1.0
        if face < 2:
            return sign, b, a
        return (a, sign, b) if face < 4 else (a, b, sign)
    if kind in (QUAD, DISC):
        return a, b, 0.0
    angle = a * math.pi
    if kind == TUBE:
        return math.sin(angle), b, -math.cos(angle)
    ring = math.sin(v * math.pi)
    return ring * math.sin(angle), math.cos(v * math.pi), -ring * math.cos(angle)


@inlined()
def local_normal(kind, face, q):
    """Outward normal of a unit shape at a local point (not normalised)."""
    if kind == SPHERE:
        return q
    if kind == TUBE:
        return q[0], 0.0, q[2]
    if kind == BOX:
        sign = 1.0 if face % 2 == 0 else -1.0
        if face < 2:
            return sign, 0.0, 0.0
        return (0.0, sign, 0.0) if face < 4 else (0.0, 0.0, sign)
    return 0.0, 0.0, 1.0


@inlined()
def world_normal(to_local, p, normal, direction):
    """Unit normal in the world, turned against `direction`; it maps by the transpose."""
    m = to_local
    x = m[p, 0, 0] * normal[0] + m[p, 1, 0] * normal[1] + m[p, 2, 0] * normal[2]
    y = m[p, 0, 1] * normal[0] + m[p, 1, 1] * normal[1] + m[p, 2, 1] * normal[2]
    z = m[p, 0, 2] * normal[0] + m[p, 1, 2] * normal[1] + m[p, 2, 2] * normal[2]
    scale = 1.0 / math.sqrt(x * x + y * y + z * z + 1e-300)
    if x * direction[0] + y * direction[1] + z * direction[2] > 0.0:
        scale = -scale
    return x * scale, y * scale, z * scale
