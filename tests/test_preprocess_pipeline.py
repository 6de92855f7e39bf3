import numpy as np
import pytest
import torch
from made_pair import CARD, CARD_PX, W_PER_UW, WALL_PX, make_pair

from dfnet.camera import Camera
from dfnet.errors import InputError
from dfnet.preprocess import Preprocessor, pipeline, preprocess_pair
from dfnet.preprocess.geometry import find_geometry
from dfnet.preprocess.match import SemiGlobalMatcher
from dfnet.preprocess.sweep import DefocusSweep

DIRECTIONS = [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)]


def errors_px(found, truth):
    """Absolute differences away from the card's outline, where a pixel holds two surfaces."""
    rows, columns = CARD
    keep = torch.ones_like(truth, dtype=torch.bool)
    keep[:, rows.start - 20 : rows.stop + 20, columns.start - 20 : columns.stop + 20] = False
    keep[:, rows.start + 8 : rows.stop - 8, columns.start + 8 : columns.stop - 8] = True
    keep[:, :12], keep[:, -12:], keep[..., :12], keep[..., -12:] = False, False, False, False
    return (found - truth).abs()[keep]


def known_cameras(direction):
    """By hand: 8 mm of baseline at 500 px is 4 px of disparity at 1 m and 16 px at 0.25 m."""
    wide = Camera(focal_length_m=0.004, f_number=2.0, focal_length_px=500.0)
    position = (0.008 * direction[0], 0.008 * direction[1], 0.0)
    return {
        "wide": wide,
        "ultrawide": Camera(focal_length_px=500.0 / W_PER_UW, position_m=position),
    }


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("focus_px", [CARD_PX + 8, WALL_PX])
def test_every_baseline_direction_is_found_with_its_maps(direction, focus_px):
    made = make_pair(direction, focus_px)
    found = preprocess_pair(made.image_w, made.image_uw)
    assert np.dot(found.baseline_direction, direction) > 0.99
    offset = (found.disparity_w_px - made.disparity_w_px).median()
    disparity = errors_px(found.disparity_w_px - offset, made.disparity_w_px)
    assert disparity.median() < 0.3
    assert (disparity > 2).float().mean() < 0.06
    # Without metadata the slope is known by its prior alone: within a third.
    assert errors_px(found.defocus_w_px, made.defocus_w_px).mean() < 1.2
    flow = errors_px(found.flow_w_to_uw[:1], made.flow_w_to_uw[:1])
    assert flow.median() < 0.3
    assert errors_px(found.flow_w_to_uw[1:], made.flow_w_to_uw[1:]).median() < 0.3


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_known_cameras_give_metres_and_the_blur_law(direction):
    made = make_pair(direction, focus_px=CARD_PX)
    found = preprocess_pair(made.image_w, made.image_uw, known_cameras(direction), 0.25)
    assert found.depth_w_m[0, 110, 125].item() == pytest.approx(0.25, rel=0.05)
    assert found.depth_w_m[0, 30, 40].item() == pytest.approx(1.0, rel=0.1)
    assert found.blur_law.defocus_per_disparity == pytest.approx(0.25)
    # UW's own softness costs the estimate up to a pixel of CoC.
    assert found.blur_law.disparity_at_focus_px == pytest.approx(CARD_PX, abs=4.5)
    assert found.notes == ()


def test_a_focus_distance_that_the_blur_contradicts_is_noted():
    made = make_pair(focus_px=WALL_PX)
    found = preprocess_pair(made.image_w, made.image_uw, known_cameras((1.0, 0.0)), 0.1)
    assert any("does not fit the blur" in note for note in found.notes)


def test_metadata_that_contradict_the_pictures_give_no_metres():
    made = make_pair()
    cameras = known_cameras((1.0, 0.0))
    cameras["ultrawide"] = Camera(focal_length_px=150.0, position_m=(0.008, 0.0, 0.0))
    found = preprocess_pair(made.image_w, made.image_uw, cameras)
    assert found.depth_w_m is None
    # 500 / 150 px of focal lengths; the pictures were made with 1.3.
    assert any("pixel of UW spans 3.33 of W, the pictures show 1.30" in n for n in found.notes)
    assert found.verdict.name == "metadata disagree"


def test_a_sharp_photo_is_found_sharp_or_nearly_so():
    """Two depths leave little to tell a small V of blur from none; a large one is ruled out."""
    made = make_pair(focus_px=CARD_PX)
    wall = make_pair(focus_px=WALL_PX).image_w
    both_sharp = torch.where(made.disparity_w_px == CARD_PX, made.image_w, wall)
    found = preprocess_pair(both_sharp, made.image_uw)
    assert found.defocus_w_px.abs().mean() < 1.5
    assert found.defocus_w_px.abs().quantile(0.99) < 2.5
    assert found.device_defocus_per_disparity == pytest.approx(0.22, rel=0.3)


