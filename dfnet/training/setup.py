"""Where a run starts: from nothing, from released weights, or from where it was."""

from pathlib import Path

from dfnet.errors import InputError
from dfnet.model.saving import Saved

LAST = "checkpoints/last.ckpt"


def find_resume(run_dir: Path, resume: bool) -> str | None:
    """The run's last checkpoint, when it has one and is to go on from it.

    Args:
        run_dir: the run's folder.
        resume: False starts anew, and refuses to overwrite what is there.

    Raises:
        InputError: the folder holds a run and `resume` is off.
    """
    last = run_dir / LAST
    if not last.is_file():
        return None
    if not resume:
        raise InputError(
            f"{run_dir}: holds an earlier run\n"
            "  Go on with it by resume=true, or choose another folder by run_dir=…"
        )
    return str(last)


def start_weights(model: Saved, folder: str | None) -> None:
    """Copy saved weights into the model, for fine-tuning.

    Parts that they lack start anew; those that only they have, such as `align`, are left out.

    Raises:
        InputError: the folder has no weights, or they are of another shape.
    """
    if folder is None:
        return
    parts = {name for name, _ in model.named_children()}
    weights = type(model).from_pretrained(folder).state_dict()
    weights = {name: v for name, v in weights.items() if name.split(".")[0] in parts}
    try:
        model.load_state_dict(model.state_dict() | weights)
    except RuntimeError as error:
        raise InputError(
            f"start_from={folder}: those weights are of another network\n"
            f"  {str(error).splitlines()[-1].strip()}\n"
            "  Use the model settings in that folder's config.json."
        ) from error
