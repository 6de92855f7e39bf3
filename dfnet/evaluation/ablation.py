"""The ablation table: networks that were trained alike but for one thing, side by side."""

from collections.abc import Mapping
from pathlib import Path

from rich.table import Table

from dfnet.evaluation.bands import EVERYWHERE
from dfnet.evaluation.report.files import MAIN_METRIC

BASE = "base"
METHOD = "dfnet"

Means = dict[str, float]


def names_of(configs: Path) -> list[str]:
    """The rows that `configs/experiment/ablation/` holds, the base first."""
    found = sorted(path.stem for path in (configs / "experiment" / "ablation").glob("*.yaml"))
    return [BASE, *(name for name in found if name != BASE)]


def means_of(record: Mapping) -> Means:
    """Mean PSNR [dB] of the network by task, from what `evaluate.py` wrote as scores.json."""
    return {
        row["task"]: row["mean"]
        for row in record["means"]
        if (row["method"], row["band"], row["metric"]) == (METHOD, EVERYWHERE, MAIN_METRIC)
    }


def ablation_table(found: Mapping[str, Means]) -> Table:
    """A line per network: PSNR [dB] by task and, in brackets, how much more than the base."""
    tasks = list(dict.fromkeys(task for means in found.values() for task in means))
    view = Table(title="PSNR [dB], and what it differs from the base")
    view.add_column("ablation")
    for task in tasks:
        view.add_column(task.replace("_", " "), justify="right")
    base = found.get(BASE, {})
    for name, means in found.items():
        cells = []
        for task in tasks:
            text = f"{means[task]:.2f}" if task in means else ""
            if name != BASE and task in means and task in base:
                text += f" ({means[task] - base[task]:+.2f})"
            cells.append(text)
        view.add_row(name, *cells)
    return view
