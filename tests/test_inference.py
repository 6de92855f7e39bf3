import resource
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from dfnet.blur import disc_blur
from dfnet.camera import Camera, Frame
from dfnet.inference import FRAME_PX, Refocuser, largest_coc_px, refocus, working_scale
from dfnet.iris import CatEyeIris, Opening, PolygonIris
from dfnet.layers import blur_photo_in_layers
from dfnet.model import DFNet, DFNetOutput
from dfnet.model.dfnet import RENDERED_COC_PX
from dfnet.sample import Sample
from dfnet.working import Reach, at_full_size


class Stub(nn.Module):
    """Stands in for the network: `change` makes the picture; remembers the sizes it was given."""

    def __init__(self, change, trained_coc_px=8.0, target_coc_px=None):
        super().__init__()
        self.change = change
        self.trained_coc_px = trained_coc_px
        self.target_coc_px = target_coc_px or trained_coc_px
        self.seen = []

    def forward(self, sample: Sample) -> DFNetOutput:
        self.seen.append(sample)
        image = self.change(sample)
        return DFNetOutput(image, [image], [torch.ones_like(sample.occluded_w)])


def unchanged(sample):
    return sample.image_w


def blurred_as_wished(sample):
    return disc_blur(sample.image_w, float(sample.target_defocus_w_px.abs().max()))


def a_pair(height, width, defocus_px=0.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(3, height, width, generator=generator)
    return image, SimpleNamespace(
        uw_on_w=torch.rand(3, height, width, generator=generator),
        occluded_w=torch.zeros(1, height, width, dtype=torch.bool),
        defocus_w_px=torch.full((1, height, width), defocus_px),
    )


def checkerboard(height, width, square=1):
    y = torch.arange(height)[:, None] // square
    x = torch.arange(width)[None, :] // square
    return ((x + y) % 2).float().expand(3, height, width).clone()


def a_random_network(**settings):
    """Untrained but not idle: every head says something."""
    torch.manual_seed(3)
    model = DFNet(width=8, **settings).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.abs().max() == 0:
                parameter.normal_(std=0.005)
    return model


# --- the working scale -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("largest_px", "scale"), [(0.0, 1.0), (8.0, 1.0), (16.0, 0.5), (40.0, 0.2), (1e6, 1 / 8)]
)
def test_the_scale_brings_blur_into_the_trained_range(largest_px, scale):
    limits = Reach(8.0, 24.0)
    assert working_scale(Reach(largest_px, 0.0), limits) == pytest.approx(scale)
    assert working_scale(Reach(0.0, 3 * largest_px), limits) == pytest.approx(scale)
    assert working_scale(Reach(largest_px, 3 * largest_px), limits) == pytest.approx(scale)


def test_only_changing_pixels_choose_the_scale_and_wild_ones_do_not():
    source = torch.full((1, 1, 100, 100), 90.0)
    target = source.clone()
    assert largest_coc_px(source, target) == (0.0, 0.0)
    source[..., :50] = 12.0
    target[..., :50] = 3.0
    target[0, 0, 0, :20] = 1000.0
    assert largest_coc_px(source, target) == pytest.approx((12.0, 3.0))
    opening = Opening(PolygonIris(6), Frame(49.5, 49.5, 71))
    assert largest_coc_px(source, target, opening)[1] == pytest.approx(90.0)  # changes its shape


def test_the_network_sees_diameters_of_the_reduced_picture_within_its_range():
    image, maps = a_pair(200, 240, defocus_px=-20.0)
    maps.defocus_w_px[:, :2, :2] = 5000.0
    model = Stub(unchanged)
    picture = Refocuser(model, "cpu")(image, maps, torch.full((1, 200, 240), 10.0))
    (sample,) = model.seen
    assert picture.working_scale == pytest.approx(0.4)
    assert sample.image_w.shape == (1, 3, 80 + 2 * FRAME_PX, 96 + 2 * FRAME_PX)
    assert_close(sample.defocus_w_px[0, 0, 40, 48].item(), -8.0)
    assert_close(sample.target_defocus_w_px[0, 0, 40, 48].item(), 4.0)
    assert float(sample.defocus_w_px.max()) <= 8.0


def test_the_network_is_told_where_a_crop_lies_in_its_frame():
    image, maps = a_pair(64, 80)
    model = Stub(unchanged)
    corner = Camera(principal_point_px=(0.0, 0.0), full_frame_px=(160, 128))
    Refocuser(model, "cpu")(image, maps, maps.defocus_w_px + 2, {"wide": corner})
    radial = model.seen[0].radial_w[0, 0]
    radial = radial[FRAME_PX:-FRAME_PX, FRAME_PX:-FRAME_PX]
    assert radial[0, 0] == 0
    assert float(radial[-1, -1]) == pytest.approx(1.0, rel=0.02)


