"""Metadata that cannot be true of a phone are dropped, each with a note that says why."""

from dataclasses import replace

import numpy as np

from dfnet.camera import FILM_DIAGONAL_MM, Camera

EQUIVALENT_MM = (6.0, 400.0)  # of a lens on 36 x 24 mm; phones have 12 to 240
F_NUMBERS = (0.9, 32.0)
FRAME_MM = (1.4, 60.0)  # the longer side of the sensor; half a small ultra-wide's is 1.6
BASELINE_M = (0.002, 0.25)  # between the lenses; phones have 0.009 to 0.03, headsets 0.064
SLOPES = (0.002, 3.0)  # defocus per disparity: aperture over baseline


def plausible_cameras(
    cameras: dict[str, Camera], shapes: dict[str, tuple[int, int]]
) -> tuple[dict[str, Camera], tuple[str, ...]]:
    """What of the metadata can be believed before the pictures are looked at.

    Args:
        cameras: `wide` and `ultrawide`, as far as known.
        shapes: (H, W) of their photos.

    Returns:
        The cameras without what is impossible, and a note on each thing that was dropped.
    """
    kept, notes = {}, []
    for name, camera in cameras.items():
        kept[name], said = _plausible(camera, shapes[name])
        notes += [f"The {name} camera's {what}; it is not believed." for what in said]
    return kept, tuple(notes)


def equivalent_mm(camera: Camera, shape: tuple[int, int]) -> float | None:
    """Focal length of the lens with the same view on 36 x 24 mm, or None where not known.

    Args:
        camera: needs `focal_length_px`.
        shape: (H, W) of its photo.
    """
    if camera.focal_length_px is None:
        return None
    frame_px = camera.full_frame_px or shape[::-1]
    return camera.focal_length_px * FILM_DIAGONAL_MM / float(np.hypot(*frame_px))


def _plausible(camera: Camera, shape: tuple[int, int]) -> tuple[Camera, list[str]]:
    said = []
    for fields, value, limits, text in _statements(camera, shape):
        if value is not None and not limits[0] <= value <= limits[1]:
            said.append(text.format(value=value))
            camera = replace(camera, **dict.fromkeys(fields))
    return camera, said


def _statements(camera: Camera, shape: tuple[int, int]):
    """Fields, a figure they imply, its limits, and what is said when it is beyond them."""
    view_mm = equivalent_mm(camera, shape)
    yield (
        ("focal_length_px",),
        view_mm,
        EQUIVALENT_MM,
        "focal length is that of a {value:.3g} mm lens (35 mm film)",
    )
    is_view_sound = view_mm is not None and EQUIVALENT_MM[0] <= view_mm <= EQUIVALENT_MM[1]
    if is_view_sound and camera.focal_length_m is not None:
        frame_px = max(camera.full_frame_px or shape)
        frame_mm = 1000 * camera.focal_length_m / camera.focal_length_px * frame_px
        text = "focal length in millimetres means a sensor {value:.2g} mm wide"
        yield ("focal_length_m",), frame_mm, FRAME_MM, text
    yield ("f_number",), camera.f_number, F_NUMBERS, "f-number is {value:.3g}"
    slope = camera.defocus_per_disparity
    yield ("defocus_per_disparity",), slope, SLOPES, "blur per disparity is {value:.3g}"
    baseline = None if camera.position_m is None else float(np.hypot(*camera.position_m[:2]))
    text = "distance to the wide camera is {value:.3g} m"
    yield ("position_m",), baseline or None, BASELINE_M, text
