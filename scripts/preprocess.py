"""Understand W/UW pairs: alignment, disparity, occlusion, defocus; and show it on a contact sheet.

  python scripts/preprocess.py root=FOLDER [sheet=FOLDER] [workers=2] [slices=0]
  python scripts/preprocess.py wide=W.jpg ultrawide=UW.jpg output=sheet.png
  python scripts/preprocess.py wide=SPATIAL.heic output=sheet.png

With root, each slice of each capture below it is prepared and cached beside the capture; what is
cached and unchanged is skipped. Further options: preprocess=sgbm (the chain), camera=pixel6pro,
metadata=false (believe the pictures only); see configs/preprocess.yaml.
"""

import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dfnet.cli import friendly_errors, quote_paths, usage_if_bare
from dfnet.preprocess.batch import Job, preprocess_folder, preprocess_photos


@friendly_errors
@hydra.main(version_base="1.3", config_path="../configs", config_name="preprocess")
@friendly_errors
def main(cfg: DictConfig) -> None:
    """One pair of photos to a sheet, or a folder of captures to their caches."""
    job = Job(
        preprocessor=hydra.utils.instantiate(cfg.preprocess),
        camera=OmegaConf.to_container(cfg.camera),
        sheet=cfg.sheet,
        metadata=cfg.metadata,
        slices=cfg.slices,
    )
    if cfg.root is None:
        preprocess_photos(job, cfg.wide, cfg.ultrawide, cfg.output)
    else:
        preprocess_folder(job, cfg.root, cfg.workers)


if __name__ == "__main__":
    usage_if_bare(__doc__)
    quote_paths(("root", "sheet", "wide", "ultrawide", "output"))
    main()