def test_reduced_positions_follow_pixel_centres():
    ramp = torch.arange(64.0).expand(1, 48, 64) / 64
    maps = SimpleNamespace(uw_on_w=ramp.expand(3, 48, 64), occluded_w=ramp > 2, defocus_w_px=ramp)
    small = at_full_size(ramp.expand(3, 48, 64), maps, ramp).reduced(0.5)
    # Small pixel x stands for full position (x + .5) / .5 - .5.
    assert_close(small.image_w[0, 0, 5, 10].item(), 20.5 / 64)


def test_blur_beyond_any_working_scale_is_limited_with_a_note():
    image, maps = a_pair(64, 80)
    picture = Refocuser(Stub(unchanged), "cpu")(image, maps, torch.full((1, 64, 80), 100.0))
    assert picture.notes == ["blur above 64 px (asked: 100) was limited to that"]


# --- W's high band -----------------------------------------------------------------------------


def test_a_checkerboard_given_20_px_of_blur_keeps_no_fine_texture():
    image, maps = checkerboard(240, 320), a_pair(240, 320)[1]
    model = Stub(blurred_as_wished)
    got = refocus(model, image, maps, torch.full((1, 240, 320), 20.0), "cpu")
    assert got.shape == image.shape
    assert float((got - 0.5).abs().max()) < 2 / 255
    assert model.seen[0].image_w.shape[-1] < 320  # it did work at a reduced size


def test_what_a_network_leaves_of_the_checkerboard_is_removed_too():
    image, maps = checkerboard(96, 160), a_pair(96, 160)[1]
    target = torch.zeros(1, 96, 160)
    target[..., 80:] = 20.0  # the right half is blurred, the left stays

    def nearly(sample):
        blurred = disc_blur(sample.image_w, 20.0) + 0.1 * (sample.image_w - 0.5)
        return torch.where(sample.target_defocus_w_px > 0, blurred, sample.image_w)

    got = refocus(Stub(nearly, trained_coc_px=32.0), image, maps, target, "cpu")
    assert torch.equal(got[..., :80], image[..., :80])
    assert float(got[..., 84:].diff(dim=-1).abs().max()) < 1 / 255


def test_identity_returns_w_exactly_at_any_scale():
    image, maps = a_pair(150, 170)
    maps.defocus_w_px = torch.linspace(-30, 30, 170).expand(1, 150, 170)
    target = maps.defocus_w_px.clone()
    assert torch.equal(refocus(Stub(unchanged), image, maps, target, "cpu"), image)
    target[:, :60, :60] = 40.0  # something is to change: the rest is exact all the same
    maps.defocus_w_px = maps.defocus_w_px.clone()
    maps.defocus_w_px[:, :60, :60] = 40.0
    assert torch.equal(refocus(Stub(unchanged), image, maps, target, "cpu"), image)


def test_detail_stays_where_the_wish_is_sharper():
    image, maps = a_pair(150, 170, defocus_px=30.0)
    got = refocus(Stub(unchanged), image, maps, torch.zeros(1, 150, 170), "cpu")
    assert torch.equal(got, image)


# --- tiles -------------------------------------------------------------------------------------


def smooth_pair(height, width):
    """Blur that changes across the picture; content as smooth as photographs mostly are."""
    image, maps = a_pair(height, width)
    image = disc_blur(image[None], 4.0)[0]
    maps.uw_on_w = disc_blur(maps.uw_on_w[None], 3.0)[0]
    maps.defocus_w_px = torch.linspace(-6, 6, width).expand(1, height, width).clone()
    return image, maps


def test_tiled_equals_untiled():
    image, maps = smooth_pair(500, 460)
    model, target = a_random_network(), torch.zeros(1, 500, 460)
    whole = Refocuser(model, "cpu", tile_px=1024)(image, maps, target)
    tiled = Refocuser(model, "cpu", tile_px=272)(image, maps, target)
    assert float((whole.image_w - image).abs().max()) > 0.02  # the network does something
    assert float((whole.image_w - tiled.image_w).abs().max()) < 1 / 255
    assert float((whole.mask_w - tiled.mask_w).abs().max()) < 1 / 255


