"""Ranges from which the look of a photo is drawn. configs/photo/phone.yaml says why these."""

from dataclasses import dataclass, field, fields

from dfnet.errors import InputError

Range = tuple[float, float]


@dataclass(frozen=True)
class CameraSettings:
    """Ranges for one camera; (0, 0) switches an effect off.

    Attributes:
        shot_noise: variance per unit of linear light.
        read_noise: standard deviation in the dark, linear light.
        softness_px: sigma of the blur that demosaicing leaves.
        sharpening: factor of the unsharp mask.
        sharpening_radius_px: its sigma.
    """

    shot_noise: Range = (0.0, 0.0)
    read_noise: Range = (0.0, 0.0)
    softness_px: Range = (0.0, 0.0)
    sharpening: Range = (0.0, 0.0)
    sharpening_radius_px: Range = (1.0, 1.0)

    def __post_init__(self):
        _check_ranges(self)


@dataclass(frozen=True)
class PhotoSettings:
    """What is drawn once for a shot of both cameras; the defaults switch everything off.

    Attributes:
        exposure: factor on the stored radiance, both cameras.
        contrast: of the S-curve after sRGB, both cameras.
        exposure_difference_stops: standard deviation of UW's exposure relative to W's.
        white_balance_difference: standard deviation of UW's (log) red and blue gains.
        local_tone_stops: range of the standard deviation of UW's smooth local gain.
        local_tone_period_px: shortest and longest wavelength of that gain.
        shake_chance: share of W photos blurred by a hand's shake.
        shake_px: length of its path.
        jpeg_quality: of both photos; null stores them without JPEG.
        half_chroma_chance: share of JPEG files with colour at half size.
        is_8_bit: whether photos are rounded to 8 bits.
        wide, ultrawide: the two cameras.
    """

    exposure: Range = (1.0, 1.0)
    contrast: Range = (0.0, 0.0)
    exposure_difference_stops: float = 0.0
    white_balance_difference: float = 0.0
    local_tone_stops: Range = (0.0, 0.0)
    local_tone_period_px: Range = (100.0, 600.0)
    shake_chance: float = 0.0
    shake_px: Range = (0.0, 0.0)
    jpeg_quality: Range | None = None
    half_chroma_chance: float = 0.0
    is_8_bit: bool = False
    wide: CameraSettings = field(default_factory=CameraSettings)
    ultrawide: CameraSettings = field(default_factory=CameraSettings)

    def __post_init__(self):
        _check_ranges(self)
        if not -2 < self.contrast[0] <= self.contrast[1] < 1:
            raise InputError(
                f"photo.contrast={list(self.contrast)}: the tone curve would fall somewhere\n"
                "  Both ends must lie between -2 and 1."
            )


def _check_ranges(settings: object) -> None:
    """Make every range a tuple of two numbers, low first: equal settings then print alike."""
    for each in fields(settings):
        value = getattr(settings, each.name)
        if isinstance(value, int | float | CameraSettings) or value is None:
            continue
        numbers = tuple(float(v) for v in value)
        if len(numbers) != 2 or not numbers[0] <= numbers[1]:
            raise InputError(
                f"photo: {each.name}={list(value)} is not a range\n  Give [low, high]."
            )
        object.__setattr__(settings, each.name, numbers)


CLEAN = PhotoSettings()
PHONE = PhotoSettings(
    exposure=(0.7, 1.4),
    contrast=(-0.3, 0.6),
    exposure_difference_stops=0.35,
    white_balance_difference=0.1,
    local_tone_stops=(0.03, 0.3),
    local_tone_period_px=(100.0, 600.0),
    shake_chance=0.3,
    shake_px=(0.3, 1.5),
    jpeg_quality=(80, 98),
    half_chroma_chance=0.5,
    is_8_bit=True,
    wide=CameraSettings(
        shot_noise=(2e-5, 6e-4),
        read_noise=(3e-4, 3e-3),
        softness_px=(0.3, 0.6),
        sharpening=(0.2, 1.0),
        sharpening_radius_px=(0.8, 1.6),
    ),
    ultrawide=CameraSettings(
        shot_noise=(2e-5, 8e-4),
        read_noise=(3e-4, 3e-3),
        softness_px=(0.3, 0.6),
        sharpening=(0.5, 1.5),
        sharpening_radius_px=(0.8, 1.6),
    ),
)
