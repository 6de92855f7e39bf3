"""Match, and again over a narrower range of motion where the first search went far beyond it.

Thumbnails of blurred photos find things where there are none. A range that is several times too
wide costs a matcher a third of what it could match.
"""

import numpy as np

from dfnet.preprocess.align import Views
from dfnet.preprocess.rectify import Rectification
from dfnet.preprocess.specks import without_specks
from dfnet.preprocess.stereo import Matcher, Motion, find_motion, make_canvas

NARROWER = 0.67  # of the range that was searched: less is worth another search
MATCHED_SHARE = 0.5  # of W, by the narrower search: a bad match tells nothing of the range
ROUNDS = 3
THING_SHARE = 0.007  # of the canvas: smaller areas of like motion may be chance
QUANTILES = (0.01, 0.99)
MARGIN_SHARE = 0.25  # of what was found, beyond it: what is near and blurred matches last


def search_motion(
    views: Views,
    rectification: Rectification,
    motion_range_px: tuple[float, float],
    share: float,
    matcher: Matcher,
) -> tuple[Motion, tuple[float, float]]:
    """A matcher's result and the range in which it is worth looking.

    Args:
        views: the working photos.
        rectification: from W's grid to UW's.
        motion_range_px: along the baseline [full W px], to be searched first.
        share: of the working resolution.
        matcher: one that is told nothing of blur.
    """
    motion = find_motion(make_canvas(views, rectification, motion_range_px, share), matcher)
    for _ in range(ROUNDS):
        narrowed_px = _narrowed(motion_range_px, motion)
        if _width(narrowed_px) > NARROWER * _width(motion_range_px):
            break
        again = find_motion(make_canvas(views, rectification, narrowed_px, share), matcher)
        if _matched_share(again) < MATCHED_SHARE:
            break
        motion, motion_range_px = again, narrowed_px
    return motion, motion_range_px


def range_of_things(motion_w: np.ndarray) -> tuple[float, float] | None:
    """From where to where areas large enough to be things moved, or None if there are none.

    Args:
        motion_w: (h, w) [canvas px], NaN where unknown.
    """
    things = without_specks(motion_w, round(THING_SHARE * motion_w.size))
    things = things[np.isfinite(things)]
    return tuple(np.quantile(things, QUANTILES)) if len(things) else None


def _narrowed(searched_px: tuple[float, float], motion: Motion) -> tuple[float, float]:
    """The part of a range [full W px] in which things were found, and a little beside it."""
    found = range_of_things(motion.motion_w)
    if found is None:
        return searched_px
    low, high = (v / motion.canvas.scale for v in found)
    margin = MARGIN_SHARE * (high - low)
    return max(searched_px[0], float(low - margin)), min(searched_px[1], float(high + margin))


def _matched_share(motion: Motion) -> float:
    return float((motion.canvas.turn.undo(motion.confidence_w) > 0).mean())


def _width(range_px: tuple[float, float]) -> float:
    return range_px[1] - range_px[0]
