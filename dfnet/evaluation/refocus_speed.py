"""What a whole run of refocus.py takes, from two files to one: seconds and memory, by size."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch
from rich.table import Table
from torch import Tensor

from dfnet.errors import InputError
from dfnet.evaluation.preprocessing.speed import resized
from dfnet.io.images import read_image, write_image
from dfnet.recipe import recipe_path

REFOCUS = Path(__file__).resolve().parents[2] / "refocus.py"
# A process begins with the peak of the one that started it: this one between them is small.
WATCH = """
import json, os, sys, time
start = time.monotonic()
quiet = [(os.POSIX_SPAWN_DUP2, 2, 1)]
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, used = os.wait4(process, 0)
seconds = [used.ru_utime + used.ru_stime, time.monotonic() - start]
print(json.dumps([os.waitstatus_to_exitcode(status), *seconds, used.ru_maxrss * 1024 / 1e6]))
"""
NOISE = 2 / 255  # enlarged photos would be smoother than any camera's
SHARP_PART = 0.6  # of UW's sides: about W's view


class RefocusRow(NamedTuple):
    """One run.

    Attributes:
        photo: `as taken`, or `sharp`: a W without blur, which is worked on at its full size.
        megapixels: of W and of UW each.
        run: `first`, or `again` with what was understood of the pair kept.
        working_scale: at which the network saw the photo.
        processor_s: seconds of all threads together.
        wall_s: seconds that passed.
        peak_mb: most memory the process held [10^6 bytes], the libraries included.
    """

    photo: str
    megapixels: float
    run: str
    working_scale: float
    processor_s: float
    wall_s: float
    peak_mb: float


@dataclass(frozen=True)
class RefocusSpeed:
    """Runs a pair of photos at several sizes.

    Attributes:
        folder: holds `wide` and `ultrawide` of any image format.
        megapixels: to which both are brought.
        photos: of `as taken` and `sharp`.
        step: what is asked of refocus.py.
    """

    folder: str
    megapixels: Sequence[float]
    photos: Sequence[str] = ("as taken", "sharp")
    step: str = "all_in_focus=true"

    def rows(self) -> Iterator[RefocusRow]:
        """Every run, the small ones first.

        Raises:
            InputError: a photo is missing, or refocus.py failed.
        """
        for megapixels in self.megapixels:
            for photo in self.photos:
                with TemporaryDirectory() as place:
                    _make_pair(Path(self.folder), Path(place), megapixels, photo)
                    for run in ("first", "again"):
                        yield RefocusRow(photo, megapixels, run, *self._run(Path(place)))

    def _run(self, place: Path) -> tuple[float, float, float, float]:
        """Working scale, processor and wall seconds, peak MB, of a process of its own."""
        photos = [f"{name}={place / name}.jpg" for name in ("wide", "ultrawide")]
        picture = place / "picture.jpg"
        command = [sys.executable, str(REFOCUS), *photos, f"output={picture}", self.step]
        told = subprocess.run(
            [sys.executable, "-c", WATCH, *command],
            env=os.environ | {"XDG_CACHE_HOME": str(place)},
            stdout=subprocess.PIPE,
            check=False,
        )
        code, *used = json.loads(told.stdout)
        if code != 0:
            raise InputError(f"{' '.join(command)}: failed\n  See what it said above.")
        found = json.loads(recipe_path(picture).read_text(encoding="utf-8"))
        return found["found"]["working_scale"], *used


def refocus_table(rows: Sequence[RefocusRow]) -> Table:
    """A line per run."""
    view = Table()
    for column in ("photo", "MP", "run", "scale", "processor s", "wall s", "peak MB"):
        view.add_column(column, justify="left" if column in ("photo", "run") else "right")
    for row in rows:
        numbers = f"{row.working_scale:.2f}", f"{row.processor_s:.1f}", f"{row.wall_s:.1f}"
        view.add_row(row.photo, f"{row.megapixels:g}", row.run, *numbers, f"{row.peak_mb:.0f}")
    return view


def _make_pair(source: Path, place: Path, megapixels: float, photo: str) -> None:
    """Both photos at the size, with noise; `sharp` cuts W out of UW."""
    for k, name in enumerate(("wide", "ultrawide")):
        taken = "ultrawide" if photo == "sharp" else name
        found = sorted(source.glob(f"{taken}.*"))
        if not found:
            raise InputError(
                f"{source}: no photo named {taken}\n  Name a folder with `wide` and `ultrawide`."
            )
        image = read_image(found[0])
        if photo == "sharp" and name == "wide":
            image = _middle(image)
        noise = torch.Generator().manual_seed(k)
        image = resized(image, megapixels)
        for plane in image:
            plane += NOISE * torch.randn(plane.shape, generator=noise)
        write_image(image, place / f"{name}.jpg")


def _middle(image: Tensor) -> Tensor:
    height, width = image.shape[-2:]
    rows, columns = (round(SHARP_PART * side) for side in (height, width))
    top, left = (height - rows) // 2, (width - columns) // 2
    return image[:, top : top + rows, left : left + columns]
