"""The command `refocus.py` run in this process, with the matching of photos replaced."""

import runpy
import sys
from pathlib import Path

import pytest
import torch

import dfnet.pair
from dfnet.io.images import write_image
from dfnet.model import DFNet
from dfnet.optics import BlurLaw
from dfnet.preprocess import Preprocessed
from dfnet.preprocess.verdict import GOOD

ROOT = Path(__file__).parents[1]
HEIGHT, WIDTH = 96, 128


def matched(image_w, image_uw, cameras):
    """Two walls: the left one 10 px of disparity nearer, and 3 px out of focus."""
    disparity = torch.zeros(1, *image_w.shape[-2:])
    disparity[..., : image_w.shape[-1] // 2] = 10.0
    law = BlurLaw(0.3, 0.0)
    nothing = torch.zeros_like(disparity, dtype=torch.bool)
    return Preprocessed(
        uw_on_w=image_w.clone(),
        flow_w_to_uw=torch.zeros(2, *image_w.shape[-2:]),
        disparity_w_px=disparity,
        occluded_w=nothing,
        valid_w=~nothing,
        validity_w=torch.ones_like(disparity),
        reason_w=nothing.to(torch.uint8),
        defocus_w_px=law.defocus_per_disparity * -disparity,
        defocus_deviation_w_px=torch.zeros_like(disparity),
        blur_law=law,
        blur_law_deviation=(0.0, 0.0),
        device_defocus_per_disparity=0.3,
        baseline_direction=(0.0, 1.0),
        depth_w_m=None,
        relative_inverse_depth=disparity / 10,
        verdict=GOOD,
        notes=("a remark on the photos",),
    )


def sharp(image_w, image_uw, cameras):
    """The same scene by a W that shows no defocus."""
    pair = matched(image_w, image_uw, cameras)
    return pair._replace(
        defocus_w_px=torch.zeros_like(pair.defocus_w_px), blur_law=BlurLaw(0.0, 0.0)
    )


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    model = DFNet(width=4)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.02)
    folder = tmp_path_factory.mktemp("some weights")
    model.save_pretrained(folder)
    return folder


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """An empty user's folder to work in, with two photos, and nothing slow."""
    monkeypatch.setattr(dfnet.pair, "Preprocessor", lambda: matched)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "user"
    folder.mkdir()
    monkeypatch.chdir(folder)
    generator = torch.Generator().manual_seed(1)
    for name in ("W.png", "UW.png"):
        write_image(torch.rand(3, HEIGHT, WIDTH, generator=generator), folder / name)
    return folder


@pytest.fixture
def run(photos, weights, monkeypatch, capsys):
    """Run refocus.py on the two photos; returns (exit code, stdout, stderr)."""

    def run(*options, wide="W.png", ultrawide="UW.png", defaults=True):
        given = [f"wide={wide}", f"ultrawide={ultrawide}", f"weights={weights}", "device=cpu"]
        argv = [*(given if defaults else ()), *options]
        monkeypatch.setattr(sys, "argv", [str(ROOT / "refocus.py"), *argv])
        code = 0
        try:
            runpy.run_path(str(ROOT / "refocus.py"), run_name="__main__")
        except SystemExit as stop:
            code = stop.code
        said = capsys.readouterr()
        if isinstance(code, str):  # as the interpreter would
            return 1, said.out, said.err + code
        return code, said.out, said.err

    return run


def names(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}
