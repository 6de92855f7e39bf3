"""A rendered set knows what it is made of, and other sets stay out of its folder."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dfnet.errors import InputError
from dfnet.render import identity as identity_module
from dfnet.render.effects import CameraEffects
from dfnet.render.identity import IDENTITY, identify, join_set, read_set
from dfnet.render.scene import SceneOptions
from dfnet.render.splits import Photo
from dfnet.render.stack import StackOptions

SCENE, STACK = SceneOptions(size=(96, 72)), StackOptions(slices=2)
PHOTOS = (Photo("aa" * 32, "val", Path("a.jpg")), Photo("bb" * 32, "val", Path("b.jpg")))
ONE = identify(SCENE, STACK, PHOTOS, "val")
OTHERS = {
    "scene.photo_share": identify(replace(SCENE, photo_share=0.1), STACK, PHOTOS, "val"),
    "scene.effects.cat_eye_w": identify(
        replace(SCENE, effects=replace(CameraEffects(), cat_eye_w=(0.0, 0.1))), STACK, PHOTOS, "val"
    ),
    "stack.lens_samples": identify(SCENE, replace(STACK, lens_samples=8), PHOTOS, "val"),
    "part": identify(SCENE, STACK, PHOTOS, "test"),
    "textures: 1 of the set's are gone, 0 new": identify(SCENE, STACK, PHOTOS[:1], "val"),
}


def test_the_record_holds_what_decides_the_pictures(tmp_path):
    join_set(tmp_path / "set", ONE, range(7, 10))
    record = json.loads((tmp_path / "set" / IDENTITY).read_text())
    assert record["generator"] == "dfnet.render"
    assert record["version"] == 2
    assert record["seeds"] == [[7, 9]]
    assert [photo["sha256"] for photo in record["textures"]] == ["aa" * 32, "bb" * 32]
    assert record["options"]["stack"]["slices"] == 2
    assert read_set(tmp_path / "set") == record


def test_places_names_order_and_threads_do_not_matter():
    moved = tuple(photo._replace(path=Path("elsewhere/x.png")) for photo in reversed(PHOTOS))
    scene = replace(SCENE, photos=(Path("elsewhere/x.png"),))
    same = identify(scene, replace(STACK, threads=2), moved, "val")
    assert same["identity"] == ONE["identity"]
    assert len({other["identity"] for other in OTHERS.values()} | {ONE["identity"]}) == 6


def test_a_set_goes_on_and_grows(tmp_path):
    for seeds in (range(10, 15), range(10, 15), range(30, 31), range(15, 20), range(5, 12)):
        record = join_set(tmp_path, ONE, seeds)
    assert record["seeds"] == read_set(tmp_path)["seeds"] == [[5, 19], [30, 30]]


@pytest.mark.parametrize("difference", OTHERS)
def test_another_set_is_refused_and_what_differs_is_said(tmp_path, difference):
    join_set(tmp_path, ONE, range(3))
    before = (tmp_path / IDENTITY).read_bytes()
    with pytest.raises(InputError, match="another set") as refused:
        join_set(tmp_path, OTHERS[difference], range(3))
    lines = str(refused.value).splitlines()[1:-1]
    assert len(lines) == 1
    assert difference in lines[0]
    assert (tmp_path / IDENTITY).read_bytes() == before


def test_another_version_of_the_generator_is_refused(tmp_path, monkeypatch):
    join_set(tmp_path, ONE, range(3))
    monkeypatch.setattr(identity_module, "VERSION", 3)
    with pytest.raises(InputError, match="generator version: the set has 2, asked for is 3"):
        join_set(tmp_path, identify(SCENE, STACK, PHOTOS, "val"), range(3))


def test_scenes_of_no_known_set_are_refused(tmp_path):
    (tmp_path / "scene_000001").mkdir()
    (tmp_path / "scene_000001" / "capture.json").write_text("{}")
    with pytest.raises(InputError, match=r"has no set\.json, but captures \(1, as scene_000001"):
        join_set(tmp_path, ONE, range(3))


@pytest.mark.parametrize("damage", ["", "[]", "{}", '"aa', "edited"])
def test_a_damaged_record_is_refused(tmp_path, damage):
    join_set(tmp_path, ONE, range(3))
    if damage == "edited":
        record = read_set(tmp_path)
        record["options"]["stack"]["slices"] = 3
        damage = json.dumps(record)
    (tmp_path / IDENTITY).write_text(damage)
    with pytest.raises(InputError, match="not the record of a rendered set"):
        join_set(tmp_path, ONE, range(3))


def test_many_may_join_at_the_same_time(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda k: join_set(tmp_path, ONE, range(10 * k, 10 * k + 5)), range(24)))
    assert read_set(tmp_path)["seeds"] == [[10 * k, 10 * k + 4] for k in range(24)]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        join_set(tmp_path / "file" / "set", ONE, range(3))
