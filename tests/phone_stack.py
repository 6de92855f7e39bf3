"""A rendered stack as a phone would hand it over: JPEGs that breathe and shake, names shuffled."""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image
from torch import Tensor

from dfnet.capture import Capture
from dfnet.io.images import read_image
from dfnet.preprocess.epipolar import apply_homography
from dfnet.preprocess.pipeline import image_pixels, image_tensor

MARGIN = 0.1  # of the render, on each side: no photo looks beyond it
NOISE = 0.004  # deviation of the W photos


class PhoneStack(NamedTuple):
    """What was written, and the truth of it.

    Attributes:
        folder: of the JPEGs.
        names: of the W photos, by slice from near to far.
        from_photo: homographies (3, 3), photo pixels to the shrunk render's.
        render: the capture it was made from.
        scale: by which the render was shrunk.
        gains: on the encoded values of each photo, (3,).
    """

    folder: Path
    names: list[str]
    from_photo: list[np.ndarray]
    render: Capture
    scale: float
    gains: list[np.ndarray]

    def true_merge(self, name: str) -> Tensor:
        """The true all-in-focus picture as that photo frames and exposes it, (3, h, w)."""
        index = self.names.index(name)
        truth = _shrunk(self.render.load_truth().all_in_focus, self.scale)
        with Image.open(self.folder / name) as photo:
            size = photo.size
        return image_tensor(_seen(truth * self.gains[index], self.from_photo[index], size))


def export(
    render: Capture,
    folder: Path,
    breathing: float = 0.03,
    shake_px: float = 3.0,
    gain: float = 0.0,
    with_guide: bool = True,
    quality: int = 95,
    scale: float = 1.0,
    seed: int = 0,
) -> PhoneStack:
    """Write the stack's slices, and its UW into `ultrawide/`.

    Args:
        render: slices from near to far.
        folder: to be made.
        breathing: how much larger the nearest slice is than the farthest, as a share.
        shake_px: how far the corners move from photo to photo, as a deviation.
        gain: deviation of the exposure per channel, as a share.
        with_guide: whether UW is written.
        quality: of the JPEGs.
        scale: shrinks the render first.
        seed: of the shake and the names.
    """
    random = np.random.default_rng(seed)
    count = len(render.wide)
    numbers = random.permutation(count) + 1234
    names = [f"IMG_{n}.jpg" for n in numbers]
    folder.mkdir(parents=True)
    homographies, gains = [], []
    for index, name in enumerate(names):
        photo = _shrunk(render.load_clean_wide(index), scale)
        zoom = 1 - breathing * (1 - index / (count - 1))
        homographies.append(_homography(photo.shape, zoom, shake_px, random))
        size = tuple(round(s * (1 - 2 * MARGIN)) for s in photo.shape[1::-1])
        gains.append(1 + gain * random.standard_normal(3))
        seen = _seen(photo * gains[-1], homographies[-1], size)
        seen = seen + NOISE * random.standard_normal(seen.shape)
        _save(seen, folder / name, quality)
    if with_guide:
        (folder / "ultrawide").mkdir()
        _save(_shrunk(render.load_ultrawide(0), scale), folder / "ultrawide" / "a.jpg", quality)
    return PhoneStack(folder, names, homographies, render, scale, gains)


def _shrunk(image: Tensor, scale: float) -> np.ndarray:
    pixels = image_pixels(image)
    if scale == 1:
        return pixels
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _homography(shape, zoom, shake_px, random) -> np.ndarray:
    height, width = shape[:2]
    left, top = MARGIN * width, MARGIN * height
    w, h = round(width * (1 - 2 * MARGIN)), round(height * (1 - 2 * MARGIN))
    corners = np.array([[0, 0], [w - 1, 0], [w - 1, h - 1], [0, h - 1]], dtype=np.float64)
    centre = np.array([w - 1, h - 1]) / 2
    # A turn of the hand moves all corners alike, and a little more or less than each other.
    moved = (corners - centre) * zoom + centre + shake_px * random.standard_normal(2)
    moved += 0.3 * shake_px * random.standard_normal((4, 2)) + [left, top]
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32))
    assert apply_homography(matrix, corners).min() >= 0
    return matrix


def _seen(image: np.ndarray, from_photo: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpPerspective(image, from_photo, size, flags=flags).clip(0, 1)


def _save(image: np.ndarray, path: Path, quality: int) -> None:
    picture = Image.fromarray((image * 255).round().clip(0, 255).astype(np.uint8))
    picture.save(path, quality=quality, subsampling=0)


def corner_errors(stack: PhoneStack, order: list[str], to_reference: list[np.ndarray]):
    """How far each photo's corners land from where they belong in the reference photo [px].

    Args:
        stack: the truth.
        order: names of the photos.
        to_reference: the homographies found, photo to reference pixels; the reference's is 1.
    """
    true = dict(zip(stack.names, stack.from_photo, strict=True))
    size = read_image(stack.folder / order[0]).shape[:0:-1]
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * (np.array(size) - 1.0)
    reference = next(
        n for n, h in zip(order, to_reference, strict=True) if np.allclose(h, np.eye(3))
    )
    errors = []
    for name, found in zip(order, to_reference, strict=True):
        wanted = apply_homography(np.linalg.inv(true[reference]) @ true[name], corners)
        errors.append(np.linalg.norm(apply_homography(found, corners) - wanted, axis=1))
    return np.array(errors)
