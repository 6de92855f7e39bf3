"""Control faithfulness: is the blur of an output monotone in what is asked, and as large?

A slice is rendered with eight apertures, with eight focus positions, and with one blur everywhere.
The blur of each output is read patch by patch and held against the blur that was asked for there.
The same reading of the stack's own slices, whose blur is known, is the measure of the ramps: a
slope of 1 is as much as the truth shows. Uniform blur is read off discs and needs no such measure;
where everything is asked sharp, what is read is the blur that a method cannot take away.
"""

from typing import NamedTuple

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from dfnet.capture import Capture
from dfnet.errors import InputError
from dfnet.evaluation.asking import CONTROL, Asking
from dfnet.evaluation.bands import SceneMaps
from dfnet.evaluation.blur_reading import MIN_PATCHES, BlurReader, blur_reader
from dfnet.evaluation.checks import refuse_unusable
from dfnet.evaluation.methods import Method
from dfnet.evaluation.question import Question
from dfnet.evaluation.stack import Stack

STEPS = 8
WIDEST = 1.75  # times the slice's own aperture
FOCUS_QUANTILES = (0.05, 0.95)  # of the defocus map, between which the focus moves
SMALL_STEPS_PX = (0.25, 0.5, 1.0)
UNIFORM_PX = (2, 5, 10, 20, 40)
MIN_RANGE_PX = 1.0  # over a ramp, for a patch's order to mean something
_NO_CHANGE = 1e-4


class Probe(NamedTuple):
    """What a method's control is measured with.

    Attributes:
        question: of the middle slice; its target is replaced.
        reader: of blur.
        truth_slope: blur read of the stack's slices per true blur.
        truth_rank: rank correlation of the two.
    """

    question: Question
    reader: BlurReader
    truth_slope: float
    truth_rank: float


def control_probe(capture: Capture, asking: Asking) -> Probe:
    """Prepare one stack.

    Raises:
        InputError: it has no sharp picture, or too few patches whose blur can be read.
    """
    if capture.truth is None:
        raise InputError(f"{capture.folder}: control needs the true all-in-focus picture")
    stack = Stack(capture, asking)
    source = stack.middle
    coc = [stack.defocus_w_px(i).abs() for i in stack.order]
    target = stack.prepared(source).defocus_w_px
    sharp = stack.truth.all_in_focus
    question = stack.ask(CONTROL, source, f"slice {source}", target, sharp)
    reader = blur_reader(sharp, _blurriest(question.maps, coc), stack.trusted)
    if int(reader.patches.sum()) < MIN_PATCHES:
        raise InputError(f"{capture.folder}: control: hardly any texture whose blur can be read")
    slices = [reader.read(capture.load_clean_wide(i)) for i in stack.order]
    slope, rank = _agreement([reader.mean(c) for c in coc], slices)
    return Probe(question, reader, slope, rank)


def measure_control(method: Method, probe: Probe, who: str) -> dict[str, float]:
    """Ramps and small steps, by name; what cannot be told is left out.

    Args:
        method: asked some twenty times.
        probe: of a stack.
        who: names the method in complaints.
    """
    shown = probe.question.prepared.defocus_w_px
    ramps = {"aperture": _aperture_ramp(shown), "focus": _focus_ramp(shown)}
    found = {"reading_slope": probe.truth_slope, "reading_rank": probe.truth_rank}
    for name, targets in ramps.items():
        asked = [probe.reader.mean(t.abs()) for t in targets]
        read = [probe.reader.read(_answer(method, probe, t, who)) for t in targets]
        slope, rank = _agreement(asked, read)
        found |= {f"{name}_slope": slope / probe.truth_slope, f"{name}_rank": rank}
    found |= _uniform(method, probe, who)
    found |= _smoothness(method, probe, ramps["focus"][STEPS // 2], who)
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _aperture_ramp(shown_px: Tensor) -> list[Tensor]:
    return [WIDEST * k / (STEPS - 1) * shown_px for k in range(STEPS)]


def _focus_ramp(shown_px: Tensor) -> list[Tensor]:
    some = shown_px.flatten()[:: max(1, shown_px.numel() // 100_000)]
    first, last = torch.quantile(some, torch.tensor(FOCUS_QUANTILES))
    return [shown_px - (first + (last - first) * k / (STEPS - 1)) for k in range(STEPS)]


def _uniform(method: Method, probe: Probe, who: str) -> dict[str, float]:
    """One diameter wanted everywhere: the median read, over what was asked; of 0 itself [px]."""

    def read(asked_px: float) -> float:
        target = torch.full_like(probe.question.prepared.defocus_w_px, asked_px)
        return float(probe.reader.read(_answer(method, probe, target, who)).median())

    shares = {f"uniform_{asked}_px": read(asked) / asked for asked in UNIFORM_PX}
    return {"floor_px": read(0), **shares}


def _smoothness(method: Method, probe: Probe, base_px: Tensor, who: str) -> dict[str, float]:
    """Change of the output at small steps over what is proportional to the largest; 1 is smooth."""
    start = _answer(method, probe, base_px, who)
    changes = {}
    for step in SMALL_STEPS_PX:
        moved = _answer(method, probe, base_px + step, who)
        changes[step] = float((moved - start).square().mean().sqrt())
    largest = SMALL_STEPS_PX[-1]
    if changes[largest] < _NO_CHANGE:
        return {}
    return {
        f"step_{step:g}_px": changes[step] / (step / largest * changes[largest])
        for step in SMALL_STEPS_PX[:-1]
    }


def _answer(method: Method, probe: Probe, target_px: Tensor, who: str) -> Tensor:
    picture = method(probe.question._replace(target_defocus_w_px=target_px))
    picture = picture.detach().float().cpu()
    refuse_unusable(picture, probe.question.image_w, f"{who}, {probe.question.scene}, control")
    return picture.clamp(0, 1)


def _agreement(asked: list[Tensor], read: list[Tensor]) -> tuple[float, float]:
    """One slope within the patches' ramps, and the mean rank correlation of the ramps."""
    x, y = (torch.stack(v).double().numpy() for v in (asked, read))  # (steps, patches)
    dx, dy = x - x.mean(axis=0), y - y.mean(axis=0)  # patches differ without following anything
    slope = float((dx * dy).sum() / max((dx * dx).sum(), 1e-12))
    ranks = [
        float(spearmanr(x[:, i], y[:, i]).statistic)
        for i in range(x.shape[1])
        if np.ptp(x[:, i]) > MIN_RANGE_PX and np.ptp(y[:, i]) > 0
    ]
    constant = int(((np.ptp(x, axis=0) > MIN_RANGE_PX) & (np.ptp(y, axis=0) == 0)).sum())
    count = len(ranks) + constant  # what does not follow at all correlates with nothing
    return slope, sum(ranks) / count if count else float("nan")


def _blurriest(maps: SceneMaps, coc_px: list[Tensor]) -> SceneMaps:
    """With the largest blur that a slice shows at each pixel."""
    return maps._replace(coc_px=torch.stack(coc_px).amax(dim=0))
