"""Each step of the language against numbers worked out by hand."""

import math

import pytest
import torch
from made_preprocessed import made_preprocessed
from torch.testing import assert_close

from dfnet.camera import Camera
from dfnet.errors import InputError
from dfnet.optics import BlurLaw, Lens, signed_defocus_px
from dfnet.targets import (
    AllInFocus,
    Aperture,
    Between,
    DistanceRange,
    FocusAt,
    FocusDistance,
    FocusRange,
    Plane,
    Scene,
    Slab,
    SplitFocus,
    TiltShift,
    focus_pull,
    make_target,
    work_out,
)

HEIGHT, WIDTH = 120, 160
LAW = BlurLaw(0.25, 8.0)


def approx(numbers):
    return pytest.approx(numbers, abs=1e-4, rel=1e-4)


def scene_of(disparity, law=LAW, **more):
    """A scene whose blur law is known; `more` goes to `Scene` or to the preprocessing."""
    defocus = law.defocus_per_disparity * (law.disparity_at_focus_px - disparity)
    known = {k: more.pop(k) for k in ("depth_w_m", "device_defocus_per_disparity") if k in more}
    maps = {"disparity_w_px": disparity, "defocus_w_px": defocus, "blur_law": law}
    found = made_preprocessed(*disparity.shape[-2:], **maps, **known)
    return Scene(found, torch.rand(3, *disparity.shape[-2:]), **more)


