"""The guide's last alignment: offsets by hand, and a shift that is learned."""

import torch
from torch.testing import assert_close

from dfnet.model.alignment import GuideAlignment, likeness
from dfnet.training.losses import guide_misfit_px
from dfnet.training.samples import smooth_noise


def test_likeness_lists_offsets_row_by_row():
    features_w = torch.zeros(1, 2, 5, 7)
    features_w[0, :, 2, 3] = torch.tensor([1.0, 2.0])
    features_uw = torch.zeros(1, 2, 5, 7)
    features_uw[0, :, 1, 4] = torch.tensor([3.0, 0.5])  # one up, one right
    found = likeness(features_w, features_uw, reach=1)
    expected = torch.zeros(1, 9, 5, 7)
    expected[0, 2, 2, 3] = 4.0  # row dy = -1, dx = +1: third of the first three
    assert_close(found, expected)


def test_misfit_by_hand():
    motion = torch.zeros(1, 2, 4, 4)
    motion[:, 0] = 3.0
    error = torch.zeros(1, 2, 2, 2)
    error[:, 1] = 4.0  # 5 px apart
    weight = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    error[..., 1, 1] = 100.0  # not known
    assert_close(guide_misfit_px([motion, motion], error, weight), torch.tensor(10.0))
    assert guide_misfit_px([], error, weight) == 0


def test_it_starts_with_no_motion_and_learns_a_shift():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(8, 3, 32, 48, generator=generator)
    wide = 0.5 + 0.2 * torch.nn.functional.avg_pool2d(noise, 3, 1, 1)
    shifts = torch.randint(-5, 6, (8, 2), generator=generator)  # dx, dy
    pairs = zip(wide, shifts.tolist(), strict=True)
    rolled = [torch.roll(w, (dy, dx), (1, 2)) for w, (dx, dy) in pairs]
    guides, maps = torch.stack(rolled), torch.zeros(8, 6, 32, 48)
    error = shifts.float()[:, :, None, None].expand(-1, -1, 32, 48)
    inside = torch.zeros(8, 1, 32, 48)
    inside[..., 6:-6, 6:-6] = 1
    torch.manual_seed(0)
    model = GuideAlignment(6, width=16)
    assert model(wide, guides, maps)[-1].abs().max() == 0
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    history = []
    for _ in range(30):
        value = guide_misfit_px(model(wide, guides, maps)[-1:], error, inside)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        history.append(value.item())
    assert history[0] > 3
    assert history[-1] < 0.6 * history[0]


def test_smooth_motion_is_in_pixels_of_the_picture():
    """The same features say the same number of pixels whatever the size of the picture."""
    torch.manual_seed(1)
    model = GuideAlignment(6, width=16)
    with torch.no_grad():
        model.coarse.head.bias.copy_(torch.tensor([0.5, -1.0]))
    picture = smooth_noise((3, 32, 48), torch.Generator().manual_seed(1))[None]
    coarse = model(picture, picture, torch.zeros(1, 6, 32, 48))[0]
    assert_close(coarse[0, :, 16, 24], torch.tensor([2.0, -4.0]))  # four pixels per feature
