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
VERSION = 4  # raise it whenever results change for the same photos and settings
LEVELS = 65535
PART = 1 << 22  # values of a map that are converted at a time
MAPS = (
    "uw_on_w",
    "flow_w_to_uw",
    "disparity_w_px",
    "defocus_w_px",
    "defocus_deviation_w_px",
    "relative_inverse_depth",
)
FLAGS = ("occluded_w", "valid_w")
INVERSE_DEPTH = "inverse_depth"  # what is kept of `depth_w_m`
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
            return _read(stored, header) if header["key"] == key else None
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

    Args:
        places: files.
        key: of the result.
        result: its maps are rounded in place, one after the other: of large photos there is no room
            for two of each.

    Returns:
        The result as it will be read back.
    """
    header = _header(result, key)
    for place in places:
        try:
            write_whole(place, lambda path: _save(path, result, header))
            break
        except InputError:  # read-only or full
            continue
    return _rounded(result, header)


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


def _save(path: Path, result: Preprocessed, header: dict) -> None:
    with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
        _add(archive, "header", np.array(json.dumps(header)))
        for name, limits in header["ranges"].items():
            _add_levels(archive, name, _map(result, name), *limits)
        for name in FLAGS:
            _add(archive, name, np.packbits(getattr(result, name).numpy()))
        _add(archive, "validity_w", _validity_levels(result))
        _add(archive, "reason_w", result.reason_w.numpy())


def _add(archive: zipfile.ZipFile, name: str, values: np.ndarray) -> None:
    """As `numpy.savez`, of one array at a time."""
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        np.lib.format.write_array(file, values)


def _header(result: Preprocessed, key: str) -> dict:
    ranges = {}
    for name in MAPS:
        low, high = (float(v) for v in getattr(result, name).aminmax())
        ranges[name] = [low, (high - low) / LEVELS or 1.0]
    if result.depth_w_m is not None:
        largest = 1 / float(result.depth_w_m.min())
        ranges[INVERSE_DEPTH] = [0.0, max(largest, 1e-9) / LEVELS]
    law = result.blur_law
    return {
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


def _add_levels(
    archive: zipfile.ZipFile, name: str, values: np.ndarray, low: float, step: float
) -> None:
    """A map in 16 bits, part by part."""
    about = {"descr": "<u2", "fortran_order": False, "shape": values.shape}
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        np.lib.format.write_array_header_1_0(file, about)
        for part in _parts(values):
            file.write(_levels(_inverse(part, name), low, step).astype("<u2", copy=False))


def _map(result: Preprocessed, name: str) -> np.ndarray:
    field = "depth_w_m" if name == INVERSE_DEPTH else name
    return getattr(result, field).contiguous().numpy()


def _parts(values: np.ndarray) -> list[np.ndarray]:
    """Views of a contiguous map, one after the other."""
    flat = values.reshape(-1)
    return [flat[start : start + PART] for start in range(0, flat.size, PART)]


def _inverse(part: np.ndarray, name: str) -> np.ndarray:
    return 1 / part if name == INVERSE_DEPTH else part  # inf, the sky, becomes 0


def _levels(values: np.ndarray, low: float, step: float) -> np.ndarray:
    levels = np.empty(values.shape, dtype=np.uint16)
    _to_levels(values, low, 1 / step, levels)
    return levels


def _validity_levels(result: Preprocessed) -> np.ndarray:
    validity = _map(result, "validity_w")
    levels = np.empty(validity.shape, dtype=np.uint8)
    for part, out in zip(_parts(validity), _parts(levels), strict=True):
        out[:] = (255 * part).round()
    return levels


@numba.njit(cache=True, parallel=True)
def _to_levels(values, low, per_unit, out):
    for k in numba.prange(len(values)):
        out[k] = np.uint16((values[k] - low) * per_unit + 0.5)


def _from_levels(levels: np.ndarray, low: float, step: float, out: np.ndarray) -> torch.Tensor:
    """What 16-bit levels mean, written to float32 memory of their shape."""
    np.multiply(levels, np.float32(step), out=out, dtype=np.float32)
    out += np.float32(low)
    return torch.from_numpy(out)


def _rounded(result: Preprocessed, header: dict) -> Preprocessed:
    """The result as `_read` gives it, in the same memory where it can be written."""
    changed = {}
    for name, (low, step) in header["ranges"].items():
        values = _map(result, name)
        for part in _parts(values):
            _from_levels(_levels(_inverse(part, name), low, step), low, step, part)
            if name == INVERSE_DEPTH:
                torch.from_numpy(part).reciprocal_()  # infinite without a warning
        changed["depth_w_m" if name == INVERSE_DEPTH else name] = torch.from_numpy(values)
    validity = result.validity_w.contiguous().numpy()
    np.divide(_validity_levels(result), np.float32(255), out=validity, dtype=np.float32)
    return result._replace(**changed, validity_w=torch.from_numpy(validity))


def _read(stored, header: dict) -> Preprocessed:
    height, width = header["shape"]
    ranges = dict(header["ranges"])

    def unpack(name: str) -> torch.Tensor:
        levels = stored[name]
        return _from_levels(levels, *ranges[name], np.empty(levels.shape, dtype=np.float32))

    flags = {
        name: torch.from_numpy(
            np.unpackbits(stored[name], count=height * width).view(bool).reshape(1, height, width)
        )
        for name in FLAGS
    }
    validity = stored["validity_w"]
    return Preprocessed(
        **{name: unpack(name) for name in MAPS},
        **flags,
        depth_w_m=unpack(INVERSE_DEPTH).reciprocal_() if INVERSE_DEPTH in ranges else None,
        validity_w=torch.from_numpy(np.divide(validity, np.float32(255), dtype=np.float32)),
        reason_w=torch.from_numpy(stored["reason_w"]),
        blur_law=BlurLaw(*header["blur_law"]),
        blur_law_deviation=tuple(header["blur_law_deviation"]),
        device_defocus_per_disparity=header["device_defocus_per_disparity"],
        baseline_direction=tuple(header["baseline_direction"]),
        verdict=Verdict(*header["verdict"]),
        notes=tuple(header["notes"]),
    )
