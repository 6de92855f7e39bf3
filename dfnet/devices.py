"""Where the network runs, and in which number format it is fastest there."""

import contextlib
import functools
import time
from collections.abc import Iterator

import torch
from torch import nn

from dfnet.errors import InputError

DEVICES = ("auto", "cpu", "cuda", "mps")
_WORTHWHILE_SPEEDUP = 1.2


def pick_device(name: str = "auto") -> torch.device:
    """The device of that name; `auto` takes CUDA, then MPS, then the CPU.

    Raises:
        InputError: the name is unknown or this machine lacks the device.
    """
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if name == "auto":
        return torch.device(next(d for d in ("cuda", "mps", "cpu") if available[d]))
    if name not in available:
        raise InputError(f"device={name}: not a device\n  Choose one of {', '.join(DEVICES)}.")
    if not available[name]:
        raise InputError(
            f"device={name}: this machine (or its PyTorch build) has none\n  Use device=auto."
        )
    return torch.device(name)


@functools.cache
def bfloat16_pays(device_type: str) -> bool:
    """Whether convolutions run faster in bfloat16 than in float32 here.

    On CPUs this is measured (about a tenth of a second, once): AMX and AVX512-BF16 gain much, other
    instruction sets lose, and flags do not tell what the convolution library was allowed to use.
    """
    if device_type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device_type != "cpu":
        return False
    seconds = {dtype: _convolution_seconds(dtype) for dtype in (torch.float32, torch.bfloat16)}
    return seconds[torch.float32] > _WORTHWHILE_SPEEDUP * seconds[torch.bfloat16]


@torch.inference_mode()
def _convolution_seconds(dtype: torch.dtype) -> float:
    convolution = nn.Conv2d(64, 64, 3, padding=1).to(dtype).to(memory_format=torch.channels_last)
    features = torch.zeros(1, 64, 96, 96, dtype=dtype).to(memory_format=torch.channels_last)
    convolution(features)  # the first call prepares the kernels
    fastest = float("inf")
    for _ in range(8):
        start = time.perf_counter()
        convolution(features)
        fastest = min(fastest, time.perf_counter() - start)
    return fastest


def to_fast_layout(model: nn.Module, device: torch.device) -> nn.Module:
    """Move the model to the device, convolutions in channels-last where that gains."""
    layout = torch.preserve_format if device.type == "mps" else torch.channels_last
    return model.to(device=device, memory_format=layout)


@contextlib.contextmanager
def inference_context(device: torch.device) -> Iterator[None]:
    """No gradients, and bfloat16 inside the network where it pays."""
    pays = bfloat16_pays(device.type)
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=pays):
        yield


def trainer_precision(device: torch.device) -> str:
    """Lightning's name for the fastest training precision on this device."""
    return "bf16-mixed" if bfloat16_pays(device.type) else "32-true"
