"""Settings are refused in time, and the standard sets are what the documents say."""

import csv
import json
from dataclasses import asdict
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from dfnet.errors import InputError
from dfnet.render.effects import CameraEffects
from dfnet.render.identity import identify
from dfnet.render.order import check_settings, name_scenes, read_order, render_order, usable_cores
from dfnet.render.splits import PARTS, Photo

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / "configs/render"
SETS = ("train", "train_small", "val", "test")


def composed(*overrides):
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose("render", ["output=somewhere", *overrides])


def order_of(*overrides):
    cfg = composed(*overrides)
    return read_order(cfg, instantiate(cfg.camera, _convert_="all"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("slices=0", "slices=0: not a whole number from 1"),
        ("scenes=2.5", "scenes=2.5"),
        ("workers=1.5", "workers=1.5"),
        ("apertures=-1", "apertures=-1: not a whole number from 0"),
        ("first_seed=-1", "first_seed=-1"),
        ("size=[10,300]", "not a picture"),
        ("size=[300]", "not a picture"),
        ("kind=cellar", "kind=cellar"),
        ("texture_part=half", "texture_part=half"),
        ("textures=nowhere", "nowhere: no such folder"),
        ("+set=test", "frozen=70f2cf[^:]*: these options make another set"),
        ("+set=test first_seed=899999", "not seeds of texture_part=test"),
        ("frozen=abc", "frozen=abc: these options make another set"),
    ],
)
def test_impossible_settings_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        order_of(*wrong.split())


def test_scenes_are_named_by_seed_or_by_hand():
    assert name_scenes(range(41, 43), None) == {41: "scene_000041", 42: "scene_000042"}
    assert name_scenes(range(41, 43), ["a", "b"]) == {41: "a", 42: "b"}
    with pytest.raises(InputError, match="2 scenes"):
        name_scenes(range(41, 43), ["a", "a"])


def test_the_standard_sets_share_no_seed_and_have_their_sizes():
    orders = {name: order_of(f"+set={name}", "frozen=null") for name in SETS}
    sizes = {name: (len(o.names), o.stack.slices, *o.scene.size) for name, o in orders.items()}
    assert sizes == {
        "train": (240, 6, 512, 384),
        "train_small": (60, 5, 384, 288),
        "val": (16, 6, 512, 384),
        "test": (24, 6, 512, 384),
    }
    seeds = [seed for order in orders.values() for seed in order.names]
    assert len(set(seeds)) == len(seeds) == 340
    parts = {name: order.identity["options"]["part"] for name, order in orders.items()}
    assert parts == {"train": "train", "train_small": "train", "val": "val", "test": "test"}
    assert set(parts.values()) == set(PARTS)
    assert all(order.stack.apertures == 2 for order in orders.values())
    assert all(order.scene.effects.cat_eye_w[1] > 0 for order in orders.values())


@pytest.mark.parametrize(
    ("name", "effects"), [("phone", CameraEffects()), ("ideal", CameraEffects.none())]
)
def test_camera_presets_are_all_effects_or_none(name, effects):
    built = instantiate(composed(f"camera={name}").camera, _convert_="all")
    assert json.dumps(asdict(built)) == json.dumps(asdict(effects))


def test_the_test_set_is_what_it_was():
    cfg = composed("+set=test")
    with (ROOT / cfg.texture_list).open(encoding="utf-8") as file:
        listed = [row for row in csv.DictReader(file) if row["part"] == "test"]
    photos = [Photo(row["sha256"], row["part"], Path(row["file"])) for row in listed]
    order = order_of("+set=test", "frozen=null")
    identity = identify(order.scene, order.stack, photos, "test")["identity"]
    assert identity == cfg.frozen


def test_a_frozen_set_with_its_own_options_is_rendered():
    identity = order_of().identity["identity"]
    assert order_of(f"frozen={identity}").identity["identity"] == identity


def test_all_cores_are_used_unless_told_otherwise():
    assert order_of().workers == usable_cores() >= 1
    assert order_of("workers=3").workers == 3
    check_settings(composed("workers=1"))


def test_scenes_named_by_hand_make_no_set(tmp_path, monkeypatch):
    monkeypatch.setattr("dfnet.render.order.render_stacks", lambda *args: iter(["rendered"]))
    named = order_of(f"output={tmp_path}/named", "scenes=1", "names=[desk]")
    assert list(render_order(named)) == ["rendered"]
    assert not (tmp_path / "named").exists()
    numbered = order_of(f"output={tmp_path}/set", "scenes=2", "first_seed=4")
    assert list(render_order(numbered))[1:] == ["rendered"]
    assert "[\n   4,\n   5\n  ]" in (tmp_path / "set" / "set.json").read_text()
