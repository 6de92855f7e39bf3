"""Frames to a video file."""

from collections.abc import Iterable
from pathlib import Path

import cv2
from torch import Tensor

from dfnet.errors import InputError
from dfnet.io.images import pixels_of, write_whole

VIDEO = (".mp4",)
FRAMES_PER_SECOND = 24
_CODEC = "mp4v"  # MPEG-4 part 2, what OpenCV's wheels bring along everywhere


def write_video(frames: Iterable[Tensor], path: Path) -> None:
    """Write a silent video, whole or not at all.

    Args:
        frames: (3, H, W) in [0, 1] each, of one size; an odd last row or column is left out.
        path: .mp4.

    Raises:
        InputError: the place cannot be written.
    """

    def write(partial: Path) -> None:
        writer = None
        try:
            for frame in frames:
                pixels = pixels_of(frame, 8)[..., ::-1]
                height, width = (side // 2 * 2 for side in pixels.shape[:2])
                if writer is None:
                    writer = _opened(partial, (width, height))
                writer.write(pixels[:height, :width].copy())
        finally:
            if writer is not None:
                writer.release()

    write_whole(path, write)


def _opened(path: Path, size: tuple[int, int]) -> cv2.VideoWriter:
    codec = cv2.VideoWriter.fourcc(*_CODEC)
    writer = cv2.VideoWriter(str(path), codec, FRAMES_PER_SECOND, size)
    if not writer.isOpened():
        raise InputError(
            f"{path}: this OpenCV cannot write a video of {size[0]}x{size[1]} pixels\n"
            "  Write the frames as pictures: output='NAME_*.png'"
        )
    return writer
