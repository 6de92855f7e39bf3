"""UW's colours made W's: curves by histogram, a robust quadratic fit, and a smooth local gain."""

from typing import NamedTuple

import cv2
import numba
import numpy as np

HISTOGRAM_LEVELS = 256
FIT_BLUR_SIDE_SHARE = 1 / 160  # sigma over the longer side: kills the difference in defocus
FIT_SIDE_PX = 512
FIT_SAMPLES = 20_000
MIN_PIXELS = 500
REWEIGHTINGS = 6
RIDGE = 2e-3
CLIPPED = 0.985
WHITE_FROM = np.float32(0.96)  # all of UW's channels above it: clipped, or nearly
GAIN_SIDE_PX = 256
GAIN_SIGMA_SHARE = 1 / 20  # of the longer side: much wider than any blur of W's
GAIN_RIDGE = 0.02
GAIN_OUTLIER = 0.1  # differences beyond this are misaligned, not recoloured
GAIN_RANGE = (0.6, 1.6)


class ColourMap(NamedTuple):
    """UW's colours to W's, applied in the order of the fields; all of it in sRGB encoding.

    Attributes:
        curves: (3, levels) of `histogram_curves`.
        coefficients: (10, 3) of `fit_quadratic`.
        gain: (h, w, 3) on W's grid, to be enlarged; ones for none.
    """

    curves: np.ndarray
    coefficients: np.ndarray
    gain: np.ndarray

    def apply(self, uw_on_w: np.ndarray) -> np.ndarray:
        """UW on W's whole grid (H, W, 3) recoloured, within [0, 1]."""
        out = np.empty((3, *uw_on_w.shape[:2]), dtype=np.float32)
        self.apply_rows(uw_on_w, 0, out)
        return np.ascontiguousarray(out.transpose(1, 2, 0))

    def apply_rows(self, uw_on_w: np.ndarray, top: int, out: np.ndarray) -> None:
        """Recolour some rows of W's grid.

        What UW shows white by clipping stays neutral: a fit to other colours knows nothing of it.

        Args:
            uw_on_w: (rows, W, 3) float32.
            top: the first one's place.
            out: (3, H, W) of the whole grid, of which these rows are set.
        """
        tables = (self.curves, self.coefficients, self.gain)
        image = np.ascontiguousarray(uw_on_w, dtype=np.float32)
        _recolour(image, top, *(np.ascontiguousarray(t, dtype=np.float32) for t in tables), out)


def fit_colours(
    uw_on_w: np.ndarray, image_w: np.ndarray, valid: np.ndarray, local: bool = True
) -> ColourMap:
    """The colour map of an aligned pair.

    The quadratic map is fitted with and without curves before it; the better one is taken.

    Args:
        uw_on_w: aligned UW (H, W, 3) in [0, 1], as photographed.
        image_w: W (H, W, 3).
        valid: bool (H, W), visible in both.
        local: whether a smooth gain follows, for cameras that brighten parts of a picture.
    """
    uw_on_w, image_w, valid = _reduced(uw_on_w, image_w, valid, FIT_SIDE_PX)
    candidates = [np.linspace(0, 1, HISTOGRAM_LEVELS)[None].repeat(3, axis=0)]
    if valid.sum() >= MIN_PIXELS:
        candidates.append(np.array(histogram_curves(uw_on_w, image_w, valid)))
    best, least = None, np.inf
    for curves in candidates:
        curved = apply_curves(uw_on_w, curves)
        found = ColourMap(curves, fit_quadratic(curved, image_w, valid), np.ones((2, 2, 3)))
        left = _left(found.apply(uw_on_w), image_w, valid)
        if best is None or left < least:
            best, least = found, left
    if not local:
        return best
    return best._replace(gain=local_gain(best.apply(uw_on_w), image_w, valid))


