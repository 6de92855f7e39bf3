"""What each stage costs, from two files to cached maps, at several sizes of the same pair."""

import cProfile
import pstats
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch.nn.functional as F
from rich.table import Table
from torch import Tensor

from dfnet.capture import Capture
from dfnet.errors import InputError
from dfnet.evaluation.preprocessing.run import peak_memory_mb
from dfnet.io.images import read_image, write_image
from dfnet.preprocess import Preprocessor, align, cache, full_size, pipeline, restraighten, stereo
from dfnet.preprocess.captures import preprocess_capture
from dfnet.preprocess.register import register

# Functions that do not call each other; what else there is becomes "rest".
STAGES: dict[str, tuple[Callable, ...]] = {
    "load": (read_image,),
    "register": (register,),
    "working size": (align.working_views,),
    "straighten": (align.straighten, restraighten.straighten_through_blur),
    "match": (stereo.make_canvas, stereo.find_motion, stereo.order_from_images),
    "working maps": (stereo.solve_stereo, pipeline._working_guide),
    "blur law": (pipeline.Preprocessor._blur_fit,),
    "full size": (full_size.full_size_maps,),
    "verdict": (pipeline._verdict,),
    "cache": (cache.fingerprint, cache.store),
}
WARM_UP_MEGAPIXELS = 0.4


class SpeedRow(NamedTuple):
    """One pair at one size.

    Attributes:
        method: its name in the table.
        megapixels: of W and of UW each.
        processor_s: by stage, seconds of all threads together; "rest" and "all" are the last two.
        wall_s: seconds that passed.
        peak_mb: most memory the process held [MB], the libraries included.
    """

    method: str
    megapixels: float
    processor_s: dict[str, float]
    wall_s: float
    peak_mb: float


@dataclass(frozen=True)
class SpeedPair:
    """A pair of photos that is brought to each size.

    Attributes:
        folder: holds `wide` and `ultrawide` of any image format.
        megapixels: of both pictures.
    """

    folder: str
    megapixels: float


def run_speed(name: str, preprocessor: Preprocessor, pair: SpeedPair) -> SpeedRow:
    """Preprocess files of one size; a small pair before them loads what is compiled."""
    with TemporaryDirectory() as place:
        small = _capture(pair.folder, Path(place) / "small", WARM_UP_MEGAPIXELS)
        large = _capture(pair.folder, Path(place) / "large", pair.megapixels)
        _prepare(preprocessor, small)
        profile = cProfile.Profile(time.process_time)
        start = time.monotonic()
        profile.runcall(_prepare, preprocessor, large)
        wall_s = time.monotonic() - start
    return SpeedRow(name, pair.megapixels, _by_stage(profile), wall_s, peak_memory_mb())


def speed_table(rows: Sequence[SpeedRow], title: str) -> Table:
    """A line per method and size: processor seconds by stage, seconds that passed, memory."""
    view = Table(title=title)
    for column in ("method", "MP", *STAGES, "rest", "all", "wall", "peak MB"):
        view.add_column(column, justify="left" if column == "method" else "right")
    for row in rows:
        seconds = [f"{s:.2f}" for s in row.processor_s.values()]
        wall, peak = f"{row.wall_s:.1f}", f"{row.peak_mb:.0f}"
        view.add_row(row.method, f"{row.megapixels:g}", *seconds, wall, peak)
    return view


def _prepare(preprocessor: Preprocessor, capture: Capture) -> None:
    preprocess_capture(capture, preprocessor=preprocessor, use_metadata=False)


def _by_stage(profile: cProfile.Profile) -> dict[str, float]:
    stats = pstats.Stats(profile).stats
    spent = {key: cumulative for key, (_, _, _, cumulative, _) in stats.items()}
    seconds = {
        stage: sum(spent.get(_key(function), 0.0) for function in functions)
        for stage, functions in STAGES.items()
    }
    everything = spent[_key(_prepare)]
    return {**seconds, "rest": everything - sum(seconds.values()), "all": everything}


def _key(function: Callable) -> tuple[str, int, str]:
    code = function.__code__
    return code.co_filename, code.co_firstlineno, code.co_name


def _capture(source: str, folder: Path, megapixels: float) -> Capture:
    folder.mkdir()
    for name in ("wide", "ultrawide"):
        found = sorted(Path(source).glob(f"{name}.*"))
        if not found:
            raise InputError(
                f"{source}: no photo named {name}\n  Name a folder with `wide` and `ultrawide`."
            )
        write_image(resized(read_image(found[0]), megapixels), folder / f"{name}.jpg")
    return Capture(folder, ("wide.jpg",), ("ultrawide.jpg",))


def resized(image: Tensor, megapixels: float) -> Tensor:
    """A picture (3, H, W) brought to so many megapixels."""
    scale = (1e6 * megapixels / image[0].numel()) ** 0.5
    size = [round(side * scale) for side in image.shape[-2:]]
    return F.interpolate(image[None], size, mode="bicubic", antialias=True)[0].clamp(0, 1)
