"""Whole files of each kind we read, small and made in memory, to be damaged."""

import base64
import io
import json
import struct
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from dfnet.io.colour import srgb_profile
from dfnet.io.disclosure import Disclosure, xmp_for
from dfnet.io.heic import is_heic
from dfnet.io.metadata import Metadata
from dfnet.io.photo_files import write_photo
from dfnet.io.tiff_tags import EXIF, GPS, INTEROP, SHORT, TagTree, Value, text, write_tags
from dfnet.io.video import XMP_BOX
from dfnet.recipe import Recipe, recipe_to_text
from dfnet.targets import Aperture, FocusAt, painted

SIDE_PX = 64  # the smallest photo there is
MAP_PX = (6, 8)


class Seed(NamedTuple):
    """A file.

    Attributes:
        kind: which readers take it: a key of `dfnet.fuzzing.readers.READERS`.
        name: what it is called on disk.
        data: its bytes.
    """

    kind: str
    name: str
    data: bytes


def seed_of_file(path: Path) -> Seed:
    """A user's photo as a seed.

    Raises:
        OSError: it cannot be read.
    """
    data = path.read_bytes()
    return Seed("heic" if is_heic(data) else "photo", f"photo{path.suffix.lower()}", data)


@cache
def seeds() -> tuple[Seed, ...]:
    """At least one of each kind."""
    made: list[Seed] = []
    for name, make in _MADE.items():
        kind, _, rest = name.partition(" ")
        made.append(Seed(kind, rest, make()))
    return tuple(made + _photos())


def _exif() -> bytes:
    tree = TagTree(">")
    camera = {
        0x920A: Value(5, struct.pack(">II", 57, 10)),
        0x829D: Value(5, struct.pack(">II", 15, 10)),
        0xA405: tree.number(SHORT, 26),
        0x9214: tree.number(SHORT, 40, 30, 10, 10),
        0x927C: Value(7, b"Apple iOS\0\0\1MM" + bytes(40)),
    }
    place = {1: text("N"), 2: Value(5, struct.pack(">6I", 48, 1, 51, 1, 30, 1))}
    main = {0x010F: text("Maker"), 0x0110: text("Phone 1"), 0x0112: tree.number(SHORT, 6)}
    interop = {1: text("R98")}
    return write_tags(TagTree(">", main, {EXIF: camera, GPS: place, INTEROP: interop}))


def _xmp() -> bytes:
    old = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MotionPhoto="1">'
        "<xmp:CreatorTool>Phone &amp; 1</xmp:CreatorTool></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    return xmp_for(Metadata(xmp=old.encode()), Disclosure("0" * 64))[0]


def _box(kind: bytes, *parts: bytes) -> bytes:
    payload = b"".join(parts)
    return struct.pack(">I4s", len(payload) + 8, kind) + payload


def _heif() -> bytes:
    """The boxes of a spatial photo, without its pixels."""
    items = b"".join(
        _box(b"infe", struct.pack(">IHH4s", 2 << 24, number, 0, b"hvc1"), b"\0")
        for number in (1, 2)
    )
    properties = _box(
        b"ipco",
        _box(b"ispe", struct.pack(">III", 0, 640, 480)),
        _box(b"cmin", struct.pack(">Iiii", 16 << 8, 40000, 32768, 32768)),
        _box(b"cmex", struct.pack(">Ii", 1, 19000)),
        _box(b"irot", b"\1"),
    )
    owners = struct.pack(">IIHBBBBHBBBB", 0, 2, 1, 3, 1, 2, 4, 2, 3, 1, 2, 3)
    meta = _box(
        b"meta",
        b"\0" * 4,
        _box(b"pitm", struct.pack(">IH", 0, 1)),
        _box(b"iinf", struct.pack(">IH", 0, 2), items),
        _box(b"iprp", properties, _box(b"ipma", owners)),
        _box(b"iref", b"\0" * 4, _box(b"auxl", struct.pack(">HHH", 3, 1, 1))),
        _box(b"grpl", _box(b"ster", struct.pack(">IIIII", 0, 9, 2, 1, 2))),
    )
    return _box(b"ftyp", b"heic\0\0\0\0mif1heic") + meta + _box(b"mdat", bytes(32))


def _video() -> bytes:
    """The boxes of a film, without its frames, and XMP behind them."""
    film = _box(b"ftyp", b"isom\0\0\0\0mp41"), _box(b"mdat", bytes(64)), _box(b"moov", bytes(32))
    return b"".join(film) + _box(b"uuid", XMP_BOX, _xmp())


def _jpeg(pixels: np.ndarray, xmp: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **({"xmp": xmp} if xmp else {}))
    return buffer.getvalue()


def _depth_levels() -> np.ndarray:
    return np.add.outer(np.arange(12), np.arange(12)).astype(np.uint8) * 11


