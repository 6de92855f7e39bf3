"""A focus stack as the evaluation sees it: prepared slices, and the truth where it is known."""

import functools
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from dfnet.camera import Camera
from dfnet.capture import Capture
from dfnet.errors import InputError
from dfnet.evaluation.asking import Asking
from dfnet.evaluation.bands import SceneMaps
from dfnet.evaluation.question import Question
from dfnet.preprocess import Preprocessed, preprocess_capture, true_preprocessing
from dfnet.preprocess.cameras import baseline_m
from dfnet.warp import inside_frame

MIN_CONFIDENCE = 0.5  # of an imported stack, from which a pixel counts
MIN_TRUSTED_SHARE = 0.05
PREPARATIONS = {"estimated": preprocess_capture, "truth": true_preprocessing}


class Stack:
    """A capture with its slices in order, each prepared once.

    Args:
        capture: a stack.
        asking: how it is prepared, and what will be asked of it.
    """

    def __init__(self, capture: Capture, asking: Asking):
        self.capture, self.asking = capture, asking
        self.preprocessing = preprocessing = asking.preprocessing
        slices = range(len(capture.wide))
        distances = capture.focus_distance_m
        order = sorted(slices, key=lambda i: distances[i]) if distances else list(slices)
        self.order = order
        self.near, self.middle, self.far = order[0], order[len(order) // 2], order[-1]
        self.truth = capture.load_truth() if capture.truth else None
        self.trusted = self._trusted()
        self.prepared = functools.cache(lambda index: PREPARATIONS[preprocessing](capture, index))

    def _trusted(self) -> Tensor | None:
        if self.truth is None or self.truth.confidence is None:
            return None
        trusted = self.truth.confidence > MIN_CONFIDENCE
        if trusted.float().mean() < MIN_TRUSTED_SHARE:
            raise InputError(
                f"{self.capture.folder}: hardly any pixel of the merged picture can be trusted\n"
                "  See its quality sheet; the stack cannot serve as truth."
            )
        return trusted

    def defocus_w_px(self, index: int) -> Tensor:
        """The best map known of what a slice shows: from the truth, else estimated."""
        if not self.capture.has_geometry:
            return self.prepared(index).defocus_w_px
        return self.capture.true_defocus_w_px(index, self.truth.depth_w_m)

    def ask(self, task: str, source: int, name: str, target: Tensor, truth: Tensor) -> Question:
        """A question about one of the slices."""
        image_w, prepared = self.capture.load_wide(source), self.prepared(source)
        maps = self.maps(self.defocus_w_px(source).abs(), prepared)
        return self.question(task, name, image_w, prepared, target, truth)._replace(maps=maps)

    def maps(self, coc_px: Tensor, prepared: Preprocessed) -> SceneMaps:
        """What scoring by parts looks at: the truth where it is known."""
        if not self.capture.has_geometry:
            return SceneMaps(coc_px, prepared.disparity_w_px, prepared.occluded_w)
        return SceneMaps(coc_px, self._true_disparity_px(prepared), self._truly_occluded)

    def _true_disparity_px(self, prepared: Preprocessed) -> Tensor:
        baseline = baseline_m(self.capture.cameras)
        focal_length_px = self.capture.cameras.get("wide", Camera()).focal_length_px
        if baseline is None or focal_length_px is None:
            return prepared.disparity_w_px
        return float(np.hypot(*baseline)) * focal_length_px / self.truth.depth_w_m

    @functools.cached_property
    def _truly_occluded(self) -> Tensor:
        size_uw = self.capture.load_ultrawide(self.near).shape[-2:]
        return self.truth.occluded_w | ~inside_frame(self.truth.flow_w_to_uw[None], size_uw)[0]

    def sharp(self) -> tuple[Tensor, Preprocessed]:
        """The true all-in-focus photo, taken with W's noise, and its maps with no defocus."""
        if self.capture.stack_geometry is not None:  # all slices and the merge share it
            prepared = self.prepared(self.near)
            sharp = torch.zeros_like(prepared.defocus_w_px)
            return self.truth.all_in_focus, prepared._replace(defocus_w_px=sharp)
        index = len(self.capture.wide)  # one more slice, so that its maps are cached as their own
        guides = self.capture.ultrawide
        capture = replace(
            self.capture,
            wide=(*self.capture.wide, self.capture.truth["all_in_focus"]),
            ultrawide=guides if len(guides) == 1 else (*guides, guides[self.near]),
            focus_distance_m=None,
        )
        known = self.preprocessing == "truth"  # all slices share one geometry
        prepared = self.prepared(self.near) if known else preprocess_capture(capture, index)
        sharp = torch.zeros_like(prepared.defocus_w_px)
        return capture.load_wide(index), prepared._replace(defocus_w_px=sharp)

    def question(self, task, name, image_w, prepared, target, truth) -> Question:
        """A question with what all of them share."""
        camera = self.capture.cameras.get("wide", Camera())
        trusted = None if task == "identity" else self.trusted
        return Question(
            task,
            name,
            image_w,
            prepared,
            target,
            camera,
            truth,
            trusted,
            self.capture.folder.resolve().name,
            self.load_slices,
        )

    def load_slices(self) -> list[Tensor]:
        """All photos of the stack, in order of focus."""
        return [self.capture.load_wide(i) for i in self.order]
