"""One answer to one question becomes rows: over the whole frame, and over its parts."""

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor

from dfnet.capture import Capture
from dfnet.evaluation.alignment import Alignment, align, compare_aligned
from dfnet.evaluation.asking import Asking
from dfnet.evaluation.bands import EVERYWHERE, MIN_PIXELS, bands
from dfnet.evaluation.checks import doubts, refuse_unusable
from dfnet.evaluation.methods import Method, needs_guide
from dfnet.evaluation.metrics import compare, gradient_ratio, psnr
from dfnet.evaluation.perceptual import Perceptual
from dfnet.evaluation.question import Question
from dfnet.evaluation.tasks import questions


class Row(NamedTuple):
    """What a method scored in one task, over one part of the pictures.

    Attributes:
        scene: the capture's path below the root.
        task: see `dfnet.evaluation.tasks`.
        method: its name in `configs/method`.
        band: part of the picture: `all`, or one of `dfnet.evaluation.bands`.
        metrics: mean over n pictures, by name.
        n: pictures that have this part.
        flags: what makes the row doubtful, in words.
    """

    scene: str
    task: str
    method: str
    band: str
    metrics: dict[str, float]
    n: int
    flags: tuple[str, ...] = ()


class Scored(NamedTuple):
    """One answer, measured.

    Attributes:
        parts: metrics by name, by part of the picture.
        flags: what makes them doubtful.
        error: (1, H, W) absolute difference, mean over channels, of what was compared.
    """

    parts: dict[str, dict[str, float]]
    flags: tuple[str, ...]
    error: Tensor


@torch.no_grad()
def score_answer(
    question: Question, picture: Tensor, who: str, perceptual: Perceptual | None = None
) -> Scored:
    """Measure one answer, where its truth can be trusted.

    Args:
        question: with the truth.
        picture: (3, H, W), a method's.
        who: names the method in complaints.
        perceptual: metrics that need weights; none by default.

    Raises:
        InputError: the picture has the wrong size, or not all of it are numbers.
    """
    picture = picture.detach().float().cpu()
    refuse_unusable(picture, question.image_w, f"{who}, {question.scene}, {question.name}")
    flags = doubts(picture, question.image_w)
    perceptual = perceptual or Perceptual()
    if question.is_other_exposure:
        alignment = align(picture, question.truth)
        parts = _aligned_parts(question, picture, alignment, perceptual)
        return Scored(parts, (*alignment.flags(), *flags), _aligned_error(alignment))
    masks = {EVERYWHERE: question.trusted, **_masks(question)}
    parts = compare(picture, question.truth, masks, MIN_PIXELS)
    measured = {name: masks[name] for name in parts}
    for name, found in perceptual.compare(picture, question.truth, measured).items():
        parts[name] |= found
    error = (picture.clamp(0, 1) - question.truth).abs().mean(dim=0, keepdim=True)
    return Scored(parts, flags, error)


@torch.autocast("cpu", enabled=False)  # a trainer's autocast would compute in bfloat16
def score_capture(
    capture: Capture,
    methods: Mapping[str, Method],
    asking: Asking | None = None,
    scene: str | None = None,
    seen: Callable[[Question, dict[str, Tensor]], object] = lambda question, pictures: None,
) -> list[Row]:
    """Every method on every question of one capture.

    Without an ultra-wide photo, methods that need one are left out.

    Args:
        capture: a stack.
        methods: by name; each turns a question into a picture (3, H, W).
        asking: all tasks, by default.
        scene: what the rows call the capture; its folder's name by default.
        seen: called with each question and the pictures (3, H, W) that answer it, by method.
    """
    rows = []
    methods = {n: m for n, m in methods.items() if capture.ultrawide or not needs_guide(m)}
    for question in questions(capture, asking):
        pictures = {name: method(question) for name, method in methods.items()}
        for name, picture in pictures.items():
            scored = score_answer(question, picture, name)
            rows.extend(rows_of(scene or capture.folder.name, question.task, name, scored))
        seen(question, pictures)
    return averaged(rows)


def rows_of(scene: str, task: str, method: str, scored: Scored) -> list[Row]:
    """One row per part of the picture."""
    return [
        Row(scene, task, method, band, metrics, 1, scored.flags)
        for band, metrics in scored.parts.items()
    ]


def averaged(rows: Iterable[Row]) -> list[Row]:
    """The mean over pictures of each scene, task, method and part, in order of appearance."""
    order: dict[tuple, int] = {}
    rows = list(rows)
    for row in rows:
        order.setdefault(row[:4], len(order))
    rows.sort(key=lambda r: order[r[:4]])
    return [_mean(list(group)) for _, group in groupby(rows, key=lambda r: r[:4])]


def _mean(rows: list[Row]) -> Row:
    names = dict.fromkeys(name for row in rows for name in row.metrics)
    metrics = {}
    for name in names:
        values = [row.metrics[name] for row in rows if name in row.metrics]
        metrics[name] = sum(values) / len(values)
    flags = tuple(dict.fromkeys(flag for row in rows for flag in row.flags))
    return rows[0]._replace(metrics=metrics, n=sum(row.n for row in rows), flags=flags)


def _masks(question: Question) -> dict[str, Tensor]:
    if question.maps is None:
        return {}
    masks = bands(question.maps)
    if question.trusted is None:
        return masks
    return {name: mask & question.trusted for name, mask in masks.items()}


def _aligned_parts(question, picture, alignment: Alignment, perceptual) -> dict:
    """The fair comparison; what was fitted, and the raw PSNR, go with the whole frame."""
    masks = {EVERYWHERE: None, **_masks(question)}
    parts = compare_aligned(alignment, masks, MIN_PIXELS)
    inside = {n: None if masks[n] is None else alignment.inside(masks[n]) for n in parts}
    for name, mask in inside.items():
        ratio = gradient_ratio(alignment.fitted, alignment.truth, 0, mask)
        parts[name]["gradient_ratio"] = float(ratio)
    for name, found in perceptual.compare(alignment.fitted, alignment.truth, inside).items():
        parts[name] |= found
    parts[EVERYWHERE] |= {
        "raw_psnr_db": float(psnr(picture, question.truth, margin=0)),
        "shift_px": alignment.shift_px,
        "scale_percent": alignment.scale_percent,
        "gain_percent": alignment.gain_percent,
    }
    return parts


def _aligned_error(alignment: Alignment) -> Tensor:
    """On the whole frame, zero in the margin."""
    error = (alignment.fitted - alignment.truth).abs().mean(dim=0, keepdim=True)
    return torch.nn.functional.pad(error, [alignment.margin_px] * 4)
