"""One phone's blur per disparity and UW's side from its photos: what `scripts/calibrate.py` does.

The slope is aperture over baseline, the same in all photos of a phone. One photo tells it to a
tenth, or worse where its focal plane lies outside of the scene; many together tell it well.
"""

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from omegaconf import OmegaConf

from dfnet.capture import METADATA, load_capture
from dfnet.errors import InputError
from dfnet.io.images import read_exif, read_image, write_whole
from dfnet.io.orientation import quarter_turns_left, turned_left
from dfnet.optics import BlurLaw
from dfnet.preprocess.blur_posterior import LOG_SPREAD, TYPICAL_DEFOCUS_PER_DISPARITY
from dfnet.preprocess.captures import preprocess_capture
from dfnet.preprocess.device_table import device_name
from dfnet.preprocess.pipeline import Preprocessor
from dfnet.preprocess.result import Preprocessed

MIN_TOLD = 3  # photos that must say on which side UW lies
MIN_AGREED = 0.5  # length of their mean direction: 3 of 4 agree


class MeasuredLaw(NamedTuple):
    """What one pair of photos tells.

    Attributes:
        name: of the photo.
        model: of the phone, as EXIF has it; empty where it says nothing.
        law: slope 0 where W shows no defocus.
        slope_deviation: standard deviation of the slope.
        focus_deviation_px: the same of the disparity in focus.
        direction: unit vector W to UW in the photo as the sensor stored it, as the pictures tell
            near from far; None where EXIF does not say how the phone was held.
    """

    name: str
    model: str
    law: BlurLaw
    slope_deviation: float
    focus_deviation_px: float
    direction: tuple[float, float] | None = None


class PooledSlope(NamedTuple):
    """A phone's slope.

    Attributes:
        defocus_per_disparity: aperture over baseline.
        deviation: its standard deviation.
        count: photos that tell of it.
    """

    defocus_per_disparity: float
    deviation: float
    count: int


def measure_folder(root: Path | str, preprocessor: Preprocessor) -> Iterator[MeasuredLaw]:
    """The law of each pair at or below a folder, pictures alone believed.

    Args:
        root: holds captures (`capture.json`; their first slice is read) or folders with `wide.*`
            and `ultrawide.*`.
        preprocessor: the chain.

    Raises:
        InputError: there is no pair, or one cannot be used.
    """
    folders = sorted(p.parent for p in Path(root).rglob("*") if p.name == METADATA or _is_wide(p))
    if not folders:
        raise InputError(
            f"{root}: no pairs\n"
            f"  Give a folder of captures ({METADATA}), or of folders with wide.* and ultrawide.*"
        )
    for folder in dict.fromkeys(folders):
        yield _measure(folder, preprocessor)


def pool_slopes(measured: Sequence[MeasuredLaw]) -> PooledSlope:
    """Inverse-variance mean of the slopes' logarithms; what one photo is sure of counts most.

    Each photo's answer holds what is known of phones in general: that is taken out and put back
    once. Where photos disagree by more than they admit, the result's deviation grows.

    Raises:
        InputError: no photo shows defocus.
    """
    telling = [m for m in measured if m.law.defocus_per_disparity > 0 and m.slope_deviation > 0]
    if not telling:
        raise InputError(
            "none of the photos shows defocus\n  Take some of near things before a far background."
        )
    slopes = np.array([m.law.defocus_per_disparity for m in telling])
    logs, deviations = np.log(slopes), np.array([m.slope_deviation for m in telling]) / slopes
    general, general_weight = np.log(TYPICAL_DEFOCUS_PER_DISPARITY), LOG_SPREAD**-2
    weights = deviations**-2.0
    own = (weights - general_weight).clip(1e-3)
    own_logs = general + (logs - general) * weights / own
    total = own.sum() + general_weight
    mean = (own @ own_logs + general_weight * general) / total
    chi2 = (own @ (own_logs - mean) ** 2) / max(len(telling) - 1, 1)
    spread = np.sqrt(max(chi2, 1.0) / total)
    return PooledSlope(float(np.exp(mean)), float(np.exp(mean) * spread), len(telling))


