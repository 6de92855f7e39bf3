"""PSNR and SSIM over a folder of focus stacks: python evaluate.py data.root=FOLDER."""

from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.progress import track

from dfnet.capture import find_captures
from dfnet.capture_sets import refuse_mixed_versions
from dfnet.cli import entry_point, quote_paths
from dfnet.devices import pick_device
from dfnet.evaluation.report import table, write_json
from dfnet.evaluation.score import score_folders


@entry_point("evaluate")
def main(cfg: DictConfig) -> None:
    """Score every stack, print the means, write all rows."""
    console = Console()
    folders = find_captures(cfg.data.root)
    refuse_mixed_versions(folders)
    pick_device(cfg.device)  # a wrong name shows now, not after the first stack
    methods = {name: instantiate(method) for name, method in cfg.method.items()}

    progress = track(folders, "scoring", console=console, transient=True)
    scores = score_folders(
        progress, methods, cfg.tasks, cfg.preprocessing, root=Path(cfg.data.root)
    )

    console.print(table(scores.rows))
    for remark in scores.skipped:
        console.print(f"left out: {remark}", soft_wrap=True, markup=False)
    write_json(scores.rows, OmegaConf.to_container(cfg), cfg.output)
    console.print(f"wrote {cfg.output}", soft_wrap=True, markup=False)
    scores.raise_failures()


if __name__ == "__main__":
    quote_paths(("data.root", "weights", "checkpoint", "output"))
    main()
