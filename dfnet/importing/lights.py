"""Lights that clip: out of focus they are discs whose hard edges look like something sharp."""

from collections.abc import Sequence

import cv2
import numpy as np

CLIPPED = 0.97  # encoded value
SPREADS = 2.0  # a light covers this much more where it is out of focus
MARGIN_PX = 7  # the soft rim of a disc, both sides together


def find_lights(grays: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Where lights spread in some slices, and the slice that shows each of them smallest.

    What is merely white clips over less area when it is blurred; a light much brighter than white
    clips over more.

    Args:
        grays: aligned slices (H, W) float32 in [0, 1].

    Returns:
        Bool (H, W), wherever any slice shows the light; int (H, W) slice, 0 elsewhere.
    """
    clipped = np.stack([g >= CLIPPED for g in grays])
    touched = cv2.dilate(clipped.any(axis=0).astype(np.uint8), np.ones((MARGIN_PX, MARGIN_PX)))
    count, labels = cv2.connectedComponents(touched)
    areas = np.stack([np.bincount(labels[c], minlength=count) for c in clipped])
    spreads = (areas.min(axis=0) > 0) & (areas.max(axis=0) > SPREADS * areas.min(axis=0))
    spreads[0] = False  # the rest of the picture
    return spreads[labels], np.where(spreads, areas.argmin(axis=0), 0)[labels]
