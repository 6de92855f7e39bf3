"""What the networks cost: parameters, multiply-accumulates, seconds per megapixel, memory.

  python scripts/benchmark_model.py [--side 768] [--threads 1] [NETWORK ...]

NETWORK is a released one, dfnet or dfnet_s, or a name in configs/experiment/; these two and
single_image unless given. It runs untrained, on one tile, in a process of its own per number
format. DRBNet's and NAFNet's published figures stand below.
"""

import argparse
import sys
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dfnet.cli import friendly_errors
from dfnet.evaluation.cost import FORMATS, cost_table, measure
from dfnet.evaluation.preprocessing.run import in_fresh_process
from dfnet.inference import TILE_PX
from dfnet.model import DFNet
from dfnet.model.released import NAMES, is_released

CONFIGS = Path(__file__).resolve().parents[1] / "configs"


@friendly_errors
def main() -> None:
    """Measure each network in each format, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=[*NAMES, "single_image"])
    parser.add_argument("--side", type=int, default=TILE_PX, help="of the tile, in pixels")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    costs = []
    for name in asked.networks:
        config = network_config(name)
        for number_format in FORMATS:
            cost = in_fresh_process(asked.threads, measure, name, config, number_format, asked.side)
            costs.append(cost)
    Console(width=100).print(cost_table(costs))


def network_config(name: str) -> dict:
    """What a network is built from: a released one, else an experiment's."""
    if is_released(name):
        return {"_target_": "dfnet.model.DFNet", **DFNet.from_pretrained(name).config}
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("train", overrides=[f"+experiment={name}"])
    return OmegaConf.to_container(config.task.model, resolve=True)


if __name__ == "__main__":
    main()
