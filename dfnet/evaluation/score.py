"""Ask the questions, score the answers, average: one row per scene, task and method."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import torch

from dfnet.capture import Capture, load_capture
from dfnet.errors import InputError
from dfnet.evaluation.methods import Method, needs_guide
from dfnet.evaluation.metrics import psnr, ssim
from dfnet.evaluation.tasks import TASKS, questions, refuse_unknown, why_not

EQUAL_PICTURES_DB = 99.0  # stands for an infinite PSNR, so that means exist


class Row(NamedTuple):
    """A mean over n pictures.

    Attributes:
        scene: the capture's folder, or `mean` over scenes.
        task: see `dfnet.evaluation.tasks`.
        method: its name in the table.
        psnr_db: [dB], at most `EQUAL_PICTURES_DB`.
        ssim: 1 for equal pictures.
        n: pictures in a scene's row, scenes in a mean row.
    """

    scene: str
    task: str
    method: str
    psnr_db: float
    ssim: float
    n: int


class Scores(NamedTuple):
    """What a run over many captures found.

    Attributes:
        rows: of all captures.
        skipped: `scene, task: why` for tasks that a capture cannot answer.
        failures: messages of captures that could not be used.
    """

    rows: list[Row]
    skipped: list[str]
    failures: list[str]

    def raise_failures(self) -> None:
        """Name the captures that failed, after the others are done.

        Raises:
            InputError: there are some.
        """
        if self.failures:
            names = "\n".join(self.failures)
            raise InputError(f"some captures could not be used; the others were scored\n{names}")


@torch.autocast("cpu", enabled=False)  # a trainer's autocast would compute metrics in bfloat16
def score_capture(
    capture: Capture,
    methods: Mapping[str, Method],
    tasks: Sequence[str] = TASKS,
    preprocessing: str = "estimated",
    scene: str | None = None,
) -> list[Row]:
    """Every method on every question of one capture, where its truth can be trusted.

    Without an ultra-wide photo, methods that need one are left out.

    Args:
        capture: a stack.
        methods: by name; each turns a question into a picture (3, H, W).
        tasks: some of `TASKS`.
        preprocessing: `estimated` or `truth`.
        scene: what the rows call the capture; its folder's name by default.
    """
    scene = scene or capture.folder.name
    rows = []
    methods = {n: m for n, m in methods.items() if capture.ultrawide or not needs_guide(m)}
    for question in questions(capture, tasks, preprocessing):
        for name, method in methods.items():
            picture = method(question)
            psnr_db = min(
                float(psnr(picture, question.truth, mask=question.trusted)), EQUAL_PICTURES_DB
            )
            likeness = float(ssim(picture, question.truth, mask=question.trusted))
            rows.append(Row(scene, question.task, name, psnr_db, likeness, 1))
    return _averaged(rows, scene)


def score_folders(
    folders: Iterable[Path],
    methods: Mapping[str, Method],
    tasks: Sequence[str] = TASKS,
    preprocessing: str = "estimated",
    root: Path | None = None,
) -> Scores:
    """Every method on every capture; one that cannot be used does not stop the others.

    Args:
        folders: of captures.
        methods: by name.
        tasks: some of `TASKS`.
        preprocessing: `estimated` or `truth`.
        root: scenes are called by their path below it.

    Raises:
        InputError: a name that is not known, or nothing at all could be scored.
    """
    refuse_unknown(tasks, preprocessing)
    scores = Scores([], [], [])
    for folder in folders:
        scene = folder.relative_to(root).as_posix() if root else folder.name
        scene = folder.resolve().name if scene in ("", ".") else scene
        try:
            capture = load_capture(folder)
            scores.rows.extend(score_capture(capture, methods, tasks, preprocessing, scene))
        except InputError as error:
            scores.failures.append(str(error))
            continue
        reasons = {task: why_not(capture, task, preprocessing) for task in tasks}
        scores.skipped.extend(f"{scene}, {task}: {r}" for task, r in reasons.items() if r)
        if not capture.ultrawide and not all(reasons.values()):
            guided = [name for name, method in methods.items() if needs_guide(method)]
            scores.skipped.append(f"{scene}, {', '.join(guided)}: no ultra-wide photo")
    if not scores.rows:
        why = "\n".join([*scores.failures, *scores.skipped])
        raise InputError(f"no capture can answer any of the tasks\n{why}")
    return scores


def mean_rows(rows: Iterable[Row]) -> list[Row]:
    """The mean over scenes of each task and method."""
    return _averaged(rows, "mean")


def _averaged(rows: Iterable[Row], scene: str) -> list[Row]:
    """One row per task and method, in order of first appearance."""
    order = {key: i for i, key in enumerate(dict.fromkeys((r.task, r.method) for r in rows))}
    ordered = sorted(rows, key=lambda r: order[r.task, r.method])
    groups = [list(g) for _, g in groupby(ordered, key=lambda r: (r.task, r.method))]
    return [
        Row(
            scene,
            group[0].task,
            group[0].method,
            sum(r.psnr_db for r in group) / len(group),
            sum(r.ssim for r in group) / len(group),
            len(group),
        )
        for group in groups
    ]
