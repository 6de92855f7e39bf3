"""One capture on disk: a W/UW pair, or a focus stack of n W slices (data/README.md)."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from dfnet.camera import Camera, camera_from_json
from dfnet.errors import InputError
from dfnet.io.images import read_image, write_whole
from dfnet.optics import signed_defocus_px
from dfnet.photo import PHONE, CameraShot, PhotoSettings, Shot, develop, draw_photo

METADATA = "capture.json"
PARTIAL = ".partial-"  # a folder of such a name is still being written
FORMAT = 1
WHITE_LEVEL = 4.0  # radiance of the brightest value a `sqrt_linear` file holds
INDEX_LEVELS = 256  # per slice, in the 16-bit file of `sharpest_slice`
ENCODINGS = ("srgb", "sqrt_linear")


class Aperture(NamedTuple):
    """W focused as one of the slices, through a wider or narrower aperture.

    Attributes:
        file: encoded as the slices.
        slice: index of the slice with the same focus distance.
        scale: this picture's aperture diameter over the slice's, and its defocus over the slice's.
    """

    file: str
    slice: int
    scale: float


class Truth(NamedTuple):
    """What is known beyond the photos, on W's grid; None is unknown.

    A renderer knows the picture and the geometry exactly. An imported focus stack knows the merge
    of its slices, the slice that is sharpest where, and how far to trust both.

    Attributes:
        all_in_focus: (3, H, W) noise-free photo by a pinhole W, or the merge of all slices.
        depth_w_m: (1, H, W) z-depth [m]; `inf` is sky.
        flow_w_to_uw: (2, H, W) [px].
        occluded_w: (1, H, W) bool, True where UW cannot see the point.
        confidence: (1, H, W) in [0, 1]; low where no slice is sharp, textured or consistent.
        sharpest_slice: (1, H, W) index of the sharpest slice, with fractions between two.
        beyond_white_level: (3, H, W) linear light of lamps that a render's all-in-focus file, which
            ends at `WHITE_LEVEL`, leaves out; 1 is white.
    """

    all_in_focus: Tensor
    depth_w_m: Tensor | None = None
    flow_w_to_uw: Tensor | None = None
    occluded_w: Tensor | None = None
    confidence: Tensor | None = None
    sharpest_slice: Tensor | None = None
    beyond_white_level: Tensor | None = None


@dataclass(frozen=True)
class Capture:
    """A W/UW pair or a focus stack; images stay on disk until asked for.

    Attributes:
        folder: file names below are relative to it.
        wide: one file per slice, at least one.
        ultrawide: none, one for all slices, or one per slice.
        encoding: `srgb` photos, or `sqrt_linear` noise-free renders that are developed on loading.
        focus_distance_m: per slice [m], or None.
        cameras: what is known of `wide` and `ultrawide`.
        truth: file names of `all_in_focus` and either `geometry`, and perhaps `beyond_white_level`,
            for rendered scenes, or `confidence` and `sharpest_slice`, for imported stacks.
        stack_geometry: file with one disparity and one blur law for all slices of an imported stack
            (`dfnet.preprocess.stack_geometry`).
        apertures: further pictures by W, at other apertures.
        origin: free notes on where the files come from.
        photo: how renders are developed; not stored, since it is a choice of who loads them.
    """

    folder: Path
    wide: tuple[str, ...]
    ultrawide: tuple[str, ...] = ()
    encoding: str = "srgb"
    focus_distance_m: tuple[float, ...] | None = None
    cameras: dict[str, Camera] = field(default_factory=dict)
    truth: dict[str, str] | None = None
    stack_geometry: str | None = None
    apertures: tuple[Aperture, ...] = ()
    origin: dict = field(default_factory=dict)
    photo: PhotoSettings = PHONE

    def __post_init__(self):
        where = self.folder / METADATA
        _check_fields(self, where)
        if len(self.ultrawide) not in (0, 1, len(self.wide)):
            raise InputError(
                f"{where}: {len(self.ultrawide)} ultrawide for {len(self.wide)} wide photos\n"
                "  Give none, one for all, or one for each."
            )
        if self.encoding not in ENCODINGS:
            raise InputError(f"{where}: encoding is `{self.encoding}`\n  Known: {ENCODINGS}.")
        if self.focus_distance_m and len(self.focus_distance_m) != len(self.wide):
            raise InputError(
                f"{where}: {len(self.focus_distance_m)} focus distances for {len(self.wide)} "
                "wide photos\n  Give one for each, or leave `focus_distance_m` out."
            )
        for picture in self.apertures:
            if not (0 <= picture.slice < len(self.wide) and 0 < picture.scale < math.inf):
                raise InputError(
                    f"{where}: `apertures` has slice {picture.slice}, scale {picture.scale}\n"
                    f"  Give a slice from 0 to {len(self.wide) - 1}, and a scale above 0."
                )

    @property
    def scene(self) -> str:
        """What seeds development: the render's seed, else the folder's name."""
        notes = self.origin if isinstance(self.origin, dict) else {}
        return str(notes.get("seed", self.folder.name))

    def load_wide(self, index: int = 0) -> Tensor:
        """W's slice as a photo, (3, H, W) in [0, 1]; renders are developed as `photo` says."""
        return self._photo(self.wide[index], self._shot().wide, f"wide {index}")

    def load_ultrawide(self, index: int = 0) -> Tensor:
        """The UW frame that goes with W's slice `index`, as `load_wide`.

        Raises:
            InputError: the capture has no UW frame.
        """
        if not self.ultrawide:
            raise InputError(
                f"{self.folder / METADATA}: no `ultrawide`\n"
                "  This needs the second camera's photo; add it, or choose a method without guide."
            )
        name = self.ultrawide[index if len(self.ultrawide) > 1 else 0]
        return self._photo(name, self._shot().ultrawide, f"ultrawide {index}")

    def load_clean_wide(self, index: int = 0) -> Tensor:
        """W's slice as `load_clean`."""
        return self.load_clean(self.wide[index])

    def load_clean(self, name: str) -> Tensor:
        """A picture by W as its photos look, but without noise, shake and JPEG: a target.

        Args:
            name: file of a slice, of another aperture, or of the all-in-focus truth.
        """
        return self._photo(name, self._shot().wide.clean(), "clean")

    def load_truth(self) -> Truth:
        """The renderer's truth, or what an import found; `has_geometry` tells which.

        Raises:
            InputError: the capture has none, or its files do not hold what they should.
        """
        if self.truth is None:
            raise InputError(
                f"{self.folder / METADATA}: no `truth`\n  Renders and imported stacks have it."
            )
        geometry = self._true_geometry() if self.has_geometry else (None, None, None)
        confidence, index = (self.truth.get(k) for k in ("confidence", "sharpest_slice"))
        beyond = (
            self._arrays("beyond_white_level") if "beyond_white_level" in self.truth else [None]
        )
        return Truth(
            self.load_clean(self.truth["all_in_focus"]),
            *geometry,
            read_image(self.folder / confidence)[:1] if confidence else None,
            read_image(self.folder / index)[:1] * (65535 / INDEX_LEVELS) if index else None,
            *beyond,
        )

    @property
    def has_geometry(self) -> bool:
        """Whether depth, flow and occlusion are known exactly, as only a renderer does."""
        return "geometry" in (self.truth or {})

    def _true_geometry(self) -> tuple[Tensor, Tensor, Tensor]:
        arrays = self._arrays("geometry", "depth_w_m", "flow_w_to_uw", "occluded_w")
        depth, flow, occluded = arrays
        return depth.float()[None], flow.float(), occluded.bool()[None]

    def _arrays(self, part: str, *names: str) -> list[Tensor]:
        """Arrays of one of the truth's files; one array has the name of its part."""
        path = self.folder / self.truth[part]
        try:
            with path.open("rb") as file, np.load(file) as arrays:
                return [torch.from_numpy(arrays[name]) for name in names or (part,)]
        except (OSError, KeyError, ValueError, EOFError, BadZipFile) as error:
            raise InputError(
                f"{path}: cannot be read ({error})\n  Render the scene again."
            ) from error

    def true_defocus_w_px(self, index: int, depth_w_m: Tensor) -> Tensor:
        """Signed circle-of-confusion diameter of slice `index` [px], from depth and metadata.

        Raises:
            InputError: focus distances or W's lens are not known.
        """
        camera = self.cameras.get("wide", Camera())
        lens = camera.lens(self.focus_distance_m[index]) if self.focus_distance_m else None
        if lens is None:
            raise InputError(
                f"{self.folder / METADATA}: defocus from depth needs `focus_distance_m` and the "
                "wide camera's\n  focal_length_m, focal_length_px and f_number. Add them, or let "
                "the defocus map be estimated."
            )
        return signed_defocus_px(depth_w_m, lens)

    def _shot(self) -> Shot:
        """What both cameras do, one draw for all slices of a scene."""
        return draw_photo(self.photo, self._generator("look"))

    def _photo(self, name: str, camera: CameraShot, purpose: str) -> Tensor:
        image = read_image(self.folder / name)
        if self.encoding == "srgb":
            return image
        return develop(WHITE_LEVEL * image.square(), camera, self._generator(purpose))

    def _generator(self, purpose: str) -> torch.Generator:
        """A generator of this scene, the same wherever its folder lies."""
        digest = hashlib.sha256(f"{self.scene} {purpose}".encode()).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest[:8]) >> 1)


