"""The import as a whole: photos as a phone hands them over become a stack with its truth."""

import json
import runpy
import shutil
import sys
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from layered_stack import DEFOCUS_PER_DISPARITY, DIRECTION, render_layers, true_disparity
from phone_stack import corner_errors, export

from dfnet.capture import load_capture
from dfnet.errors import InputError
from dfnet.evaluation.methods import CONTROLS
from dfnet.evaluation.score import score_folders
from dfnet.importing.align import warp_to_reference
from dfnet.importing.pipeline import import_stack
from dfnet.importing.verdict import describe
from dfnet.model import DFNet
from dfnet.preprocess import preprocess_capture
from dfnet.preprocess.pipeline import image_pixels

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def render(tmp_path_factory):
    return render_layers(tmp_path_factory.mktemp("layers") / "render")


@pytest.fixture(scope="module")
def hand_held(render, tmp_path_factory):
    """With UW: breathing, a moving hand, drifting exposure, shuffled names, no metadata."""
    folder = tmp_path_factory.mktemp("hand_held")
    photos = export(render, folder / "photos", gain=0.03)
    return photos, import_stack(photos.folder, folder / "stack"), folder / "stack"


@pytest.fixture(scope="module")
def tripod(render, tmp_path_factory):
    """Without UW: breathing alone."""
    folder = tmp_path_factory.mktemp("tripod")
    photos = export(render, folder / "photos", shake_px=0.0, with_guide=False, seed=1)
    return photos, import_stack(photos.folder, folder / "stack"), folder / "stack"


def test_the_order_is_near_to_far_with_an_ultra_wide_photo(hand_held):
    photos, imported, folder = hand_held
    assert imported.sweep.ordered_by == "sharpness"
    assert [p.name for p in imported.sweep.paths] == photos.names
    assert imported.direction.source == "ultra-wide disparity"
    assert load_capture(folder).origin["photos"] == photos.names


def test_the_order_is_right_but_for_its_direction_without(tripod):
    photos, imported, _ = tripod
    assert [p.name for p in imported.sweep.paths] in (photos.names, photos.names[::-1])
    assert imported.direction.source == "guess"
    assert any("guessed" in line for line in describe(imported))


@pytest.mark.parametrize("kind", ["hand_held", "tripod"])
def test_photos_land_where_they_belong(kind, request):
    photos, imported, _ = request.getfixturevalue(kind)
    poses = imported.sweep.poses
    assert poses.model == {"hand_held": "homography", "tripod": "similarity"}[kind]
    order = [p.name for p in imported.sweep.paths]
    errors_px = corner_errors(photos, order, poses.to_reference)
    assert errors_px.mean(axis=1).max() <= 0.5


@pytest.mark.parametrize("kind", ["hand_held", "tripod"])
def test_the_merge_is_the_all_in_focus_picture_where_it_is_trusted(kind, request):
    photos, imported, folder = request.getfixturevalue(kind)
    sweep, truth = imported.sweep, load_capture(folder).load_truth()
    reference = sweep.paths[sweep.poses.reference].name
    wanted = image_pixels(photos.true_merge(reference))[sweep.crop]
    error = (image_pixels(truth.all_in_focus) - wanted) ** 2
    trusted = truth.confidence[0].numpy() > 0.5
    assert trusted.mean() > 0.6
    assert -10 * np.log10(error[trusted].mean()) >= 35
    assert error[~trusted].mean() > 4 * error[trusted].mean()


def on_frame(values, photos, imported):
    """A map of the render as the imported stack frames it."""
    sweep = imported.sweep
    reference = sweep.paths[sweep.poses.reference].name
    from_photo = photos.from_photo[photos.names.index(reference)]
    with_size = cv2.warpPerspective(
        values,
        from_photo,
        tuple(int(s) for s in imported_size(photos)),
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
    )
    return warp_to_reference(with_size, np.eye(3), sweep.crop)


