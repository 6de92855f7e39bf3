"""Which details match: against slow twins that compare every pair."""

import numpy as np
import pytest

from dfnet.preprocess.keypoints import Details, Guide, Keypoints, match_freely, match_guided

SIDE_PX = 2000
TURN_DEG, ZOOM = 10.0, 1.5
TURNED = np.radians(TURN_DEG)
W_FROM_UW = np.array(
    [
        [ZOOM * np.cos(TURNED), -ZOOM * np.sin(TURNED), 60.0],
        [ZOOM * np.sin(TURNED), ZOOM * np.cos(TURNED), -80.0],
        [0.0, 0.0, 1.0],
    ]
)
AXIS = np.array([0.6, 0.8])
GUIDE = Guide(W_FROM_UW, AXIS, 25.0, (-150.0, 250.0))


def details(count=300, seed=0):
    """Details of W, and noisy copies of them in UW, moved along the axis, turned and zoomed."""
    generator = np.random.default_rng(seed)
    described = generator.random((count, 128)) ** 3
    wide = generator.uniform(0, SIDE_PX, (count, 2))
    angle, size = generator.uniform(0, 360, count), generator.uniform(3, 30, count)
    motion = generator.uniform(-300, 400, count)
    there = wide + motion[:, None] * AXIS + generator.normal(0, 15, (count, 2))
    back = np.linalg.inv(W_FROM_UW)
    uw = there @ back[:2, :2].T + back[:2, 2]
    turned = (angle - TURN_DEG + generator.normal(0, 12, count)) % 360
    zoomed = size / ZOOM * np.exp(generator.normal(0, 0.3, count))
    noise = generator.random((count, 128)) * generator.uniform(0.3, 4.0, (count, 1))
    mixed = generator.permutation(count)
    half = count // 2  # W shows these twice, the second time less clearly
    again = described[:half] + 0.4 * generator.random((half, 128))
    wide, angle, size = (np.concatenate([v, v[:half]]) for v in (wide, angle, size))
    a = Keypoints(wide, angle, size, unit(np.concatenate([described, again])))
    b = Keypoints(uw[mixed], turned[mixed], zoomed[mixed], unit((described + noise)[mixed]))
    return Details(a, (b,), SIDE_PX)


def unit(described):
    return (described / np.linalg.norm(described, axis=1, keepdims=True)).astype(np.float32)


def twin(made, allowed, ratio):
    """Every pair that is each other's best and distinct, by sorting."""
    cosine = np.where(allowed, made.wide.described @ made.ultrawide[0].described.T, 0)
    pairs = []
    for i, row in enumerate(cosine):
        order = np.argsort(-row)
        j, second = order[0], order[1]
        if row[j] > 0 and cosine[:, j].argmax() == i:
            near, far = np.sqrt(1 - row[j]), np.sqrt(1 - row[second])
            if near < ratio * far:
                pairs.append((i, j))
    return {tuple(made.wide.points[i]) + tuple(made.ultrawide[0].points[j]) for i, j in pairs}


def as_set(matches):
    return {tuple(row) for row in np.column_stack(matches)}


def allowed_by_hand(made):
    """Each pair on its own: position across and along, turn, size."""
    a, b = made.wide, made.ultrawide[0]
    moved = b.points @ W_FROM_UW[:2, :2].T + W_FROM_UW[:2, 2]
    allowed = np.zeros((len(a.points), len(moved)), bool)
    for i, point in enumerate(a.points):
        dx, dy = (moved - point).T
        along, across = 0.6 * dx + 0.8 * dy, -0.8 * dx + 0.6 * dy
        turn = np.abs(np.angle(np.exp(1j * np.radians(a.angle_deg[i] - b.angle_deg - TURN_DEG))))
        zoom = a.size_px[i] / (ZOOM * b.size_px)
        near = (np.abs(across) < 25) & (along > -150) & (along < 250)
        allowed[i] = near & (turn < np.radians(20)) & (zoom < 1.6) & (zoom > 1 / 1.6)
    return allowed


@pytest.mark.parametrize("seed", [0, 1])
def test_free_matches_are_mutual_and_distinct(seed):
    made = details(seed=seed)
    expected = twin(made, True, 0.75)
    assert len(expected) > 50
    assert as_set(match_freely(made)) == expected


@pytest.mark.parametrize("seed", [0, 1])
def test_guided_matches_are_those_the_geometry_allows(seed):
    made = details(seed=seed)
    allowed = allowed_by_hand(made)
    expected = twin(made, allowed, 0.88)
    assert 40 < len(expected) < 0.8 * len(allowed)
    assert as_set(match_guided(made, GUIDE)) == expected


def test_a_rival_too_far_off_the_line_does_not_make_a_match_ambiguous():
    made = details()
    (b,) = made.ultrawide
    copies = Keypoints(*(np.concatenate([v, v]) for v in b))
    copies.points[len(b.points) :] += 400.0
    doubled = made._replace(ultrawide=(copies,))
    assert len(match_freely(doubled)) == 0
    found = as_set(match_guided(doubled, GUIDE))
    assert len(found & twin(made, allowed_by_hand(made), 0.88)) > 0.9 * len(found) > 40


def test_of_too_few_details_nothing_is_matched():
    made = details(1)
    assert len(match_freely(made)) == len(match_guided(made, GUIDE)) == 0
