"""Everything that an evaluation leaves behind."""

from pathlib import Path

from rich.console import Console

from dfnet.evaluation.bands import EVERYWHERE
from dfnet.evaluation.intervals import summaries
from dfnet.evaluation.plan import Plan, Scores
from dfnet.evaluation.report.files import record, write_csv, write_json
from dfnet.evaluation.report.tables import console_table, latex_rows, task_tables
from dfnet.io.images import write_whole


def print_scores(scores: Scores, plan: Plan, console: Console) -> None:
    """Means over scenes of whole pictures, and what was left out."""
    whole = [row for row in scores.rows if row.band == EVERYWHERE]
    for table in task_tables(summaries(whole)):
        console.print(console_table(table))
    for remark in [*plan.perceptual.missing(), *(f"left out: {r}" for r in scores.skipped)]:
        console.print(remark, soft_wrap=True, markup=False)
    for row in whole:
        for flag in row.flags:
            told = f"doubtful: {row.scene}, {row.task}, {row.method}: {flag}"
            console.print(told, soft_wrap=True, markup=False)


def write_report(scores: Scores, plan: Plan, settings: dict, folder: Path) -> list[Path]:
    """JSON, CSV and LaTeX.

    Args:
        scores: of all scenes.
        plan: behind them.
        settings: as the user gave them.
        folder: where the files go.

    Returns:
        The files.

    Raises:
        InputError: the place cannot be written.
    """
    found = summaries(scores.rows)
    remarks = {"skipped": scores.skipped, "failures": scores.failures}
    everything = record(scores.rows, found, settings) | remarks
    paths = [folder / name for name in ("scores.json", "scores.csv", "scores.tex")]
    write_json(everything, paths[0])
    write_csv(scores.rows, paths[1])
    rows = latex_rows(task_tables(found))
    write_whole(paths[2], lambda partial: partial.write_text(rows, encoding="utf-8"))
    return paths
