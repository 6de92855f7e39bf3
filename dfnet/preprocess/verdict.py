"""One plain word for a capture and one sentence: can it be used, and if not well, why not."""

import math
from typing import NamedTuple

import cv2
import numpy as np

from dfnet.errors import InputError
from dfnet.preprocess.register import NoOverlapError, Registration, SwappedError

DARK = 0.15  # the brightest tenth of the picture is darker, sRGB-encoded
TEXTURE = 0.012  # local standard deviation that can be matched
MIN_TEXTURED_SHARE = 0.15
MIN_MATCHED_SHARE = 0.4
MAX_ASTRAY_SHARE = 0.065
SAME_FIELD = 0.02  # fields of view that differ by less are one
SAME_PX = 1.5  # of parallax, at least; noise makes as much
SAME_PX_SHARE = 0.002  # of W's longer side
SAME_VALUE = 0.02
NOISE_PX = 2.0  # deviation of the Gaussian that averages noise away before values are compared
TILE_PX = 48
MIN_TILE_SHARE = 0.5  # matched, or a tile has no say
MIN_TILES = 6
SHAKEN_RATIO = 2.0  # of detail left across and along the shake; discs up to 17 px reach 1.7
ONE_WAY = 0.6  # of the tiles' directions: 1 all alike, 0 all different


class Verdict(NamedTuple):
    """The word, for scripts, and the sentence, for people."""

    name: str
    sentence: str


class Pictures(NamedTuple):
    """Gray pictures in [0, 1], sRGB-encoded.

    Attributes:
        wide: (h, w).
        ultrawide: any size, as photographed.
        uw_on_w: (h, w), UW on W's grid.
        matched: bool (h, w), W and UW agree.
    """

    wide: np.ndarray
    ultrawide: np.ndarray
    uw_on_w: np.ndarray
    matched: np.ndarray


class Findings(NamedTuple):
    """What the chain found out.

    Attributes:
        registration: of UW.
        astray_share: of the trusted flow, that which goes across the baseline.
        is_order_sure: whether near and far could be told apart.
        has_defocus: whether W shows any.
        parallax_px: from the farthest to the nearest of what matched [px of `Pictures.wide`].
        is_contradicted: whether the pictures contradict the metadata.
    """

    registration: Registration
    astray_share: float
    is_order_sure: bool
    has_defocus: bool
    parallax_px: float
    is_contradicted: bool = False


class Shake(NamedTuple):
    """How W's detail is lost against UW's.

    Attributes:
        ratio: of the detail left in the best-kept direction and in the worst; at least 1.
        one_way: how much the tiles' directions agree, in [0, 1].
    """

    ratio: float
    one_way: float


DARK_UW = Verdict(
    "ultrawide too dark",
    "The ultra-wide photo is too dark to help; light the scene or expose it longer.",
)
IDENTICAL = Verdict(
    "identical photos",
    "Both files show the same photo; the second must come from the other camera.",
)
SAME_PLACE = Verdict(
    "identical viewpoints",
    "Nothing moves between the photos: one camera twice, or all is far or flat; no depth shows.",
)
LITTLE_TEXTURE = Verdict(
    "little texture", "Most of the picture is plain; depth and defocus there are guesses."
)
MOVING = Verdict(
    "moving things", "Things moved between the two photos; where they did, only W is believed."
)
POOR_MATCH = Verdict(
    "poor match",
    "The two photos agree in less than half of the picture; expect little help from UW.",
)
SHAKEN = Verdict(
    "shaken, not defocused",
    "The wide photo is blurred by a moving hand, not by its lens; do not trust its defocus map.",
)
UNSURE_ORDER = Verdict(
    "near or far unsure", "Near and far could hardly be told apart; check the depth map's order."
)
NO_DEFOCUS = Verdict(
    "no defocus", "The wide photo is sharp everywhere; there is no blur to take away."
)
CONTRADICTED = Verdict(
    "metadata disagree",
    "The two photos fit each other, but not what is stated of the cameras; the notes say where.",
)
GOOD = Verdict("good", "The two photos fit each other, and W's defocus is understood.")
NO_OVERLAP = Verdict("no overlap", "The two photos do not show the same scene.")
SWAPPED = Verdict("swapped", "The wide and the ultra-wide photo were given in the wrong order.")
UNUSABLE = Verdict("unusable", "The capture could not be preprocessed.")


