"""What can be asked, each step a frozen record of numbers: `apply` turns a draft into the next.

Points and lengths count the wide photo's pixels, from the top left, pixel centres at integers.
Steps that focus start from what the lens shows, and replace what was asked before, but for the
aperture; steps that shape work on the map so far. The order is the order they are given in.
"""

from dataclasses import dataclass

from dfnet.camera import equivalent_f_number
from dfnet.errors import InputError
from dfnet.targets import maps
from dfnet.targets.records import Record, need_not_negative, need_positive
from dfnet.targets.scene import Draft, Scene

MAX_APERTURE_SCALE = 2.5  # what DC² shows, and what the training draws


@dataclass(frozen=True)
class AllInFocus(Record):
    """No blur anywhere."""

    def apply(self, draft: Draft, scene: Scene) -> Draft:
        """Zero everywhere."""
        return draft.focused(maps.all_in_focus(draft.lens_defocus_w_px))


@dataclass(frozen=True)
class FocusAt(Record):
    """The lens focused on what is seen at a point.

    Attributes:
        x: from the left [px].
        y: from the top [px].
    """

    x: float
    y: float

    def apply(self, draft: Draft, scene: Scene) -> Draft:
        """Zero around the point."""
        point = scene.on_grid(self.x, self.y, "focus_at")
        return draft.focused(maps.refocus_at(draft.lens_defocus_w_px, point))


@dataclass(frozen=True)
class FocusDistance(Record):
    """The lens focused at a distance; needs calibrated cameras.

    Attributes:
        distance_m: along the optical axis [m].
    """

    distance_m: float

    def __post_init__(self):
        super().__post_init__()
        need_positive("focus_distance", self.distance_m)

    def apply(self, draft: Draft, scene: Scene) -> Draft:
        """Zero at the distance."""
        there = scene.defocus_at_distance_px(self.distance_m, "focus_distance")
        return draft.focused(draft.lens_defocus_w_px - there * draft.aperture_scale)


@dataclass(frozen=True)
class FocusRange(Record):
    """Sharp from the depth seen at one point to the depth seen at another.

    Attributes:
        x1: of one end [px].
        y1: of one end [px].
        x2: of the other [px].
        y2: of the other [px].
        softness_px: blur [px] over which it sets in beyond the ends.
    """

    x1: float
    y1: float
    x2: float
    y2: float
    softness_px: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        need_not_negative("focus_range", self.softness_px)

    def apply(self, draft: Draft, scene: Scene) -> Draft:
        """Zero between the two depths."""
        ends = sorted(
            maps.value_at(draft.lens_defocus_w_px, scene.on_grid(x, y, "focus_range"))
            for x, y in ((self.x1, self.y1), (self.x2, self.y2))
        )
        softness = self.softness_px * scene.scale
        return draft.focused(maps.slab(draft.lens_defocus_w_px, *ends, softness))


@dataclass(frozen=True)
class DistanceRange(Record):
    """Sharp from one distance to another; needs calibrated cameras.

    Attributes:
        near_m: along the optical axis [m].
        far_m: larger [m].
        softness_px: blur [px] over which it sets in beyond the ends.
    """

    near_m: float
    far_m: float
    softness_px: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        need_positive("distance_range", self.near_m)
        need_not_negative("distance_range", self.softness_px)
        if self.far_m <= self.near_m:
            raise InputError(
                f"distance_range={self.near_m:g},{self.far_m:g}: the far end is not beyond the near"
                "\n  Give the nearer distance first, both in metres."
            )

    def apply(self, draft: Draft, scene: Scene) -> Draft:
        """Zero between the two distances."""
        ends = [
            draft.aperture_scale * scene.defocus_at_distance_px(m, "distance_range")
            for m in (self.near_m, self.far_m)
        ]
        softness = self.softness_px * scene.scale
        return draft.focused(maps.slab(draft.lens_defocus_w_px, *ends, softness))


@dataclass(frozen=True)
class Plane(Record):
    """A tilted plane of focus through what is seen at three points (Scheimpflug).

    Attributes:
        x1: [px].
        y1: [px].
        x2: [px].
        y2: [px].
        x3: [px].
        y3: [px].
    """

    x1: float
    y1: float
    x2: float
    y2: float
    x3: float
    y3: float

    def apply(self, draft: Draft, scene: Scene) -> Draft:
        """Zero on the plane."""
        at = ((self.x1, self.y1), (self.x2, self.y2), (self.x3, self.y3))
        points = [scene.on_grid(x, y, "plane") for x, y in at]
        return draft.focused(maps.plane_through(draft.lens_defocus_w_px, points))


@dataclass(frozen=True)
class SplitFocus(Record):
    """A split dioptre: each of two points sharp on its side of the line half way between them.

    Attributes:
        x1: [px].
        y1: [px].
        x2: [px].
        y2: [px].
        feather_px: width of the transition between the sides [px].
    """

    x1: float
    y1: float
    x2: float
    y2: float
    feather_px: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        need_not_negative("split_focus", self.feather_px)

    def apply(self, draft: Draft, scene: Scene) -> Draft:
        """Zero around each point."""
        at = ((self.x1, self.y1), (self.x2, self.y2))
        points = [scene.on_grid(x, y, "split_focus") for x, y in at]
        feather = self.feather_px * scene.scale
        return draft.focused(maps.split(draft.lens_defocus_w_px, points, feather))


