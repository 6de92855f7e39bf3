import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from made_stack import make_stack
from torch.testing import assert_close

from dfnet.capture import load_capture
from dfnet.errors import InputError
from dfnet.evaluation.asking import TASKS, Asking
from dfnet.evaluation.stack import PREPARATIONS
from dfnet.evaluation.tasks import questions, shifted_to, why_not
from dfnet.preprocess import true_preprocessing

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
# Slices are stored out of order: 2 m, 0.4 m, 0.9 m; nearest to farthest they are 1, 2, 0.
DISTANCES_M = (2.0, 0.4, 0.9)


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    return load_capture(make_stack(tmp_path_factory.mktemp("stack"), DISTANCES_M))


@pytest.fixture(scope="module")
def asked(capture):
    found = list(questions(capture, Asking(preprocessing="truth", refocus_pairs="extremes")))
    return {task: [q for q in found if q.task == task] for task in TASKS}


def true_defocus(capture, index):
    return capture.true_defocus_w_px(index, capture.load_truth().depth_w_m)


def test_slices_are_ordered_by_distance_and_not_by_file(asked):
    assert [q.name for q in asked["refocus"]] == [
        "slice 1 → slice 0",
        "slice 0 → slice 1",
        "slice 2 → slice 0",
    ]
    assert [q.name for q in asked["all_in_focus"]] == [
        "slice 1 → all in focus",
        "slice 2 → all in focus",
        "slice 0 → all in focus",
    ]


def test_all_in_focus_asks_for_no_blur_and_answers_with_the_truth(asked, capture):
    for question, source in zip(asked["all_in_focus"], (1, 2, 0), strict=True):
        assert_close(question.image_w, capture.load_wide(source))
        assert_close(question.prepared.defocus_w_px, true_defocus(capture, source))
        assert not question.target_defocus_w_px.any()
        assert_close(question.truth, capture.load_truth().all_in_focus)


def test_refocus_asks_for_the_other_slice_without_noise(asked, capture):
    for question, (source, target) in zip(asked["refocus"], [(1, 0), (0, 1), (2, 0)], strict=True):
        assert_close(question.image_w, capture.load_wide(source))
        assert_close(question.target_defocus_w_px, true_defocus(capture, target))
        assert_close(question.truth, capture.load_clean_wide(target))


def test_shallow_depth_of_field_starts_from_a_noisy_sharp_photo(asked, capture):
    (question,) = asked["shallow_depth_of_field"]
    sharp = capture.load_truth().all_in_focus
    noise = (question.image_w - sharp).abs().mean()
    assert 1e-4 < noise < 4e-2  # noise, shake and JPEG
    assert not question.prepared.defocus_w_px.any()
    assert question.name == "all in focus → slice 1"  # focused nearest, so most is blurred
    assert_close(question.target_defocus_w_px, true_defocus(capture, 1))
    assert_close(question.truth, capture.load_clean_wide(1))


def test_identity_asks_for_what_the_photo_is(asked):
    for question in asked["identity"]:
        assert_close(question.target_defocus_w_px, question.prepared.defocus_w_px)
        assert_close(question.truth, question.image_w)


def test_a_stack_without_truth_or_guide_answers_less(capture):
    photos = replace(capture, truth=None)
    assert [t for t in TASKS if why_not(photos, t) is None] == ["refocus", "identity"]
    assert why_not(photos, "identity", "truth") == "no true geometry"
    alone = replace(capture, ultrawide=())
    assert {why_not(alone, t) for t in TASKS} == {"no ultra-wide photo"}
    single = replace(capture, wide=capture.wide[:1], focus_distance_m=(2.0,))
    assert why_not(single, "refocus") == "fewer than two slices"
    asking = Asking(preprocessing="truth")
    assert {q.task for q in questions(single, asking)} == set(TASKS) - {"refocus"}


def test_misspelt_names_are_refused():
    with pytest.raises(InputError, match=r"tasks: `deblur` is not known\n.*all_in_focus"):
        Asking(("deblur",))
    with pytest.raises(InputError, match=r"preprocessing: `real`"):
        Asking(preprocessing="real")
    for pairs in (0, "some"):
        with pytest.raises(InputError, match=rf"refocus_pairs: `{pairs}` is not a number"):
            Asking(refocus_pairs=pairs)


def refocus_names(capture, pairs, seed=0):
    asking = Asking(("refocus",), "truth", pairs, seed)
    return [q.name for q in questions(capture, asking)]


def test_refocus_pairs_are_drawn_by_seed_and_all_on_request(capture):
    every = refocus_names(capture, "all")
    assert len(set(every)) == 6  # ordered pairs of three slices
    drawn = refocus_names(capture, 4)
    assert len(set(drawn)) == 4
    assert set(drawn) < set(every)
    assert refocus_names(capture, 4) == drawn
    assert len({tuple(refocus_names(capture, 4, seed)) for seed in range(8)}) > 1
    assert refocus_names(capture, 9) == every


def test_another_scene_draws_other_pairs(capture):
    origins = [replace(capture, origin={"seed": seed}) for seed in range(8)]
    assert len({tuple(refocus_names(c, 2)) for c in origins}) > 1


def test_answers_have_file_names_of_their_own(asked):
    stems = [question.file_stem for task in asked.values() for question in task]
    assert len(set(stems)) == len(stems)
    assert "refocus_slice_1_to_slice_0" in stems
    assert all(stem.isascii() and " " not in stem for stem in stems)


def test_a_focus_shift_is_one_constant_that_outliers_do_not_move():
    defocus = torch.linspace(-7, 9, 300).view(1, 15, 20)
    wanted = defocus + 2.5
    wanted[:, :5] = 40.0
    assert_close(shifted_to(wanted, defocus), defocus + 2.5)


def test_an_estimated_refocus_is_the_estimated_map_moved_to_the_wanted_focus(capture, monkeypatch):
    def estimate(capture, index):
        prepared = true_preprocessing(capture, index)
        return prepared._replace(defocus_w_px=1.1 * prepared.defocus_w_px + 3.0)

    monkeypatch.setitem(PREPARATIONS, "estimated", estimate)
    for question in questions(capture, Asking(("refocus",))):
        mine = question.target_defocus_w_px
        moved = mine - question.prepared.defocus_w_px
        assert_close(moved, torch.full_like(moved, float(moved.mean())), atol=1e-4, rtol=0)
        target = int(question.name[-1])
        assert_close(mine.median(), true_defocus(capture, target).median(), atol=0.05, rtol=0)


def test_an_estimated_shallow_wish_for_the_sample_is_near_the_true_one(tmp_path):
    folder = tmp_path / "desk"
    shutil.copytree(SAMPLE / "desk", folder, ignore=shutil.ignore_patterns(".dfnet_cache"))
    desk = load_capture(folder)
    (mine,) = questions(desk, Asking(("shallow_depth_of_field",)))
    (true,) = questions(desk, Asking(("shallow_depth_of_field",), "truth"))
    assert_close(mine.image_w, true.image_w)
    assert_close(mine.truth, true.truth)
    assert not mine.prepared.defocus_w_px.any()
    error_px = (mine.target_defocus_w_px - true.target_defocus_w_px).abs()
    assert error_px.median() < 0.1 * true.target_defocus_w_px.abs().median()
    # The sharp photo's maps are cached as a slice of their own.
    assert [p.stem for p in (folder / ".dfnet_cache").iterdir()] == ["005"]
