"""A folder of photos becomes a focus stack of ours: ordered, aligned, merged, described."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from torch import Tensor

from dfnet.capture import Camera
from dfnet.importing.focus import Direction, direction_from_disparity, guess_direction
from dfnet.importing.merge import merge
from dfnet.importing.read import Source, find_shots
from dfnet.importing.sweep import Sweep, align_sweep
from dfnet.importing.write import writing
from dfnet.io.images import read_exif, read_image
from dfnet.preprocess.align import gray_8_bit
from dfnet.preprocess.cameras import camera_from_exif, defocus_per_disparity
from dfnet.preprocess.keypoints import find_details, match_freely
from dfnet.preprocess.pipeline import image_pixels, image_tensor
from dfnet.preprocess.stack_geometry import (
    StackGeometry,
    geometry_from_guide,
    geometry_from_index,
    with_stack_law,
)

SURE = 0.5  # confidence from which a pixel counts as known


class Imported(NamedTuple):
    """What an import found; `dfnet.importing.verdict` puts it in words.

    Attributes:
        source: the photos.
        sweep: in order, near to far.
        direction: how near and far were told apart.
        geometry: one for all slices.
        guide: which of the UW photos serves; None without any.
    """

    source: Source
    sweep: Sweep
    direction: Direction
    geometry: StackGeometry
    guide: int | None


def import_stack(
    source: Path | str, output: Path | str, ultrawide: Sequence[str] | None = None
) -> Imported:
    """Import a folder of photos; the output appears whole or not at all.

    Args:
        source: a folder with W shots at different focus and, maybe, UW shots.
        output: a folder that does not exist yet.
        ultrawide: names of the UW shots where they cannot be told apart otherwise.

    Raises:
        InputError: the photos do not make a focus stack, or the output cannot be written.
    """
    shots = find_shots(source, ultrawide)
    with writing(output) as target:
        sweep = align_sweep(shots)
        cameras = _cameras(shots, sweep)
        picture = merge(sweep.slices(), _full_size(sweep, sweep.sharpest.index))
        guide = best_guide(picture, [read_image(p) for p in shots.ultrawide])
        pair = None
        if guide is not None:
            image_uw = read_image(shots.ultrawide[guide])
            pair = geometry_from_guide(image_tensor(picture), image_uw, cameras)
        direction = find_direction(shots, sweep, pair)
        sweep = sweep if direction.near_first else sweep.reversed()
        index, confidence = (_full_size(sweep, m) for m in sweep.sharpest[::2])
        geometry = _geometry(sweep, pair, picture, index, confidence, cameras)
        imported = Imported(shots, sweep, direction, geometry, guide)
        target.write_slices(sweep.slices(), sweep.paths)
        target.write_truth(picture, index, confidence)
        target.finish(imported, picture, index, confidence, cameras)
    return imported


def find_direction(shots: Source, sweep: Sweep, pair: StackGeometry | None) -> Direction:
    """Whether the sweep begins with the nearest focus.

    Args:
        shots: where focus distances may be known.
        sweep: in either direction.
        pair: disparity of merge and UW, where there is one.
    """
    if shots.focus_distance_m is not None:
        return Direction(True, "focus distances", f"from {shots.distances_from}")
    index, confidence = sweep.sharpest.index, sweep.sharpest.confidence
    if pair is not None:
        return direction_from_disparity(
            _like(index, pair.disparity_w_px[0].numpy()),
            index,
            (confidence > SURE) & (_like(index, pair.valid_w[0].float().numpy()) > 0.9),
        )
    places = [shots.wide.index(p) for p in sweep.paths]
    by_name = places in (sorted(places), sorted(places, reverse=True))
    run = int(np.sign(places[-1] - places[0])) if by_name else 0
    return guess_direction(sweep.poses.zooms, index, confidence, run)


def best_guide(picture: np.ndarray, guides: list[Tensor]) -> int | None:
    """The UW photo that shows most of what the merge shows; None without any.

    Args:
        picture: all in focus, (H, W, 3).
        guides: UW photos (3, H', W').
    """
    if len(guides) < 2:
        return 0 if guides else None
    gray = gray_8_bit(picture)
    details = [find_details(gray, gray_8_bit(image_pixels(guide))) for guide in guides]
    return int(np.argmax([len(match_freely(found)) for found in details]))


def _geometry(sweep, pair, picture, index, confidence, cameras) -> StackGeometry:
    small = cv2.resize(picture, sweep.small[0].shape[1::-1], interpolation=cv2.INTER_AREA)
    if pair is None:
        return geometry_from_index(
            sweep.small, small, sweep.sharpest.index, sweep.sharpest.confidence, index, confidence
        )
    known = defocus_per_disparity(cameras)
    return with_stack_law(pair, sweep.small, small, sweep.sharpest.confidence, known)


def _like(wanted: np.ndarray, values: np.ndarray) -> np.ndarray:
    return cv2.resize(values, wanted.shape[1::-1], interpolation=cv2.INTER_AREA)


def _full_size(sweep: Sweep, values: np.ndarray) -> np.ndarray:
    """A map of the small slices at the size of those to be written."""
    return cv2.resize(values, sweep.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _cameras(shots: Source, sweep: Sweep) -> dict[str, Camera]:
    """What is known of W, whose pictures are crops now, and of UW."""
    reference = sweep.paths[sweep.poses.reference]
    height, width = read_image(reference).shape[-2:]
    wide = camera_from_exif(read_exif(reference), width, height)
    stated = shots.cameras.get("wide", Camera())
    known = {k: v for k, v in vars(stated).items() if v is not None}
    wide = replace(wide, **known)
    cx, cy = wide.principal_point_px or ((width - 1) / 2, (height - 1) / 2)
    rows, columns = sweep.crop
    wide = replace(
        wide,
        principal_point_px=(cx - columns.start, cy - rows.start),
        full_frame_px=wide.full_frame_px or (width, height),
    )
    return {**shots.cameras, "wide": wide}
