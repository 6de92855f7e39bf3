"""Render focus stacks with all their truth: `python scripts/render_stacks.py output=DIR scenes=80`.

Keys and their defaults stand in configs/render.yaml. Seeded: the same command makes the same bits
on the same machine. A run that was broken off goes on when the command is given again.
"""

import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dfnet.cli import friendly_errors, quote_paths
from dfnet.errors import InputError
from dfnet.render.farm import render_stacks
from dfnet.render.photos import find_photos
from dfnet.render.scene import SceneOptions
from dfnet.render.stack import StackOptions

SMALLEST_PX = 64


@hydra.main(version_base="1.3", config_path="../configs", config_name="render")
@friendly_errors
def main(cfg: DictConfig) -> None:
    """Render all seeds and print one line for each."""
    check(cfg)
    scene = SceneOptions(
        size=tuple(cfg.size),
        photos=find_photos(cfg.textures, cfg.texture_part),
        photo_share=cfg.photo_share,
        kind=cfg.kind,
    )
    stack = StackOptions(slices=cfg.slices, lens_samples=cfg.lens_samples)
    seeds = range(cfg.first_seed, cfg.first_seed + cfg.scenes)
    for line in render_stacks(Path(cfg.output), seeds, scene, stack, cfg.workers):
        print(line, flush=True)


def check(cfg: DictConfig) -> None:
    """Refuse settings that cannot work, before hours are spent on them."""
    for key in ("scenes", "slices", "lens_samples", "workers"):
        if not isinstance(cfg[key], int) or cfg[key] < 1:
            raise InputError(f"{key}={cfg[key]}: not a positive whole number")
    if len(cfg.size) != 2 or min(cfg.size) < SMALLEST_PX:
        raise InputError(
            f"size={list(cfg.size)}: not a picture\n"
            f"  Give [width,height], each at least {SMALLEST_PX}."
        )
    if cfg.kind not in (None, "desk", "room", "terrace"):
        raise InputError(f"kind={cfg.kind}: unknown\n  Known: desk, room, terrace, or null.")


if __name__ == "__main__":
    quote_paths(("output", "textures"))
    main()
