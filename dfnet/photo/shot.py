"""One draw of what both cameras do."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from dfnet.photo.settings import CameraSettings, PhotoSettings, Range
from dfnet.photo.tone import draw_tone_waves


@dataclass(frozen=True)
class CameraShot:
    """How one camera turns light into a photo; the defaults only clip and encode.

    Attributes:
        exposure: factor on radiance; 1 puts radiance 1 at white.
        white_balance: gains of red, green and blue.
        local_tone: waves of a smooth gain (`draw_tone_waves`), or None.
        contrast: of the S-curve after sRGB.
        shot_noise: variance per unit of linear light.
        read_noise: standard deviation in the dark.
        shake_px: length of the hand's path; 0 is a tripod.
        softness_px: sigma of the blur that demosaicing leaves.
        sharpening: factor of the unsharp mask.
        sharpening_radius_px: its sigma.
        jpeg_quality: or None for no JPEG.
        half_chroma: whether that JPEG keeps colour at half size.
        is_8_bit: whether values are rounded to 8 bits.
    """

    exposure: float = 1.0
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    local_tone: Tensor | None = None
    contrast: float = 0.0
    shot_noise: float = 0.0
    read_noise: float = 0.0
    shake_px: float = 0.0
    softness_px: float = 0.0
    sharpening: float = 0.0
    sharpening_radius_px: float = 1.0
    jpeg_quality: int | None = None
    half_chroma: bool = False
    is_8_bit: bool = False

    def clean(self) -> "CameraShot":
        """The same look from an ideal sensor on a tripod: what a network shall answer with."""
        return replace(
            self, shot_noise=0.0, read_noise=0.0, shake_px=0.0, jpeg_quality=None, is_8_bit=False
        )


class Shot(NamedTuple):
    """Both cameras, pressed at one moment."""

    wide: CameraShot
    ultrawide: CameraShot


def draw_photo(settings: PhotoSettings, generator: torch.Generator) -> Shot:
    """Draw what W and UW do in one shot.

    Args:
        settings: the ranges.
        generator: the only source of randomness.
    """
    exposure = between(settings.exposure, generator)
    quality = settings.jpeg_quality and round(between(settings.jpeg_quality, generator))
    common = CameraShot(
        exposure,
        contrast=between(settings.contrast, generator),
        jpeg_quality=quality,
        half_chroma=_chance(settings.half_chroma_chance, generator),
        is_8_bit=settings.is_8_bit,
    )
    shakes = _chance(settings.shake_chance, generator)
    wide = replace(
        common,
        **_drawn(settings.wide, generator),
        shake_px=between(settings.shake_px, generator) if shakes else 0.0,
    )
    stops, red, _, blue = torch.randn(4, generator=generator).tolist()
    cast = settings.white_balance_difference * torch.tensor([red, 0.0, blue])
    ultrawide = replace(
        common,
        **_drawn(settings.ultrawide, generator),
        exposure=exposure * 2 ** (settings.exposure_difference_stops * stops),
        white_balance=tuple(cast.exp().tolist()),
        local_tone=_local_tone(settings, generator),
    )
    return Shot(wide, ultrawide)


def _drawn(camera: CameraSettings, generator: torch.Generator) -> dict[str, float]:
    return {name: between(bounds, generator) for name, bounds in vars(camera).items()}


def _local_tone(settings: PhotoSettings, generator: torch.Generator) -> Tensor | None:
    stops = between(settings.local_tone_stops, generator)
    if stops == 0:
        return None
    return draw_tone_waves(stops, settings.local_tone_period_px, generator)


def between(bounds: Range, generator: torch.Generator) -> float:
    """Log-uniform where both bounds are positive, else uniform."""
    low, high = bounds
    share = float(torch.rand((), generator=generator))
    return low * (high / low) ** share if low > 0 else low + share * (high - low)


def _chance(probability: float, generator: torch.Generator) -> bool:
    return float(torch.rand((), generator=generator)) < probability
