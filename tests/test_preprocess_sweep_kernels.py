import cv2
import numpy as np
import pytest
import torch

from dfnet.blur import disc_blur
from dfnet.preprocess.match import EpipolarPair, Match, MotionLaw
from dfnet.preprocess.sweep_aggregate import aggregate, best_motion
from dfnet.preprocess.sweep_cost import COST_UNIT, add_costs, make_bands
from dfnet.preprocess.sweep_images import blurred, like_uw, noise_deviation, noise_on_canvas
from dfnet.preprocess.sweep_tone import tone_curve

HEIGHT, WIDTH, LOW, COUNT = 9, 14, -3, 7
LIMITS = np.float32([0.4, 0.2, 0.1, 0.2])  # value weight and limit, gradient limit, unit
SMOOTHNESS = np.float32([0.2, 1.5, 10.0])
RNG = np.random.default_rng(0)


def some_bands():
    first = RNG.integers(0, 3, (HEIGHT, WIDTH))
    return make_bands(first, first + RNG.integers(0, 4, (HEIGHT, WIDTH)))


def as_table(volume, bands):
    """[y, x, motion]; NaN where not tried."""
    table = np.full((HEIGHT, WIDTH, COUNT), np.nan)
    for y in range(HEIGHT):
        for x in range(WIDTH):
            p, first = y * WIDTH + x, bands.first[y, x]
            costs = volume[bands.offset[p] : bands.offset[p + 1]]
            table[y, x, first : first + len(costs)] = costs
    return table


def filled(bands_w, bands_uw, extras=None):
    w, uw = (np.random.default_rng(s).random((3, HEIGHT, WIDTH), np.float32) for s in (1, 2))
    costs = [np.full(b.offset[-1], 7, np.uint16) for b in (bands_w, bands_uw)]
    motions = np.arange(LOW, LOW + COUNT)
    extras = np.zeros(COUNT) if extras is None else extras
    add_costs(w, uw, motions, extras, LOW, 1, LIMITS, bands_w, costs[0], bands_uw, costs[1])
    return w, uw, costs


def full_bands():
    return make_bands(np.zeros((HEIGHT, WIDTH), int), np.full((HEIGHT, WIDTH), COUNT - 1))


def slow_costs(w, uw, m):
    """The mean of 3 x 3 truncated differences, edges repeated; half the limit outside."""
    weight, most, most_gradient, unit = LIMITS.astype(float)
    raw = np.full((HEIGHT, WIDTH), 0.5 * (weight * most + 2 * most_gradient))
    for x in range(WIDTH):
        if 0 <= x + m < WIDTH:
            value, across, down = np.abs(w[:, :, x] - uw[:, :, x + m])
            raw[:, x] = weight * np.minimum(value, most)
            raw[:, x] += np.minimum(across, most_gradient) + np.minimum(down, most_gradient)
    padded = np.pad(raw, 1, mode="edge")
    boxes = [padded[i : i + HEIGHT, j : j + WIDTH] for i in range(3) for j in range(3)]
    return np.mean(boxes, axis=0) / unit


def test_costs_are_those_of_a_slow_twin():
    extras = np.linspace(0, 0.6, COUNT)
    w, uw, (cost, _) = filled(full_bands(), full_bands(), extras)
    table = as_table(cost, full_bands()) / COST_UNIT
    for k in range(COUNT):
        m = LOW + k
        seen = np.s_[:, max(0, -m) : WIDTH - max(0, m)]
        expected = slow_costs(w, uw, m) + extras[k]
        np.testing.assert_allclose(table[..., k][seen], expected[seen], atol=1 / COST_UNIT)


def test_uw_costs_are_w_costs_looked_up_from_its_side():
    _, _, costs = filled(full_bands(), full_bands())
    table_w, table_uw = (as_table(c, full_bands()) for c in costs)
    for k in range(COUNT):
        m = LOW + k
        for x in range(WIDTH):
            if 0 <= x + m < WIDTH:
                np.testing.assert_array_equal(table_uw[:, x + m, k], table_w[:, x, k])


def test_bands_hold_a_part_of_the_same_costs():
    bands = some_bands()
    whole = [as_table(c, full_bands()) for c in filled(full_bands(), full_bands())[2]]
    part = [as_table(c, bands) for c in filled(bands, bands)[2]]
    for a, b in zip(whole, part, strict=True):
        tried = np.isfinite(b)
        assert 0.1 < tried.mean() < 0.6
        np.testing.assert_array_equal(a[tried], b[tried])


def slow_path(table, guide, dx, dy):
    """One path by its definition; what was not tried costs as much as a jump."""
    out = np.full(table.shape, np.inf)
    rows = range(HEIGHT) if dy <= 0 else range(HEIGHT - 1, -1, -1)
    columns = range(WIDTH) if dx < 0 or (dx == 0 and dy < 0) else range(WIDTH - 1, -1, -1)
    step = SMOOTHNESS[0] * COST_UNIT
    for y in rows:
        for x in columns:
            qx, qy = x + dx, y + dy
            if not (0 <= qx < WIDTH and 0 <= qy < HEIGHT):
                out[y, x] = table[y, x]
                continue
            contrast = abs(guide[y, x] - guide[qy, qx])
            jump = max(SMOOTHNESS[1] * COST_UNIT / (1 + SMOOTHNESS[2] * contrast), 1.5 * step)
            earlier = np.nan_to_num(out[qy, qx] - np.nanmin(out[qy, qx]), nan=np.inf)
            below = np.append(np.inf, earlier[:-1]) + step
            above = np.append(earlier[1:], np.inf) + step
            out[y, x] = table[y, x] + np.minimum.reduce(
                [earlier, below, above, np.full(COUNT, jump)]
            )
    return out