def judge(pictures: Pictures, findings: Findings) -> Verdict:
    """The gravest of what is wrong, or `GOOD`."""
    doubts = (
        (IDENTICAL, lambda: _is_identical(pictures, findings)),
        (DARK_UW, lambda: float(np.quantile(pictures.ultrawide, 0.9)) < DARK),
        (LITTLE_TEXTURE, lambda: textured_share(pictures.wide) < MIN_TEXTURED_SHARE),
        (MOVING, lambda: findings.astray_share > MAX_ASTRAY_SHARE),
        (POOR_MATCH, lambda: float(pictures.matched.mean()) < MIN_MATCHED_SHARE),
        (SHAKEN, lambda: _is_shaken(pictures)),
        (SAME_PLACE, lambda: _is_still(pictures, findings)),
        (UNSURE_ORDER, lambda: not findings.is_order_sure),
        (NO_DEFOCUS, lambda: not findings.has_defocus),
        (CONTRADICTED, lambda: findings.is_contradicted),
    )
    return next((verdict for verdict, holds in doubts if holds()), GOOD)


def verdict_of_refusal(error: InputError) -> Verdict:
    """For a capture that the chain refused."""
    if isinstance(error, NoOverlapError):
        return NO_OVERLAP
    return SWAPPED if isinstance(error, SwappedError) else UNUSABLE


def textured_share(gray: np.ndarray) -> float:
    """Share of a picture (h, w) in [0, 1] with enough contrast to be matched."""
    gray = gray.astype(np.float32)
    mean, square = cv2.boxFilter(gray, -1, (9, 9)), cv2.boxFilter(gray * gray, -1, (9, 9))
    return float((square - mean**2 > TEXTURE**2).mean())


def measure_shake(pictures: Pictures) -> Shake:
    """Compare the gradients of W and of UW on W, direction by direction.

    A lens out of focus takes detail from all directions alike, a moving hand from one, which is the
    same all over the picture.
    """
    ratios, turns = [], []
    tensors = [_structure(gray) for gray in (pictures.wide, pictures.uw_on_w)]
    height, width = pictures.wide.shape
    for y in range(0, height - TILE_PX + 1, TILE_PX):
        for x in range(0, width - TILE_PX + 1, TILE_PX):
            tile = slice(y, y + TILE_PX), slice(x, x + TILE_PX)
            used = pictures.matched[tile]
            if used.mean() < MIN_TILE_SHARE:
                continue
            seen, true = (tensor[tile][used].mean(axis=0) for tensor in tensors)
            ratio, turn = _kept(seen, true)
            ratios.append(ratio)
            turns.append(turn)
    if len(ratios) < MIN_TILES:
        return Shake(1.0, 0.0)
    return Shake(float(np.median(ratios)), float(abs(np.mean(np.exp(2j * np.array(turns))))))


def _structure(gray: np.ndarray) -> np.ndarray:
    """Outer product of the gradient, (h, w, 2, 2)."""
    smooth = cv2.GaussianBlur(gray.astype(np.float32), (0, 0), 1.0)
    slope = np.stack([cv2.Sobel(smooth, -1, 1, 0), cv2.Sobel(smooth, -1, 0, 1)], axis=-1)
    return slope[..., :, None] * slope[..., None, :]


def _kept(seen: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Largest over smallest share of gradient energy left, and the angle of the smallest."""
    floor = 1e-3 * np.trace(true) * np.eye(2) + 1e-9 * np.eye(2)
    shares, directions = np.linalg.eig(np.linalg.solve(true + floor, seen + floor))
    shares, directions = shares.real.clip(1e-9), directions.real
    x, y = directions[:, shares.argmin()]
    return float(shares.max() / shares.min()), math.atan2(y, x)


def _is_shaken(pictures: Pictures) -> bool:
    shake = measure_shake(pictures)
    return shake.ratio > SHAKEN_RATIO and shake.one_way > ONE_WAY


def _is_still(pictures: Pictures, findings: Findings) -> bool:
    """Whether what matched shows no more parallax than noise makes."""
    least = max(SAME_PX, SAME_PX_SHARE * max(pictures.wide.shape))
    return findings.parallax_px < least


def _is_identical(pictures: Pictures, findings: Findings) -> bool:
    """Whether both show the same from the same place, but for noise."""
    scale = math.sqrt(abs(np.linalg.det(findings.registration.w_from_uw[:2, :2])))
    same_field = abs(scale * pictures.ultrawide.shape[1] / pictures.wide.shape[1] - 1) < SAME_FIELD
    smooth = cv2.GaussianBlur(pictures.wide - pictures.uw_on_w, (0, 0), NOISE_PX)
    differ = np.abs(smooth)[pictures.matched]
    same_values = len(differ) > 0 and differ.mean() < SAME_VALUE
    return bool(same_field and same_values and _is_still(pictures, findings))
