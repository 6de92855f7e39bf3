"""The import as a whole: photos as a phone hands them over become a stack with its truth."""

import contextlib
import io
import json
import runpy
import shutil
import sys
import warnings
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import torch
from layered_stack import DEFOCUS_PER_DISPARITY, DIRECTION, render_layers, true_disparity
from phone_stack import PhoneStack, corner_errors, export

from dfnet.capture import load_capture
from dfnet.errors import InputError
from dfnet.evaluation.methods import CONTROLS
from dfnet.evaluation.score import score_capture
from dfnet.importing.pipeline import find_direction, import_stack
from dfnet.importing.read import find_shots
from dfnet.importing.sweep import align_sweep
from dfnet.model import DFNet
from dfnet.preprocess import preprocess_capture
from dfnet.preprocess.pipeline import image_pixels

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def render(tmp_path_factory):
    return render_layers(tmp_path_factory.mktemp("layers") / "render")


class Import(NamedTuple):
    """Photos, and the stack that the command made of them.

    Attributes:
        photos: with their truth.
        folder: of the stack.
        printed: by the command.
    """

    photos: PhoneStack
    folder: Path
    printed: str

    @property
    def origin(self) -> dict:
        return load_capture(self.folder).origin

    @property
    def reference(self) -> str:
        """Name of the photo whose frame the stack has."""
        return self.origin["photos"][self.origin["reference"]]

    def on_frame(self, image):
        """A picture or map of the reference photo's frame, cut as the stack is."""
        (top, bottom), (left, right) = self.origin["crop"]
        return image[top:bottom, left:right]


def imported(photos, folder):
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as said:
        assert command(photos.folder, folder, patch) == 0
    return Import(photos, folder, said.getvalue())


@pytest.fixture(scope="module")
def hand_held(render, tmp_path_factory):
    """With UW: breathing, a moving hand, drifting exposure, shuffled names, no metadata."""
    folder = tmp_path_factory.mktemp("hand_held")
    return imported(export(render, folder / "photos", gain=0.03), folder / "out" / "guided")


@pytest.fixture(scope="module")
def tripod(render, tmp_path_factory):
    """Without UW: breathing alone."""
    folder = tmp_path_factory.mktemp("tripod")
    photos = export(render, folder / "photos", shake_px=0.0, with_guide=False, seed=1)
    return imported(photos, folder / "out" / "plain")


def command(source, output, monkeypatch):
    script = str(ROOT / "scripts" / "import_stack.py")
    monkeypatch.setattr(sys, "argv", [script, str(source), f"output={output}"])
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as stop:
        return stop.code or 0
    return 0


def test_the_order_is_near_to_far_with_an_ultra_wide_photo(hand_held):
    origin = hand_held.origin
    assert origin["ordered_by"] == "sharpness"
    assert origin["photos"] == hand_held.photos.names
    assert origin["direction"]["source"] == "ultra-wide disparity"


def test_the_order_is_right_but_for_its_direction_without(tripod):
    names = tripod.photos.names
    assert tripod.origin["photos"] in (names, names[::-1])
    assert tripod.origin["direction"]["source"] == "guess"
    assert "guessed" in tripod.printed


@pytest.mark.parametrize("kind", ["hand_held", "tripod"])
def test_photos_land_where_they_belong(kind, request):
    found = request.getfixturevalue(kind)
    origin = found.origin
    assert origin["alignment"] == {"hand_held": "homography", "tripod": "similarity"}[kind]
    errors_px = corner_errors(found.photos, origin["photos"], np.array(origin["to_reference"]))
    assert errors_px.max() <= 0.5


@pytest.mark.parametrize("kind", ["hand_held", "tripod"])
def test_the_merge_is_the_all_in_focus_picture_where_it_is_trusted(kind, request):
    found = request.getfixturevalue(kind)
    truth = load_capture(found.folder).load_truth()
    wanted = found.on_frame(image_pixels(found.photos.true_merge(found.reference)))
    error = (image_pixels(truth.all_in_focus) - wanted) ** 2
    trusted = truth.confidence[0].numpy() > 0.5
    assert trusted.mean() > 0.6
    assert -10 * np.log10(error[trusted].mean()) >= 35
    assert error[~trusted].mean() > 2 * error[trusted].mean()


def disparity_of(found):
    """The true disparity on the stack's frame."""
    photos = found.photos
    size = photos.true_merge(found.reference).shape[:0:-1]
    from_photo = photos.from_photo[photos.names.index(found.reference)]
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return found.on_frame(cv2.warpPerspective(true_disparity(), from_photo, size, flags=flags))


def test_the_sharpest_slice_is_that_of_the_layer(hand_held):
    truth = load_capture(hand_held.folder).load_truth()
    wanted = (28.0 - disparity_of(hand_held)) / 6.0  # slice 0 is nearest
    trusted = truth.confidence[0].numpy() > 0.5
    apart = np.abs(truth.sharpest_slice[0].numpy() - wanted)
    assert np.quantile(apart[trusted], 0.9) < 0.5


