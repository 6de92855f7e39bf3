"""Every method on every scene, and a report: python evaluate.py data.root=FOLDER."""

import sys
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.progress import Progress

from dfnet.capture_sets import refuse_mixed_versions
from dfnet.cli import entry_point, quote_paths
from dfnet.devices import pick_device
from dfnet.evaluation.asking import Asking
from dfnet.evaluation.perceptual import Perceptual
from dfnet.evaluation.plan import Plan
from dfnet.evaluation.report.write import print_scores, write_report
from dfnet.evaluation.runner import evaluate, pick_workers
from dfnet.evaluation.scenes import find_scenes, some_of

FILES = ("data.root", "output", "store", "lpips_weights", "dists_weights", "path", "file")
SWEPT = ("weights", "checkpoint", "single_image_weights", "single_image_checkpoint")


@entry_point("evaluate")
def main(cfg: DictConfig) -> None:
    """Score every scene, print the means, write everything."""
    console = Console()
    scenes = some_of(find_scenes(cfg.data.root), cfg.scenes)
    refuse_mixed_versions([scene.folder for scene in scenes])
    workers = pick_workers(cfg.workers, len(scenes), pick_device(cfg.device))
    settings = OmegaConf.to_container(cfg, resolve=True)
    plan = Plan(
        settings["method"],
        Asking(tuple(cfg.tasks), cfg.preprocessing, cfg.refocus_pairs, cfg.seed),
        Perceptual(cfg.lpips_weights, cfg.dists_weights),
        settings["data"]["pair_tasks"],
        Path(cfg.store),
    )
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("scoring", total=len(scenes))
        scores = evaluate(scenes, plan, workers, lambda done: progress.advance(bar))
    print_scores(scores, plan, console)
    for path in write_report(scores, plan, settings, output_folder(cfg)):
        console.print(f"wrote {path}", soft_wrap=True, markup=False)
    scores.raise_failures()


def output_folder(cfg: DictConfig) -> Path:
    """Of this run; each job of a sweep has its own, named after its number and overrides."""
    hydra = HydraConfig.get()
    if hydra.mode != RunMode.MULTIRUN:
        return Path(cfg.output)
    name = f"{hydra.job.num}_{hydra.job.override_dirname}".replace("/", "_")
    return Path(cfg.output) / name[:150]


if __name__ == "__main__":
    sweeps = bool({"-m", "--multirun"} & set(sys.argv))  # where commas separate the jobs
    quote_paths(FILES if sweeps else (*FILES, *SWEPT))
    main()
