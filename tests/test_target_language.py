"""Steps as JSON and as words of the command line."""

import json
from dataclasses import fields

import numpy as np
import pytest

from dfnet.errors import InputError
from dfnet.targets import (
    WORDS,
    AllInFocus,
    Aperture,
    Between,
    CatEye,
    DistanceRange,
    FocusAt,
    FocusDistance,
    FocusRange,
    Like,
    MapFile,
    Mask,
    Plane,
    Polygon,
    Slab,
    SplitFocus,
    TiltShift,
    files_of,
    painted,
    step_from_text,
    steps_from_json,
    steps_to_json,
    with_files,
)
from dfnet.targets.language import KINDS

# Numbers that only survive if nothing rounds them.
ODD = 0.1 + 0.2
EVERY_KIND = (
    AllInFocus(),
    FocusAt(1200, ODD),
    FocusDistance(1 / 3),
    FocusRange(1, 2, 3, 4, 1e-17),
    DistanceRange(0.5, 1e300),
    Plane(1, 2, 3, 4, 5, 6.000000000000001),
    SplitFocus(1, 2, 3, 4),
    TiltShift(1, 2, -3.25, 4, 5),
    TiltShift(1, 2, 3, 4, 5, 0.0),
    Slab(1, 2, 3),
    Aperture(2),
    Aperture(f_number=1.8),
    Polygon(5),
    Polygon(9, -ODD),
    CatEye(ODD),
    Mask("m, ünï 写真.png", "blur", 2, 3),
    Mask(painted(np.eye(3)), "protect"),
    MapFile("a.npy"),
    MapFile("a.png", 0.25, 128),
    Like('say "hi".jpg'),
    Between((FocusAt(1, 2), Aperture(2)), (Between((), (AllInFocus(),), 0.25),), ODD),
)


def test_the_list_has_every_kind():
    assert {type(step) for step in EVERY_KIND} == set(KINDS.values())


@pytest.mark.parametrize("step", EVERY_KIND, ids=lambda step: type(step).__name__)
def test_json_keeps_every_step_exactly(step):
    text = json.dumps(steps_to_json([step]), allow_nan=False)
    (again,) = steps_from_json(json.loads(text))
    assert again == step
    assert type(again) is type(step)
    for field in fields(step):
        assert type(getattr(again, field.name)) is type(getattr(step, field.name))
    assert json.dumps(steps_to_json([again])) == text


def test_json_keeps_the_order():
    assert steps_from_json(json.loads(json.dumps(steps_to_json(EVERY_KIND)))) == EVERY_KIND


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ({"step": "focus_at"}, "not a list"),
        ("focus_at", "not a list"),
        ([{"step": "melt"}], "step 'melt': unknown"),
        ([{"x": 3}], "step None: unknown"),
        ([3], "step 3: unknown"),
        ([{"step": ["focus_at"]}], "unknown"),
        ([{"step": "focus_at", "x": 3}], "missing 1 required"),
        ([{"step": "focus_at", "x": 3, "y": 4, "z": 5}], "unknown z\n  It takes x, y"),
        ([{"step": "focus_at", "x": "3", "y": 4}], "x is '3'"),
        ([{"step": "focus_at", "x": None, "y": 4}], "x is None"),
        ([{"step": "focus_at", "x": [3], "y": 4}], r"x is \[3\]"),
        ([{"step": "mask", "source": 3, "effect": "blur"}], "source is 3"),
        ([{"step": "mask", "source": "m.png", "effect": "blur", "blur_px": "2"}], "blur_px is '2'"),
        ([{"step": "mask", "source": "m.png", "effect": ["blur"]}], r"effect is \['blur'\]"),
        ([{"step": "map", "path": None}], "path is None"),
        ([{"step": "map", "path": "a.png", "px_per_level": "1"}], "px_per_level is '1'"),
        ([{"step": "like", "path": 3}], "path is 3"),
        ([{"step": "polygon", "blades": "6"}], "blades is '6'"),
        ([{"step": "cat_eye", "strength": 3}], "cat_eye=3: must"),
        ([{"step": "between", "start": [], "end": [], "share": 2}], "share is 2"),
        ([{"step": "between", "start": [], "end": [], "share": "1"}], "share is '1'"),
        ([{"step": "between", "start": 3, "end": [], "share": 1}], "not a list"),
    ],
)
def test_json_that_says_nothing_possible_is_refused(records, message):
    with pytest.raises(InputError, match=message):
        steps_from_json(records)


