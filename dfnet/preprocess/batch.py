"""Many captures at once: what `scripts/preprocess.py` does."""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numba
import torch
from rich.console import Console
from rich.progress import track

from dfnet.camera import Camera, cameras_of_preset
from dfnet.capture import find_captures, load_capture
from dfnet.errors import InputError
from dfnet.io.images import write_image
from dfnet.io.pair_order import wide_first
from dfnet.io.phone_depth import read_phone_depth
from dfnet.preprocess.captures import preprocess_capture
from dfnet.preprocess.photos import load_photos
from dfnet.preprocess.pipeline import Preprocessor
from dfnet.preprocess.sheet import contact_sheet


@dataclass(frozen=True)
class Job:
    """What is asked for all captures alike.

    Attributes:
        preprocessor: the chain.
        camera: a preset, as in configs/camera.
        sheet: folder for contact sheets, or None.
        metadata: whether to believe capture.json and EXIF.
        slices: `all`, or the number of one.
    """

    preprocessor: Preprocessor = field(default_factory=Preprocessor)
    camera: dict = field(default_factory=dict)
    sheet: str | None = None
    metadata: bool = True
    slices: str | int = "all"

    @property
    def preset(self) -> dict[str, Camera]:
        """The preset's cameras."""
        return cameras_of_preset(self.camera, "camera")


def preprocess_photos(
    job: Job, wide: str | None, ultrawide: str | None, output: str | None
) -> None:
    """One pair of photos, or a spatial photo, to one contact sheet; nothing else is written.

    Raises:
        InputError: a file is not named or cannot be used.
    """
    if output is None:
        raise InputError("output=...: not given\n  Name the contact sheet: output=sheet.png")
    order = ()
    if job.metadata and wide is not None and ultrawide is not None:
        wide, ultrawide, note = wide_first(wide, ultrawide)
        order = () if note is None else (note,)
    pair = load_photos(wide, ultrawide, job.preset, job.metadata)
    image_w = pair.photo_w.image
    depth = read_phone_depth(wide) if job.preprocessor.use_phone_depth else None
    result = job.preprocessor(
        image_w, pair.image_uw, pair.cameras, phone_depth=depth and depth.disparity
    )
    write_image(contact_sheet(image_w, pair.image_uw, result), output)
    for note in (*order, *pair.notes, *result.notes):
        print(f"note: {note}")
    print(f"wrote {output}")


def preprocess_folder(job: Job, root: str, workers: int = 1) -> None:
    """All captures at or below a folder, into their caches.

    Raises:
        InputError: there are none, or some failed (the others are done).
    """
    folders = find_captures(root)
    start = time.monotonic()
    failures = list(filter(None, _each(job, folders, workers)))
    done = len(folders) - len(failures)
    print(f"prepared {done} of {len(folders)} captures in {time.monotonic() - start:.0f} s")
    if failures:
        raise InputError("\n".join([f"{root}: {len(failures)} captures failed", *failures]))


def _each(job: Job, folders: list[Path], workers: int):
    """What went wrong with each folder, or None; a bar shows how far it is."""
    console = Console(stderr=True)
    bar = {"description": "preprocessing", "total": len(folders), "console": console}
    bar["disable"] = not console.is_terminal
    if workers <= 1:
        yield from track((_one(job, folder) for folder in folders), **bar)
        return
    context = multiprocessing.get_context("spawn")  # threads and fork do not mix
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_be_modest) as pool:
        waiting = [pool.submit(_one, job, folder) for folder in folders]
        yield from track((future.result() for future in as_completed(waiting)), **bar)


def _be_modest() -> None:
    """One thread per worker process; numba first, as its start gives torch all cores again."""
    numba.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def _one(job: Job, folder: Path) -> str | None:
    try:
        capture = load_capture(folder)
        wanted = range(len(capture.wide)) if job.slices == "all" else [int(job.slices)]
        if not capture.ultrawide:
            raise InputError(f"{folder}: no ultrawide photo\n  Preprocessing needs one.")
        for index in wanted:
            result = preprocess_capture(
                capture, index, job.preprocessor, job.preset, use_metadata=job.metadata
            )
            if job.sheet is not None:
                photos = capture.load_wide(index), capture.load_ultrawide(index)
                name = f"{folder.resolve().name}_{index:02d}.png"
                write_image(contact_sheet(*photos, result), Path(job.sheet) / name)
    except InputError as error:
        return str(error) if str(folder) in str(error) else f"{folder}: {error}"
    return None
