"""The single-image peer: what it sees, what it does at first, and that it learns to deblur."""

import pytest
import torch
from hand_blur import blurred, tensor, texture
from torch.testing import assert_close

from dfnet.errors import InputError
from dfnet.model import SingleImageNet
from dfnet.model.single_image import filtered
from dfnet.sample import Sample
from dfnet.training.losses import RefocusLoss


def sample_of(image_w, seed=0):
    generator = torch.Generator().manual_seed(seed)
    batch, _, height, width = image_w.shape
    guide = torch.rand(image_w.shape, generator=generator)
    maps = torch.rand(4, batch, 1, height, width, generator=generator)
    return Sample(image_w, guide, *maps)


def awake(seed=1):
    torch.manual_seed(seed)
    model = SingleImageNet(width=4, filter_px=3).eval()
    for name, parameter in model.named_parameters():
        if "head" in name:
            torch.nn.init.normal_(parameter, 0, 0.02)
    return model


@torch.no_grad()
def test_it_starts_from_the_photo_at_any_size():
    image_w = torch.rand(2, 3, 37, 53, generator=torch.Generator().manual_seed(2))
    output = SingleImageNet(width=4)(sample_of(image_w))
    assert_close(output.image, image_w)
    assert [x.shape[-2:] for x in output.images_by_scale] == [(48, 64), (24, 32), (12, 16), (6, 8)]


@torch.no_grad()
def test_it_sees_nothing_but_w():
    image_w = torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(3))
    model = awake()
    answer = model(sample_of(image_w, seed=4)).image
    assert_close(model(sample_of(image_w, seed=5)).image, answer)
    assert (model(sample_of(1 - image_w)).image - answer).abs().mean() > 0.1
    assert (answer - image_w).abs().mean() > 0.01


def test_each_pixel_has_its_own_filter():
    image = torch.rand(1, 2, 5, 6, generator=torch.Generator().manual_seed(6))
    filters = torch.zeros(1, 9, 5, 6)
    filters[:, 4] = 1.0  # the middle: nothing moves
    filters[0, :, 2, 3] = torch.tensor([0, 0, 2.0, 0, 0, 0, -1.0, 0, 0])
    out = filtered(image, filters)
    expected = image.clone()
    expected[..., 2, 3] = 2 * image[..., 1, 4] - image[..., 3, 2]  # up right, down left
    assert_close(out, expected)


def test_a_coarse_change_reaches_the_finest_scale():
    model = SingleImageNet(width=4)
    with torch.no_grad():
        model.path.heads[3].bias.fill_(0.25)
    image_w = torch.full((1, 3, 32, 48), 0.5)
    assert_close(model(sample_of(image_w)).image, torch.full_like(image_w, 0.75))


def test_it_learns_to_deblur():
    torch.manual_seed(0)
    sharp = tensor(texture(7, (48, 64)))
    sample = sample_of(tensor(blurred(texture(7, (48, 64)), 4.0)).float())
    model = SingleImageNet(width=8)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    errors = []
    for _ in range(40):
        output = model(sample)
        errors.append(float((output.image.detach() - sharp).square().mean()))
        optimizer.zero_grad()
        RefocusLoss(ssim=0.0)(output, sharp, torch.ones_like(sharp[:, :1])).backward()
        optimizer.step()
    assert errors[-1] < 0.7 * errors[0]  # measured: 0.56
    assert model.filter_heads[0].weight.abs().max() > 1e-3


def test_it_can_be_saved_and_is_not_dfnet(tmp_path):
    model = awake()
    model.save_pretrained(tmp_path)
    again = SingleImageNet.from_pretrained(tmp_path)
    assert again.filter_px == 3
    image_w = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(8))
    with torch.no_grad():
        answers = [m(sample_of(image_w)).image for m in (model, again)]
    assert_close(*answers, atol=2e-3, rtol=0)  # stored in float16
    (tmp_path / "config.json").write_text('{"model": {"use_guide": true}}')
    with pytest.raises(InputError, match="no usable weights"):
        SingleImageNet.from_pretrained(tmp_path)
