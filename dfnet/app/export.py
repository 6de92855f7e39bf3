"""The picture at full size, made in the background while the page goes on."""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from dfnet.app.darkroom import Darkroom
from dfnet.app.preview import Previewer
from dfnet.errors import InputError
from dfnet.targets import Step

_log = logging.getLogger(__name__)


class Kind(NamedTuple):
    """A file format on offer."""

    suffix: str
    bits: int


KINDS = {"jpeg": Kind(".jpg", 8), "png16": Kind(".png", 16), "tiff16": Kind(".tif", 16)}


@dataclass
class Export:
    """A job that is waiting, running or over.

    Attributes:
        share: of the work that is done, in [0, 1].
        doing: in words.
        files: what was made; empty until it is over.
        error: why it failed, or None.
        notes: for people, what the file could not hold.
    """

    share: float = 0.0
    doing: str = "waiting for its turn"
    files: tuple[Path, ...] = ()
    error: Exception | None = None
    notes: tuple[str, ...] = ()
    thread: threading.Thread | None = field(default=None, repr=False)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return bool(self.files) or self.error is not None

    def say(self, share: float, doing: str) -> None:
        """Note how far it is."""
        self.share, self.doing = share, doing


def begin_export(work: Callable[[Export], tuple[Path, ...]], turn: threading.Lock) -> Export:
    """Start a job in the background; one after another takes its turn."""
    export = Export()

    def run() -> None:
        try:
            with turn:
                export.files = work(export)
        except Exception as error:
            if not isinstance(error, InputError):
                _log.exception("export failed")
            export.error = error

    export.thread = threading.Thread(target=run, daemon=True)
    export.thread.start()
    return export


def export_files(
    darkroom: Darkroom, previewer: Previewer, steps: Sequence[Step], kind: Kind, export: Export
) -> tuple[Path, ...]:
    """Render at full size and write picture and recipe.

    Returns:
        Their paths, in the session's folder: the picture, and its recipe.

    Raises:
        InputError: the prepared photo is gone, or there is no room on the disk.
    """
    export.say(0.02, "reading the photo")
    pair = darkroom.full_pair()
    pair.model = previewer.model
    pair.recipe = replace(pair.recipe, weights=previewer.weights, device=previewer.device)
    picture = pair.refocus(steps, track=lambda tiles: _told(tiles, export))
    export.say(0.95, "writing the file")
    path = _free_name(darkroom, pair.files[0], kind.suffix)
    saved = picture.save(path, kind.bits)
    export.notes = saved.notes
    export.say(1.0, "done")
    return saved.files


def _free_name(darkroom: Darkroom, wide: Path, suffix: str) -> Path:
    """Beside the photos, so that the recipe names them as they lie on the user's disk."""
    stem = f"{wide.stem}_refocused"
    while darkroom.folder / f"{stem}{suffix}" in darkroom.files:
        stem += "_again"
    return darkroom.folder / f"{stem}{suffix}"


def _told(tiles: Sequence, export: Export) -> Iterable:
    for number, tile in enumerate(tiles):
        export.say(0.1 + 0.85 * number / len(tiles), f"rendering, {number + 1} of {len(tiles)}")
        yield tile
