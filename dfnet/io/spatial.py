"""Spatial photos: one HEIC with two pictures, as iPhones and the Vision Pro take them.

The two pictures form a `ster` group, the left eye first. Boxes tell the cameras: `cmin` the
intrinsics, `cmex` the position in micrometres; Apple writes both as `uuid` boxes. Sources: libheif
(box.cc) and one real file. Decoding is pi-heif's; it does not give positions or groups.
"""

import struct
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from torch import Tensor

from dfnet.camera import Camera
from dfnet.errors import InputError
from dfnet.io.heif_boxes import HeifMeta, read_heif_meta
from dfnet.io.images import read_exif
from dfnet.io.orientation import item_quarter_turns, turned_left
from dfnet.io.phone_formats import HEIC
from dfnet.io.photo_files import Photo, read_photo

STEREO = b"ster"
EXTRINSICS = (b"cmex", bytes.fromhex("4363e9145b7d4aab97aebea69803b434"))
INTRINSICS = (b"cmin", bytes.fromhex("22cc04c7d6d94e079d904eb6ecbaf3a3"))
TURNED = 1e-3  # of a quaternion's vector part: half the angle [rad]
EYES = ("left", "right")
SHARPER = 3.0  # times the other's finest detail; enlarging by 1.4 leaves a sixth or less
LONGER = 1.1  # times the focal length of the other
ALTERNATING = np.array([1, -2, 1], np.float32)
TILE_PX = 32  # of the half-size picture


class SpatialPhoto(NamedTuple):
    """Both pictures of a spatial photo.

    Attributes:
        photo_w: the main camera's picture, with what the file says of it.
        image_uw: (3, H', W') of the other, often cropped and enlarged to W's field of view.
        cameras: `wide` and `ultrawide`, as far as the boxes and EXIF tell them.
        frames: which picture of the file is W and which is UW, for `read_image`.
        notes: how W was told from UW, for people.
    """

    photo_w: Photo
    image_uw: Tensor
    cameras: dict[str, Camera]
    frames: tuple[int, int]
    notes: tuple[str, ...]


class Eye(NamedTuple):
    """One picture of the pair, upright.

    Attributes:
        name: `left` or `right`.
        frame: its number, for `read_image`.
        is_primary: whether viewers show it.
        focal_length_px: or None, where the file does not tell.
        principal_point_px: (x, y), pixel centres at integers, or None.
        position_m: (x, y, z) in this picture's axes, or None.
    """

    name: str
    frame: int
    is_primary: bool
    focal_length_px: float | None
    principal_point_px: tuple[float, float] | None
    position_m: tuple[float, float, float] | None


def is_spatial_photo(path: Path | str) -> bool:
    """Whether the file holds a stereo pair; cheap, nothing is decoded.

    Raises:
        InputError: a HEIC file is missing or damaged.
    """
    return Path(path).suffix.lower() in HEIC and _pair(read_heif_meta(path)) is not None


def read_spatial_photo(path: Path | str) -> SpatialPhoto:
    """Both pictures and their cameras.

    Raises:
        InputError: the file is missing, damaged, or holds no pair.
    """
    if Path(path).suffix.lower() not in HEIC:
        raise _no_pair(path)
    eyes = read_eyes(path)
    photos = [read_photo(path, eye.frame) for eye in eyes]
    exifs = [read_exif(path, frame=eye.frame) for eye in eyes]
    wide, why = _which_is_wide(eyes, [photo.image for photo in photos], exifs)
    pair = eyes[wide], eyes[1 - wide]
    cameras = {
        name: _camera(eye, exifs[EYES.index(eye.name)], pair[0])
        for name, eye in zip(("wide", "ultrawide"), pair, strict=True)
    }
    notes = (f"Spatial photo: the {pair[0].name} picture is taken as the wide camera's; {why}.",)
    frames = pair[0].frame, pair[1].frame
    return SpatialPhoto(photos[wide], photos[1 - wide].image, cameras, frames, notes)


def read_eyes(path: Path | str) -> tuple[Eye, Eye]:
    """What the boxes say of the left and of the right picture.

    Raises:
        InputError: the file is missing, damaged, or holds no pair.
    """
    meta = read_heif_meta(path)
    ids = _pair(meta)
    if ids is None:
        raise _no_pair(path)
    try:
        left, right = (_eye(meta, number, name) for number, name in zip(ids, EYES, strict=True))
    except (struct.error, OverflowError) as error:
        raise InputError(
            f"{path}: its description of the two cameras is damaged ({error})\n"
            "  Copy the file again from the phone, or export both pictures as JPEG."
        ) from error
    return left, right


def parse_intrinsics(payload: bytes, width: int, height: int) -> tuple[float, float, float]:
    """Focal length and principal point (x, y) of a `cmin` box, pixel centres at integers [px].

    Args:
        payload: of the box.
        width: of the stored picture [px].
        height: the same.
    """
    head, focal, x, y = struct.unpack_from(">Iiii", payload)
    unit = 2.0 ** -(head >> 8 & 31)
    return focal * unit * width, x * unit * width - 0.5, y * unit * height - 0.5


