"""What the page's controls say, checked, as steps of the language of wishes.

All places and lengths count the wide photo's pixels, as the steps do, so that what was seen in the
preview is what is exported.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from dfnet.errors import InputError
from dfnet.targets.file_steps import EFFECTS, Mask
from dfnet.targets.language import Step, steps_from_json
from dfnet.targets.masks import painted
from dfnet.targets.shape_steps import CatEye, Polygon
from dfnet.targets.steps import AllInFocus, Aperture, FocusAt, Slab, TiltShift

SHARPNESS = ("as_shot", "all", "point", "tilt")
MASK_SIDE_PX = 512  # painted masks are kept this large; depth edges refine them
FEATHER_OF_DIAGONAL = 0.02
BRUSH_BLUR_OF_DIAGONAL = 0.006
SHOULDER = 0.5  # of the range's shorter reach: how softly blur sets in beyond both ends
MAX_STROKES, MAX_STROKE_POINTS = 300, 4000
_UNCHANGED_STOPS = 0.01


@dataclass(frozen=True)
class Stroke:
    """One stroke of the brush.

    Attributes:
        effect: `sharpen`, `blur` or `protect`; `erase` takes from all three.
        radius_px: of the brush.
        points: (x, y) on its way, at least one.
    """

    effect: str
    radius_px: float
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Tilt:
    """The miniature's band; see `TiltShift`."""

    x: float
    y: float
    angle_deg: float
    width_px: float
    blur_px: float


@dataclass(frozen=True)
class Controls:
    """What the photographer has set.

    Attributes:
        sharpness: `as_shot`, `all` (in focus), `point` or `tilt`.
        point: (x, y) of the click, with `point`.
        nearer_px: the sharp range's reach before the focus, as blur of the captured lens.
        farther_px: its reach beyond the focus.
        aperture_scale: over the captured one.
        tilt: with `tilt`.
        strokes: of the brush, in order.
        shape: of the blur; None is a disc.
    """

    sharpness: str = "as_shot"
    point: tuple[float, float] | None = None
    nearer_px: float = 0.0
    farther_px: float = 0.0
    aperture_scale: float = 1.0
    tilt: Tilt | None = None
    strokes: tuple[Stroke, ...] = ()
    shape: Polygon | CatEye | None = None


def controls_from_json(record: object) -> Controls:
    """What a page sent; a page may send anything.

    Raises:
        InputError: it is not what this app's page sends.
    """
    try:
        sharpness = record["sharpness"]
        controls = Controls(
            sharpness=sharpness,
            point=_point(record["point"]) if sharpness == "point" else None,
            nearer_px=_number(record.get("nearer_px", 0), 0),
            farther_px=_number(record.get("farther_px", 0), 0),
            aperture_scale=_number(record.get("aperture_scale", 1), 0),
            tilt=_tilt(record["tilt"]) if sharpness == "tilt" else None,
            strokes=tuple(_stroke(s) for s in record.get("strokes", [])[:MAX_STROKES]),
            shape=_shape(record.get("shape")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"controls: not understood ({type(error).__name__}: {error})\n  Reload the page."
        ) from error
    if sharpness not in SHARPNESS:
        raise InputError("controls: not understood (sharpness)\n  Reload the page.")
    return controls


def steps_of(controls: Controls, photo_size: tuple[int, int]) -> tuple[Step, ...]:
    """The steps that ask for it.

    Args:
        controls: what is set.
        photo_size: (width, height) of the wide photo.
    """
    steps: list[Step] = []
    if controls.sharpness == "all":
        steps.append(AllInFocus())
    elif controls.sharpness == "tilt":
        tilt = controls.tilt
        steps.append(TiltShift(tilt.x, tilt.y, tilt.angle_deg, tilt.width_px, tilt.blur_px))
    elif controls.sharpness == "point":
        steps.append(FocusAt(*controls.point))
    reach_px = controls.nearer_px + controls.farther_px
    if controls.sharpness in ("as_shot", "point") and reach_px > 0:
        softness_px = SHOULDER * min(controls.nearer_px, controls.farther_px)
        steps.append(Slab(controls.nearer_px, controls.farther_px, softness_px))
    if abs(math.log2(max(controls.aperture_scale, 1e-6))) > _UNCHANGED_STOPS:
        steps.append(Aperture(scale=controls.aperture_scale))
    if controls.shape is not None:
        steps.append(controls.shape)
    return (*steps, *_masks(controls.strokes, photo_size))


def _masks(strokes: tuple[Stroke, ...], photo_size: tuple[int, int]) -> list[Mask]:
    """One mask for each effect that was painted."""
    diagonal_px = math.hypot(*photo_size)
    masks = []
    for effect in EFFECTS:
        levels = brushed(strokes, effect, photo_size)
        if levels.any():
            blur_px = BRUSH_BLUR_OF_DIAGONAL * diagonal_px if effect == "blur" else 0.0
            feather_px = FEATHER_OF_DIAGONAL * diagonal_px
            masks.append(Mask(painted(levels), effect, round(blur_px, 2), round(feather_px, 2)))
    return masks


def brushed(strokes: tuple[Stroke, ...], effect: str, photo_size: tuple[int, int]) -> np.ndarray:
    """Where an effect was painted and not painted over, uint8 (h, w) at the mask's own size."""
    width, height = photo_size
    scale = min(1.0, MASK_SIDE_PX / max(photo_size))
    levels = np.zeros((max(1, round(height * scale)), max(1, round(width * scale))), np.uint8)
    for stroke in strokes:
        ink = 255 if stroke.effect == effect else 0
        points = (np.array(stroke.points) + 0.5) * scale - 0.5
        # OpenCV draws at parts of a pixel where it is told how many bits of the number they are.
        fixed = (points * 16).round().astype(np.int32)
        thickness = max(1, round(2 * stroke.radius_px * scale))
        cv2.polylines(levels, [fixed[:, None]], False, ink, thickness, cv2.LINE_AA, shift=4)
    return levels


def _stroke(record: dict) -> Stroke:
    if record["effect"] not in (*EFFECTS, "erase"):
        raise ValueError("effect")
    points = tuple(_point(p) for p in record["points"][:MAX_STROKE_POINTS])
    if not points:
        raise ValueError("a stroke without points")
    # A dot is a line of no length, which would not be drawn.
    points = points if len(points) > 1 else (points[0], (points[0][0] + 0.1, points[0][1]))
    return Stroke(record["effect"], _number(record["radius_px"], 0), points)


def _tilt(record: dict) -> Tilt:
    lengths = (_number(record[name], 0) for name in ("width_px", "blur_px"))
    places = (_number(record[name]) for name in ("x", "y", "angle_deg"))
    return Tilt(*places, *lengths)


def _shape(record: object) -> Polygon | CatEye | None:
    if record is None:
        return None
    (step,) = steps_from_json([record])
    if not isinstance(step, Polygon | CatEye):
        raise ValueError("shape")
    return step


def _point(record: object) -> tuple[float, float]:
    x, y = record
    return _number(x), _number(y)


def _number(value: object, least: float = -1e6) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number")
    if not least <= value <= 1e6:
        raise ValueError(f"{value!r} is out of range")
    return float(value)
