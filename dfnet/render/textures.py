"""Procedural surface textures: (512, 512, 3) sRGB-encoded pictures in 0..1, rich at every scale.

What is in focus must show detail at the size of a pixel, or a network learns that sharp may be
soft: every texture gets fine grain. All but the printed ones repeat without a seam.
"""

import cv2
import numpy as np

SIDE = 512
GLYPHS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;!?&%#@"
FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_COMPLEX_SMALL,
)


def fractal_noise(rng, slope: float = 1.0, side: int = SIDE, stretch: float = 1.0) -> np.ndarray:
    """Seamless noise with spectrum 1/f^slope, mean 0, deviation 1; `stretch` makes it streaky."""
    fy, fx = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    frequency = np.hypot(fx * stretch, fy / stretch)
    frequency[0, 0] = 1.0
    spectrum = np.fft.rfft2(rng.standard_normal((side, side))) / frequency**slope
    spectrum[0, 0] = 0
    noise = np.fft.irfft2(spectrum, (side, side))
    return (noise / noise.std()).astype(np.float32)


def draw_colour(rng, dullest: float = 0.25, brightest: float = 0.85) -> np.ndarray:
    """One surface colour, seldom garish."""
    hue, saturation = rng.uniform(0, 360), 0.85 * rng.beta(1.2, 3.2)
    value = rng.uniform(dullest, brightest)
    hsv = np.array([[[hue, saturation, value]]], np.float32)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]


def related(rng, colour) -> np.ndarray:
    """A colour that goes with another: mostly lighter or darker, seldom a contrast."""
    if rng.random() < 0.25:
        return draw_colour(rng)
    tint = np.asarray(colour) * rng.uniform(0.92, 1.08, 3) * rng.choice([0.55, 0.75, 1.25, 1.5])
    return np.clip(tint, 0.02, 0.97)


def mix(a, b, share) -> np.ndarray:
    """Blend two colours or pictures by a (H, W) share of b."""
    share = np.clip(share, 0, 1)[..., None]
    return np.asarray(a) * (1 - share) + np.asarray(b) * share


def grained(rng, picture: np.ndarray) -> np.ndarray:
    """Add coarse dirt and fine grain, to some surfaces more than to others."""
    coarse = fractal_noise(rng, rng.uniform(0.9, 1.3))
    fine = fractal_noise(rng, rng.uniform(0.0, 0.6))
    worn = rng.uniform(0.15, 1.0)
    factor = 1 + worn * (rng.uniform(0.02, 0.08) * coarse + rng.uniform(0.03, 0.12) * fine)
    return np.clip(picture * factor[..., None], 0, 1)


def marble(rng) -> np.ndarray:
    """Two or three colours mixed by noise, with veins."""
    a = draw_colour(rng)
    b, c = related(rng, a), related(rng, a)
    noise = fractal_noise(rng, rng.uniform(0.7, 1.3))
    veins = np.exp(-np.abs(fractal_noise(rng, 1.2)) * rng.uniform(6, 20))
    return mix(mix(a, b, 0.5 + 0.4 * noise), c, veins)


