"""Two unaligned photos in; guide, disparity, occlusion and defocus on W's grid out."""

from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from torch import Tensor

from dfnet.camera import Camera
from dfnet.io.images import floats_of
from dfnet.optics import BlurLaw, defocus_from_disparity
from dfnet.preprocess.align import Views, gray, shrink
from dfnet.preprocess.blur_patches import BlurPatches, measure_patches
from dfnet.preprocess.blur_posterior import PHONES, TYPICAL_DEFOCUS_PER_DISPARITY, SlopePrior
from dfnet.preprocess.calibrate import BlurFit, defocus_deviation_px, fit_blur_law
from dfnet.preprocess.cameras import defocus_per_disparity
from dfnet.preprocess.colour import ColourMap, fit_colours
from dfnet.preprocess.depth import (
    depth_from_disparity,
    relative_inverse_depth,
    zero_offset_px,
)
from dfnet.preprocess.full_size import full_size_maps
from dfnet.preprocess.geometry import MAX_LEFT_ACROSS_PX, find_geometry
from dfnet.preprocess.match import SemiGlobalMatcher
from dfnet.preprocess.prior import fill_from_prior
from dfnet.preprocess.rectify import Rectification, net_around, sample_uw
from dfnet.preprocess.restraighten import straighten_through_blur
from dfnet.preprocess.result import Preprocessed
from dfnet.preprocess.search import search_motion
from dfnet.preprocess.stated import believed_slope, order_with_metadata
from dfnet.preprocess.stereo import (
    Matcher,
    Stereo,
    find_motion,
    make_canvas,
    order_from_images,
    solve_stereo,
)
from dfnet.preprocess.subpixel import refine_along_baseline
from dfnet.preprocess.sweep import DefocusSweep
from dfnet.preprocess.validity import Reason
from dfnet.preprocess.verdict import GOOD, Findings, Pictures, Verdict, judge
from dfnet.resizing import row_strips

MATCH_DEVIATION_PX = 0.5  # of disparity, at the matcher's resolution, where a match is sure
MAX_FOCUS_DISAGREEMENT_PX = 3.0  # circle of confusion between metadata's focus and the fitted


@dataclass(frozen=True)
class Preprocessor:
    """The chain and its settings; its `repr` is the settings' part of the cache key.

    Attributes:
        first: a matcher that is told nothing of blur, and finds what the blur law is fitted to.
        matcher: a second one that is told the blur law; None takes the first's result.
        working_side_px: longer side of the grid that all is estimated on.
        coarse_share: of the working side, for the first, which blur disturbs less when it is small.
        fine_share: of the working side, for the second.
        calibration_side_px: longer side of the grid on which the blur law is fitted.
        rectification_rounds: of dense flow and polynomial.
        use_phone_depth: whether a depth map inside W's file serves where nothing was matched.
    """

    first: Matcher = field(default_factory=SemiGlobalMatcher)
    matcher: Matcher | None = field(default_factory=DefocusSweep)
    working_side_px: int = 1024
    coarse_share: float = 0.5
    fine_share: float = 0.75
    calibration_side_px: int = 512
    rectification_rounds: int = 2
    use_phone_depth: bool = False

    def __call__(
        self,
        image_w: Tensor,
        image_uw: Tensor,
        cameras: dict[str, Camera] | None = None,
        focus_distance_m: float | None = None,
        phone_depth: Tensor | None = None,
    ) -> Preprocessed:
        """Preprocess one pair.

        Args:
            image_w: (3, H, W) sRGB in [0, 1].
            image_uw: (3, H', W') of any size, wider field of view; uint8 levels will do too.
            cameras: what is known of `wide` and `ultrawide`; all of it is optional.
            focus_distance_m: of W, to check the fitted focus against.
            phone_depth: (1, h, w) of W's whole frame, larger is nearer, of any unit and size;
                heeded with `use_phone_depth`.

        Raises:
            InputError: the photos have too little in common, or are swapped.
        """
        photos = _seen_as_pixels(image_w.float()), _seen_as_pixels(image_uw)
        geometry = find_geometry(
            photos, cameras or {}, self.working_side_px, self.rectification_rounds
        )
        views, rectification, motion_range, left, cameras, rig, notes = geometry
        axis = rectification.registration.axis
        motion, motion_range = search_motion(
            views, rectification, motion_range, self.coarse_share, self.first
        )
        near_far, doubt = order_with_metadata(order_from_images(motion), cameras, axis)
        stereo = solve_stereo(views, motion, axis, near_far)
        guide, colour = _working_guide(views, rectification, stereo)
        device, wrong_slope = self._device_slope(views, stereo, guide, cameras)
        fit = self._blur_fit(views, stereo, guide, device)
        contradictions = (*notes, *doubt, *wrong_slope)
        if self.matcher is not None:
            rectification = straighten_through_blur(views, rectification, stereo, guide, fit.law)
            canvas = make_canvas(views, rectification, motion_range, self.fine_share)
            motion = find_motion(canvas, self.matcher, fit.law, near_far.sign)
            near_far = near_far.seconded(order_from_images(motion))
            stereo = solve_stereo(views, motion, axis, near_far)
            guide, colour = _working_guide(views, rectification, stereo)
            fit = self._blur_fit(views, stereo, guide, device)
        stereo = refine_along_baseline(views, stereo, guide, fit.law)
        guide, colour = _working_guide(views, rectification, stereo)
        if self.use_phone_depth and phone_depth is not None:
            stereo = with_phone_depth(stereo, phone_depth)
        draft = _assemble(photos, views, rectification, stereo, guide, colour, fit, device)
        draft = _with_metres(draft, rig, focus_distance_m)
        contradictions = (*contradictions, *draft.notes)
        verdict = _verdict(views, rectification, stereo, guide, fit, bool(contradictions))
        doubts = _doubts(stereo, fit, left, photos[0].shape[:2])
        notes = (*doubts, *_on_bend(rectification), *contradictions)
        return draft._replace(verdict=verdict, notes=notes)

    def _patches(self, views, stereo, guide) -> tuple[BlurPatches, float]:
        """What tells of the blur, on a small grid, and this grid's scale against full W px."""
        reduce = min(1.0, self.calibration_side_px / max(guide.shape[:2]))
        scale = views.scale * reduce
        small = shrink(views.image_w, reduce)
        valid = shrink(stereo.matched_w.astype(np.float32), reduce) > 0.99
        patches = measure_patches(
            small, shrink(guide, reduce), shrink(stereo.disparity_w_px, reduce) * scale, valid
        )
        return patches, scale

    def _device_slope(self, views, stereo, guide, cameras) -> tuple[float | None, tuple[str, ...]]:
        """What the metadata say of the slope, where the picture's blur does not contradict it."""
        stated = defocus_per_disparity(cameras)
        if stated is None:
            return None, ()
        return believed_slope(stated, self._patches(views, stereo, guide)[0])

    def _blur_fit(self, views, stereo, guide, device) -> BlurFit:
        """The blur law in full W px, fitted on a small grid."""
        patches, scale = self._patches(views, stereo, guide)
        fit = fit_blur_law(patches, PHONES if device is None else SlopePrior(device, 0.0))
        if fit is None:
            middle = float(np.median(stereo.disparity_w_px))
            return BlurFit(BlurLaw(0.0, middle), 0.0, float("inf"), float("inf"))
        return fit.scaled(1 / scale)


