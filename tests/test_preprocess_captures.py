import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from made_pair import CARD_PX, DEFOCUS_PER_DISPARITY, W_PER_UW, WALL_PX, make_pair

from dfnet.camera import Camera, known_cameras
from dfnet.capture import load_capture
from dfnet.errors import InputError
from dfnet.io.images import write_image
from dfnet.photo import CLEAN, linear_from_srgb
from dfnet.preprocess import Preprocessor, preprocess_capture, true_preprocessing
from dfnet.preprocess import cache as cache_module
from dfnet.preprocess.cameras import camera_from_exif, preset_at_size
from dfnet.preprocess.match import SemiGlobalMatcher

CALLS = []
BASELINE_M, FOCAL_LENGTH_PX = 0.008, 500.0  # disparity 4 px is 1 m, 16 px is 0.25 m


@dataclass(frozen=True)
class CountingMatcher(SemiGlobalMatcher):
    """Says when it is used."""

    def __call__(self, pair):
        CALLS.append(pair)
        return super().__call__(pair)


@pytest.fixture(scope="module")
def made():
    return make_pair((0.0, 1.0), focus_px=CARD_PX, tint=(0.8, 1.0, 1.1))


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    """A capture on disk with truth; the user's own cache is elsewhere."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    CALLS.clear()
    return write_capture(made, tmp_path / "scene")


def write_capture(made, folder):
    write_image(made.image_w, folder / "wide.png", bits=16)
    write_image(made.image_uw, folder / "uw.png", bits=16)
    depth = BASELINE_M * FOCAL_LENGTH_PX / made.disparity_w_px[0].numpy()
    np.savez_compressed(
        folder / "geometry.npz",
        depth_w_m=depth,
        flow_w_to_uw=made.flow_w_to_uw.numpy(),
        occluded_w=np.zeros(depth.shape, bool),
    )
    aperture_m = DEFOCUS_PER_DISPARITY * BASELINE_M
    record = {
        "format": 1,
        "wide": ["wide.png"],
        "ultrawide": ["uw.png"],
        "focus_distance_m": [BASELINE_M * FOCAL_LENGTH_PX / CARD_PX],
        "cameras": {
            "wide": {
                "focal_length_m": aperture_m * 2.0,
                "f_number": 2.0,
                "focal_length_px": FOCAL_LENGTH_PX,
            },
            "ultrawide": {
                "focal_length_px": FOCAL_LENGTH_PX / W_PER_UW,
                "position_m": [0.0, BASELINE_M, 0.0],
            },
        },
        "truth": {"all_in_focus": "wide.png", "geometry": "geometry.npz"},
    }
    (folder / "capture.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def prepare(folder, matcher=None, **options):
    preprocessor = Preprocessor(first=matcher or CountingMatcher(), matcher=None)
    return preprocess_capture(load_capture(folder), 0, preprocessor, **options)


def assert_same(a, b):
    for name, value in a._asdict().items():
        other = getattr(b, name)
        same = torch.equal(value, other) if isinstance(value, torch.Tensor) else value == other
        assert same, name


def test_a_second_run_reuses_the_first_to_the_bit(folder):
    first = prepare(folder)
    used = len(CALLS)
    assert used > 0
    assert_same(first, prepare(folder))
    assert len(CALLS) == used
    assert (folder / ".dfnet_cache/000.npz").is_file()


def test_no_preset_and_an_empty_one_share_what_is_stored(folder):
    """The script passes an empty preset, training none at all."""
    prepare(folder)
    used = len(CALLS)
    prepare(folder, preset={})
    assert len(CALLS) == used


def test_stored_maps_are_what_was_computed(folder):
    stored, fresh = prepare(folder), prepare(folder, use_cache=False)
    assert (stored.uw_on_w - fresh.uw_on_w).abs().max() < 1e-4
    assert (stored.flow_w_to_uw - fresh.flow_w_to_uw).abs().max() < 0.02
    assert (stored.disparity_w_px - fresh.disparity_w_px).abs().max() < 0.005
    assert torch.equal(stored.occluded_w, fresh.occluded_w)
    assert torch.equal(stored.valid_w, fresh.valid_w)
    near = fresh.depth_w_m < 5
    torch.testing.assert_close(stored.depth_w_m[near], fresh.depth_w_m[near], rtol=2e-3, atol=0)


def test_changed_photos_are_prepared_again(folder):
    prepare(folder)
    used = len(CALLS)
    other = make_pair((0.0, 1.0), focus_px=WALL_PX)
    write_image(other.image_w, folder / "wide.png", bits=16)
    prepare(folder)
    assert len(CALLS) == 2 * used


def test_a_render_developed_otherwise_is_prepared_again(made, folder):
    for name, image in (("wide.png", made.image_w), ("uw.png", made.image_uw)):
        write_image((linear_from_srgb(image) / 4).sqrt(), folder / name, bits=16)
    stored = replace(load_capture(folder), encoding="sqrt_linear", photo=CLEAN)
    preprocessor = Preprocessor(first=CountingMatcher(), matcher=None)
    counts = []
    brighter = replace(CLEAN, exposure=(1.1, 1.1))
    other_noise = replace(stored, origin={"seed": 4})
    for capture in (stored, stored, replace(stored, photo=brighter), other_noise):
        preprocess_capture(capture, 0, preprocessor)
        counts.append(len(CALLS))
    used = counts[0]
    assert counts == [used, used, 2 * used, 3 * used]


def test_other_settings_are_prepared_again(folder):
    prepare(folder)
    used = len(CALLS)
    prepare(folder, CountingMatcher(smoothness=2.0))
    assert len(CALLS) == 2 * used


def test_other_metadata_are_prepared_again(folder):
    prepare(folder)
    used = len(CALLS)
    record = json.loads((folder / "capture.json").read_text())
    record["cameras"]["wide"]["f_number"] = 2.8
    (folder / "capture.json").write_text(json.dumps(record))
    prepare(folder)
    assert len(CALLS) == 2 * used


def test_a_newer_version_prepares_again(folder, monkeypatch):
    prepare(folder)
    used = len(CALLS)
    monkeypatch.setattr(cache_module, "VERSION", cache_module.VERSION + 1)
    prepare(folder)
    assert len(CALLS) == 2 * used


@pytest.mark.parametrize("damage", ["cut", "scribbled", "empty"])
def test_a_damaged_cache_is_made_anew(folder, damage):
    first = prepare(folder)
    path = folder / ".dfnet_cache/000.npz"
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(
        {
            "cut": whole[:middle],
            "scribbled": whole[: middle - 500] + bytes(1000) + whole[middle + 500 :],
            "empty": b"",
        }[damage]
    )
    used = len(CALLS)
    assert_same(first, prepare(folder))
    assert len(CALLS) == 2 * used
    assert_same(first, prepare(folder))
    assert len(CALLS) == 2 * used


def test_a_folder_that_cannot_be_written_uses_the_users_own(folder, tmp_path):
    (folder / ".dfnet_cache").write_text("a file where the folder should be")
    first = prepare(folder)
    used = len(CALLS)
    assert_same(first, prepare(folder))
    assert len(CALLS) == used
    assert len(list((tmp_path / "home").rglob("*.npz"))) == 1


def test_pictures_alone_and_metadata_are_kept_apart(folder):
    with_metadata, without = prepare(folder), prepare(folder, use_metadata=False)
    assert with_metadata.depth_w_m is not None
    assert without.depth_w_m is None
    assert_same(without, prepare(folder, use_metadata=False))
    assert len(list((folder / ".dfnet_cache").glob("*.npz"))) == 2


def test_a_capture_without_uw_or_with_a_missing_file_is_refused(folder):
    record = json.loads((folder / "capture.json").read_text())
    (folder / "capture.json").write_text(json.dumps({**record, "ultrawide": []}))
    with pytest.raises(InputError, match="no `ultrawide`"):
        prepare(folder)
    (folder / "capture.json").write_text(json.dumps({**record, "ultrawide": ["gone.png"]}))
    with pytest.raises(InputError, match=r"gone\.png: no such file"):
        prepare(folder)


def test_truth_speaks_the_same_language_as_the_estimate(folder, made):
    true, estimated = true_preprocessing(load_capture(folder)), prepare(folder)
    torch.testing.assert_close(true.disparity_w_px, made.disparity_w_px)
    # Without focus breathing the lens law is the made one times S / (S - f), 1.6 % more here.
    torch.testing.assert_close(true.defocus_w_px, made.defocus_w_px, rtol=0.02, atol=0.01)
    law = true.blur_law
    predicted = law.defocus_per_disparity * (law.disparity_at_focus_px - true.disparity_w_px)
    torch.testing.assert_close(predicted, true.defocus_w_px, rtol=1e-3, atol=1e-3)
    assert true.baseline_direction == (0.0, 1.0)
    assert (true.uw_on_w - estimated.uw_on_w).abs().median() < 0.02
    for name in ("disparity_w_px", "flow_w_to_uw", "defocus_w_px", "relative_inverse_depth"):
        difference = (getattr(true, name) - getattr(estimated, name)).abs().median()
        assert difference < 1.0, name


def test_truth_needs_the_second_cameras_place(folder):
    record = json.loads((folder / "capture.json").read_text())
    del record["cameras"]["ultrawide"]["position_m"]
    (folder / "capture.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match="position_m"):
        true_preprocessing(load_capture(folder))


def test_earlier_sources_are_believed_field_by_field():
    metadata = {"wide": Camera(f_number=1.8)}
    preset = {"wide": Camera(f_number=2.0, focal_length_m=0.006), "ultrawide": Camera(f_number=2.2)}
    merged = known_cameras(metadata, preset)
    assert merged["wide"] == Camera(f_number=1.8, focal_length_m=0.006)
    assert merged["ultrawide"].f_number == 2.2


def test_exif_becomes_a_camera():
    exif = {"FocalLength": 6.8, "FNumber": 1.85, "FocalLengthIn35mmFilm": 24.0, "Model": "x"}
    camera = camera_from_exif(exif, 4000, 3000)
    assert camera.focal_length_m == pytest.approx(0.0068)
    assert camera.focal_length_px == pytest.approx(24.0 / 43.27 * 5000)
    assert camera_from_exif({}, 4000, 3000) == Camera()


def test_a_preset_is_scaled_to_the_photo():
    preset = {"wide": Camera(focal_length_px=2800.0, full_frame_px=(4000, 3000))}
    scaled = preset_at_size(preset, (torch.zeros(3, 300, 400), torch.zeros(3, 10, 10)))
    assert scaled["wide"].focal_length_px == pytest.approx(280.0)
    assert set(scaled) == {"wide"}
