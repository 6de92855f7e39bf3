"""A folder of photos becomes a focus stack of ours: ordered, aligned, merged, described."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from torch import Tensor

from dfnet.capture import Camera
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
from dfnet.importing.focus import Direction, direction_from_disparity, guess_direction
from dfnet.importing.merge import merge
from dfnet.importing.order import SAME_FOCUS, compare_details, detail_profile, order_by_detail
from dfnet.importing.read import Source, find_shots
from dfnet.importing.register import Link, at_scale
from dfnet.importing.sharpness import Sharpest, find_sharpest
from dfnet.importing.write import writing
from dfnet.io.images import read_exif, read_image
from dfnet.preprocess.align import gray_8_bit
from dfnet.preprocess.cameras import camera_from_exif, defocus_per_disparity
from dfnet.preprocess.pipeline import image_pixels, image_tensor
from dfnet.preprocess.register import match_keypoints
from dfnet.preprocess.stack_geometry import (
    StackGeometry,
    geometry_from_guide,
    geometry_from_index,
    with_stack_law,
)

LINK_SIDE_PX = 1024  # photos are linked at this size
INDEX_SIDE_PX = 1600  # and the sharpest slice is sought at this one
NAMES_EXCESS = 0.05  # needless ups and downs of detail that file names may have over the best order
MIN_KEPT = 0.4  # share of the frame that all photos must show
SURE = 0.5  # confidence from which a pixel counts as known


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
    matches = [len(match_keypoints(gray, gray_8_bit(image_pixels(g)))[0]) for g in guides]
    return int(np.argmax(matches))


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