def pool_direction(measured: Sequence[MeasuredLaw]) -> tuple[float, float] | None:
    """On which side UW lies, where enough photos agree; a single one may have near and far swapped.

    Returns:
        unit vector in the axes of photos as the sensor stores them, or None.
    """
    told = np.array([m.direction for m in measured if m.direction is not None])
    if len(told) < MIN_TOLD:
        return None
    mean = told.mean(axis=0)
    length = float(np.hypot(*mean))
    return (float(mean[0] / length), float(mean[1] / length)) if length > MIN_AGREED else None


def one_model(measured: Sequence[MeasuredLaw]) -> str:
    """The phone that took the photos, empty where EXIF does not say.

    Raises:
        InputError: there are several phones.
    """
    models = sorted({m.model for m in measured if m.model})
    if len(models) > 1:
        raise InputError(
            f"photos by several phones: {', '.join(models)}\n"
            "  Each phone has a slope of its own; calibrate a folder for each."
        )
    return models[0] if models else ""


def write_preset(
    path: Path | str,
    pooled: PooledSlope,
    model: str,
    base: dict,
    direction: tuple[float, float] | None = None,
) -> None:
    """Write a camera preset that holds the slope, and UW's side where it is known.

    Args:
        path: a .yaml file; in configs/camera it is found by the photos' EXIF, or chosen by its
            name, `camera=NAME`.
        pooled: the slope.
        model: of the phone, by which EXIF finds it; empty where it is not known.
        base: a preset to be completed, as in configs/camera.
        direction: as `pool_direction`.
    """
    path = Path(path)
    if path.suffix != ".yaml":
        raise InputError(f"{path}: a preset ends in .yaml\n  Try configs/camera/my_phone.yaml")
    wide = {**base.get("wide", {})}
    wide["defocus_per_disparity"] = round(pooled.defocus_per_disparity, 4)
    record = {**base, "wide": wide}
    if model:
        record["models"] = [glob.escape(model)]
    if direction is not None:
        side = [round(value, 3) for value in direction]
        record["ultrawide"] = {**base.get("ultrawide", {}), "direction": side}
    text = (
        f"# {model or 'A phone'}: wide.defocus_per_disparity measured by scripts/calibrate.py on "
        f"{pooled.count} pairs,\n# +- {pooled.deviation:.3f} (standard deviation).\n"
        + OmegaConf.to_yaml(OmegaConf.create(record))
    )
    write_whole(path, lambda p: p.write_text(text, encoding="utf-8"))


def table(measured: Sequence[MeasuredLaw]) -> str:
    """A line for each photo."""
    width = max(len(m.name) for m in measured)
    return "\n".join(f"{m.name:{width}}  {_line(m)}" for m in measured)


def _line(m: MeasuredLaw) -> str:
    if m.law.defocus_per_disparity == 0:
        return "no defocus"
    return (
        f"{m.law.defocus_per_disparity:.3f} +- {m.slope_deviation:.3f}, in focus at "
        f"{m.law.disparity_at_focus_px:.0f} +- {m.focus_deviation_px:.0f} px"
    )


def _is_wide(path: Path) -> bool:
    return path.stem == "wide" and path.is_file() and _twin(path) is not None


def _twin(wide: Path) -> Path | None:
    return next(iter(sorted(wide.parent.glob("ultrawide.*"))), None)


def _measure(folder: Path, preprocessor: Preprocessor) -> MeasuredLaw:
    try:
        if (folder / METADATA).is_file():
            capture = load_capture(folder)
            photo = folder / capture.wide[0]
            found = preprocess_capture(capture, 0, preprocessor, use_metadata=False)
        else:
            photo = next(p for p in sorted(folder.glob("wide.*")) if _is_wide(p))
            found = preprocessor(read_image(photo), read_image(_twin(photo)))
    except InputError as error:
        named = str(folder) in str(error)
        raise InputError(str(error) if named else f"{folder}: {error}") from error
    return _measured(folder, photo, found)


def _measured(folder: Path, photo: Path, found: Preprocessed) -> MeasuredLaw:
    exif = read_exif(photo, ("Make", "Model"))
    model = device_name(str(exif.get("Make", "")), str(exif.get("Model", ""))).strip()
    quarters = quarter_turns_left(photo)
    direction = None
    if quarters is not None:
        direction = turned_left(*found.baseline_direction, -quarters % 4)
    return MeasuredLaw(
        folder.resolve().name, model, found.blur_law, *found.blur_law_deviation, direction
    )
