"""The figures of the preprocessing benchmark against values by hand."""

import math

import numpy as np
import pytest
import torch
from made_preprocessed import made_preprocessed

from dfnet.errors import InputError
from dfnet.evaluation.preprocessing.benchmark import Benchmark
from dfnet.evaluation.preprocessing.cases import Case, RenderedSet, Truth, away_from_border
from dfnet.evaluation.preprocessing.metrics import (
    MotionScore,
    frame_offset_px,
    occlusion_counts,
    precision_recall_f1,
    score_case,
    score_motion,
)
from dfnet.evaluation.preprocessing.real import RealSet
from dfnet.evaluation.preprocessing.report import table
from dfnet.evaluation.preprocessing.run import (
    in_fresh_process,
    peak_memory_mb,
    pooled,
    pooled_motion,
    run_method,
)
from dfnet.evaluation.preprocessing.stereo import StereoSet
from dfnet.optics import BlurLaw, defocus_from_disparity

HEIGHT, WIDTH = 20, 30
LAW = BlurLaw(0.5, 10.0)


def make_truth(w_px_per_uw_px=1.0):
    """Left third sharp (disparity 10), middle defocused by 8 px, right by 4 px; all visible."""
    disparity = torch.full((1, HEIGHT, WIDTH), 10.0)
    disparity[..., 10:20], disparity[..., 20:] = -6.0, 2.0
    everywhere = torch.ones(1, HEIGHT, WIDTH, dtype=torch.bool)
    return Truth(
        torch.cat([-disparity, torch.zeros_like(disparity)]),
        disparity,
        ~everywhere,
        everywhere,
        defocus_from_disparity(disparity, LAW),
        LAW,
        w_px_per_uw_px,
    )


def make_result(truth, flow=None, disparity=None, law=LAW, occluded=None):
    disparity = truth.disparity_w_px if disparity is None else disparity
    flags = torch.zeros_like(truth.hidden_w)
    return made_preprocessed(
        HEIGHT,
        WIDTH,
        flow_w_to_uw=truth.flow_w_to_uw if flow is None else flow,
        disparity_w_px=disparity,
        occluded_w=flags if occluded is None else occluded,
        defocus_w_px=defocus_from_disparity(disparity, law),
        blur_law=law,
    )


class TestMotion:
    def test_errors_are_clipped_and_counted_by_true_blur(self):
        truth = make_truth()
        flow = truth.flow_w_to_uw.clone()
        flow[0, :, :10] += 1.9  # sharp: not bad
        flow[:, :5, 10:20] += torch.tensor([3.0, 4.0])[:, None, None]  # a quarter: 5 px, bad
        flow[1, :10, 20:] += 1000.0  # half of what is neither: clipped at 50
        score = score_motion(flow, truth)
        assert score.end_point_px == pytest.approx((1.9 + 5.0 / 4 + 50.0 / 2) / 3, rel=1e-5)
        assert score.bad == pytest.approx((1 / 4 + 1 / 2) / 3)
        assert score.bad_defocused == pytest.approx(1 / 4)
        assert score.bad_sharp == 0.0
        assert score.weights == (600, 200, 200)

    def test_lengths_are_pixels_of_w(self):
        truth = make_truth(w_px_per_uw_px=1.6)
        flow = truth.flow_w_to_uw + torch.tensor([1.5, 0.0])[:, None, None]  # px of UW
        score = score_motion(flow, truth)
        assert score.end_point_px == pytest.approx(2.4)
        assert score.bad == 1.0

    def test_hidden_and_uncounted_pixels_do_not_count(self):
        truth = make_truth()
        truth.hidden_w[..., 15:] = True
        truth.counted_w[:, :10] = False
        flow = truth.flow_w_to_uw.clone()
        flow[0, :10] += 30
        flow[0, :, 15:] += 30
        score = score_motion(flow, truth)
        assert score.end_point_px == 0.0
        assert score.weights == (150, 50, 100)

    def test_where_nothing_is_defocused_the_share_is_nan(self):
        truth = make_truth()._replace(defocus_w_px=torch.zeros(1, HEIGHT, WIDTH))
        assert math.isnan(score_motion(truth.flow_w_to_uw, truth).bad_defocused)


