"""Camera presets found by what EXIF calls the phone: the `models` of `configs/camera/*.yaml`.

`scripts/calibrate.py` writes presets there from a user's own photos; they come before the shipped.
"""

from fnmatch import fnmatchcase
from pathlib import Path

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from dfnet.camera import Camera, cameras_of_preset, known_cameras
from dfnet.errors import InputError

PRESETS = Path(__file__).parents[2] / "configs" / "camera"  # beside the package, in a checkout


def find_preset(make: str, model: str, folder: Path = PRESETS) -> dict[str, Camera]:
    """The preset of a phone; empty where none is known.

    Args:
        make: as in EXIF.
        model: as in EXIF.
        folder: of presets. Of several that name the phone, measured ones are believed first.

    Raises:
        InputError: a preset cannot be read.
    """
    name = device_name(make, model).casefold()
    records = ((path, _read(path)) for path in sorted(folder.glob("*.yaml")))
    fitting = [
        cameras_of_preset(record, str(path))
        for path, record in records
        if any(fnmatchcase(name, str(m).casefold()) for m in record.get("models") or ())
    ]
    return known_cameras(*sorted(fitting, key=lambda cameras: not _is_measured(cameras)))


def device_name(make: str, model: str) -> str:
    """`make model`, the make once: `Apple iPhone 15 Pro`, `Google Pixel 6 Pro`."""
    make, model = make.strip(), model.strip()
    return model if model.casefold().startswith(make.casefold()) else f"{make} {model}"


def _is_measured(cameras: dict[str, Camera]) -> bool:
    return cameras.get("wide", Camera()).defocus_per_disparity is not None


def _read(path: Path) -> dict:
    try:
        record = OmegaConf.to_container(OmegaConf.load(path))
    except (OSError, OmegaConfBaseException, YAMLError, ValueError) as error:
        raise InputError(
            f"{path}: not a camera preset ({type(error).__name__})\n"
            "  Mend it or take it away; the presets beside it show how one is written."
        ) from error
    return record if isinstance(record, dict) else {}
