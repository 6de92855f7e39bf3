"""The figures for programs: JSON with everything, CSV with one row per scene and part."""

import csv
import io
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torchmetrics
import torchvision

from dfnet import __version__
from dfnet.evaluation.bands import EVERYWHERE
from dfnet.evaluation.intervals import CONFIDENCE, RESAMPLES, SEED, Summary, differences
from dfnet.evaluation.metrics import MARGIN_PX
from dfnet.evaluation.report.columns import COLUMNS
from dfnet.evaluation.score import Row
from dfnet.evaluation.store import code_digest, digest_of, files_named_in
from dfnet.io.images import write_whole
from dfnet.model.released import FOLDER

MAIN_METRIC = "psnr_db"
NAMING_FILES = ("method", "weights", "checkpoint", "lpips_weights", "dists_weights")


def environment() -> dict[str, str]:
    """What ran where: versions, machine, command, and a digest of this package's code."""
    return {
        "dfnet": __version__,
        "code_and_weights_sha256": code_digest(),
        "command": " ".join(["python", *sys.argv]),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "torchmetrics": torchmetrics.__version__,
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
    }


def record(rows: Sequence[Row], found: Sequence[Summary], settings: dict) -> dict:
    """All rows, means with intervals and differences, with the settings that repeat them."""
    compared = differences(rows, EVERYWHERE, MAIN_METRIC)
    return {
        "environment": environment(),
        "settings": settings,
        "files_sha256": {
            "released weights": digest_of(p for p in FOLDER.rglob("*") if p.is_file()),
            **files_named_in({name: settings.get(name) for name in NAMING_FILES}),
        },
        "metrics": {
            "encoding": "sRGB in [0, 1]",
            "margin_px": MARGIN_PX,
            "data_range": 1.0,
            "columns": {name: column._asdict() for name, column in COLUMNS.items()},
        },
        "intervals": {"confidence": CONFIDENCE, "resamples": RESAMPLES, "seed": SEED},
        "means": [_flat(s) for s in found],
        "differences": [_flat(d) for d in compared],
        "rows": [row._asdict() for row in rows],
    }


def write_json(record: dict, path: Path | str) -> None:
    """Write a record; values that are no numbers are a bug.

    Raises:
        InputError: the place cannot be written.
    """
    text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_whole(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def write_csv(rows: Sequence[Row], path: Path | str) -> None:
    """One line per scene, task, method and part; numbers in full, empty where not measured.

    Raises:
        InputError: the place cannot be written.
    """
    names = [name for name in COLUMNS if any(name in row.metrics for row in rows)]
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow(["scene", "task", "method", "band", "pictures", *names, "flags"])
    for row in rows:
        values = [repr(row.metrics[n]) if n in row.metrics else "" for n in names]
        writer.writerow([*row[:4], row.n, *values, "; ".join(row.flags)])
    text = sheet.getvalue()
    write_whole(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def _flat(entry) -> dict:
    """A summary or difference without nesting."""
    fields = entry._asdict()
    interval = fields.pop("interval")
    return {**fields, **interval._asdict()}
