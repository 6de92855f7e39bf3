"""Printed surfaces: packages, pages, book spines, charts and screens, with lines of legible text.

Letters come from syllables, so that lines look like words of several lengths. Sizes differ: what
is shown whole (`newspaper`, `chart`) has 1024 texels on a side, a `spine` is narrow.
"""

import cv2
import numpy as np

from dfnet.render.textures import FONTS, SIDE, draw_colour

PAGE = 1024
SYLLABLES = [
    "la",
    "re",
    "mi",
    "to",
    "ka",
    "no",
    "su",
    "de",
    "vi",
    "ar",
    "en",
    "or",
    "sta",
    "lin",
    "ter",
    "ber",
    "gra",
    "mon",
    "pel",
    "qui",
    "ox",
    "fu",
    "zy",
    "hal",
]
SMALL_PRINT = 0.32  # putText scale: lower case letters about 6 texels tall


def words(rng, count: int) -> list[str]:
    """Made-up words of one to four syllables, some capitalised, some numbers."""
    made = []
    for _ in range(count):
        word = "".join(rng.choice(SYLLABLES, int(rng.integers(1, 5))))
        if rng.random() < 0.1:
            word = str(int(rng.integers(1, 5000)))
        made.append(word.capitalize() if rng.random() < 0.25 else word)
    return made


def _ink(colour) -> tuple:
    return tuple(float(v) for v in np.asarray(colour) * 255)


def _canvas(height: int, width: int, colour) -> np.ndarray:
    return np.full((height, width, 3), np.asarray(colour) * 255, np.uint8)


def write_line(rng, canvas, box, scale: float, ink, font=None) -> int:
    """Fill one line of text between the box's left and right ends; return the line's height."""
    left, right, y = box
    font = FONTS[0] if font is None else font
    text = ""
    for word in words(rng, 40):
        if cv2.getTextSize(text + word, font, scale, 1)[0][0] > right - left:
            break
        text += word + " "
    cv2.putText(canvas, text, (left, y), font, scale, ink, 1 + (scale > 0.9), cv2.LINE_AA)
    return int(30 * scale) + 3


def write_block(rng, canvas, corners, scale: float, ink) -> None:
    """Fill a rectangle (left, top, right, bottom) with lines of text, the last ones shorter."""
    left, top, right, bottom = corners
    y = top + int(24 * scale)
    while y < bottom:
        short = rng.random() < 0.15
        end = right if not short else left + int((right - left) * rng.uniform(0.3, 0.8))
        y += write_line(rng, canvas, (left, end, y), scale, ink)


def _two_inks(rng) -> tuple[np.ndarray, np.ndarray]:
    """A paper and an ink that stand out against each other."""
    if rng.random() < 0.6:
        return draw_colour(rng, 0.75, 0.98), draw_colour(rng, 0.02, 0.25)
    return draw_colour(rng, 0.1, 0.45), draw_colour(rng, 0.85, 1.0)


def _barcode(rng, canvas, corner) -> None:
    x, y = corner
    canvas[y : y + 60, x : x + 110] = 245
    bars = np.repeat(rng.random(50) < 0.5, 2)
    canvas[y + 5 : y + 48, x + 5 : x + 5 + bars.size][:, bars] = 15


def label(rng) -> np.ndarray:
    """The front of a package: a name, a band, a round picture, fine print and a bar code."""
    paper, ink = _two_inks(rng)
    canvas = _canvas(SIDE, SIDE, paper)
    band = int(rng.uniform(0.2, 0.55) * SIDE)
    cv2.rectangle(canvas, (0, 0), (SIDE, band), _ink(draw_colour(rng, 0.2, 0.9)), -1)
    spot = (int(rng.uniform(0.3, 0.7) * SIDE), int(rng.uniform(0.35, 0.6) * SIDE))
    for share in (1.0, 0.8, 0.45):
        radius = int(share * rng.uniform(60, 120))
        cv2.circle(canvas, spot, radius, _ink(draw_colour(rng, 0.3, 1.0)), -1, cv2.LINE_AA)
    name = "".join(rng.choice(SYLLABLES, 2)).upper()
    scale = rng.uniform(1.6, 3.0)
    font = FONTS[rng.integers(1, 4)]
    cv2.putText(canvas, name, (30, 90), font, scale, _ink(draw_colour(rng, 0.9, 1)), 5, cv2.LINE_AA)
    write_line(rng, canvas, (30, 480, 130), 0.6, _ink(ink))
    write_block(rng, canvas, (24, 350, 330, 500), SMALL_PRINT, _ink(ink))
    _barcode(rng, canvas, (370, 420))
    return canvas / np.float32(255)


