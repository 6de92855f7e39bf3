"""RAFT's code path with random weights: sizes, directions, messages. Nothing is downloaded."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torchvision.models.optical_flow import raft_small

from dfnet.errors import InputError
from dfnet.preprocess import raft
from dfnet.preprocess.flow_match import DisFlow, FlowMatcher
from dfnet.preprocess.match import EpipolarPair
from dfnet.preprocess.raft import RaftFlow, load_raft


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("raft") / "random.pth"
    torch.manual_seed(0)
    torch.save(raft_small(weights=None).state_dict(), path)
    return path


@pytest.fixture(scope="module")
def texture():
    noise = np.random.default_rng(0).random((70, 150)).astype(np.float32)
    return (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1) + np.roll(noise, 1, (0, 1))) / 4


def test_any_size_is_padded_and_cropped_back(weights):
    gray = (np.random.default_rng(1).random((70, 131)) * 255).astype(np.uint8)  # 128 x 136 inside
    flow = RaftFlow(str(weights), iterations=2, device="cpu")(gray, gray[:, ::-1].copy())
    assert flow.shape == (70, 131, 2)
    assert flow.dtype == np.float32
    assert np.isfinite(flow).all()


def test_pictures_go_in_order_and_in_raft_s_range(weights, monkeypatch):
    seen = []

    def network(a, b, num_flow_updates):
        seen.extend([a, b, num_flow_updates])
        return [None, torch.full((1, 2, *a.shape[-2:]), 3.0)]

    monkeypatch.setattr(raft, "load_raft", lambda *_: torch.nn.Identity())
    monkeypatch.setattr(torch.nn.Identity, "forward", lambda _, *a, **k: network(*a, **k))
    black, white = np.zeros((130, 140), np.uint8), np.full((130, 140), 255, np.uint8)
    flow = RaftFlow(str(weights), iterations=7, device="cpu")(black, white)
    assert (seen[0] == -1).all()
    assert (seen[1] == 1).all()
    assert seen[0].shape == (1, 3, 136, 144)
    assert seen[2] == 7
    assert (flow == 3).all()


@pytest.mark.parametrize("given", [None, "/no/such/raft.pth"])
def test_missing_weights_say_where_to_get_them(given):
    with pytest.raises(InputError, match=r"(?s)no such file.*Download torchvision's"):
        RaftFlow(given)


def test_an_unknown_kind(weights):
    with pytest.raises(InputError, match="`medium` is not known"):
        RaftFlow(str(weights), kind="medium")


@pytest.mark.parametrize("wrong", ["other network", "no weights", "not a state dict"])
def test_wrong_weights_are_refused(tmp_path, weights, wrong):
    path, kind = tmp_path / "weights.pth", "small"
    if wrong == "other network":
        path, kind = weights, "large"
    elif wrong == "no weights":
        path.write_bytes(b"hello")
    else:
        torch.save([1, 2, 3], path)
    flow = RaftFlow(str(path), kind=kind, device="cpu")
    gray = np.zeros((128, 128), np.uint8)
    with pytest.raises(InputError, match=rf"not the weights of torchvision's raft_{kind}"):
        flow(gray, gray)


def test_results_depend_on_the_weights_not_on_their_name(tmp_path, weights):
    path = tmp_path / "weights.pth"
    path.write_bytes(weights.read_bytes())
    before = repr(RaftFlow(str(path)))
    path.write_bytes(weights.read_bytes() + b"\0")
    assert repr(RaftFlow(str(path))) != before


def test_the_network_is_loaded_once(weights):
    flow = RaftFlow(str(weights))
    network = load_raft(flow.weights, flow.kind, flow.digest)
    assert load_raft(flow.weights, flow.kind, flow.digest) is network
    assert not network.training


def test_the_configuration_builds_the_chain(weights):
    configs = str(Path(__file__).parents[1] / "configs")
    with initialize_config_dir(configs, version_base="1.3"):
        config = compose(
            "preprocess",
            ["preprocess=raft", f"preprocess.first.flow.weights='{weights}'"],
        )
    chain = instantiate(config.preprocess)
    assert chain.first.flow.kind == "small"
    assert repr(chain) == repr(instantiate(config.preprocess))  # part of the cache's key


def test_flow_along_the_baseline_is_the_motion(texture):
    def pair_moved_by(motion):
        return EpipolarPair(texture, np.roll(texture, motion, axis=1), (-10.0, 10.0))

    for motion in (5, -4):  # W (x, y) is UW (x + m, y)
        match = FlowMatcher(DisFlow())(pair_moved_by(motion))
        inside = np.s_[10:-10, 20:-20]
        assert np.nanmedian(match.motion_w[inside]) == pytest.approx(motion, abs=0.2)
        assert np.nanmedian(match.motion_uw[inside]) == pytest.approx(motion, abs=0.2)
        assert np.isfinite(match.motion_w[inside]).mean() > 0.9


def test_what_the_directions_disagree_on_is_unknown(texture):
    class Contradiction:
        def __call__(self, gray_a, gray_b):
            forward = gray_a[0, 0] == 0
            flow = np.zeros((*gray_a.shape, 2), np.float32)
            flow[..., 0] = 4.0 if forward else -4.0
            flow[:30, :, 0] = 4.0 if forward else 7.0
            return flow

    gray_w = texture.copy()
    gray_w[0, 0] = 0.0
    gray_uw = texture.clip(0.1, 1)
    match = FlowMatcher(Contradiction())(EpipolarPair(gray_w, gray_uw, (-9.0, 9.0)))
    assert np.isnan(match.motion_w[:30]).all()
    np.testing.assert_array_equal(match.motion_w[30:, :140], 4.0)
    assert (match.confidence_w[:30] == 0).all()
