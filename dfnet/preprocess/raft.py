"""RAFT (Teed and Deng 2020) as a flow method, with weights that the user brings.

The network is torchvision's; nothing is downloaded. Its weights are published at
https://download.pytorch.org/models/ under names such as `raft_small_C_T_V2-01064c6d.pth`.
"""

import functools
import hashlib
import pickle
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.optical_flow import raft_large, raft_small

from dfnet.devices import pick_device
from dfnet.errors import InputError

KINDS = {"small": raft_small, "large": raft_large}
STRIDE_PX = 8
WRONG_FILE = (pickle.UnpicklingError, RuntimeError, LookupError, TypeError, EOFError, ValueError)
MIN_SIDE_PX = 128  # four levels of correlation need 16 features a side


@dataclass(frozen=True)
class RaftFlow:
    """A flow method for `FlowMatcher`.

    Attributes:
        weights: file with a state dict of torchvision's network.
        kind: `small` or `large`, as the weights are.
        iterations: of the recurrent update.
        device: as `dfnet.devices.pick_device` takes it.
        digest: of the weights' file, so that cached results know which weights made them.
    """

    weights: str | None
    kind: str = "small"
    iterations: int = 12
    device: str = "auto"
    digest: str = field(init=False)

    def __post_init__(self):
        if self.weights is None or not Path(self.weights).is_file():
            raise InputError(
                f"{self.weights or 'RAFT weights'}: no such file\n"
                "  RAFT comes without weights here. Download torchvision's yourself (such as\n"
                "  https://download.pytorch.org/models/raft_small_C_T_V2-01064c6d.pth) and name\n"
                "  them: preprocess=raft preprocess.first.flow.weights=FILE"
            )
        if self.kind not in KINDS:
            raise InputError(f"kind: `{self.kind}` is not known\n  Choose from {', '.join(KINDS)}.")
        digest = hashlib.sha256(Path(self.weights).read_bytes()).hexdigest()[:16]
        object.__setattr__(self, "digest", digest)

    def __call__(self, gray_a: np.ndarray, gray_b: np.ndarray) -> np.ndarray:
        """Flow a to b (H, W, 2) [px] of two 8-bit gray pictures (H, W)."""
        device = pick_device(self.device)
        network = load_raft(self.weights, self.kind, self.digest).to(device)
        pictures = (_as_raft_sees(gray).to(device) for gray in (gray_a, gray_b))
        with torch.inference_mode():
            flow = network(*pictures, num_flow_updates=self.iterations)[-1]
        height, width = gray_a.shape
        return flow[0, :, :height, :width].permute(1, 2, 0).float().cpu().numpy()


@functools.lru_cache(maxsize=1)
def load_raft(weights: str, kind: str, digest: str) -> nn.Module:
    """The network with the user's weights, ready for use; `digest` keeps the cache honest.

    Raises:
        InputError: the file holds no weights of this network.
    """
    network = KINDS[kind](weights=None)
    try:
        network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    except WRONG_FILE as error:
        why = " ".join(str(error).split())[:160]
        raise InputError(
            f"{weights}: not the weights of torchvision's raft_{kind} ({why})\n"
            "  Give the file as torchvision publishes it, and kind=small or kind=large to match."
        ) from error
    return network.eval()


def _as_raft_sees(gray: np.ndarray) -> Tensor:
    """(1, 3, h, w) in [-1, 1], padded to the right and below to a size that RAFT takes."""
    picture = torch.from_numpy(gray.astype(np.float32) / 127.5 - 1)[None, None]
    wanted = [max(MIN_SIDE_PX, -(-side // STRIDE_PX) * STRIDE_PX) for side in gray.shape]
    below, right = (w - side for w, side in zip(wanted, gray.shape, strict=True))
    return F.pad(picture, (0, right, 0, below), mode="replicate").expand(-1, 3, -1, -1)