def test_the_same_photo_twice_has_no_measurable_defocus():
    image = make_pair().image_w
    found = preprocess_pair(image, image)
    assert found.blur_law.defocus_per_disparity == 0
    assert torch.equal(found.defocus_w_px, torch.zeros_like(found.defocus_w_px))
    assert any("no measurable defocus" in note for note in found.notes)
    assert found.verdict.name == "identical photos"


def test_the_second_match_knows_of_blur_and_sees_what_the_first_could_not():
    made = make_pair((0.0, 1.0), focus_px=WALL_PX + 60)
    cameras = known_cameras((0.0, 1.0))
    once, twice = (
        Preprocessor(matcher=matcher)(made.image_w, made.image_uw, cameras)
        for matcher in (None, DefocusSweep())
    )
    truth, wrong = made.disparity_w_px, []
    for found in (once, twice):
        offset = (found.disparity_w_px - truth).median()
        wrong.append((errors_px(found.disparity_w_px - offset, truth) > 1).float().mean())
    assert wrong[1] < 0.7 * wrong[0]


def test_maps_and_guide_are_those_of_the_finest_disparity(monkeypatch):
    made = make_pair()
    before = preprocess_pair(made.image_w, made.image_uw)

    def nearer(views, stereo, guide, law):
        return stereo._replace(disparity_w_px=stereo.disparity_w_px + 3)

    monkeypatch.setattr(pipeline, "refine_along_baseline", nearer)
    after = preprocess_pair(made.image_w, made.image_uw)
    assert (after.disparity_w_px - before.disparity_w_px).median() == pytest.approx(3, abs=0.01)
    # UW lies to the right, so what is taken for nearer is looked for further to the left.
    there, here = before.uw_on_w[:, 20:60, 17:57], before.uw_on_w[:, 20:60, 20:60]
    seen = after.uw_on_w[:, 20:60, 20:60]
    assert (seen - there).abs().mean() < 0.3 * (seen - here).abs().mean()


def test_both_matchers_search_where_the_first_found_something(monkeypatch):
    made, searched = make_pair(), []

    def far_too_wide(*given):
        return find_geometry(*given)._replace(motion_range_px=(-150.0, 150.0))

    def noting(matcher):
        def match(pair):
            searched.append(pair.motion_range[1] - pair.motion_range[0])
            return matcher(pair)

        return match

    monkeypatch.setattr(pipeline, "find_geometry", far_too_wide)
    chain = Preprocessor(first=noting(SemiGlobalMatcher()), matcher=noting(DefocusSweep()))
    found = preprocess_pair(made.image_w, made.image_uw, preprocessor=chain)
    first, *_, second = searched
    assert first / chain.coarse_share > 300
    assert second / chain.fine_share < 100
    assert errors_px(found.flow_w_to_uw, made.flow_w_to_uw).median() < 0.3


def test_occlusion_lies_on_the_side_that_uw_does_not_see():
    made = make_pair((1.0, 0.0), focus_px=CARD_PX)
    found = preprocess_pair(made.image_w, made.image_uw)
    # UW lies to the right: the card moves left in it and hides 12 px of wall on its left.
    left, right = found.occluded_w[0, 90:130, 69:79], found.occluded_w[0, 90:130, 172:182]
    assert left.float().mean() > 0.6
    assert right.float().mean() < 0.1


def test_the_guide_takes_wides_colours():
    made = make_pair(focus_px=CARD_PX, tint=(0.7, 1.0, 1.25))
    found = preprocess_pair(made.image_w, made.image_uw)
    card = (slice(None), slice(80, 140), slice(90, 160))
    bias = (found.uw_on_w - made.image_w)[card].mean(dim=(1, 2)).abs()
    assert bias.max() < 0.01


def test_unrelated_photos_are_refused():
    with pytest.raises(InputError, match="same scene"):
        preprocess_pair(make_pair(seed=1).image_w, make_pair(seed=2).image_uw)


def test_swapped_photos_are_refused():
    made = make_pair()
    with pytest.raises(InputError, match="swapped"):
        preprocess_pair(made.image_uw, made.image_w)


def test_a_featureless_photo_is_refused():
    with pytest.raises(InputError, match="same scene"):
        preprocess_pair(torch.full((3, 100, 120), 0.5), make_pair().image_uw)


def test_the_same_photo_twice_is_aligned_with_itself():
    image = make_pair().image_w
    found = preprocess_pair(image, image)
    assert found.flow_w_to_uw.abs().median() < 0.05
    assert (found.uw_on_w - image).abs().mean() < 0.02