def _check_fields(capture: Capture, where: Path) -> None:
    if not capture.wide:
        raise InputError(f"{where}: `wide` names no file\n  List at least one W photo.")
    for names in (capture.wide, capture.ultrawide, (capture.truth or {}).values()):
        if isinstance(names, str) or not all(isinstance(name, str) for name in names):
            raise InputError(f"{where}: {names} are no file names\n  List them in brackets.")
    if not all(isinstance(d, int | float) and d > 0 for d in capture.focus_distance_m or ()):
        raise InputError(
            f"{where}: focus_distance_m {capture.focus_distance_m}\n  Give metres, one per photo."
        )


def load_capture(folder: Path | str) -> Capture:
    """Read a capture folder's metadata.

    Raises:
        InputError: no `capture.json`, not JSON, or fields that cannot be used.
    """
    folder = Path(folder)
    path = folder / METADATA
    if not path.is_file():
        raise InputError(
            f"{path}: no such file\n  A capture is a folder with a {METADATA}; see data/README.md."
        )
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record.pop("format") != FORMAT:
            raise InputError(f"{path}: not of format {FORMAT}\n  Was it made by a newer version?")
        cameras = {
            name: camera_from_json(c, f"{path}, camera {name}")
            for name, c in (record.pop("cameras", None) or {}).items()
        }
        record["apertures"] = [Aperture(**a) for a in record.get("apertures") or ()]
        record = {k: tuple(v) if isinstance(v, list) else v for k, v in record.items()}
        # Naming `photo` makes a file that has such a field be refused.
        return Capture(folder=folder, cameras=cameras, photo=PHONE, **record)
    except InputError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{path}: not a usable capture description ({type(error).__name__}: {error})\n"
            "  data/README.md lists the fields."
        ) from error


def save_capture(capture: Capture) -> None:
    """Write `capture.json` into the capture's folder."""
    record = {"format": FORMAT, **asdict(capture)}
    record["apertures"] = [picture._asdict() for picture in capture.apertures]
    del record["folder"], record["photo"]
    text = json.dumps(record, indent=1) + "\n"
    write_whole(capture.folder / METADATA, lambda p: p.write_text(text, encoding="utf-8"))


def find_captures(root: Path | str) -> list[Path]:
    """All capture folders at or below `root`, sorted.

    Raises:
        InputError: there is none.
    """
    folders = sorted(p.parent for p in Path(root).rglob(METADATA) if not _is_partial(p, root))
    if not folders:
        raise InputError(
            f"{root}: no folder with a {METADATA} in it\n"
            "  Give a folder of captures (data/README.md), or render some with\n"
            "  python scripts/render_stacks.py"
        )
    return folders


def _is_partial(path: Path, root: Path | str) -> bool:
    """Whether a renderer is, or was, still filling this folder."""
    return any(part.startswith(PARTIAL) for part in path.relative_to(root).parts)
