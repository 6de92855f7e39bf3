"""Many scenes: kept results, other processes, and trouble that stays where it is."""

import json
import os

import numba
import pytest
import torch
from made_preprocessed import made_preprocessed
from made_stack import make_stack

from dfnet.camera import Camera
from dfnet.errors import InputError
from dfnet.evaluation import scene_run, store
from dfnet.evaluation.asking import Asking
from dfnet.evaluation.perceptual import Perceptual
from dfnet.evaluation.plan import Plan
from dfnet.evaluation.question import Question
from dfnet.evaluation.runner import evaluate, pick_workers
from dfnet.evaluation.scenes import find_scenes, some_of

ASKING = Asking(("all_in_focus", "identity"), "truth")
METHODS = {
    name: {"_target_": "hydra.utils.get_method", "path": f"dfnet.evaluation.methods.{name}"}
    for name in ("w_unchanged", "uw_pasted")
}
CORES = max(2, os.cpu_count() or 1)
calls = []


def counted(question):
    """A method that remembers what it was asked."""
    calls.append((question.scene, question.task))
    return question.image_w


def interrupted(question):
    """A method during whose second scene somebody presses Ctrl+C."""
    if question.scene == "two":
        raise KeyboardInterrupt
    return counted(question)


def broken(question):
    """A method that fails in one scene."""
    return question.image_w / (0 if question.scene == "one" else 1)


def modest(question):
    """A method that fails where two processes have more threads than there are cores."""
    numba.get_num_threads()  # as any of numba's parallel loops, this starts its threads
    return question.image_w if 2 * torch.get_num_threads() <= CORES else None


def wrapped(function):
    return {"_target_": "hydra.utils.get_method", "path": f"{__name__}.{function.__name__}"}


@pytest.fixture
def root(tmp_path):
    for seed, name in enumerate(("one", "two")):
        make_stack(tmp_path / "inside" / name, (0.4,), seed)
    calls.clear()
    return tmp_path


@pytest.fixture
def quick(monkeypatch):
    """Questions that need no files, and no pictures for a report: what is kept is at issue."""
    photo = torch.rand(3, 48, 64, generator=torch.Generator().manual_seed(0))
    known = photo, made_preprocessed(48, 64), torch.zeros(1, 48, 64), Camera(), photo

    def asked(scene, asking, pair_tasks):
        for task in asking.tasks:
            yield Question(task, "", *known, scene=scene.folder.name)

    monkeypatch.setattr(scene_run, "scene_questions", asked)
    for name in ("save_question", "save_answer"):
        monkeypatch.setattr(scene_run, name, lambda *shown: None)


def plan(root, methods, asking=ASKING):
    return Plan(methods, asking, store=root / "store")


def test_results_are_kept_per_method_and_scene(root):
    scenes = find_scenes(root)
    first = evaluate(scenes, plan(root, {"counted": wrapped(counted)}))
    assert len(calls) == 4  # two scenes, two tasks
    both = {"counted": wrapped(counted), **METHODS}
    second = evaluate(scenes, plan(root, both))
    assert len(calls) == 4
    assert [r for r in second.rows if r.method == "counted"] == first.rows
    # Another method beside it, or another order, changes nothing of what one method scores.
    assert {r.method for r in second.rows} == set(both)


def test_what_sees_the_whole_stack_is_a_ceiling(root, quick, monkeypatch):
    monkeypatch.setattr(counted, "needs_stack", True, raising=False)
    found = evaluate(find_scenes(root), plan(root, {"counted": wrapped(counted), **METHODS}))
    assert found.ceilings == {"counted"}


def test_an_interrupted_run_goes_on_where_it_was(root, quick):
    settings = {"counted": wrapped(interrupted)}
    with pytest.raises(KeyboardInterrupt):
        evaluate(find_scenes(root), plan(root, settings))
    assert {scene for scene, _ in calls} == {"one"}
    calls.clear()
    kept = {path: path.read_bytes() for path in (root / "store").rglob("rows.json")}
    with pytest.raises(KeyboardInterrupt):
        evaluate(find_scenes(root), plan(root, settings))
    assert calls == []
    assert kept
    assert all(path.read_bytes() == content for path, content in kept.items())


@pytest.mark.parametrize("change", ["photo", "asking", "settings", "code", "weights"])
def test_kept_results_are_used_only_while_nothing_has_changed(root, quick, change, monkeypatch):
    settings = {"counted": wrapped(counted)}
    backbone = root / "backbone.pth"
    backbone.write_bytes(b"1")
    monkeypatch.setattr(Perceptual, "check", lambda self: None)
    monkeypatch.setattr(Perceptual, "compare", lambda self, *pictures: {})

    def run(asking=ASKING):
        perceptual = Perceptual(lpips_weights=str(backbone))
        evaluate(find_scenes(root), Plan(settings, asking, perceptual, store=root / "store"))

    run()
    assert len(calls) == 4
    calls.clear()
    run()
    assert calls == []
    asking = ASKING
    if change == "photo":
        (root / "inside/one/wide_00.png").write_bytes(b"another")
    elif change == "asking":
        asking = Asking(("all_in_focus", "identity"), "truth", seed=1)
    elif change == "settings":
        settings["counted"]["_convert_"] = "none"
    elif change == "weights":
        backbone.write_bytes(b"2")
    else:
        monkeypatch.setattr(store, "code_digest", lambda: "other")
    run(asking)
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
    methods = {**METHODS, "modest": wrapped(modest)}
    together = evaluate(scenes, Plan(methods, ASKING, store=root / "b"), 2, seen.append)
    again = evaluate(scenes, Plan(METHODS, ASKING, store=root / "c"))
    assert [r for r in together.rows if r.method != "modest"] == alone.rows == again.rows
    assert {r.scene for r in together.rows if r.method == "modest"} == {r.scene for r in alone.rows}
    assert {done.scene.name for done in seen} == {"inside/one", "inside/two"}


def test_a_method_that_fails_stops_neither_the_others_nor_other_scenes(root, quick):
    methods = {"broken": wrapped(broken), **METHODS}
    scores = evaluate(find_scenes(root), plan(root, methods))
    found = {(row.scene, row.method) for row in scores.rows}
    assert ("inside/one", "broken") not in found
    assert {("inside/two", "broken"), ("inside/one", "w_unchanged")} <= found
    with pytest.raises(InputError, match=r"others were scored\nbroken, one, : \d+ values"):
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


def test_some_scenes_are_spread_over_all():
    names = [f"s{i}" for i in range(10)]
    assert some_of(names, "all") == names
    assert some_of(names, 2) == ["s2", "s7"]
    assert some_of(names, 1) == ["s5"]
    assert some_of(names, 99) == names
    for wrong in (0, "few"):
        with pytest.raises(InputError, match=f"scenes: `{wrong}` is not a number"):
            some_of(names, wrong)
