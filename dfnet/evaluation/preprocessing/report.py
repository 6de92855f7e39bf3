"""The benchmark's figures for people and for programs."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.table import Table

from dfnet import __version__
from dfnet.evaluation.preprocessing.given_law import GivenLaw
from dfnet.evaluation.preprocessing.real import RealRow, RealScore
from dfnet.evaluation.preprocessing.run import Row
from dfnet.io.images import write_whole

MOTION = ("EPE [px]", "bad 2 px [%]", "defocused", "sharp")
COLUMNS = (
    *MOTION,
    "valid [%]",
    "bad of it",
    "occl. F1",
    "prec.",
    "recall",
    "CoC err. [px]",
    "95 %",
    "by match",
    "by law",
    "sign [%]",
    "s/Mpx",
    "peak MB",
    "pairs",
    "refused",
)
REAL = (
    "valid [%]",
    "consistent",
    "keypoints",
    "of valid",
    "near/far labels",
    "NCC",
    "defocused",
    "authors' map",
    "slope",
    "in focus at [px]",
    "s",
)


def table(rows: Sequence[Row], title: str) -> Table:
    """A line per method; means over the counted pixels of all pairs."""
    return _view(title, COLUMNS, [(row.method, _cells(row)) for row in rows])


def given_law_table(rows: Sequence[GivenLaw], title: str) -> Table:
    """A line per matcher that was told the true law; each pair counts the same."""
    lines = [
        (row.method, _motion(np.mean([score[:4] for score in row.scores.values()], axis=0)))
        for row in rows
    ]
    return _view(title, MOTION, lines)


def real_table(rows: Sequence[RealRow], title: str) -> Table:
    """A line per scene and method."""
    lines = [
        (f"{scene}: {row.method}", _real_cells(score))
        for scene in rows[0].scores
        for row in rows
        if (score := row.scores.get(scene)) is not None
    ]
    return _view(title, REAL, lines)


def _view(title: str, columns: Sequence[str], lines: Sequence[tuple[str, list[str]]]) -> Table:
    view = Table(title=title)
    view.add_column("method")
    for column in columns:
        view.add_column(column, justify="right")
    for name, cells in lines:
        view.add_row(name, *cells)
    return view


def _motion(figures: Sequence[float]) -> list[str]:
    return [f"{figures[0]:.2f}", *(f"{100 * share:.1f}" for share in figures[1:])]


def _cells(row: Row) -> list[str]:
    precision, recall, f1 = row.occlusion
    return [
        *_motion(row.motion),
        f"{100 * row.mean('valid'):.1f}",
        f"{100 * row.bad_of_valid:.1f}",
        f"{f1:.2f}",
        f"{precision:.2f}",
        f"{recall:.2f}",
        f"{row.mean('defocus_px'):.2f}",
        f"{row.defocus_95_px:.2f}",
        f"{row.mean('defocus_matching_px'):.2f}",
        f"{row.mean('defocus_law_px'):.2f}",
        f"{100 * row.share('near_far_right'):.0f}",
        f"{row.cost.processor_s:.1f}",
        f"{row.peak_mb:.0f}",
        str(len(row.scores)),
        str(len(row.refused)),
    ]


def _real_cells(score: RealScore) -> list[str]:
    shares, rest = score[:5], score[5:]
    formats = (".3f", ".3f", ".3f", ".3f", ".1f", ".1f")
    cells = [f"{100 * share:.1f}" for share in shares]
    cells += [f"{value:{form}}" for value, form in zip(rest, formats, strict=True)]
    return ["" if cell == "nan" else cell for cell in cells]


def record(rows: Sequence[Row]) -> list[dict]:
    """Everything, pair by pair, for JSON."""
    return [
        {
            "method": row.method,
            "figures": dict(zip(COLUMNS, map(float, _cells(row)), strict=True)),
            "wall_s_per_megapixel": row.cost.wall_s,
            "refused": row.refused,
            "pairs": {
                name: {
                    **score._asdict(),
                    "motion": score.motion._asdict(),
                    **row.costs[name]._asdict(),
                }
                for name, score in row.scores.items()
            },
        }
        for row in rows
    ]


def record_by_pair(rows: Sequence[GivenLaw | RealRow]) -> list[dict]:
    """The figures of each pair, for JSON."""
    return [
        {"method": row.method, "pairs": {name: s._asdict() for name, s in row.scores.items()}}
        for row in rows
    ]


def write_json(tables: dict[str, list[dict]], settings: dict, path: Path | str) -> None:
    """All tables with the settings that repeat them.

    Raises:
        InputError: the place cannot be written.
    """
    text = json.dumps({"dfnet": __version__, "settings": settings, **tables}, indent=1)
    write_whole(path, lambda partial: partial.write_text(text + "\n", encoding="utf-8"))
