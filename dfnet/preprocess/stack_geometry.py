"""One geometry for all slices of a focus stack: a disparity, a blur law, a focus for each slice.

A slice's own disparity suffers from its blur; all slices of a stack share one scene, so the pair
with the most matches serves them all (as DC² does): here that is the merge of all slices, sharp
everywhere, with the ultra-wide photo. The blur law is fitted to all slices together, each held
against the blurred merge, which has W's own colours and place. Without an ultra-wide photo the
sharpest slice of each pixel takes the disparity's place, in steps found from the same blur.
"""

import json
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import cv2
import numpy as np
import torch
from torch import Tensor

from dfnet.camera import Camera
from dfnet.errors import InputError
from dfnet.optics import BlurLaw
from dfnet.preprocess.align import shrink
from dfnet.preprocess.blur_posterior import TYPICAL_DEFOCUS_PER_DISPARITY
from dfnet.preprocess.blur_table import blur_table
from dfnet.preprocess.pipeline import Preprocessor
from dfnet.preprocess.stack_law import fit_focus_positions, fit_stack_law

CALIBRATION_SIDE_PX = 512
SURE = 0.5  # confidence from which a pixel takes part in a fit
INDEX_STEP = 10.0  # pixels that one slice counts for where a fit asks for disparities
MAPS = ("disparity_w_px", "flow_w_to_uw")
FLAGS = ("valid_w", "occluded_w")


class StackGeometry(NamedTuple):
    """What all slices share, on W's grid.

    Attributes:
        disparity_w_px: (1, H, W), larger is nearer, up to an offset.
        valid_w: (1, H, W) bool, where it is measured and not filled in.
        defocus_per_disparity: blur law's slope.
        disparity_at_focus_px: of each slice.
        baseline_direction: W to UW; (1, 0) without UW, where it has no meaning.
        flow_w_to_uw: (2, H, W) [px], or None without UW.
        occluded_w: (1, H, W) bool, or None without UW.
        notes: what the user should know.
    """

    disparity_w_px: Tensor
    valid_w: Tensor
    defocus_per_disparity: float
    disparity_at_focus_px: tuple[float, ...]
    baseline_direction: tuple[float, float] = (1.0, 0.0)
    flow_w_to_uw: Tensor | None = None
    occluded_w: Tensor | None = None
    notes: tuple[str, ...] = ()

    def law(self, index: int) -> BlurLaw:
        """The blur law of a slice."""
        return BlurLaw(self.defocus_per_disparity, self.disparity_at_focus_px[index])

    def save(self, path: Path) -> None:
        """Write everything; maps to a hundredth of a pixel."""
        arrays = {
            name: (getattr(self, name).numpy() * 100).round().astype(np.int32)
            for name in MAPS
            if getattr(self, name) is not None
        }
        arrays |= {
            name: getattr(self, name).numpy() for name in FLAGS if getattr(self, name) is not None
        }
        header = {
            "defocus_per_disparity": self.defocus_per_disparity,
            "disparity_at_focus_px": self.disparity_at_focus_px,
            "baseline_direction": self.baseline_direction,
            "notes": self.notes,
        }
        with path.open("wb") as file:
            np.savez_compressed(file, header=np.array(json.dumps(header)), **arrays)


