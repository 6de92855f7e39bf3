"""Smooth, woven and grown surfaces: what most of a real place is covered with.

(512, 512, 3) sRGB-encoded pictures in 0..1 that repeat. Unlike the printed ones these are calm:
paint, skin, metal and plaster hardly have detail, as in photographs.
"""

import cv2
import numpy as np

from dfnet.render.textures import SIDE, draw_colour, fractal_noise, mix

WARM = np.array([0.55, 0.38, 0.22])


def shaded(colour, *noises) -> np.ndarray:
    """One colour, its brightness varied by (strength, (512, 512) noise) pairs."""
    factor = 1 + sum(strength * noise for strength, noise in noises)
    return np.clip(np.asarray(colour, np.float32) * factor[..., None], 0, 1)


def plain(rng) -> np.ndarray:
    """Paint, plastic or ceramic: one colour with a breath of variation."""
    dullest, brightest = (0.03, 0.2) if rng.random() < 0.2 else (0.3, 0.95)
    colour = draw_colour(rng, dullest, brightest)
    return shaded(
        colour,
        (rng.uniform(0.005, 0.02), fractal_noise(rng, 1.6)),
        (rng.uniform(0.002, 0.012), fractal_noise(rng, 0.2)),
    )


def paint(rng) -> np.ndarray:
    """A painted wall: pale, with the faint texture of a roller."""
    colour = draw_colour(rng, 0.6, 0.95) * 0.6 + 0.4 * np.array([0.95, 0.93, 0.88])
    return shaded(
        colour,
        (rng.uniform(0.01, 0.03), fractal_noise(rng, 1.4)),
        (rng.uniform(0.004, 0.03), fractal_noise(rng, 0.5)),
    )


def plaster(rng) -> np.ndarray:
    """Rough plaster or concrete."""
    colour = mix(draw_colour(rng, 0.4, 0.85), np.full(3, 0.65), np.full((1, 1), 0.6))[0, 0]
    pits = np.minimum(fractal_noise(rng, 0.8) + 1.2, 0)
    return shaded(
        colour, (0.06, fractal_noise(rng, 1.2)), (0.05, fractal_noise(rng, 0.3)), (0.2, pits)
    )


def asphalt(rng) -> np.ndarray:
    """Gray grit."""
    colour = np.full(3, rng.uniform(0.25, 0.5)) * rng.uniform(0.95, 1.05, 3)
    return shaded(colour, (0.05, fractal_noise(rng, 1.3)), (0.16, fractal_noise(rng, 0.15)))


def metal(rng) -> np.ndarray:
    """Brushed metal: fine streaks along x."""
    colour = np.full(3, rng.uniform(0.35, 0.8)) * rng.uniform(0.92, 1.05, 3)
    return shaded(
        colour, (0.05, fractal_noise(rng, 0.6, stretch=0.15)), (0.03, fractal_noise(rng, 1.4))
    )


def skin(rng) -> np.ndarray:
    """Skin, or the dough and rubber that look like it."""
    colour = np.array([0.88, 0.67, 0.55]) * rng.uniform(0.35, 1.08)
    return shaded(colour, (0.02, fractal_noise(rng, 1.5)), (0.015, fractal_noise(rng, 0.6)))


def bark(rng) -> np.ndarray:
    """Bark or weathered wood: long cracks along y."""
    colour = WARM * rng.uniform(0.5, 1.2) + rng.uniform(0, 0.2)
    cracks = np.minimum(fractal_noise(rng, 0.9, stretch=3.0) + 0.5, 0)
    return shaded(colour, (0.25, cracks), (0.1, fractal_noise(rng, 0.4, stretch=2.0)))


def stem(rng) -> np.ndarray:
    """A green or straw-coloured stalk."""
    green = np.array([rng.uniform(0.3, 0.75), rng.uniform(0.45, 0.75), rng.uniform(0.1, 0.35)])
    return shaded(green, (0.08, fractal_noise(rng, 0.8, stretch=3.0)))


def fabric(rng) -> np.ndarray:
    """A plain weave or knit, seen from afar as one colour."""
    period = int(rng.choice([4, 8, 8, 16]))
    y, x = np.mgrid[:SIDE, :SIDE] * (2 * np.pi / period)
    slant = rng.integers(0, 2)
    threads = np.sin(x + slant * y) * np.sin(y - slant * x)
    colour = draw_colour(rng, 0.15, 0.85)
    return shaded(colour, (rng.uniform(0.06, 0.2), threads), (0.05, fractal_noise(rng, 1.2)))


def lawn(rng) -> np.ndarray:
    """Short grass from above: blades over blades."""
    canvas = np.full((SIDE, SIDE, 3), (35, 50, 20), np.uint8)
    for depth in np.linspace(0.35, 1, 2600):
        x, y = (int(v) for v in rng.integers(0, SIDE, 2))
        end = (x + int(rng.normal(0, 7)), y - int(rng.uniform(8, 26)))
        green = np.array([rng.uniform(0.3, 0.7), rng.uniform(0.5, 0.8), rng.uniform(0.15, 0.35)])
        ink = tuple(float(v) for v in green * depth * 235)
        for shift in (0, SIDE):  # blades that leave at the top come back below
            cv2.line(
                canvas,
                (x, y + shift),
                (end[0], end[1] + shift),
                ink,
                1 + int(depth > 0.8),
                cv2.LINE_AA,
            )
    return canvas / np.float32(255)


def soil(rng) -> np.ndarray:
    """Earth with crumbs and dry leaves."""
    colour = WARM * rng.uniform(0.4, 0.9)
    picture = shaded(colour, (0.18, fractal_noise(rng, 0.7)), (0.12, fractal_noise(rng, 0.2)))
    canvas = np.ascontiguousarray(picture * 255, np.float32).astype(np.uint8)
    for _ in range(int(rng.integers(0, 160))):
        centre = tuple(int(v) for v in rng.integers(0, SIDE, 2))
        size = (int(rng.uniform(5, 16)), int(rng.uniform(2, 7)))
        ink = tuple(float(v) for v in WARM * rng.uniform(0.5, 1.6) * 255)
        cv2.ellipse(canvas, centre, size, rng.uniform(0, 360), 0, 360, ink, -1, cv2.LINE_AA)
    return canvas / np.float32(255)


def outside(rng) -> np.ndarray:
    """What a window shows: a bright sky above roofs and trees; shown whole."""
    y = np.linspace(0, 1, SIDE)[:, None]
    sky = np.array([rng.uniform(0.8, 1.0), rng.uniform(0.9, 1.0), 1.0])
    skyline = rng.uniform(0.5, 0.95) + 0.05 * fractal_noise(rng, 1.5)[:1] + 0 * y
    trees = shaded(np.array([0.35, 0.45, 0.25]), (0.3, fractal_noise(rng, 0.9)))
    clouds = shaded(sky, (0.04, fractal_noise(rng, 1.6)))
    return mix(clouds, trees, np.clip((y - skyline) * 60 + 0.5, 0, 1))


OUTSIDES = (outside,)
PLAIN = (plain,)
CALM_WALLS = (paint, paint, paint, plaster)
METALS = (metal,)
SKINS = (skin,)
BARKS = (bark,)
STEMS = (stem,)
FABRICS = (fabric,)
GROUNDS = (lawn, soil, lawn)
ROADS = (asphalt, asphalt, plaster)
