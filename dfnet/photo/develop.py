"""The order in which light becomes a photo."""

import torch
from torch import Tensor

from dfnet.photo.curves import add_contrast, srgb_from_linear
from dfnet.photo.noise import add_noise
from dfnet.photo.sharpness import shake, sharpen, soften
from dfnet.photo.shot import CameraShot
from dfnet.photo.storage import compress, quantise
from dfnet.photo.tone import apply_gains, apply_local_tone


def develop(radiance: Tensor, shot: CameraShot, generator: torch.Generator) -> Tensor:
    """Take a photo of the radiance.

    Args:
        radiance: linear light, (3, H, W), non-negative; 1 is white.
        shot: what the camera does; with the defaults the result is the clipped sRGB curve, exactly.
        generator: of noise and shake, so that a seed repeats them.

    Returns:
        sRGB-encoded photo, same shape, in [0, 1].
    """
    light = apply_gains(radiance, shot.exposure, (1.0, 1.0, 1.0))
    light = shake(light, shot.shake_px, generator)
    light = add_noise(light, shot.shot_noise, shot.read_noise, generator)
    light = apply_gains(light, 1.0, shot.white_balance)  # gains amplify noise too
    light = apply_local_tone(light, shot.local_tone).clamp(0, 1)
    photo = srgb_from_linear(soften(light, shot.softness_px))
    photo = add_contrast(photo, shot.contrast)
    photo = sharpen(photo, shot.sharpening, shot.sharpening_radius_px)
    if shot.jpeg_quality is not None:
        return compress(photo, shot.jpeg_quality, shot.half_chroma)
    return quantise(photo) if shot.is_8_bit else photo
