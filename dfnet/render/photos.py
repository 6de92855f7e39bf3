"""Photographs as surface textures: crops that are sharp at the size of a texel."""

from pathlib import Path

import cv2
import numpy as np

from dfnet.errors import InputError

SIDE = 640
TRIES = 6
SHARP_ENOUGH = 0.035  # deviation of the Laplacian; 0.02 looks out of focus, 0.05 crisp
CRISP = 2.5  # crispness; photographs have 1.9 to 9.9, blurred by 1.2 texels 1.2 to 1.7
SMALLEST_SIDE = 256  # a soft photograph is not halved below this


def sharpness(picture: np.ndarray) -> float:
    """Deviation of the Laplacian of a (H, W, 3) picture in 0..1, in its smoothest quarter."""
    gray = cv2.cvtColor(np.ascontiguousarray(picture, np.float32), cv2.COLOR_RGB2GRAY)
    detail = cv2.Laplacian(gray, cv2.CV_32F)
    middle = [n // 2 for n in gray.shape]
    quarters = [q for rows in np.split(detail, [middle[0]]) for q in np.split(rows, [middle[1]], 1)]
    return float(min(q.std() for q in quarters))


def crispness(picture: np.ndarray) -> float:
    """How much gradient energy a blur of one texel takes away: a soft picture has none to lose.

    It compares a picture with its own blurred version, as Crete et al., "The blur effect" (2007),
    so that it does not depend on contrast.
    """
    gray = cv2.cvtColor(np.ascontiguousarray(picture, np.float32), cv2.COLOR_RGB2GRAY)
    energy = [
        sum(float((np.diff(g, axis=k) ** 2).mean()) for k in (0, 1))
        for g in (gray, cv2.GaussianBlur(gray, None, 1.0))
    ]
    return energy[0] / max(energy[1], 1e-12)


def draw_photo(rng: np.random.Generator, files: tuple[Path, ...]) -> np.ndarray:
    """A sharp crop of a random photograph.

    Lens blur in a photograph would teach that a surface in focus may be soft: soft ones are
    halved until they are crisp, and the first of several crops that is both crisp and detailed is
    taken, or the best.

    Args:
        rng: source of file and crop.
        files: photographs.

    Returns:
        (up to 640, up to 640, 3) sRGB-encoded float in 0..1.
    """
    best, best_score = None, -1.0
    for _ in range(TRIES):
        picture = _read(files[rng.integers(len(files))], rng.uniform(640, 1100))
        crop = _random_crop(rng, picture)
        while crispness(crop) < CRISP and min(picture.shape[:2]) >= 2 * SMALLEST_SIDE:
            picture = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            crop = _random_crop(rng, picture)
        score = min(crispness(crop) / CRISP, sharpness(crop) / SHARP_ENOUGH)
        if score > best_score:
            best, best_score = crop, score
        if score >= 1:
            break
    return best


def _read(path: Path, long_side: float) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise InputError(f"{path}: cannot be read as a photograph\n  Remove or replace the file.")
    # Never enlarged: at most 90 % of its size, which hides demosaicking softness and JPEG blocks.
    scale = min(0.9, long_side / max(picture.shape))
    picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return picture[..., ::-1].astype(np.float32) / 255


def _random_crop(rng, picture: np.ndarray) -> np.ndarray:
    # Multiples of 64 can be halved six times without a remainder.
    high, wide = (min(SIDE, n // 64 * 64) for n in picture.shape[:2])
    y = int(rng.integers(picture.shape[0] - high + 1))
    x = int(rng.integers(picture.shape[1] - wide + 1))
    return picture[y : y + high, x : x + wide]
