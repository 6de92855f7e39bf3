"""Thin-lens defocus: metres or disparity in, signed pixels out. Pure and differentiable."""

from dataclasses import dataclass

from torch import Tensor

MAX_PLAUSIBLE_FOCAL_LENGTH_M = 1.0


@dataclass(frozen=True)
class Lens:
    """One camera, focused at one distance.

    Attributes:
        focal_length_m: focal length of the lens [m]; it sets the aperture.
        focal_length_px: the intrinsic at the image size in use [px]; it sets the geometry.
        f_number: N; the aperture's diameter is `focal_length_m / f_number`.
        focus_distance_m: lens to the sharp plane [m]; `inf` is allowed.
    """

    focal_length_m: float
    focal_length_px: float
    f_number: float
    focus_distance_m: float

    def __post_init__(self):
        if not 0 < self.focal_length_m < self.focus_distance_m:
            raise ValueError(
                f"need 0 < focal_length_m < focus_distance_m, got {self.focal_length_m} and "
                f"{self.focus_distance_m}; is one of them in millimetres?"
            )
        if self.focal_length_m > MAX_PLAUSIBLE_FOCAL_LENGTH_M:
            raise ValueError(f"focal_length_m is {self.focal_length_m}; is it in millimetres?")
        if not (self.focal_length_px > 0 and self.f_number > 0):
            raise ValueError(
                f"need positive focal_length_px and f_number, got {self.focal_length_px} and "
                f"{self.f_number}"
            )

    @property
    def aperture_m(self) -> float:
        """Diameter of the entrance pupil [m]."""
        return self.focal_length_m / self.f_number


def signed_defocus_px(depth_m: Tensor, lens: Lens) -> Tensor:
    """Circle-of-confusion diameter, signed by the side of the focal plane.

    Negative nearer than the focal plane, zero on it, positive beyond it. DC² (section 3.2) uses the
    unsigned form `A |S2 - S1| / S2 * f / (S1 - f)` of the same thin-lens law.

    Args:
        depth_m: z-depth [m], any shape, positive; `inf` means sky.
        lens: the camera whose blur is wanted; the result counts its pixels.

    Returns:
        Diameter [px], same shape; its `.abs()` is `coc_px`.
    """
    # Written in 1/depth so that a lens focused at infinity has its limit and not inf * 0.
    beyond_ratio = 1.0 / (1.0 - lens.focal_length_m / lens.focus_distance_m)
    dioptres_from_focus = 1.0 / lens.focus_distance_m - 1.0 / depth_m
    return lens.aperture_m * lens.focal_length_px * beyond_ratio * dioptres_from_focus


@dataclass(frozen=True)
class BlurLaw:
    """Defocus is disparity seen across the aperture: a straight line through the focused disparity.

    Attributes:
        defocus_per_disparity: circle-of-confusion diameter per pixel of disparity, aperture over
            baseline; positive. About 0.22 on Pixel 6 Pro pairs.
        disparity_at_focus_px: the disparity that is sharp [px], in the frame of the disparity map
            it was fitted to; may lie outside the scene's range.
    """

    defocus_per_disparity: float
    disparity_at_focus_px: float

    def scaled(self, factor: float) -> "BlurLaw":
        """The law for images resized by `factor` (disparities and diameters both scale)."""
        return BlurLaw(self.defocus_per_disparity, self.disparity_at_focus_px * factor)


def defocus_from_disparity(disparity_px: Tensor, law: BlurLaw) -> Tensor:
    """Signed circle-of-confusion diameter [px] of each pixel's disparity (larger is nearer)."""
    return law.defocus_per_disparity * (law.disparity_at_focus_px - disparity_px)