@dataclass(frozen=True)
class TiltShift(Record):
    """The miniature look, which heeds no depth: a sharp band, and blur that grows on both sides.

    Attributes:
        x: of a point on the band's middle line [px].
        y: of that point [px].
        angle_deg: of the line, 0 is level, growing clockwise.
        width_px: of the sharp band [px].
        blur_px: the largest blur, a diameter [px].
        fade_px: distance from the band's edge to the largest blur [px]; the band's width when None.
    """

    x: float
    y: float
    angle_deg: float
    width_px: float
    blur_px: float
    fade_px: float | None = None

    def __post_init__(self):
        super().__post_init__()
        for value in (self.width_px, self.blur_px, self.fade_px or 0.0):
            need_not_negative("tilt_shift", value)

    def apply(self, draft: Draft, scene: Scene) -> Draft:
        """The band's map instead of any other."""
        point = scene.on_grid(self.x, self.y, "tilt_shift")
        fade_px = self.width_px if self.fade_px is None else self.fade_px
        widths = (self.width_px * scene.scale, fade_px * scene.scale)
        growth = maps.tilt_shift(scene.shape, point, self.angle_deg, widths)
        return draft.focused(growth * (self.blur_px * scene.scale))


@dataclass(frozen=True)
class Slab(Record):
    """What is nearly sharp becomes sharp: blur up to some diameter is taken off on each side.

    Attributes:
        nearer_px: of what lies nearer than the focus [px].
        farther_px: of what lies beyond it [px].
        softness_px: blur [px] over which it sets in beyond that.
    """

    nearer_px: float
    farther_px: float
    softness_px: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        for value in (self.nearer_px, self.farther_px, self.softness_px):
            need_not_negative("slab", value)

    def apply(self, draft: Draft, scene: Scene) -> Draft:
        """The map so far with a flat middle."""
        near, far, soft = (
            v * scene.scale for v in (self.nearer_px, self.farther_px, self.softness_px)
        )
        return draft.focused(maps.slab(draft.target_defocus_w_px, -near, far, soft))


@dataclass(frozen=True)
class Aperture(Record):
    """A wider or narrower aperture; exactly one of the two says which.

    Attributes:
        scale: of the blur so far: 0 all in focus, 1 as it is, 2 twice the blur.
        f_number: the phone's own, against the one that it was captured with; needs EXIF or preset.
    """

    scale: float | None = None
    f_number: float | None = None

    def __post_init__(self):
        super().__post_init__()
        if (self.scale is None) == (self.f_number is None):
            raise InputError("aperture: give either a scale or an f-number")
        need_not_negative("aperture_scale", self.scale or 0.0)
        need_positive("f_number", 1.0 if self.f_number is None else self.f_number)

    def apply(self, draft: Draft, scene: Scene) -> Draft:
        """The map so far, multiplied."""
        if self.f_number is None:
            factor = self.scale
        else:
            factor = captured_f_number(scene) / (self.f_number * draft.aperture_scale)
        wanted = draft.aperture_scale * factor
        if wanted > MAX_APERTURE_SCALE:
            factor = MAX_APERTURE_SCALE / draft.aperture_scale
            draft = draft.noting(
                f"an aperture {wanted:.3g} times as wide as the photo's was limited to "
                f"{MAX_APERTURE_SCALE:g} times, the widest that the network has learned"
            )
        draft = draft._replace(
            target_defocus_w_px=maps.aperture(draft.target_defocus_w_px, factor),
            lens_defocus_w_px=maps.aperture(draft.lens_defocus_w_px, factor),
            aperture_scale=draft.aperture_scale * factor,
        )
        return draft.noting(_shown_as(draft, scene)) if self.f_number else draft


def captured_f_number(scene: Scene) -> float:
    """W's own f-number.

    Raises:
        InputError: nothing says it.
    """
    wide = scene.cameras.get("wide")
    if wide is None or wide.f_number is None:
        raise InputError(
            "f_number: the photo does not say with which f-number it was taken\n"
            "  Use aperture_scale=…, which multiplies the blur, or name a preset "
            "(camera=pixel6pro)."
        )
    return wide.f_number


def _shown_as(draft: Draft, scene: Scene) -> str:
    """The aperture in words, and as photographers with large cameras know it."""
    captured = captured_f_number(scene)
    got = captured / draft.aperture_scale
    equivalent = equivalent_f_number(scene.cameras["wide"], scene.shape)
    text = f"f/{got:.3g} instead of f/{captured:.3g}"
    if equivalent is None:
        return text
    factor = equivalent / captured
    return f"{text}: on full frame f/{got * factor:.3g} instead of f/{equivalent:.3g}"
