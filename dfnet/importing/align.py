"""Photos of one focus sweep onto one frame: breathing as scale and shift, a hand as homography.

Each photo is linked to the next two in focus; one fit of all poses then keeps the links' errors
from adding up along the sweep.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from scipy.optimize import least_squares

from dfnet.importing.register import FREEDOM, Frame, Link, link, refine_link
from dfnet.preprocess.epipolar import apply_homography

REACH = 2  # each photo is held against so many after it
HAND_HELD = 0.04  # rise of the mean squared misfit, in noise variances, that only a hand explains


class Poses(NamedTuple):
    """Where all photos are.

    Attributes:
        to_reference: homographies (3, 3), photo px to reference px.
        reference: index of the photo that stays.
        model: `similarity` (tripod) or `homography` (hand-held).
    """

    to_reference: list[np.ndarray]
    reference: int
    model: str

    @property
    def zooms(self) -> list[float]:
        """How much larger than the reference each photo shows things."""
        return [float(1 / np.sqrt(abs(np.linalg.det(h[:2, :2])))) for h in self.to_reference]


def link_sweep(grays: Sequence[np.ndarray]) -> list[Link]:
    """Links between each photo and the next two of the sweep; those that fail are left out.

    Args:
        grays: (H, W) uint8, in order of focus.
    """
    pairs = [(i, i + d) for d in range(1, REACH + 1) for i in range(len(grays) - d)]
    return [found for i, j in pairs if (found := link(i, j, grays[i], grays[j])) is not None]


def unlinked(links: Sequence[Link], count: int) -> list[int]:
    """Photos that nothing connects to the largest group of photos."""
    groups = [{i} for i in range(count)]
    for one in links:
        a, b = (next(g for g in groups if i in g) for i in (one.first, one.second))
        if a is not b:
            groups.remove(b)
            a |= b
    return sorted(set(range(count)) - max(groups, key=len))


def solve_poses(
    grays: Sequence[np.ndarray], links: Sequence[Link], model: str | None = None
) -> Poses:
    """All poses at once, with the middle photo as reference.

    Args:
        grays: as for `link_sweep`.
        links: its result, connecting all photos.
        model: `similarity` or `homography`; found from the photos when None.
    """
    count, shape = len(grays), grays[0].shape
    reference, frame = count // 2, Frame(shape)
    start = _chained(links, count, reference)
    model = model or _model(links, start, reference, frame)
    rough = _joint_fit(links, start, reference, frame, model)
    fine = [
        refine_link(k, grays[k.first], grays[k.second], _between(rough, k), model) for k in links
    ]
    return Poses(_joint_fit(fine, rough, reference, frame, model), reference, model)


def common_frame(poses: Sequence[np.ndarray], shape: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of the reference that every photo shows.

    Args:
        poses: homographies, photo px to reference px.
        shape: (H, W) of a photo.
    """
    height, width = shape
    moved = np.stack([apply_homography(h, _corners(shape)) for h in poses])
    left, right = moved[:, [0, 3], 0].max(), moved[:, [1, 2], 0].min()
    top, bottom = moved[:, [0, 1], 1].max(), moved[:, [2, 3], 1].min()
    rows = slice(max(0, int(np.ceil(top))), min(height - 1, int(np.floor(bottom))) + 1)
    columns = slice(max(0, int(np.ceil(left))), min(width - 1, int(np.floor(right))) + 1)
    return rows, columns


def warp_to_reference(
    image: np.ndarray, to_reference: np.ndarray, crop: tuple[slice, slice]
) -> np.ndarray:
    """A photo (H, W, C) on the cropped reference frame."""
    if np.allclose(to_reference, np.eye(3), atol=1e-9):
        return np.ascontiguousarray(image[crop])
    shift = np.array([[1.0, 0.0, -crop[1].start], [0.0, 1.0, -crop[0].start], [0.0, 0.0, 1.0]])
    size = crop[1].stop - crop[1].start, crop[0].stop - crop[0].start
    return cv2.warpPerspective(
        image, shift @ to_reference, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )


def _corners(shape: tuple[int, int]) -> np.ndarray:
    height, width = shape
    return np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], float)


def _chained(links: Sequence[Link], count: int, reference: int) -> list[np.ndarray]:
    """Poses along the sweep, each by the best link to a photo already placed."""
    poses: dict[int, np.ndarray] = {reference: np.eye(3)}
    while len(poses) < count:
        open_links = [k for k in links if (k.first in poses) != (k.second in poses)]
        best = max(open_links, key=lambda k: k.likeness)
        if best.second in poses:
            poses[best.first] = poses[best.second] @ best.homography
        else:
            poses[best.second] = poses[best.first] @ np.linalg.inv(best.homography)
    return [poses[i] / poses[i][2, 2] for i in range(count)]


def _model(links, start, reference, frame) -> str:
    """A homography only where scale, turn and shift leave most photos clearly worse aligned."""
    poses = _joint_fit(links, start, reference, frame, "similarity")
    worse = []
    for one in links:
        d = frame.parameters(_between(poses, one)) - frame.parameters(one.homography)
        worse.append(d @ one.information @ d)
    return "homography" if np.median(worse) > HAND_HELD else "similarity"


def _between(poses: Sequence[np.ndarray], one: Link) -> np.ndarray:
    """The homography that a link should have."""
    return np.linalg.inv(poses[one.second]) @ poses[one.first]


def _joint_fit(links, start, reference, frame, model: str) -> list[np.ndarray]:
    """Poses that fit all links, each by its own information."""
    movable = [i for i in range(len(start)) if i != reference]
    roots = [_root(k.information) for k in links]
    measured = [frame.parameters(k.homography) for k in links]
    freedom = FREEDOM[model]

    def poses(x):
        all_poses = [np.eye(3)] * len(start)
        for i, values in zip(movable, x.reshape(len(movable), -1), strict=True):
            all_poses[i] = frame.homography(freedom @ values)
        return all_poses

    def residuals(x):
        now = poses(x)
        return np.concatenate(
            [
                root @ (frame.parameters(_between(now, k)) - wanted)
                for k, root, wanted in zip(links, roots, measured, strict=True)
            ]
        )

    x0 = np.array([np.linalg.lstsq(freedom, frame.parameters(start[i]))[0] for i in movable])
    return poses(least_squares(residuals, x0.ravel(), x_scale=1e-3).x)


def _root(information: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(information)
    root = np.sqrt(np.maximum(values, values.max() * 1e-9))
    return (vectors * root).T