def newspaper(rng) -> np.ndarray:
    """A page with headlines, columns of fine print and gray pictures; shown whole."""
    paper = np.array([0.93, 0.91, 0.86]) * rng.uniform(0.85, 1.05)
    canvas = _canvas(PAGE, PAGE, np.clip(paper, 0, 1))
    ink = _ink(np.full(3, rng.uniform(0.03, 0.15)))
    write_line(rng, canvas, (30, PAGE - 30, 80), 2.4, ink, FONTS[3])
    cv2.line(canvas, (30, 100), (PAGE - 30, 100), ink, 2)
    columns = int(rng.integers(3, 6))
    wide = (PAGE - 40) // columns
    for k in range(columns):
        left, y = 20 + k * wide, 115
        while y < PAGE - 40:
            high = int(rng.integers(120, 300))
            corners = (left, y, left + wide - 16, min(y + high, PAGE - 20))
            _article(rng, canvas, corners, ink)
            y += high + 14
    return canvas / np.float32(255)


def _article(rng, canvas, corners, ink) -> None:
    left, top, right, bottom = corners
    if rng.random() < 0.3:
        tone = cv2.resize(rng.uniform(30, 225, (7, 7)).astype(np.float32), (right - left, 100))
        space = canvas[top : top + 100, left:right]
        space[:] = tone[: space.shape[0], :, None]
        top += 108
    elif rng.random() < 0.5:
        top += write_line(rng, canvas, (left, right, top + 22), 0.8, ink, FONTS[2]) + 12
    write_block(rng, canvas, (left, top, right, bottom), rng.choice([0.32, 0.38]), ink)


def book_page(rng) -> np.ndarray:
    """One page of a book: a title and even lines, with wide margins; shown whole."""
    canvas = _canvas(PAGE, PAGE * 3 // 4 // 64 * 64, draw_colour(rng, 0.85, 0.97) * [1, 0.99, 0.95])
    ink = _ink(np.full(3, rng.uniform(0.05, 0.2)))
    right = canvas.shape[1] - 60
    write_line(rng, canvas, (60, right, 100), 1.1, ink, FONTS[3])
    write_block(rng, canvas, (60, 140, right, PAGE - 90), float(rng.choice([0.4, 0.5, 0.6])), ink)
    return canvas / np.float32(255)


def spine(rng) -> np.ndarray:
    """The back of one book, its title along it: 512 x 128 texels."""
    cover, ink = draw_colour(rng, 0.1, 0.9), draw_colour(rng, 0.8, 1.0)
    if cover.mean() > 0.55:
        ink = draw_colour(rng, 0.0, 0.25)
    strip = _canvas(128, SIDE, cover)
    for x in rng.choice([24, 40, 440, 470, 488], 2, replace=False):
        cv2.line(strip, (int(x), 0), (int(x), 128), _ink(ink), int(rng.integers(1, 6)))
    scale = rng.uniform(0.9, 1.6)
    write_line(rng, strip, (60, 430, 60), scale, _ink(ink), FONTS[rng.integers(1, 4)])
    write_line(rng, strip, (60, 400, 108), 0.6, _ink(ink))
    return np.ascontiguousarray(np.rot90(strip)) / np.float32(255)


def chart(rng) -> np.ndarray:
    """A test chart: a star, bars of shrinking width, checks and letters; shown whole."""
    y, x = np.mgrid[:PAGE, :PAGE].astype(np.float32)
    gray = np.full((PAGE, PAGE), 0.9, np.float32)
    angle = np.arctan2(y - 350, x - 350)
    radius = np.hypot(y - 350, x - 350)
    gray[radius < 290] = (0.5 + 0.45 * np.sign(np.sin(angle * rng.integers(18, 48))))[radius < 290]
    bars = np.sign(np.sin(x**1.7 / rng.uniform(900, 1800)))
    gray[720:800, 40:980] = (0.5 + 0.45 * bars)[720:800, 40:980]
    checks = (x // 16 + y // 16) % 2 * 0.9
    gray[100:600, 720:960] = checks[100:600, 720:960]
    canvas = (np.clip(gray, 0, 1)[..., None] * 255).repeat(3, 2).astype(np.uint8)
    for k, scale in enumerate((1.8, 1.1, 0.7, 0.45)):
        write_line(rng, canvas, (50, 970, 860 + 42 * k), scale, (20.0, 20.0, 20.0), FONTS[2])
    return canvas / np.float32(255)


def screen(rng) -> np.ndarray:
    """What a monitor or a shop sign shows: panels, a picture, rows of text."""
    dark = rng.random() < 0.5
    canvas = _canvas(SIDE, SIDE, draw_colour(rng, 0.05, 0.2) if dark else np.full(3, 0.95))
    ink = (230.0, 235.0, 240.0) if dark else (30.0, 30.0, 40.0)
    cv2.rectangle(canvas, (0, 0), (SIDE, 36), _ink(draw_colour(rng, 0.2, 0.9)), -1)
    for _ in range(int(rng.integers(3, 8))):
        a = rng.integers(0, 420, 2)
        b = a + rng.integers(40, 220, 2)
        panel = _ink(draw_colour(rng, 0.1, 1.0))
        cv2.rectangle(canvas, tuple(map(int, a)), tuple(map(int, b)), panel, -1)
    write_block(rng, canvas, (20, 60, 300, 480), 0.45, ink)
    return canvas / np.float32(255)


LABELS = (label,)
PAGES = (newspaper, book_page, chart, newspaper, book_page)
