"""From one seed to one place: a desk, a room or a terrace, with things, occluders and light."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from dfnet.render.builder import Lighting
from dfnet.render.cameras import Camera
from dfnet.render.devices import draw_device
from dfnet.render.effects import CameraEffects
from dfnet.render.geometry import World
from dfnet.render.lamps import draw_lamps
from dfnet.render.motion import Motion, draw_motion
from dfnet.render.occluders import add_occluders
from dfnet.render.place import level_place
from dfnet.render.rig import draw_ultrawide, draw_wide
from dfnet.render.settings import SETTINGS
from dfnet.render.stage import Stage

KINDS = (("desk", 0.5), ("room", 0.25), ("terrace", 0.25))
FULL_WIDTH_PX = (1200, 3000)
NEAREST_M = 0.14
LARGEST_DISPARITY_PX = 130  # between the nearest and the farthest thing, on a 384 px wide crop
FARTHEST_M = 1e4


@dataclass(frozen=True)
class SceneOptions:
    """What a seed does not decide.

    Attributes:
        size: (width, height) of W's pictures [px].
        photos: photographs for surfaces; none means procedural textures alone.
        photo_share: how often a surface gets a photograph, if there are any.
        kind: `desk`, `room`, `terrace`, or None to draw one.
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
    """

    kind: str
    world: World
    lamps: np.ndarray
    wide: Camera
    ultrawide: Camera
    device: str
    motion: Motion | None = None

    def at_ultrawide(self) -> "Scene":
        """The scene as UW finds it, after the motion."""
        if self.motion is None:
            return self
        return replace(self, world=self.motion.of_world(self.world), motion=None)


def build_scene(seed: int, options: SceneOptions) -> Scene:
    """Make the scene of a seed: the same on every call with the same options."""
    rng = np.random.default_rng(seed)
    names, shares = zip(*KINDS, strict=True)
    kind = rng.choice(names, p=shares)
    kind = options.kind or str(kind)
    widest = max(1.0, options.size[0] / 512)
    device = draw_device(rng, options.effects.devices)
    full_width_px = rng.uniform(*FULL_WIDTH_PX) * widest
    wide = draw_wide(rng, options.size, full_width_px, device, options.effects)
    far_m = {"desk": rng.uniform(0.9, 3), "room": rng.uniform(2.5, 7), "terrace": FARTHEST_M}[kind]
    near_m, largest_coc_px = _nearest_depth(rng, wide, far_m)
    half_fov = np.arctan(options.size[1] / 2 / wide.lens.focal_length_px)
    stage = Stage(
        rng,
        level_place(rng, wide, looking_down=half_fov * rng.uniform(0.75, 1.5)),
        options.photos,
        options.photo_share,
    )
    SETTINGS[kind](stage, near_m, far_m)
    add_occluders(stage, near_m)
    disparity_limit = LARGEST_DISPARITY_PX * options.size[0] / 384
    ratio = np.clip(rng.normal(0.25, 0.05), max(0.17, largest_coc_px / disparity_limit), 0.4)
    depths_m = (0.95 * near_m, far_m)
    ultrawide = draw_ultrawide(rng, wide, device, options.effects, ratio, depths_m)
    world = stage.builder.build(_lighting(stage, near_m))
    lamps = draw_lamps(rng, world, wide, largest_coc_px, kind)
    motion = draw_motion(np.random.default_rng([seed, 3]), world, wide, options.effects)
    return Scene(kind, world, lamps, wide, ultrawide, device.name, motion)


def _nearest_depth(rng, wide: Camera, far_m: float) -> tuple[float, float]:
    """Draw how much blur the scene can show between its ends; that decides where it begins."""
    per_dioptre = wide.lens.aperture_m * wide.lens.focal_length_px
    wanted_px = (9 + 36 * rng.beta(1.4, 2.4)) * wide.size[0] / 384
    near_m = max(NEAREST_M, 1 / (wanted_px / per_dioptre + 1 / far_m))
    return near_m, per_dioptre * (1 / near_m - 1 / far_m)


def _lighting(stage: Stage, near_m: float) -> Lighting:
    rng, place = stage.rng, stage.place
    direction = place.up * rng.uniform(0.5, 1.2) - place.ahead * rng.uniform(0.3, 1.2)
    direction = direction + place.right * rng.uniform(-1.0, 1.0)
    warm = np.array([1.0, rng.uniform(0.85, 1.0), rng.uniform(0.65, 1.0)])
    cold = np.array([rng.uniform(0.75, 1.0), rng.uniform(0.85, 1.0), 1.0])
    return Lighting(
        key_direction=direction,
        key_colour=warm * rng.uniform(0.5, 1.1),
        sky_colour=cold * rng.uniform(0.3, 0.7),
        softness=rng.uniform(0.03, 0.2),
        reach_m=4 * near_m,
    )
