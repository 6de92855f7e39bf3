"""The ablation table: networks that were trained alike but for one thing, side by side."""

from collections.abc import Mapping
from pathlib import Path

from rich.table import Table

from dfnet.evaluation.bands import EVERYWHERE
from dfnet.evaluation.intervals import bootstrap
from dfnet.evaluation.report.files import MAIN_METRIC

BASE = "base"
METHOD = "dfnet"

ByTask = dict[str, dict[str, float]]


def names_of(configs: Path) -> list[str]:
    """The rows that `configs/experiment/ablation/` holds, the base first."""
    found = sorted(path.stem for path in (configs / "experiment" / "ablation").glob("*.yaml"))
    return [BASE, *(name for name in found if name != BASE)]


def psnr_by_scene(record: Mapping) -> ByTask:
    """PSNR [dB] of the network by task and scene, from what `evaluate.py` wrote as scores.json."""
    found: ByTask = {}
    for row in record["rows"]:
        if (row["method"], row["band"]) == (METHOD, EVERYWHERE):
            found.setdefault(row["task"], {})[row["scene"]] = row["metrics"][MAIN_METRIC]
    return found


def ablation_table(found: Mapping[str, ByTask]) -> Table:
    """A line per network, a column per task.

    Returns:
        Mean PSNR [dB] over scenes and how much more than the base that is, with the 95 % interval
        of the difference, taken scene by scene.
    """
    tasks = list(dict.fromkeys(task for scores in found.values() for task in scores))
    view = Table(title="PSNR [dB], and what it differs from the base, with its 95 % interval")
    view.add_column("ablation")
    for task in tasks:
        view.add_column(task.replace("_", " "), justify="right")
    base = found.get(BASE, {})
    for name, scores in found.items():
        others = {} if name == BASE else base
        view.add_row(name, *(_cell(scores.get(t, {}), others.get(t, {})) for t in tasks))
    return view


def _cell(scores: Mapping[str, float], base: Mapping[str, float]) -> str:
    if not scores:
        return ""
    text = f"{sum(scores.values()) / len(scores):.2f}"
    if not (common := [scene for scene in scores if scene in base]):
        return text
    mean, low, high, _ = bootstrap([scores[scene] - base[scene] for scene in common])
    return (
        f"{text} ({mean:+.2f})"
        if low is None
        else f"{text} ({mean:+.2f} [{low:+.2f}, {high:+.2f}])"
    )
