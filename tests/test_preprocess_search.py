"""Ranges of motion: too wide ones are narrowed to what moved, others are kept."""

import numpy as np
import pytest
from made_pair import CARD_PX, WALL_PX
from made_views import made_views

from dfnet.preprocess.match import SemiGlobalMatcher
from dfnet.preprocess.search import range_of_things, search_motion


def test_things_count_and_specks_do_not():
    motion = np.full((100, 120), np.nan, np.float32)
    motion[10:60, 10:60], motion[60:90, 10:60] = -3.0, 8.0
    for x in (66, 78, 90, 102):
        motion[5:9, x : x + 9] = 90.0
    assert range_of_things(motion) == pytest.approx((-3.0, 8.0))
    motion[60:90] = np.nan
    assert range_of_things(motion) == pytest.approx((-3.0, -3.0))
    assert range_of_things(motion * np.nan) is None


@pytest.mark.parametrize("given_px", [(-120.0, 90.0), (-18.0, 120.0), (-120.0, -3.0)])
def test_a_range_that_is_far_too_wide_is_narrowed_to_what_moved(given_px):
    pair = made_views(CARD_PX)
    motion, (low, high) = search_motion(
        pair.views, pair.rectification, given_px, 1.0, SemiGlobalMatcher()
    )
    # By hand: things move by minus their disparities; a quarter of that is added at both ends.
    assert low == pytest.approx(max(given_px[0], -CARD_PX - 3), abs=1.0)
    assert high == pytest.approx(min(given_px[1], -WALL_PX + 3), abs=1.0)
    assert low >= given_px[0]
    assert high <= given_px[1]
    assert motion.canvas.motion_range[1] - motion.canvas.motion_range[0] < 40


def test_a_narrower_search_that_matches_less_than_half_is_not_believed():
    asked = []

    def matches_little(pair):
        match = SemiGlobalMatcher()(pair)
        asked.append(pair.motion_range)
        if len(asked) > 1:
            match.confidence_w[:100], match.motion_w[:100] = 0, np.nan
        return match

    pair = made_views(CARD_PX)
    given_px = (-120.0, 90.0)
    motion, kept = search_motion(pair.views, pair.rectification, given_px, 1.0, matches_little)
    assert len(asked) == 2
    assert kept == given_px
    assert motion.canvas.motion_range == asked[0]


def test_a_range_that_fits_is_kept():
    pair = made_views(CARD_PX)
    given_px = (-CARD_PX - 6, -WALL_PX + 6)
    _, kept = search_motion(pair.views, pair.rectification, given_px, 1.0, SemiGlobalMatcher())
    assert kept == given_px
