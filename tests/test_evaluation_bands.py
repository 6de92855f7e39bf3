import torch

from dfnet.evaluation.bands import SceneMaps, bands, near_depth_edges, within


def maps(coc_px, disparity_px=None, occluded=None):
    coc = torch.as_tensor(coc_px, dtype=torch.float32)
    empty = torch.zeros_like(coc)
    return SceneMaps(
        coc,
        empty if disparity_px is None else disparity_px,
        empty.bool() if occluded is None else occluded,
    )


def test_blur_is_told_apart_by_its_share_of_the_picture():
    # By hand, for 1000 px: in focus below 3 px, heavy from 12 px.
    coc = torch.zeros(1, 2, 1000)
    coc[..., 0], coc[..., 1], coc[..., 2], coc[..., 3] = 2.9, 3.1, 11.9, 12.0
    found = bands(maps(coc))
    names = ("in_focus", "lightly_defocused", "heavily_defocused")
    expected = ("in_focus", "lightly_defocused", "lightly_defocused", "heavily_defocused")
    for column, name in enumerate(expected):
        assert [n for n in names if found[n][0, 0, column]] == [name]
    assert (sum(found[n].int() for n in names) == 1).all()


def test_what_uw_cannot_see_is_a_part():
    occluded = torch.zeros(1, 20, 30, dtype=torch.bool)
    occluded[:, 3:9, 4:7] = True
    assert torch.equal(bands(maps(torch.ones(1, 20, 30), None, occluded))["occluded"], occluded)


def test_a_depth_edge_reaches_8_px_to_either_side():
    disparity = torch.zeros(1, 50, 90)
    disparity[..., 40:] = 1.5
    near = near_depth_edges(disparity)
    assert near[:, :, 31:49].all()
    assert int(near.sum()) == 50 * 18
    turned = near_depth_edges(disparity.transpose(-1, -2).contiguous())
    assert torch.equal(turned.transpose(-1, -2), near)


def test_slopes_and_small_steps_are_no_edges():
    ramp = torch.linspace(0, 60, 90).expand(1, 50, 90)
    assert not near_depth_edges(ramp).any()
    step = torch.zeros(1, 50, 90)
    step[..., 40:] = 0.9
    assert not near_depth_edges(step).any()
    # The frame's two sides are no neighbours, and the sky has disparity 0.
    assert not near_depth_edges(torch.linspace(0, 80, 90).expand(1, 50, 90)).any()


def test_in_large_pictures_a_step_may_be_a_ramp_of_a_few_pixels():
    disparity = torch.zeros(1, 4, 4096)
    disparity[..., 2000:2004] = torch.linspace(0, 6, 4)
    disparity[..., 2004:] = 6
    assert near_depth_edges(disparity)[..., 1996:2008].all()


def test_distance_is_euclidean():
    marked = torch.zeros(1, 21, 21, dtype=torch.bool)
    marked[0, 10, 10] = True
    near = within(marked, 5)
    assert near[0, 10, 15]
    assert near[0, 13, 14]  # 3, 4, 5
    assert not near[0, 14, 14]
