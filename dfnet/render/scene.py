"""From one seed to one place: where, what stands there, who looks at it and by which light."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from dfnet.render.builder import Lighting
from dfnet.render.cameras import Camera
from dfnet.render.devices import Device, draw_device
from dfnet.render.effects import CameraEffects
from dfnet.render.geometry import World
from dfnet.render.lamps import draw_lamps
from dfnet.render.motion import Motion, draw_motion
from dfnet.render.occluders import add_occluders
from dfnet.render.place import level_place
from dfnet.render.rig import draw_ultrawide, draw_wide
from dfnet.render.settings import SETTINGS, draw_depth, draw_tilt
from dfnet.render.stage import Stage

KINDS = tuple((name, setting.share) for name, setting in SETTINGS.items())
# Lengths in pixels hold for a crop 512 px wide; on other sizes the same scene is scaled.
STANDARD_WIDTH_PX = 512
FULL_WIDTH_PX = (1300, 4080)  # of the virtual full frame that the picture is a crop of
LARGEST_COC_PX = (9.0, 110.0)  # between the scene's ends, lens focused on one of them
# Of a log-normal. What is seen of a scene begins behind its near end: the median of what shows
# is near 25 px, and 5 % show more than 70 px.
MEDIAN_COC_PX, COC_SPREAD = 36.0, 0.6
NEAREST_M = 0.1
LARGEST_DISPARITY_PX = 320  # between the nearest and the farthest thing
DEFOCUS_PER_DISPARITY = (0.15, 0.4)


@dataclass(frozen=True)
class SceneOptions:
    """What a seed does not decide.

    Attributes:
        size: (width, height) of W's pictures [px].
        photos: photographs for surfaces; none means procedural textures alone.
        photo_share: how often a surface gets a photograph, if there are any.
        kind: one of `KINDS`, or None to draw one.
        effects: what the cameras do beyond the thin lens, and what moves between them.
    """

    size: tuple[int, int] = (384, 288)
    photos: tuple[Path, ...] = ()
    photo_share: float = 0.5
    kind: str | None = None
    effects: CameraEffects = field(default_factory=CameraEffects)


@dataclass(frozen=True)
class Scene:
    """A lit world and the two cameras in it.

    Attributes:
        kind: which sort of place.
        world: surfaces and light.
        lamps: (N, 7) point lights, see `dfnet.render.lights`.
        wide: W; its focus distance is set per slice.
        ultrawide: the guide's camera.
        device: the phone's name.
        motion: what moves before UW's exposure, or None.
        white: radiance of a white surface in full light; windows and screens are brighter.
        procedural_share: share of the surfaces that show no photograph.
    """

    kind: str
    world: World
    lamps: np.ndarray
    wide: Camera
    ultrawide: Camera
    device: str
    motion: Motion | None = None
    white: float = 1.0
    procedural_share: float = 1.0

    def at_ultrawide(self) -> "Scene":
        """The scene as UW finds it, after the motion."""
        if self.motion is None:
            return self
        return replace(self, world=self.motion.of_world(self.world), motion=None)


def build_scene(seed: int, options: SceneOptions) -> Scene:
    """Make the scene of a seed: the same on every call with the same options."""
    rng = np.random.default_rng(seed)
    names, shares = zip(*KINDS, strict=True)
    kind = rng.choice(names, p=np.array(shares) / sum(shares))
    kind = options.kind or str(kind)
    setting = SETTINGS[kind]
    coc_px = _draw_largest_coc(rng)
    device = draw_device(rng, options.effects.devices)
    full_width_px = _draw_full_width(rng, device, coc_px) * options.size[0] / STANDARD_WIDTH_PX
    wide = draw_wide(rng, options.size, full_width_px, device, options.effects)
    far_m = draw_depth(rng, setting)
    near_m, coc_px = _nearest_depth(coc_px, wide, far_m)
    half_fov = np.arctan(options.size[1] / 2 / wide.lens.focal_length_px)
    place = level_place(rng, wide, looking_down=draw_tilt(rng, setting, half_fov))
    stage = Stage(rng, place, options.photos, options.photo_share)
    setting.build(stage, near_m, far_m)
    add_occluders(stage, near_m)
    ratio = _draw_ratio(rng, coc_px * STANDARD_WIDTH_PX / options.size[0])
    depths_m = (0.95 * near_m, far_m)
    ultrawide = draw_ultrawide(rng, wide, device, options.effects, ratio, depths_m)
    light = _lighting(stage, near_m)
    world = stage.builder.build(light)
    lamps = draw_lamps(rng, world, wide, coc_px, setting.lamps)
    motion = draw_motion(np.random.default_rng([seed, 3]), world, wide, options.effects)
    white = float((light.key_colour + light.sky_colour).max())
    seen = (kind, world, lamps, wide, ultrawide, device.name, motion)
    return Scene(*seen, white, stage.procedural_share)


def _draw_largest_coc(rng) -> float:
    """How much blur a scene can show between its ends [px of a 512 px wide crop]."""
    return float(np.clip(rng.lognormal(np.log(MEDIAN_COC_PX), COC_SPREAD), *LARGEST_COC_PX))


def _draw_full_width(rng, device: Device, coc_px: float) -> float:
    """A full frame wide enough for that much blur from `NEAREST_M` on, for a 512 px wide crop."""
    native = device.wide
    per_px = native.focal_length_m / native.f_number * native.focal_length_px
    per_dioptre = per_px * FULL_WIDTH_PX[1] / native.full_frame_px[0]
    least = min(1.0, coc_px * NEAREST_M / per_dioptre) * FULL_WIDTH_PX[1]
    bounds = np.log([max(FULL_WIDTH_PX[0], least), FULL_WIDTH_PX[1]])
    return float(np.exp(rng.uniform(*bounds)))


def _nearest_depth(coc_px: float, wide: Camera, far_m: float) -> tuple[float, float]:
    """Where a scene begins that ends at `far_m` and shows that much blur; what it shows [px]."""
    per_dioptre = wide.lens.aperture_m * wide.lens.focal_length_px
    wanted_px = coc_px * wide.size[0] / STANDARD_WIDTH_PX
    near_m = max(NEAREST_M, 1 / (wanted_px / per_dioptre + 1 / far_m))
    return near_m, per_dioptre * (1 / near_m - 1 / far_m)


def _draw_ratio(rng, coc_px: float) -> float:
    """`defocus_per_disparity`: most phones near 0.22, the rest of 0.15 to 0.4 seldom."""
    drawn = rng.normal(0.22, 0.03) if rng.random() < 0.7 else rng.uniform(*DEFOCUS_PER_DISPARITY)
    low, high = DEFOCUS_PER_DISPARITY
    return float(np.clip(drawn, max(low, coc_px / LARGEST_DISPARITY_PX), high))


def _lighting(stage: Stage, near_m: float) -> Lighting:
    rng, place = stage.rng, stage.place
    direction = place.up * rng.uniform(0.5, 1.2) - place.ahead * rng.uniform(-0.2, 1.2)
    direction = direction + place.right * rng.uniform(-1.0, 1.0)
    warm = np.array([1.0, rng.uniform(0.85, 1.0), rng.uniform(0.65, 1.0)])
    cold = np.array([rng.uniform(0.85, 1.0), rng.uniform(0.9, 1.0), 1.0])
    return Lighting(
        key_direction=direction,
        key_colour=warm * rng.uniform(0.35, 1.0),
        sky_colour=cold * rng.uniform(0.3, 0.7),
        softness=rng.uniform(0.03, 0.35),
        reach_m=4 * near_m,
    )
