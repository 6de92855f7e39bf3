"""Weights that come with the package, known by name."""

from pathlib import Path

from dfnet.errors import InputError
from dfnet.model.saving import CONFIG_FILE

DEFAULT, SMALL = "dfnet", "dfnet_s"
NAMES = (DEFAULT, SMALL)
FOLDER = Path(__file__).parents[1] / "weights"
RELEASED = FOLDER / DEFAULT


def is_released(name: str) -> bool:
    """Whether the package holds the weights of that name."""
    return name in NAMES and (FOLDER / name / CONFIG_FILE).is_file()


def weights_folder(weights: Path | str | None) -> Path:
    """Where the weights lie that a user names.

    Args:
        weights: a name out of `NAMES`, or any folder (`./dfnet` is a folder, `dfnet` a name); None
            is the default network.

    Raises:
        InputError: the name stands for weights that are not in the package.
    """
    name = DEFAULT if weights is None else str(weights)
    if name not in NAMES:
        return Path(name)
    if not is_released(name):
        raise InputError(
            f"weights={name}: not released yet\n"
            f"  Train it by `python train.py +experiment={name} data.root=STACKS` and give the\n"
            f"  folder logs/{name}/weights."
        )
    return FOLDER / name
