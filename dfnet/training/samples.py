"""One training sample: a crop of a stack, two defocus states, a guide that is slightly wrong."""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from dfnet.capture import WHITE_LEVEL
from dfnet.photo import PHONE, CameraShot, PhotoSettings, Shot, develop, draw_photo
from dfnet.sample import Sample, absent_guide
from dfnet.training.kinds import Choice, KindWeights, choose
from dfnet.training.stacks import TrainingStack
from dfnet.warp import backward_warp, inside_frame

_ITERATIONS, _ERROR_FOUND_PX, _ERROR_REACH_PX = 5, 0.25, 16.0
_ENCODED_PER_LINEAR = 1 / 2.2  # sRGB is about this power: a gain in light, as a gain in the photo


class TrainingBatch(NamedTuple):
    """What the network sees, and what it should have answered.

    Attributes:
        sample: the network's inputs.
        target: (B, 3, H, W) the right answer.
        weight: (B, 1, H, W) trust in it, 0 to 1; 1 but where a merged truth is not sharp.
        guide_error_px: (B, 2, H, W) from each pixel to where on the given guide its point lies.
        guide_error_weight: (B, 1, H, W), 0 where that is not known or lies out of reach, else 1.
        near_edge: (B, 1, H, W), 1 within 8 px of a depth edge, else 0.
        lamp_light: (B, 3, H, W) linear light of lamps beyond what a render's file holds; NaN where
            it is not known.
        clipped_light: (B, 3, H, W) other linear light beyond white, which the all-in-focus photo
            clips; NaN likewise.
    """

    sample: Sample
    target: Tensor
    weight: Tensor
    guide_error_px: Tensor
    guide_error_weight: Tensor
    near_edge: Tensor
    lamp_light: Tensor
    clipped_light: Tensor


@dataclass(frozen=True)
class SampleSettings:
    """How samples are drawn. Each range says what differs between real pairs and renders.

    Attributes:
        crop_px: side of the square crop.
        candidates: places looked at per crop; the one where source and target differ most is taken,
            as most places of most pictures ask for little. 1 takes any place.
        weights: how often each kind of target is drawn.
        photo: how renders become photos.
        estimated_share: of samples guided by estimated preprocessing where there is any.
        flow_error_px: largest standard deviation of the smooth error added to the flow.
        defocus_scale_error: standard deviation of the (log) scale error of true defocus maps.
        guide_gain_error: standard deviation of the guide's gain per channel after colour matching.
        absent_guide_share: of samples that have W alone, as single photos have.
    """

    crop_px: int = 160
    candidates: int = 3
    weights: KindWeights = field(default_factory=KindWeights)
    photo: PhotoSettings = PHONE
    estimated_share: float = 0.6
    flow_error_px: float = 1.5
    defocus_scale_error: float = 0.1
    guide_gain_error: float = 0.03
    absent_guide_share: float = 0.0


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
    window = _busiest_window(choice, settings, generator)
    shot = draw_photo(settings.photo, generator)
    image_w = _photo(stack, choice.source[window], shot.wide, generator)
    if choice.is_identity:
        target = image_w
    else:
        target = _photo(stack, choice.target[window], shot.wide.clean(), generator)
    top_left = torch.tensor([window[2].start, window[1].start]).view(2, 1, 1)
    flow = choice.guidance.flow_w_to_uw[window] + top_left  # from the crop's own pixels
    flow = _misalign(flow, settings.flow_error_px, generator)
    sample = Sample(
        image_w,
        _draw_guide(stack, choice.ultrawide, flow, settings, generator, shot),
        choice.guidance.occluded_w[window].float(),
        choice.guidance.defocus_w_px[window],
        choice.target_defocus_w_px[window],
        stack.radial_w[window],
    )
    radial = sample.radial_w
    weight = torch.ones_like(radial) if choice.weight is None else choice.weight[window].float()
    near_edge = stack.near_edge_w[window].float()
    error = _guide_error(stack, flow - top_left, window)
    beyond = _beyond_white(stack, window, shot.wide)
    batch = TrainingBatch(sample, target, weight, *error, near_edge, *beyond)
    if settings.absent_guide_share > 0 and _chance(settings.absent_guide_share, generator):
        batch = _without_guide(batch)
    return _flip(batch, generator)


def _without_guide(batch: TrainingBatch) -> TrainingBatch:
    uw_on_w, occluded_w = absent_guide(batch.sample.image_w)
    return batch._replace(
        sample=batch.sample._replace(uw_on_w=uw_on_w, occluded_w=occluded_w.float()),
        guide_error_weight=torch.zeros_like(batch.guide_error_weight),
    )


def _choose(stack: TrainingStack, settings: SampleSettings, generator: torch.Generator) -> Choice:
    """A kind of target, by estimated guidance or by true guidance with a wrong blur law."""
    is_estimated = stack.estimated is not None and (
        stack.true is None or _chance(settings.estimated_share, generator)
    )
    guidance = stack.estimated if is_estimated else stack.true
    choice = choose(stack, guidance, settings.weights, generator)
    if is_estimated:
        return choice
    return _mistake_defocus(choice, settings.defocus_scale_error, generator)


def _mistake_defocus(choice: Choice, scale_error: float, generator: torch.Generator) -> Choice:
    """Scale both defocus maps by the same wrong factor, as a wrong blur law would."""
    factor = float(torch.exp(scale_error * torch.randn((), generator=generator)))
    guidance = choice.guidance
    guidance = guidance._replace(defocus_w_px=guidance.defocus_w_px * factor)
    return choice._replace(
        guidance=guidance, target_defocus_w_px=choice.target_defocus_w_px * factor
    )


