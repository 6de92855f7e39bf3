"""One training sample: a crop of a stack, two defocus states, a guide that is slightly wrong."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from dfnet.capture import WHITE_LEVEL
from dfnet.evaluation.tasks import shifted_to
from dfnet.sample import Sample
from dfnet.sensor import Sensor, develop
from dfnet.training.stacks import Guidance, TrainingStack
from dfnet.warp import backward_warp


class TrainingBatch(NamedTuple):
    """What the network sees, and what it should have answered, (B, 3, H, W)."""

    sample: Sample
    target: Tensor


@dataclass(frozen=True)
class SampleSettings:
    """How samples are drawn. Each range says what differs between real pairs and renders.

    Attributes:
        crop_px: side of the square crop.
        all_in_focus_share: of samples whose target is the all-in-focus truth; the rest are pairs of
            slices, the paper's refocusing proxy, identical pairs among them.
        add_blur_share: of samples whose *source* is the all-in-focus truth.
        estimated_share: of samples guided by estimated preprocessing where there is any.
        flow_error_px: largest standard deviation of the smooth error added to true flow.
        defocus_scale_error: standard deviation of the (log) scale error of true defocus maps.
        guide_gain_error: standard deviation of the guide's gain per channel after colour matching.
        exposure_range: factors on the stack's exposure.
        shot_noise_range: variance per radiance, W and UW drawn apart.
        read_noise_range: standard deviation, W and UW drawn apart.
    """

    crop_px: int = 160
    all_in_focus_share: float = 0.45
    add_blur_share: float = 0.1
    estimated_share: float = 0.6
    flow_error_px: float = 1.5
    defocus_scale_error: float = 0.1
    guide_gain_error: float = 0.06
    exposure_range: tuple[float, float] = (0.6, 1.4)
    shot_noise_range: tuple[float, float] = (5e-5, 8e-4)
    read_noise_range: tuple[float, float] = (3e-4, 4e-3)


class _Choice(NamedTuple):
    source: Tensor
    target: Tensor
    ultrawide: Tensor
    guidance: Guidance
    target_defocus_w_px: Tensor
    is_identity: bool


def draw_sample(
    stack: TrainingStack, settings: SampleSettings, generator: torch.Generator
) -> TrainingBatch:
    """Draw one unbatched sample.

    The guide is warped by the flow *before* any flip, so that flips and transpositions act on
    scalar maps only: signed defocus, occlusion and radius are the same seen in a mirror.

    Args:
        stack: where from.
        settings: how.
        generator: the only source of randomness.

    Returns:
        A record of (C, crop, crop) tensors.
    """
    choice = _choose(stack, settings, generator)
    window = _window(choice.source.shape, settings.crop_px, generator)
    exposure = _between(settings.exposure_range, generator)
    wide_sensor = _draw_sensor(settings, generator, exposure)
    image_w = _photo(stack, choice.source[window], wide_sensor, generator)
    if choice.is_identity:
        target = image_w
    else:
        target = _photo(stack, choice.target[window], Sensor(exposure), generator)
    top_left = torch.tensor([window[2].start, window[1].start]).view(2, 1, 1)
    flow = choice.guidance.flow_w_to_uw[window] + top_left  # from the crop's own pixels
    sample = Sample(
        image_w,
        _draw_guide(stack, choice.ultrawide, flow, settings, generator, exposure),
        choice.guidance.occluded_w[window].float(),
        choice.guidance.defocus_w_px[window],
        choice.target_defocus_w_px[window],
        stack.radial_w[window],
    )
    return _flip(TrainingBatch(sample, target), generator)


def _choose(stack: TrainingStack, settings: SampleSettings, generator: torch.Generator) -> _Choice:
    """Source, target and the maps that belong to them."""
    i, j = (int(k) for k in torch.randint(len(stack.wide), (2,), generator=generator))
    is_estimated = stack.estimated is not None and (
        stack.true is None or _chance(settings.estimated_share, generator)
    )
    guidance = stack.estimated if is_estimated else stack.true
    kind = float(torch.rand((), generator=generator)) if stack.all_in_focus is not None else 1.0
    zeros = torch.zeros_like(guidance[i].defocus_w_px)
    uw_i, uw_j = stack.ultrawide[i], stack.ultrawide[j]
    if kind < settings.all_in_focus_share:
        choice = _Choice(stack.wide[i], stack.all_in_focus, uw_i, guidance[i], zeros, False)
    elif kind < settings.all_in_focus_share + settings.add_blur_share:
        sharp = guidance[j]._replace(defocus_w_px=zeros)
        target_defocus = guidance[j].defocus_w_px
        choice = _Choice(stack.all_in_focus, stack.wide[j], uw_j, sharp, target_defocus, False)
    else:
        # As a user would: the target map is the source map moved by a constant, errors included.
        wanted = shifted_to(stack.defocus_w_px[j], guidance[i].defocus_w_px)
        if i == j:
            wanted = guidance[i].defocus_w_px
        choice = _Choice(stack.wide[i], stack.wide[j], uw_i, guidance[i], wanted, i == j)
    if is_estimated:
        return choice
    return _mistake_defocus(choice, settings.defocus_scale_error, generator)


def _mistake_defocus(choice: _Choice, scale_error: float, generator: torch.Generator) -> _Choice:
    """Scale both defocus maps by the same wrong factor, as a wrong blur law would."""
    factor = float(torch.exp(scale_error * torch.randn((), generator=generator)))
    guidance = choice.guidance
    guidance = guidance._replace(defocus_w_px=guidance.defocus_w_px * factor)
    return choice._replace(
        guidance=guidance, target_defocus_w_px=choice.target_defocus_w_px * factor
    )


def _draw_guide(
    stack: TrainingStack,
    ultrawide: Tensor,
    flow_w_to_uw: Tensor,
    settings: SampleSettings,
    generator: torch.Generator,
    exposure: float,
) -> Tensor:
    """UW on the crop of W, with the errors that alignment and colour matching leave."""
    error_px = settings.flow_error_px * float(torch.rand((), generator=generator))
    flow = flow_w_to_uw + error_px * smooth_noise(flow_w_to_uw.shape, generator)
    gains = 1 + settings.guide_gain_error * torch.randn(3, generator=generator)
    sensor = _draw_sensor(settings, generator, exposure, tuple(gains.tolist()))
    part, corner = _part_seen(flow, ultrawide.shape)
    photo_uw = _photo(stack, ultrawide[part], sensor, generator)
    return backward_warp(photo_uw[None], (flow - corner)[None])[0]


def _part_seen(flow: Tensor, shape: tuple[int, ...]) -> tuple[tuple[slice, ...], Tensor]:
    """The part of UW that a crop of W looks at, so that only that much is developed."""
    height, width = flow.shape[-2:]
    x = flow[0] + torch.arange(width)
    y = flow[1] + torch.arange(height)[:, None]
    bounds = []
    for position, size in ((y, shape[-2]), (x, shape[-1])):
        first = min(max(int(position.min()) - 2, 0), size - 2)
        bounds.append(slice(first, min(max(int(position.max()) + 3, first + 2), size)))
    corner = torch.tensor([bounds[1].start, bounds[0].start]).view(2, 1, 1)
    return (slice(None), *bounds), corner


def smooth_noise(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Unit-variance noise that varies over about a sixth of the frame, (C, H, W)."""
    channels, height, width = shape
    coarse = torch.randn(1, channels, 8, 8, generator=generator)
    return F.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)[0]


