"""What is known of the two cameras, and who is believed: metadata, then a preset, then EXIF.

A preset is the user's choice, or found by the phone's model in EXIF (`device_table.py`).
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import Tensor

from dfnet.camera import FILM_DIAGONAL_MM, Camera, known_cameras
from dfnet.io.images import read_exif
from dfnet.io.orientation import quarter_turns_left, turned_left
from dfnet.preprocess.device_table import find_preset

MAX_EXIF_ERROR = 0.1  # of the logarithm of focal lengths; EXIF's whole millimetres make 0.04


def at_photo_size(camera: Camera, width: int, height: int) -> Camera:
    """A preset's camera for a photo that is its whole frame at another size."""
    if camera.full_frame_px is None:
        return camera
    scale = float(np.hypot(width, height) / np.hypot(*camera.full_frame_px))
    focal_length_px = camera.focal_length_px and camera.focal_length_px * scale
    return replace(camera, focal_length_px=focal_length_px, full_frame_px=(width, height))


def preset_at_size(preset: dict[str, Camera], photos: tuple[Tensor, Tensor]) -> dict[str, Camera]:
    """`at_photo_size` of a preset's cameras for W and UW (3, H, W)."""
    return {
        name: at_photo_size(preset[name], photo.shape[-1], photo.shape[-2])
        for name, photo in zip(("wide", "ultrawide"), photos, strict=True)
        if name in preset
    }


def photo_cameras(
    files: Sequence[Path],
    photos: tuple[Tensor, Tensor],
    preset: dict[str, Camera],
    metadata: bool = True,
) -> tuple[dict[str, Camera], tuple[str, ...]]:
    """What a preset and the files' EXIF say together, and notes where they disagree.

    Args:
        files: of W and UW.
        photos: W and UW (3, H, W), upright.
        preset: chosen by the user, or found by the phone's model.
        metadata: whether to believe EXIF; without, only the preset counts.
    """
    scaled = preset_at_size(preset, photos)
    if "ultrawide" in scaled:
        scaled["ultrawide"] = _as_held(scaled["ultrawide"], files[0], photos[0], metadata)
    if not metadata:
        return scaled, ()
    exif, notes = exif_cameras(files, photos), _of_two_phones(files)
    for name in set(scaled) & set(exif):
        stated, own = scaled[name].focal_length_px, exif[name].focal_length_px
        if stated and own and abs(math.log(stated / own)) > MAX_EXIF_ERROR:
            scaled[name] = replace(scaled[name], focal_length_px=own)
            notes += (
                f"The preset's {name} lens sees {own / stated:.2f} times as much as EXIF says of "
                "the photo; it is zoomed, cropped or another phone's, and EXIF was believed.",
            )
    return known_cameras(scaled, exif), notes


def found_preset(wide: Path) -> dict[str, Camera]:
    """The preset of the phone that took W, by its EXIF; empty where there is none."""
    exif = read_exif(wide, ("Make", "Model"))
    return find_preset(str(exif.get("Make", "")), str(exif.get("Model", "")))


def _as_held(camera: Camera, wide: Path, photo: Tensor, metadata: bool) -> Camera:
    """UW's direction on the sensor, turned as the phone was when W was taken."""
    if camera.direction is None:
        return camera
    quarters = quarter_turns_left(wide) if metadata else None
    height, width = photo.shape[-2:]
    is_sensors_shape = quarters is not None and (width >= height) == (quarters % 2 == 0)
    direction = turned_left(*camera.direction, quarters) if is_sensors_shape else None
    return replace(camera, direction=direction)


def _of_two_phones(files: Sequence[Path]) -> tuple[str, ...]:
    models = {str(read_exif(path, ("Model",)).get("Model", "")).strip() for path in files} - {""}
    if len(models) < 2:
        return ()
    named = " and ".join(sorted(models))
    return (f"EXIF says that the two photos are by two phones, {named}; do they belong together?",)


def exif_cameras(files: Sequence[Path], photos: tuple[Tensor, Tensor]) -> dict[str, Camera]:
    """What the EXIF of W's and UW's file says."""
    return {
        name: camera_from_exif(read_exif(path), photo.shape[-1], photo.shape[-2])
        for name, path, photo in zip(("wide", "ultrawide"), files, photos, strict=True)
    }


def camera_from_exif(exif: dict[str, float | str], width: int, height: int) -> Camera:
    """What a photo's own EXIF says of its camera.

    Args:
        exif: as `dfnet.io.images.read_exif` gives it.
        width: of the photo, which must not be cropped [px].
        height: of the photo [px].
    """
    equivalent_mm = _positive(exif.get("FocalLengthIn35mmFilm"))
    diagonal_px = float(np.hypot(width, height))
    focal_length_mm = _positive(exif.get("FocalLength"))
    return Camera(
        focal_length_m=focal_length_mm and focal_length_mm / 1000,
        f_number=_positive(exif.get("FNumber")),
        focal_length_px=equivalent_mm and equivalent_mm / FILM_DIAGONAL_MM * diagonal_px,
    )


def defocus_per_disparity(cameras: dict[str, Camera]) -> float | None:
    """Aperture over baseline: of both where they are known, else as measured, else None."""
    wide, direction = cameras.get("wide", Camera()), baseline_m(cameras)
    if wide.focal_length_m is None or wide.f_number is None or direction is None:
        return wide.defocus_per_disparity
    return wide.focal_length_m / wide.f_number / float(np.hypot(*direction))


def baseline_m(cameras: dict[str, Camera]) -> np.ndarray | None:
    """UW's position in W's image axes (x, y) [m], or None where it is not known."""
    position = cameras.get("ultrawide", Camera()).position_m
    if position is None or np.hypot(*position[:2]) == 0:
        return None
    return np.array(position[:2], dtype=np.float64)


def baseline_direction(cameras: dict[str, Camera]) -> np.ndarray | None:
    """Unit vector W to UW in W's image axes, or None where it is not known."""
    baseline = baseline_m(cameras)
    return None if baseline is None else baseline / np.hypot(*baseline)


def _positive(value: float | str | None) -> float | None:
    return float(value) if isinstance(value, int | float) and value > 0 else None