def match_colour(uw_on_w: np.ndarray, image_w: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """UW on W's grid (H, W, 3) in W's colours, fitted where `valid`."""
    return fit_colours(uw_on_w, image_w, valid).apply(uw_on_w)


def histogram_curves(
    image_uw: np.ndarray, image_w: np.ndarray, common: np.ndarray
) -> list[np.ndarray]:
    """Per-channel curves that give UW's histogram W's shape; needs no exact alignment.

    Args:
        image_uw: (H, W, 3) in [0, 1], roughly on W's grid.
        image_w: the same of W.
        common: bool (H, W), where both show the scene.

    Returns:
        Three arrays (levels,): the value each evenly spaced input level becomes.
    """
    levels = np.linspace(0, 1, HISTOGRAM_LEVELS)
    shares = np.linspace(0, 1, HISTOGRAM_LEVELS)
    curves = []
    for c in range(3):
        from_uw = np.quantile(image_uw[..., c][common], shares)
        from_w = np.quantile(image_w[..., c][common], shares)
        # Ties (clipped areas) would make the curve jump: keep one entry per level.
        from_uw, index = np.unique(from_uw, return_inverse=True)
        target = np.bincount(index, weights=from_w) / np.bincount(index)
        curves.append(np.interp(levels, from_uw, target))
    return curves


def apply_curves(image: np.ndarray, curves) -> np.ndarray:
    """Curves of `histogram_curves` on an image (H, W, 3) in [0, 1]."""
    image = np.ascontiguousarray(image, dtype=np.float32)
    out = np.empty_like(image)
    _curves(image.reshape(-1, 3), np.array(curves, dtype=np.float32), out.reshape(-1, 3))
    return out


def fit_quadratic(uw_on_w: np.ndarray, image_w: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Quadratic colour map from UW to W, gamma-encoded, robust against what is misaligned.

    The pair is blurred first, so that defocus does not count as a colour difference. The ridge
    pulls towards the identity where the scene shows too few colours to tell. Where W is clipped
    and UW is not, W's colour is not known.

    Args:
        uw_on_w: aligned UW (H, W, 3) in [0, 1].
        image_w: W (H, W, 3).
        valid: bool (H, W), visible in both.

    Returns:
        Coefficients (10, 3): of 1, r, g, b, r², g², b², rg, rb, gb.
    """
    start = _identity()
    keep = valid & ((image_w.max(axis=-1) < CLIPPED) | (uw_on_w.max(axis=-1) >= CLIPPED))
    source, target, kept = _blurred_pair(uw_on_w, image_w, keep)
    if len(source) < MIN_PIXELS:
        return start
    step = max(1, int(kept.sum() / FIT_SAMPLES))
    terms, wanted = _terms(source[::step]), target[::step]
    weights = np.ones(len(wanted))
    coefficients = start
    for _ in range(REWEIGHTINGS):
        weighted = terms * weights[:, None]
        system = weighted.T @ terms + RIDGE * weights.sum() * np.eye(terms.shape[1])
        correction = np.linalg.solve(system, weighted.T @ (wanted - terms @ start))
        coefficients = start + correction
        error = np.abs(wanted - terms @ coefficients).mean(axis=1)
        weights = 1 / np.maximum(error, 0.01)
    return coefficients


def local_gain(matched: np.ndarray, image_w: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """What is left to multiply with, as smooth as a camera's local tone mapping.

    Args:
        matched: UW on W's grid in W's colours but for this gain, (H, W, 3).
        image_w: W.
        valid: bool (H, W).

    Returns:
        (h, w, 3) of at most `GAIN_SIDE_PX`, near 1 far from valid pixels.
    """
    *small, valid = _reduced(matched, image_w, valid, GAIN_SIDE_PX)
    clipped = np.maximum(small[0].max(axis=-1), small[1].max(axis=-1)) >= CLIPPED
    weight = (valid & ~clipped).astype(np.float32)
    longer = max(weight.shape)
    sigma = max(1.0, FIT_BLUR_SIDE_SHARE * longer)
    share = cv2.GaussianBlur(weight, (0, 0), sigma)[..., None] + 1e-6
    uw, w = (cv2.GaussianBlur(v * weight[..., None], (0, 0), sigma) / share for v in small)
    weight = weight / (1 + (np.abs(w - uw).mean(axis=-1) / GAIN_OUTLIER) ** 2)
    uw, w = (
        cv2.GaussianBlur(v * weight[..., None], (0, 0), GAIN_SIGMA_SHARE * longer) + GAIN_RIDGE
        for v in small
    )
    return (w / uw).clip(*GAIN_RANGE)


def _reduced(uw_on_w, image_w, valid, side_px: int):
    zoom = min(1.0, side_px / max(valid.shape))
    if zoom == 1:
        return uw_on_w, image_w, valid
    size = round(valid.shape[1] * zoom), round(valid.shape[0] * zoom)
    small = [
        cv2.resize(v.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        for v in (uw_on_w, image_w, valid)
    ]
    return small[0], small[1], small[2] > 0.99


def _blurred_pair(uw_on_w, image_w, keep) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Colours (N, 3) of both where most of what the blur averages is kept, and where that is."""
    sigma = max(1.0, FIT_BLUR_SIDE_SHARE * max(keep.shape))
    share = cv2.GaussianBlur(keep.astype(np.float32), (0, 0), sigma)
    inner = keep & (share > 0.9)
    uw, w = (
        cv2.GaussianBlur(image * keep[..., None], (0, 0), sigma)[inner] / share[inner][:, None]
        for image in (uw_on_w, image_w)
    )
    return uw, w, inner


def _left(matched: np.ndarray, image_w: np.ndarray, valid: np.ndarray) -> float:
    uw, w, _ = _blurred_pair(matched, image_w, valid)
    return float(np.abs(uw - w).mean()) if len(uw) else 0.0


def _identity() -> np.ndarray:
    start = np.zeros((10, 3))
    start[1:4] = np.eye(3)
    return start


def _terms(rgb: np.ndarray) -> np.ndarray:
    r, g, b = rgb[:, 0], rgb[:, 1], rgb[:, 2]
    return np.stack([np.ones_like(r), r, g, b, r * r, g * g, b * b, r * g, r * b, g * b], axis=1)


@numba.njit(cache=True)
def _curve(curve, value):
    at = min(max(value, np.float32(0)), np.float32(1)) * np.float32(len(curve) - 1)
    step = min(int(at), len(curve) - 2)
    share = np.float32(at - step)
    return curve[step] * (1 - share) + curve[step + 1] * share


@numba.njit(cache=True, parallel=True)
def _curves(image, curves, out):
    for k in numba.prange(len(image)):
        for c in range(3):
            out[k, c] = _curve(curves[c], image[k, c])


@numba.njit(cache=True)
def _quadratic(terms, c, r, g, b):
    value = terms[0, c] + terms[1, c] * r + terms[2, c] * g + terms[3, c] * b
    value += terms[4, c] * r * r + terms[5, c] * g * g + terms[6, c] * b * b
    value += terms[7, c] * r * g + terms[8, c] * r * b + terms[9, c] * g * b
    return min(max(value, np.float32(0)), np.float32(1))


@numba.njit(cache=True, parallel=True)
def _recolour(image, top, curves, terms, gain, out):
    height, width = out.shape[1:]
    rows, columns = gain.shape[:2]
    for k in numba.prange(len(image)):
        y = top + k
        at_y = min(max((y + 0.5) * rows / height - 0.5, 0.0), rows - 1.0)
        j = min(int(at_y), rows - 2)
        v = np.float32(at_y - j)
        row = gain[j] * (1 - v) + gain[j + 1] * v
        for x in range(width):
            at_x = min(max((x + 0.5) * columns / width - 0.5, 0.0), columns - 1.0)
            i = min(int(at_x), columns - 2)
            u = np.float32(at_x - i)
            r, g, b = image[k, x, 0], image[k, x, 1], image[k, x, 2]
            white = (min(r, g, b) - WHITE_FROM) / (1 - WHITE_FROM)
            r, g, b = _curve(curves[0], r), _curve(curves[1], g), _curve(curves[2], b)
            brightest = np.float32(0)
            for c in range(3):
                value = _quadratic(terms, c, r, g, b) * (row[i, c] * (1 - u) + row[i + 1, c] * u)
                out[c, y, x] = min(value, np.float32(1))
                brightest = max(brightest, out[c, y, x])
            if white > 0:
                for c in range(3):
                    out[c, y, x] += min(white, np.float32(1)) * (brightest - out[c, y, x])
