"""An imported stack on disk, whole or not at all."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from dfnet.capture import INDEX_LEVELS, Camera, Capture, save_capture
from dfnet.errors import InputError
from dfnet.importing.sheet import quality_sheet
from dfnet.importing.verdict import describe
from dfnet.io.images import read_image, write_image
from dfnet.preprocess.pipeline import image_pixels, image_tensor

SHEET = "quality.png"
VERDICT = "verdict.txt"
GEOMETRY = "stack_geometry.npz"


class Target:
    """The folder being filled; it gets its name when all is in it."""

    def __init__(self, folder: Path):
        self.folder, self.names = folder, []

    def write_slices(self, slices: Iterable[np.ndarray], paths: list[Path]) -> None:
        """Write the aligned slices with the bit depth of their photos."""
        for i, (image, path) in enumerate(zip(slices, paths, strict=True)):
            self.names.append(f"wide_{i:02d}.png")
            write_image(image_tensor(image), self.folder / self.names[-1], bits=_bits(path))

    def read_slices(self) -> Iterator[np.ndarray]:
        """The written slices, one at a time, (H, W, 3) float32."""
        for name in self.names:
            yield image_pixels(read_image(self.folder / name))

    def write_truth(self, picture: np.ndarray, index: np.ndarray, confidence: np.ndarray) -> None:
        """Write merge, sharpest slice and confidence."""
        truth = self.folder / "truth"
        write_image(image_tensor(picture), truth / "all_in_focus.png")
        write_image(image_tensor(confidence[..., None]), truth / "confidence.png")
        levels = (index * INDEX_LEVELS).round().clip(0, 65535).astype(np.uint16)
        (truth / "sharpest_slice.png").write_bytes(cv2.imencode(".png", levels)[1].tobytes())

    def finish(self, imported, picture, index, confidence, cameras) -> None:
        """Write guide, geometry, quality sheet, verdict and, last, `capture.json`."""
        shots, sweep, guide = imported.source, imported.sweep, imported.guide
        sheet = quality_sheet(imported, picture, index, confidence)
        write_image(image_tensor(sheet), self.folder / SHEET)
        imported.geometry.save(self.folder / GEOMETRY)
        (self.folder / VERDICT).write_text("\n".join(describe(imported)) + "\n", encoding="utf-8")
        distances = shots.focus_distance_m
        if distances is not None:
            known = dict(zip(shots.wide, distances, strict=True))
            distances = tuple(known[p] for p in sweep.paths)
        save_capture(
            Capture(
                folder=self.folder,
                wide=tuple(self.names),
                ultrawide=() if guide is None else (self._copied(shots.ultrawide[guide]),),
                focus_distance_m=distances,
                cameras=_plain(cameras),
                truth={
                    "all_in_focus": "truth/all_in_focus.png",
                    "confidence": "truth/confidence.png",
                    "sharpest_slice": "truth/sharpest_slice.png",
                },
                stack_geometry=GEOMETRY,
                origin=_origin(imported),
            )
        )

    def _copied(self, path: Path) -> str:
        """The guide: its own bytes where every reader knows the format, else a PNG of it."""
        if path.suffix.lower() in (".heic", ".heif", ".dng"):
            name = "ultrawide.png"
            write_image(read_image(path), self.folder / name, bits=_bits(path))
        else:
            name = "ultrawide" + path.suffix.lower()
            shutil.copyfile(path, self.folder / name)
        return name


@contextlib.contextmanager
def writing(output: Path | str) -> Iterator[Target]:
    """A folder to fill beside `output`, renamed to it at the end, removed when anything fails.

    Raises:
        InputError: the output exists, or cannot be written.
    """
    output = Path(output)
    if output.exists():
        raise InputError(f"{output}: exists already\n  Remove it, or choose another output=DIR.")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=output.parent, prefix=f".{output.name}-partial-"))
    except OSError as error:
        raise InputError(
            f"{output}: cannot be written ({error.strerror})\n  Choose another output=DIR."
        ) from error
    try:
        yield Target(partial)
        partial.chmod(0o755)
        partial.rename(output)
    except OSError as error:
        raise InputError(
            f"{output}: cannot be written ({error.strerror})\n"
            "  Choose another place, or make room and permit writing there."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _bits(path: Path) -> int:
    """16 where the photo's file may hold more than 8."""
    if path.suffix.lower() == ".dng":
        return 16
    if path.suffix.lower() not in (".png", ".tif", ".tiff"):
        return 8
    data = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return 16 if data is not None and data.dtype == np.uint16 else 8


def _plain(cameras: dict[str, Camera]) -> dict[str, Camera]:
    return {name: camera for name, camera in sorted(cameras.items()) if camera != Camera()}


def _origin(imported) -> dict:
    """Where each slice comes from and what was done to it."""
    sweep, direction = imported.sweep, imported.direction
    return {
        "generator": "dfnet.importing",
        "photos": [p.name for p in sweep.paths],
        "ultrawide": [p.name for p in imported.source.ultrawide],
        "ordered_by": sweep.ordered_by,
        "direction": direction._asdict(),
        "alignment": sweep.poses.model,
        "to_reference": [h.tolist() for h in sweep.poses.to_reference],
        "reference": sweep.poses.reference,
        "crop": [[s.start, s.stop] for s in sweep.crop],
        "gains": sweep.gains.tolist(),
    }
