"""The photos of a folder, ordered, aligned, of one exposure, and compared: a sweep of focus."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from dfnet.errors import InputError
from dfnet.importing.align import (
    Poses,
    common_frame,
    link_sweep,
    solve_poses,
    unlinked,
    warp_to_reference,
)
from dfnet.importing.exposure import apply_gain, exposure_gains
from dfnet.importing.order import SAME_FOCUS, compare_details, detail_profile, order_by_detail
from dfnet.importing.read import Source
from dfnet.importing.register import Link, at_scale
from dfnet.importing.sharpness import Sharpest, find_sharpest
from dfnet.io.images import read_image
from dfnet.preprocess.pipeline import image_pixels

LINK_SIDE_PX = 1024  # photos are linked at this size
INDEX_SIDE_PX = 1600  # and the sharpest slice is sought at this one
NAMES_EXCESS = 0.05  # needless ups and downs of detail that file names may have over the best order
MIN_KEPT = 0.4  # share of the frame that all photos must show


class Sweep(NamedTuple):
    """Photos in order of focus, on one frame.

    Attributes:
        paths: near to far once the direction is settled.
        ordered_by: `focus distances (…)`, `file names` or `sharpness`.
        poses: of the full-size photos.
        links: what the poses rest on.
        crop: rows and columns of the reference photo that are kept.
        gains: on linear light, (n, 3).
        small: aligned slices at `scale`, exposure matched, (h, w, 3) float32.
        scale: of `small` against the full size.
        sharpest: found on `small`.
        notes: for the verdict.
    """

    paths: list[Path]
    ordered_by: str
    poses: Poses
    links: list[Link]
    crop: tuple[slice, slice]
    gains: np.ndarray
    small: list[np.ndarray]
    scale: float
    sharpest: Sharpest
    notes: list[str]

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the slices to be written."""
        return self.crop[0].stop - self.crop[0].start, self.crop[1].stop - self.crop[1].start

    def reversed(self) -> "Sweep":
        """The same sweep from its other end."""
        last = len(self.paths) - 1
        flipped = Sharpest(
            last - self.sharpest.index, self.sharpest.support[::-1], self.sharpest.confidence
        )
        poses = Poses(self.poses.to_reference[::-1], last - self.poses.reference, self.poses.model)
        return self._replace(
            paths=self.paths[::-1],
            poses=poses,
            gains=self.gains[::-1],
            small=self.small[::-1],
            sharpest=flipped,
        )

    def slices(self) -> Iterator[np.ndarray]:
        """The aligned slices at full size, one at a time, (H, W, 3) float32."""
        for path, pose, gain in zip(self.paths, self.poses.to_reference, self.gains, strict=True):
            photo = image_pixels(read_image(path))
            yield apply_gain(warp_to_reference(photo, pose, self.crop).clip(0, 1), gain)


def align_sweep(shots: Source) -> Sweep:
    """Order, align and compare the W shots; the direction is still open.

    Raises:
        InputError: sizes differ, nothing was refocused, or photos do not show the same.
    """
    photos, shape = _shrunken(shots.wide)
    paths, photos, ordered_by, notes = _ordered(shots, photos)
    scale = photos[0].shape[1] / shape[1]
    grays = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in photos]
    share = min(1.0, LINK_SIDE_PX / max(grays[0].shape))
    reduced = [_resized(g, share) for g in grays]
    links = link_sweep(reduced)
    _refuse_strangers(paths, links)
    found = solve_poses(reduced, links)
    poses = found._replace(to_reference=[at_scale(h, share * scale) for h in found.to_reference])
    crop = common_frame(poses.to_reference, shape)
    _refuse_narrow(crop, shape, paths)
    small_poses = [at_scale(h, 1 / scale) for h in poses.to_reference]
    small_crop = tuple(slice(round(s.start * scale), round(s.stop * scale)) for s in crop)
    small = [
        warp_to_reference(p, h, small_crop).astype(np.float32) / 255
        for p, h in zip(photos, small_poses, strict=True)
    ]
    gains = exposure_gains(small, poses.reference)
    small = [apply_gain(image, gain) for image, gain in zip(small, gains, strict=True)]
    sharpest = find_sharpest([cv2.cvtColor(s, cv2.COLOR_RGB2GRAY) for s in small])
    return Sweep(paths, ordered_by, poses, links, crop, gains, small, scale, sharpest, notes)


def _shrunken(paths: list[Path]) -> tuple[list[np.ndarray], tuple[int, int]]:
    """All photos (h, w, 3) uint8, small enough to be held at once, and their full shape."""
    photos, shape = [], None
    for path in paths:
        photo = image_pixels(read_image(path))
        shape = shape or photo.shape[:2]
        if photo.shape[:2] != shape:
            raise InputError(
                f"{path}: {photo.shape[1]}x{photo.shape[0]} pixels, but {paths[0].name} has "
                f"{shape[1]}x{shape[0]}\n"
                "  All wide photos must come from one camera at one setting. If this one is the\n"
                "  ultra-wide's, put it into a sub-folder `ultrawide` or name it: ultrawide=[…]"
            )
        small = _resized(photo, min(1.0, INDEX_SIDE_PX / max(shape)))
        photos.append((small * 255).round().clip(0, 255).astype(np.uint8))
    return photos, shape


def _resized(image: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1:
        return image
    size = round(image.shape[1] * scale), round(image.shape[0] * scale)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _ordered(shots: Source, photos: list[np.ndarray]):
    """Paths and photos in order of focus, what told the order, and notes."""
    grays = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in photos]
    differences = compare_details([detail_profile(g) for g in grays])
    if differences.step.max() < SAME_FOCUS:
        raise InputError(
            f"{shots.wide[0].parent}: all photos are focused alike\n"
            "  A focus stack needs photos focused at different distances."
        )
    names, notes = list(range(len(photos))), []
    best = order_by_detail(differences)
    if shots.focus_distance_m is not None:
        order = sorted(names, key=lambda i: shots.focus_distance_m[i])
        ordered_by = f"focus distances ({shots.distances_from})"
        if differences.excess(order) > best.excess + 4 * NAMES_EXCESS:
            notes.append("The stated focus distances do not fit the sharpness seen.")
    elif differences.excess(names) <= best.excess + NAMES_EXCESS:
        order, ordered_by = names, "file names"
    else:
        order, ordered_by = best.indices, "sharpness"
    return [shots.wide[i] for i in order], [photos[i] for i in order], ordered_by, notes


def _refuse_strangers(paths: list[Path], links: list[Link]) -> None:
    strangers = unlinked(links, len(paths))
    if strangers:
        names = ", ".join(paths[i].name for i in strangers)
        raise InputError(
            f"{paths[0].parent}: {names} cannot be aligned with the other photos\n"
            "  All wide photos must show one scene from one place. Remove what does not belong;\n"
            "  a shot by the ultra-wide camera goes into a sub-folder `ultrawide`."
        )


def _refuse_narrow(crop, shape, paths) -> None:
    kept = [(s.stop - s.start) / side for s, side in zip(crop, shape, strict=True)]
    if min(kept) <= 0 or kept[0] * kept[1] < MIN_KEPT:
        raise InputError(
            f"{paths[0].parent}: the photos have too little of the scene in common\n"
            "  The camera moved too far between them. Use a tripod, or remove the odd ones."
        )
