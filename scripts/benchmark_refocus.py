"""What refocusing takes, in seconds and memory, at several sizes of a pair of photos.

  python scripts/benchmark_refocus.py                              the bundled pair, up to 50 MP
  python scripts/benchmark_refocus.py folder=PAIR megapixels=[12]  yours: wide.* and ultrawide.*

Each run is a process of its own, from two JPEG files to one; the second of a size finds what the
first understood of the pair. `sharp` has a W without blur, on which the network works at full size:
no photo of that size takes longer. See configs/benchmark_refocus.yaml.
"""

import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dfnet.cli import friendly_errors, quote_paths
from dfnet.evaluation.preprocessing.report import write_json
from dfnet.evaluation.refocus_speed import RefocusSpeed, refocus_table


@friendly_errors
@hydra.main(version_base="1.3", config_path="../configs", config_name="benchmark_refocus")
@friendly_errors
def main(cfg: DictConfig) -> None:
    """Run every size, print a table, write all figures."""
    settings = OmegaConf.to_container(cfg)
    output = settings.pop("output")
    rows = []
    for row in RefocusSpeed(**settings).rows():
        rows.append(row)
        print(*row, sep="\t", file=sys.stderr, flush=True)
    Console(width=100).print(refocus_table(rows))
    write_json({"refocus": [row._asdict() for row in rows]}, settings, output)
    print(f"wrote {output}")


if __name__ == "__main__":
    quote_paths(("folder", "output"))
    main()
