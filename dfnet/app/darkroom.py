"""A prepared photo: small maps in memory for the preview, full ones on disk for the export."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from dfnet.camera import equivalent_f_number
from dfnet.errors import InputError
from dfnet.io.pair_order import wide_first
from dfnet.pair import Pair, load_pair
from dfnet.preprocess.cache import load_cached, store
from dfnet.preprocess.register import SwappedError
from dfnet.preprocess.sheet import contact_sheet
from dfnet.targets import Scene

PREVIEW_PIXELS = 500_000
_STORED, _KEY = "photo", "this session"

Load = Callable[[Sequence[Path]], Pair]
Say = Callable[[float, str], None]


@dataclass(frozen=True)
class Darkroom:
    """One pair, ready for edits.

    Attributes:
        folder: the session's; the full-size maps lie there.
        files: of the photos.
        load: reads the photos again, for the export.
        preview: the pair at preview size, whose steps count the full photo's pixels.
        sheet: (3, h, w), what preprocessing understood of two photos; None of one alone.
    """

    folder: Path
    files: tuple[Path, ...]
    load: Load
    preview: Pair
    sheet: Tensor | None

    @property
    def scene(self) -> Scene:
        """What targets of the preview are worked out on."""
        return self.preview.scene()

    @property
    def photo_size(self) -> tuple[int, int]:
        """(width, height) of the full photo."""
        return self.scene.counted_size

    @property
    def f_numbers(self) -> tuple[float | None, float | None]:
        """The captured one and what it is on full frame, where the file says so."""
        wide = self.preview.cameras.get("wide")
        if wide is None:
            return None, None
        return wide.f_number, equivalent_f_number(wide, self.scene.shape)

    def full_pair(self) -> Pair:
        """The pair at full size, its maps read from disk.

        Raises:
            InputError: the files are gone.
        """
        preprocessed = load_cached(self.folder, _STORED, _KEY)
        if preprocessed is None:
            raise InputError("The prepared photo is gone.\n  Give the photos again.")
        return replace(self.load(self.files), preprocessed=preprocessed)


def prepare(files: Sequence[Path], folder: Path, say: Say, load: Load | None = None) -> Darkroom:
    """Understand one pair.

    Args:
        files: wide and ultra-wide photo in either order, or one spatial or portrait photo.
        folder: the session's, for what is large.
        say: told the share that is done, and what comes next.
        load: reads a pair; `load_files` unless a test has another.

    Raises:
        InputError: the photos cannot be used.
    """
    load = load or load_files
    say(0.05, "reading the photos")
    files = tuple(wide_first(*files)[:2]) if len(files) == 2 else tuple(files)
    pair = load(files)
    say(0.1, "matching the two photos; this takes a while")
    try:
        pair.prepare()
    except SwappedError:  # of a spatial photo it is known which is which
        files = files[::-1]
        pair = load(files)
        pair.prepare()
    say(0.9, "setting up the preview")
    alone = pair.image_uw is None
    sheet = None if alone else contact_sheet(pair.image_w, pair.image_uw, pair.preprocessed)
    pair.preprocessed = store(folder, _STORED, _KEY, pair.preprocessed)
    preview = pair.reduced(preview_side_px(pair.image_w.shape[-2:]))
    return Darkroom(folder, files, load, preview, sheet)


def load_files(files: Sequence[Path]) -> Pair:
    """Two photos, or one that holds more than a picture; nothing is kept for another time.

    Raises:
        InputError: a file is no photo, or one photo is not enough.
    """
    return load_pair(*files, keep=False)


def preview_side_px(shape: tuple[int, int]) -> int:
    """The longer side that leaves `PREVIEW_PIXELS` of a photo (H, W), or its own."""
    scale = min(1.0, math.sqrt(PREVIEW_PIXELS / (shape[0] * shape[1])))
    return round(scale * max(shape))
