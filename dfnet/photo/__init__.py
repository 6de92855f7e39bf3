"""From stored linear radiance to a phone's photo: what both cameras do to the light, on loading."""

from dfnet.photo.curves import linear_from_srgb, srgb_from_linear
from dfnet.photo.develop import develop
from dfnet.photo.settings import CLEAN, PHONE, CameraSettings, PhotoSettings
from dfnet.photo.shot import CameraShot, Shot, draw_photo

__all__ = [
    "CLEAN",
    "PHONE",
    "CameraSettings",
    "CameraShot",
    "PhotoSettings",
    "Shot",
    "develop",
    "draw_photo",
    "linear_from_srgb",
    "srgb_from_linear",
]