class TestDefocus:
    def test_a_perfect_result_in_another_frame_of_disparity_is_perfect(self):
        truth = make_truth()
        result = make_result(truth, None, truth.disparity_w_px - 7.0, BlurLaw(0.5, 3.0))
        score, errors = score_case(result, truth)
        assert score.defocus_px == pytest.approx(0.0, abs=1e-5)
        assert score.defocus_matching_px == pytest.approx(0.0, abs=1e-5)
        assert score.defocus_law_px == pytest.approx(0.0, abs=1e-5)
        assert errors.max() < 1e-5
        assert score.near_far_right == 1.0

    def test_errors_of_match_and_law_are_told_apart(self):
        truth = make_truth()
        wrong = truth.disparity_w_px.clone()
        wrong[..., :10] += 4.0  # a third is off by 4 px: 2 px of defocus
        score, _ = score_case(make_result(truth, None, wrong), truth)
        assert score.defocus_matching_px == pytest.approx(2.0 / 3)
        assert score.defocus_law_px == pytest.approx(0.0, abs=1e-5)
        score, _ = score_case(make_result(truth, law=BlurLaw(0.5, 13.0)), truth)  # 1.5 px all over
        assert score.defocus_matching_px == pytest.approx(0.0, abs=1e-5)
        assert score.defocus_law_px == pytest.approx(1.5)
        assert score.defocus_px == score.defocus_95_px == pytest.approx(1.5)

    def test_signed_diameters_are_compared(self):
        truth = make_truth()
        mirrored = make_result(truth)._replace(defocus_w_px=-truth.defocus_w_px)
        score, _ = score_case(mirrored, truth)
        assert score.defocus_px == pytest.approx(2 * (0 + 8 + 4) / 3)

    def test_swapped_near_and_far_show(self):
        truth = make_truth()
        score, _ = score_case(make_result(truth, None, -truth.disparity_w_px), truth)
        assert score.near_far_right == 0.0

    def test_the_offset_is_robust(self):
        true = torch.linspace(0, 9, 100).reshape(1, 10, 10)
        found = true - 2.5
        found[0, 0] += 300
        everywhere = torch.ones(1, 10, 10, dtype=torch.bool)
        assert frame_offset_px(found, true, everywhere) == pytest.approx(2.5, abs=1e-5)


def test_occlusion_counts_only_inside():
    hidden = torch.zeros(1, 4, 10, dtype=torch.bool)
    hidden[:, :, :4] = True  # 16
    found = torch.zeros_like(hidden)
    found[:, :, 2:8] = True  # 24, 8 of them rightly
    inside = torch.ones_like(hidden)
    inside[:, 0] = False
    assert occlusion_counts(found, hidden, inside) == (6, 18, 12)
    precision, recall, f1 = precision_recall_f1((6, 18, 12))
    assert (precision, recall) == (pytest.approx(1 / 3), pytest.approx(1 / 2))
    assert f1 == pytest.approx(2 * (1 / 3) * (1 / 2) / (1 / 3 + 1 / 2))
    assert all(math.isnan(x) for x in precision_recall_f1((0, 0, 0)))


def test_pairs_weigh_by_their_pixels():
    assert pooled([1.0, 4.0, math.nan], [300, 100, 0]) == pytest.approx(1.75)
    assert math.isnan(pooled([], []))
    few, many = (
        MotionScore(1.0, 0.2, 0.4, math.nan, (100, 10, 0)),
        MotionScore(2.0, 0.6, 0.8, 0.1, (300, 30, 50)),
    )
    assert pooled_motion([few, many]) == pytest.approx([1.75, 0.5, 0.7, 0.1])


class Perfect:
    """Knows the first two pairs, and refuses the third."""

    def __init__(self, truth):
        self.truth = truth

    def __call__(self, image_w, image_uw, cameras, focus_distance_m, phone_depth):
        if float(image_w.max()) > 0.5:
            raise InputError("photos: too bright\n  Darken them.")
        return make_result(self.truth)


def make_case(name, brightness):
    image = torch.full((3, HEIGHT, WIDTH), brightness)
    return Case(name, image, image, {}, None, make_truth())


def test_a_row_counts_what_was_refused():
    cases = [make_case("a", 0.1), make_case("b", 0.2), make_case("c", 0.9)]
    row = run_method("perfect", Perfect(make_truth()), cases)
    assert list(row.scores) == ["a", "b"]
    assert row.refused == ("c: photos: too bright",)
    assert row.motion[:2] == [0.0, 0.0]
    assert row.peak_mb > 50
    assert row.cost.processor_s >= 0
    cells = table([row], "a title").columns
    assert [next(iter(c.cells)) for c in cells][-2:] == ["2", "1"]


def test_memory_is_the_childs_own():
    ballast = np.ones(400_000_000, dtype=np.uint8)  # of this process
    child = in_fresh_process(1, peak_memory_mb)
    assert peak_memory_mb() > 400
    assert child < peak_memory_mb() - 300
    assert ballast[-1] == 1


def test_the_border_is_left_out():
    kept = away_from_border(torch.zeros(1, HEIGHT, WIDTH))
    assert kept.shape == (1, HEIGHT, WIDTH)
    assert int(kept.sum()) == (HEIGHT - 16) * (WIDTH - 16)
    assert bool(kept[0, 8, 8])
    assert not bool(kept[0, 7, 8])


class TestBadInput:
    def test_no_data(self):
        with pytest.raises(InputError, match="none is given"):
            next(Benchmark().run({}, {}))

    def test_no_captures(self, tmp_path):
        with pytest.raises(InputError, match=r"no folder with a capture\.json"):
            list(RenderedSet(str(tmp_path)))

    def test_no_stereo(self, tmp_path):
        with pytest.raises(InputError, match=r"im2\.ppm: no such file"):
            list(StereoSet(str(tmp_path)))

    def test_no_real_pairs(self, tmp_path):
        with pytest.raises(InputError, match="none of the folders kitchen"):
            list(RealSet(str(tmp_path)))
