"""Decodes one HEIC file in a process of its own: decoders crash, hang or swell on some damage.

`dfnet.io.heic` starts it. It imports nothing of this project, so that it starts quickly:

    heic_process.py about MEMORY FILE            what the file says of each picture, as JSON
    heic_process.py picture MEMORY FILE NUMBER   a line of JSON, then the picture's pixels
    heic_process.py depth MEMORY FILE NUMBER     a line of JSON, then its depth image's gray levels

MEMORY is a bound in bytes, where the system has one (Linux).
"""

import base64
import contextlib
import itertools
import json
import sys
from typing import Any

import pi_heif

MAX_PICTURES = 64  # looked at in one file
MAX_BLOCK_BYTES = 16 << 20  # of EXIF, XMP or a colour profile
BLOCKS = ("exif", "xmp", "icc_profile")


def bound_memory(size_bytes: int) -> None:
    """From here on this process gets no more; nor does it write its memory to disk if it dies."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for kind, amount in ((resource.RLIMIT_AS, size_bytes), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (amount, resource.getrlimit(kind)[1]))


def about(file: pi_heif.HeifFile) -> dict:
    """What the file says of its pictures."""
    pictures = [about_picture(picture) for picture in itertools.islice(file, MAX_PICTURES)]
    return {"primary": file.primary_index, "pictures": pictures}


def about_picture(picture: pi_heif.HeifImage) -> dict[str, Any]:
    """Size, mode, what stands beside the pixels, and of its depth images."""
    orientation = pi_heif.set_orientation(picture.info)
    blocks = {name: picture.info.get(name) or b"" for name in BLOCKS}
    return {
        "size": picture.size,
        "mode": "L" if picture.mode == "L" else "RGB",
        "original_orientation": orientation,
        "depth_images": [
            {"size": depth.size, "metadata": depth.info.get("metadata") or {}}
            for depth in picture.info.get("depth_images") or ()
        ],
        **{
            name: base64.b64encode(block).decode()
            for name, block in blocks.items()
            if len(block) <= MAX_BLOCK_BYTES
        },
    }


def answer(job: str, memory_bytes: str, path: str, number: str = "0") -> tuple[dict, bytes]:
    """The JSON and what follows it."""
    bound_memory(int(memory_bytes))
    file = pi_heif.open_heif(path, convert_hdr_to_8bit=True)
    if job == "about":
        return about(file), b""
    picture = file[int(number)]
    if job == "depth":
        image = picture.info["depth_images"][0].to_pillow().convert("L")
    else:
        image = picture.to_pillow().convert("L" if picture.mode == "L" else "RGB")
    return {"size": image.size}, image.tobytes()


def main() -> None:
    """Answer on standard output; a refusal is an answer, too."""
    try:
        head, body = answer(*sys.argv[1:])
    except Exception as error:  # whatever a decoder raises on damage
        head, body = {"error": str(error) or type(error).__name__}, b""
    out = sys.stdout.buffer
    out.write(json.dumps(head, default=str).encode() + b"\n")
    out.write(body)
    out.flush()


if __name__ == "__main__":
    main()