def _google_depth() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(_depth_levels()).save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode()
    head = 'GDepth:Format="RangeInverse" GDepth:Near="0.5" GDepth:Far="4.0" GDepth:Units="m"'
    return _jpeg(_pixels(), f'<x:xmpmeta {head} GDepth:Data="{data}"/>'.encode())


def _apple_depth() -> bytes:
    """Two JPEGs and the index (CIPA DC-007) that makes one file of them."""
    kind = "<apdi:AuxiliaryImageType>disparity</apdi:AuxiliaryImageType>"
    limits = (
        "<apdi:FloatMinValue>0.5</apdi:FloatMinValue><apdi:FloatMaxValue>2</apdi:FloatMaxValue>"
    )
    second = _jpeg(_depth_levels(), f"<x:xmpmeta>{kind}{limits}</x:xmpmeta>".encode())
    first = _jpeg(_pixels())
    index = b"MM\0*\0\0\0\x08\0\x03" + struct.pack(">HHI4s", 0xB000, 7, 4, b"0100")
    index += struct.pack(">HHII", 0xB001, 4, 1, 2) + struct.pack(">HHII", 0xB002, 7, 32, 50)
    index += b"\0\0\0\0"
    start = 2 + 2 + 2 + 4
    size = len(first) + 8 + len(index) + 32
    index += struct.pack(">IIIHH", 0x030000, size, 0, 0, 0)
    index += struct.pack(">IIIHH", 0, len(second), size - start, 0, 0)
    segment = b"MPF\0" + index
    marker = b"\xff\xe2" + struct.pack(">H", len(segment) + 2)
    return first[:2] + marker + segment + first[2:] + second


def _pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8)


def _capture() -> bytes:
    camera = {"focal_length_mm": 5.7, "f_number": 1.5, "pixel_pitch_um": 1.9}
    record = {
        "format": 1,
        "wide": ["w0.png", "w1.png"],
        "ultrawide": ["uw.png"],
        "focus_distance_m": [0.5, 2.0],
        "cameras": {"wide": camera, "ultrawide": camera | {"position_m": [0.01, 0, 0]}},
        "apertures": [{"file": "a.png", "slice": 1, "scale": 0.5}],
        "truth": {"all_in_focus": "t.png", "geometry": "g.npz"},
        "origin": {"seed": 3},
    }
    return json.dumps(record).encode()


def _recipe() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "w.jpg"
        photo.write_bytes(b"photo")
        steps = (FocusAt(3.0, 4.0), Aperture(2.0))
        recipe = Recipe(wide=str(photo), steps=steps, pull_to=steps, photo_size=(64, 64))
        return recipe_to_text(recipe, Path(folder), {}).encode()


def _first_recipe() -> bytes:
    edit = dict.fromkeys(("path", "map_px_per_level", "like", "weights", "ultrawide"))
    edit |= {"target": "refocus", "focus_at": [3, 4], "aperture_scale": 2.0, "wide": "w.jpg"}
    edit |= {"output": "a.png", "map_zero_level": 0, "camera": {}, "device": "auto", "bits": 8}
    return json.dumps({"edit": edit}).encode()


def _npy(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def _picture(values: np.ndarray, kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, kind)
    return buffer.getvalue()


def _photos() -> list[Seed]:
    """As `write_photo` writes them, with everything in them."""
    metadata = Metadata(_exif(), _xmp(), srgb_profile())
    image = torch.from_numpy(_pixels()).permute(2, 0, 1) / 255
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for name, bits in (("a.jpg", 8), ("a.webp", 8), ("a.png", 8), ("b.png", 16), ("b.tif", 16)):
            write_photo(image, Path(folder) / name, bits, metadata)
            made.append(Seed("photo", name, (Path(folder) / name).read_bytes()))
    return made


_MADE: dict[str, Callable[[], bytes]] = {
    "tags exif.bin": _exif,
    "xmp packet.xmp": _xmp,
    "icc profile.icc": srgb_profile,
    "heif boxes.heic": _heif,
    "photo google.jpg": _google_depth,
    "photo apple.jpg": _apple_depth,
    "video pull.mp4": _video,
    "capture capture.json": _capture,
    "recipe a_recipe.json": _recipe,
    "recipe b_recipe.json": _first_recipe,
    "map a.npy": lambda: _npy(np.zeros(MAP_PX, np.float32)),
    "map a.png": lambda: _picture(np.zeros(MAP_PX, np.uint16), "PNG"),
    "map a.tif": lambda: _picture(np.zeros(MAP_PX, np.float32), "TIFF"),
    "mask a.png": lambda: _picture(np.zeros(MAP_PX, np.uint8), "PNG"),
    "painted mask.txt": lambda: painted(np.zeros(MAP_PX, np.uint8)).encode(),
}