def with_phone_depth(stereo: Stereo, phone_depth: Tensor) -> Stereo:
    """A phone's own depth map (1, h, w) where nothing was matched."""
    trust = stereo.matched_w.astype(np.float32)
    disparity, _ = fill_from_prior(stereo.disparity_w_px, trust, phone_depth[0].numpy())
    return stereo._replace(disparity_w_px=disparity)


def image_pixels(image: Tensor) -> np.ndarray:
    """(3, H, W) tensor, in [0, 1] or uint8, as a contiguous (H, W, 3) float32 array in [0, 1]."""
    return cv2.merge([floats_of(plane) for plane in image.detach().cpu().numpy()])


def _seen_as_pixels(image: Tensor) -> np.ndarray:
    """A picture (3, H, W) as (H, W, 3), the same memory."""
    return image.detach().cpu().numpy().transpose(1, 2, 0)


def _working_guide(
    views: Views, rectification: Rectification, stereo: Stereo
) -> tuple[np.ndarray, ColourMap]:
    """UW on W's working grid in W's colours, and the colour map."""
    at = stereo.disparity_w_px, stereo.baseline_direction, views.scale
    points = net_around(rectification, *at).points_uw(*at)
    guide, inside = sample_uw(views.plain_uw, points, views.scale_uw)
    guide = guide.clip(0, 1)
    colour = fit_colours(guide, views.image_w, stereo.matched_w & inside)
    return colour.apply(guide), colour


def _assemble(photos, views, rectification, stereo, guide, colour, fit, device) -> Preprocessed:
    """All maps at W's full resolution."""
    disparity, flow, guide, hidden, inside, validity = full_size_maps(
        photos, views, rectification, stereo, guide, colour
    )
    occluded = ~inside
    occluded |= hidden
    del hidden, inside  # of 50 megapixels every map counts
    disparity_w_px = torch.from_numpy(disparity)[None]
    valid_w = torch.from_numpy(validity.reason_w == Reason.VALID)[None]
    validity_w = torch.from_numpy(validity.validity_w)[None]
    slope = device or fit.law.defocus_per_disparity or TYPICAL_DEFOCUS_PER_DISPARITY
    return Preprocessed(
        uw_on_w=torch.from_numpy(guide),
        flow_w_to_uw=torch.from_numpy(flow),
        disparity_w_px=disparity_w_px,
        occluded_w=torch.from_numpy(occluded)[None],
        valid_w=valid_w,
        validity_w=validity_w,
        reason_w=torch.from_numpy(validity.reason_w)[None],
        defocus_w_px=defocus_from_disparity(disparity_w_px, fit.law),
        defocus_deviation_w_px=_defocus_deviation_px(disparity_w_px, validity_w, views.scale, fit),
        blur_law=fit.law,
        blur_law_deviation=(fit.slope_deviation, fit.focus_deviation_px),
        device_defocus_per_disparity=slope,
        baseline_direction=tuple(float(v) for v in stereo.baseline_direction),
        depth_w_m=None,
        relative_inverse_depth=relative_inverse_depth(disparity_w_px, valid_w),
        verdict=GOOD,
        notes=(),
    )


