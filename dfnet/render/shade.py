"""Colour and opacity of a surface point: mip-mapped texture, light map, highlight."""

import math

from dfnet.render.geometry import (
    NOTHING,
    hit,
    local_normal,
    surface_coordinates,
    to_local_ray,
    world_normal,
)
from dfnet.render.kernels import inlined

OPAQUE_ABOVE = 0.5  # truth, shadows and visibility treat more than this as solid


@inlined()
def _neighbours(coordinate, size, mirrored):
    """The two texels beside a coordinate that repeats, and the share of the second."""
    below = math.floor(coordinate)
    period = 2 * size if mirrored else size
    first = int(below - period * math.floor(below / period))
    second = first + 1 if first + 1 < period else 0
    if mirrored:
        first = first if first < size else period - 1 - first
        second = second if second < size else period - 1 - second
    return first, second, coordinate - below


@inlined()
def texel(textures, index, u, v, level):
    """Bilinear texture colour, linear light.

    Args:
        textures: the record.
        index: which texture.
        u: column, in texels of level 0; any real number (textures repeat).
        v: row, likewise.
        level: mip level, 0 the finest.

    Returns:
        (red, green, blue, alpha); alpha in 0..1.
    """
    first = textures.table[index, level, 0]
    width, height = textures.table[index, level, 1], textures.table[index, level, 2]
    scale = 1.0 / (1 << level)
    mirrored = textures.mirrored[index]
    ia, ib, fx = _neighbours(u * scale - 0.5, width, mirrored)
    ja, jb, fy = _neighbours(v * scale - 0.5, height, mirrored)
    ja, jb = first + width * ja, first + width * jb
    corners = (ja + ia, ja + ib, jb + ia, jb + ib)
    weights = ((1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy)
    red = green = blue = alpha = 0.0
    for k in range(4):
        c, weight = corners[k], weights[k]
        red += weight * textures.linear[textures.texels[c, 0]]
        green += weight * textures.linear[textures.texels[c, 1]]
        blue += weight * textures.linear[textures.texels[c, 2]]
        alpha += weight * textures.texels[c, 3]
    return red, green, blue, alpha / 255.0


@inlined()
def _mip_level(textures, index, footprint_texels, dither):
    # A dithered level averages, over the lens samples, to trilinear filtering at half its cost.
    level, last = 0, textures.levels[index] - 1
    while footprint_texels > 2.0 and level < last:
        footprint_texels *= 0.5
        level += 1
    # Between powers of two, a straight line for the logarithm (at most 0.09 off, and faster).
    level += int(max(footprint_texels - 1.0, 0.0) + dither)
    return min(level, last)


@inlined()
def covering(world, p, q, footprint_m, dither):
    """Texture of primitive `p` at local point `q`, with the light map's coordinates there."""
    half = (
        world.geometry.half_m[p, 0],
        world.geometry.half_m[p, 1],
        world.geometry.half_m[p, 2],
    )
    face, u, v, u_m, v_m = surface_coordinates(world.geometry.kind[p], q, half)
    u_per_m, v_per_m = world.geometry.texels_per_m[p, 0], world.geometry.texels_per_m[p, 1]
    index = world.geometry.texture[p]
    level = _mip_level(world.textures, index, footprint_m * max(u_per_m, v_per_m), dither)
    colour = texel(
        world.textures,
        index,
        u_m * u_per_m + world.geometry.texel_offset[p, 0],
        v_m * v_per_m + world.geometry.texel_offset[p, 1],
        level,
    )
    return colour, face, u, v


@inlined()
def _irradiance(world, p, face, u, v):
    side = world.geometry.light_map[p, 1]
    x = min(max(u * side - 0.5, 0.0), side - 1.001)
    y = min(max(v * side - 0.5, 0.0), side - 1.001)
    i, j = int(x), int(y)
    fx, fy = x - i, y - j
    c = world.geometry.light_map[p, 0] + (face * side + j) * side + i
    corners = (c, c + 1, c + side, c + side + 1)
    weights = ((1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy)
    red = green = blue = 0.0
    for k in range(4):
        red += weights[k] * world.irradiance[corners[k], 0]
        green += weights[k] * world.irradiance[corners[k], 1]
        blue += weights[k] * world.irradiance[corners[k], 2]
    return red, green, blue


@inlined()
def _highlight(world, p, face, q, direction):
    # Blinn-Phong with the key light; the light map's brightness shadows it (see `shade`).
    strength, exponent = world.geometry.gloss[p, 0], world.geometry.gloss[p, 1]
    normal = world_normal(
        world.geometry.to_local, p, local_normal(world.geometry.kind[p], face, q), direction
    )
    inverse = 1.0 / math.sqrt(direction[0] ** 2 + direction[1] ** 2 + direction[2] ** 2)
    hx = world.key_direction[0] - direction[0] * inverse
    hy = world.key_direction[1] - direction[1] * inverse
    hz = world.key_direction[2] - direction[2] * inverse
    cosine = (normal[0] * hx + normal[1] * hy + normal[2] * hz) / math.sqrt(
        hx * hx + hy * hy + hz * hz
    )
    return strength * max(cosine, 0.0) ** exponent


@inlined()
def shade(world, p, t, ray, footprint_m, dither):
    """Radiance towards the ray's origin from primitive `p` at `t`, and its opacity.

    Args:
        world: the scene.
        p: primitive.
        t: ray parameter of the hit.
        ray: (origin, direction), each a tuple of three floats.
        footprint_m: the width that one sample stands for, at the hit [m].
        dither: 0..1, decides between two mip levels.

    Returns:
        (red, green, blue, alpha), colour not premultiplied.
    """
    o, d = to_local_ray(world.geometry.to_local, p, ray[0], ray[1])
    q = (o[0] + t * d[0], o[1] + t * d[1], o[2] + t * d[2])
    (red, green, blue, alpha), face, u, v = covering(world, p, q, footprint_m, dither)
    own = world.geometry.emission[p]
    light = (own, own, own) if own > 0.0 else _irradiance(world, p, face, u, v)
    shine = 0.0
    if world.geometry.gloss[p, 0] > 0.0:
        shine = _highlight(world, p, face, q, ray[1])
    return (
        light[0] * (red + shine * world.key_colour[0]),
        light[1] * (green + shine * world.key_colour[1]),
        light[2] * (blue + shine * world.key_colour[2]),
        alpha,
    )


@inlined()
def alpha_at(world, p, t, ray):
    """Opacity of primitive `p` where the ray meets it at `t`, at the finest mip level."""
    alpha = 1.0
    if world.geometry.see_through[p]:
        o, d = to_local_ray(world.geometry.to_local, p, ray[0], ray[1])
        q = (o[0] + t * d[0], o[1] + t * d[1], o[2] + t * d[2])
        alpha = covering(world, p, q, 0.0, 0.0)[0][3]
    return alpha


@inlined()
def first_solid_hit(world, ray):
    """Nearest solid surface along a ray: (t, primitive), or (`NOTHING`, -1)."""
    nearest, which = NOTHING, -1
    for p in range(world.geometry.kind.size):
        t = hit(world, p, ray)
        if t < nearest and alpha_at(world, p, t, ray) > OPAQUE_ABOVE:
            nearest, which = t, p
    return nearest, which


@inlined()
def transmittance(world, ray, t_end):
    """Share of light that passes from the ray's origin to `t_end`; shining things do not block."""
    passed = 1.0
    p = 0
    while p < world.geometry.kind.size and passed > 1e-3:
        if world.geometry.emission[p] == 0.0:
            t = hit(world, p, ray)
            if t < t_end:
                passed *= 1.0 - alpha_at(world, p, t, ray)
        p += 1
    return passed if passed > 1e-3 else 0.0
