"""One photo alone: the depth map inside its file instead of a second camera's view.

The network runs with the guide marked absent everywhere, so what blur hides stays hidden; it can
sharpen a little, and blur as a lens would.
"""

import cv2
import numpy as np
import torch
from PIL import ExifTags, Image
from torch import Tensor

from dfnet.camera import Camera
from dfnet.io.exif import SUBJECT_AREA
from dfnet.io.phone_depth import PhoneDepth
from dfnet.optics import BlurLaw, defocus_from_disparity
from dfnet.preprocess.blur_posterior import TYPICAL_DEFOCUS_PER_DISPARITY
from dfnet.preprocess.depth import relative_inverse_depth
from dfnet.preprocess.pipeline import image_pixels
from dfnet.preprocess.refine import upsample_along_edges
from dfnet.preprocess.result import Preprocessed
from dfnet.preprocess.validity import reasons
from dfnet.preprocess.verdict import Verdict
from dfnet.sample import absent_guide

ALONE = Verdict(
    "one photo alone",
    "There is no ultra-wide photo: blur can be added, and hardly any taken away.",
)
JUMP_SHARE = 1 / 40  # of the depth map's range: steps within a surface are smaller
BLUR_OF_DIAGONAL = 0.01  # over the depth map's range, where nothing tells the lens's
FOCUS_WINDOW_PX = 5  # half the side, of the depth map

Point = tuple[float, float]


def preprocess_single(
    image_w: Tensor, depth: PhoneDepth, camera: Camera, focus: Point | None = None
) -> Preprocessed:
    """A photo and its depth map in the form that a pair has.

    Args:
        image_w: (3, H, W) in [0, 1].
        depth: of the photo's whole frame, upright.
        camera: what EXIF tells; lens and pixels say how strongly it blurs.
        focus: (x, y) of what the photo is focused on [px]; it counts as sharp everywhere when None.
    """
    height, width = image_w.shape[-2:]
    coarse = depth.disparity[0].numpy()
    unit_px = _px_per_inverse_depth(coarse, camera, (height, width))
    slope = camera.defocus_per_disparity or TYPICAL_DEFOCUS_PER_DISPARITY
    coarse_px = coarse * np.float32(unit_px / slope)
    disparity = torch.from_numpy(_enlarged(coarse_px, image_w))[None]
    law = BlurLaw(0.0, 0.0)
    if focus is not None:
        law = BlurLaw(slope, _around(coarse_px, focus, (width, height)))
    uw_on_w, occluded_w = absent_guide(image_w)
    return Preprocessed(
        uw_on_w=uw_on_w,
        flow_w_to_uw=torch.zeros(2, height, width),
        disparity_w_px=disparity,
        occluded_w=occluded_w,
        valid_w=~occluded_w,
        validity_w=torch.zeros_like(disparity),
        reason_w=reasons(~occluded_w, occluded_w),
        defocus_w_px=defocus_from_disparity(disparity, law),
        defocus_deviation_w_px=torch.zeros_like(disparity),
        blur_law=law,
        blur_law_deviation=(float("inf"), float("inf")),
        device_defocus_per_disparity=slope,
        baseline_direction=(1.0, 0.0),
        depth_w_m=unit_px / slope / disparity.clamp_min(1e-6) if depth.metric else None,
        relative_inverse_depth=relative_inverse_depth(disparity, ~occluded_w),
        verdict=ALONE,
        notes=(f"{ALONE.sentence} Depth: {depth.source} in the file.",),
    )


def subject_point(exif: bytes) -> Point | None:
    """What the camera focused on, (x, y) in the upright photo [px]; None where EXIF is silent.

    Args:
        exif: a TIFF structure; its places are those of the stored picture, not yet turned.
    """
    tags = Image.Exif()
    tags.load(b"Exif\0\0" + exif)
    about = tags.get_ifd(ExifTags.IFD.Exif)
    area = about.get(SUBJECT_AREA)
    width, height = (
        about.get(tag) for tag in (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)
    )
    if not isinstance(area, tuple) or len(area) < 2 or not width or not height:
        return None
    x, y = float(area[0]), float(area[1])
    if not (0 <= x < width and 0 <= y < height):
        return None
    right, bottom = width - 1 - x, height - 1 - y
    turned = {
        2: (right, y),
        3: (right, bottom),
        4: (x, bottom),
        5: (y, x),
        6: (bottom, x),
        7: (bottom, right),
        8: (y, right),
    }
    return turned.get(tags.get(ExifTags.Base.Orientation, 1), (x, y))


def _px_per_inverse_depth(coarse: np.ndarray, camera: Camera, shape: tuple[int, int]) -> float:
    """Blur diameter [px] per unit of the depth map: aperture times focal length for 1/m."""
    known = (camera.focal_length_m, camera.focal_length_px, camera.f_number)
    if None not in known:
        return camera.focal_length_m / camera.f_number * camera.focal_length_px
    return BLUR_OF_DIAGONAL * float(np.hypot(*shape)) / max(float(np.ptp(coarse)), 1e-6)


def _enlarged(coarse: np.ndarray, image_w: Tensor) -> np.ndarray:
    """The depth map [px of disparity] at the photo's size, its edges on the photo's, (H, W)."""
    photo = image_pixels(image_w)
    size = coarse.shape[::-1]
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    jump = JUMP_SHARE * float(np.ptp(coarse))
    return upsample_along_edges(coarse, np.ones_like(coarse), small, photo, jump)


def _around(coarse: np.ndarray, focus: Point, size: tuple[int, int]) -> float:
    """The depth map's median around a place of the photo."""
    rows, columns = (
        slice(max(0, int((at + 0.5) / side * small) - FOCUS_WINDOW_PX), None)
        for at, side, small in zip(focus[::-1], size[::-1], coarse.shape, strict=True)
    )
    window = coarse[rows, columns][: 2 * FOCUS_WINDOW_PX + 1, : 2 * FOCUS_WINDOW_PX + 1]
    return float(np.median(window))
