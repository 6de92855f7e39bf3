"""What is wanted: a small language of steps that make a target defocus map.

A target map holds signed circle-of-confusion diameters in W's pixels, negative nearer than the
focus. An edit is a list of steps that are applied in order (`steps`, `file_steps`); `make_target`
works them out on a `Scene`, `steps_to_json` keeps them exactly. `maps` has the mathematics alone.
"""

from dfnet.targets.file_steps import Like, MapFile, Mask
from dfnet.targets.files import read_map, write_map
from dfnet.targets.language import (
    WORDS,
    files_of,
    step_from_text,
    steps_from_json,
    steps_to_json,
    with_files,
)
from dfnet.targets.masks import painted
from dfnet.targets.scene import Scene
from dfnet.targets.shape_steps import CatEye, Polygon
from dfnet.targets.steps import (
    AllInFocus,
    Aperture,
    DistanceRange,
    FocusAt,
    FocusDistance,
    FocusRange,
    Plane,
    Slab,
    SplitFocus,
    TiltShift,
)
from dfnet.targets.wish import Between, Step, Target, focus_pull, make_target, work_out

__all__ = [
    "WORDS",
    "AllInFocus",
    "Aperture",
    "Between",
    "CatEye",
    "DistanceRange",
    "FocusAt",
    "FocusDistance",
    "FocusRange",
    "Like",
    "MapFile",
    "Mask",
    "Plane",
    "Polygon",
    "Scene",
    "Slab",
    "SplitFocus",
    "Step",
    "Target",
    "TiltShift",
    "files_of",
    "focus_pull",
    "make_target",
    "painted",
    "read_map",
    "step_from_text",
    "steps_from_json",
    "steps_to_json",
    "with_files",
    "work_out",
    "write_map",
]
