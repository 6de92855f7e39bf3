"""Colour profiles (ICC) of the kind cameras use: three primaries, three tone curves.

Such a profile is turned into floating-point steps both ways, so that 16 bits stay 16 bits. Other
profiles (tables, CMYK, gray) are left to Pillow's LittleCMS, on reading and with 8 bits.
"""

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from PIL import Image, ImageCms

from dfnet.photo import linear_from_srgb, srgb_from_linear

Curve = Callable[[np.ndarray], np.ndarray]
# sRGB's primaries as profiles have them, adapted to D50 (ICC sRGB v2): columns R, G, B.
SRGB_TO_XYZ = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)
SAME_MATRIX = 2e-3  # profiles store 1/65536, and makers round in their own ways
SAME_LEVEL = 1e-3
TAGS = {b"rXYZ": 0, b"gXYZ": 1, b"bXYZ": 2}
CURVES = (b"rTRC", b"gTRC", b"bTRC")
MAX_PROFILE_BYTES = 1 << 22
MAX_TAGS = 200
PARAMETERS = (1, 3, 4, 5, 7)  # of `para`, by function type
_DATES = slice(24, 36)  # when LittleCMS made it: not the same bytes on every day


@dataclass(frozen=True)
class Colours:
    """An RGB colour space.

    Attributes:
        matrix: (3, 3) linear RGB to linear sRGB.
        decode: per channel, encoded to linear.
        encode: per channel, linear to encoded.
    """

    matrix: np.ndarray
    decode: tuple[Curve, Curve, Curve]
    encode: tuple[Curve, Curve, Curve]

    def to_srgb(self, encoded: np.ndarray) -> np.ndarray:
        """(3, ...) in [0, 1], to sRGB's encoding; beyond [0, 1] where sRGB has no such colour."""
        linear = np.stack([f(c) for f, c in zip(self.decode, encoded, strict=True)])
        seen = np.tensordot(self.matrix.astype(linear.dtype), linear, 1)
        return srgb_from_linear(torch.from_numpy(seen)).numpy()

    def from_srgb(self, srgb: np.ndarray) -> np.ndarray:
        """(3, ...) sRGB in [0, 1], to this space's encoding in [0, 1]."""
        inverse = np.linalg.inv(self.matrix).astype(srgb.dtype)
        light = linear_from_srgb(torch.from_numpy(srgb)).numpy()
        linear = np.tensordot(inverse, light, 1).clip(0, 1)
        return np.stack([f(c) for f, c in zip(self.encode, linear, strict=True)]).clip(0, 1)


@cache
def srgb_profile() -> bytes:
    """A small sRGB profile to tag files with, the same bytes every time."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_DATES] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    return bytes(profile)


def colours_of(profile: bytes) -> Colours | None:
    """What an ICC profile means; None where it means sRGB.

    Raises:
        ValueError: damaged, or not of three primaries and three curves.
    """
    tags = _tags(profile)
    try:
        to_xyz = np.stack([_xyz(tags[name]) for name in TAGS], axis=1)
        pairs = [_curve(tags[name]) for name in CURVES]
        matrix = np.linalg.inv(SRGB_TO_XYZ) @ to_xyz
    except (KeyError, struct.error) as error:
        raise ValueError(f"no matrix profile ({error})") from error
    if not 1e-4 < abs(np.linalg.det(matrix)) < 1e4:
        raise ValueError("its primaries do not span colours")
    ramp = np.linspace(0, 1, 256)
    srgb = linear_from_srgb(torch.from_numpy(ramp)).numpy()
    bends = max(float(np.abs(decode(ramp) - srgb).max()) for decode, _ in pairs)
    if np.abs(matrix - np.eye(3)).max() < SAME_MATRIX and bends < SAME_LEVEL:
        return None
    decode, encode = zip(*pairs, strict=True)
    return Colours(matrix, decode, encode)


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """The tags of an RGB profile by their signature."""
    if len(profile) > MAX_PROFILE_BYTES or profile[36:40] != b"acsp":
        raise ValueError("no ICC profile")
    if profile[16:20] != b"RGB " or profile[20:24] != b"XYZ ":
        raise ValueError("its colours are not RGB")
    try:
        (count,) = struct.unpack_from(">I", profile, 128)
        found = {}
        for k in range(min(count, MAX_TAGS)):
            name, at, size = struct.unpack_from(">4sII", profile, 132 + 12 * k)
            if name in TAGS or name in CURVES:
                found[name] = profile[at : at + size]
    except struct.error as error:
        raise ValueError("its tags are cut short") from error
    return found


def _xyz(data: bytes) -> np.ndarray:
    if data[:4] != b"XYZ ":
        raise ValueError("a primary is not XYZ")
    return np.array(struct.unpack_from(">3i", data, 8)) / 65536


def _curve(data: bytes) -> tuple[Curve, Curve]:
    """A tone curve and its inverse."""
    if data[:4] == b"para":
        return _parametric(data)
    (count,) = struct.unpack_from(">I", data, 8)
    if data[:4] != b"curv" or count > len(data):
        raise ValueError("a tone curve is of no known kind")
    if count == 0:
        return _power(1.0)
    values = struct.unpack_from(f">{count}H", data, 12)
    return _power(values[0] / 256) if count == 1 else _table(np.array(values) / 65535)


def _power(gamma: float) -> tuple[Curve, Curve]:
    if not 0.1 < gamma < 10:
        raise ValueError(f"a tone curve's power is {gamma:g}")
    return (lambda x: x**gamma), (lambda y: y ** (1 / gamma))


def _table(values: np.ndarray) -> tuple[Curve, Curve]:
    places = np.linspace(0, 1, len(values))
    if np.any(np.diff(values) < 0) or values[-1] - values[0] < 0.5:
        raise ValueError("a tone curve does not rise")
    return (
        lambda x: np.interp(x, places, values).astype(x.dtype),
        lambda y: np.interp(y, values, places).astype(y.dtype),
    )


def _parametric(data: bytes) -> tuple[Curve, Curve]:
    """ICC's functions 0 to 4: a power of a line, above a threshold; a line below it."""
    (kind,) = struct.unpack_from(">H", data, 8)
    if kind >= len(PARAMETERS):
        raise ValueError(f"a tone curve is of kind {kind}")
    p = [n / 65536 for n in struct.unpack_from(f">{PARAMETERS[kind]}i", data, 12)]
    if kind == 0:
        return _power(p[0])
    gamma, a, b = p[:3]
    slope, threshold = (p[3], p[4]) if kind >= 3 else (0.0, -b / a if a else 0.0)
    above = {2: p[3:4], 4: p[5:6]}.get(kind, [0.0])[0]
    below = {2: p[3:4], 4: p[6:7]}.get(kind, [0.0])[0]

    def decode(x: np.ndarray) -> np.ndarray:
        bent = np.maximum(a * x + b, 0) ** gamma + above
        return np.where(x >= threshold, bent, slope * x + below).astype(x.dtype)

    if not (0.1 < gamma < 10 and a > 0):
        raise ValueError("a tone curve does not rise")
    ramp = np.linspace(0, 1, 4097)
    return decode, _table(np.maximum.accumulate(decode(ramp)))[1]


def pillow_to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """An 8-bit picture in RGB and sRGB, by LittleCMS, for any profile.

    Raises:
        ValueError: the profile is damaged or of another kind than the picture.
    """
    try:
        return ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError, TypeError) as error:
        raise ValueError(str(error)) from error
