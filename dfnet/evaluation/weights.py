"""Which network is scored: released weights, another folder's, or a training checkpoint's."""

import inspect
import pickle
from pathlib import Path

import torch

from dfnet.errors import InputError
from dfnet.model import DFNet, SingleImageNet
from dfnet.model.saving import Saved

_PREFIX = "model."  # of the network's weights in the training task
_NETWORKS: dict[str, type[Saved]] = {"dfnet": DFNet, "single_image": SingleImageNet}


def load_network(
    weights: str | None = None, checkpoint: str | None = None, kind: str = "dfnet"
) -> Saved:
    """The network to score, ready for use; by default the released one, of the kind that has one.

    Args:
        weights: folder with weights.
        checkpoint: a training checkpoint, whose averaged weights are taken.
        kind: `dfnet` or `single_image`.

    Raises:
        InputError: both or, of `single_image`, none are given, or the files cannot serve.
    """
    if weights is not None and checkpoint is not None:
        raise InputError("weights and checkpoint: both are given\n  Choose one of them.")
    if checkpoint is not None:
        return network_from_checkpoint(Path(checkpoint), kind)
    if weights is not None and Path(weights).is_file():
        raise InputError(
            f"{weights}: a file, not a folder of weights\n"
            "  A training checkpoint (.ckpt) is given by checkpoint=FILE."
        )
    if weights is None and kind == "single_image":
        raise InputError(
            "single_image: no weights are released\n"
            "  Train some by `python train.py +experiment=single_image` and give\n"
            "  single_image_weights=logs/single_image/weights, or single_image_checkpoint=FILE."
        )
    return _NETWORKS[kind].from_pretrained(weights)


def network_from_checkpoint(path: Path, kind: str = "dfnet") -> Saved:
    """Rebuild the network of a Lightning checkpoint, with the weights that validation saw.

    Args:
        path: of the file.
        kind: which network it is to hold.

    Raises:
        InputError: the file is missing, was not written by this project's training, or holds
            another network.
    """
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no such file"
        raise InputError(
            f"{path}: {what}\n"
            "  Training writes the file RUN/checkpoints/last.ckpt; a folder of weights is given\n"
            "  by weights=FOLDER."
        )
    try:
        record = torch.load(path, map_location="cpu", weights_only=True)
        held = _kind_of(record["model"])
        model = _NETWORKS[held](**record["model"])
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
    if held != kind:
        option = {"dfnet": "checkpoint", "single_image": "single_image_checkpoint"}[held]
        raise InputError(
            f"{path}: holds a network of kind {held}, not {kind}\n"
            f"  It is scored by method={held} {option}={path}."
        )
    return model.eval()


def _kind_of(config: dict) -> str:
    """Whose arguments they are."""
    for kind, network in _NETWORKS.items():
        if set(config) <= set(inspect.signature(network).parameters):
            return kind
    raise ValueError(f"no network takes {', '.join(config)}")
