"""The Python API: a pair understood once, edited often."""

import json
import os

import pytest
import torch
from made_photo import exif
from made_preprocessed import made_preprocessed
from made_profile import profile
from PIL import Image
from refocus_command import HEIGHT, WIDTH, matched
from torch.testing import assert_close

import dfnet
import dfnet.pair
from dfnet.camera import Camera, radial_map
from dfnet.io.images import read_image
from dfnet.model import DFNet
from dfnet.optics import BlurLaw
from dfnet.preprocess import cache, pair_cache
from dfnet.recipe import Recipe


@pytest.fixture
def small_network(weights):
    return DFNet.from_pretrained(weights)


def test_the_readmes_lines(photos, small_network, monkeypatch):
    calls = []
    monkeypatch.setattr(
        dfnet.pair, "Preprocessor", lambda: lambda *a: calls.append(1) or matched(*a)
    )
    photo = dfnet.load_pair("W.png", "UW.png")
    photo.model = small_network
    photo.prepare()
    sharp = photo.refocus([dfnet.AllInFocus()])
    there = photo.refocus([dfnet.FocusAt(30, 50), dfnet.Aperture(2.0)])
    written = there.save("there.png")
    assert len(calls) == 1
    assert written.notes == ()
    assert [p.name for p in written.files] == ["there.png", "there_recipe.json"]
    assert_close(read_image("there.png"), there.image_w, atol=0.5 / 255 + 1e-6, rtol=0)
    assert there.target_defocus_w_px[0, 40, [10, 120]].tolist() == pytest.approx([0, 6], abs=1e-3)
    assert not torch.equal(sharp.image_w, there.image_w)
    saved = json.loads((photos / "there_recipe.json").read_text())
    assert dfnet.steps_from_json(saved["steps"]) == there.recipe.steps


def test_what_does_not_fit_into_the_file_is_said(photos, small_network, run):
    with Image.open("W.png") as image:
        image.save("noted.png", exif=exif(maker_note=b"x" * 70_000))
    photo = dfnet.load_pair("noted.png", "UW.png")
    photo.model = small_network
    notes = photo.refocus([]).save("b.jpg").notes
    assert notes == ("the maker's note is too long for a JPEG",)
    assert photo.refocus([]).save("b.png").notes == ()
    code, _, err = run("output=c.jpg", wide="noted.png")
    assert code == 0
    assert "note: the maker's note is too long for a JPEG" in err


def test_colours_that_the_network_cannot_see_are_said(photos):
    Image.new("RGB", (WIDTH, HEIGHT), (255, 0, 0)).save("p3.png", icc_profile=profile())
    notes = dfnet.load_pair("p3.png", "UW.png").notes
    assert "100.0% of the photo has colours that sRGB lacks; they are clipped" in notes
    assert not any("sRGB" in note for note in dfnet.load_pair("W.png", "p3.png").notes)


def test_photos_need_no_files_but_then_there_is_no_recipe(small_network, tmp_path):
    image = torch.rand(3, HEIGHT, WIDTH)
    pair = dfnet.Pair(image, image, preprocessed=matched(image, image, {}), model=small_network)
    assert pair.refocus([]).save(tmp_path / "a.png").files == (tmp_path / "a.png",)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_no_step_changes_nothing(small_network):
    image = torch.rand(3, HEIGHT, WIDTH)
    pair = dfnet.Pair(image, image, preprocessed=matched(image, image, {}), model=small_network)
    assert_close(pair.refocus([]).image_w, image, atol=1e-6, rtol=0)


