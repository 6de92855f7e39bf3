"""How well preprocessing does: one line per method against what is truly known.

  python scripts/benchmark_preprocess.py root=FOLDER [scenes=4] [slices=2]

root holds rendered stacks (scripts/render_stacks.py). Further options: metadata=true (tell the
cameras), only=[SGBM half] (some methods); see configs/benchmark_preprocess.yaml.
"""

import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dfnet.cli import friendly_errors, quote_paths, usage_if_bare
from dfnet.evaluation.preprocessing.cases import RenderedSet
from dfnet.evaluation.preprocessing.report import record, table, write_json
from dfnet.evaluation.preprocessing.run import run_methods


@friendly_errors
@hydra.main(version_base="1.3", config_path="../configs", config_name="benchmark_preprocess")
@friendly_errors
def main(cfg: DictConfig) -> None:
    """Run every method on the same pairs, print a table, write all figures."""
    console = Console(width=200)
    chosen = cfg.only or list(cfg.methods)
    methods = {name: hydra.utils.instantiate(cfg.methods[name]) for name in chosen}
    cases = RenderedSet(cfg.root, cfg.scenes, cfg.slices, cfg.metadata)
    rows = run_methods(methods, cases, cfg.threads)
    console.print(table(rows, f"preprocessing, {cfg.root}"))
    write_json({"rendered": record(rows)}, OmegaConf.to_container(cfg), cfg.output)
    console.print(f"wrote {cfg.output}", soft_wrap=True, markup=False)


if __name__ == "__main__":
    usage_if_bare(__doc__)
    quote_paths(("root", "output"))
    main()
