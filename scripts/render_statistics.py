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

from dfnet.capture import find_captures
from dfnet.capture_sets import refuse_mixed_versions
from dfnet.cli import friendly_errors, quote_paths, usage_if_bare
from dfnet.evaluation.methods import w_unchanged
from dfnet.evaluation.score import mean_rows, score_folders
from dfnet.io.images import check_writable, write_image
from dfnet.render.statistics import find_pairs, pool, report, sample_pair, sample_renders
from dfnet.render.statistics_sheet import statistics_sheet

TASKS = ("all_in_focus", "refocus", "shallow_depth_of_field")  # identity: W is the answer


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
        scores = score_folders(folders, {"W itself": w_unchanged}, TASKS, "truth")
        for row in mean_rows(scores.rows):
            print(f"W itself, {row.task}: {row.psnr_db:.2f} dB, SSIM {row.ssim:.3f}")
    write_image(statistics_sheet(groups), cfg.output)
    print(f"wrote {cfg.output}")


if __name__ == "__main__":
    usage_if_bare(__doc__)
    quote_paths(("root", "real", "output"))
    main()
