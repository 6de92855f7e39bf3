"""Render focus stacks with all their truth.

  python scripts/render_stacks.py output=DIR +set=train textures=PHOTOS
  python scripts/render_stacks.py output=DIR scenes=80 [key=value ...]

Standard sets (train, train_small, val, test) are described in docs/dataset.md; keys and their
defaults stand in configs/render/render.yaml. Seeded: the same command makes the same bits on the
same machine. A run that was broken off goes on when the command is given again.
"""

import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dfnet.cli import friendly_errors, quote_paths, usage_if_bare
from dfnet.render.order import read_order, render_order

CONFIGS = "../configs/render"


@friendly_errors
@hydra.main(version_base="1.3", config_path=CONFIGS, config_name="render")
@friendly_errors
def main(cfg: DictConfig) -> None:
    """Render all seeds and print one line for each."""
    effects = hydra.utils.instantiate(cfg.camera, _convert_="all")
    for line in render_order(read_order(cfg, effects)):
        print(line, flush=True)


if __name__ == "__main__":
    usage_if_bare(__doc__)
    quote_paths(("output", "textures", "texture_list"))
    main()
