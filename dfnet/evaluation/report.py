"""The figures for people and for programs."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from dfnet import __version__
from dfnet.evaluation.metrics import MARGIN_PX
from dfnet.evaluation.score import Row, mean_rows
from dfnet.io.images import write_whole


def table(rows: Sequence[Row]) -> Table:
    """Means over scenes, a section per task, the best of each in bold."""
    means = mean_rows(rows)
    best = {
        task: max(r.psnr_db for r in means if r.task == task) for task in {r.task for r in means}
    }
    view = Table(title="PSNR and SSIM, mean over scenes")
    for column in ("task", "method"):
        view.add_column(column)
    for column in ("PSNR [dB]", "SSIM", "scenes"):
        view.add_column(column, justify="right")
    for row, following in zip(means, [*means[1:], None], strict=True):
        view.add_row(
            row.task.replace("_", " "),
            row.method,
            f"{row.psnr_db:.2f}",
            f"{row.ssim:.4f}",
            str(row.n),
            style="bold" if row.psnr_db == best[row.task] else None,
            end_section=following is None or following.task != row.task,
        )
    return view


def write_json(rows: Sequence[Row], settings: dict, path: Path | str) -> None:
    """All rows and means, with the settings that repeat them.

    Raises:
        InputError: the place cannot be written.
    """
    record = {
        "dfnet": __version__,
        "settings": settings,
        "metrics": {"encoding": "sRGB in [0, 1]", "margin_px": MARGIN_PX, "data_range": 1.0},
        "means": [row._asdict() for row in mean_rows(rows)],
        "rows": [row._asdict() for row in rows],
    }
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    write_whole(path, lambda partial: partial.write_text(text, encoding="utf-8"))
