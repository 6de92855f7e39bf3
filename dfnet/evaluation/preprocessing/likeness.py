"""Do the guide and the flow fit what both photos show? Detail and keypoints.

The high-pass NCC: the guide (UW on W's grid) and the all-in-focus truth, which is registered to W
by an affine map, are brought to gray pictures `WIDTH_PX` wide; what a Gaussian of deviation
`HIGH_PASS_SIGMA_PX` keeps is taken off; then the correlation of what is left is taken over a region
at once. "Most defocused" is the `DEFOCUSED_SHARE` of the picture where W has lost most of the
truth's detail, a region that no method has a say in.
"""

import cv2
import numpy as np
from torch import Tensor

from dfnet.preprocess import Preprocessed

WIDTH_PX = 640
HIGH_PASS_SIGMA_PX = 4.0
DEFOCUSED_SHARE = 0.4
REGION_SIGMA_PX = 12.0
MARGIN_PX = 16
REGISTRATION_SIGMA_PX = 3.0
KEYPOINT_SIDE_PX = 1280
MATCH_RATIO = 0.75
EPIPOLAR_PX = 3.0


def detail_correlation(guide: Tensor, image_w: Tensor, all_in_focus: Tensor) -> tuple[float, float]:
    """High-pass NCC of the guide against the truth: everywhere, and where W is most defocused.

    Args:
        guide: (3, H, W) UW on W's grid.
        image_w: (3, H, W).
        all_in_focus: (3, H', W') a second photo by W, registered here.
    """
    w, warped, truth = (_small_gray(x) for x in (image_w, guide, all_in_focus))
    inside = np.zeros(w.shape, dtype=bool)
    inside[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX] = True
    region = np.zeros_like(inside)
    for _ in range(2):  # once on all, once on what W shows sharp
        aligned = registered(truth, w, inside & ~region)
        region = most_defocused(_high_pass(w), _high_pass(aligned), inside)
    details = _high_pass(warped), _high_pass(aligned)
    return ncc(*details, inside), ncc(*details, region)


def ncc(a: np.ndarray, b: np.ndarray, where: np.ndarray) -> float:
    """Correlation of two maps over the pixels of a region, taken together."""
    return float(np.corrcoef(a[where], b[where])[0, 1])


def most_defocused(detail_w: np.ndarray, detail: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Bool (h, w): the share of `inside` where W keeps least of the truth's detail, by energy."""
    kept, full = (cv2.GaussianBlur(x * x, (0, 0), REGION_SIGMA_PX) for x in (detail_w, detail))
    ratio = kept / (full + 1e-6)
    return inside & (ratio <= np.quantile(ratio[inside], DEFOCUSED_SHARE))


def registered(picture: np.ndarray, target: np.ndarray, where: np.ndarray) -> np.ndarray:
    """A gray picture laid onto another by an affine map found in a region of it (ECC)."""
    blurred = [cv2.GaussianBlur(x, (0, 0), REGISTRATION_SIGMA_PX) for x in (target, picture)]
    warp = np.eye(2, 3, dtype=np.float32)
    criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 200, 1e-7)
    mask = where.astype(np.uint8)
    _, warp = cv2.findTransformECC(*blurred, warp, cv2.MOTION_AFFINE, criteria, mask, 5)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    size = target.shape[1], target.shape[0]
    return cv2.warpAffine(picture, warp, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def keypoint_agreement(
    result: Preprocessed, image_w: Tensor, image_uw: Tensor, tolerance_px: float
) -> tuple[float, float]:
    """Share of keypoint matches that the flow meets: of all, and of those called valid.

    Matches off a common epipolar geometry are left out.

    Args:
        result: of the pair.
        image_w: (3, H, W).
        image_uw: (3, H', W').
        tolerance_px: in pixels of W.
    """
    points_w, points_uw = matched_keypoints(image_w, image_uw)
    matrix, inlier = cv2.findFundamentalMat(
        points_w, points_uw, cv2.USAC_MAGSAC, EPIPOLAR_PX, 0.999, 10_000
    )
    if matrix is None:
        return float("nan"), float("nan")
    keep = inlier.ravel().astype(bool)
    points_w, points_uw = points_w[keep], points_uw[keep]
    x, y = points_w.round().astype(int).T
    flow = result.flow_w_to_uw[:, y, x].numpy().T
    off = np.linalg.norm(points_w + flow - points_uw, axis=1) / uw_px_per_w_px(result)
    met, valid = off < tolerance_px, result.valid_w[0, y, x].numpy()
    return float(met.mean()), float(met[valid].mean())


def uw_px_per_w_px(result: Preprocessed) -> float:
    """How much the flow stretches W's grid, across the picture."""
    height, width = result.flow_w_to_uw.shape[-2:]
    dx = result.flow_w_to_uw[0, :, -1].median() - result.flow_w_to_uw[0, :, 0].median()
    dy = result.flow_w_to_uw[1, -1].median() - result.flow_w_to_uw[1, 0].median()
    return float(1 + (dx / (width - 1) + dy / (height - 1)) / 2)


def matched_keypoints(image_w: Tensor, image_uw: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """SIFT matches (Lowe 2004) that are distinct and each other's best: points (n, 2) of both."""
    sift, matcher = cv2.SIFT_create(nfeatures=8000), cv2.BFMatcher(cv2.NORM_L2)
    (points_w, described_w), (points_uw, described_uw) = (
        _described(sift, image) for image in (image_w, image_uw)
    )
    back = {m.queryIdx: m.trainIdx for m in matcher.match(described_uw, described_w)}
    pairs = [
        (first.queryIdx, first.trainIdx)
        for first, second in matcher.knnMatch(described_w, described_uw, k=2)
        if first.distance < MATCH_RATIO * second.distance and back[first.trainIdx] == first.queryIdx
    ]
    w, uw = np.array(pairs, dtype=int).reshape(-1, 2).T
    return points_w[w], points_uw[uw]


def _described(sift, image: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (n, 2) at the picture's full size, and their descriptors."""
    scale = min(1.0, KEYPOINT_SIDE_PX / max(image.shape[-2:]))
    small = cv2.resize(_gray(image), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found, descriptors = sift.detectAndCompute((small.clip(0, 1) * 255).astype(np.uint8), None)
    points = np.array([k.pt for k in found], dtype=np.float64).reshape(-1, 2)
    return (points + 0.5) / scale - 0.5, descriptors


def _small_gray(image: Tensor) -> np.ndarray:
    gray = _gray(image)
    size = WIDTH_PX, round(WIDTH_PX * gray.shape[0] / gray.shape[1])
    return cv2.resize(gray, size, interpolation=cv2.INTER_AREA)


def _high_pass(gray: np.ndarray) -> np.ndarray:
    return gray - cv2.GaussianBlur(gray, (0, 0), HIGH_PASS_SIGMA_PX)


def _gray(image: Tensor) -> np.ndarray:
    pixels = np.ascontiguousarray(image.permute(1, 2, 0).numpy(), dtype=np.float32)
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
