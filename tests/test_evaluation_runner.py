"""Many scenes: kept results, other processes, and trouble that stays where it is."""

import json

import pytest
import torch
from made_stack import make_stack

from dfnet.errors import InputError
from dfnet.evaluation import store
from dfnet.evaluation.asking import Asking
from dfnet.evaluation.plan import Plan
from dfnet.evaluation.runner import evaluate, pick_workers
from dfnet.evaluation.scenes import find_scenes

ASKING = Asking(("all_in_focus", "identity"), "truth")
METHODS = {
    name: {"_target_": "hydra.utils.get_method", "path": f"dfnet.evaluation.methods.{name}"}
    for name in ("w_unchanged", "uw_pasted")
}
calls = []


def counted(question):
    """A method that remembers what it was asked."""
    calls.append((question.scene, question.task))
    return question.image_w


def broken(question):
    """A method that fails in one scene."""
    return question.image_w / (0 if question.scene == "one" else 1)


def wrapped(function):
    return {"_target_": "hydra.utils.get_method", "path": f"{__name__}.{function.__name__}"}


@pytest.fixture
def root(tmp_path):
    for seed, name in enumerate(("one", "two")):
        make_stack(tmp_path / "inside" / name, (0.4, 1.0), seed)
    calls.clear()
    return tmp_path


def plan(root, methods, asking=ASKING):
    return Plan(methods, asking, store=root / "store")


def test_results_are_kept_per_method_and_scene(root):
    scenes = find_scenes(root)
    first = evaluate(scenes, plan(root, {"counted": wrapped(counted)}))
    assert len(calls) == 8  # two scenes, two tasks, two slices each
    both = {"counted": wrapped(counted), **METHODS}
    second = evaluate(scenes, plan(root, both))
    assert len(calls) == 8
    assert [r for r in second.rows if r.method == "counted"] == first.rows
    # Another method beside it, or another order, changes nothing of what one method scores.
    assert {r.method for r in second.rows} == set(both)


@pytest.mark.parametrize("change", ["photo", "asking", "settings", "code"])
def test_kept_results_are_used_only_while_nothing_has_changed(root, change, monkeypatch):
    settings = {"counted": wrapped(counted)}
    evaluate(find_scenes(root), plan(root, settings))
    calls.clear()
    asking = ASKING
    if change == "photo":
        make_stack(root / "other", (0.4, 1.0), 7)
        photo = (root / "other" / "wide_01.png").read_bytes()
        (root / "inside/one/wide_01.png").write_bytes(photo)
        (root / "other" / "capture.json").unlink()
    elif change == "asking":
        asking = Asking(("all_in_focus", "identity"), "truth", seed=1)
    elif change == "settings":
        settings["counted"]["_convert_"] = "none"
    else:
        monkeypatch.setattr(store, "code_digest", lambda: "other")
    evaluate(find_scenes(root), plan(root, settings, asking))
    assert {scene for scene, _ in calls} == ({"one"} if change == "photo" else {"one", "two"})


def test_a_file_that_a_method_names_is_part_of_its_settings(tmp_path):
    weights = tmp_path / "weights.pt"
    weights.write_bytes(b"1")
    before = store.files_named_in({"model": {"files": ["cpu", str(weights)]}, "width": 3})
    assert list(before) == [str(weights)]
    weights.write_bytes(b"2")
    assert store.files_named_in([str(weights)]) != before


def test_other_processes_find_the_same_to_the_last_digit(root):
    scenes = find_scenes(root)
    alone = evaluate(scenes, Plan(METHODS, ASKING, store=root / "a"))
    seen = []
    together = evaluate(scenes, Plan(METHODS, ASKING, store=root / "b"), 2, seen.append)
    again = evaluate(scenes, Plan(METHODS, ASKING, store=root / "c"))
    assert [row.scene for row in together.rows] == [row.scene for row in alone.rows]
    assert together.rows == alone.rows == again.rows
    assert {done.scene.name for done in seen} == {"inside/one", "inside/two"}


def test_a_method_that_fails_stops_neither_the_others_nor_other_scenes(root):
    methods = {"broken": wrapped(broken), **METHODS}
    scores = evaluate(find_scenes(root), plan(root, methods))
    found = {(row.scene, row.method) for row in scores.rows}
    assert ("inside/one", "broken") not in found
    assert {("inside/two", "broken"), ("inside/one", "w_unchanged")} <= found
    with pytest.raises(InputError, match=r"others were scored\nbroken, one, slice 0 → all in "):
        scores.raise_failures()


def test_a_broken_capture_is_named_after_the_others_are_done(root):
    (root / "inside/one/wide_00.png").unlink()
    scores = evaluate(find_scenes(root), plan(root, METHODS))
    assert {r.scene for r in scores.rows} == {"inside/two"}
    with pytest.raises(InputError, match=r"the others were scored\n.*wide_00\.png: no such"):
        scores.raise_failures()


def test_what_a_stack_cannot_answer_is_said(root):
    record = json.loads((root / "inside/one/capture.json").read_text())
    record["ultrawide"] = []
    (root / "inside/one/capture.json").write_text(json.dumps(record))
    one, two = find_scenes(root)
    with pytest.raises(InputError, match=r"no capture(.|\n)*one, identity: no ultra-wide photo"):
        evaluate([one], plan(root, METHODS))
    scores = evaluate([one, two], plan(root, METHODS))
    assert scores.skipped == [f"inside/one, {t}: no ultra-wide photo" for t in ASKING.tasks]
    scores.raise_failures()


def test_the_number_of_processes():
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert pick_workers(3, 2, cpu) == 2
    assert pick_workers("auto", 5, gpu) == 1
    assert 1 <= pick_workers("auto", 5, cpu) <= 5
    for wrong in (0, "many"):
        with pytest.raises(InputError, match=f"workers: `{wrong}` is not a number"):
            pick_workers(wrong, 5, cpu)
