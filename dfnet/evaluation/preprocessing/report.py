"""The benchmark's figures for people and for programs."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from dfnet import __version__
from dfnet.evaluation.preprocessing.run import Row
from dfnet.io.images import write_whole

COLUMNS = (
    "EPE [px]",
    "bad 2 px [%]",
    "defocused",
    "sharp",
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


def table(rows: Sequence[Row], title: str) -> Table:
    """A line per method; means over the counted pixels of all pairs."""
    view = Table(title=title)
    view.add_column("method")
    for column in COLUMNS:
        view.add_column(column, justify="right")
    for row in rows:
        view.add_row(row.method, *_cells(row))
    return view


def _cells(row: Row) -> list[str]:
    precision, recall, f1 = row.occlusion
    return [
        f"{row.mean('end_point_px'):.2f}",
        f"{100 * row.mean('bad', 0):.1f}",
        f"{100 * row.mean('bad_defocused', 1):.1f}",
        f"{100 * row.mean('bad_sharp', 2):.1f}",
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


def record(rows: Sequence[Row]) -> list[dict]:
    """Everything, pair by pair, for JSON."""
    return [
        {
            "method": row.method,
            "figures": dict(zip(COLUMNS, map(float, _cells(row)), strict=True)),
            "wall_s_per_megapixel": row.cost.wall_s,
            "refused": row.refused,
            "pairs": {
                name: {**score._asdict(), **row.costs[name]._asdict()}
                for name, score in row.scores.items()
            },
        }
        for row in rows
    ]


def write_json(tables: dict[str, list[dict]], settings: dict, path: Path | str) -> None:
    """All tables with the settings that repeat them.

    Raises:
        InputError: the place cannot be written.
    """
    text = json.dumps({"dfnet": __version__, "settings": settings, **tables}, indent=1)
    write_whole(path, lambda partial: partial.write_text(text + "\n", encoding="utf-8"))
