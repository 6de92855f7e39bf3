"""What reads files here, each with a damaged one in its hands."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from dfnet.capture import load_capture
from dfnet.fuzzing.seeds import MAP_PX
from dfnet.io.colour import colours_of
from dfnet.io.declaration import read_declaration
from dfnet.io.disclosure import Disclosure, xmp_for
from dfnet.io.exif import File, exif_for
from dfnet.io.heif_boxes import read_heif_meta
from dfnet.io.metadata import Metadata
from dfnet.io.orientation import quarter_turns_left
from dfnet.io.pair_order import wide_first
from dfnet.io.phone_depth import read_phone_depth
from dfnet.io.photo_files import read_photo
from dfnet.io.spatial import read_eyes
from dfnet.io.tiff_tags import write_tags
from dfnet.io.xmp import Packet
from dfnet.recipe import load_recipe
from dfnet.targets import read_map
from dfnet.targets.masks import read_mask

NEW_FILE = File(64, 48, srgb=True, software="dfnet")


def _tags(path: Path) -> None:
    tree, _ = exif_for(Metadata(exif=path.read_bytes(), turned=True), NEW_FILE)
    write_tags(tree)


def _xmp(path: Path) -> None:
    packet, _ = xmp_for(Metadata(xmp=path.read_bytes(), turned=True, located=False), Disclosure())
    Packet(packet)


def _icc(path: Path) -> None:
    colours = colours_of(path.read_bytes())
    ramp = np.linspace(0, 1, 48, dtype=np.float32).reshape(3, 16)
    if colours is not None and not np.isfinite(colours.from_srgb(ramp)).all():
        raise AssertionError("a colour is not a number")


def _photo(path: Path) -> None:
    image, metadata, _ = read_photo(path)
    if not (0 <= float(image.min()) <= float(image.max()) <= 1):
        raise AssertionError("a value is not a colour")
    exif_for(metadata, NEW_FILE)
    xmp_for(metadata, Disclosure())


def _capture(path: Path) -> None:
    capture = load_capture(path.parent)
    for name in (*capture.wide, *capture.ultrawide, *(capture.truth or {}).values()):
        capture.folder / name
    if capture.cameras.get("wide") and capture.focus_distance_m:
        capture.cameras["wide"].lens(capture.focus_distance_m[0])


BOXES = (read_heif_meta, read_eyes, quarter_turns_left)
READERS: dict[str, tuple[Callable[[Path], object], ...]] = {
    "tags": (_tags,),
    "xmp": (_xmp,),
    "icc": (_icc,),
    "heif": BOXES,
    "heic": (*BOXES, _photo, read_phone_depth),  # with pictures, each in a process of its own
    "photo": (
        *(_photo, read_phone_depth, read_declaration),
        *(quarter_turns_left, lambda path: wide_first(path, path)),
    ),
    "video": (read_declaration,),
    "capture": (_capture,),
    "recipe": (load_recipe,),
    "map": (lambda path: read_map(path, MAP_PX), lambda path: read_map(path, MAP_PX, 0.01, 128)),
    "mask": (lambda path: read_mask(str(path), MAP_PX[::-1], MAP_PX),),
    "painted": (lambda path: read_mask(path.read_bytes().decode("latin-1"), MAP_PX[::-1], MAP_PX),),
}
