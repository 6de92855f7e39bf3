"""What the network sees of a photo: reduced to its reach, and cut into pieces when it is wanted."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from dfnet.camera import Camera, radial_at
from dfnet.preprocess import Preprocessed
from dfnet.resizing import resize
from dfnet.sample import Sample


class Reach(NamedTuple):
    """Blur diameters [px]: of the photo, and of the wish."""

    source_px: float
    target_px: float


UNLIMITED = Reach(math.inf, math.inf)


@dataclass(frozen=True)
class Working:
    """A photo and its maps at the working size.

    At full size these are the photo's own tensors, of which no second copy is made.

    Attributes:
        image_w: (1, 3, h, w) in [0, 1].
        uw_on_w: same shape.
        occluded_w: (1, 1, h, w), bool or float.
        defocus_w_px: (1, 1, h, w) [px of this size].
        target_defocus_w_px: same shape.
        scale: from the full size to this one.
        limits: what diameters are held to.
        camera: W's, at this size.
    """

    image_w: Tensor
    uw_on_w: Tensor
    occluded_w: Tensor
    defocus_w_px: Tensor
    target_defocus_w_px: Tensor
    scale: float = 1.0
    limits: Reach = UNLIMITED
    camera: Camera | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(h, w)."""
        return tuple(self.image_w.shape[-2:])

    def reduced(self, scale: float) -> "Working":
        """Brought to another size; diameters scale too."""
        if scale == 1:
            return self
        size = tuple(max(1, round(side * scale)) for side in self.size)
        return Working(
            _at_size(self.image_w, size),
            _at_size(self.uw_on_w, size),
            _at_size(self.occluded_w, size),
            _at_size(self.defocus_w_px, size) * scale,
            _at_size(self.target_defocus_w_px, size) * scale,
            self.scale * scale,
            self.limits,
            self.camera and self.camera.scaled(scale),
        )

    def whole(self) -> Sample:
        """All of it."""
        height, width = self.size
        return self.piece(slice(0, height), slice(0, width))

    def piece(self, rows: slice, columns: slice) -> Sample:
        """A window, which may begin and end outside of the picture: it is mirrored there."""
        y, x = (_mirrored(s, n) for s, n in zip((rows, columns), self.size, strict=True))
        image, guide, occluded, source, target = (
            part.index_select(-2, y).index_select(-1, x).float()
            for part in (
                self.image_w,
                self.uw_on_w,
                self.occluded_w,
                self.defocus_w_px,
                self.target_defocus_w_px,
            )
        )
        radial = radial_at(y, x, self.size, self.camera)[None]
        return Sample(image, guide, occluded, *self._held(source, target), radial)

    def diameters_px(self, rows: slice) -> tuple[Tensor, Tensor]:
        """Shown and wanted in some rows, (1, 1, rows, w) each, held to the limits."""
        return self._held(self.defocus_w_px[..., rows, :], self.target_defocus_w_px[..., rows, :])

    def _held(self, *diameters_px: Tensor) -> tuple[Tensor, ...]:
        both = zip(diameters_px, self.limits, strict=True)
        return tuple(x.clamp(-limit, limit) for x, limit in both)


def at_full_size(
    image_w: Tensor,
    preprocessed: Preprocessed,
    target_defocus_w_px: Tensor,
    camera: Camera | None = None,
    limits: Reach = UNLIMITED,
) -> Working:
    """A photo and its maps as they are.

    Args:
        image_w: (3, H, W) in [0, 1].
        preprocessed: of this pair.
        target_defocus_w_px: signed diameter that is wanted [px], (1, H, W).
        camera: places the radial map of a crop or a shifted lens.
        limits: what diameters are held to, at whatever size the network works.

    Raises:
        ValueError: a map is not of the photo's size.
    """
    height, width = image_w.shape[-2:]
    parts = {
        "image_w": image_w,
        "uw_on_w": preprocessed.uw_on_w,
        "occluded_w": preprocessed.occluded_w,
        "defocus_w_px": preprocessed.defocus_w_px,
        "target_defocus_w_px": target_defocus_w_px,
    }
    for name, x in parts.items():
        channels = 3 if name in ("image_w", "uw_on_w") else 1
        if x.shape != (channels, height, width):
            raise ValueError(f"need {name} of {(channels, height, width)}, got {tuple(x.shape)}")
    parts = {name: x[None] for name, x in parts.items()}
    return Working(**parts, limits=limits, camera=camera)


def _at_size(x: Tensor, size: tuple[int, int]) -> Tensor:
    """One channel after the other: the copies on the way are large."""
    if x.shape[-2:] == size:
        return x
    return torch.cat([resize(x[:, [c]].float(), size) for c in range(x.shape[1])], dim=1)


def _mirrored(span: slice, length: int) -> Tensor:
    """The places of a window in a picture that is mirrored at its borders, its edge not twice."""
    places, last = torch.arange(span.start, span.stop).abs(), length - 1
    return torch.where(places > last, 2 * last - places, places).clamp(0, last)
