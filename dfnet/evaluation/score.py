"""Ask the questions, score the answers, average: one row per scene, task and method."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from dfnet.capture import Capture
from dfnet.evaluation.methods import Method
from dfnet.evaluation.metrics import psnr, ssim
from dfnet.evaluation.tasks import TASKS, questions

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


def score_capture(
    capture: Capture,
    methods: Mapping[str, Method],
    tasks: Sequence[str] = TASKS,
    preprocessing: str = "estimated",
    scene: str | None = None,
) -> list[Row]:
    """Every method on every question of one capture.

    Args:
        capture: a stack.
        methods: by name; each turns a question into a picture (3, H, W).
        tasks: some of `TASKS`.
        preprocessing: `estimated` or `true`.
        scene: what the rows call the capture; its folder's name by default.
    """
    scene = scene or capture.folder.name
    rows = []
    for question in questions(capture, tasks, preprocessing):
        for name, method in methods.items():
            picture = method(question)
            psnr_db = min(float(psnr(picture, question.truth)), EQUAL_PICTURES_DB)
            likeness = float(ssim(picture, question.truth))
            rows.append(Row(scene, question.task, name, psnr_db, likeness, 1))
    return _averaged(rows, scene)


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
