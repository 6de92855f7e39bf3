"""The kinds of place: who builds them, how often, how deep they are, how the camera looks."""

import math
from collections.abc import Callable
from typing import NamedTuple

from dfnet.render import indoors, outdoors

FARTHEST_M = 1e4


class Setting(NamedTuple):
    """One kind of place.

    Attributes:
        build: takes a stage, the nearest depth and the far end of the place [m].
        share: of all scenes.
        far_m: where the place ends, drawn between these, evenly in the logarithm.
        looking_down: how far the gaze points below the horizon, in half fields of view.
        tilt: added to that, in degrees.
        lamps: how many of its scenes have point lights.
    """

    build: Callable
    share: float
    far_m: tuple[float, float]
    looking_down: tuple[float, float]
    tilt: tuple[float, float] = (0.0, 0.0)
    lamps: float = 0.35


OPEN = (FARTHEST_M, FARTHEST_M)
SETTINGS = {
    "desk": Setting(indoors.build_desk, 0.16, (0.9, 3.0), (0.9, 2.2)),
    "table_top": Setting(indoors.build_table_top, 0.10, (0.5, 1.5), (1.0, 1.0), (8.0, 40.0), 0.05),
    "counter": Setting(indoors.build_counter, 0.13, (0.6, 2.2), (0.7, 2.0), lamps=0.2),
    "shelf": Setting(indoors.build_shelf, 0.10, (0.8, 3.0), (-0.1, 0.5), lamps=0.1),
    "room": Setting(indoors.build_room, 0.09, (2.5, 7.0), (0.6, 1.2)),
    "hall": Setting(indoors.build_hall, 0.11, (7.0, 25.0), (0.2, 0.9), lamps=0.5),
    "macro": Setting(indoors.build_macro, 0.08, (1.0, 5.0), (0.5, 1.4), lamps=0.5),
    "terrace": Setting(outdoors.build_terrace, 0.07, OPEN, (0.75, 1.4)),
    "garden": Setting(outdoors.build_garden, 0.08, OPEN, (0.3, 1.0), lamps=0.2),
    "street": Setting(outdoors.build_street, 0.08, OPEN, (0.1, 0.8), lamps=0.5),
}


def draw_depth(rng, setting: Setting) -> float:
    """Where a place of this kind ends [m]."""
    low, high = setting.far_m
    return float(math.exp(rng.uniform(math.log(low), math.log(high))))


def draw_tilt(rng, setting: Setting, half_fov: float) -> float:
    """How far the gaze points below the horizon [rad]."""
    tilt = math.radians(rng.uniform(*setting.tilt))
    return half_fov * rng.uniform(*setting.looking_down) + tilt
