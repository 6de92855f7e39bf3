"""The phones whose cameras are rendered: the presets of `configs/camera`, so numbers live once."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from omegaconf import OmegaConf

from dfnet.camera import Camera, camera_from_json
from dfnet.errors import InputError

PRESETS = Path(__file__).parents[2] / "configs" / "camera"  # beside the package, in a checkout
# Phones whose ultra-wide focuses, for macro photos too; others have it fixed. Unverified.
AUTOFOCUS_ULTRAWIDES = frozenset({"iphone15pro", "galaxy_s23_ultra"})


@dataclass(frozen=True)
class Device:
    """A phone's two cameras.

    Attributes:
        name: of its preset.
        wide: lens and full frame; `focal_length_px` belongs to `full_frame_px`.
        ultrawide: likewise.
        ultrawide_focuses: False where the ultra-wide's focus is fixed.
    """

    name: str
    wide: Camera
    ultrawide: Camera
    ultrawide_focuses: bool


def load_device(name: str) -> Device:
    """Read a phone's preset.

    Raises:
        InputError: there is none of this name, or it leaves a lens unknown.
    """
    path = PRESETS / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in PRESETS.glob("*.yaml")))
        raise InputError(
            f"{path}: no such camera preset\n"
            f"  Rendering reads lenses from there, in a checkout of the project; found: {known}."
        )
    record = OmegaConf.to_container(OmegaConf.load(path))
    cameras = [camera_from_json(record.get(k, {}), f"{path}, {k}") for k in ("wide", "ultrawide")]
    for key, camera in zip(("wide", "ultrawide"), cameras, strict=True):
        if camera.lens(1.0) is None or camera.full_frame_px is None:
            raise InputError(
                f"{path}: {key} is not known well enough to be rendered\n"
                "  It needs focal_length_mm, f_number, focal_length_px and full_frame_px."
            )
    return Device(name, *cameras, ultrawide_focuses=name in AUTOFOCUS_ULTRAWIDES)


def draw_device(rng: np.random.Generator, names: tuple[str, ...]) -> Device:
    """One of these phones, each equally likely."""
    return load_device(names[rng.integers(len(names))])
