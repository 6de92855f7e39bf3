"""What lies beside released weights says the truth about them, and is shipped with them."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import torch

from dfnet.capture import load_capture
from dfnet.evaluation.asking import Asking
from dfnet.evaluation.methods import network
from dfnet.evaluation.score import score_capture
from dfnet.model import DFNet
from dfnet.model.released import FOLDER
from dfnet.model.saving import CONFIG_FILE, MODEL_FILE

ROOT = Path(__file__).parents[1]
WEIGHTS = sorted(path.parent for path in FOLDER.glob(f"*/{CONFIG_FILE}"))
TOLD = ["What it does", "Data", "Recipe", "Command", "Scores", "Known failures", "Licence"]
LARGEST_MB = 25
DESK = ROOT / "data/sample/desk"
each = pytest.mark.parametrize("folder", WEIGHTS, ids=lambda path: path.name)


def card_of(folder):
    return (folder / "README.md").read_text(encoding="utf-8")


@each
def test_the_card_names_settings_and_size_as_they_are(folder):
    model, card = DFNet.from_pretrained(folder), card_of(folder)
    written = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))["model"]
    stated = dict(re.findall(r"\b([a-z_]+)=([\w.]+)", card.split("`")[1]))
    assert stated == {name: json.dumps(value) for name, value in written.items()}
    count = sum(p.numel() for p in model.parameters())
    (millions,) = re.findall(r"(\d+\.\d+) million parameters", card)
    assert float(millions) == pytest.approx(count / 1e6, abs=0.051)


@each
def test_the_card_is_complete_and_its_links_lead_somewhere(folder):
    card = card_of(folder)
    assert [heading for heading in TOLD if f"**{heading}" not in card] == []
    links = re.findall(r"\]\((?!https?://)([^)#]+)", card)
    assert links
    assert all((folder / link).exists() for link in links)
    assert "Apache-2.0" in card
    assert "python train.py" in card


@each
def test_weights_are_small_half_precision_and_shipped_with_their_card(folder):
    assert (folder / MODEL_FILE).stat().st_size < LARGEST_MB * 1e6
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["dfnet"]
    shipped = {path for pattern in patterns for path in (ROOT / "dfnet").glob(pattern)}
    assert {folder / name for name in ("README.md", CONFIG_FILE, MODEL_FILE)} <= shipped


@each
def test_half_precision_costs_less_than_a_hundredth_of_a_decibel(folder, tmp_path):
    """Of a network in single precision, each weight off these by up to a half's rounding error."""
    full = DFNet.from_pretrained(folder)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in full.parameters():
            weight *= 1 + 2**-11 * (2 * torch.rand(weight.shape, generator=generator) - 1)
    full.save_pretrained(tmp_path)
    half = DFNet.from_pretrained(tmp_path)
    psnr_db = {}
    methods = {"full": network(full, "cpu"), "half": network(half, "cpu")}
    asking = Asking(("all_in_focus",), "truth")
    for row in score_capture(load_capture(DESK), methods, asking):
        if row.band == "all":
            psnr_db[row.method] = row.metrics["psnr_db"]
    assert psnr_db["half"] == pytest.approx(psnr_db["full"], abs=0.01)
    assert psnr_db["half"] != psnr_db["full"]
