"""Preprocessing of captures on disk: estimated and cached, or from a renderer's truth."""

from dataclasses import asdict

import numpy as np
import torch

from dfnet.camera import Camera, known_cameras
from dfnet.capture import METADATA, Capture
from dfnet.errors import InputError
from dfnet.io.phone_depth import read_phone_depth
from dfnet.optics import BlurLaw, defocus_from_disparity
from dfnet.preprocess import cache
from dfnet.preprocess.blur_posterior import TYPICAL_DEFOCUS_PER_DISPARITY
from dfnet.preprocess.cameras import (
    baseline_m,
    defocus_per_disparity,
    found_preset,
    photo_cameras,
)
from dfnet.preprocess.colour import match_colour
from dfnet.preprocess.depth import relative_inverse_depth
from dfnet.preprocess.pipeline import Preprocessor, image_pixels, image_tensor
from dfnet.preprocess.result import Preprocessed
from dfnet.preprocess.stack_geometry import load_geometry
from dfnet.preprocess.validity import reasons
from dfnet.preprocess.verdict import GOOD
from dfnet.warp import backward_warp, inside_frame


def preprocess_capture(
    capture: Capture,
    index: int = 0,
    preprocessor: Preprocessor | None = None,
    preset: dict[str, Camera] | None = None,
    use_metadata: bool = True,
    use_cache: bool = True,
) -> Preprocessed:
    """Preprocess one slice with its UW frame, or fetch the result of an earlier run.

    All slices of an imported stack share the geometry that the import found; nothing is matched
    again, and an UW frame is not needed.

    Args:
        capture: needs an UW frame, unless it is an imported stack.
        index: of the slice.
        preprocessor: the chain and its settings.
        preset: cameras to assume where the capture's own metadata say nothing; without, the preset
            of the phone that EXIF names.
        use_metadata: whether to believe `capture.json` and EXIF; without, all is estimated.
        use_cache: whether to reuse and keep results.

    Raises:
        InputError: the capture has no UW frame, or the photos do not fit each other.
    """
    if capture.stack_geometry is not None:
        return stack_preprocessing(capture, index)
    preprocessor = preprocessor or Preprocessor()
    metadata = capture.cameras if use_metadata else {}
    distances = capture.focus_distance_m if use_metadata else None
    distance = distances[index] if distances else None
    files = _files(capture, index)
    preset = preset or (found_preset(files[0]) if use_metadata else {})
    key, name = "", f"{index:03d}" if use_metadata else f"{index:03d}-pictures-only"
    if use_cache:
        known = {n: asdict(c) for n, c in sorted({**preset, **metadata}.items())}
        look = (capture.photo, capture.scene) if capture.encoding == "sqrt_linear" else "as stored"
        settings = f"{preprocessor!r} {known} {preset} {distance} {use_metadata} {look}"
        key = cache.fingerprint(files, f"{settings} {index}")
        found = cache.load_cached(capture.folder, name, key)
        if found is not None:
            return found
    photos = capture.load_wide(index), capture.load_ultrawide(index)
    found, notes = photo_cameras(files, photos, preset, use_metadata)
    cameras = known_cameras(metadata, found)
    depth = read_phone_depth(files[0]) if preprocessor.use_phone_depth else None
    result = preprocessor(*photos, cameras, distance, depth and depth.disparity)
    result = result._replace(notes=(*notes, *result.notes))
    return cache.store(capture.folder, name, key, result) if use_cache else result


def stack_preprocessing(capture: Capture, index: int) -> Preprocessed:
    """What an import found, for one of its slices: one disparity and one blur law for all.

    Without UW the guide is the slice itself, and all of it counts as occluded.

    Raises:
        InputError: the stack's geometry cannot be read.
    """
    geometry = load_geometry(capture.folder / capture.stack_geometry)
    law, disparity = geometry.law(index), geometry.disparity_w_px
    if geometry.flow_w_to_uw is None:
        guide = capture.load_wide(index)
        flow, occluded = torch.zeros_like(guide[:2]), torch.ones_like(geometry.valid_w)
    else:
        flow, occluded = geometry.flow_w_to_uw, geometry.occluded_w
        merged = capture.load_truth().all_in_focus
        guide = _matched_guide(capture, index, flow, merged, occluded)
    valid = geometry.valid_w & ~occluded
    return Preprocessed(
        uw_on_w=guide,
        flow_w_to_uw=flow,
        disparity_w_px=disparity,
        occluded_w=occluded,
        valid_w=valid,
        validity_w=valid.float(),
        reason_w=reasons(valid, occluded),
        defocus_w_px=defocus_from_disparity(disparity, law),
        defocus_deviation_w_px=torch.zeros_like(disparity),
        blur_law=law,
        blur_law_deviation=(0.0, 0.0),
        device_defocus_per_disparity=law.defocus_per_disparity or TYPICAL_DEFOCUS_PER_DISPARITY,
        baseline_direction=geometry.baseline_direction,
        depth_w_m=None,
        relative_inverse_depth=relative_inverse_depth(disparity, geometry.valid_w),
        verdict=GOOD,
        notes=geometry.notes,
    )


