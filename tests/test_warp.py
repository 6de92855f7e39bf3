import pytest
import torch
from torch.testing import assert_close

from dfnet.warp import backward_warp, inside_frame


def constant_flow(dx, dy, height=5, width=7):
    return torch.tensor([dx, dy]).view(1, 2, 1, 1).expand(1, 2, height, width).float()


def test_what_moved_right_and_down_comes_back():
    image_a = torch.rand(2, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    image_b = image_a.roll((1, 3), dims=(2, 3))  # b shows a's pixels 3 to the right, 1 below
    warped = backward_warp(image_b, constant_flow(3.0, 1.0).expand(2, -1, -1, -1))
    assert_close(warped[..., :4, :4], image_a[..., :4, :4])


def test_half_a_pixel_is_the_mean_of_two():
    image = torch.arange(7.0).expand(1, 1, 5, 7)
    warped = backward_warp(image, constant_flow(0.5, 0.0))
    assert_close(warped[..., :6], image[..., :6] + 0.5)


def test_outside_the_frame_its_border_is_repeated():
    image = torch.arange(7.0).expand(1, 1, 5, 7)
    assert_close(backward_warp(image, constant_flow(100.0, 0.0)), torch.full((1, 1, 5, 7), 6.0))


def test_images_of_another_size_are_addressed_in_their_own_pixels():
    image_b = torch.arange(20.0).expand(1, 1, 9, 20)
    warped = backward_warp(image_b, constant_flow(10.0, 2.0))
    assert_close(warped[0, 0, 0], torch.arange(10.0, 17.0))


def test_inside_frame_is_true_to_half_a_pixel_beyond_the_border():
    flow = torch.zeros(1, 2, 1, 4)
    flow[0, 0, 0] = torch.tensor([-0.4, -1.6, 7.4, 6.6])  # lands at -0.4, -0.6, 9.4 and 9.6
    assert inside_frame(flow, (1, 10)).flatten().tolist() == [True, False, True, False]


def test_a_flow_of_another_layout_is_refused():
    with pytest.raises(ValueError, match=r"need a flow \(B, 2, H, W\)"):
        backward_warp(torch.zeros(1, 3, 5, 7), torch.zeros(1, 5, 7, 2))
