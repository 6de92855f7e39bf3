"""Frames to a video file, and the XMP in it.

OpenCV writes MP4 (ISO/IEC 14496-12) without metadata; the XMP follows as a box of its own, as
Adobe's XMP specification, part 3, places it in such files.
"""

import struct
import uuid
from collections.abc import Iterable
from pathlib import Path

import cv2
from torch import Tensor

from dfnet.errors import InputError
from dfnet.io.images import pixels_of, write_whole

VIDEO = (".mp4",)
VIDEO_BRANDS = (b"isom", b"iso2", b"mp41", b"mp42", b"avc1")
FRAMES_PER_SECOND = 24
MAX_XMP_BYTES = 1 << 20
XMP_BOX = uuid.UUID("be7acfcb-97a9-42e8-9c71-999491e3afac").bytes
_CODEC = "mp4v"  # MPEG-4 part 2, what OpenCV's wheels bring along everywhere


def write_video(frames: Iterable[Tensor], path: Path, xmp: bytes = b"") -> None:
    """Write a silent video, whole or not at all.

    Args:
        frames: (3, H, W) in [0, 1] each, of one size; an odd last row or column is left out.
        path: .mp4.
        xmp: a packet, what the file says of its making.

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
        if xmp:
            with partial.open("ab") as file:
                file.write(struct.pack(">I", 24 + len(xmp)) + b"uuid" + XMP_BOX + xmp)

    write_whole(path, write)


def is_video(head: bytes) -> bool:
    """Whether a file that begins so is MP4; HEIC begins in the same way.

    Args:
        head: at least its first 12 bytes.
    """
    return head[4:8] == b"ftyp" and head[8:12] in VIDEO_BRANDS


def video_xmp(path: Path) -> bytes:
    """The XMP of an MP4; empty without.

    Raises:
        ValueError: its boxes are damaged.
    """
    with path.open("rb") as file:
        at, end = 0, path.stat().st_size
        while at + 8 <= end:
            file.seek(at)
            size, kind = struct.unpack(">I4s", file.read(8))
            header = 16 if size == 1 else 8
            if size == 1:
                size = int.from_bytes(file.read(8))
            size = size or end - at
            if size < header + (len(XMP_BOX) if kind == b"uuid" else 0):
                raise ValueError(f"a box of {size} bytes")
            if kind == b"uuid" and file.read(len(XMP_BOX)) == XMP_BOX:
                return file.read(min(size - header - len(XMP_BOX), MAX_XMP_BYTES))
            at += size
    return b""


def _opened(path: Path, size: tuple[int, int]) -> cv2.VideoWriter:
    codec = cv2.VideoWriter.fourcc(*_CODEC)
    writer = cv2.VideoWriter(str(path), codec, FRAMES_PER_SECOND, size)
    if not writer.isOpened():
        raise InputError(
            f"{path}: this OpenCV cannot write a video of {size[0]}x{size[1]} pixels\n"
            "  Write the frames as pictures: output='NAME_*.png'"
        )
    return writer