def test_all_slices_share_one_disparity_and_one_law(hand_held):
    capture = load_capture(hand_held.folder)
    maps = [preprocess_capture(capture, i) for i in range(5)]
    for found in maps[1:]:
        torch.testing.assert_close(found.disparity_w_px, maps[0].disparity_w_px)
    (slope,) = {m.blur_law.defocus_per_disparity for m in maps}
    assert slope == pytest.approx(DEFOCUS_PER_DISPARITY, rel=0.25)
    assert np.dot(maps[0].baseline_direction, DIRECTION) > 0.99
    disparity = disparity_of(hand_held)
    for index, found in enumerate(maps):
        wanted = DEFOCUS_PER_DISPARITY * (28.0 - 6.0 * index - disparity)
        error = np.abs(found.defocus_w_px[0].numpy() - wanted)
        assert np.median(error[found.valid_w[0].numpy()]) < 0.6


def test_without_guide_the_sharpest_slice_tells_the_defocus(tripod):
    capture, disparity = load_capture(tripod.folder), disparity_of(tripod)
    trusted = capture.load_truth().confidence[0].numpy() > 0.5
    run = 1 if tripod.origin["photos"] == tripod.photos.names else -1
    for index in range(5):
        focus = 28.0 - 6.0 * (index if run == 1 else 4 - index)
        wanted = run * DEFOCUS_PER_DISPARITY * (focus - disparity)
        found = preprocess_capture(capture, index)
        error = np.abs(found.defocus_w_px[0].numpy() - wanted)
        assert np.median(error[trusted]) < 0.6
        assert bool(found.occluded_w.all())  # nothing is seen by a camera that is not there
        torch.testing.assert_close(found.uw_on_w, capture.load_wide(index))


def test_slices_have_one_exposure(hand_held):
    capture = load_capture(hand_held.folder)
    means = torch.stack([capture.load_wide(i).mean(dim=(1, 2)) for i in range(5)])
    assert float((means.std(dim=0) / means.mean(dim=0)).max()) < 0.01  # 0.03 in the photos


def test_evaluation_scores_both_and_skips_what_needs_a_guide(hand_held, tripod):
    captures = [load_capture(stack.folder) for stack in (hand_held, tripod)]
    rows = [row for capture in captures for row in score_capture(capture, CONTROLS)]
    scored = {(r.scene, r.method) for r in rows}
    assert scored == {("guided", "W unchanged"), ("guided", "UW pasted"), ("plain", "W unchanged")}
    score = {(r.scene, r.task, r.method): r.metrics["psnr_db"] for r in rows if r.band == "all"}
    assert score["guided", "identity", "W unchanged"] == 99.0
    # UW resolves 1.3 times less, and is in place: a pixel beside it, it would score 26 dB.
    assert score["guided", "all_in_focus", "UW pasted"] > 28


def test_training_runs_on_an_imported_stack(hand_held, tmp_path, monkeypatch):
    root = hand_held.folder
    options = ["+experiment=smoke", f"data.root={root}", f"data.val_root={root}", "device=cpu"]
    options += [f"run_dir={tmp_path / 'run'}", "trainer.max_epochs=1"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(ROOT / "train.py"), *options])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's advice on workers and logging
        runpy.run_path(str(ROOT / "train.py"), run_name="__main__")
    assert DFNet.from_pretrained(tmp_path / "run" / "weights") is not None


def test_the_command_leaves_the_whole_stack_and_its_verdict(tripod):
    folder = tripod.folder
    assert [p.name for p in folder.parent.iterdir()] == ["plain"]
    names = {p.name for p in folder.iterdir()}
    slices = {f"wide_0{i}.png" for i in range(5)}
    files = {"capture.json", "quality.png", "verdict.txt", "stack_geometry.npz", "truth"}
    assert names == slices | files
    assert tripod.printed.startswith((folder / "verdict.txt").read_text(encoding="utf-8"))
    assert tripod.printed.startswith("good: 5 slices")


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
    make(source, tripod.photos)
    said = command(source, tmp_path / "out", monkeypatch)
    assert said.startswith("error: ")
    assert message in said
    assert sorted(p.name for p in tmp_path.iterdir()) == ["photos"]


def test_an_interrupted_import_leaves_nothing(tripod, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("dfnet.importing.pipeline._geometry", lambda *_: None)  # slow, not needed
    monkeypatch.setattr("dfnet.importing.write.quality_sheet", interrupt)
    with pytest.raises(KeyboardInterrupt):
        import_stack(tripod.photos.folder, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_output_is_kept(tripod, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="exists already"):
        import_stack(tripod.photos.folder, tmp_path / "out")


def test_stated_focus_distances_win_over_names_and_sharpness(tripod, tmp_path):
    photos = tripod.photos
    shutil.copytree(photos.folder, tmp_path / "photos")
    order = photos.names[::-1]
    shots = [{"file": n, "focus_dioptres": 5 - i} for i, n in enumerate(order)]
    (tmp_path / "photos" / "stack.json").write_text(json.dumps({"shots": shots}))
    shots = find_shots(tmp_path / "photos")
    sweep = align_sweep(shots)
    assert [p.name for p in sweep.paths] == order
    assert find_direction(shots, sweep, None).near_first
