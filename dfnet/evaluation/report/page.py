"""The report for people: one HTML file that needs nothing else, also without a network."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, StrictUndefined

from dfnet.evaluation.bands import EVERYWHERE
from dfnet.evaluation.exhibits import QUESTION_PICTURES
from dfnet.evaluation.intervals import Difference, Summary, differences
from dfnet.evaluation.plan import SceneScores, Scores
from dfnet.evaluation.report.columns import COLUMNS, plain
from dfnet.evaluation.report.files import MAIN_METRIC
from dfnet.evaluation.report.pictures import Box, crop, existing, most_different, thumbnail
from dfnet.evaluation.report.tables import TaskTable, task_tables
from dfnet.evaluation.store import Entry

CROPS_PER_TASK = 4
TEMPLATE = "page.html.j2"


class Shown(NamedTuple):
    """One picture of a row.

    Attributes:
        title: above it.
        source: a `data:` address.
        note: below it, such as its score.
        error: address of its error map, or None.
    """

    title: str
    source: str
    note: str = ""
    error: str | None = None


class SceneRow(NamedTuple):
    """Thumbnails of one scene in one task."""

    scene: str
    pictures: list[Shown]
    maps: list[Shown]


class CropRow(NamedTuple):
    """One part of one scene, by every method."""

    scene: str
    box: Box
    pictures: list[Shown]


class TaskSection(NamedTuple):
    """What the page says of one task."""

    name: str
    table: TaskTable
    parts: list[TaskTable]
    against_best: list[Difference]
    scenes: list[SceneRow]
    crops: list[CropRow]


def page(scores: Scores, found: Sequence[Summary], record: dict, remarks: list[str]) -> str:
    """The whole file as text.

    Args:
        scores: of all scenes, with their pictures.
        found: means.
        record: of `dfnet.evaluation.report.files`, for environment and settings.
        remarks: what a reader should know.
    """
    tables = task_tables(found, scores.ceilings)
    sections = [
        TaskSection(
            table.task,
            table,
            [t for t in tables if t.task == table.task and t.band != EVERYWHERE],
            _against_best(scores, table),
            [row for scene in scores.scenes if (row := _scene_row(scene, table.task))],
            _crop_rows(scores.scenes, table.task),
        )
        for table in tables
        if table.band == EVERYWHERE
    ]
    text = resources.files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["plain"] = plain
    return environment.from_string(text).render(
        sections=sections,
        columns=COLUMNS,
        main=COLUMNS[MAIN_METRIC],
        scenes=len(scores.scenes),
        record=record,
        remarks=remarks,
    )


def _against_best(scores: Scores, table: TaskTable) -> list[Difference]:
    """Every other method less the best one, scene by scene."""
    if MAIN_METRIC not in table.metrics:
        return []
    at = table.metrics.index(MAIN_METRIC)
    best = next((m for m, (cells, _) in table.rows.items() if cells[at].place == 1), None)
    rows = [row for row in scores.rows if row.task == table.task and row.band == EVERYWHERE]
    first = [row for row in rows if row.method != best]
    pairs = differences([*first, *(r for r in rows if r.method == best)], EVERYWHERE, MAIN_METRIC)
    return [pair for pair in pairs if pair.other == best]


def _scene_row(scene: SceneScores, task: str) -> SceneRow | None:
    asked = existing(_asked(scene, task))
    if "w" not in asked:
        return None
    titles = {"w": "W", "truth": "truth", "guide": "UW on W"}
    shown = [Shown(titles[n], thumbnail(asked[n])) for n in titles if n in asked]
    for method, (picture, _) in _answers(scene, task).items():
        shown.append(Shown(plain(method), thumbnail(picture), _score(scene, task, method)))
    maps = {"masks": "masks", "defocus": "defocus of W", "target": "defocus asked for"}
    return SceneRow(
        scene.scene.name,
        shown,
        [Shown(title, thumbnail(asked[n])) for n, title in maps.items() if n in asked],
    )


def _crop_rows(scenes: Sequence[SceneScores], task: str) -> list[CropRow]:
    spots = []
    for scene in scenes:
        spot = most_different([picture for picture, _ in _answers(scene, task).values()])
        if spot is not None:
            spots.append((spot, scene))
    spots.sort(key=lambda found: -found[0].difference)
    return [_crop_row(scene, task, spot.box) for spot, scene in spots[:CROPS_PER_TASK]]


def _crop_row(scene: SceneScores, task: str, box: Box) -> CropRow:
    asked = existing(_asked(scene, task))
    titles = {"w": "W", "truth": "truth", "masks": "masks"}
    shown = [Shown(titles[n], crop(asked[n], box)) for n in titles if n in asked]
    for method, (picture, error) in _answers(scene, task).items():
        score = _score(scene, task, method)
        shown.append(Shown(plain(method), crop(picture, box), score, crop(error, box)))
    return CropRow(scene.scene.name, box, shown)


def _asked(scene: SceneScores, task: str) -> dict[str, Path]:
    if "scene" not in scene.exhibits:
        return {}
    entry = Entry(Path(scene.exhibits["scene"]))
    return {name: entry.picture(f"{task}_{name}") for name in QUESTION_PICTURES}


def _answers(scene: SceneScores, task: str) -> dict[str, tuple[Path, Path]]:
    """Picture and error map by method."""
    found = {}
    for method, folder in scene.exhibits.items():
        entry = Entry(Path(folder))
        both = entry.picture(f"{task}_picture"), entry.picture(f"{task}_error")
        if all(path.is_file() for path in both):
            found[method] = both
    return found


def _score(scene: SceneScores, task: str, method: str) -> str:
    for row in scene.rows:
        if (row.task, row.method, row.band) == (task, method, EVERYWHERE):
            flag = " ⚑" if row.flags else ""
            return COLUMNS[MAIN_METRIC].value(row.metrics[MAIN_METRIC]) + flag
    return ""
