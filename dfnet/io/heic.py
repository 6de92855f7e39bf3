"""HEIC pictures as Pillow sees them, decoded in a process of its own (`heic_process.py`).

pi-heif 1.4.0 was seen to end its process on damaged files. Here a crash, a hang or a bomb is an
error like any other damage, and whoever reads the file goes on. Needs the extra `heic`.
"""

import base64
import functools
import importlib.util
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageFile

from dfnet.io.phone_formats import missing_extra

BRANDS = (
    *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
    *(b"mif1", b"mif2", b"msf1"),
)
PROCESS = Path(__file__).with_name("heic_process.py")
MAX_HEAD_BYTES = 128 << 20  # of JSON
BLOCKS = ("exif", "xmp", "icc_profile")


class Bounds(NamedTuple):
    """What decoding one file may cost.

    Attributes:
        seconds: by the clock, for each of the few times that a file is asked.
        base_bytes: memory for what is not pixels: libraries, threads, the file itself.
        bytes_per_pixel: memory for each pixel of the picture.
    """

    seconds: float = 60.0
    base_bytes: int = 1 << 30
    bytes_per_pixel: int = 24


BOUNDS = Bounds()


def is_heic(head: bytes) -> bool:
    """Whether a file that begins so is HEIC.

    Args:
        head: at least its first 12 bytes.
    """
    return head[4:8] == b"ftyp" and head[8:12] in BRANDS


class HeicImage(ImageFile.ImageFile):
    """A file's pictures; what it says is asked for when it is opened, pixels when they are loaded.

    `info` has `exif`, `xmp` and `icc_profile` where the file does, `original_orientation`, and
    `depth_images`, a list of `size` and `metadata`. Pictures come upright.

    Raises:
        InputError: the extra is not installed.
        OSError: damaged, or decoding it broke off or took too much.
    """

    format = "HEIF"
    format_description = "High efficiency image file"

    def _open(self) -> None:
        path = Path(self.filename)
        if importlib.util.find_spec("pi_heif") is None:
            raise missing_extra(path, "HEIC", "heic")
        at = path.stat()
        self._about = _about(path.resolve(), at.st_mtime_ns, at.st_size)
        if isinstance(self._about, str):
            raise OSError(self._about)
        self._show(self._about["primary"])

    def seek(self, frame: int) -> None:
        """Go to a picture, counted from 0.

        Raises:
            EOFError: there is none of that number.
        """
        if not 0 <= frame < len(self._about["pictures"]):
            raise EOFError(f"it has no picture {frame}")
        if frame != self._number:
            self._show(frame)

    def tell(self) -> int:
        """The number of the picture."""
        return self._number

    def load(self) -> object:
        """Decode the picture.

        Raises:
            OSError: damaged, or decoding it broke off or took too much.
        """
        if not self._decoded:
            self._size, pixels = _pixels(self, "picture", self.size, len(self.mode))
            self.load_prepare()
            self.frombytes(pixels)
            self._decoded = True
        return super().load()

    def depth_levels(self) -> Image.Image:
        """The first depth image of the picture, gray.

        Raises:
            OSError: damaged, or decoding it broke off or took too much.
        """
        size, levels = _pixels(self, "depth", self.info["depth_images"][0]["size"], 1)
        return Image.frombytes("L", size, levels)

    def _show(self, number: int) -> None:
        picture = self._about["pictures"][number]
        self._number, self._decoded = number, False
        self._size, self._mode = tuple(picture["size"]), picture["mode"]
        self._im = self._exif = None
        self.tile = []
        self.info = {name: picture[name] for name in ("original_orientation", "depth_images")}
        blocks = {name: base64.b64decode(picture.get(name, "")) for name in BLOCKS}
        self.info |= {name: block for name, block in blocks.items() if block}


@functools.lru_cache(maxsize=4)
def _about(path: Path, modified_ns: int, size_bytes: int) -> dict | str:
    """What the file says, or why that is not known.

    Kept, for a photo's file is asked many times: a hanging decoder is waited for once.
    """
    try:
        return _ask("about", path)[0]
    except OSError as error:
        return str(error)


def _pixels(
    image: HeicImage, job: str, size: tuple[int, int], channels: int
) -> tuple[tuple[int, int], bytes]:
    """The true size, which may differ from the stated one but not be larger, and the bytes."""
    pixels = size[0] * size[1]
    head, data = _ask(job, Path(image.filename), image.tell(), pixels, channels)
    width, height = head["size"]
    if width * height > pixels or len(data) != width * height * channels:
        raise OSError(f"its picture is not of the {size[0]}x{size[1]} pixels that it states")
    return (width, height), data


def _ask(
    job: str, path: Path, number: int = 0, pixels: int = 0, channels: int = 0
) -> tuple[dict, bytes]:
    """Let the process do a job: its JSON and what follows it.

    Raises:
        OSError: it could not, broke off, or took too much.
    """
    memory = BOUNDS.base_bytes + BOUNDS.bytes_per_pixel * pixels
    # A file of its own for the answer: a pipe would have to be emptied while the clock runs.
    with tempfile.TemporaryFile() as answer:
        command = [sys.executable, "-P", str(PROCESS), job, str(memory), str(path), str(number)]
        quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        try:
            code = subprocess.run(
                command, stdout=answer, timeout=BOUNDS.seconds, check=False, **quiet
            ).returncode
        except subprocess.TimeoutExpired:
            raise OSError(f"its decoder was stopped after {BOUNDS.seconds:g} s") from None
        if code:
            raise OSError(f"its decoder broke off: {_cause(code)}")
        answer.seek(0)
        head = json.loads(answer.readline(MAX_HEAD_BYTES))
        if "error" in head:
            raise OSError(head["error"])
        return head, answer.read(pixels * channels + 1)


def _cause(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