def test_the_widest_rendered_blur_has_no_seams_either():
    image, maps = a_pair(300, 500)
    model = a_random_network(render=True)
    ramp = torch.linspace(-RENDERED_COC_PX, RENDERED_COC_PX, 500).expand(1, 300, 500)
    whole = Refocuser(model, "cpu", tile_px=1024)(image, maps, ramp)
    tiled = Refocuser(model, "cpu", tile_px=336)(image, maps, ramp)
    assert whole.working_scale == 1
    assert float((whole.image_w - tiled.image_w).abs().max()) < 1 / 255


class Renderer(Stub):
    """Renders what it is asked to, in whatever shape; remembers the shapes."""

    render = True

    def forward(self, sample, opening=None):
        self.opening = opening
        self.change = lambda s: blur_photo_in_layers(s.image_w, s.target_defocus_w_px, opening)
        return super().forward(sample)


@pytest.mark.parametrize("iris", [PolygonIris(5, 12.0), CatEyeIris(1.0)])
def test_shapes_of_blur_have_no_seams_and_count_the_whole_frame(iris):
    image, maps = a_pair(90, 230)
    model, target = Renderer(None, 64.0), torch.full((1, 90, 230), 9.0)
    wide = {"wide": Camera(principal_point_px=(10.0, 80.0), full_frame_px=(800, 600))}
    whole = Refocuser(model, "cpu", tile_px=512)(image, maps, target, wide, iris)
    assert model.opening == (iris, (10 + FRAME_PX, 80 + FRAME_PX, 500))
    tiled = Refocuser(model, "cpu", tile_px=176)(image, maps, target, wide, iris)
    assert float((whole.image_w - image).abs().mean()) > 0.1
    assert float((whole.image_w - tiled.image_w).abs().max()) < 1 / 255
    assert whole.notes == []


def test_a_network_that_makes_the_blur_itself_says_that_it_makes_discs():
    image, maps = a_pair(64, 64)
    model, target = Stub(blurred_as_wished), torch.full((1, 64, 64), 5.0)
    shaped = Refocuser(model, "cpu")(image, maps, target, iris=PolygonIris(6))
    assert torch.equal(shaped.image_w, Refocuser(model, "cpu")(image, maps, target).image_w)
    (note,) = shaped.notes
    assert "has learned the lens's disc only: a polygon of 6 sides is left out" in note


def test_no_tile_is_larger_than_asked_and_progress_is_told():
    image, maps = a_pair(400, 500)
    model, told = Stub(unchanged, trained_coc_px=32.0), []
    Refocuser(model, "cpu", tile_px=208, track=lambda t: told.extend(t) or t)(
        image, maps, torch.full((1, 400, 500), 3.0)
    )
    assert len(told) == len(model.seen) > 4
    assert max(max(s.image_w.shape[-2:]) for s in model.seen) <= 208


def test_memory_of_a_large_picture_is_bounded():
    small, large = (64, 64), (1600, 1600)
    model = a_random_network()
    for size in (small, large):
        image, maps = a_pair(*size)
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        Refocuser(model, "cpu", tile_px=256)(image, maps, torch.full((1, *size), 3.0))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) * 1024
    picture = 3 * 4 * large[0] * large[1]
    assert grown < 8 * picture  # untiled, the network's features alone are far more


# --- number formats ----------------------------------------------------------------------------


def test_a_smooth_gradient_has_no_step_above_one_level():
    ramp = torch.linspace(0.2, 0.6, 600).expand(3, 64, 600).clone()
    _, maps = a_pair(64, 600)
    maps.uw_on_w = ramp
    maps.defocus_w_px = torch.full((1, 64, 600), 6.0)
    got = refocus(Stub(blurred_as_wished), ramp, maps, torch.full((1, 64, 600), 16.0), "cpu")
    assert float(got.diff(dim=-1).abs().max()) < 1 / 255
    assert got[0, 32].mul(65535).round().unique().numel() > 256


def test_maps_of_another_size_are_refused():
    image, maps = a_pair(64, 80)
    with pytest.raises(ValueError, match=r"need target_defocus_w_px of \(1, 64, 80\), got"):
        refocus(Stub(unchanged), image, maps, torch.zeros(1, 80, 64), "cpu")


def test_what_a_network_spoils_at_its_own_border_stays_outside_the_picture():
    def spoiled(sample):
        picture = torch.zeros_like(sample.image_w)
        inside = (..., slice(8, -8), slice(8, -8))
        picture[inside] = sample.image_w[inside]
        return picture

    image, maps = a_pair(96, 128)
    target = maps.defocus_w_px + 1.0
    assert_close(refocus(Stub(spoiled), image, maps, target, "cpu"), image)