def tiles(rng) -> np.ndarray:
    """Square tiles or a checkerboard with grout."""
    count = int(rng.choice([4, 8, 16, 32]))
    step = SIDE // count
    y, x = np.mgrid[:SIDE, :SIDE]
    shade = rng.normal(0, 0.03, (count, count))[y // step, x // step]
    a = draw_colour(rng, 0.4, 0.95)
    b = related(rng, a) if rng.random() < 0.4 else a
    picture = mix(a, b, ((x // step + y // step) % 2).astype(float))
    picture = np.clip(picture + shade[..., None], 0, 1)
    grout = np.minimum(x % step, y % step) < max(1, step // rng.integers(10, 24))
    picture[grout] = draw_colour(rng, 0.1, 0.6)
    return picture


def bricks(rng) -> np.ndarray:
    """Rows of bricks, every other row shifted by half a brick."""
    rows = int(rng.choice([8, 16, 32]))
    high = SIDE // rows
    wide = high * 2
    y, x = np.mgrid[:SIDE, :SIDE]
    shifted = (x + (y // high % 2) * high) % SIDE
    shade = rng.normal(0, 0.10, (rows, SIDE // wide))[y // high, shifted // wide]
    clay = np.array([0.6, 0.33, 0.25]) * rng.uniform(0.5, 1.3) if rng.random() < 0.6 else None
    colour = draw_colour(rng) if clay is None else clay
    picture = np.clip(colour + shade[..., None] * rng.uniform(0.6, 1.4, 3), 0, 1)
    joint = np.minimum(shifted % wide, y % high) < max(1, high // 8)
    picture[joint] = draw_colour(rng, 0.3, 0.8)
    return picture


def stripes(rng) -> np.ndarray:
    """Bands of several widths, upright or slanting."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    slant = int(rng.integers(-2, 3))
    phase = (x + slant * y) * rng.choice([4, 8, 16, 32])
    tones = rng.uniform(0.1, 1, (32, 1)) ** 0.7
    bands = tones * draw_colour(rng, 0.5, 1.0) + rng.normal(0, 0.05, (32, 3))
    return np.clip(bands[(phase * rng.integers(2, 8)).astype(int) % 32], 0, 1)


def cloth(rng) -> np.ndarray:
    """Threads over and under, in a tartan of two colours."""
    period = int(rng.choice([4, 8, 16]))
    y, x = np.mgrid[:SIDE, :SIDE]
    over = (x // period + y // period) % 2
    round_x = np.sin(np.pi * (x % period + 0.5) / period)
    round_y = np.sin(np.pi * (y % period + 0.5) / period)
    a = draw_colour(rng)
    b = related(rng, a)
    warp_is_b = rng.random(16)[x * 16 // SIDE] > 0.6
    weft_is_b = rng.random(16)[y * 16 // SIDE] > 0.6
    warp, weft = mix(a, b, warp_is_b.astype(float)), mix(a, b, weft_is_b.astype(float))
    light = np.where(over == 1, round_x, round_y) * 0.6 + 0.4
    return mix(warp, weft, over.astype(float)) * light[..., None]


def print_rows(rng, canvas: np.ndarray, ink) -> None:
    """Print rows of glyphs of several sizes onto a uint8 picture, in place."""
    baseline = 0
    while baseline < SIDE + 10:
        scale = float(rng.choice([0.35, 0.45, 0.6, 0.9, 1.6], p=[0.3, 0.3, 0.2, 0.1, 0.1]))
        baseline += int(30 * scale + rng.integers(2, 8))
        length = int(rng.integers(8, 30) / scale)
        text = "".join(rng.choice(list(GLYPHS + " " * 12), length))
        font = FONTS[rng.integers(len(FONTS))]
        start = (int(rng.integers(-10, 60)), baseline)
        cv2.putText(canvas, text, start, font, scale, ink, 2 if scale > 0.8 else 1, cv2.LINE_AA)


def page(rng) -> np.ndarray:
    """Printed paper."""
    dark_on_light = rng.random() < 0.7
    paper = draw_colour(rng, 0.75, 0.98) if dark_on_light else draw_colour(rng, 0.1, 0.4)
    ink = draw_colour(rng, 0.02, 0.3) if dark_on_light else draw_colour(rng, 0.7, 1.0)
    canvas = np.full((SIDE, SIDE, 3), paper * 255, np.uint8)
    print_rows(rng, canvas, tuple(float(v) for v in ink * 255))
    return canvas / np.float32(255)


def shapes(rng) -> np.ndarray:
    """A poster: discs, bars and lines over each other, with print."""
    canvas = np.full((SIDE, SIDE, 3), draw_colour(rng) * 255, np.uint8)
    for _ in range(int(rng.integers(40, 140))):
        ink = tuple(float(v) for v in draw_colour(rng, 0.05, 1.0) * 255)
        a, b = (tuple(int(v) for v in rng.integers(0, SIDE, 2)) for _ in range(2))
        kind = rng.integers(3)
        if kind == 0:
            cv2.circle(canvas, a, int(rng.gamma(2, 12)) + 2, ink, -1, cv2.LINE_AA)
        elif kind == 1:
            size = rng.gamma(2, 14, 2).astype(int) + 2
            cv2.rectangle(canvas, a, (a[0] + int(size[0]), a[1] + int(size[1])), ink, -1)
        else:
            cv2.line(canvas, a, b, ink, int(rng.integers(1, 7)), cv2.LINE_AA)
    if rng.random() < 0.6:
        print_rows(rng, canvas, tuple(float(v) for v in draw_colour(rng, 0.0, 1.0) * 255))
    return canvas / np.float32(255)


def cells(rng) -> np.ndarray:
    """Pebbles or terrazzo: Voronoi cells of random colours with dark joints."""
    count = int(rng.choice([60, 250, 900]))
    seeds = np.full((SIDE, SIDE), 255, np.uint8)
    seeds[tuple(rng.integers(0, SIDE, (2, count)))] = 0
    distance, label = cv2.distanceTransformWithLabels(
        np.tile(seeds, (2, 2)), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    half = slice(SIDE // 2, SIDE // 2 + SIDE)
    distance, label = distance[half, half], label[half, half]
    first = draw_colour(rng)
    palette = np.stack([related(rng, first) for _ in range(6)])
    shades = palette[rng.integers(6, size=label.max() + 1)] * rng.uniform(
        0.6, 1.2, (label.max() + 1, 1)
    )
    spacing = SIDE / np.sqrt(count)
    roundness = np.clip(1.25 - distance / spacing, 0.25, 1)
    return np.clip(shades[label] * roundness[..., None], 0, 1)


def wood(rng) -> np.ndarray:
    """Boards with grain along x."""
    boards = int(rng.choice([2, 4, 8]))
    y = np.mgrid[:SIDE, :SIDE][0]
    board = y * boards // SIDE
    wobble = fractal_noise(rng, 1.6, stretch=0.35) * rng.uniform(1, 4)
    rings = 0.5 + 0.5 * np.sin(y / SIDE * boards * rng.uniform(15, 50) + wobble)
    fibres = fractal_noise(rng, 0.5, stretch=0.2)
    brown = np.array([0.55, 0.38, 0.22]) * rng.uniform(0.4, 1.1)
    base = draw_colour(rng, 0.3, 0.8) * 0.3 + brown
    strength, paler = rng.uniform(0.05, 0.3), rng.uniform(0.75, 1.15, boards)
    tone = (1 - strength + strength * rings + 0.07 * fibres) * paler[board]
    picture = np.clip(base * tone[..., None], 0, 1)
    picture[y * boards % SIDE < boards * 2] *= 0.35
    return picture


def foliage(rng) -> np.ndarray:
    """Leaves over leaves: a hedge or a lawn."""
    canvas = np.full((SIDE, SIDE, 3), (10, 20, 8), np.uint8)
    length = rng.uniform(6, 22)
    for depth in np.linspace(0.25, 1, int(9000 / length)):
        x, y = (int(v) for v in rng.integers(0, SIDE, 2))
        green = np.array([rng.uniform(0.25, 0.75), rng.uniform(0.5, 0.95), rng.uniform(0.1, 0.4)])
        size = (int(length * rng.uniform(0.5, 1.2)) + 1, int(length * rng.uniform(0.1, 0.4)) + 1)
        ink = tuple(float(v) for v in green * depth * 235)
        cv2.ellipse(canvas, (x, y), size, rng.uniform(0, 360), 0, 360, ink, -1, cv2.LINE_AA)
    return canvas / np.float32(255)


def spines(rng) -> np.ndarray:
    """A shelf of books seen from the front."""
    canvas = np.zeros((SIDE, SIDE, 3), np.uint8)
    x = 0
    while x < SIDE:
        wide = int(rng.integers(14, 60))
        cover = draw_colour(rng, 0.15, 0.95)
        cv2.rectangle(
            canvas, (x, 0), (x + wide - 2, SIDE), tuple(float(v) for v in cover * 255), -1
        )
        strip = np.full((wide, SIDE, 3), cover * 255, np.uint8)
        text = "".join(rng.choice(list(GLYPHS + "   "), 26))
        ink = tuple(float(v) for v in draw_colour(rng, 0.6, 1.0) * 255)
        cv2.putText(strip, text, (20, wide * 2 // 3), FONTS[1], wide / 45, ink, 1, cv2.LINE_AA)
        upright = np.rot90(strip)[:, : max(0, SIDE - x)]
        canvas[:, x : x + wide - 2] = upright[:, : wide - 2]
        x += wide
    return canvas / np.float32(255)


def windows(rng) -> np.ndarray:
    """A house front: rows of windows."""
    count = int(rng.choice([4, 8]))
    step = SIDE // count
    y, x = np.mgrid[:SIDE, :SIDE]
    picture = bricks(rng)
    margin = step // 5
    glass = (np.minimum(x % step, step - 1 - x % step) > margin) & (y % step > margin)
    shade = rng.uniform(0.05, 0.7, (count, count))[y // step, x // step]
    picture[glass] = (draw_colour(rng, 0.3, 0.9) * shade[..., None])[glass]
    bars = glass & ((x % step // 2 == step // 4) | (y % step // 2 == step // 4))
    picture[bars] = draw_colour(rng, 0.6, 1.0)
    return picture


OBJECT_TEXTURES = (marble, stripes, cloth, cloth, page, shapes, cells, wood)
WALL_TEXTURES = (bricks, tiles, wood, stripes, marble, spines)
FLOOR_TEXTURES = (wood, wood, tiles, cells, cloth, marble)
