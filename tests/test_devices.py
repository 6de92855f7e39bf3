import pytest
import torch

from dfnet import devices
from dfnet.errors import InputError


def test_auto_takes_what_is_there():
    best = "cuda" if torch.cuda.is_available() else None
    best = best or ("mps" if torch.backends.mps.is_available() else "cpu")
    assert devices.pick_device("auto").type == best
    assert devices.pick_device("cpu").type == "cpu"


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_a_missing_device_is_refused_with_the_way_out():
    with pytest.raises(InputError, match="device=auto"):
        devices.pick_device("cuda")


def test_an_unknown_device_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="auto, cpu, cuda, mps"):
        devices.pick_device("gpu")


@pytest.mark.parametrize(("bfloat16_ms", "pays"), [(1.0, True), (2.0, False), (9.0, False)])
def test_bfloat16_is_used_where_it_was_measured_to_be_faster(monkeypatch, bfloat16_ms, pays):
    milliseconds = {torch.float32: 2.0, torch.bfloat16: bfloat16_ms}
    monkeypatch.setattr(devices, "_convolution_seconds", milliseconds.get)
    devices.bfloat16_pays.cache_clear()
    try:
        assert devices.bfloat16_pays("cpu") is pays
        precision = devices.trainer_precision(torch.device("cpu"))
        assert precision == ("bf16-mixed" if pays else "32-true")
        with devices.inference_context(torch.device("cpu")):
            assert torch.is_inference_mode_enabled()
            product = torch.ones(2, 2) @ torch.ones(2, 2)
        assert (product.dtype == torch.bfloat16) is pays
    finally:
        devices.bfloat16_pays.cache_clear()
