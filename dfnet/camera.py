"""What is known of one camera, and how it is written in metadata and presets."""

import math
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import torch
from torch import Tensor

from dfnet.errors import InputError
from dfnet.optics import Lens

VECTORS = {
    "principal_point_px": 2,
    "full_frame_px": 2,
    "position_m": 3,
    "rotation": 3,
    "direction": 2,
}
FILM_DIAGONAL_MM = 43.27  # of 36 x 24 mm, what "equivalent" focal lengths refer to


@dataclass(frozen=True)
class Camera:
    """What is known of one camera; None is unknown.

    Attributes:
        focal_length_m: of the lens [m].
        f_number: N.
        focal_length_px: intrinsic at the stored image's size [px].
        principal_point_px: (x, y) in the stored image; its centre when None.
        full_frame_px: (width, height) of the full frame at the stored scale, of which the stored
            image may be a crop; the image's size when None.
        position_m: camera centre in W's axes (x right, y down, z forward) [m].
        direction: of UW, where `position_m` is not known: unit vector (x, y) from W in W's image
            axes. A preset's belongs to photos as the sensor stores them (EXIF orientation 1).
        rotation: axis-angle [rad]; `p_camera = R (p_w - position_m)`.
        defocus_per_disparity: of W: its aperture over the distance to UW, as measured on photos
            (`scripts/calibrate.py`); it needs no other field.
    """

    focal_length_m: float | None = None
    f_number: float | None = None
    focal_length_px: float | None = None
    principal_point_px: tuple[float, float] | None = None
    full_frame_px: tuple[float, float] | None = None
    position_m: tuple[float, float, float] | None = None
    rotation: tuple[float, float, float] | None = None
    direction: tuple[float, float] | None = None
    defocus_per_disparity: float | None = None

    def lens(self, focus_distance_m: float) -> Lens | None:
        """The thin lens at this focus, or None where the camera is not known well enough."""
        known = (self.focal_length_m, self.focal_length_px, self.f_number)
        return None if None in known else Lens(*known, focus_distance_m)

    def scaled(self, factor: float) -> "Camera":
        """The camera of its image resized by `factor`."""
        centre, frame = self.principal_point_px, self.full_frame_px
        return replace(
            self,
            focal_length_px=self.focal_length_px and self.focal_length_px * factor,
            principal_point_px=centre and tuple((v + 0.5) * factor - 0.5 for v in centre),
            full_frame_px=frame and tuple(v * factor for v in frame),
        )


def camera_from_json(record: dict, where: str) -> Camera:
    """A camera from metadata or a preset, millimetres and micrometres converted to SI.

    Raises:
        InputError: a field is unknown or has an impossible value.
    """
    record = dict(record)
    if "focal_length_mm" in record:
        record["focal_length_m"] = record.pop("focal_length_mm") / 1000
    if "pixel_pitch_um" in record:
        pitch_m = record.pop("pixel_pitch_um") / 1e6
        if not pitch_m > 0:
            raise InputError(
                f"{where}: pixel_pitch_um is {pitch_m * 1e6:g}\n  It must be positive."
            )
        record.setdefault("focal_length_px", record["focal_length_m"] / pitch_m)
    unknown = set(record) - set(Camera.__dataclass_fields__)
    if unknown:
        raise InputError(
            f"{where}: unknown field {', '.join(sorted(unknown))}\n"
            f"  Known: {', '.join(Camera.__dataclass_fields__)}, focal_length_mm, pixel_pitch_um."
        )
    for name in ("focal_length_m", "f_number", "focal_length_px", "defocus_per_disparity"):
        value = record.get(name)
        if value is not None and not 0 < value < 1e6:
            raise InputError(f"{where}: {name} is {value}\n  It must be a positive number.")
    for name, length in VECTORS.items():
        _check_vector(record.get(name), length, f"{where}: {name}")
    return Camera(**{k: tuple(v) if isinstance(v, list) else v for k, v in record.items()})


