"""What is known of the two cameras, and who is believed: metadata, then a preset, then EXIF."""

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
from torch import Tensor

from dfnet.camera import FILM_DIAGONAL_MM, Camera
from dfnet.io.images import read_exif


def known_cameras(*sources: dict[str, Camera]) -> dict[str, Camera]:
    """Merge field by field; earlier sources win.

    Args:
        sources: cameras by name, in order of trust: metadata file, preset, EXIF.
    """
    names = {name for source in sources for name in source}
    return {name: _merged([s[name] for s in sources if name in s]) for name in sorted(names)}


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


def exif_cameras(files: Sequence[Path], photos: tuple[Tensor, Tensor]) -> dict[str, Camera]:
    """What the EXIF of W's and UW's file says."""
    return {
        name: camera_from_exif(read_exif(path), photo.shape[-1], photo.shape[-2])
        for name, path, photo in zip(("wide", "ultrawide"), files, photos, strict=True)
    }


def _merged(cameras: list[Camera]) -> Camera:
    values = {}
    for field in fields(Camera):
        known = (getattr(camera, field.name) for camera in cameras)
        values[field.name] = next((v for v in known if v is not None), None)
    return Camera(**values)


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
