"""One scene: its questions put to every method whose results are not kept already."""

from collections.abc import Mapping

from hydra.utils import instantiate

from dfnet.capture import load_capture
from dfnet.errors import InputError
from dfnet.evaluation.asking import CONTROL
from dfnet.evaluation.bands import EVERYWHERE
from dfnet.evaluation.control import control_probe, measure_control
from dfnet.evaluation.exhibits import save_answer, save_question
from dfnet.evaluation.methods import Method, needs_guide, needs_stack
from dfnet.evaluation.plan import Plan, SceneScores
from dfnet.evaluation.scenes import STACK, Scene, has_guide, missing_for, scene_questions
from dfnet.evaluation.score import Row, averaged, rows_of, score_answer
from dfnet.evaluation.store import Entry, scene_digest


class Methods:
    """Methods made from their settings when they are first needed, and kept.

    Args:
        settings: with `_target_`, by name.
    """

    def __init__(self, settings: Mapping[str, dict]):
        self.settings, self.made = settings, {}

    def __getitem__(self, name: str) -> Method:
        if name not in self.made:
            self.made[name] = instantiate(self.settings[name])
        return self.made[name]


def score_scene(scene: Scene, plan: Plan, methods: Methods) -> SceneScores:
    """Every method on every question of one scene, or what was kept of an earlier run.

    Args:
        scene: a stack or a pair.
        plan: of the evaluation.
        methods: those of the plan.
    """
    try:
        return _scored(scene, plan, methods)
    except InputError as error:
        return SceneScores(scene, [], {}, [], [str(error)])


def _scored(scene: Scene, plan: Plan, methods: Methods) -> SceneScores:
    reasons = missing_for(scene, plan.asking)
    skipped = [f"{scene.name}, {task}: {reason}" for task, reason in reasons.items()]
    if len(reasons) == len(plan.asking.tasks):
        return SceneScores(scene, [], {}, skipped, [])
    lacking = _lacking(scene, {name: methods[name] for name in plan.methods})
    names = [name for name in plan.methods if name not in lacking]
    skipped += [f"{scene.name}, {name}: {reason}" for name, reason in lacking.items()]
    digest = scene_digest(scene.folder)
    exhibit = plan.entry(scene, digest)
    entries = {name: plan.entry(scene, digest, name) for name in names}
    missing = {name: entry for name, entry in entries.items() if entry.load() is None}
    failures = _answer_all(scene, plan, methods, missing, exhibit) if missing else []
    found = {name: record for name, e in entries.items() if (record := e.load()) is not None}
    rows = [_row(record) for records in found.values() for record in records]
    exhibits = {"scene": str(exhibit.folder), **{n: str(entries[n].folder) for n in found}}
    ceilings = tuple(name for name in names if needs_stack(methods[name]))
    return SceneScores(scene, rows, exhibits, skipped, failures, ceilings)


def _lacking(scene: Scene, methods: Mapping[str, Method]) -> dict[str, str]:
    """What the scene does not have, by the method that needs it."""
    reasons = {}
    if scene.kind != STACK:
        reasons = {n: "no focus stack" for n, m in methods.items() if needs_stack(m)}
    if not has_guide(scene):
        reasons |= {n: "no ultra-wide photo" for n, m in methods.items() if needs_guide(m)}
    return reasons


def _answer_all(
    scene: Scene, plan: Plan, methods: Methods, entries: dict[str, Entry], exhibit: Entry
) -> list[str]:
    """Ask the methods whose results are missing; a method that fails stops only itself."""
    rows: dict[str, list[Row]] = {name: [] for name in entries}
    failures, shown = [], set()
    for question in scene_questions(scene, plan.asking, plan.pair_tasks):
        is_shown = question.task not in shown
        shown.add(question.task)
        if is_shown:
            save_question(exhibit, question)
        for name in list(rows):
            try:
                picture = methods[name](question)
                scored = score_answer(question, picture, name, plan.perceptual)
            except InputError as error:
                failures.append(str(error))
                del rows[name]
                continue
            rows[name].extend(rows_of(scene.name, question.task, name, scored))
            if is_shown:
                save_answer(entries[name], question, picture, scored)
    if CONTROL in plan.asking.tasks and scene.kind == STACK:
        _control(scene, plan, methods, rows)
    for name, found in rows.items():
        entries[name].save([row._asdict() for row in averaged(found)])
    return failures


def _row(record: dict) -> Row:
    return Row(**{**record, "flags": tuple(record["flags"])})


def _control(scene: Scene, plan: Plan, methods: Methods, rows: dict[str, list[Row]]) -> None:
    try:
        probe = control_probe(load_capture(scene.folder), plan.asking)
    except InputError as error:
        for name, found in rows.items():
            found.append(Row(scene.name, CONTROL, name, EVERYWHERE, {}, 0, (str(error),)))
        return
    for name, found in rows.items():
        metrics = measure_control(methods[name], probe, name)
        found.append(Row(scene.name, CONTROL, name, EVERYWHERE, metrics, 1))
