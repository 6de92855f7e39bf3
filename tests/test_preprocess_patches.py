"""Whole patches of W found in UW: places by hand, and where there is nothing to find."""

import cv2
import numpy as np
import pytest
from made_pair import texture

from dfnet.preprocess.patches import BLURS_PX, PATCH_PX, SIDE_PX, match_patches

SHAPE = (400, 520)
PX = max(SHAPE) / SIDE_PX  # of W, per pixel of what is compared


def scene(seed=3):
    """Grain as large as a few of the pixels that are compared, 8-bit."""
    fine = (texture(np.random.default_rng(seed), (600, 760))[0] * 255).mean(dim=0).numpy()
    return cv2.normalize(cv2.GaussianBlur(fine, (0, 0), 5), None, 10, 245, cv2.NORM_MINMAX)


def photos(w_per_uw=1.0, offset=(60.0, 40.0), blur_px=0.0):
    """W sees `offset` of the scene on; UW all of it, in pixels `w_per_uw` as large as W's."""
    whole = scene()
    centre = offset[0] + (SHAPE[1] - 1) / 2, offset[1] + (SHAPE[0] - 1) / 2
    wide = cv2.getRectSubPix(whole.astype(np.float32), SHAPE[::-1], centre)
    wide = cv2.GaussianBlur(wide, (0, 0), blur_px) if blur_px else wide
    size = round(whole.shape[1] / w_per_uw), round(whole.shape[0] / w_per_uw)
    shot = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
    return wide.round().astype(np.uint8), shot.round().astype(np.uint8)


def errors(found, w_per_uw, offset):
    """(n,) px of W; a pixel's middle is at whole numbers, so a picture begins at -0.5."""
    expected = (found.ultrawide + 0.5) * w_per_uw - 0.5 - offset
    return np.linalg.norm(found.wide - expected, axis=1)


@pytest.mark.parametrize("w_per_uw", [1.0, 1.25])
@pytest.mark.parametrize("offset", [(60.0, 40.0), (98.7, 133.3)])
def test_places_are_found_finer_than_a_pixel_of_what_is_compared(w_per_uw, offset):
    found = match_patches(*photos(w_per_uw, offset), w_per_uw)
    error = errors(found, w_per_uw, offset)
    assert len(error) >= 20
    assert np.median(error) < 0.2 * PX
    middles = (found.wide + 0.5) / PX
    assert middles.min() == pytest.approx(PATCH_PX / 2, abs=0.1)


def test_w_far_out_of_focus_is_matched_by_blurring_uw():
    sigma = BLURS_PX[-1] * PX
    found = match_patches(*photos(blur_px=sigma), 1.0)
    assert len(found) >= 30
    assert np.median(errors(found, 1.0, (60.0, 40.0))) < 0.2 * PX


def test_flat_parts_and_other_scenes_are_not_matched():
    wide, shot = photos()
    everything = len(match_patches(wide, shot, 1.0))
    wide[:, :260] = 128
    found = match_patches(wide, shot, 1.0)
    assert 0 < len(found) < everything
    assert found.wide[:, 0].min() > 260 - PATCH_PX / 2 * PX
    other = scene(seed=4).round().astype(np.uint8)
    chance = match_patches(photos()[0], other, 1.0)
    assert len(chance) < everything / 4


def test_an_uw_smaller_than_a_patch_gives_none():
    wide, shot = photos()
    assert len(match_patches(wide, shot[:130, :130], 1.0)) == 0
