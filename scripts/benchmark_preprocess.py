"""How well preprocessing does: one line per method against what is truly known.

  python scripts/benchmark_preprocess.py data.root=FOLDER [data.scenes=4] [data.slices=2]
  python scripts/benchmark_preprocess.py data.middlebury=FOLDER data.real=FOLDER
  python scripts/benchmark_preprocess.py data.speed=PAIR only=[ours full] [data.megapixels=[6,12]]

data.root holds rendered stacks (scripts/render_stacks.py), data.middlebury the stereo pairs cones
and aloe, data.real the examples of DC²'s project page; data.speed is one pair of photos, of which
the seconds of each stage are told at several sizes, from files to cached maps. Further options:
data.metadata=true (tell the cameras), only=[SGBM half] (some methods); see
configs/benchmark_preprocess.yaml.
"""

import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dfnet.cli import friendly_errors, quote_paths, usage_if_bare
from dfnet.evaluation.preprocessing.benchmark import Benchmark
from dfnet.evaluation.preprocessing.report import write_json

WIDTH = 190


@friendly_errors
@hydra.main(version_base="1.3", config_path="../configs", config_name="benchmark_preprocess")
@friendly_errors
def main(cfg: DictConfig) -> None:
    """Run every method on the same pairs, print tables, write all figures."""
    console = Console(width=WIDTH)
    chosen = cfg.only or [*cfg.methods, *cfg.matchers]
    methods = {n: hydra.utils.instantiate(m) for n, m in cfg.methods.items() if n in chosen}
    matchers = {
        n: (hydra.utils.instantiate(m.matcher), m.share)
        for n, m in cfg.matchers.items()
        if n in chosen
    }
    benchmark = Benchmark(**cfg.data, threads=cfg.threads)
    for table in benchmark.run(methods, matchers):
        console.print(table)
    write_json(benchmark.tables, OmegaConf.to_container(cfg), cfg.output)
    console.print(f"wrote {cfg.output}", soft_wrap=True, markup=False)


if __name__ == "__main__":
    usage_if_bare(__doc__)
    quote_paths(("data.root", "data.middlebury", "data.real", "data.speed", "output"))
    main()