def _check_vector(value, length: int, what: str) -> None:
    if value is None:
        return
    is_list = isinstance(value, list | tuple) and len(value) == length
    if not is_list or not all(isinstance(v, int | float) and math.isfinite(v) for v in value):
        raise InputError(f"{what} is {value}\n  It must be {length} numbers.")


def cameras_of_preset(record: dict, where: str) -> dict[str, Camera]:
    """The cameras of a preset as in configs/camera; its `models` are for looking it up.

    Raises:
        InputError: as `camera_from_json`.
    """
    names = [n for n in ("wide", "ultrawide") if n in record]
    return {n: camera_from_json(record[n], f"{where}, {n}") for n in names}


def known_cameras(*sources: dict[str, Camera]) -> dict[str, Camera]:
    """Merge field by field; earlier sources win.

    Args:
        sources: cameras by name, in order of trust: metadata file, preset, EXIF.
    """
    names = {name for source in sources for name in source}
    return {name: _merged([s[name] for s in sources if name in s]) for name in sorted(names)}


def _merged(cameras: list[Camera]) -> Camera:
    values = {}
    for field in fields(Camera):
        known = (getattr(camera, field.name) for camera in cameras)
        values[field.name] = next((v for v in known if v is not None), None)
    return Camera(**values)


def equivalent_f_number(camera: Camera, shape: tuple[int, int]) -> float | None:
    """The f-number that blurs as much on 36 x 24 mm behind a lens of the same view; None: unknown.

    Args:
        camera: needs both focal lengths and the f-number.
        shape: (H, W) of the image that `focal_length_px` counts.
    """
    known = (camera.focal_length_m, camera.focal_length_px, camera.f_number)
    if None in known:
        return None
    equivalent_mm = camera.focal_length_px * FILM_DIAGONAL_MM / math.hypot(*shape)
    return camera.f_number * equivalent_mm / (1000 * camera.focal_length_m)


class Frame(NamedTuple):
    """Where the lens's axis is on a grid; a crop keeps that of the frame it was cut from.

    Attributes:
        x_px: of the axis, pixel centres at integers.
        y_px: the same, down.
        corner_px: from the axis to the full frame's corner.
    """

    x_px: float
    y_px: float
    corner_px: float

    def scaled(self, factor: float) -> "Frame":
        """On the grid resized by `factor`."""
        x, y = ((at + 0.5) * factor - 0.5 for at in self[:2])
        return Frame(x, y, self.corner_px * factor)

    def from_origin(self, x_px: float, y_px: float) -> "Frame":
        """On the grid whose first pixel is this grid's (x, y)."""
        return self._replace(x_px=self.x_px - x_px, y_px=self.y_px - y_px)


def frame_of(height: int, width: int, camera: Camera | None = None) -> Frame:
    """A photo's frame; the camera tells of crops and shifted lenses."""
    camera = camera or Camera()
    centre = camera.principal_point_px or ((width - 1) / 2, (height - 1) / 2)
    return Frame(*centre, math.hypot(*(camera.full_frame_px or (width, height))) / 2)


def radial_map(height: int, width: int, camera: Camera | None = None) -> Tensor:
    """Distance from the full frame's optical centre, 0 there and 1 in its corner, (1, H, W).

    Lens effects vary over the *full* frame: a crop keeps the values of the frame it was cut from.
    """
    return radial_at(torch.arange(height), torch.arange(width), (height, width), camera)


def radial_at(
    rows: Tensor, columns: Tensor, size: tuple[int, int], camera: Camera | None
) -> Tensor:
    """Some rows and columns of the radial map, (1, rows, columns).

    Args:
        rows: their places.
        columns: theirs.
        size: (H, W) of the picture.
        camera: as of `radial_map`.
    """
    frame = frame_of(*size, camera)
    y, x = rows.float()[:, None] - frame.y_px, columns.float()[None, :] - frame.x_px
    return (torch.hypot(x, y) / frame.corner_px)[None]
