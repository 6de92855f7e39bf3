"""Focus stacks in memory, and the crops that training takes from them."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from dfnet.camera import Camera, radial_map
from dfnet.capture import Capture, Truth, load_capture
from dfnet.errors import InputError
from dfnet.evaluation.bands import near_depth_edges
from dfnet.io.images import read_image
from dfnet.preprocess import Preprocessed, preprocess_capture

MIN_SLICES = 2


class Guidance(NamedTuple):
    """What preprocessing says of one slice, on W's grid.

    Attributes:
        flow_w_to_uw: (2, H, W) [px].
        occluded_w: (1, H, W) bool.
        defocus_w_px: (1, H, W) signed diameter [px].
    """

    flow_w_to_uw: Tensor
    occluded_w: Tensor
    defocus_w_px: Tensor


class AperturePicture(NamedTuple):
    """W at another aperture: focused as slice `slice`, the aperture's diameter times `scale`."""

    image: Tensor
    slice: int
    scale: float


@dataclass(frozen=True)
class TrainingStack:
    """One stack, decoded once; images keep the encoding of their files, in float16.

    Attributes:
        wide: n slices, (3, H, W).
        ultrawide: the guide of each slice, (3, H', W'): UW's own frame to be warped by the flow; of
            a captured stack what preprocessing made of it, in W's colours and place, its flow zero.
        all_in_focus: (3, H, W), or None for captured stacks.
        is_linear: whether the images are `sqrt_linear` radiance, to be developed per sample.
        true: guidance per slice from the renderer's truth, or None.
        estimated: guidance per slice from preprocessing, or None.
        defocus_w_px: the best map known of each slice: from the truth, else estimated.
        radial_w: (1, H, W).
        apertures: pictures at other apertures; `slice` counts within `wide`.
        confidence: (1, H, W) trust in `all_in_focus`, 0 to 1; None is 1 everywhere.
        beyond_white_level: (3, H, W) light that `all_in_focus` leaves out, or None for not known.
    """

    wide: list[Tensor]
    ultrawide: list[Tensor]
    all_in_focus: Tensor | None
    is_linear: bool
    true: list[Guidance] | None
    estimated: list[Guidance] | None
    defocus_w_px: list[Tensor]
    radial_w: Tensor
    apertures: tuple[AperturePicture, ...] = ()
    confidence: Tensor | None = None
    beyond_white_level: Tensor | None = None

    @functools.cached_property
    def near_edge_w(self) -> Tensor:
        """Within 8 px of a step in depth, as the best flow known tells it, bool (1, H, W).

        Nowhere for captured stacks, whose guide lies on W already.
        """
        flow = (self.true or self.estimated)[0].flow_w_to_uw
        return near_depth_edges(flow[:1]) | near_depth_edges(flow[1:])


def load_stack(folder: Path, use_estimated: bool) -> TrainingStack:
    """Decode a stack and its guidance.

    Args:
        folder: a capture folder with UW.
        use_estimated: also run (or fetch) preprocessing for every slice.

    Raises:
        InputError: the stack cannot serve training.
    """
    capture = load_capture(folder)
    truth = capture.load_truth() if capture.truth else None
    true = _true_guidance(capture, truth) if capture.has_geometry else None
    found = preprocess_slices(capture) if use_estimated or not true else None
    usable = [i for i in range(len(capture.wide)) if true or found[i]]
    if len(usable) < MIN_SLICES:
        raise InputError(
            f"{folder}: fewer than {MIN_SLICES} slices could be aligned with the ultrawide photo\n"
            "  Leave the capture out, or see what python scripts/preprocess.py says of it."
        )
    if capture.encoding == "srgb" and not true:
        guides = [f and f.uw_on_w.half() for f in found]
        found = [f and f._replace(flow_w_to_uw=torch.zeros_like(f.flow_w_to_uw)) for f in found]
    else:
        frames = [_read_half(capture, name) for name in capture.ultrawide]
        guides = [frames[i if len(frames) > 1 else 0] for i in range(len(capture.wide))]
    estimated = _estimated_guidance(found, true) if found else None
    best = true or estimated
    height, width = best[usable[0]].defocus_w_px.shape[-2:]
    return TrainingStack(
        [_read_half(capture, capture.wide[i]) for i in usable],
        [guides[i] for i in usable],
        _read_half(capture, capture.truth["all_in_focus"]) if capture.truth else None,
        capture.encoding == "sqrt_linear",
        true,
        [estimated[i] for i in usable] if estimated else None,
        [best[i].defocus_w_px for i in usable],
        radial_map(height, width, capture.cameras.get("wide", Camera())),
        tuple(
            AperturePicture(_read_half(capture, a.file), usable.index(a.slice), a.scale)
            for a in capture.apertures
            if a.slice in usable
        ),
        _half(truth and truth.confidence),
        _half(truth and truth.beyond_white_level),
    )


def _half(x: Tensor | None) -> Tensor | None:
    return None if x is None else x.half()


def _true_guidance(capture: Capture, truth: Truth) -> list[Guidance]:
    return [
        Guidance(
            truth.flow_w_to_uw,
            truth.occluded_w,
            capture.true_defocus_w_px(i, truth.depth_w_m),
        )
        for i in range(len(capture.wide))
    ]


def preprocess_slices(capture: Capture) -> list[Preprocessed | None]:
    """What users have of each slice; None where preprocessing gives up."""
    results = []
    for i in range(len(capture.wide)):
        try:
            results.append(preprocess_capture(capture, i))
        except InputError:
            results.append(None)
    return results


def _estimated_guidance(
    found: list[Preprocessed | None], true: list[Guidance] | None
) -> list[Guidance | None]:
    """Guidance as users have it; where preprocessing gave up, the truth if there is any."""
    return [
        Guidance(f.flow_w_to_uw, f.occluded_w, f.defocus_w_px) if f else (true[i] if true else None)
        for i, f in enumerate(found)
    ]


def _read_half(capture: Capture, name: str) -> Tensor:
    return read_image(capture.folder / name).half()