def steps_to_the_right():
    """Four walls of disparity 20, 12, 8 and 4 px: defocus -3, -1, 0 and 1 px."""
    disparity = torch.tensor([20.0, 12, 8, 4]).repeat_interleave(WIDTH // 4)
    return disparity.expand(1, HEIGHT, WIDTH).clone()


def walls(target):
    """The map's value on each wall."""
    assert (target == target[:, :1]).all(), "rows differ"
    return target[0, 50, [20, 60, 100, 140]].tolist()


@pytest.mark.parametrize(
    ("steps", "want"),
    [
        ([], [-3, -1, 0, 1]),
        ([AllInFocus()], [0, 0, 0, 0]),
        ([FocusAt(20, 50)], [0, 2, 3, 4]),
        ([FocusAt(60, 50), Aperture(2)], [-4, 0, 2, 4]),
        ([Aperture(2), FocusAt(60, 50)], [-4, 0, 2, 4]),
        ([Aperture(0), FocusAt(60, 50)], [0, 0, 0, 0]),
        ([Aperture(0.5), Aperture(0.5)], [-0.75, -0.25, 0, 0.25]),
        ([AllInFocus(), FocusAt(60, 50)], [-2, 0, 1, 2]),
        ([FocusRange(60, 50, 100, 50)], [-2, 0, 0, 1]),
        ([FocusRange(100, 50, 60, 50)], [-2, 0, 0, 1]),
        # Soft over 4 px: u^2 / 8 for u = 2 and 1.
        ([FocusRange(60, 50, 100, 50, 4)], [-0.5, 0, 0, 0.125]),
        # Soft over 1 px: u - 1/2 from there on.
        ([FocusRange(60, 50, 100, 50, 1)], [-1.5, 0, 0, 0.5]),
        ([Aperture(2), FocusRange(60, 50, 100, 50)], [-4, 0, 0, 2]),
        ([Slab(1, 0.25)], [-2, 0, 0, 0.75]),
        ([Slab(1, 0), FocusAt(20, 50)], [0, 2, 3, 4]),
        ([FocusAt(20, 50), Slab(0, 2.5)], [0, 0, 0.5, 1.5]),
        ([Between((FocusAt(20, 50),), (FocusAt(140, 50),), 0.25)], [-1, 1, 2, 3]),
        ([Aperture(2), Between((), (Aperture(0.5),), 0.5)], [-4.5, -1.5, 0, 1.5]),
        # Half way to twice the aperture is 1.5 of it, for what comes after too.
        ([Between((), (Aperture(2),), 0.5), FocusAt(60, 50)], [-3, 0, 1.5, 3]),
        ([Between((), (Aperture(2),), 0.5), Aperture(2)], [-7.5, -2.5, 0, 2.5]),
    ],
)
def test_steps_by_hand(steps, want):
    assert walls(make_target(steps, scene_of(steps_to_the_right()))) == approx(want)


def test_the_photo_itself_stays_exactly_what_it_is():
    scene = scene_of(steps_to_the_right())
    assert torch.equal(make_target([], scene), scene.preprocessed.defocus_w_px)
    assert torch.equal(make_target([Aperture(1)], scene), scene.preprocessed.defocus_w_px)


def test_wider_than_learned_is_limited_whatever_the_way_there():
    scene = scene_of(steps_to_the_right())
    for steps in ([Aperture(7)], [Aperture(2), Aperture(2)], [Aperture(2.4), FocusAt(100, 50)]):
        target = work_out(steps, scene)
        limited = steps[-1] != FocusAt(100, 50)
        assert_close(walls(target.defocus_w_px)[0], -7.5 if limited else -7.2)
        assert [("limited to 2.5 times" in note) for note in target.notes] == [True] * limited


PHONE = {"wide": Camera(focal_length_m=0.00681, f_number=1.85, focal_length_px=100.0)}


def test_f_numbers_count_from_the_captured_one_and_are_told_for_full_frame():
    scene = scene_of(steps_to_the_right(), cameras=PHONE)
    target = work_out([Aperture(2), Aperture(f_number=3.7)], scene)
    assert_close(walls(target.defocus_w_px), [-1.5, -0.5, 0.0, 0.5])
    # 100 px of a 200 px diagonal are 21.635 mm of 43.27: 3.177 times the lens's 6.81 mm.
    assert target.notes == ("f/3.7 instead of f/1.85: on full frame f/11.8 instead of f/5.88",)
    with pytest.raises(InputError, match="does not say with which f-number"):
        make_target([Aperture(f_number=2)], scene_of(steps_to_the_right()))


def test_a_photo_without_blur_is_blurred_as_its_lens_would_when_a_step_focuses():
    law = BlurLaw(0.0, 5.0)
    scene = scene_of(steps_to_the_right(), law, device_defocus_per_disparity=0.5)
    assert walls(make_target([], scene)) == [0, 0, 0, 0]
    assert walls(make_target([Aperture(2)], scene)) == [0, 0, 0, 0]
    assert walls(make_target([FocusAt(60, 50), Aperture(2)], scene)) == approx([-8, 0, 4, 8])


# --- metres -------------------------------------------------------------------------------------

BASELINE_M, FOCAL_PX, APERTURE_M = 0.012, 2000.0, 0.003
WALLS_M = (0.5, 1.0, 2.0, math.inf)


def metric_scene(**more):
    """Walls at known distances, by a lens focused at 1 m."""
    depth = torch.tensor(WALLS_M).repeat_interleave(WIDTH // 4).expand(1, HEIGHT, WIDTH)
    disparity = BASELINE_M * FOCAL_PX / depth
    law = BlurLaw(APERTURE_M / BASELINE_M, BASELINE_M * FOCAL_PX / 1.0)
    return scene_of(disparity, law, depth_w_m=depth, **more)


def lens_at(distance_m, aperture_m=APERTURE_M):
    """What a thin lens shows of the walls, by the depth alone."""
    focal_m = 1e-6  # so short that the lens's own length does not count
    lens = Lens(focal_m, FOCAL_PX, focal_m / aperture_m, distance_m)
    return signed_defocus_px(torch.tensor(WALLS_M), lens).tolist()


def test_a_distance_is_what_a_thin_lens_would_do():
    for steps, wanted in (
        ([FocusDistance(2.0)], lens_at(2.0)),
        ([FocusDistance(0.7)], lens_at(0.7)),
        ([Aperture(2), FocusDistance(0.7)], lens_at(0.7, 2 * APERTURE_M)),
        ([FocusDistance(0.7), Aperture(2)], lens_at(0.7, 2 * APERTURE_M)),
    ):
        assert_close(walls(make_target(steps, metric_scene())), wanted, rtol=1e-4, atol=1e-4)


def test_a_range_of_distances_is_sharp_within_and_as_at_its_ends_without():
    target = walls(make_target([DistanceRange(0.8, 2.0)], metric_scene()))
    assert target == approx([lens_at(0.8)[0], 0, 0, lens_at(2.0)[3]])
    wide = walls(make_target([Aperture(2), DistanceRange(0.8, 2.0)], metric_scene()))
    assert_close(wide, [2 * v for v in target], rtol=1e-4, atol=1e-4)


def test_a_lens_focused_at_infinity_is_no_special_case():
    law = BlurLaw(APERTURE_M / BASELINE_M, 0.0)
    scene = metric_scene()
    there = scene.preprocessed._replace(
        blur_law=law, defocus_w_px=-0.25 * scene.preprocessed.disparity_w_px
    )
    target = make_target([FocusDistance(1.0)], scene._replace(preprocessed=there))
    assert_close(walls(target), lens_at(1.0), rtol=1e-4, atol=1e-4)


def test_metres_are_refused_where_they_are_not_known():
    for step in (FocusDistance(2), DistanceRange(1, 2)):
        with pytest.raises(InputError, match="distances in metres are not known"):
            make_target([step], scene_of(steps_to_the_right()))


# --- planes, bands and sides --------------------------------------------------------------------


def test_a_tilted_lens_is_sharp_on_the_plane_and_the_rest_keeps_its_distance_from_it():
    x, y = torch.arange(WIDTH).float()[None], torch.arange(HEIGHT).float()[:, None]
    floor = (4 + 0.05 * y + 0.02 * x)[None]  # a plane in space: linear in the picture
    disparity = floor.clone()
    disparity[:, 30:60, 70:100] += 6  # something 6 px of disparity in front of it
    scene = scene_of(disparity)
    target = make_target([Plane(20, 20, 140, 30, 60, 100)], scene)
    outside = torch.ones(1, HEIGHT, WIDTH, dtype=torch.bool)
    outside[:, 30:60, 70:100] = False
    assert target[outside].abs().max() < 1e-4
    assert_close(target[:, 30:60, 70:100], torch.full((1, 30, 30), -1.5), atol=1e-4, rtol=0)
    doubled = make_target([Plane(20, 20, 140, 30, 60, 100), Aperture(2)], scene)
    assert_close(doubled, 2 * target)


def test_three_points_on_a_wall_are_just_a_focus():
    scene = scene_of(steps_to_the_right())
    plane = make_target([Plane(5, 20, 35, 30, 20, 100)], scene)
    assert_close(plane, make_target([FocusAt(20, 50)], scene), atol=1e-5, rtol=0)


@pytest.mark.parametrize("flat", [(10, 10, 50, 50, 90, 90), (10, 10, 10, 10, 90, 20)])
def test_points_on_a_line_say_nothing_of_a_plane(flat):
    with pytest.raises(InputError, match="almost on one line"):
        make_target([Plane(*flat)], scene_of(steps_to_the_right()))


def test_a_split_dioptre_focuses_each_side_on_its_point():
    scene = scene_of(steps_to_the_right())
    target = make_target([SplitFocus(20, 50, 140, 50)], scene)  # divided at x = 80
    left, right = make_target([FocusAt(20, 50)], scene), make_target([FocusAt(140, 50)], scene)
    assert torch.equal(target[..., :80], left[..., :80])
    assert_close(target[..., 81:], right[..., 81:])


def test_and_goes_over_smoothly_between_the_sides():
    scene = scene_of(torch.full((1, HEIGHT, WIDTH), 12.0))
    scene.preprocessed.disparity_w_px[..., 100:] = 4.0
    scene.preprocessed.defocus_w_px[..., 100:] = 1.0
    focus = scene.preprocessed.defocus_w_px - make_target([SplitFocus(40, 90, 120, 30, 40)], scene)
    # The line half way between passes through (80, 60), across (0.8, -0.6).
    assert_close(focus[0, 60, 80].item(), 0.0, atol=1e-6, rtol=0)  # half way from -1 to 1
    assert_close(focus[0, 60 - 6, 80 + 8].item(), -1 + 2 * (0.75**2 * 1.5))  # 10 of 40 px beyond
    assert focus[0, 60 - 12, 80 + 17].item() == 1
    assert focus[0, 60 + 12, 80 - 17].item() == -1


def test_tilt_shift_by_hand():
    scene = scene_of(steps_to_the_right())
    level = make_target([TiltShift(80, 60, 0, 20, 12, 40)], scene)
    assert (level == level[..., :1]).all()
    rows = [60, 70, 90, 110, 119, 50, 30]
    assert level[0, rows, 5].tolist() == approx([0, 0, -6, -12, -12, 0, 6])
    upright = make_target([TiltShift(80, 60, 90, 20, 12, 40)], scene)
    assert upright[0, 5, [80, 110, 50]].tolist() == approx([0, 6, -6])
    # The line through (80, 60) along (0.8, 0.6), clockwise: 50 px across it lies (50, 100).
    turned = make_target([TiltShift(80, 60, math.degrees(math.atan2(3, 4)), 20, 12, 80)], scene)
    assert_close(turned[0, 100, 50].item(), -12 * 40 / 80)
    assert_close(make_target([TiltShift(80, 60, 0, 20, 12)], scene)[0, 80, 0].item(), -6.0)


def test_tilt_shift_heeds_no_depth_but_can_be_shaped():
    scene = scene_of(steps_to_the_right())
    steps = [FocusAt(20, 50), TiltShift(80, 60, 0, 20, 12, 40), Slab(2, 0)]
    assert make_target(steps, scene)[0, [90, 30], 5].tolist() == approx([-4, 6])


# --- a preview, a pull --------------------------------------------------------------------------


def test_steps_count_the_full_photo_and_serve_a_preview():
    full = scene_of(steps_to_the_right().repeat_interleave(4, 1).repeat_interleave(4, 2) * 4)
    small = scene_of(steps_to_the_right(), photo_size=(4 * WIDTH, 4 * HEIGHT))
    for steps in (
        [FocusAt(401.5, 201.5), Slab(1, 1, 2)],
        [FocusRange(201.5, 201.5, 401.5, 201.5, 3)],
        [TiltShift(201.5, 301.5, 20, 80, 30)],
        [SplitFocus(81.5, 201.5, 561.5, 201.5, 90)],
        [Plane(21.5, 81.5, 141.5, 121.5, 81.5, 401.5)],
    ):
        seen = make_target(steps, small)
        of_full = make_target(steps, full)[:, 2::4, 2::4] / 4
        assert_close(seen, of_full, atol=0.13, rtol=0)  # half a pixel beside the sample: 12 / 80


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (FocusAt(160, 3), r"focus_at=160,3: outside of the picture, which is 160x120"),
        (FocusAt(3, -1), "focus_at=3,-1: outside"),
        (FocusRange(3, 3, 3, 120), "focus_range=3,120: outside"),
        (TiltShift(3, 121, 0, 1, 1), "tilt_shift=3,121: outside"),
    ],
)
def test_places_outside_are_refused(step, message):
    with pytest.raises(InputError, match=message):
        make_target([step], scene_of(steps_to_the_right()))


