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
from dfnet.render.farm import check_settings, name_scenes, render_stacks
from dfnet.render.scene import SceneOptions
from dfnet.render.splits import find_photos
from dfnet.render.stack import StackOptions


@hydra.main(version_base="1.3", config_path="../configs", config_name="render")
@friendly_errors
def main(cfg: DictConfig) -> None:
    """Render all seeds and print one line for each."""
    check_settings(cfg)
    scene = SceneOptions(
        size=tuple(cfg.size),
        photos=tuple(p.path for p in find_photos(cfg.textures, cfg.texture_part)),
        photo_share=cfg.photo_share,
        kind=cfg.kind,
    )
    stack = StackOptions(slices=cfg.slices, lens_samples=cfg.lens_samples)
    names = name_scenes(cfg.first_seed, cfg.scenes, cfg.names)
    for line in render_stacks(Path(cfg.output), names, scene, stack, cfg.workers):
        print(line, flush=True)


if __name__ == "__main__":
    quote_paths(("output", "textures"))
    main()