def _draw_sensor(
    settings: SampleSettings,
    generator: torch.Generator,
    exposure: float,
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Sensor:
    shot_noise = _between(settings.shot_noise_range, generator)
    return Sensor(
        exposure, white_balance, shot_noise, _between(settings.read_noise_range, generator)
    )


def _photo(
    stack: TrainingStack, stored: Tensor, sensor: Sensor, generator: torch.Generator
) -> Tensor:
    if not stack.is_linear:
        return stored.float()
    return develop(WHITE_LEVEL * stored.float().square(), sensor, generator)


def _window(
    shape: tuple[int, ...], crop_px: int, generator: torch.Generator
) -> tuple[slice, slice, slice]:
    height, width = shape[-2:]
    top = int(torch.randint(height - crop_px + 1, (), generator=generator))
    left = int(torch.randint(width - crop_px + 1, (), generator=generator))
    return slice(None), slice(top, top + crop_px), slice(left, left + crop_px)


def _flip(batch: TrainingBatch, generator: torch.Generator) -> TrainingBatch:
    """One of the eight symmetries of the square, the same for all tensors."""
    flips = [axis for axis in (-1, -2) if _chance(0.5, generator)]
    transpose = _chance(0.5, generator)

    def turn(x: Tensor) -> Tensor:
        x = x.flip(flips)
        return (x.transpose(-1, -2) if transpose else x).contiguous()

    return TrainingBatch(Sample(*map(turn, batch.sample)), turn(batch.target))


def _chance(probability: float, generator: torch.Generator) -> bool:
    return float(torch.rand((), generator=generator)) < probability


def _between(bounds: tuple[float, float], generator: torch.Generator) -> float:
    """Log-uniform in the bounds."""
    low, high = bounds
    return low * (high / low) ** float(torch.rand((), generator=generator))
