"""What preprocessing hands on: everything on W's grid, at W's full resolution."""

from typing import NamedTuple

from torch import Tensor

from dfnet.optics import BlurLaw
from dfnet.preprocess.verdict import Verdict


class Preprocessed(NamedTuple):
    """One W/UW pair, understood.

    Attributes:
        uw_on_w: (3, H, W) sRGB in [0, 1]: UW's sharp content on W's grid in W's colours.
        flow_w_to_uw: (2, H, W) [full-resolution UW px minus W px].
        disparity_w_px: (1, H, W), larger is nearer; up to an offset unless `depth_w_m` is given.
        occluded_w: (1, H, W) bool, UW cannot see the point: hidden, or out of its frame.
        valid_w: (1, H, W) bool, matched consistently and not occluded: `reason_w` is VALID.
        validity_w: (1, H, W) in [0, 1], how far `uw_on_w` can be believed.
        reason_w: (1, H, W) uint8, a `validity.Reason`: why a pixel is not valid.
        defocus_w_px: (1, H, W) signed circle-of-confusion diameter of W; zero where W is found to
            have no defocus.
        defocus_deviation_w_px: (1, H, W) standard deviation of `defocus_w_px`: the law's and the
            disparity's together.
        blur_law: the line behind `defocus_w_px`, in the frame of `disparity_w_px`. Its slope is 0
            where W shows no defocus; use `device_defocus_per_disparity` for what is asked of it.
        blur_law_deviation: standard deviations of the law's slope and of its focus [px]; infinite
            where the pictures tell nothing.
        device_defocus_per_disparity: aperture over baseline: of the metadata, else fitted, else
            what phones typically have.
        baseline_direction: unit vector W to UW in W's image axes (x, y).
        depth_w_m: (1, H, W) [m], or None where the rig is not known.
        relative_inverse_depth: (1, H, W) in [0, 1], 1 nearest; no unit.
        verdict: the gravest that is wrong with the pair, or `good`.
        notes: what the user should know, one plain sentence each.
    """

    uw_on_w: Tensor
    flow_w_to_uw: Tensor
    disparity_w_px: Tensor
    occluded_w: Tensor
    valid_w: Tensor
    validity_w: Tensor
    reason_w: Tensor
    defocus_w_px: Tensor
    defocus_deviation_w_px: Tensor
    blur_law: BlurLaw
    blur_law_deviation: tuple[float, float]
    device_defocus_per_disparity: float
    baseline_direction: tuple[float, float]
    depth_w_m: Tensor | None
    relative_inverse_depth: Tensor
    verdict: Verdict
    notes: tuple[str, ...]
