import io
import json
import math
from dataclasses import replace

import pytest
import torch
from made_stack import make_stack
from rich.console import Console
from torch.testing import assert_close

from dfnet.capture import load_capture
from dfnet.errors import InputError
from dfnet.evaluation.methods import CONTROLS, network
from dfnet.evaluation.report import table, write_json
from dfnet.evaluation.score import EQUAL_PICTURES_DB, Row, mean_rows, score_folders
from dfnet.evaluation.tasks import questions
from dfnet.model import DFNetOutput

TASKS = ("all_in_focus", "identity")


def oracle(question):
    return question.truth


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("stacks")
    for seed, name in enumerate(("one", "two")):
        make_stack(root / "inside" / name, (0.4, 1.0), seed)
    return root


@pytest.fixture(scope="module")
def scores(root):
    folders = [root / "inside" / name for name in ("one", "two")]
    return score_folders(folders, {**CONTROLS, "oracle": oracle}, TASKS, "truth", root)


def test_one_row_per_scene_task_and_method(scores):
    assert len(scores.rows) == 2 * 2 * 3
    assert {r.scene for r in scores.rows} == {"inside/one", "inside/two"}
    assert {r.n for r in scores.rows} == {2}  # the nearest and the farthest slice


def test_the_truth_wins_and_w_is_its_own_identity(scores):
    means = {(r.task, r.method): r for r in mean_rows(scores.rows)}
    assert means["all_in_focus", "oracle"].psnr_db == EQUAL_PICTURES_DB
    assert means["identity", "W unchanged"].psnr_db == EQUAL_PICTURES_DB
    assert means["identity", "UW pasted"].psnr_db < 40
    assert means["all_in_focus", "W unchanged"].psnr_db < 40


def test_the_guide_is_pasted_where_it_sees_and_nowhere_else(root):
    seen = []

    def spy(question):
        seen.append(question)
        return question.image_w

    score_folders([root / "inside" / "one"], {"spy": spy}, ["identity"], "truth")
    pasted = CONTROLS["UW pasted"](seen[0])
    hidden = seen[0].prepared.occluded_w.expand_as(pasted)
    assert hidden.any()
    assert (pasted == seen[0].image_w)[hidden].all()
    assert (pasted == seen[0].prepared.uw_on_w)[~hidden].all()


class RadialPainter(torch.nn.Module):
    """Answers with the radial map it was given."""

    trained_coc_px = 32.0

    def forward(self, sample):
        radial_w = sample.radial_w
        return DFNetOutput(radial_w.expand(-1, 3, -1, -1), [], [torch.ones_like(radial_w)])


def test_the_network_is_told_of_the_full_frame(root):
    capture = load_capture(root / "inside" / "one")
    camera = replace(capture.cameras["wide"], full_frame_px=(400, 300))
    capture = replace(capture, cameras={**capture.cameras, "wide": camera})
    question = next(questions(capture, ["all_in_focus"], "truth"))
    painted = network(RadialPainter(), "cpu")(question)
    height, width = painted.shape[-2:]
    corner = math.hypot((width - 1) / 2, (height - 1) / 2) / (math.hypot(400, 300) / 2)
    assert_close(painted[:, 0, 0], torch.full((3,), corner), atol=1e-4, rtol=0)


def test_means_are_over_scenes():
    rows = [Row("a", "t", "m", 20.0, 0.5, 9), Row("b", "t", "m", 30.0, 0.7, 1)]
    (mean,) = mean_rows(rows)
    assert (mean.scene, mean.psnr_db, mean.n) == ("mean", 25.0, 2)
    assert math.isclose(mean.ssim, 0.6)


def test_a_broken_capture_is_named_after_the_others_are_done(root, tmp_path):
    broken = make_stack(tmp_path / "broken", (0.4, 1.0))
    (broken / "wide_00.png").unlink()
    scores = score_folders([broken, root / "inside" / "one"], CONTROLS, TASKS, "truth")
    assert {r.scene for r in scores.rows} == {"one"}
    with pytest.raises(InputError, match=r"the others were scored\n.*wide_00\.png: no such"):
        scores.raise_failures()


def test_what_a_stack_cannot_answer_is_said(root, tmp_path):
    plain = make_stack(tmp_path / "plain", (0.4, 1.0))
    record = json.loads((plain / "capture.json").read_text())
    record["ultrawide"] = []
    (plain / "capture.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"no capture(.|\n)*plain, identity: no ultra-wide photo"):
        score_folders([plain], CONTROLS, TASKS, "truth")
    scores = score_folders([plain, root / "inside" / "one"], CONTROLS, TASKS, "truth")
    assert scores.skipped == [f"plain, {task}: no ultra-wide photo" for task in TASKS]
    scores.raise_failures()


def test_the_report_holds_every_row_and_its_settings(scores, tmp_path):
    path = tmp_path / "new folder" / "scores.json"
    write_json(scores.rows, {"preprocessing": "truth"}, path)
    record = json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert record["settings"] == {"preprocessing": "truth"}
    assert record["metrics"]["margin_px"] == 16
    assert [Row(**r) for r in record["rows"]] == scores.rows
    assert [Row(**r) for r in record["means"]] == mean_rows(scores.rows)


def test_the_table_shows_means(scores):
    console = Console(width=100, file=io.StringIO())
    console.print(table(scores.rows))
    text = console.file.getvalue()
    assert "all in focus" in text
    assert f"{EQUAL_PICTURES_DB:.2f}" in text
