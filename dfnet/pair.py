"""The Python API: a pair of photos, understood once, refocused as often as wanted."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from dfnet.camera import Camera, cameras_of_preset
from dfnet.errors import InputError
from dfnet.inference import Refocuser
from dfnet.io.images import read_exif
from dfnet.io.metadata import Metadata
from dfnet.io.pair_order import wide_first
from dfnet.io.phone_depth import PhoneDepth, read_phone_depth
from dfnet.io.photo_files import read_photo
from dfnet.io.spatial import is_spatial_photo
from dfnet.model import DFNet
from dfnet.picture import Picture
from dfnet.preprocess import Preprocessed, Preprocessor
from dfnet.preprocess.cameras import at_photo_size, camera_from_exif, known_cameras
from dfnet.preprocess.pair_cache import prepared
from dfnet.preprocess.photos import load_photos
from dfnet.preprocess.single import preprocess_single, subject_point
from dfnet.recipe import Recipe
from dfnet.resizing import resize
from dfnet.targets import Scene, Step, Target, work_out

LENGTHS = ("flow_w_to_uw", "disparity_w_px", "defocus_w_px", "defocus_deviation_w_px")
OTHERS = ("occluded_w", "valid_w", "validity_w", "reason_w", "relative_inverse_depth", "depth_w_m")


@dataclass
class Pair:
    """A wide photo and its ultra-wide twin.

    Attributes:
        image_w: (3, H, W) sRGB in [0, 1], the photo to refocus.
        image_uw: (3, H', W'), the guide, in [0, 1] or in uint8 levels; None of a photo alone.
        cameras: what is known of `wide` and `ultrawide`.
        recipe: the files, the settings, and whose pixels steps count, for `Picture.save`; the
            photos need not come from files.
        metadata: of the wide photo's file, for the files made from it.
        notes: what is good to know of the photos.
        depth: the depth map inside the file of a photo alone.
        keep: whether to read and write the cache of prepared pairs.
        preprocessed: what `prepare` found.
        model: the network, once it was needed.
    """

    image_w: Tensor
    image_uw: Tensor | None
    cameras: dict[str, Camera] = field(default_factory=dict)
    recipe: Recipe = field(default_factory=Recipe)
    metadata: Metadata = field(default_factory=Metadata)
    notes: tuple[str, ...] = ()
    depth: PhoneDepth | None = None
    keep: bool = True
    preprocessed: Preprocessed | None = None
    model: DFNet | None = None

    @property
    def files(self) -> list[Path]:
        """The photos' files, one or two; none where they do not come from files."""
        names = (self.recipe.wide, self.recipe.ultrawide)
        return [Path(name) for name in names if name is not None]

    def prepare(self) -> Preprocessed:
        """Match the photos and find their depth and blur; at once, where that was done before.

        Raises:
            InputError: the photos do not show one scene.
        """
        if self.preprocessed is None:
            chain = Preprocessor()
            settings = f"{chain!r} {sorted(self.cameras.items())}"
            self.preprocessed = (
                prepared(self.files, settings, lambda: self._understood(chain), self.keep)
                if self.files
                else self._understood(chain)
            )
        return self.preprocessed

    def _understood(self, chain: Preprocessor) -> Preprocessed:
        if self.image_uw is not None:
            return chain(self.image_w, self.image_uw, self.cameras)
        wide = self.cameras.get("wide", Camera())
        return preprocess_single(self.image_w, self.depth, wide, subject_point(self.metadata.exif))

    def scene(self) -> Scene:
        """What targets are worked out on."""
        return Scene(self.prepare(), self.image_w, self.cameras, self.recipe.photo_size)

    def target(self, steps: Iterable[Step]) -> Target:
        """The signed defocus that the steps want."""
        return work_out(steps, self.scene())

    def refocus(
        self, steps: Iterable[Step], track: Callable[[Sequence], Iterable] = iter
    ) -> Picture:
        """The photo with the blur that the steps want.

        Args:
            steps: in their order; none leaves the photo as it is.
            track: wraps the list of tiles, for a progress bar.

        Raises:
            InputError: a step does not fit this photo.
        """
        steps = tuple(steps)
        target = self.target(steps)
        self.model = self.model or DFNet.from_pretrained(self.recipe.weights)
        refocuser = Refocuser(self.model, self.recipe.device, track=track)
        found = self.prepare()
        result = refocuser(self.image_w, found, target.defocus_w_px, self.cameras, target.iris)
        return Picture(
            image_w=result.image_w,
            target_defocus_w_px=target.defocus_w_px,
            mask_w=result.mask_w,
            recipe=replace(self.recipe, steps=steps, pull_to=(), frames=0),
            metadata=self.metadata,
            notes=(*self.notes, *found.notes, *target.notes, *result.notes),
            found={
                "verdict": found.verdict.name,
                "defocus_per_disparity": found.blur_law.defocus_per_disparity,
                "disparity_at_focus_px": found.blur_law.disparity_at_focus_px,
                "working_scale": result.working_scale,
            },
        )

    def reduced(self, side_px: int) -> "Pair":
        """A smaller pair for previews, its longer side `side_px`; steps still count the full one's.

        The maps are reduced, not found again.
        """
        height, width = self.image_w.shape[-2:]
        if side_px >= max(height, width):
            return self
        scale = side_px / max(height, width)
        size = (round(height * scale), round(width * scale))
        scale = size[1] / width
        return replace(
            self,
            image_w=resize(self.image_w[None], size)[0].clamp(0, 1),
            cameras={name: camera.scaled(scale) for name, camera in self.cameras.items()},
            recipe=replace(self.recipe, photo_size=self.recipe.photo_size or (width, height)),
            preprocessed=reduced_maps(self.prepare(), size, scale),
        )