def parse_position_m(payload: bytes) -> tuple[float, float, float] | None:
    """Of a `cmex` box: (x, y, z) right, down and forward [m]; None for a camera that is turned.

    No turned camera has been seen in a real file, so what its axes mean could not be checked.
    """
    (head,) = struct.unpack_from(">I", payload)
    at, position = 4, []
    for axis in range(3):
        there = head >> axis & 1
        position.append(struct.unpack_from(">i", payload, at)[0] / 1e6 if there else 0.0)
        at += 4 * there
    if head & 8:
        kind, unit = (">3i", 2.0**-30) if head & 16 else (">3h", 2.0**-14)
        turn = struct.unpack_from(kind, payload, at)
        if head >> 24 or max(abs(t) * unit for t in turn) > TURNED:
            return None
    return tuple(position)


def _pair(meta: HeifMeta) -> tuple[int, int] | None:
    """Ids of the left and the right picture."""
    pictures = meta.pictures
    for kind, ids in meta.groups:
        if kind == STEREO and len(set(ids)) == 2 and all(i in pictures for i in ids):
            return ids[0], ids[1]
    return None


def _eye(meta: HeifMeta, number: int, name: str) -> Eye:
    item = meta.items[number]
    intrinsics, extrinsics = item.property(*INTRINSICS), item.property(*EXTRINSICS)
    size = item.property(b"ispe")
    quarters = item_quarter_turns(item)
    focal = point = position = None
    if quarters is not None and size is not None:
        width, height = struct.unpack_from(">II", size, 4)
        if intrinsics is not None:
            focal, *at = parse_intrinsics(intrinsics, width, height)
            point = _turned_point(at, quarters, width, height)
        at_origin = (0.0, 0.0, 0.0)  # what a left camera may leave out
        position = at_origin if extrinsics is None else parse_position_m(extrinsics)
        if position is not None:
            position = (*turned_left(*position[:2], quarters), position[2])
    return Eye(name, meta.pictures.index(number), number == meta.primary, focal, point, position)


def _turned_point(at, quarters: int, width: int, height: int) -> tuple[float, float]:
    x, y = at
    for _ in range(quarters):
        x, y, width, height = y, width - 1 - x, height, width
    return x, y


def _which_is_wide(eyes, images, exifs) -> tuple[int, str]:
    """0 for left or 1 for right, and how that is known."""
    focal = [exif.get("FocalLengthIn35mmFilm") or exif.get("FocalLength") or 0 for exif in exifs]
    if min(focal) > 0 and max(focal) > LONGER * min(focal):
        return int(np.argmax(focal)), "its EXIF has the longer focal length"
    detail = [finest_detail(image) for image in images]
    if max(detail) > SHARPER * min(detail):
        return int(np.argmax(detail)), "it shows finer detail, the other is enlarged"
    primary = [eye.is_primary for eye in eyes]
    return int(np.argmax(primary)), "it is the main picture, the file does not say more"


def finest_detail(image: Tensor) -> float:
    """How much of a picture's detail is of the finest kind, where there is most of it.

    An enlarged picture has hardly any, however sharp it looks; a defocused one has where it is in
    focus.

    Args:
        image: (3, H, W) in [0, 1].
    """
    gray = image.mean(dim=0).numpy()
    height, width = (side // 2 // TILE_PX * TILE_PX for side in gray.shape)
    half = cv2.resize(
        gray[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA
    )
    coarse = _tile_energy(half, TILE_PX)
    fine = _tile_energy(gray[: 2 * height, : 2 * width], 2 * TILE_PX)
    telling = coarse >= np.median(coarse)
    return float(np.quantile(fine[telling] / np.maximum(coarse[telling], 1e-12), 0.95))


def _tile_energy(gray: np.ndarray, side_px: int) -> np.ndarray:
    """Mean square of what alternates from pixel to pixel in both directions, tile by tile."""
    finest = cv2.filter2D(gray, -1, np.outer(ALTERNATING, ALTERNATING))
    rows, columns = (side // side_px for side in gray.shape)
    return (finest**2).reshape(rows, side_px, columns, side_px).mean(axis=(1, 3))


def _camera(eye: Eye, exif: dict, wide: Eye) -> Camera:
    position = None
    if eye is not wide and None not in (eye.position_m, wide.position_m):
        position = tuple(a - b for a, b in zip(eye.position_m, wide.position_m, strict=True))
    focal = exif.get("FocalLength")
    return Camera(
        focal_length_m=focal and focal / 1000,
        f_number=exif.get("FNumber"),
        focal_length_px=eye.focal_length_px,
        principal_point_px=eye.principal_point_px,
        position_m=position,
    )


def _no_pair(path: Path | str) -> InputError:
    return InputError(
        f"{path}: not a spatial photo: it does not hold two pictures of one moment\n"
        "  Give the ultra-wide photo as a second file: ultrawide=UW.jpg"
    )
