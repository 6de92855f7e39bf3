"""The import's proof on ray-traced photos: real occlusion, lamps that clip, a phone's flaws."""

import cv2
import hydra
import numpy as np
import pytest
import torch
from phone_stack import corner_errors, export

from dfnet.capture import Capture, load_capture, save_capture
from dfnet.importing.pipeline import import_stack
from dfnet.io.images import write_image
from dfnet.photo import srgb_from_linear
from dfnet.preprocess.pipeline import image_pixels
from dfnet.render.scene import SceneOptions, build_scene
from dfnet.render.stack import exposure_of, photograph
from dfnet.render.truth import trace_truth

SEED, KIND, SIZE = 5, "counter", (320, 240)
SLICES = 7  # a phone's focus bracket: 1.4 px of blur from slice to slice
SAMPLES, SHARP_SAMPLES = 32, 24


@pytest.fixture(scope="module")
def render(tmp_path_factory):
    """Slices even in dioptres over the scene's depths, and the all-in-focus picture."""
    folder = tmp_path_factory.mktemp("rendered") / "render"
    folder.mkdir()
    with hydra.initialize(version_base="1.3", config_path="../configs/render"):
        effects = hydra.compose("render", overrides=["camera=phone", "output=_"]).camera
    effects = hydra.utils.instantiate(effects, _convert_="all")
    scene = build_scene(SEED, SceneOptions(SIZE, kind=KIND, effects=effects))
    depth_m = trace_truth(scene.world, scene.wide, scene.ultrawide, scene.motion).depth_w_m
    far, near = np.percentile(1 / depth_m, [1, 99.5])
    sharp = photograph(scene, scene.wide, SHARP_SAMPLES, pinhole=True)
    exposure = exposure_of(sharp, scene.white)
    names = [f"wide_{i}.png" for i in range(SLICES)]
    for name, dioptres in zip(names, np.linspace(near, far, SLICES), strict=True):
        camera = scene.wide.focused_at(float(1 / dioptres))
        _develop(exposure * photograph(scene, camera, SAMPLES), folder / name)
    _develop(exposure * sharp, folder / "sharp.png")
    capture = Capture(folder, tuple(names), (), truth={"all_in_focus": "sharp.png"})
    save_capture(capture)
    return capture


def _develop(light, path):
    write_image(srgb_from_linear(torch.from_numpy(light).clamp(0, 1)), path, bits=16)


@pytest.fixture(scope="module", params=[0, 1])
def imported(request, render, tmp_path_factory):
    """JPEGs with breathing, a moving hand, drifting exposure, shuffled names, no metadata."""
    folder = tmp_path_factory.mktemp("photos")
    photos = export(render, folder / "in", gain=0.03, with_guide=False, seed=request.param)
    import_stack(folder / "in", folder / "out")
    return photos, load_capture(folder / "out")


def test_ray_traced_photos_are_ordered_and_aligned(imported):
    photos, capture = imported
    order = capture.origin["photos"]
    assert order in (photos.names, photos.names[::-1])
    errors_px = corner_errors(photos, order, np.array(capture.origin["to_reference"]))
    assert errors_px.max() <= 0.5


def test_the_merge_of_ray_traced_photos_is_the_truth_where_it_is_trusted(imported):
    photos, capture = imported
    origin = capture.origin
    (top, bottom), (left, right) = origin["crop"]
    wanted = image_pixels(photos.true_merge(origin["photos"][origin["reference"]]))
    wanted = wanted[top:bottom, left:right]
    truth = capture.load_truth()
    error = (image_pixels(truth.all_in_focus) - wanted) ** 2
    trusted = truth.confidence[0].numpy() > 0.5
    assert trusted.mean() > 0.6
    # 37.6 and 38.0; one photo of everything sharp, with this noise and JPEG, would have 40.6.
    assert -10 * np.log10(error[trusted].mean()) >= 36.5
    # Lamps are points again, not discs.
    assert _white(image_pixels(truth.all_in_focus)) < 1.6 * _white(wanted)


def _white(picture):
    return (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) > 0.97).mean()