def load_pair(
    wide: Path | str,
    ultrawide: Path | str | None = None,
    camera: dict | None = None,
    keep: bool = True,
) -> Pair:
    """Read two photos of one moment, or a spatial photo, which holds both.

    A portrait photo alone will do where its file holds a depth map; little blur can be taken away
    then.

    Args:
        wide: the photo to refocus.
        ultrawide: the second camera's.
        camera: a preset, the content of a file in configs/camera; EXIF is heeded anyway.
        keep: whether what `prepare` finds is kept in the user's cache folder, for the next time.

    Raises:
        InputError: a file is missing or no photo, or one alone tells no depth.
    """
    uw = None if ultrawide is None else str(ultrawide)
    return pair_of(Recipe(wide=str(wide), ultrawide=uw, camera=camera or {}), keep)


def pair_of(recipe: Recipe, keep: bool = True) -> Pair:
    """The photos of a recipe, ready for its edit.

    Raises:
        InputError: a file is missing or no photo, or one alone tells no depth.
    """
    notes: tuple[str, ...] = ()
    if recipe.ultrawide is not None:
        order = wide_first(recipe.wide, recipe.ultrawide)
        if order.note is not None:
            recipe = replace(recipe, wide=recipe.ultrawide, ultrawide=recipe.wide)
            notes = (order.note,)
    preset = cameras_of_preset(recipe.camera, "camera")
    if recipe.ultrawide is None and not is_spatial_photo(recipe.wide):
        return _alone(recipe, preset, keep)
    photos = load_photos(recipe.wide, recipe.ultrawide, preset)
    photo = photos.photo_w
    height, width = photo.image.shape[-2:]
    recipe = replace(recipe, photo_size=recipe.photo_size or (width, height))
    notes += (*photos.notes, *photo.notes)
    known = photos.image_uw, photos.cameras
    return Pair(photo.image, *known, recipe, photo.metadata, notes, keep=keep)


def _alone(recipe: Recipe, preset: dict[str, Camera], keep: bool) -> Pair:
    photo, depth = read_photo(recipe.wide), read_phone_depth(recipe.wide)
    if depth is None:
        raise InputError(
            f"{recipe.wide}: one photo alone, and no depth map in its file\n"
            "  Give the ultra-wide photo of the same moment too (ultrawide=UW.jpg), or a spatial\n"
            "  or portrait photo."
        )
    height, width = photo.image.shape[-2:]
    named = {n: at_photo_size(c, width, height) for n, c in preset.items() if n == "wide"}
    from_exif = camera_from_exif(read_exif(recipe.wide), width, height)
    cameras = known_cameras(named, {"wide": from_exif})
    recipe = replace(recipe, photo_size=recipe.photo_size or (width, height))
    return Pair(photo.image, None, cameras, recipe, photo.metadata, photo.notes, depth, keep)


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