def load_geometry(path: Path) -> StackGeometry:
    """Read what `StackGeometry.save` wrote.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        with path.open("rb") as file, np.load(file) as stored:
            header = {
                k: tuple(v) if isinstance(v, list) else v
                for k, v in json.loads(str(stored["header"])).items()
            }
            maps = {k: torch.from_numpy(stored[k]).float() / 100 for k in MAPS if k in stored}
            flags = {k: torch.from_numpy(stored[k]) for k in FLAGS if k in stored}
            return StackGeometry(**header, **maps, **flags)
    except (OSError, KeyError, TypeError, ValueError, EOFError, BadZipFile) as error:
        raise InputError(f"{path}: cannot be read ({error})\n  Import the stack again.") from error


def geometry_from_guide(
    merged: Tensor,
    image_uw: Tensor,
    cameras: dict[str, Camera],
    preprocessor: Preprocessor | None = None,
) -> StackGeometry:
    """Disparity and flow from the all-in-focus merge and UW; the blur law is still open.

    Args:
        merged: (3, H, W).
        image_uw: (3, H', W').
        cameras: what is known of them.
        preprocessor: the chain.

    Raises:
        InputError: the two pictures do not show the same.
    """
    found = (preprocessor or Preprocessor())(merged, image_uw, cameras)
    unsuitable = "no measurable defocus"  # the merge has none, and shall not
    return StackGeometry(
        found.disparity_w_px,
        found.valid_w,
        found.device_defocus_per_disparity,
        (),
        found.baseline_direction,
        found.flow_w_to_uw,
        found.occluded_w,
        tuple(n for n in found.notes if unsuitable not in n),
    )


def with_stack_law(
    geometry: StackGeometry,
    slices: list[np.ndarray],
    merged: np.ndarray,
    confidence: np.ndarray,
    known_defocus_per_disparity: float | None = None,
) -> StackGeometry:
    """Fit one slope to all slices, and a focus disparity to each.

    Args:
        geometry: its disparity is used.
        slices: aligned, reduced alike, (h, w, 3) float32 in [0, 1].
        merged: all in focus, (h, w, 3).
        confidence: (h, w) in [0, 1] of the merge.
        known_defocus_per_disparity: where the lens and the baseline are known.
    """
    full_side = max(geometry.disparity_w_px.shape[-2:])
    reduce = min(1.0, CALIBRATION_SIDE_PX / max(merged.shape[:2]))
    sharp = shrink(merged, reduce)
    scale = max(sharp.shape[:2]) / full_side
    disparity = _resized(geometry.disparity_w_px[0].numpy(), sharp.shape) * scale
    valid = _resized(geometry.valid_w[0].numpy().astype(np.float32), sharp.shape) > 0.99
    valid &= _resized(confidence, sharp.shape) > SURE
    tables = [blur_table(shrink(s, reduce), sharp, disparity, valid) for s in slices]
    slope, focus = fit_stack_law(tables, known_defocus_per_disparity)
    if slope is None:
        middle = float(geometry.disparity_w_px.median())
        note = "The blur of the slices could not be measured; their defocus is taken as zero."
        return geometry._replace(
            disparity_at_focus_px=(middle,) * len(slices),
            defocus_per_disparity=0.0,
            notes=(*geometry.notes, note),
        )
    focus = tuple(f / scale for f in focus)
    return geometry._replace(defocus_per_disparity=slope, disparity_at_focus_px=focus)


def geometry_from_index(
    slices: list[np.ndarray],
    merged: np.ndarray,
    index: np.ndarray,
    confidence: np.ndarray,
    full_index: np.ndarray,
    full_confidence: np.ndarray,
) -> StackGeometry:
    """Defocus without UW: how far each slice's focus lies from the next, in pixels of blur.

    Args:
        slices: aligned, near to far, reduced alike, (h, w, 3) float32 in [0, 1].
        merged: all in focus, (h, w, 3).
        index: (h, w) the sharpest slice.
        confidence: (h, w).
        full_index: (H, W) at full size.
        full_confidence: (H, W).
    """
    reduce = min(1.0, CALIBRATION_SIDE_PX / max(merged.shape[:2]))
    sharp = shrink(merged, reduce)
    scale = max(sharp.shape[:2]) / max(full_index.shape)
    steps = _resized(index, sharp.shape) * INDEX_STEP
    valid = _resized(confidence, sharp.shape) > SURE
    tables = [blur_table(shrink(s, reduce), sharp, steps, valid) for s in slices]
    tables = [t._replace(disparity_px=t.disparity_px / INDEX_STEP) for t in tables]
    positions = fit_focus_positions(tables) / scale  # [px of blur], growing towards far
    slope = TYPICAL_DEFOCUS_PER_DISPARITY
    blur_px = np.interp(full_index, np.arange(len(slices)), positions).astype(np.float32)
    return StackGeometry(
        torch.from_numpy(-blur_px / slope)[None],
        torch.from_numpy(full_confidence > SURE)[None],
        slope,
        tuple(float(-p / slope) for p in positions),
        notes=("No ultra-wide photo: defocus comes from the sharpest slice of each pixel.",),
    )


def _resized(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    size = shape[1], shape[0]
    return cv2.resize(np.ascontiguousarray(values), size, interpolation=cv2.INTER_AREA)
