"""Light maps: soft shadows of one key light, and sky light with ambient occlusion, per surface.

No light bounces between surfaces. A map holds what arrives at its texels, without their colour.
"""

import math

import numpy as np

from dfnet.render.geometry import (
    FACES,
    World,
    hit,
    local_normal,
    surface_point,
    world_normal,
)
from dfnet.render.kernels import entry, inlined
from dfnet.render.shade import alpha_at
from dfnet.render.trace import disc_point, hashed, wrapped

LIFT = 1e-4  # rays start this far off the surface, as a share of its depth
FAR = 1e6


@inlined()
def _to_world(world_from_local, p, q):
    m = world_from_local
    return (
        m[p, 0, 0] * q[0] + m[p, 0, 1] * q[1] + m[p, 0, 2] * q[2] + m[p, 0, 3],
        m[p, 1, 0] * q[0] + m[p, 1, 1] * q[1] + m[p, 1, 2] * q[2] + m[p, 1, 3],
        m[p, 2, 0] * q[0] + m[p, 2, 1] * q[1] + m[p, 2, 2] * q[2] + m[p, 2, 3],
    )


@inlined()
def _basis(n):
    # Duff et al., "Building an orthonormal basis, revisited" (JCGT 2017).
    sign = 1.0 if n[2] >= 0 else -1.0
    a = -1.0 / (sign + n[2])
    b = n[0] * n[1] * a
    return (1.0 + sign * n[0] * n[0] * a, sign * b, -sign * n[0]), (
        b,
        sign + n[1] * n[1] * a,
        -n[1],
    )


@inlined()
def _towards(axis, u, v, x, y, z):
    return (
        axis[0] * z + u[0] * x + v[0] * y,
        axis[1] * z + u[1] * x + v[1] * y,
        axis[2] * z + u[2] * x + v[2] * y,
    )


@inlined()
def _list_blockers(world, p, lamp, reach_m, blockers, counts):
    """Primitives that can stand between `p` and the key light (row 0), or near it (row 1)."""
    key, bound = world.key_direction, world.geometry.bound
    counts[0] = counts[1] = 0
    for other in range(bound.shape[0]):
        if world.geometry.emission[other] == 0.0:
            dx, dy, dz = (
                bound[other, 0] - bound[p, 0],
                bound[other, 1] - bound[p, 1],
                bound[other, 2] - bound[p, 2],
            )
            reach = bound[other, 3] + bound[p, 3]
            squared = dx * dx + dy * dy + dz * dz
            along = dx * key[0] + dy * key[1] + dz * key[2]
            beside = math.sqrt(max(squared - along * along, 0.0))
            if along > -reach and beside <= reach + lamp[0] * max(along + reach, 0.0) * 1.001:
                blockers[0, counts[0]] = other
                counts[0] += 1
            if math.sqrt(squared) <= (reach + reach_m) * 1.001:
                blockers[1, counts[1]] = other
                counts[1] += 1


@inlined()
def _passed(world, ray, t_end, blockers, row, count):
    """Share of light that passes a list of primitives up to `t_end`."""
    passed = 1.0
    k = 0
    while k < count and passed > 1e-3:
        p = blockers[row, k]
        t = hit(world, p, ray)
        if t < t_end:
            passed *= 1.0 - alpha_at(world, p, t, ray)
        k += 1
    return passed if passed > 1e-3 else 0.0


@inlined()
def _key_light(world, origin, normal, lamp, shift, blockers, count):
    key = (world.key_direction[0], world.key_direction[1], world.key_direction[2])
    facing = normal[0] * key[0] + normal[1] * key[1] + normal[2] * key[2]
    if facing <= 0.0:
        return 0.0
    softness, samples = lamp
    u, v = _basis(key)
    total = 0.0
    for i in range(samples):
        a, b = disc_point(
            wrapped(shift[0] + i * 0.7548776662), wrapped(shift[1] + i * 0.5698402910)
        )
        direction = _towards(key, u, v, a * softness, b * softness, 1.0)
        total += _passed(world, (origin, direction), FAR, blockers, 0, count)
    return facing * total / samples