def _misalign(flow_w_to_uw: Tensor, largest_px: float, generator: torch.Generator) -> Tensor:
    error_px = largest_px * float(torch.rand((), generator=generator))
    return flow_w_to_uw + error_px * smooth_noise(flow_w_to_uw.shape, generator)


def _guide_error(
    stack: TrainingStack, flow_w_to_uw: Tensor, window: tuple[slice, slice, slice]
) -> tuple[Tensor, Tensor]:
    """How far the guide is off on a crop, and where that is known; see `TrainingBatch`."""
    if stack.true is None:
        return torch.zeros_like(flow_w_to_uw), torch.zeros_like(flow_w_to_uw[:1])
    true = stack.true[0]  # of a render, the same for all slices
    error, misfit = guide_error(flow_w_to_uw, true.flow_w_to_uw[window])
    known = (misfit < _ERROR_FOUND_PX) & (error.norm(dim=0, keepdim=True) < _ERROR_REACH_PX)
    known &= inside_frame(error[None], error.shape[-2:])[0]
    return error, (known & ~true.occluded_w[window]).float()


def guide_error(flow_w_to_uw: Tensor, true_flow_w_to_uw: Tensor) -> tuple[Tensor, Tensor]:
    """Where a guide warped by one flow shows what it should show by another.

    Args:
        flow_w_to_uw: (2, H, W) by which the guide was warped.
        true_flow_w_to_uw: same shape.

    Returns:
        The error e (2, H, W) [px], for which `e + flow(p + e) = true flow(p)`, found by iterating;
        and by how much that fails to hold, (1, H, W) [px].
    """
    error = true_flow_w_to_uw - flow_w_to_uw
    for _ in range(_ITERATIONS):
        before = error
        error = true_flow_w_to_uw - backward_warp(flow_w_to_uw[None], error[None])[0]
    return error, (error - before).norm(dim=0, keepdim=True)


def _draw_guide(
    stack: TrainingStack,
    ultrawide: Tensor,
    flow_w_to_uw: Tensor,
    settings: SampleSettings,
    generator: torch.Generator,
    shot: Shot,
) -> Tensor:
    """UW on the crop of W, with the errors that colour matching leaves."""
    error = torch.exp(settings.guide_gain_error * torch.randn(3, generator=generator))
    part, corner = _part_seen(flow_w_to_uw, ultrawide.shape)
    photo_uw = _photo(stack, ultrawide[part], shot.ultrawide, generator)
    if stack.is_linear:
        photo_uw = photo_uw * _matching_gains(shot)
    matched = (photo_uw * error.view(3, 1, 1)).clamp(0, 1)
    return backward_warp(matched[None], (flow_w_to_uw - corner)[None])[0]


def _matching_gains(shot: Shot) -> Tensor:
    """What colour matching finds: the gains that undo UW's exposure and cast, (3, 1, 1).

    They act on the encoded photo, where sRGB is only about a power: the misfit of a few levels
    that this leaves, like the local tone, is what a fitted colour map leaves too.
    """
    wide, ultrawide = shot
    ratio = torch.tensor(wide.white_balance) / torch.tensor(ultrawide.white_balance)
    return (ratio * (wide.exposure / ultrawide.exposure)).pow(_ENCODED_PER_LINEAR).view(3, 1, 1)


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


def _photo(
    stack: TrainingStack, stored: Tensor, camera: CameraShot, generator: torch.Generator
) -> Tensor:
    if not stack.is_linear:
        return stored.float()
    return develop(WHITE_LEVEL * stored.float().square(), camera, generator)


def _beyond_white(
    stack: TrainingStack, window: tuple[slice, slice, slice], camera: CameraShot
) -> tuple[Tensor, Tensor]:
    """The light of lamps and the other light that the photo clips; see `TrainingBatch`."""
    lamps = clipped = torch.full(stack.wide[0][window].shape, torch.nan)
    if stack.beyond_white_level is not None:
        lamps = camera.exposure * stack.beyond_white_level[window].float()
    if stack.is_linear and stack.all_in_focus is not None:
        light = WHITE_LEVEL * stack.all_in_focus[window].float().square()
        clipped = (camera.exposure * light - 1).clamp_min(0)
    return lamps, clipped


def _busiest_window(
    choice: Choice, settings: SampleSettings, generator: torch.Generator
) -> tuple[slice, slice, slice]:
    """Of a few random windows the one where source and target differ most."""
    shape = choice.source.shape
    windows = [_window(shape, settings.crop_px, generator) for _ in range(settings.candidates)]
    if choice.is_identity or len(windows) == 1:
        return windows[0]
    change = (choice.source - choice.target).abs()
    return max(windows, key=lambda window: float(change[window][:, ::4, ::4].float().mean()))


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

    def turn_vectors(x: Tensor) -> Tensor:
        signs = [-1.0 if axis in flips else 1.0 for axis in (-1, -2)]
        x = turn(x * x.new_tensor(signs).view(2, 1, 1))
        return x.flip(0) if transpose else x

    return TrainingBatch(
        Sample(*map(turn, batch.sample)),
        turn(batch.target),
        turn(batch.weight),
        turn_vectors(batch.guide_error_px),
        turn(batch.guide_error_weight),
        turn(batch.near_edge),
        turn(batch.lamp_light),
        turn(batch.clipped_light),
    )


def _chance(probability: float, generator: torch.Generator) -> bool:
    return float(torch.rand((), generator=generator)) < probability