def a_scene(height, width):
    """Everything a preview has to reduce, in two halves."""
    disparity = torch.full((1, height, width), 8.0)
    disparity[..., : width // 2] = 40.0
    left = disparity > 20
    return made_preprocessed(
        height,
        width,
        uw_on_w=torch.rand(3, height, width),
        flow_w_to_uw=torch.stack([disparity[0], -disparity[0]]),
        disparity_w_px=disparity,
        occluded_w=left,
        valid_w=~left,
        validity_w=left.float(),
        reason_w=left.byte() * 3,
        defocus_w_px=0.25 * (16 - disparity),
        defocus_deviation_w_px=disparity / 10,
        depth_w_m=80 / disparity,
        relative_inverse_depth=disparity / 40,
        blur_law=BlurLaw(0.25, 16.0),
    )


def test_a_preview_has_the_same_maps_in_its_own_pixels():
    full = a_scene(4 * HEIGHT, 4 * WIDTH)
    cameras = {"wide": Camera(focal_length_px=400.0, principal_point_px=(201.5, 101.5))}
    pair = dfnet.Pair(torch.rand(3, 4 * HEIGHT, 4 * WIDTH), None, cameras, preprocessed=full)
    small = pair.reduced(WIDTH)
    assert small.image_w.shape == (3, HEIGHT, WIDTH)
    found, wanted = small.preprocessed, a_scene(HEIGHT, WIDTH)
    for name in ("occluded_w", "valid_w", "validity_w", "reason_w", "depth_w_m"):
        assert torch.equal(getattr(found, name), getattr(wanted, name)), name
    assert torch.equal(found.relative_inverse_depth, wanted.relative_inverse_depth)
    for name in ("flow_w_to_uw", "disparity_w_px", "defocus_deviation_w_px"):
        assert torch.equal(getattr(found, name), getattr(wanted, name) / 4), name
    assert torch.equal(found.defocus_w_px, full.defocus_w_px[:, ::4, ::4] / 4)
    assert found.blur_law == BlurLaw(0.25, 4.0)
    assert small.cameras["wide"].focal_length_px == 100.0
    assert small.cameras["wide"].principal_point_px == (50.0, 25.0)
    radial = radial_map(4 * HEIGHT, 4 * WIDTH, cameras["wide"])[:, 1::4, 1::4]
    seen = radial_map(HEIGHT, WIDTH, small.cameras["wide"])
    assert_close(seen, radial, atol=0.003, rtol=0)
    assert small.scene().counted_size == (4 * WIDTH, 4 * HEIGHT)
    steps = [dfnet.FocusAt(100, 200), dfnet.Slab(1, 2)]
    assert_close(small.target(steps).defocus_w_px, pair.target(steps).defocus_w_px[:, ::4, ::4] / 4)
    assert pair.reduced(4 * WIDTH) is pair
    again = small.reduced(WIDTH // 2)  # still counts the full photo
    assert again.scene().counted_size == (4 * WIDTH, 4 * HEIGHT)


def test_the_cache_forgets_what_was_unused_longest(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    photos = []
    for k in range(3):
        photos.append(tmp_path / f"{k}.jpg")
        photos[k].write_bytes(bytes([k]))
    calls = []

    def prepare():
        calls.append(1)
        return matched(torch.rand(3, HEIGHT, WIDTH), None, {})

    def ask(k):
        pair_cache.prepared([photos[k]], "settings", prepare)
        for age, path in enumerate(sorted(pair_cache.pairs_folder().iterdir(), key=written)):
            stamp = 1_000_000 + age  # file systems' clocks are coarse
            os.utime(path, (stamp, stamp))

    def written(path):
        return path.stat().st_mtime_ns

    ask(0)
    size = next(pair_cache.pairs_folder().iterdir()).stat().st_size
    monkeypatch.setattr(pair_cache, "MAX_BYTES", int(2.5 * size))
    ask(1)
    ask(0)  # used again: now 1 is the oldest
    ask(2)
    assert len(calls) == 3
    ask(0)
    assert len(calls) == 3
    ask(1)
    assert len(calls) == 4
    assert pair_cache.pairs_folder() == tmp_path / "cache" / "dfnet" / "pairs"


def test_a_result_is_the_same_to_the_bit_with_and_without_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "w.jpg").write_bytes(b"w")
    found = matched(torch.rand(3, HEIGHT, WIDTH), None, {})
    results = [
        pair_cache.prepared([tmp_path / "w.jpg"], "settings", lambda: found, keep)
        for keep in (False, True, True)
    ]
    for name in found._fields:
        values = [getattr(result, name) for result in results]
        if torch.is_tensor(values[0]):
            assert torch.equal(values[0], values[1]), name
            assert torch.equal(values[0], values[2]), name
    assert_close(results[0].uw_on_w, found.uw_on_w, atol=1e-4, rtol=0)
    assert len(list(pair_cache.pairs_folder().iterdir())) == 1


def test_maps_are_kept_part_by_part_and_the_sky_stays_infinitely_far(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "PART", 1000)
    inverse = torch.linspace(0, 0.9, 60 * 80).reshape(1, 60, 80)
    found = a_scene(60, 80)._replace(depth_w_m=1 / inverse)
    wanted = {name: getattr(found, name).clone() for name in (*cache.MAPS, "depth_w_m")}
    kept = cache.write_stored([tmp_path / "a.npz"], "key", found)
    again = cache.read_stored(tmp_path / "a.npz", "key")
    for name, values in wanted.items():
        assert torch.equal(getattr(kept, name), getattr(again, name)), name
        if name == "depth_w_m":
            assert_close(1 / again.depth_w_m, inverse, atol=1e-5, rtol=0)
            assert float(again.depth_w_m[0, 0, 0]) == float("inf")
        else:
            step = float(values.max() - values.min()) / cache.LEVELS
            assert_close(getattr(again, name), values, atol=0.51 * step + 1e-6, rtol=0)


def test_the_recipe_of_a_pair_names_its_photos():
    recipe = Recipe(wide="a.jpg", ultrawide="b.jpg", steps=(dfnet.Mask("m.png", "blur"),))
    assert recipe.inputs == ["a.jpg", "b.jpg", "m.png"]