@inlined()
def _sky_light(world, origin, normal, sky, shift, blockers, count):
    reach_m, samples = sky
    u, v = _basis(normal)
    total = 0.0
    for i in range(samples):
        a, b = disc_point(
            wrapped(shift[0] + i * 0.7548776662), wrapped(shift[1] + i * 0.5698402910)
        )
        up = math.sqrt(max(1e-4, 1.0 - a * a - b * b))
        direction = _towards(normal, u, v, a, b, up)
        total += _passed(world, (origin, direction), reach_m, blockers, 1, count)
    return total / samples


@entry()
def _bake(world, world_from_local, texels, lighting, out):
    total = world.geometry.kind.size
    blockers, counts = np.empty((2, total), np.int64), np.zeros(2, np.int64)
    listed = -1
    for k in range(texels.shape[0]):
        p, face = texels[k, 0], texels[k, 1]
        if p != listed:
            _list_blockers(world, p, lighting[0], lighting[1][0], blockers, counts)
            listed = p
        side = world.geometry.light_map[p, 1]
        kind = world.geometry.kind[p]
        q = surface_point(kind, face, (texels[k, 2] + 0.5) / side, (texels[k, 3] + 0.5) / side)
        point = _to_world(world_from_local, p, q)
        normal = world_normal(
            world.geometry.to_local, p, local_normal(kind, face, q), (point[0], point[1], point[2])
        )
        lift = LIFT * math.sqrt(point[0] ** 2 + point[1] ** 2 + point[2] ** 2)
        origin = (
            point[0] + lift * normal[0],
            point[1] + lift * normal[1],
            point[2] + lift * normal[2],
        )
        shift = (hashed(k, p, 0), hashed(k, p, 1))
        out[k, 0] = _key_light(world, origin, normal, lighting[0], shift, blockers, counts[0])
        out[k, 1] = _sky_light(world, origin, normal, lighting[1], shift, blockers, counts[1])


def light_map_layout(kinds, sides) -> tuple[np.ndarray, np.ndarray]:
    """Lay light maps one after another.

    Args:
        kinds: shape of each primitive.
        sides: side length of its maps; 0 for one that shines by itself.

    Returns:
        (P, 2) first texel and side, and the (L, 4) list of (primitive, face, column, row).
    """
    layout, texels, first = [], [], 0
    for p, (kind, side) in enumerate(zip(kinds, sides, strict=True)):
        layout.append((first, side))
        face, row, column = np.meshgrid(
            range(FACES[int(kind)] if side else 0), range(side), range(side), indexing="ij"
        )
        columns = [np.full(face.size, p), face.ravel(), column.ravel(), row.ravel()]
        texels.append(np.stack(columns, 1))
        first += face.size
    return np.array(layout, np.int64), np.concatenate(texels).astype(np.int64)


def bake(world: World, texels: np.ndarray, sky_colour: np.ndarray, lighting) -> np.ndarray:
    """Light every map of the world.

    Args:
        world: the scene; its `irradiance` is not read.
        texels: (L, 4) as from `light_map_layout`.
        sky_colour: (3,) colour of the light from all around.
        lighting: ((tangent of the key light's radius, samples), (reach of occlusion [m], samples)).

    Returns:
        (L, 3) float32 irradiance.
    """
    out = np.zeros((len(texels), 2))
    last_row = np.tile([[[0.0, 0.0, 0.0, 1.0]]], (len(world.geometry.kind), 1, 1))
    from_local = np.linalg.inv(np.concatenate([world.geometry.to_local, last_row], 1))
    _bake(world, np.ascontiguousarray(from_local), texels, lighting, out)
    return (out[:, :1] * world.key_colour + out[:, 1:] * sky_colour).astype(np.float32)
