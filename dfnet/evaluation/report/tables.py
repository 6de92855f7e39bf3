"""Tables that every form of the report shares: tasks, methods and metrics, with places."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from rich.markup import escape
from rich.table import Table

from dfnet.evaluation.bands import EVERYWHERE
from dfnet.evaluation.intervals import Summary
from dfnet.evaluation.report.columns import COLUMNS, places, plain

STYLES = {1: "bold", 2: "underline"}
MOST_ACROSS = 6  # metrics that a terminal shows side by side


class Cell(NamedTuple):
    """One mean with its interval.

    Attributes:
        text: for people; empty where nothing was measured.
        place: 1 or 2 among the methods, else 0.
    """

    text: str
    place: int


class TaskTable(NamedTuple):
    """One task over one part of the pictures.

    Attributes:
        task: its name.
        band: the part.
        metrics: names of the columns.
        rows: by method: cells, and the number of scenes.
    """

    task: str
    band: str
    metrics: list[str]
    rows: dict[str, tuple[list[Cell], int]]


def task_tables(
    summaries: Sequence[Summary], ceilings: Collection[str] = frozenset()
) -> list[TaskTable]:
    """One table per task and part, in order of appearance.

    Args:
        summaries: of all of them.
        ceilings: methods that stand in the tables and take no place.
    """
    keys = dict.fromkeys((s.task, s.band) for s in summaries)
    return [
        _table(*key, [s for s in summaries if (s.task, s.band) == key], ceilings) for key in keys
    ]


def _table(task: str, band: str, found: list[Summary], ceilings: Collection[str]) -> TaskTable:
    metrics = [name for name in COLUMNS if any(s.metric == name for s in found)]
    rows: dict[str, tuple[list[Cell], int]] = {}
    by_metric = {m: {s.method: s for s in found if s.metric == m} for m in metrics}
    ranks = {
        m: places(m, {n: s.interval.mean for n, s in of.items() if n not in ceilings})
        for m, of in by_metric.items()
    }
    for method in dict.fromkeys(s.method for s in found):
        cells = []
        for metric in metrics:
            s = by_metric[metric].get(method)
            text = "" if s is None else COLUMNS[metric].with_interval(s.interval)
            cells.append(Cell(text, ranks[metric].get(method, 0)))
        rows[method] = (cells, max(s.interval.n for s in found if s.method == method))
    return TaskTable(task, band, metrics, rows)


def console_table(table: TaskTable) -> Table:
    """For the terminal: the best bold, the second underlined.

    A line per method; where there are too many metrics for that, one per metric.
    """
    title = plain(table.task) + ("" if table.band == EVERYWHERE else f", {plain(table.band)}")
    view = Table(title=f"{title}: mean over scenes [95 % interval]", title_justify="left")
    lines = [("method", *(escape(COLUMNS[m].label) for m in table.metrics), "scenes")]
    for method, (cells, n) in table.rows.items():
        lines.append((plain(method), *map(_styled, cells), str(n)))
    if len(table.metrics) > max(MOST_ACROSS, len(table.rows)):
        lines = list(zip(*lines, strict=True))
    (corner, *heads), *rows = lines
    view.add_column(corner, no_wrap=True)
    for head in heads:
        view.add_column(head, justify="right", overflow="fold")
    for line in rows:
        view.add_row(*line)
    return view


def latex_rows(tables: Sequence[TaskTable]) -> str:
    """Rows for LaTeX, a method each; the best bold, the second underlined."""
    lines = []
    for table in tables:
        heads = " & ".join(_latex(COLUMNS[m].label) for m in table.metrics)
        lines.append(f"% {plain(table.task)}, {plain(table.band)}: method & {heads} & scenes")
        for method, (cells, n) in table.rows.items():
            texts = " & ".join(_latex_cell(cell) for cell in cells)
            lines.append(f"{_latex(plain(method))} & {texts} & {n} \\\\")
    return "\n".join(lines) + "\n"


def _styled(cell: Cell) -> str:
    text = escape(cell.text.replace(", ", ","))  # narrow terminals break only before the interval
    return f"[{STYLES[cell.place]}]{text}[/]" if cell.place else text


def _latex_cell(cell: Cell) -> str:
    text = _latex(cell.text)
    return {1: f"\\textbf{{{text}}}", 2: f"\\underline{{{text}}}"}.get(cell.place, text)


def _latex(text: str) -> str:
    for character in "%_#&$":
        text = text.replace(character, f"\\{character}")
    return text
