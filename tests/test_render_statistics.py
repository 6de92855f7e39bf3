"""Statistics of made-up captures against values worked out by hand."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from made_stack import make_stack

from dfnet.capture import load_capture
from dfnet.errors import InputError
from dfnet.io.images import read_image, write_image
from dfnet.render import statistics
from dfnet.render.statistics import (
    Samples,
    coc_shares,
    find_pairs,
    gradient,
    pool,
    report,
    sample_pair,
    sample_render,
)
from dfnet.render.statistics_sheet import AXES, histogram, statistics_sheet

ROOT = Path(__file__).parents[1]


def samples(**known):
    return Samples(**{field: np.array(known.get(field, ())) for field in Samples._fields})


def test_a_ramp_has_the_gradient_of_its_luminance():
    # Red rises by 0.02 per pixel to the right, blue by 0.05 per pixel down.
    image = torch.zeros(3, 5, 7)
    image[0] = 0.02 * torch.arange(7)
    image[2] = 0.05 * torch.arange(5)[:, None]
    expected = np.hypot(0.2126 * 0.02, 0.0722 * 0.05)
    torch.testing.assert_close(gradient(image), torch.full((1, 3, 5), float(expected)))


def test_a_stack_of_two_planes_has_their_depths_and_blurs(tmp_path):
    # Planes at 0.5 and 2 m; aperture 3 mm, 400 px. Focused at 0.5 m, the far plane's CoC is
    # 0.003 * 400 / 0.494 * (1 - 0.5 / 2) = 1.822 px; at 2 m, the near one's 3 * 1.2 / 1.994.
    found = sample_render(load_capture(make_stack(tmp_path / "a", (0.5, 2.0))))
    # Every fifth pixel of 80 x 112, of which rows 20 to 59 and columns 40 to 79 are near.
    assert found.depth_m.size == 16 * 23
    near = found.depth_m == 0.5
    assert near.sum() == 8 * 8
    assert set(found.depth_m) == {0.5, 2.0}
    assert found.coc_px.size == 2 * found.depth_m.size
    first, second = np.split(found.coc_px, 2)
    np.testing.assert_allclose(first, np.where(near, 0, 1.8219), atol=1e-4)
    np.testing.assert_allclose(second, np.where(near, 1.8054, 0), atol=1e-4)
    assert found.occluded.sum() == 16  # of columns 80 to 85 the first and the last, 8 rows
    assert 0.001 < np.median(found.sharp_gradient) < 0.3
    assert found.gradient.size == 2 * found.sharp_gradient.size


def test_shares_of_blur_are_counted_by_class():
    shares = coc_shares(np.array([0.0, 0.99, 1.0, 7.9, 8.0, 24.0, 25.0, 90.0, 100.0, 3.0]))
    assert list(shares.values()) == [0.2, 0.3, 0.2, 0.3]


def test_a_histogram_counts_all_values_even_those_beyond_its_ends():
    axis = AXES[0]._replace(low=1.0, high=2.0**60)  # a bin for each power of two
    shares = histogram(np.array([0.1, 1.0, 5.0, 7.0, np.inf]), axis)
    assert shares[0] == 0.4
    assert shares[2] == 0.4
    assert shares[59] == 0.2
    assert shares.sum() == pytest.approx(1)


def test_the_report_holds_percentiles_and_shares_of_what_is_known():
    rendered = samples(
        depth_m=np.r_[np.arange(1.0, 100.0), np.inf],
        coc_px=[0.5, 3.0],
        gradient=[0.25],
        occluded=[0, 1, 0, 0],
    )
    text = report({"ours": rendered, "real": samples(coc_px=[30.0], occluded=[0])})
    depth = next(line for line in text.splitlines() if line.startswith("depth_m, ours"))
    assert depth.split()[2:] == ["1", "5", "25", "50", "75", "95", "99"]
    assert "depth_m, real" not in text
    assert "ours: in focus (below 1 px) 50.0 %, light (1 to 8 px) 50.0 %" in text
    assert "heavy (above) 0.0 %, hidden from UW 25.0 %" in text
    assert "heavy (above) 100.0 %, hidden from UW 0.0 %" in text


def test_real_pairs_are_found_reduced_and_measured(tmp_path, monkeypatch):
    ramp = (0.004 * torch.arange(200.0)).expand(3, 160, 200)
    for name in ("wide.png", "ultrawide.png"):
        write_image(ramp, tmp_path / "pair" / name, bits=16)
    (tmp_path / "alone").mkdir()
    write_image(ramp, tmp_path / "alone" / "wide.png")
    shapes = []

    def preprocess(image_w, image_uw):
        shapes.extend([image_w.shape, image_uw.shape])
        here = torch.zeros(1, *image_w.shape[-2:])
        return SimpleNamespace(defocus_w_px=here - 3, occluded_w=here > 1)

    monkeypatch.setattr(statistics, "preprocess_pair", preprocess)
    assert find_pairs(tmp_path) == [tmp_path / "pair"]
    found = sample_pair(tmp_path / "pair", reduce=2)
    assert shapes == [(3, 80, 100)] * 2
    assert set(found.coc_px) == {3.0}
    np.testing.assert_allclose(found.gradient, 0.008, atol=1e-4)
    assert found.depth_m.size == found.sharp_gradient.size == 0
    both = pool([found, found])
    assert both.gradient.size == 2 * found.gradient.size
    with pytest.raises(InputError, match="no folder with a wide and an ultrawide photo"):
        find_pairs(tmp_path / "pair")


def test_the_sheet_draws_a_curve_for_each_group(tmp_path):
    one = samples(depth_m=[1.0], coc_px=[1.0], gradient=[0.01], sharp_gradient=[0.01], occluded=[0])
    alone = statistics_sheet({"ours": one})
    both = statistics_sheet({"ours": one, "real": samples(coc_px=[30.0], gradient=[0.1])})
    height, width = (side // 2 for side in alone.shape[1:])
    changed = (alone != both).any(0)
    panels = [changed[:height, :width], changed[:height, width:], changed[height:, :width]]
    assert [bool(panel.any()) for panel in panels] == [False, True, True]


def test_the_script_prints_and_draws(tmp_path):
    make_stack(tmp_path / "set" / "a", (0.5, 2.0))
    command = [sys.executable, str(ROOT / "scripts/render_statistics.py")]
    command += [f"root={tmp_path}/set", f"output={tmp_path}/out.png"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    for task in ("all_in_focus", "refocus", "shallow_depth_of_field"):
        assert f"W itself, {task}: " in run.stdout
    assert "hidden from UW 4.3 %" in run.stdout  # 16 of 368 samples
    assert read_image(tmp_path / "out.png").shape[0] == 3
