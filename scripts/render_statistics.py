"""What a rendered set looks like in numbers, beside real photos.

  python scripts/render_statistics.py root=DIR [real=DIR] [output=FILE.png] [score=false]

Prints percentiles of depth, blur and gradients, shares of blur classes and of occluded pixels, and
the PSNR of W itself in each evaluation task; draws histograms. `real` is a folder of folders with
wide.* and ultrawide.*, whose blur is estimated.
"""

import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dfnet.capture import find_captures, load_capture
from dfnet.capture_sets import refuse_mixed_versions
from dfnet.cli import friendly_errors, quote_paths, usage_if_bare
from dfnet.evaluation.asking import TASKS, Asking
from dfnet.evaluation.bands import EVERYWHERE
from dfnet.evaluation.intervals import summaries
from dfnet.evaluation.methods import w_unchanged
from dfnet.evaluation.score import score_capture
from dfnet.io.images import check_writable, write_image
from dfnet.render.statistics import find_pairs, pool, report, sample_pair, sample_renders
from dfnet.render.statistics_sheet import statistics_sheet

ASKING = Asking(TASKS[:3], "truth", "extremes")  # identity: W is the answer


@friendly_errors
@hydra.main(version_base="1.3", config_path="../configs/render", config_name="statistics")
@friendly_errors
def main(cfg: DictConfig) -> None:
    """Measure, print, draw."""
    check_writable(cfg.output)
    folders = find_captures(cfg.root)
    refuse_mixed_versions(folders)
    groups = {f"{len(folders)} rendered": sample_renders(folders)}
    if cfg.real is not None:
        pairs = find_pairs(cfg.real)
        name = f"{len(pairs)} real, 1/{cfg.reduce} size, blur estimated"
        groups[name] = pool(sample_pair(pair, cfg.reduce) for pair in pairs)
    print(report(groups))
    if cfg.score:
        methods = {"W itself": w_unchanged}
        rows = [r for f in folders for r in score_capture(load_capture(f), methods, ASKING)]
        means = {(s.task, s.metric): s.interval for s in summaries(rows) if s.band == EVERYWHERE}
        for task in ASKING.tasks:
            decibels, alike = means[task, "psnr_db"].mean, means[task, "ssim"].mean
            print(f"W itself, {task}: {decibels:.2f} dB, SSIM {alike:.3f}")
    write_image(statistics_sheet(groups), cfg.output)
    print(f"wrote {cfg.output}")


if __name__ == "__main__":
    usage_if_bare(__doc__)
    quote_paths(("root", "real", "output"))
    main()
