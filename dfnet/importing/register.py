"""Two photos of neighbouring focus onto each other: a homography from every pixel, robustly.

Corners are too few where both photos are soft, and those at depth edges are wrong. So details give
a rough start only; then Gauss-Newton steps (Baker and Matthews 2004, forwards) on all pixels of the
photos, softened to equal focus and freed of slow shading, find the homography. Pixels that do not
fit (halos of defocus at depth edges, things that moved) lose their weight.
"""

from typing import NamedTuple

import cv2
import numpy as np

from dfnet.importing.equalise import equally_soft

COARSE = ((4, 15), (2, 10))  # reduction and steps, coarse to fine
FINE = ((1, 8),)
FREEDOM = {
    "homography": np.eye(8),
    # Scale, turn, shift x and y of the eight parameters of `Frame`.
    "similarity": np.array(
        [
            [1, 0, 0, 0, 1, 0, 0, 0],
            [0, -1, 0, 1, 0, 0, 0, 0],
            [0, 0, 1, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 1, 0, 0],
        ],
        dtype=np.float64,
    ).T,
}
FINE_SIGMA_PX, SHADING_SIGMA_PX = 1.0, 10.0
CAUCHY = 0.8  # robust scales beyond which a pixel loses its weight
MIN_DETAILS = 12
MAX_ZOOM = 1.5  # between neighbours
MIN_LIKENESS = 0.4  # correlation of band-passed photos that show the same


class Link(NamedTuple):
    """One photo found in another.

    Attributes:
        first: index of the one photo.
        second: index of the other.
        homography: (3, 3), first to second [px].
        information: (8, 8) inverse covariance of its unit parameters (see `Frame`), per pixel.
        likeness: correlation of what both show, 1 for equal pictures.
    """

    first: int
    second: int
    homography: np.ndarray
    information: np.ndarray
    likeness: float


class Frame(NamedTuple):
    """Homographies in units of the frame: about its centre, half a diagonal long."""

    shape: tuple[int, int]

    @property
    def to_unit(self) -> np.ndarray:
        """Pixels to units, (3, 3)."""
        height, width = self.shape
        r = np.hypot(height, width) / 2
        x, y = (width - 1) / 2, (height - 1) / 2
        return np.array([[1 / r, 0, -x / r], [0, 1 / r, -y / r], [0, 0, 1.0]])

    def parameters(self, homography: np.ndarray) -> np.ndarray:
        """The first eight entries of the homography in units, its last being 1."""
        h = self.to_unit @ homography @ np.linalg.inv(self.to_unit)
        return (h / h[2, 2]).ravel()[:8]

    def homography(self, parameters: np.ndarray) -> np.ndarray:
        """Inverse of `parameters`."""
        h = np.append(parameters, 1.0).reshape(3, 3)
        h = np.linalg.inv(self.to_unit) @ h @ self.to_unit
        return h / h[2, 2]


def link(first: int, second: int, gray_a: np.ndarray, gray_b: np.ndarray) -> Link | None:
    """Find one photo in another, to about a pixel; None where they do not show the same.

    Args:
        first: index of `gray_a`.
        second: index of `gray_b`.
        gray_a: (H, W) uint8.
        gray_b: the same size.
    """
    for start in (_from_details(gray_a, gray_b), np.eye(3)):
        if start is None:
            continue
        found = _refined(gray_a, gray_b, start, COARSE, "homography")
        if found is not None and found[2] > MIN_LIKENESS:
            return Link(first, second, *found)
    return None


def refine_link(
    rough: Link, gray_a: np.ndarray, gray_b: np.ndarray, start: np.ndarray, model: str
) -> Link:
    """A link found again at full resolution.

    Args:
        rough: kept where the photos cannot be followed from `start`.
        gray_a: its first photo.
        gray_b: its second.
        start: homography, first to second.
        model: a key of `FREEDOM`; `start` must be of that kind.
    """
    found = _refined(gray_a, gray_b, start, FINE, model)
    return rough if found is None else Link(rough.first, rough.second, *found)


def at_scale(homography: np.ndarray, scale: float) -> np.ndarray:
    """A homography between pictures shrunk by `scale`, for the full pictures."""
    to_small = np.array([[scale, 0, (scale - 1) / 2], [0, scale, (scale - 1) / 2], [0, 0, 1.0]])
    full = np.linalg.inv(to_small) @ homography @ to_small
    return full / full[2, 2]