@pytest.mark.parametrize(
    "make",
    [
        lambda: FocusAt(math.nan, 3),
        lambda: FocusAt("3", 3),
        lambda: FocusAt(True, 3),
        lambda: Aperture(),
        lambda: Aperture(2, 2),
        lambda: Aperture(-1),
        lambda: Aperture(f_number=0),
        lambda: Aperture(math.inf),
        lambda: Slab(-1, 0),
        lambda: FocusRange(1, 1, 1, 1, -2),
        lambda: FocusDistance(0),
        lambda: DistanceRange(2, 2),
        lambda: TiltShift(1, 1, 0, -1, 1),
        lambda: TiltShift(1, 1, 0, 1, -1),
        lambda: SplitFocus(1, 1, 2, 2, -1),
        lambda: Between((), (), 1.5),
        lambda: focus_pull([], [], 1),
    ],
)
def test_impossible_steps_cannot_be_made(make):
    with pytest.raises(InputError):
        make()


def test_a_focus_pull_ends_exactly_as_asked_and_moves_evenly():
    scene = scene_of(steps_to_the_right())
    first, last = [FocusAt(20, 50)], [FocusAt(140, 50), Aperture(2)]
    frames = [make_target(steps, scene) for steps in focus_pull(first, last, 5)]
    assert torch.equal(frames[0], make_target(first, scene))
    assert torch.equal(frames[4], make_target(last, scene))
    for k in range(4):
        assert_close(frames[k + 1] - frames[k], (frames[4] - frames[0]) / 4)
