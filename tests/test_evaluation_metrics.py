import math

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch.testing import assert_close

from dfnet.evaluation.metrics import (
    EQUAL_PICTURES_DB,
    MARGIN_PX,
    compare,
    gradient_ratio,
    psnr,
    ssim,
)


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(5)
    truth = torch.rand(3, 64, 80, generator=generator)
    return (truth + 0.1 * torch.randn(3, 64, 80, generator=generator)).clamp(0, 1), truth


def test_psnr_of_a_known_error_is_the_hand_computed_one():
    truth = torch.full((3, 48, 50), 0.5)
    assert_close(psnr(truth + 0.1, truth), torch.tensor(20.0), rtol=0, atol=1e-4)
    assert_close(psnr(truth + 0.01, truth), torch.tensor(40.0), rtol=0, atol=1e-3)


def test_equal_pictures_are_perfect(pair):
    assert math.isinf(psnr(pair[1], pair[1]))
    assert_close(ssim(pair[1], pair[1]), torch.tensor(1.0))


def test_ssim_agrees_with_scikit_image(pair):
    # scikit-image leaves the window's half out of its mean; torchmetrics mirrors the picture there.
    inside = [x[:, MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX].numpy() for x in pair]
    mirrored = [np.pad(x, ((0, 0), (5, 5), (5, 5)), mode="reflect") for x in inside]
    settings = {"gaussian_weights": True, "use_sample_covariance": False, "data_range": 1.0}
    reference = structural_similarity(*mirrored, channel_axis=0, **settings)
    assert_close(ssim(*pair), torch.tensor(reference, dtype=torch.float32), atol=1e-5, rtol=0)


def test_the_margin_does_not_count(pair):
    image, truth = pair
    spoilt = image.clone()
    spoilt[:, :MARGIN_PX] = 0
    spoilt[..., -MARGIN_PX:] = 1
    assert_close(psnr(spoilt, truth), psnr(image, truth))
    assert_close(ssim(spoilt, truth), ssim(image, truth))
    assert psnr(spoilt, truth, margin=0) < psnr(image, truth, margin=0) - 3


def test_values_are_clipped_as_a_file_would_be():
    truth = torch.ones(3, 48, 50)
    assert math.isinf(psnr(truth + 0.5, truth))


def test_a_batch_pools_its_errors(pair):
    image, truth = pair
    batch = torch.stack([image, truth]), torch.stack([truth, truth])
    assert_close(psnr(*batch), psnr(image, truth) + 10 * math.log10(2), rtol=0, atol=1e-3)


def test_shapes_must_agree_and_leave_an_inside(pair):
    with pytest.raises(ValueError, match="shapes differ"):
        psnr(pair[0], pair[1][:, 1:])
    with pytest.raises(ValueError, match="no inside"):
        psnr(pair[0][..., :40], pair[1][..., :40])


def test_the_gradient_ratio_of_a_faded_picture_is_its_contrast(pair):
    _, truth = pair
    assert_close(gradient_ratio(0.5 + 0.3 * (truth - 0.5), truth), torch.tensor(0.3))
    ramp = torch.linspace(0.1, 0.9, 80).expand(3, 64, 80)
    steep = torch.linspace(0.3, 0.7, 64)[:, None].expand(3, 64, 80)
    expected = (0.4 / 63) / (0.8 / 79)  # down against across
    assert_close(gradient_ratio(steep, ramp), torch.tensor(expected), rtol=1e-3, atol=0)


def test_parts_are_measured_as_the_masked_metrics_do(pair):
    image, truth = pair
    left = torch.zeros(1, 64, 80, dtype=torch.bool)
    left[..., :38] = True
    few = torch.zeros_like(left)
    few[..., 20:22, 20:30] = True
    masks = {"all": None, "left": left, "right": ~left}
    parts = compare(image, truth, {**masks, "few": few}, 25)
    assert set(parts) == set(masks)
    for name, mask in masks.items():
        one_by_one = {"psnr_db": psnr, "ssim": ssim, "gradient_ratio": gradient_ratio}
        for metric, measure in one_by_one.items():
            expected = float(measure(image, truth, mask=mask))
            assert math.isclose(parts[name][metric], expected, rel_tol=1e-5)
    half = compare(torch.where(left, truth, image), truth, {"left": left})["left"]
    assert half["psnr_db"] == EQUAL_PICTURES_DB
