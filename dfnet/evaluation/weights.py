"""Which network is scored: released weights, another folder's, or a training checkpoint's."""

from dfnet.errors import InputError
from dfnet.model import DFNet


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
    from dfnet.training.checkpoint import load_checkpoint  # needs Lightning, which is slow to load

    return load_checkpoint(checkpoint)
