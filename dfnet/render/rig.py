"""The two cameras of a scene: a phone's lenses, crops of their frames, and how they lie."""

from dataclasses import replace

import numpy as np

from dfnet.optics import Lens
from dfnet.render.cameras import Camera, Flaws
from dfnet.render.devices import Device
from dfnet.render.effects import CameraEffects

CLOSEST_SHARE = 0.6  # a focusing UW is set to at most this share of the nearest thing's dioptres


def draw_wide(
    rng: np.random.Generator,
    size: tuple[int, int],
    full_width_px: float,
    device: Device,
    effects: CameraEffects,
) -> Camera:
    """A crop of `size`, somewhere in W's full frame of the given width.

    Args:
        rng: source of the crop's place and of the lens's flaws.
        size: (width, height) of the picture [px].
        full_width_px: width of the virtual full frame [px].
        device: the phone.
        effects: ranges of the flaws.
    """
    native = device.wide
    scale = round(full_width_px) / native.full_frame_px[0]
    full = tuple(round(n * scale) for n in native.full_frame_px)
    spare = np.maximum(np.subtract(full, size), 0) / 2
    offset = rng.uniform(-0.7, 0.7, 2) * spare
    lens = Lens(native.focal_length_m, scale * native.focal_length_px, native.f_number, 1.0)
    principal = tuple(np.round((np.array(size) - 1) / 2 + offset, 2).tolist())
    flaws = Flaws(
        vignetting=rng.uniform(*effects.vignetting_w),
        corner_blur_px=rng.uniform(*effects.corner_blur_w_px),
        cat_eye=rng.uniform(*effects.cat_eye_w),
    )
    return Camera(lens, size, principal, full, flaws=flaws, breathes=effects.breathing)


def draw_ultrawide(
    rng: np.random.Generator,
    wide: Camera,
    device: Device,
    effects: CameraEffects,
    defocus_per_disparity: float,
    depth_range_m: tuple[float, float],
) -> Camera:
    """The ultra-wide beside W: coarser pixels, deep focus, a crop that covers W's view.

    Args:
        rng: source of side, rotation, scale, focus, flaws and margin.
        wide: the principal camera.
        device: the phone.
        effects: ranges of scale, focus and flaws.
        defocus_per_disparity: W's aperture over the baseline's length.
        depth_range_m: nearest and farthest z-depth that the crop has to cover.
    """
    native = device.ultrawide
    scale = rng.uniform(*effects.ultrawide_scale)
    axis, sign = rng.integers(2), rng.choice([-1.0, 1.0])
    position = rng.normal(0, 0.03, 3)
    position[axis] = sign
    position *= wide.lens.aperture_m / defocus_per_disparity / np.linalg.norm(position)
    focal_length_px = wide.lens.focal_length_px * scale
    focus_m = _ultrawide_focus(rng, device, effects, depth_range_m)
    resized = focal_length_px / native.focal_length_px
    uncropped = Camera(
        lens=Lens(native.focal_length_m, focal_length_px, native.f_number, focus_m),
        size=(1, 1),
        principal_point_px=(0.0, 0.0),
        full_frame_px=tuple(round(n * resized) for n in native.full_frame_px),
        position_m=tuple(position.tolist()),
        rotation=tuple(np.deg2rad(rng.normal(0, 0.5, 3)).tolist()),
        flaws=Flaws(
            vignetting=rng.uniform(*effects.vignetting_uw),
            distortion=rng.uniform(*effects.distortion_uw),
            corner_blur_px=rng.uniform(*effects.corner_blur_uw_px),
        ),
    )
    return crop_covering(uncropped, wide, depth_range_m, rng.uniform(0.10, 0.2))


def _ultrawide_focus(rng, device: Device, effects: CameraEffects, depth_range_m) -> float:
    fixed_m, share = rng.uniform(*effects.ultrawide_focus_m), rng.uniform(0.0, CLOSEST_SHARE)
    if not device.ultrawide_focuses:
        return float(fixed_m)
    near, far = (1 / depth for depth in depth_range_m)
    return float(1 / (far + share * (near - far)))


def crop_covering(
    camera: Camera, wide: Camera, depth_range_m: tuple[float, float], margin: float
) -> Camera:
    """Crop `camera` so that it sees all that W sees between two depths.

    Args:
        camera: any crop of the ultra-wide.
        wide: the camera whose view is to be covered.
        depth_range_m: nearest and farthest z-depth.
        margin: added on each side, as a share of the picture.
    """
    width, height = wide.size
    rays = wide.rays(np.array([[x, y] for x in (0, width - 1) for y in (0, height - 1)]))
    seen = np.concatenate([camera.project(rays * depth) for depth in depth_range_m])
    low, high = seen.min(0), seen.max(0)
    border = margin * (high - low)
    size = tuple(int(n) for n in np.ceil(high - low + 2 * border))
    principal = np.round(np.array(camera.principal_point_px) - (low - border), 2)
    return replace(camera, size=size, principal_point_px=tuple(principal.tolist()))