@pytest.mark.parametrize(
    "directions", [[(-1, 0), (0, -1)], [(-1, 0), (0, -1), (-1, -1), (1, -1)]], ids=["4", "8"]
)
def test_aggregation_over_ragged_bands_is_that_of_a_slow_twin(directions):
    bands = some_bands()
    cost = RNG.integers(0, 1500, int(bands.offset[-1])).astype(np.uint16)
    guide = RNG.random((HEIGHT, WIDTH), np.float32)
    total = aggregate(cost, bands, guide, SMOOTHNESS, np.array(directions))
    table = as_table(cost, bands)
    both_ways = [*directions, *[(-dx, -dy) for dx, dy in directions]]
    expected = sum(slow_path(table, guide, dx, dy) for dx, dy in both_ways)
    found = as_table(total, bands)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=0.05)


def test_the_best_motion_lies_at_the_bottom_of_the_v():
    bands = make_bands(np.array([[2]]), np.array([[8]]))
    motion = np.arange(2, 9)
    costs = (100 + 10 * np.abs(motion - 5.3)).astype(np.float32)
    found, ratio = best_motion(costs, bands, -10, (1, 1))
    assert found[0, 0] == pytest.approx(-4.7, abs=1e-3)
    # The least cost that is no neighbour's is the one two steps away.
    assert ratio[0, 0] == pytest.approx(costs[3] / costs[5])


@pytest.mark.parametrize("coc", [1.5, 6.0, 11.0, 25.0])
def test_large_discs_on_a_reduced_picture_are_discs(coc):
    image = cv2.GaussianBlur(RNG.random((96, 120), np.float32), (0, 0), 1.0)
    exact = disc_blur(torch.from_numpy(image)[None, None], coc)[0, 0].numpy()
    inner = np.s_[20:-20, 20:-20]
    error = np.abs(blurred(image, coc) - exact)[inner].max()
    assert error < 0.15 * np.abs(image - exact)[inner].max()
    assert error < 0.5 * np.ptp(exact[inner])


def test_noise_is_measured_through_texture_and_kept_in_mind_when_resampled():
    y, x = np.mgrid[:240, :320]
    ramp = 0.3 + 0.001 * x + 0.0005 * y + 0.1 * np.sin(x / 9)
    noisy = (ramp + RNG.normal(0, 0.02, ramp.shape)).astype(np.float32)
    found = noise_deviation(noisy)
    assert found == pytest.approx(0.02, rel=0.08)
    flat = (0.5 + RNG.normal(0, 0.02, ramp.shape)).astype(np.float32)
    half = cv2.resize(flat, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    larger = cv2.resize(flat, None, fx=1.7, fy=1.7, interpolation=cv2.INTER_CUBIC)
    assert noise_on_canvas(found, 0.5) == pytest.approx(half.std(), rel=0.1)
    assert noise_on_canvas(found, 1.7) == pytest.approx(larger.std(), rel=0.1)


def test_the_tone_curve_is_found_through_motion_and_blur():
    uw = cv2.GaussianBlur(RNG.random((80, 120), np.float32), (0, 0), 1.0)
    uw = (uw - uw.min()) / np.ptp(uw)
    wide = 0.2 * np.roll(uw, -3, axis=1) ** 2 + 0.6 * np.roll(uw, -3, axis=1) + 0.1
    motion = np.full(uw.shape, 3, np.float32)
    motion[:10] = np.nan
    wide[:10] = 0.9
    match = Match(motion, motion, motion, motion)
    pair = EpipolarPair(wide, uw, (0.0, 5.0), MotionLaw(0.5, 3.0))
    np.testing.assert_allclose(tone_curve(wide, uw, match, pair), [0.2, 0.6, 0.1], atol=0.01)
    # Unknown motion, or a curve that falls, is no ground for a change.
    nothing = match._replace(motion_w=np.full(uw.shape, np.nan, np.float32))
    for gray_w, known in ((wide, nothing), (1 - wide, match)):
        np.testing.assert_array_equal(tone_curve(gray_w, uw, known, pair), [0, 1, 0])


@pytest.mark.parametrize("scale", [1.4, 2.0])
def test_w_is_made_as_coarse_as_uw(scale):
    image = cv2.GaussianBlur(RNG.random((112, 140), np.float32), (0, 0), 0.8)
    small = cv2.resize(image, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
    uw = cv2.resize(small, (140, 112), interpolation=cv2.INTER_CUBIC)
    untold = np.abs(image - uw).mean()
    assert np.abs(like_uw(image, scale) - uw).mean() < 0.6 * untold


@pytest.mark.parametrize("coc", [6.0, 11.0, 25.0])
def test_a_point_is_spread_as_far_as_by_a_disc(coc):
    point = np.zeros((96, 96), np.float32)
    point[48, 48] = 1
    spread = blurred(point, coc).sum(axis=0)
    x = np.arange(96)
    centre = (spread * x).sum() / spread.sum()
    variance = (spread * (x - centre) ** 2).sum() / spread.sum()
    # A disc has a sixteenth of its squared diameter along one axis, a pixel a twelfth.
    assert variance == pytest.approx(coc**2 / 16 + 1 / 12, rel=0.03)
