import math

import cv2
import numpy as np
import pytest
from made_pair import CARD_PX, WALL_PX, make_pair

from dfnet.preprocess import preprocess_pair
from dfnet.preprocess.order import NearFar, solve_near_far

HEIGHT, WIDTH = 160, 240
STEP_PX = 14


def texture(seed, level):
    noise = np.random.default_rng(seed).random((HEIGHT, WIDTH, 3)).astype(np.float32)
    return (level + 2 * (cv2.GaussianBlur(noise, (0, 0), 1.5) - 0.5)).clip(0, 1)


def card_before_wall(near_is_larger):
    """Views and true motions of a card whose motion is 14 px to one side, and a still wall."""
    wall, card = texture(0, 0.3), texture(1, 0.7)
    motion = STEP_PX if near_is_larger else -STEP_PX
    rows, columns = slice(40, 120), slice(90, 150)
    moved = slice(columns.start + motion, columns.stop + motion)
    image_w, image_uw = wall.copy(), wall.copy()
    image_w[rows, columns] = card[rows, columns]
    image_uw[rows, moved] = card[rows, columns]
    motion_w, motion_uw = np.zeros((HEIGHT, WIDTH)), np.zeros((HEIGHT, WIDTH))
    motion_w[rows, columns], motion_uw[rows, moved] = motion, motion
    # What one view hides of the wall has no match in the other.
    hidden_w = np.setdiff1d(np.r_[moved], np.r_[columns])
    hidden_uw = np.setdiff1d(np.r_[columns], np.r_[moved])
    motion_w[rows, hidden_w], motion_uw[rows, hidden_uw] = np.nan, np.nan
    return image_w, image_uw, motion_w, motion_uw


@pytest.mark.parametrize("near_is_larger", [True, False])
def test_specks_of_chance_matches_have_no_vote(near_is_larger):
    image_w, image_uw, motion_w, motion_uw = card_before_wall(near_is_larger)
    clean = solve_near_far(image_w, image_uw, motion_w, motion_uw, motion_w)
    far_off = 60.0 if near_is_larger else -60.0
    for i in range(150):  # at the top, as if the ceiling were near
        y, x = 2 + 6 * (i // 30), 2 + 8 * (i % 29)
        motion_w[y : y + 4, x : x + 6] = far_off
        motion_uw[y : y + 4, x : x + 6] = far_off
    found = solve_near_far(image_w, image_uw, motion_w, motion_uw, motion_w)
    assert found.near_is_larger == near_is_larger
    assert found.score == pytest.approx(clean.score, abs=0.5)


def test_a_few_extreme_rows_do_not_tilt_the_layout():
    """A floor rises evenly to 30 px; one strip of the ceiling matches far off."""
    floor = np.repeat(np.linspace(0, 30, HEIGHT)[:, None], WIDTH, axis=1)
    floor[:2] = 900.0
    plain = np.full((HEIGHT, WIDTH, 3), 0.5, np.float32)
    assert solve_near_far(plain, plain, floor, floor, floor).score > 2.5


def test_certainty_grows_from_a_guess_to_knowledge():
    certainties = [NearFar(True, s, "images").certainty for s in (0.0, -1.5, 4.0, math.inf)]
    assert certainties[0] == 0.5
    assert certainties == sorted(certainties)
    assert certainties[1] == pytest.approx(0.758, abs=0.001)
    assert certainties[-1] == 1.0


@pytest.mark.parametrize("direction", [(-1.0, 0.0), (0.0, 1.0)])
def test_the_chain_orders_a_card_before_a_wall(direction):
    made = make_pair(direction)
    found = preprocess_pair(made.image_w, made.image_uw)
    assert np.dot(found.baseline_direction, direction) > 0.99
    card = made.disparity_w_px == CARD_PX
    wall = made.disparity_w_px == WALL_PX
    near, far = (found.disparity_w_px[area].median() for area in (card, wall))
    assert float(near - far) == pytest.approx(CARD_PX - WALL_PX, abs=1.5)
