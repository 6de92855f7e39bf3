"""Results kept beside the capture and reused only while nothing they depend on has changed."""

import hashlib
import json
import os
import shutil
import zipfile
import zlib
from pathlib import Path

import numba
import numpy as np
import torch

from dfnet.errors import InputError
from dfnet.io.images import write_whole
from dfnet.optics import BlurLaw
from dfnet.preprocess.result import Preprocessed
from dfnet.preprocess.verdict import Verdict

FOLDER = ".dfnet_cache"
VERSION = 2  # raise it whenever results change for the same photos and settings
LEVELS = 65535
MAPS = (
    "uw_on_w",
    "flow_w_to_uw",
    "disparity_w_px",
    "defocus_w_px",
    "defocus_deviation_w_px",
    "relative_inverse_depth",
)
FLAGS = ("occluded_w", "valid_w")
UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)


def fingerprint(files: list[Path], settings: str) -> str:
    """Hash of the files' bytes, the settings and the version of the code."""
    digest = hashlib.sha256(f"{VERSION}\n{settings}\n".encode())
    for path in files:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def load_cached(capture_folder: Path, name: str, key: str) -> Preprocessed | None:
    """The stored result, or None where there is none, an outdated or a damaged one."""
    folders = (capture_folder / FOLDER, user_folder(capture_folder))
    found = (read_stored(folder / f"{name}.npz", key) for folder in folders)
    return next((result for result in found if result is not None), None)


def read_stored(path: Path, key: str) -> Preprocessed | None:
    """The result in a file, or None where there is none, an outdated or a damaged one."""
    try:
        # np.load leaves a file open that it opened itself and could not read.
        with path.open("rb") as file, np.load(file) as stored:
            header = json.loads(str(stored["header"]))
            return _unpacked(stored, header) if header["key"] == key else None
    except UNREADABLE:
        return None


def store(capture_folder: Path, name: str, key: str, result: Preprocessed) -> Preprocessed:
    """Keep a result, whole or not at all.

    Returns:
        The result as it will be read back (16-bit maps), so that first and later runs agree.
    """
    folders = (capture_folder / FOLDER, user_folder(capture_folder))
    return write_stored([folder / f"{name}.npz" for folder in folders], key, result)


def write_stored(places: list[Path], key: str, result: Preprocessed) -> Preprocessed:
    """Keep a result in the first of some places that can be written, or in none.

    Returns:
        The result as it will be read back.
    """
    arrays, header = _packed(result, key)
    for place in places:
        try:
            write_whole(place, lambda path: _save(path, arrays, header))
            break
        except InputError:  # read-only or full
            continue
    return _unpacked(arrays, header)


def forget(capture_folder: Path) -> None:
    """Remove what is stored for a capture."""
    for folder in (capture_folder / FOLDER, user_folder(capture_folder)):
        shutil.rmtree(folder, ignore_errors=True)


def user_folder(capture_folder: Path) -> Path:
    """Where results go when the capture's folder is read-only."""
    return user_cache() / hashlib.sha256(str(capture_folder.resolve()).encode()).hexdigest()[:16]


def user_cache() -> Path:
    """The user's own folder for what can be computed again: ~/.cache/dfnet on Linux."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dfnet"


def _save(path: Path, arrays: dict, header: dict) -> None:
    with path.open("wb") as file:
        np.savez(file, header=np.array(json.dumps(header)), **arrays)


def _packed(result: Preprocessed, key: str) -> tuple[dict[str, np.ndarray], dict]:
    ranges, arrays = {}, {}
    for name in MAPS:
        values = getattr(result, name).numpy()
        low, high = float(values.min()), float(values.max())
        step = (high - low) / LEVELS or 1.0
        ranges[name] = [low, step]
        arrays[name] = np.empty(values.shape, dtype=np.uint16)
        _to_levels(values.ravel(), low, 1 / step, arrays[name].ravel())
    for name in FLAGS:
        flags = getattr(result, name).numpy()
        arrays[name] = np.packbits(flags)
    arrays["validity_w"] = (255 * result.validity_w.numpy()).round().astype(np.uint8)
    arrays["reason_w"] = result.reason_w.numpy()
    law = result.blur_law
    header = {
        "key": key,
        "ranges": ranges,
        "shape": list(result.disparity_w_px.shape[-2:]),
        "blur_law": [law.defocus_per_disparity, law.disparity_at_focus_px],
        "blur_law_deviation": list(result.blur_law_deviation),
        "device_defocus_per_disparity": result.device_defocus_per_disparity,
        "baseline_direction": list(result.baseline_direction),
        "verdict": list(result.verdict),
        "notes": list(result.notes),
    }
    if result.depth_w_m is not None:
        inverse = 1 / result.depth_w_m.numpy()  # inf, the sky, becomes 0
        step = max(float(inverse.max()), 1e-9) / LEVELS
        ranges["inverse_depth"] = [0.0, step]
        arrays["inverse_depth"] = (inverse / step).round().astype(np.uint16)
    return arrays, header


@numba.njit(cache=True, parallel=True)
def _to_levels(values, low, per_unit, out):
    for k in numba.prange(len(values)):
        out[k] = np.uint16((values[k] - low) * per_unit + 0.5)


def _unpacked(stored, header: dict) -> Preprocessed:
    height, width = header["shape"]

    def unpack(name: str) -> torch.Tensor:
        low, step = header["ranges"][name]
        return torch.from_numpy(stored[name].astype(np.float32) * np.float32(step)) + low

    flags = {
        name: torch.from_numpy(
            np.unpackbits(stored[name], count=height * width).astype(bool).reshape(1, height, width)
        )
        for name in FLAGS
    }
    has_depth = "inverse_depth" in header["ranges"]
    return Preprocessed(
        **{name: unpack(name) for name in MAPS},
        **flags,
        depth_w_m=1 / unpack("inverse_depth") if has_depth else None,
        validity_w=torch.from_numpy(stored["validity_w"].astype(np.float32)) / 255,
        reason_w=torch.from_numpy(stored["reason_w"]),
        blur_law=BlurLaw(*header["blur_law"]),
        blur_law_deviation=tuple(header["blur_law_deviation"]),
        device_defocus_per_disparity=header["device_defocus_per_disparity"],
        baseline_direction=tuple(header["baseline_direction"]),
        verdict=Verdict(*header["verdict"]),
        notes=tuple(header["notes"]),
    )