def imported_size(photos):
    return photos.true_merge(photos.names[0]).shape[:0:-1]


def test_the_sharpest_slice_is_that_of_the_layer(hand_held):
    photos, imported, folder = hand_held
    truth = load_capture(folder).load_truth()
    wanted = (28.0 - on_frame(true_disparity(), photos, imported)) / 6.0  # slice 0 is nearest
    trusted = truth.confidence[0].numpy() > 0.5
    found = truth.sharpest_slice[0].numpy()
    assert np.quantile(np.abs(found - wanted)[trusted], 0.9) < 0.5


def test_all_slices_share_one_disparity_and_one_law(hand_held):
    photos, imported, folder = hand_held
    capture = load_capture(folder)
    maps = [preprocess_capture(capture, i) for i in range(5)]
    for found in maps[1:]:
        torch.testing.assert_close(found.disparity_w_px, maps[0].disparity_w_px)
    assert {m.blur_law.defocus_per_disparity for m in maps} == {
        imported.geometry.defocus_per_disparity
    }
    assert imported.geometry.defocus_per_disparity == pytest.approx(DEFOCUS_PER_DISPARITY, rel=0.25)
    assert np.dot(maps[0].baseline_direction, DIRECTION) > 0.99
    disparity = on_frame(true_disparity(), photos, imported)
    for index, found in enumerate(maps):
        wanted = DEFOCUS_PER_DISPARITY * (28.0 - 6.0 * index - disparity)
        error = np.abs(found.defocus_w_px[0].numpy() - wanted)
        assert np.median(error[found.valid_w[0].numpy()]) < 0.6


def test_without_guide_the_sharpest_slice_tells_the_defocus(tripod):
    photos, imported, folder = tripod
    capture, disparity = load_capture(folder), on_frame(true_disparity(), photos, imported)
    trusted = capture.load_truth().confidence[0].numpy() > 0.5
    run = 1 if [p.name for p in imported.sweep.paths] == photos.names else -1
    for index in range(5):
        slice_of_render = index if run == 1 else 4 - index
        wanted = run * DEFOCUS_PER_DISPARITY * (28.0 - 6.0 * slice_of_render - disparity)
        found = preprocess_capture(capture, index)
        error = np.abs(found.defocus_w_px[0].numpy() - wanted)
        assert np.median(error[trusted]) < 0.6
        assert bool(found.occluded_w.all())  # nothing is seen by a camera that is not there
        torch.testing.assert_close(found.uw_on_w, capture.load_wide(index))


def test_slices_have_one_exposure(hand_held):
    _, _, folder = hand_held
    capture = load_capture(folder)
    means = torch.stack([capture.load_wide(i).mean(dim=(1, 2)) for i in range(5)])
    assert float((means.std(dim=0) / means.mean(dim=0)).max()) < 0.01  # 0.03 in the photos


def test_evaluation_scores_both_and_skips_what_needs_a_guide(hand_held, tripod):
    methods = dict(CONTROLS)
    scores = score_folders([hand_held[2], tripod[2]], methods)
    assert scores.failures == []
    both = {(r.scene, r.task, r.method) for r in scores.rows}
    assert len({k for k in both if k[2] == "UW pasted"}) == 4  # its tasks, on one of the stacks
    assert len({k for k in both if k[2] == "W unchanged"}) == 4  # both folders are called `stack`
    assert any("UW pasted: no ultra-wide photo" in line for line in scores.skipped)
    pasted = [r.psnr_db for r in scores.rows if (r.task, r.method) == ("all_in_focus", "UW pasted")]
    assert pasted[0] > 20


def test_training_runs_on_an_imported_stack(hand_held, tmp_path, monkeypatch):
    options = ["+experiment=smoke", f"data.root={hand_held[2]}", f"data.val_root={hand_held[2]}"]
    options += [f"run_dir={tmp_path / 'run'}", "device=cpu", "trainer.max_epochs=1"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(ROOT / "train.py"), *options])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's advice on workers and logging
        runpy.run_path(str(ROOT / "train.py"), run_name="__main__")
    assert DFNet.from_pretrained(tmp_path / "run" / "weights") is not None


