import math

import numpy as np
import pytest

from dfnet.app.controls import Stroke, brushed, controls_from_json, steps_of
from dfnet.errors import InputError
from dfnet.targets import AllInFocus, Aperture, CatEye, FocusAt, Mask, Polygon, Slab, TiltShift
from dfnet.targets.masks import read_mask

SIZE = (4000, 3000)  # whose diagonal is 5000
TILT = {"x": 2000, "y": 1800, "angle_deg": -12.5, "width_px": 400, "blur_px": 60}
PENTAGON = {"step": "polygon", "blades": 5, "rotation_deg": 14.4}
DOT = {"effect": "sharpen", "radius_px": 300, "points": [[1000, 600]]}

SETTINGS = [
    ({"sharpness": "as_shot"}, ()),
    ({"sharpness": "all"}, (AllInFocus(),)),
    ({"sharpness": "all", "nearer_px": 3}, (AllInFocus(),)),
    ({"sharpness": "as_shot", "aperture_scale": 0.5}, (Aperture(scale=0.5),)),
    ({"sharpness": "as_shot", "aperture_scale": 1.002}, ()),
    ({"sharpness": "as_shot", "nearer_px": 2, "farther_px": 6}, (Slab(2, 6, 1),)),
    (
        {"sharpness": "point", "point": [1200.25, 800], "nearer_px": 2, "aperture_scale": 2},
        (FocusAt(1200.25, 800), Slab(2, 0, 0), Aperture(scale=2)),
    ),
    ({"sharpness": "tilt", "tilt": TILT}, (TiltShift(2000, 1800, -12.5, 400, 60),)),
    ({"sharpness": "as_shot", "shape": None}, ()),
    ({"sharpness": "as_shot", "shape": PENTAGON}, (Polygon(5, 14.4),)),
    (
        {"sharpness": "all", "shape": {"step": "cat_eye", "strength": 0.4}},
        (AllInFocus(), CatEye(0.4)),
    ),
]


@pytest.mark.parametrize(("sent", "expected"), SETTINGS)
def test_settings_become_the_steps_that_a_photographer_means(sent, expected):
    assert steps_of(controls_from_json(sent), SIZE) == expected


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        "as_shot",
        {},
        {"sharpness": "everything"},
        {"sharpness": "point"},
        {"sharpness": "point", "point": [1]},
        {"sharpness": "point", "point": ["1", 2]},
        {"sharpness": "point", "point": [math.nan, 2]},
        {"sharpness": "point", "point": [1e300, 2]},
        {"sharpness": "as_shot", "aperture_scale": -1},
        {"sharpness": "as_shot", "nearer_px": True},
        {"sharpness": "tilt", "tilt": None},
        {"sharpness": "tilt", "tilt": {**TILT, "width_px": -1}},
        {"sharpness": "as_shot", "strokes": [{**DOT, "effect": "burn"}]},
        {"sharpness": "as_shot", "strokes": [{**DOT, "points": []}]},
        {"sharpness": "as_shot", "strokes": 7},
        {"sharpness": "as_shot", "shape": "polygon"},
        {"sharpness": "as_shot", "shape": {**PENTAGON, "blades": 500}},
        {"sharpness": "as_shot", "shape": {"step": "like", "path": "/etc/passwd"}},
    ],
)
def test_what_no_page_of_ours_sends_is_refused(sent):
    with pytest.raises(InputError, match="controls: not understood"):
        controls_from_json(sent)


def test_a_dot_of_the_brush_lies_where_it_was_painted():
    controls = controls_from_json({"sharpness": "as_shot", "strokes": [DOT]})
    (mask,) = steps_of(controls, SIZE)
    assert (mask.effect, mask.blur_px, mask.feather_px) == ("sharpen", 0.0, 100.0)
    painted = read_mask(mask.source, SIZE, (300, 400))[0]  # a tenth of the photo's pixels
    y, x = np.mgrid[:300, :400]
    inside = np.hypot((x + 0.5) * 10 - 0.5 - 1000, (y + 0.5) * 10 - 0.5 - 600)
    assert painted[inside < 280].min() > 0.9
    assert painted[inside > 320].max() < 0.1


def test_the_brush_for_blur_asks_for_blur_that_grows_with_the_photo():
    sent = {"sharpness": "as_shot", "strokes": [{**DOT, "effect": "blur"}]}
    (mask,) = steps_of(controls_from_json(sent), SIZE)
    assert isinstance(mask, Mask)
    assert mask.blur_px == 30.0  # 0.6 % of the diagonal


def test_later_strokes_win_over_earlier_ones():
    along = ((500.0, 1500.0), (3500.0, 1500.0))
    strokes = (
        Stroke("sharpen", 200, along),
        Stroke("blur", 100, ((2000.0, 1500.0), (2000.1, 1500.0))),
        Stroke("erase", 100, ((3000.0, 1500.0), (3000.1, 1500.0))),
    )
    sharpen, blur, protect = (brushed(strokes, e, SIZE) for e in ("sharpen", "blur", "protect"))
    row, columns = 192, [round(x * 512 / 4000) for x in (1000, 2000, 3000)]
    assert sharpen.shape == (384, 512)
    assert sharpen[row, columns].tolist() == [255, 0, 0]
    assert blur[row, columns].tolist() == [0, 255, 0]
    assert not protect.any()


def test_a_stroke_of_absurd_length_is_cut():
    points = [[x % 4000, x % 3000] for x in range(50_000)]
    sent = {"sharpness": "as_shot", "strokes": [{**DOT, "points": points}] * 1000}
    controls = controls_from_json(sent)
    assert (len(controls.strokes), len(controls.strokes[0].points)) == (300, 4000)
