"""Published pairs as questions: a folder with `wide`, `ultrawide` and `target`, and no metadata.

The target is another photo of the scene: in focus throughout, focused elsewhere, or with more blur.
Which, only a person can say. Where it has blur, its law is read off the target itself, as one
number: the disparity that is in focus (the peers are given their target map, too).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from dfnet.camera import Camera
from dfnet.errors import InputError
from dfnet.evaluation.asking import TASKS
from dfnet.evaluation.bands import SceneMaps
from dfnet.evaluation.question import Question
from dfnet.io.images import read_image
from dfnet.optics import defocus_from_disparity
from dfnet.preprocess import Preprocessed, preprocess_pair
from dfnet.preprocess.photo_law import law_of_photo

FILES = ("wide", "ultrawide", "target")


def is_pair(folder: Path) -> bool:
    """Whether the folder holds the three pictures, whatever their suffix."""
    return all(any(folder.glob(f"{name}.*")) for name in FILES)


def pair_questions(folder: Path, asked: Mapping[str, str]) -> Iterator[Question]:
    """The one question that a pair can answer.

    Args:
        folder: with `wide.*`, `ultrawide.*` and `target.*`.
        asked: the task by the folder's name.

    Raises:
        InputError: the task is not named or not known, or the pictures cannot be used.
    """
    scene = folder.resolve().name
    task = asked.get(scene)
    if task not in TASKS:
        raise InputError(
            f"{folder}: what its target shows is {'not known' if task is None else repr(task)}\n"
            f"  Say it: +data.pair_tasks.{scene}=TASK, one of {', '.join(TASKS[:3])}."
        )
    image_w, image_uw, target = (read_image(_file(folder, name)) for name in FILES)
    if target.shape != image_w.shape:
        raise InputError(
            f"{folder}: the target is {target.shape[2]}x{target.shape[1]}, the wide photo "
            f"{image_w.shape[2]}x{image_w.shape[1]}\n  Scoring needs them at one size."
        )
    prepared = preprocess_pair(image_w, image_uw)
    wanted = torch.zeros_like(prepared.defocus_w_px)
    if task != "all_in_focus":
        wanted = target_defocus_w_px(target, prepared)
    shown = prepared.defocus_w_px if prepared.defocus_w_px.any() else wanted
    maps = SceneMaps(shown.abs(), prepared.disparity_w_px, prepared.occluded_w)
    yield Question(
        task,
        f"photo → {task.replace('_', ' ')}",
        image_w,
        prepared,
        wanted,
        Camera(),
        target,
        scene=scene,
        maps=maps,
        is_other_exposure=True,
    )


def target_defocus_w_px(target: Tensor, prepared: Preprocessed) -> Tensor:
    """The blur that a target photo shows, (1, H, W): its law, read off it, on W's disparity."""
    return defocus_from_disparity(prepared.disparity_w_px, law_of_photo(target, prepared).law)


def _file(folder: Path, name: str) -> Path:
    return sorted(folder.glob(f"{name}.*"))[0]
