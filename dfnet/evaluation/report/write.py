"""Everything that an evaluation leaves behind."""

from pathlib import Path

from rich.console import Console

from dfnet.evaluation.bands import EVERYWHERE
from dfnet.evaluation.intervals import summaries
from dfnet.evaluation.plan import Plan, Scores
from dfnet.evaluation.report.files import record, write_csv, write_json
from dfnet.evaluation.report.page import page
from dfnet.evaluation.report.tables import console_table, latex_rows, task_tables
from dfnet.io.images import write_whole


def print_scores(scores: Scores, plan: Plan, console: Console) -> None:
    """Means over scenes of whole pictures, and what was left out."""
    whole = [row for row in scores.rows if row.band == EVERYWHERE]
    for table in task_tables(summaries(whole), scores.ceilings):
        console.print(console_table(table))
    for remark in remarks(scores, plan):
        console.print(remark, soft_wrap=True, markup=False)


def write_report(scores: Scores, plan: Plan, settings: dict, folder: Path) -> list[Path]:
    """JSON, CSV, LaTeX and the page to look at.

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
    outcome = {"skipped": scores.skipped, "failures": scores.failures}
    everything = record(scores.rows, found, settings) | outcome
    paths = [folder / name for name in ("scores.json", "scores.csv", "scores.tex")]
    write_json(everything, paths[0])
    write_csv(scores.rows, paths[1])
    rows = latex_rows(task_tables(found, scores.ceilings))
    write_whole(paths[2], lambda partial: partial.write_text(rows, encoding="utf-8"))
    told = remarks(scores, plan)
    text = page(scores, found, everything, told)
    paths.append(folder / "report.html")
    write_whole(paths[-1], lambda partial: partial.write_text(text, encoding="utf-8"))
    return paths


def remarks(scores: Scores, plan: Plan) -> list[str]:
    """What was not measured, left out or is doubtful, one sentence each."""
    flags = [
        f"doubtful: {row.scene}, {row.task}, {row.method}: {flag}"
        for row in scores.rows
        if row.band == EVERYWHERE
        for flag in row.flags
    ]
    left_out = [f"left out: {remark}" for remark in scores.skipped]
    failed = [f"failed: {message}" for message in scores.failures]
    return [*plan.perceptual.missing(), *left_out, *failed, *flags]
