"""Weights by name, wherever weights are chosen."""

import json
from pathlib import Path

import pytest
import torch
from made_preprocessed import made_preprocessed

from dfnet.app import preview as preview_module
from dfnet.app.preview import Previewer
from dfnet.errors import InputError
from dfnet.evaluation.store import files_named_in
from dfnet.evaluation.weights import load_network
from dfnet.model import DFNet, released
from dfnet.model.released import is_released, weights_folder
from dfnet.recipe import Recipe, load_recipe, recipe_to_text


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A package that holds the small network only."""
    monkeypatch.setattr(released, "FOLDER", tmp_path / "package")
    torch.manual_seed(0)
    model = DFNet(width=4, widest=3)
    model.save_pretrained(tmp_path / "package" / "dfnet_s")
    return model


def test_a_name_is_a_released_network_anything_else_a_folder(small, tmp_path, monkeypatch):
    assert weights_folder("dfnet_s") == tmp_path / "package" / "dfnet_s"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dfnet_s").mkdir()
    assert weights_folder("./dfnet_s") == Path("dfnet_s")
    assert weights_folder(tmp_path) == tmp_path
    assert is_released("dfnet_s")
    assert not is_released("dfnet")
    assert not is_released("other")


@pytest.mark.parametrize("name", ["dfnet", None])
def test_what_is_not_released_says_how_to_make_it(small, name):
    with pytest.raises(
        InputError, match=r"weights=dfnet: not released(.|\n)*experiment=dfnet data.root=STACKS`"
    ):
        DFNet.from_pretrained(name)


def test_evaluation_takes_it_by_name(small, tmp_path, monkeypatch):
    got = load_network("dfnet_s")
    assert got.config == small.config
    assert got.config["widest"] == 3
    assert got.refine_w.stem.weight.shape == small.refine_w.stem.weight.shape
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dfnet_s").mkdir()  # a folder that is only called so is not hashed
    assert files_named_in({"weights": "dfnet_s"}) == {}


def test_a_recipe_keeps_the_name_and_not_a_path(tmp_path):
    (tmp_path / "W.png").write_bytes(b"")
    for weights, kept in (("dfnet_s", "dfnet_s"), (str(tmp_path / "mine"), "../mine")):
        recipe = Recipe(wide=str(tmp_path / "W.png"), weights=weights)
        text = recipe_to_text(recipe, tmp_path / "out", {})
        assert json.loads(text)["weights"] == kept
        (tmp_path / "out").mkdir(exist_ok=True)
        file = tmp_path / "out" / "a_recipe.json"
        file.write_text(text)
        assert load_recipe(file)[0].weights == weights


def test_the_preview_moves_with_the_quick_network_and_rests_with_the_other(monkeypatch):
    used = []

    class Spy:
        def __init__(self, model, device, **options):
            used.append((model, options["max_scale"]))
            raise StopIteration

    class Room:
        photo_size = (8, 6)

        class scene:
            preprocessed = made_preprocessed(6, 8)

    monkeypatch.setattr(preview_module, "Refocuser", Spy)
    monkeypatch.setattr(preview_module, "steps_of", lambda *_: ())
    monkeypatch.setattr(preview_module, "work_out", lambda *_: None)
    slow, fast = torch.nn.Identity(), torch.nn.Identity()
    for quick_model, quick in ((fast, True), (fast, False), (None, True)):
        previewer = Previewer(slow, "cpu", quick_model=quick_model)
        with pytest.raises(StopIteration):
            previewer(Room, None, quick)
    assert used == [(fast, 0.5), (slow, 1.0), (slow, 0.5)]
