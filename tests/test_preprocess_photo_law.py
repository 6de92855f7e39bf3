"""A photo of the scene whose focus is known by construction, moved and made brighter."""

import cv2
import numpy as np
import pytest
import torch
from blurred_planes import planes, textured

from dfnet.errors import InputError
from dfnet.preprocess import Preprocessed
from dfnet.preprocess.photo_law import law_of_photo

SLOPE = 0.25


def tensor(image):
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


def prepared():
    """What a law is read with; W itself plays no part."""
    _, sharp, disparity = planes(0.0, 0.0)
    disparity = torch.from_numpy(disparity.copy())[None]
    known = {
        "uw_on_w": tensor(sharp),
        "disparity_w_px": disparity,
        "valid_w": torch.ones_like(disparity, dtype=torch.bool),
        "device_defocus_per_disparity": SLOPE,
    }
    return Preprocessed(**{**dict.fromkeys(Preprocessed._fields), **known})


def error_px(fit, focus_px):
    return SLOPE * abs(fit.law.disparity_at_focus_px - focus_px)


@pytest.mark.parametrize("focus_px", [2.0, 30.0])
def test_the_focus_is_read_off_a_photo_that_moved_and_breathes(focus_px):
    photo = planes(SLOPE, focus_px)[0]
    matrix = np.array([[1.006, 0.0, -4.0], [0.0, 1.006, 2.0]])
    moved = cv2.warpAffine(photo, matrix, photo.shape[1::-1], borderMode=cv2.BORDER_REFLECT_101)
    fit = law_of_photo(tensor(1.15 * moved), prepared())
    assert error_px(fit, focus_px) < 0.6
    assert fit.law.defocus_per_disparity == pytest.approx(SLOPE, rel=0.12)


def test_the_photo_may_have_another_size():
    photo = cv2.resize(planes(SLOPE, 20.0)[0], None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    assert error_px(law_of_photo(tensor(photo), prepared()), 20.0) < 0.6


def test_a_sharp_photo_has_slope_zero():
    assert law_of_photo(prepared().uw_on_w, prepared()).law.defocus_per_disparity == 0.0


def test_a_photo_of_something_else_is_refused():
    other = textured(seed=5)[0].sqrt()
    with pytest.raises(InputError, match="does not show what the wide photo shows"):
        law_of_photo(other, prepared())


def test_another_shape_is_refused():
    with pytest.raises(InputError, match="the photo is 320x200, the wide photo 320x240"):
        law_of_photo(prepared().uw_on_w[:, :200], prepared())


def test_where_nothing_is_seen_by_both_it_says_so():
    blind = prepared()
    blind = blind._replace(valid_w=torch.zeros_like(blind.valid_w))
    with pytest.raises(InputError, match="blur cannot be read"):
        law_of_photo(blind.uw_on_w, blind)