def test_the_command_says_how_it_went_and_leaves_the_whole_stack(
    tripod, tmp_path, monkeypatch, capsys
):
    photos, imported, _ = tripod
    assert command(photos.folder, tmp_path / "out", monkeypatch) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(describe(imported)[0])
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert {"capture.json", "quality.png", "verdict.txt", "truth"} <= names
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]


def command(source, output, monkeypatch):
    script = str(ROOT / "scripts" / "import_stack.py")
    monkeypatch.setattr(sys, "argv", [script, str(source), f"output={output}"])
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as stop:
        return stop.code
    return 0


def emptied(folder, photos):
    pass


def one_photo(folder, photos):
    shutil.copy(photos.folder / photos.names[0], folder)


def no_image(folder, photos):
    one_photo(folder, photos)
    (folder / "b.jpg").write_text("hello")


def two_sizes(folder, photos):
    one_photo(folder, photos)
    picture = cv2.imread(str(photos.folder / photos.names[1]))
    cv2.imwrite(str(folder / "b.jpg"), picture[:-10])


def strangers(folder, photos):
    one_photo(folder, photos)
    noise = np.random.default_rng(0).uniform(0, 255, (240, 320, 3))
    height, width = cv2.imread(str(photos.folder / photos.names[0])).shape[:2]
    picture = cv2.resize(cv2.GaussianBlur(noise, (0, 0), 2), (width, height))
    cv2.imwrite(str(folder / "b.png"), picture)


def twins(folder, photos):
    one_photo(folder, photos)
    shutil.copy(photos.folder / photos.names[0], folder / "b.jpg")


def same_focus(folder, photos):
    picture = cv2.imread(str(photos.folder / photos.names[0]))
    cv2.imwrite(str(folder / "a.png"), picture)
    cv2.imwrite(str(folder / "b.png"), np.clip(picture.astype(int) + 1, 0, 255).astype(np.uint8))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (emptied, "0 wide photos"),
        (one_photo, "1 wide photos"),
        (no_image, "b.jpg: cannot be read as an image"),
        (two_sizes, "All wide photos must come from one camera"),
        (strangers, "cannot be aligned"),
        (twins, "the same photo as"),
        (same_focus, "focused alike"),
    ],
)
def test_a_mistake_gets_one_message_and_leaves_nothing(
    make, message, tripod, tmp_path, monkeypatch
):
    source = tmp_path / "photos"
    source.mkdir()
    make(source, tripod[0])
    said = command(source, tmp_path / "out", monkeypatch)
    assert said.startswith("error: ")
    assert message in said
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photos"]


def test_an_interrupted_import_leaves_nothing(tripod, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("dfnet.importing.write.quality_sheet", interrupt)
    with pytest.raises(KeyboardInterrupt):
        import_stack(tripod[0].folder, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_output_is_kept(tripod, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="exists already"):
        import_stack(tripod[0].folder, tmp_path / "out")


def test_stated_focus_distances_win(tripod, tmp_path):
    photos = tripod[0]
    shutil.copytree(photos.folder, tmp_path / "photos")
    shots = [{"file": n, "focus_dioptres": 5 - i} for i, n in enumerate(photos.names)]
    (tmp_path / "photos" / "stack.json").write_text(json.dumps({"shots": shots}))
    imported = import_stack(tmp_path / "photos", tmp_path / "out")
    assert [p.name for p in imported.sweep.paths] == photos.names
    assert imported.direction.source == "focus distances"
    distances = load_capture(tmp_path / "out").focus_distance_m
    assert distances == pytest.approx([1 / 5, 1 / 4, 1 / 3, 1 / 2, 1.0])
