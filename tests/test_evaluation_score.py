import math
from dataclasses import replace

import pytest
import torch
from made_stack import make_stack
from torch.testing import assert_close

from dfnet.capture import load_capture
from dfnet.errors import InputError
from dfnet.evaluation.asking import Asking
from dfnet.evaluation.bands import SceneMaps, bands
from dfnet.evaluation.methods import CONTROLS, network
from dfnet.evaluation.metrics import EQUAL_PICTURES_DB, psnr
from dfnet.evaluation.score import Row, averaged, score_answer, score_capture
from dfnet.evaluation.tasks import questions
from dfnet.model import DFNetOutput

ASKING = Asking(("all_in_focus", "identity"), "truth")


def oracle(question):
    return question.truth


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stacks") / "desk"
    return load_capture(make_stack(folder, (0.4, 1.0)))


@pytest.fixture(scope="module")
def rows(capture):
    return score_capture(capture, {**CONTROLS, "oracle": oracle}, ASKING)


@pytest.fixture
def question(capture):
    return next(questions(capture, ASKING))


def test_one_row_per_task_method_and_part(rows):
    whole = [row for row in rows if row.band == "all"]
    assert len(whole) == 2 * 3
    assert {row.scene for row in rows} == {"desk"}
    assert {row.n for row in whole} == {2}  # the nearest and the farthest slice
    assert {row.band for row in rows} <= {"all", *bands(SceneMaps(*[torch.zeros(1, 9, 9)] * 3))}


def test_the_truth_wins_and_w_is_its_own_identity(rows):
    whole = {(r.task, r.method): r.metrics["psnr_db"] for r in rows if r.band == "all"}
    assert whole["all_in_focus", "oracle"] == EQUAL_PICTURES_DB
    assert whole["identity", "W unchanged"] == EQUAL_PICTURES_DB
    assert whole["identity", "UW pasted"] < 40
    assert whole["all_in_focus", "W unchanged"] < 40


def test_the_guide_is_pasted_where_it_sees_and_nowhere_else(question):
    pasted = CONTROLS["UW pasted"](question)
    hidden = question.prepared.occluded_w.expand_as(pasted)
    assert hidden.any()
    assert (pasted == question.image_w)[hidden].all()
    assert (pasted == question.prepared.uw_on_w)[~hidden].all()


def test_each_part_is_scored_by_its_own_pixels(question):
    masks = bands(question.maps)
    spoilt = torch.where(masks["depth_edge"], 1 - question.truth, question.truth)
    parts = score_answer(question, spoilt, "spoiler").parts
    assert {"all", "depth_edge"} < set(parts)
    assert parts["depth_edge"]["psnr_db"] < 15
    for name in set(parts) - {"all"}:
        expected = psnr(spoilt, question.truth, mask=masks[name])
        assert math.isclose(parts[name]["psnr_db"], float(expected), abs_tol=1e-4)
    away = question._replace(trusted=~masks["depth_edge"])
    parts = score_answer(away, spoilt, "spoiler").parts
    assert "depth_edge" not in parts
    assert parts["all"]["psnr_db"] == EQUAL_PICTURES_DB


def test_what_is_not_trusted_does_not_count(question):
    trusted = torch.zeros_like(question.prepared.occluded_w)
    trusted[..., :40] = True
    picture = torch.where(trusted, question.truth, 1 - question.truth)
    parts = score_answer(question._replace(trusted=trusted), picture, "half").parts
    assert {part["psnr_db"] for part in parts.values()} == {EQUAL_PICTURES_DB}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x: x[..., 1:], r"liar, desk, slice 0 → all in focus: the output is \(3, 80, 111\)"),
        (lambda x: x.masked_fill(x > 0.5, math.nan), "values of the output are not finite"),
        (lambda x: x / 0, "values of the output are not finite"),
    ],
)
def test_an_output_without_a_score_is_refused(question, spoil, message):
    with pytest.raises(InputError, match=message):
        score_answer(question, spoil(question.truth), "liar")


def test_banding_and_values_out_of_range_are_flagged(question):
    assert score_answer(question, question.truth, "m").flags == ()
    coarse = (question.truth * 31).round() / 31
    assert score_answer(question, coarse, "m").flags == ("only 32 levels per channel",)
    loud = question.truth * 3
    (flag,) = score_answer(question, loud, "m").flags
    assert flag.endswith("% of values beyond black or white")
    # A photo of 8 bits may be handed back as it is, but not with fewer.
    eight = question._replace(image_w=(question.image_w * 255).round() / 255)
    assert score_answer(eight, (question.truth * 255).round() / 255, "m").flags == ()
    assert score_answer(eight, coarse, "m").flags == ("only 32 levels per channel",)


class RadialPainter(torch.nn.Module):
    """Answers with the radial map it was given."""

    trained_coc_px = target_coc_px = 32.0

    def forward(self, sample):
        radial_w = sample.radial_w
        return DFNetOutput(radial_w.expand(-1, 3, -1, -1), [], [torch.ones_like(radial_w)])


def test_the_network_is_told_of_the_full_frame(capture):
    camera = replace(capture.cameras["wide"], full_frame_px=(400, 300))
    capture = replace(capture, cameras={**capture.cameras, "wide": camera})
    question = next(questions(capture, ASKING))
    painted = network(RadialPainter(), "cpu")(question)
    height, width = painted.shape[-2:]
    corner = math.hypot((width - 1) / 2, (height - 1) / 2) / (math.hypot(400, 300) / 2)
    assert_close(painted[:, 0, 0], torch.full((3,), corner), atol=1e-4, rtol=0)


def test_means_are_over_the_pictures_that_have_the_part():
    rows = [
        Row("a", "t", "m", "all", {"psnr_db": 20.0, "lpips": 0.5}, 1, ("odd",)),
        Row("a", "t", "m", "occluded", {"psnr_db": 10.0}, 1),
        Row("a", "t", "m", "all", {"psnr_db": 30.0}, 1, ("odd", "late")),
    ]
    whole, part = averaged(rows)
    assert whole == Row("a", "t", "m", "all", {"psnr_db": 25.0, "lpips": 0.5}, 2, ("odd", "late"))
    assert part == rows[1]
