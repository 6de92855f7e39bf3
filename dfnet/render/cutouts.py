"""Textures with holes: (512, 512, 4) sRGB colours and alpha. Colours go on under the holes."""

import cv2
import numpy as np

from dfnet.render.textures import SIDE, cloth, draw_colour, fractal_noise, grained, mix

FINER = 2  # drawn this much larger, then reduced: smooth edges


def _with_alpha(rng, colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    picture = grained(rng, colours)
    alpha = alpha.astype(np.float32) / 255
    if alpha.shape[0] != SIDE:
        alpha = cv2.resize(alpha, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.dstack([picture, alpha])


def leaves(rng) -> np.ndarray:
    """A branch with leaves, nothing at the border."""
    side = SIDE * FINER
    alpha = np.zeros((side, side), np.uint8)
    tint = np.full((side, side, 3), (40, 60, 20), np.uint8)
    stem = np.array([[0.5, 0.93], [0.5, 0.6], [0.45, 0.35], [0.55, 0.1]]) * side
    stem[1:3, 0] += rng.normal(0, 0.08, 2) * side
    t = np.linspace(0, 1, 40)
    path = np.stack([np.interp(t * 3, range(4), stem[:, k]) for k in range(2)], 1)
    cv2.polylines(alpha, [path.astype(np.int32)], False, 255, int(side * 0.012), cv2.LINE_AA)
    long = rng.uniform(0.07, 0.14) * side
    for x, y in path[2::1]:
        angle = rng.uniform(0, 360)
        size = (int(long * rng.uniform(0.7, 1.2)), int(long * rng.uniform(0.2, 0.45)))
        radians = np.deg2rad(angle)
        centre = np.array([x + size[0] * np.cos(radians), y + size[0] * np.sin(radians)])
        centre = tuple(int(v) for v in np.clip(centre, 0.16 * side, 0.84 * side))
        green = np.array([rng.uniform(60, 145), rng.uniform(95, 185), rng.uniform(30, 90)])
        cv2.ellipse(alpha, centre, size, angle, 0, 360, 255, -1, cv2.LINE_AA)
        cv2.ellipse(tint, centre, size, angle, 0, 360, tuple(green.tolist()), -1, cv2.LINE_AA)
        tip = np.array([np.cos(radians), np.sin(radians)]) * size[0]
        ends = [tuple(int(v) for v in centre + s * tip) for s in (-1, 1)]
        cv2.line(tint, *ends, tuple((green * 0.6).tolist()), 3, cv2.LINE_AA)
    colours = cv2.resize(tint, (SIDE, SIDE), interpolation=cv2.INTER_AREA) / np.float32(255)
    return _with_alpha(rng, colours, alpha)


def wire_mesh(rng) -> np.ndarray:
    """A fence of crossing wires; repeats."""
    count, thick = int(rng.choice([4, 6, 8])), rng.uniform(0.05, 0.14)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE * count
    slanted = rng.random() < 0.6
    u, v = (x + y, x - y) if slanted else (x, y)
    gap = np.minimum(np.abs(u - np.round(u)), np.abs(v - np.round(v)))
    alpha = np.clip((thick - gap) * SIDE / count + 0.5, 0, 1) * 255
    light = (0.5 + 0.5 * np.clip(1 - gap / thick, 0, 1))[..., None]
    return _with_alpha(rng, draw_colour(rng, 0.2, 0.9) * light, alpha)


def lattice(rng) -> np.ndarray:
    """Boards with gaps; repeats."""
    count, share = int(rng.choice([3, 4, 6])), rng.uniform(0.25, 0.6)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE * count
    across = np.abs(x % 1 - 0.5) < share / 2
    rails = np.abs(y / count - 0.5) < 0.06
    fibres = 0.85 + 0.1 * fractal_noise(rng, 0.6, stretch=3.0)
    colour = draw_colour(rng, 0.3, 0.9) * fibres[..., None]
    return _with_alpha(rng, colour, (across | rails) * 255)


def grass(rng) -> np.ndarray:
    """Blades that rise from the lower edge."""
    side = SIDE * FINER
    alpha = np.zeros((side, side), np.uint8)
    tint = np.full((side, side, 3), (50, 80, 25), np.uint8)
    for _ in range(int(rng.integers(40, 110))):
        foot, lean = rng.uniform(0.1, 0.9) * side, rng.normal(0, 0.13) * side
        top = rng.uniform(0.05, 0.6) * side
        t = np.linspace(0, 1, 16)[:, None]
        spine = np.hstack([np.clip(foot + lean * t**2, 20, side - 20), side - 3 - t * (side - top)])
        wide = np.hstack([(1 - t) * rng.uniform(0.006, 0.014) * side, 0 * t])
        blade = np.concatenate([spine - wide, (spine + wide)[::-1]]).astype(np.int32)
        green = np.array([rng.uniform(60, 170), rng.uniform(95, 185), rng.uniform(30, 90)])
        cv2.fillPoly(alpha, [blade], 255, cv2.LINE_AA)
        cv2.fillPoly(tint, [blade], tuple(green.tolist()), cv2.LINE_AA)
    colours = cv2.resize(tint, (SIDE, SIDE), interpolation=cv2.INTER_AREA) / np.float32(255)
    return _with_alpha(rng, colours, alpha)


def lace(rng) -> np.ndarray:
    """Cloth with round holes; repeats."""
    count = int(rng.choice([4, 8]))
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE * count
    radius = np.hypot(x % 1 - 0.5, y % 1 - 0.5)
    alpha = np.clip((radius - rng.uniform(0.25, 0.4)) * SIDE / count + 0.5, 0, 1) * 255
    return _with_alpha(rng, cloth(rng), alpha)


def splash(rng) -> np.ndarray:
    """One ragged shape, nothing at the border."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    reach = 0.62 - np.hypot(x, y) + 0.12 * np.clip(fractal_noise(rng, 1.5), -2, 2)
    alpha = np.clip(reach * 120, 0, 1) * (np.maximum(abs(x), abs(y)) < 0.96) * 255
    colours = mix(draw_colour(rng), draw_colour(rng), 0.5 + 0.4 * fractal_noise(rng, 1.0))
    return _with_alpha(rng, colours, alpha)


def leaf(rng) -> np.ndarray:
    """One leaf with its veins, its stalk in the middle of the lower edge."""
    side = SIDE
    t = np.linspace(0, 1, 60)
    wide = rng.uniform(0.16, 0.42) * np.sin(np.pi * t ** rng.uniform(0.6, 1.1)) * side
    wavy = 1 + rng.uniform(0, 0.12) * np.sin(t * rng.integers(20, 60))
    middle = side / 2 + rng.normal(0, 0.05) * side * np.sin(np.pi * t)
    y = side * (0.9 - 0.84 * t)
    left, right = np.stack([middle - wide * wavy, y], 1), np.stack([middle + wide * wavy, y], 1)
    alpha = np.zeros((side, side), np.uint8)
    outline = np.clip(np.concatenate([left, right[::-1]]), 8, side - 9).astype(np.int32)
    cv2.fillPoly(alpha, [outline], 255, cv2.LINE_AA)
    cv2.line(alpha, (side // 2, side - 4), (side // 2, int(0.88 * side)), 255, 9)
    green = np.array([rng.uniform(0.2, 0.75), rng.uniform(0.4, 0.75), rng.uniform(0.08, 0.3)])
    tint = np.full((side, side, 3), green * 255, np.uint8)
    vein = tuple(float(v) for v in np.clip(green * 1.35, 0, 1) * 255)
    spine = np.stack([middle, y], 1).astype(np.int32)
    cv2.polylines(tint, [spine], False, vein, 5, cv2.LINE_AA)
    for k in range(6, 56, 5):
        for edge in (left, right):
            tip = edge[min(k + 8, 59)].astype(np.int32)
            cv2.line(tint, tuple(map(int, spine[k])), tuple(map(int, tip)), vein, 2, cv2.LINE_AA)
    return _with_alpha(rng, tint / np.float32(255), alpha)


def glass(rng) -> np.ndarray:
    """Clear glass: nearly nothing, with a few upright streaks of reflected light; repeats."""
    x = np.arange(SIDE) / SIDE
    streaks = sum(
        np.exp(-(((x - c) / w) ** 2)) for c, w in rng.uniform((0.1, 0.005), (0.9, 0.04), (4, 2))
    )
    alpha = np.tile(np.clip(rng.uniform(0.06, 0.16) + 0.3 * streaks, 0, 0.45), (SIDE, 1))
    colour = np.full((SIDE, SIDE, 3), (0.85, 0.95, 0.92), np.float32)
    return np.dstack([colour, alpha.astype(np.float32)])


def chain_link(rng) -> np.ndarray:
    """Thin galvanised wire in diamonds; repeats."""
    count, thick = int(rng.choice([4, 6])), rng.uniform(0.025, 0.05)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE * count
    u, v = x + y, x - y
    bent = 0.06 * np.sin(2 * np.pi * y)
    gap = np.minimum(np.abs(u - np.round(u) + bent), np.abs(v - np.round(v) - bent))
    alpha = np.clip((thick - gap) * SIDE / count + 0.5, 0, 1) * 255
    light = (0.4 + 0.6 * np.clip(1 - gap / thick, 0, 1))[..., None]
    return _with_alpha(rng, np.full(3, rng.uniform(0.35, 0.8)) * light, alpha)


CARDS = (leaves, leaves, grass, splash)  # shown once, whole
SPRAYS = (leaves,)
LEAVES = (leaf,)
GLASS = (glass,)
FENCES = (chain_link, wire_mesh)
SCREENS = (wire_mesh, lattice, lace, chain_link)  # repeat over a surface
