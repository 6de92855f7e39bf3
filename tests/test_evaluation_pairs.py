"""Published pairs: three pictures in a folder, another exposure as truth, no metadata."""

import json

import numpy as np
import pytest
import torch
from layered_stack import DEFOCUS_PER_DISPARITY, LAYERS, render_layers, true_disparity
from made_preprocessed import made_preprocessed
from made_stack import make_stack
from test_evaluation_runner import METHODS

from dfnet.errors import InputError
from dfnet.evaluation import pairs
from dfnet.evaluation.asking import Asking
from dfnet.evaluation.pairs import pair_questions, target_defocus_w_px
from dfnet.evaluation.plan import Plan
from dfnet.evaluation.runner import evaluate
from dfnet.evaluation.scenes import find_scenes
from dfnet.io.images import read_image, write_image
from dfnet.optics import BlurLaw, defocus_from_disparity

FARTHEST_PX, NEAREST_PX = LAYERS[0][0], LAYERS[-1][0]


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    """Photos of flat layers: the nearest and the farthest in focus, and all of them sharp."""
    capture = render_layers(tmp_path_factory.mktemp("layers") / "stack")
    names = (capture.wide[0], capture.wide[-1], capture.truth["all_in_focus"])
    return [read_image(capture.folder / name) for name in names]


@pytest.fixture(scope="module")
def disparity():
    return torch.from_numpy(true_disparity())[None]


@pytest.fixture(scope="module")
def prepared(layers, disparity):
    """What perfect preprocessing would say of the photo that is focused nearest."""
    law = BlurLaw(DEFOCUS_PER_DISPARITY, NEAREST_PX)
    return made_preprocessed(
        *disparity.shape[-2:],
        uw_on_w=layers[2],
        disparity_w_px=disparity,
        defocus_w_px=defocus_from_disparity(disparity, law),
        blur_law=law,
    )


@pytest.fixture
def root(tmp_path, layers, prepared, monkeypatch):
    """Two pairs, a folder without target, and a stack."""
    near, far, sharp = layers
    for name in ("kitchen", "cafeteria"):
        write_image(near, tmp_path / name / "wide.png")
        write_image(sharp, tmp_path / name / "ultrawide.png")
        write_image(far, tmp_path / name / "target.png")
    write_image(near, tmp_path / "staged" / "wide.png")
    write_image(sharp, tmp_path / "staged" / "ultrawide.png")
    make_stack(tmp_path / "stack", (0.4, 1.0))
    monkeypatch.setattr(pairs, "preprocess_pair", lambda image_w, image_uw: prepared)
    return tmp_path


TASKS = {"kitchen": "all_in_focus", "cafeteria": "refocus"}


def test_pairs_are_found_beside_stacks(root):
    found = {scene.name: scene.kind for scene in find_scenes(root)}
    assert found == {"cafeteria": "pair", "kitchen": "pair", "stack": "stack"}
    (alone,) = find_scenes(root / "kitchen")
    assert (alone.name, alone.kind) == ("kitchen", "pair")
    with pytest.raises(InputError, match=r"staged: no folder with a capture\.json, or with wide,"):
        find_scenes(root / "staged")


def test_a_sharp_target_asks_for_no_blur(root, layers, prepared):
    (question,) = pair_questions(root / "kitchen", TASKS)
    assert (question.task, question.scene) == ("all_in_focus", "kitchen")
    assert question.is_other_exposure
    assert not question.target_defocus_w_px.any()
    assert float((question.truth - layers[1]).abs().max()) < 0.01  # a file of 8 bits
    assert torch.equal(question.maps.coc_px, prepared.defocus_w_px.abs())


def test_a_refocused_target_asks_for_the_blur_that_it_shows(root, disparity):
    (question,) = pair_questions(root / "cafeteria", TASKS)
    wanted = question.target_defocus_w_px
    for layer in disparity.unique():
        expected = DEFOCUS_PER_DISPARITY * (FARTHEST_PX - float(layer))
        assert abs(float(wanted[disparity == layer].median()) - expected) < 0.8


def test_a_target_that_moved_is_laid_onto_w_first(layers, prepared):
    _, far, _ = layers
    moved = torch.roll(far, (2, -3), dims=(1, 2))
    still, found = (target_defocus_w_px(t, prepared) for t in (far, moved))
    assert float((found - still).abs().max()) < 0.5


@pytest.mark.parametrize("tasks", [{}, {"kitchen": "deblur"}])
def test_what_a_target_shows_must_be_said(root, tasks):
    with pytest.raises(InputError, match=r"kitchen: what its target shows is (not known|'deblur')"):
        next(pair_questions(root / "kitchen", tasks))


def test_a_target_of_another_size_is_refused(root, layers):
    write_image(layers[1][:, :-16], root / "kitchen" / "target.png")
    with pytest.raises(InputError, match=r"kitchen: the target is 368x260, the wide photo 368x276"):
        next(pair_questions(root / "kitchen", TASKS))


def test_rows_of_pairs_tell_what_was_fitted(root):
    asking = Asking(("all_in_focus", "refocus"), "truth")
    plan = Plan(METHODS, asking, pair_tasks=TASKS, store=root / "store")
    scores = evaluate(find_scenes(root), plan)
    scores.raise_failures()
    whole = [row for row in scores.rows if row.band == "all"]
    asked = {(row.scene, row.task) for row in whole if row.scene != "stack"}
    assert asked == {("kitchen", "all_in_focus"), ("cafeteria", "refocus")}
    fitted = {"raw_psnr_db", "shift_px", "scale_percent", "gain_percent"}
    for row in whole:
        assert (fitted <= set(row.metrics)) == (row.scene != "stack")
    assert all(np.isfinite(list(row.metrics.values())).all() for row in scores.rows)
    assert json.loads(json.dumps([row._asdict() for row in scores.rows]))