def _from_details(gray_a: np.ndarray, gray_b: np.ndarray) -> np.ndarray | None:
    """Similarity of the two pictures from distinctive details."""
    sift = cv2.SIFT_create(nfeatures=1500)
    scale = min(1.0, 800 / max(gray_a.shape))
    size = round(gray_a.shape[1] * scale), round(gray_a.shape[0] * scale)
    found = [
        sift.detectAndCompute(cv2.resize(g, size, interpolation=cv2.INTER_AREA), None)
        for g in (gray_a, gray_b)
    ]
    (keys_a, described_a), (keys_b, described_b) = found
    if described_a is None or described_b is None or min(len(keys_a), len(keys_b)) < 2:
        return None
    nearest = cv2.BFMatcher(cv2.NORM_L2).knnMatch(described_a, described_b, k=2)
    good = [m for m, other in nearest if m.distance < 0.8 * other.distance]
    if len(good) < MIN_DETAILS:
        return None
    points_a = np.array([keys_a[m.queryIdx].pt for m in good])
    points_b = np.array([keys_b[m.trainIdx].pt for m in good])
    cv2.setRNGSeed(0)
    matrix, inliers = cv2.estimateAffinePartial2D(points_a, points_b, ransacReprojThreshold=5.0)
    if matrix is None or inliers.sum() < MIN_DETAILS:
        return None
    zoom = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    if not 1 / MAX_ZOOM < zoom < MAX_ZOOM:
        return None
    return at_scale(np.vstack([matrix, [0, 0, 1]]), scale)


def _refined(gray_a, gray_b, homography, levels, model):
    """Homography, information and likeness at the last level; None where the pictures part."""
    for level, steps in levels:
        a, b = (_reduced(g, level) for g in (gray_a, gray_b))
        small = at_scale(homography, level)
        soft = equally_soft(a, b, small)
        found = _gauss_newton(*(_band(g) for g in soft), small, steps, FREEDOM[model])
        if found is None:
            return None
        homography = at_scale(found[0], 1 / level)
    return homography, found[1], found[2]


def _reduced(gray: np.ndarray, factor: int) -> np.ndarray:
    height, width = (s // factor for s in gray.shape)
    return cv2.resize(
        gray[: height * factor, : width * factor], (width, height), interpolation=cv2.INTER_AREA
    )


def _band(gray: np.ndarray) -> np.ndarray:
    gray = gray.astype(np.float32)
    fine = cv2.GaussianBlur(gray, (0, 0), FINE_SIGMA_PX)
    return fine - cv2.GaussianBlur(gray, (0, 0), SHADING_SIGMA_PX)


def _gauss_newton(
    a: np.ndarray, b: np.ndarray, homography: np.ndarray, steps: int, freedom: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Homography, information and likeness; None where the pictures part."""
    frame = Frame(a.shape)
    height, width = a.shape
    r = 1 / frame.to_unit[0, 0]
    x = ((np.arange(width, dtype=np.float32) - (width - 1) / 2) / r)[None]
    y = ((np.arange(height, dtype=np.float32) - (height - 1) / 2) / r)[:, None]
    slopes = (
        cv2.Sobel(b, cv2.CV_32F, 1, 0, scale=1 / 8),
        cv2.Sobel(b, cv2.CV_32F, 0, 1, scale=1 / 8),
    )
    inner = np.ones(b.shape, np.float32)
    h = np.append(frame.parameters(homography), 1.0)
    for _ in range(steps):
        matrix = frame.homography(h[:8])
        seen, dx, dy, inside = (_on_first(i, matrix) for i in (b, *slopes, inner))
        known = inside > 0.999
        if known.mean() < 0.3:
            return None
        error = np.where(known, a - seen, 0)
        scale = 1.4826 * np.median(np.abs(error[known])) + 1e-3
        weight = known / (1 + (error / (CAUCHY * scale)) ** 2)
        along = h[6] * x + h[7] * y + 1
        u, v = (h[0] * x + h[1] * y + h[2]) / along, (h[3] * x + h[4] * y + h[5]) / along
        gx, gy = dx * r / along, dy * r / along
        gt = -(gx * u + gy * v)
        jacobian = np.stack([gx * x, gx * y, gx, gy * x, gy * y, gy, gt * x, gt * y])
        jacobian = jacobian.reshape(8, -1)
        weighted = jacobian * weight.reshape(1, -1)
        information = (weighted @ jacobian.T).astype(np.float64)
        system = freedom.T @ information @ freedom
        damping = 1e-6 * np.trace(system) / len(system) * np.eye(len(system))
        pull = freedom.T @ (weighted @ error.ravel()).astype(np.float64)
        step = freedom @ np.linalg.solve(system + damping, pull)
        h[:8] += step
        if np.abs(step).max() * r < 0.003:
            break
    return (
        frame.homography(h[:8]),
        information / (scale**2 * known.sum()),
        _likeness(a, seen, known),
    )


def _on_first(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpPerspective(image, matrix, image.shape[::-1], flags=flags)


def _likeness(a: np.ndarray, b: np.ndarray, known: np.ndarray) -> float:
    a, b = a[known].astype(np.float64), b[known].astype(np.float64)
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-12))
