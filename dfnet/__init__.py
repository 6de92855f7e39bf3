"""Defocus control from a phone's wide and ultra-wide photos.

From two files to a picture::

    image_w, image_uw = read_image("wide.jpg"), read_image("ultrawide.jpg")
    pair = preprocess_pair(image_w, image_uw)
    target_defocus_w_px = targets.refocus_at(pair.defocus_w_px, (1200, 800))
    write_image(refocus(DFNet.from_pretrained(), image_w, pair, target_defocus_w_px), "there.png")
"""

import importlib

__version__ = "0.1.0"
__all__ = [
    "DFNet",
    "InputError",
    "preprocess_pair",
    "read_image",
    "refocus",
    "targets",
    "write_image",
]

_WHERE = {
    "DFNet": "dfnet.model",
    "InputError": "dfnet.errors",
    "preprocess_pair": "dfnet.preprocess",
    "read_image": "dfnet.io.images",
    "refocus": "dfnet.inference",
    "write_image": "dfnet.io.images",
}


def __getattr__(name: str) -> object:
    """Import torch and the rest only when they are asked for."""
    if name == "targets":
        return importlib.import_module("dfnet.targets")
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name]), name)
