"""Phones read from presets, and the cameras drawn from them."""

import numpy as np
import pytest

from dfnet.errors import InputError
from dfnet.render import devices
from dfnet.render.devices import draw_device, load_device
from dfnet.render.effects import CameraEffects
from dfnet.render.rig import draw_ultrawide, draw_wide

PHONES = CameraEffects().devices
EXIF = {  # focal length [mm] and f-number as the phones write them: W, then UW
    "pixel6pro": (6.81, 1.85, 2.35, 2.2),
    "iphone15pro": (6.765, 1.78, 2.22, 2.2),
    "galaxy_s23_ultra": (6.3, 1.7, 2.2, 2.2),
}


@pytest.mark.parametrize("name", PHONES)
def test_lenses_are_those_of_the_preset_at_any_frame_width(name):
    rng, device, effects = np.random.default_rng(1), load_device(name), CameraEffects()
    wide = draw_wide(rng, (384, 288), 1500, device, effects)
    uw = draw_ultrawide(rng, wide, device, effects, 0.25, (0.3, 5.0))
    millimetres = [1000 * c.lens.focal_length_m for c in (wide, uw)]
    found = (millimetres[0], wide.lens.f_number, millimetres[1], uw.lens.f_number)
    assert found == pytest.approx(EXIF[name])
    # Equivalent focal lengths on a 43.27 mm diagonal: 24 mm and 13 to 16 mm, says the makers' EXIF.
    equivalents = [43.27 * c.lens.focal_length_px / (2 * c.corner_px) for c in (wide, uw)]
    assert 22 < equivalents[0] < 25
    assert 13 < equivalents[1] < 16.5
    assert wide.full_frame_px[0] == 1500


def test_every_phone_is_drawn():
    rng = np.random.default_rng(0)
    assert {draw_device(rng, PHONES).name for _ in range(40)} == set(PHONES)


def test_a_fixed_ultrawide_is_sharp_where_told_and_others_within_the_scene():
    effects = CameraEffects(ultrawide_focus_m=(0.9, 1.0))
    rng, near_m, far_m = np.random.default_rng(2), 0.2, 4.0
    focus = {}
    for name in ("pixel6pro", "iphone15pro"):
        device = load_device(name)
        wide = draw_wide(rng, (384, 288), 1500, device, effects)
        drawn = [
            draw_ultrawide(rng, wide, device, effects, 0.25, (near_m, far_m)) for _ in range(30)
        ]
        focus[name] = [camera.lens.focus_distance_m for camera in drawn]
    assert 0.9 <= min(focus["pixel6pro"]) < max(focus["pixel6pro"]) <= 1.0
    assert near_m < min(focus["iphone15pro"]) < 0.6
    assert 1.0 < max(focus["iphone15pro"]) <= far_m


def test_the_flaws_leave_everything_else_as_it_was():
    device, drawn = load_device("iphone15pro"), []
    for effects in (CameraEffects(), CameraEffects.none()):
        rng = np.random.default_rng(5)
        wide = draw_wide(rng, (384, 288), 1500, device, effects)
        drawn.append((wide, draw_ultrawide(rng, wide, device, effects, 0.25, (0.3, 5.0))))
    for flawed, ideal in zip(*drawn, strict=True):
        assert (flawed.lens, flawed.position_m) == (ideal.lens, ideal.position_m)
        assert flawed.flaws != ideal.flaws
        assert set(vars(ideal.flaws).values()) == {0.0}


@pytest.mark.parametrize(
    ("preset", "message"),
    [(None, "no such camera preset"), ("wide: {f_number: 2}", "not known well enough")],
)
def test_a_preset_that_cannot_be_rendered_is_refused(tmp_path, monkeypatch, preset, message):
    monkeypatch.setattr(devices, "PRESETS", tmp_path)
    if preset:
        (tmp_path / "brick.yaml").write_text(preset)
    with pytest.raises(InputError, match=message):
        load_device("brick")
