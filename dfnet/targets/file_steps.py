"""Steps that need a file: masks, maps made elsewhere, a photo to be followed."""

from dataclasses import dataclass

import torch

from dfnet.errors import InputError
from dfnet.io.images import read_image
from dfnet.optics import defocus_from_disparity
from dfnet.preprocess.photo_law import law_of_photo
from dfnet.targets.files import read_map
from dfnet.targets.masks import feather, read_mask
from dfnet.targets.records import Record, need_not_negative
from dfnet.targets.scene import Draft, Scene

EFFECTS = ("sharpen", "blur", "protect")


@dataclass(frozen=True)
class Mask(Record):
    """Something else where a mask is white.

    Attributes:
        source: a picture's path, or what `painted` made of an array.
        effect: `sharpen` takes all blur away, `blur` adds `blur_px` to it, `protect` leaves the
            photo as it was taken.
        blur_px: how much, a diameter [px].
        feather_px: width of the transition among things of like depth [px].
    """

    source: str
    effect: str
    blur_px: float = 0.0
    feather_px: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        if self.effect not in EFFECTS:
            raise InputError(f"mask: {self.effect!r} is no effect\n  {', '.join(EFFECTS)} are.")
        need_not_negative(self.effect, self.blur_px)
        need_not_negative(self.effect, self.feather_px)

    def apply(self, draft: Draft, scene: Scene) -> Draft:
        """The map so far, changed inside the mask."""
        mask = read_mask(self.source, scene.counted_size, scene.shape)
        disparity = scene.preprocessed.disparity_w_px
        mask = feather(mask, disparity, self.feather_px * scene.scale)
        target = draft.target_defocus_w_px
        if self.effect == "sharpen":
            return draft.focused(target * (1 - mask))
        if self.effect == "protect":
            return draft.focused(torch.lerp(target, scene.preprocessed.defocus_w_px, mask))
        side = torch.where(target < 0, -1.0, 1.0)
        return draft.focused(target + side * mask * (self.blur_px * scene.scale))


@dataclass(frozen=True)
class MapFile(Record):
    """A target map drawn or computed elsewhere.

    Attributes:
        path: .npy, .exr or .tif of floats, signed blur diameters in the wide photo's pixels; or a
            gray PNG, TIFF or .npy of whole levels.
        px_per_level: what one level means [px]; only with whole levels.
        zero_level: the level that is sharp; lower ones are nearer than the focus.
    """

    path: str
    px_per_level: float | None = None
    zero_level: float = 0.0

    def apply(self, draft: Draft, scene: Scene) -> Draft:
        """The file's map instead of any other."""
        width, height = scene.counted_size
        target = read_map(self.path, (height, width), self.px_per_level, self.zero_level)
        if (height, width) != scene.shape:
            target = torch.nn.functional.interpolate(
                target[None], scene.shape, mode="bilinear", antialias=height > scene.shape[0]
            )[0]
        return draft.focused(target * scene.scale)


@dataclass(frozen=True)
class Like(Record):
    """Focus and aperture of another photo of the scene.

    Attributes:
        path: of that photo.
    """

    path: str

    def apply(self, draft: Draft, scene: Scene) -> Draft:
        """That photo's blur law, on W's disparity."""
        try:
            law = law_of_photo(read_image(self.path), scene.preprocessed).law
        except InputError as error:
            named = str(error).startswith(self.path)
            raise InputError(str(error) if named else f"{self.path}: {error}") from error
        target = defocus_from_disparity(scene.preprocessed.disparity_w_px, law)
        scale = law.defocus_per_disparity / scene.lens_law.defocus_per_disparity
        return draft._replace(
            target_defocus_w_px=target, lens_defocus_w_px=target, aperture_scale=scale
        )
