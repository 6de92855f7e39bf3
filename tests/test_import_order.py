"""The order of focus from detail alone."""

import cv2
import numpy as np
import pytest

from dfnet.importing.order import compare_details, detail_profile, order_by_detail


def sweep(count, seed=0, cells=300):
    """Profiles of a sweep: each cell is sharpest somewhere, and softer away from there."""
    random = np.random.default_rng(seed)
    peak, width = random.uniform(-1, count, cells), random.uniform(0.6, 2.0, cells)
    contrast = np.exp(random.normal(0, 1, cells))
    slices = np.arange(count)[:, None]
    clean = contrast / (1 + ((slices - peak) / width) ** 2)
    return clean * np.exp(random.normal(0, 0.05, clean.shape))


@pytest.mark.parametrize("count", [2, 5, 8, 14])  # beyond 8 the path is improved step by step
def test_a_shuffled_sweep_is_put_in_order(count):
    profiles = sweep(count, seed=count)
    shuffle = np.random.default_rng(1).permutation(count)
    found = [shuffle[i] for i in order_by_detail(compare_details(profiles[shuffle])).indices]
    assert found in (list(range(count)), list(range(count))[::-1])


def test_a_right_order_has_hardly_any_needless_ups_and_downs():
    differences = compare_details(sweep(6))
    right = differences.excess(range(6))
    assert right < 0.1
    assert differences.excess([0, 2, 1, 3, 4, 5]) > right + 0.1


def test_the_first_photo_may_lie_in_the_middle_of_the_sweep():
    """Where the most detail is in one slice, nearest-neighbour paths go astray."""
    profiles = sweep(5)
    profiles[1] *= 3
    assert order_by_detail(compare_details(profiles)).indices == [0, 1, 2, 3, 4]


def test_sharp_pictures_have_more_detail_than_soft_ones():
    picture = np.random.default_rng(0).integers(0, 255, (96, 128), dtype=np.uint8)
    soft = cv2.GaussianBlur(picture, (0, 0), 2)
    assert detail_profile(picture).mean() > 20 * detail_profile(soft).mean()
