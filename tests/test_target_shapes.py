"""Shapes of blur as steps, and through the network that renders."""

from types import SimpleNamespace

import torch
from made_preprocessed import made_preprocessed
from torch.testing import assert_close

from dfnet.camera import frame_of
from dfnet.iris import CatEyeIris, Opening, PolygonIris
from dfnet.layers import blur_photo_in_layers
from dfnet.model import DFNet
from dfnet.optics import BlurLaw
from dfnet.sample import Sample
from dfnet.targets import (
    Aperture,
    CatEye,
    FocusAt,
    Like,
    Polygon,
    Scene,
    file_steps,
    focus_pull,
    work_out,
)


def a_scene():
    return Scene(made_preprocessed(24, 32), torch.rand(3, 24, 32))


def test_the_last_shape_that_is_asked_counts_wherever_it_stands():
    scene = a_scene()
    plain = work_out([FocusAt(20, 5), Aperture(2)], scene)
    assert plain.iris is None
    asked = [Polygon(6), FocusAt(20, 5), CatEye(0.4), Polygon(5, 12), Aperture(2)]
    shaped = work_out(asked, scene)
    assert shaped.iris == PolygonIris(5, 12)
    assert torch.equal(shaped.defocus_w_px, plain.defocus_w_px)
    assert work_out([Polygon(6), CatEye(0.4)], scene).iris == CatEyeIris(0.4)
    assert work_out([Polygon(6), CatEye(0)], scene).iris is None


def test_a_photo_that_is_followed_says_nothing_of_the_shape(monkeypatch):
    law = SimpleNamespace(law=BlurLaw(0.2, 3.0))
    monkeypatch.setattr(file_steps, "read_image", lambda path: None)
    monkeypatch.setattr(file_steps, "law_of_photo", lambda photo, preprocessed: law)
    assert work_out([Polygon(6), Like("other.jpg")], a_scene()).iris == PolygonIris(6)


def test_a_focus_pull_changes_the_shape_half_way():
    pull = focus_pull([FocusAt(20, 5)], [FocusAt(5, 5), Polygon(7)], 4)
    shapes = [work_out(frame, a_scene()).iris for frame in pull]
    assert shapes == [None, None, PolygonIris(7), PolygonIris(7)]


def test_blur_that_stays_as_large_gets_the_shape_and_what_is_sharp_stays_w():
    """The untrained network's all-in-focus picture is W's and the guide's mean."""
    torch.manual_seed(0)
    model = DFNet(width=8, render=True, finish=True).eval()
    image = torch.rand(1, 3, 48, 112)
    coc_px = torch.zeros(1, 1, 48, 112)
    coc_px[..., 60:] = 11.0
    maps = {"defocus_w_px": coc_px, "target_defocus_w_px": coc_px}
    nowhere = torch.zeros(1, 1, 48, 112)
    sample = Sample(image_w=image, uw_on_w=image, occluded_w=nowhere, radial_w=nowhere, **maps)
    opening = Opening(PolygonIris(5, 30.0), frame_of(48, 112))
    with torch.no_grad():
        assert torch.equal(model(sample).image, image)
        shaped = model(sample, opening).image
    assert torch.equal(shaped[..., :44], image[..., :44])
    expected = blur_photo_in_layers(image, coc_px, opening)
    assert_close(shaped[..., 64:], expected[..., 64:], atol=1e-3, rtol=0)
    disc = blur_photo_in_layers(image, coc_px)
    assert (expected - disc)[..., 64:].abs().max() > 0.01
