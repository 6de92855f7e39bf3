"""How a phone was held: the quarter turns that bring a stored photo upright."""

from pathlib import Path

from dfnet.errors import InputError
from dfnet.io.heif_boxes import Item, read_heif_meta
from dfnet.io.images import read_exif
from dfnet.io.phone_formats import HEIC

QUARTERS_LEFT = {1: 0, 8: 1, 3: 2, 6: 3}  # of EXIF's orientation; the others mirror


def quarter_turns_left(path: Path | str) -> int | None:
    """Quarter turns to the left (against the clock) from the sensor's picture to the upright one.

    Returns:
        0 to 3; None where the file does not tell, or the photo was mirrored or turned afterwards.
    """
    if Path(path).suffix.lower() in HEIC:
        try:
            meta = read_heif_meta(path)
        except InputError:
            return None
        return item_quarter_turns(meta.items[meta.primary]) if meta.primary in meta.items else None
    return QUARTERS_LEFT.get(int(read_exif(path, ("Orientation",)).get("Orientation", 0)))


def item_quarter_turns(item: Item) -> int | None:
    """The same of a HEIF picture; None where it is also cut or mirrored."""
    if item.property(b"clap", b"imir") is not None:
        return None
    turn = item.property(b"irot")
    return 0 if not turn else turn[0] & 3


def turned_left(x: float, y: float, quarters: int) -> tuple[float, float]:
    """A direction (x right, y down) in a picture that is turned to the left."""
    for _ in range(quarters):
        x, y = y, -x
    return x, y