def _matched_guide(capture, index, flow, image_w, occluded) -> torch.Tensor:
    """UW on W's grid, in the colours of `image_w`."""
    warped = backward_warp(capture.load_ultrawide(index)[None], flow[None], mode="bicubic")[0]
    guide = match_colour(
        image_pixels(warped.clamp(0, 1)), image_pixels(image_w), ~occluded[0].numpy()
    )
    return image_tensor(guide)


def true_preprocessing(capture: Capture, index: int = 0) -> Preprocessed:
    """What perfect preprocessing would say: geometry from the renderer, colours matched as ever.

    Raises:
        InputError: the capture lacks truth, an UW frame, focus distances or camera metadata.
    """
    truth = capture.load_truth()
    image_w, image_uw = capture.load_wide(index), capture.load_ultrawide(index)
    wide, baseline = capture.cameras.get("wide", Camera()), baseline_m(capture.cameras)
    defocus = capture.true_defocus_w_px(index, truth.depth_w_m)
    if baseline is None:
        raise InputError(
            f"{capture.folder / METADATA}: the ultrawide camera's `position_m` is missing\n"
            "  The true disparity needs it; give it in metres, or use estimated preprocessing."
        )
    metre_px = float(np.hypot(*baseline)) * wide.focal_length_px
    disparity = metre_px / truth.depth_w_m
    inside = inside_frame(truth.flow_w_to_uw[None], image_uw.shape[-2:])[0]
    occluded = truth.occluded_w | ~inside
    warped = backward_warp(image_uw[None], truth.flow_w_to_uw[None], mode="bicubic")[0]
    guide = match_colour(
        image_pixels(warped.clamp(0, 1)), image_pixels(image_w), ~occluded[0].numpy()
    )
    law = _true_law(capture, index, metre_px)
    return Preprocessed(
        uw_on_w=image_tensor(guide),
        flow_w_to_uw=truth.flow_w_to_uw,
        disparity_w_px=disparity,
        occluded_w=occluded,
        valid_w=~occluded,
        validity_w=(~occluded).float(),
        reason_w=reasons(~occluded, occluded),
        defocus_w_px=defocus,
        defocus_deviation_w_px=torch.zeros_like(defocus),
        blur_law=law,
        blur_law_deviation=(0.0, 0.0),
        device_defocus_per_disparity=defocus_per_disparity(capture.cameras),
        baseline_direction=tuple(float(v) for v in baseline / np.hypot(*baseline)),
        depth_w_m=truth.depth_w_m,
        relative_inverse_depth=relative_inverse_depth(disparity, torch.ones_like(occluded)),
        verdict=GOOD,
        notes=(),
    )


def _true_law(capture: Capture, index: int, metre_px: float) -> BlurLaw:
    """The exact line: defocus at infinity and at the focal plane are on it."""
    focus = metre_px / capture.focus_distance_m[index]
    at_infinity = float(capture.true_defocus_w_px(index, torch.tensor(float("inf"))))
    return BlurLaw(at_infinity / focus, focus)


def _files(capture: Capture, index: int) -> list:
    if not capture.ultrawide:
        capture.load_ultrawide(index)  # says what is missing
    ultrawide = capture.ultrawide[index if len(capture.ultrawide) > 1 else 0]
    paths = [capture.folder / capture.wide[index], capture.folder / ultrawide]
    for path in paths:
        if not path.is_file():
            raise InputError(
                f"{path}: no such file\n  {capture.folder / METADATA} names it; is it misspelt?"
            )
    return paths