WRITTEN = [
    ("all_in_focus=true", AllInFocus()),
    ("focus_at=1200,800.5", FocusAt(1200, 800.5)),
    ("focus_at=[1200, 800.5]", FocusAt(1200, 800.5)),
    ("focus_distance=2.5", FocusDistance(2.5)),
    ("focus_range=1,2,3,4", FocusRange(1, 2, 3, 4)),
    ("focus_range=1,2,3,4,5", FocusRange(1, 2, 3, 4, 5)),
    ("distance_range=1,2", DistanceRange(1, 2)),
    ("plane=1,2,3,4,5,6", Plane(1, 2, 3, 4, 5, 6)),
    ("split_focus=1,2,3,4,5", SplitFocus(1, 2, 3, 4, 5)),
    ("tilt_shift=1,2,-3,4,5", TiltShift(1, 2, -3, 4, 5)),
    ("tilt_shift=1,2,-3,4,5,6", TiltShift(1, 2, -3, 4, 5, 6)),
    ("slab=1,2,3", Slab(1, 2, 3)),
    ("aperture_scale=2", Aperture(2)),
    ("f_number=1.8", Aperture(f_number=1.8)),
    ("sharpen=3,m.png", Mask("m.png", "sharpen", 0, 3)),
    ("protect=0,4,5.png", Mask("4,5.png", "protect")),
    ("blur=2,3,my, mask=1.png", Mask("my, mask=1.png", "blur", 2, 3)),
    ("map=1,2.npy", MapFile("1,2.npy")),
    ("map_levels=0.25,128,[x].png", MapFile("[x].png", 0.25, 128)),
    ("like=a,b.jpg", Like("a,b.jpg")),
    ("polygon=7", Polygon(7)),
    ("polygon=7,-12.5", Polygon(7, -12.5)),
    ("cat_eye=0.6", CatEye(0.6)),
]


@pytest.mark.parametrize(("text", "step"), WRITTEN)
def test_words_of_the_command_line(text, step):
    word, _, value = text.partition("=")
    assert step_from_text(word, value) == step


def test_every_word_is_among_them():
    assert {text.partition("=")[0] for text, _ in WRITTEN} == {*WORDS, "all_in_focus"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("all_in_focus=yes", "write all_in_focus=true"),
        ("focus_at=3", "Write focus_at=X,Y"),
        ("focus_at=3,4,5", "Write focus_at=X,Y"),
        ("focus_at=3;4", "Write focus_at=X,Y"),
        ("focus_at=", "Write focus_at=X,Y"),
        ("tilt_shift=1,2,3", r"Write tilt_shift=X,Y,ANGLE_DEG,WIDTH_PX,BLUR_PX\[,FADE_PX\]"),
        ("focus_range=1,2,3", r"Write focus_range=X1,Y1,X2,Y2\[,SOFTNESS_PX\]"),
        ("aperture_scale=", "Write aperture_scale=SCALE"),
        ("f_number=f/2", "Write f_number=F_NUMBER"),
        ("blur=3,m.png", "Write blur=BLUR_PX,FEATHER_PX,FILE"),
        ("sharpen=m.png", "Write sharpen=FEATHER_PX,FILE"),
        ("sharpen=3,", "Write sharpen=FEATHER_PX,FILE"),
        ("map=", "Write map=FILE"),
        ("polygon=", r"Write polygon=BLADES\[,ROTATION_DEG\]"),
        ("polygon=4", "polygon: 4 blades\n  Between 5 and 9 are possible"),
        ("polygon=5.5", "polygon: 5.5 blades\n  Between 5 and 9 are possible, in whole numbers"),
        ("polygon=10", "polygon: 10 blades"),
        ("cat_eye=", "Write cat_eye=STRENGTH"),
        ("cat_eye=1.5", "cat_eye=1.5: must lie between 0 and 1"),
        ("cat_eye=-0.1", "cat_eye=-0.1: must"),
        ("map_levels=3,a.png", "Write map_levels=PX_PER_LEVEL,ZERO_LEVEL,FILE"),
    ],
)
def test_words_that_cannot_be_read_say_how_they_are_written(text, message):
    word, _, value = text.partition("=")
    with pytest.raises(InputError, match=message):
        step_from_text(word, value)


def test_the_files_of_steps_are_found_and_renamed_wherever_they_are():
    steps = (
        Mask("a.png", "blur"),
        Mask(painted(np.eye(3)), "blur"),
        Between((MapFile("b.npy"),), (FocusAt(1, 2), Like("c.jpg")), 0.5),
    )
    assert files_of(steps) == ["a.png", "b.npy", "c.jpg"]
    renamed = with_files(steps, lambda name: f"x/{name}")
    assert files_of(renamed) == ["x/a.png", "x/b.npy", "x/c.jpg"]
    assert with_files(renamed, lambda name: name[2:]) == steps
