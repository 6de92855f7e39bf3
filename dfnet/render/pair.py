"""Two photos as a photographer has them: W and a wider UW as JPEG, developed, without metadata."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from dfnet.io.images import write_image
from dfnet.photo import PHONE, develop, draw_photo
from dfnet.render.cameras import Camera
from dfnet.render.scene import Scene, SceneOptions, build_scene
from dfnet.render.stack import exposure_of, photograph
from dfnet.render.truth import trace_truth

WIDER = 1.5  # how much wider UW sees
PHOTO = SceneOptions(size=(1024, 768), kind="desk")


def render_pair(
    seed: int,
    folder: Path | str,
    scene: SceneOptions = PHOTO,
    focus_share: float = 0.5,
    samples: int = 96,
) -> None:
    """Write `wide.jpg` and `ultrawide.jpg`.

    Args:
        seed: of the scene, and of the sensors' noise.
        folder: where to.
        scene: its size and kind.
        focus_share: W's focus: 0 the nearest thing, 1 the farthest, evenly in dioptres.
        samples: rays per pixel.
    """
    made = build_scene(seed, scene)
    depth = trace_truth(made.world, made.wide, made.ultrawide, made.motion).depth_w_m
    far, near = np.percentile(1 / depth, [3, 97])
    wide = made.wide.focused_at(float(1 / (near + focus_share * (far - near))))
    pictures = {
        "wide": photograph(made, wide, samples),
        "ultrawide": photograph(made.at_ultrawide(), _wider(made), samples),
    }
    exposure = exposure_of(pictures["wide"], made.white)
    generator = torch.Generator().manual_seed(seed)
    shot = draw_photo(replace(PHONE, jpeg_quality=None), generator)  # writing makes the JPEG
    for (name, radiance), camera in zip(pictures.items(), shot, strict=True):
        photo = develop(exposure * torch.from_numpy(radiance), camera, generator)
        write_image(photo, Path(folder) / f"{name}.jpg")


def _wider(scene: Scene) -> Camera:
    """UW with as many pixels as W and a view `WIDER` times as wide about the same middle."""
    wide, guide = scene.wide, scene.ultrawide
    middle = (np.array(wide.size) - 1) / 2
    principal = middle + (np.array(wide.principal_point_px) - middle) / WIDER
    lens = replace(guide.lens, focal_length_px=wide.lens.focal_length_px / WIDER)
    resized = lens.focal_length_px / guide.lens.focal_length_px
    return replace(
        guide,
        lens=lens,
        size=wide.size,
        principal_point_px=tuple(principal.tolist()),
        full_frame_px=tuple(round(n * resized) for n in guide.full_frame_px),
    )
