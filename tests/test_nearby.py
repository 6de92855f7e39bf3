import pytest
import torch
from scipy.ndimage import maximum_filter
from torch.testing import assert_close

from dfnet.nearby import greatest_nearby


@pytest.mark.parametrize("side", [1, 3, 5, 9, 15])
def test_it_is_what_scipy_finds(side):
    x = torch.randn(2, 1, 21, 34, generator=torch.Generator().manual_seed(side))
    for one, found in zip(x[:, 0], greatest_nearby(x, side)[:, 0], strict=True):
        assert_close(found, torch.from_numpy(maximum_filter(one.numpy(), side, mode="nearest")))
