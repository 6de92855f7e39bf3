"""Which network is scored: released weights, another folder's, or a training checkpoint's."""

import pickle
from pathlib import Path

import torch

from dfnet.errors import InputError
from dfnet.model import DFNet

_PREFIX = "model."  # of the network's weights in the training task


def load_network(weights: str | None = None, checkpoint: str | None = None) -> DFNet:
    """The network to score, ready for use; the released one by default.

    Args:
        weights: folder with released weights.
        checkpoint: a training checkpoint, whose averaged weights are taken.

    Raises:
        InputError: both are given, or the files cannot be used.
    """
    if checkpoint is None:
        return DFNet.from_pretrained(weights)
    if weights is not None:
        raise InputError("weights and checkpoint: both are given\n  Choose one of them.")
    return network_from_checkpoint(Path(checkpoint))


def network_from_checkpoint(path: Path) -> DFNet:
    """Rebuild the network of a Lightning checkpoint, with the weights that validation saw.

    Raises:
        InputError: the file is missing or was not written by this project's training.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file\n  Training writes RUN/checkpoints/last.ckpt.")
    try:
        record = torch.load(path, map_location="cpu", weights_only=True)
        model = DFNet(**record["model"])
        state = record["state_dict"]  # the moving average: the trainer's callback sees to that
        model.load_state_dict(
            {k.removeprefix(_PREFIX): v for k, v in state.items() if k.startswith(_PREFIX)}
        )
    except (
        pickle.UnpicklingError,
        RuntimeError,
        KeyError,
        TypeError,
        EOFError,
        ValueError,
    ) as error:
        raise InputError(
            f"{path}: not a usable checkpoint ({type(error).__name__}: {str(error)[:200]})\n"
            "  Give a .ckpt that train.py wrote, or weights=FOLDER."
        ) from error
    return model.eval()
