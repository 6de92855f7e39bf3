"""What a method is asked."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from dfnet.camera import Camera
from dfnet.evaluation.bands import SceneMaps
from dfnet.preprocess import Preprocessed


class Question(NamedTuple):
    """A photo, what is known of it, and what it shall become.

    Attributes:
        task: one of `dfnet.evaluation.asking.TASKS`.
        name: which slices, for people.
        image_w: (3, H, W) the photo, with its noise.
        prepared: alignment, occlusion, defocus.
        target_defocus_w_px: (1, H, W) signed diameter that is wanted [px].
        camera: what is known of W's.
        truth: (3, H, W) the answer; noise-free but for `identity`, whose answer is the photo.
        trusted: bool (1, H, W), where the answer counts; everywhere when None.
        scene: the capture folder's name.
        slices: loads all photos of the stack, (3, H, W) each, in order of focus; only the
            focus-stacking ceiling may look at them. None where there are none.
        maps: of what W shows, for the bands that are scored on their own.
        is_other_exposure: whether the answer is another photo, which is aligned before scoring.
    """

    task: str
    name: str
    image_w: Tensor
    prepared: Preprocessed
    target_defocus_w_px: Tensor
    camera: Camera
    truth: Tensor
    trusted: Tensor | None = None
    scene: str = ""
    slices: Callable[[], list[Tensor]] | None = None
    maps: SceneMaps | None = None
    is_other_exposure: bool = False

    @property
    def file_stem(self) -> str:
        """A file name for the answer, unique within the scene."""
        return f"{self.task}_{self.name.replace(' → ', ' to ').replace(' ', '_')}"
