"""Defocus control from a phone's wide and ultra-wide photos.

From two files to a picture::

    photo = dfnet.load_pair("wide.jpg", "ultrawide.jpg")
    photo.prepare()  # once
    picture = photo.refocus([dfnet.FocusAt(1200, 800), dfnet.Aperture(2.0)])
    picture.save("there.jpg")
"""

import importlib

__version__ = "0.1.0"
_STEPS = (
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
    "Slab",
    "SplitFocus",
    "TiltShift",
    "focus_pull",
    "painted",
    "steps_from_json",
    "steps_to_json",
)
_WHERE = {
    **dict.fromkeys(_STEPS, "dfnet.targets"),
    "DFNet": "dfnet.model",
    "InputError": "dfnet.errors",
    "Pair": "dfnet.pair",
    "Picture": "dfnet.pair",
    "load_pair": "dfnet.pair",
    "preprocess_pair": "dfnet.preprocess",
    "read_image": "dfnet.io.images",
    "refocus": "dfnet.inference",
    "write_image": "dfnet.io.images",
}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> object:
    """Import torch and the rest only when they are asked for."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name]), name)
