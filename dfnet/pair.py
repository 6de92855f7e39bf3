"""The Python API: a pair of photos, understood once, refocused as often as wanted."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from dfnet.camera import Camera
from dfnet.detail import resize
from dfnet.inference import Refocuser
from dfnet.io.photo_files import Metadata, read_photo, write_photo
from dfnet.model import DFNet
from dfnet.preprocess import Preprocessed, preprocess_pair
from dfnet.preprocess.cameras import exif_cameras, known_cameras, preset_at_size
from dfnet.targets import Scene, Step, Target, work_out

LENGTHS = ("flow_w_to_uw", "disparity_w_px", "defocus_w_px", "defocus_deviation_w_px")
OTHERS = ("occluded_w", "valid_w", "validity_w", "reason_w", "relative_inverse_depth", "depth_w_m")


@dataclass
class Pair:
    """A wide photo and its ultra-wide twin.

    Attributes:
        image_w: (3, H, W) sRGB in [0, 1], the photo to refocus.
        image_uw: (3, H', W'), the guide.
        cameras: what is known of `wide` and `ultrawide`.
        metadata: of the wide photo's file, for the files made from it.
        files: the photos' paths, where they come from files.
        weights: a folder of network weights; None takes the released ones.
        device: `auto`, `cpu`, `cuda` or `mps`.
        photo_size: (width, height) whose pixels steps count; None is the photo's own.
        notes: what is good to know of the photos.
        preprocessed: what `prepare` found.
        model: the network, once it was needed.
    """

    image_w: Tensor
    image_uw: Tensor
    cameras: dict[str, Camera] = field(default_factory=dict)
    metadata: Metadata = field(default_factory=Metadata)
    files: tuple[Path, ...] = ()
    weights: str | None = None
    device: str = "auto"
    photo_size: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()
    preprocessed: Preprocessed | None = None
    model: DFNet | None = None

    def prepare(self) -> Preprocessed:
        """Match the photos and find their depth and blur; at once, where that was done before.

        Raises:
            InputError: the photos do not show one scene.
        """
        if self.preprocessed is None:
            self.preprocessed = preprocess_pair(self.image_w, self.image_uw, self.cameras)
        return self.preprocessed

    def scene(self) -> Scene:
        """What targets are worked out on."""
        return Scene(self.prepare(), self.image_w, self.cameras, self.photo_size)

    def target(self, steps: Iterable[Step]) -> Target:
        """The signed defocus that the steps want."""
        return work_out(steps, self.scene())

    def refocus(
        self, steps: Iterable[Step], track: Callable[[Sequence], Iterable] = iter
    ) -> "Picture":
        """The photo with the blur that the steps want.

        Args:
            steps: in their order; none leaves the photo as it is.
            track: wraps the list of tiles, for a progress bar.
        """
        steps = tuple(steps)
        target = self.target(steps)
        self.model = self.model or DFNet.from_pretrained(self.weights)
        refocuser = Refocuser(self.model, self.device, track=track)
        result = refocuser(self.image_w, self.prepare(), target.defocus_w_px, self.cameras)
        return Picture(
            result.image_w,
            target.defocus_w_px,
            result.mask_w,
            steps,
            (*self.prepare().notes, *target.notes, *result.notes),
            self.metadata,
        )

    def reduced(self, side_px: int) -> "Pair":
        """A smaller pair for previews, its longer side `side_px`; steps still count the full one's.

        The maps are reduced, not found again.
        """
        height, width = self.image_w.shape[-2:]
        scale = side_px / max(height, width)
        if scale >= 1:
            return self
        size = (round(height * scale), round(width * scale))
        scale = size[1] / width
        return replace(
            self,
            image_w=resize(self.image_w[None], size)[0].clamp(0, 1),
            cameras={name: camera.scaled(scale) for name, camera in self.cameras.items()},
            photo_size=self.photo_size or (width, height),
            preprocessed=reduced_maps(self.prepare(), size, scale),
        )


@dataclass(frozen=True)
class Picture:
    """A refocused photo.

    Attributes:
        image_w: (3, H, W) sRGB in [0, 1].
        target_defocus_w_px: (1, H, W) signed diameter that was wanted [px].
        mask_w: (1, H, W), 1 where the finest detail is W's, 0 where UW's.
        steps: what was asked.
        notes: what was limited, or is good to know.
        metadata: of the wide photo's file.
    """

    image_w: Tensor
    target_defocus_w_px: Tensor
    mask_w: Tensor
    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    metadata: Metadata

    def save(self, path: Path | str, bits: int = 8) -> None:
        """Write the picture, whole or not at all.

        Args:
            path: .jpg, .png, .webp or .tif.
            bits: 8, or 16 for PNG and TIFF.
        """
        write_photo(self.image_w, path, bits, self.metadata)


def load_pair(
    wide: Path | str,
    ultrawide: Path | str,
    preset: dict[str, Camera] | None = None,
    weights: str | None = None,
    device: str = "auto",
) -> Pair:
    """Read two photos of one moment.

    Args:
        wide: the photo to refocus.
        ultrawide: the second camera's.
        preset: cameras to assume (`configs/camera/`); EXIF is heeded anyway.
        weights: a folder of network weights; None takes the released ones.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Raises:
        InputError: a file is missing or no photo.
    """
    files = (Path(wide), Path(ultrawide))
    photo, guide = read_photo(wide), read_photo(ultrawide)
    images = (photo.image, guide.image)
    cameras = known_cameras(preset_at_size(preset or {}, images), exif_cameras(files, images))
    return Pair(*images, cameras, photo.metadata, files, weights, device, notes=photo.notes)


def reduced_maps(full: Preprocessed, size: tuple[int, int], scale: float) -> Preprocessed:
    """The maps at another size; lengths in pixels scale along.

    Args:
        full: at full size.
        size: (H, W) wanted, smaller.
        scale: of lengths, to the wanted size.
    """
    rows = _centres(full.disparity_w_px.shape[-2], size[0])
    columns = _centres(full.disparity_w_px.shape[-1], size[1])
    factors = dict.fromkeys(LENGTHS, scale) | dict.fromkeys(OTHERS, 1)
    changed = {
        name: _picked(getattr(full, name), rows, columns, factor)
        for name, factor in factors.items()
        if getattr(full, name) is not None
    }
    guide = resize(full.uw_on_w[None], size)[0].clamp(0, 1)
    return full._replace(uw_on_w=guide, blur_law=full.blur_law.scaled(scale), **changed)


def _centres(old: int, new: int) -> Tensor:
    """Of `old` rows, the one in the middle of each of `new`."""
    return ((torch.arange(new) + 0.5) * (old / new)).long()


def _picked(values: Tensor, rows: Tensor, columns: Tensor, factor: float) -> Tensor:
    """No mean: a depth between two surfaces is no surface's."""
    picked = values.index_select(-2, rows).index_select(-1, columns)
    return picked if factor == 1 else picked * factor