def _defocus_deviation_px(
    disparity_w_px: Tensor, validity_w: Tensor, scale: float, fit: BlurFit
) -> Tensor:
    """With a disparity's deviation from that of a good match to that of the scene without one."""
    some = disparity_w_px.flatten()[:: max(1, disparity_w_px.numel() // 50_000)]
    unsure, sure = some.std(), torch.tensor(MATCH_DEVIATION_PX / scale)
    deviation = torch.empty_like(disparity_w_px)
    for rows in row_strips(*disparity_w_px.shape[-2:]):
        of_disparity = torch.lerp(unsure, sure, validity_w[:, rows])
        deviation[:, rows] = defocus_deviation_px(disparity_w_px[:, rows], of_disparity, fit)
    return deviation


def image_tensor(image: np.ndarray) -> Tensor:
    """(H, W, C) array as a (C, H, W) float32 tensor."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32))


def _with_metres(draft, rig, focus_distance_m) -> Preprocessed:
    """Absolute disparity and depth where the rig is known, and the focus held against metadata."""
    if rig is None:
        return draft
    flow = draft.flow_w_to_uw.permute(1, 2, 0).numpy()
    offset = zero_offset_px(rig, draft.disparity_w_px[0].numpy(), flow, draft.valid_w[0].numpy())
    if offset is None:
        return draft._replace(
            notes=("The cameras' metadata do not fit the pictures; depth stays relative.",)
        )
    law = draft.blur_law
    moved = BlurLaw(law.defocus_per_disparity, law.disparity_at_focus_px + offset)
    disparity = draft.disparity_w_px + offset
    notes = ()
    if focus_distance_m is not None:
        stated = rig.baseline_m * rig.focal_length_px / focus_distance_m
        error = abs(stated - moved.disparity_at_focus_px) * draft.device_defocus_per_disparity
        if error > MAX_FOCUS_DISAGREEMENT_PX and law.defocus_per_disparity > 0:
            notes = (
                f"The stated focus distance of {focus_distance_m:.2f} m does not fit the blur seen "
                f"(by {error:.1f} px of circle of confusion); the pictures were believed.",
            )
    depth = depth_from_disparity(disparity, rig)
    return draft._replace(disparity_w_px=disparity, blur_law=moved, depth_w_m=depth, notes=notes)


def _verdict(views, rectification, stereo, guide, fit, contradicted) -> Verdict:
    """What is gravest, for people and scripts."""
    pictures = Pictures(
        gray(views.image_w), gray(views.plain_uw), gray(guide).clip(0, 1), stereo.matched_w
    )
    found = Findings(
        rectification.registration,
        rectification.astray_share,
        stereo.near_far.is_sure,
        fit.law.defocus_per_disparity > 0,
        _parallax_px(stereo) * views.scale,
        contradicted,
    )
    return judge(pictures, found)


def _parallax_px(stereo: Stereo) -> float:
    """From the farthest to the nearest of what matched [full W px]."""
    seen = stereo.disparity_w_px[stereo.matched_w]
    if len(seen) == 0:
        return float("inf")
    low, high = np.quantile(seen[:: max(1, len(seen) // 50_000)], [0.02, 0.98])
    return float(high - low)


def _on_bend(rectification: Rectification) -> list[str]:
    if rectification.bend is None:
        return []
    return ["No two cameras explain how the photos differ; they were matched in two dimensions."]


def _doubts(stereo: Stereo, fit: BlurFit, left: float, shape: tuple[int, int]) -> list[str]:
    notes = []
    if not stereo.near_far.is_sure:
        notes.append("Near and far could hardly be told apart; they may be swapped.")
    if left > MAX_LEFT_ACROSS_PX * max(shape):
        notes.append(
            f"The photos fit each other only to {left:.1f} px; moving things or a hand that moved?"
        )
    if fit.law.defocus_per_disparity == 0:
        notes.append("The wide photo shows no measurable defocus; it is taken as sharp everywhere.")
    return notes


def preprocess_pair(
    image_w: Tensor,
    image_uw: Tensor,
    cameras: dict[str, Camera] | None = None,
    focus_distance_m: float | None = None,
    preprocessor: Preprocessor | None = None,
) -> Preprocessed:
    """`Preprocessor.__call__` with the default settings unless others are given."""
    return (preprocessor or Preprocessor())(image_w, image_uw, cameras, focus_distance_m)
