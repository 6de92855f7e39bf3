"""Measure a phone's blur per disparity (aperture over baseline) on pairs that it took.

  python scripts/calibrate.py root=FOLDER [output=configs/camera/my_phone.yaml]

FOLDER holds captures, or folders with wide.* and ultrawide.* each, all by one phone. Prints what
each pair says and what they say together; with output, writes it as a preset. One in configs/camera
is found by the model in the photos' EXIF, or taken by name (camera=my_phone). Where EXIF says how
the phone was held, the preset also tells on which side the ultra-wide lens lies, and so near from
far. camera=pixel6pro completes that preset. Other options: preprocess=sgbm (the chain); see
configs/calibrate.yaml.
"""

import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dfnet.cli import friendly_errors, quote_paths, usage_if_bare
from dfnet.errors import InputError
from dfnet.preprocess.pool_law import (
    measure_folder,
    one_model,
    pool_direction,
    pool_slopes,
    table,
    write_preset,
)


@friendly_errors
@hydra.main(version_base="1.3", config_path="../configs", config_name="calibrate")
@friendly_errors
def main(cfg: DictConfig) -> None:
    """Measure each pair, pool, and keep the result where it is wanted."""
    if cfg.root is None:
        raise InputError("root=FOLDER: missing\n  Name a folder of pairs by one phone.")
    measured = []
    for one in measure_folder(cfg.root, hydra.utils.instantiate(cfg.preprocess)):
        measured.append(one)
        print(table([one]), flush=True)
    model, pooled = one_model(measured), pool_slopes(measured)
    print(
        f"{model or 'together'}: defocus_per_disparity {pooled.defocus_per_disparity:.3f} +- "
        f"{pooled.deviation:.3f} from {pooled.count} of {len(measured)} pairs"
    )
    if cfg.output is not None:
        base, side = OmegaConf.to_container(cfg.camera), pool_direction(measured)
        write_preset(cfg.output, pooled, model, base, side)
        print(f"wrote {cfg.output}")


if __name__ == "__main__":
    usage_if_bare(__doc__)
    quote_paths(("root", "output"))
    main()
