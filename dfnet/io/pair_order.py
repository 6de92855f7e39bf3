"""Which of two photos is the wide one: told by the lenses' field of view in EXIF, where it is."""

from pathlib import Path
from typing import NamedTuple

from dfnet.io.images import read_exif

LONGER = 1.25  # W's focal length over UW's; phones have 1.7 to 2.2, rounding makes twins differ
_EQUIVALENT, _LENS, _MODEL = "FocalLengthIn35mmFilm", "FocalLength", "Model"


class Pair(NamedTuple):
    """Two photos in order.

    Attributes:
        wide: the one to refocus.
        ultrawide: the guide.
        note: for people, where the order was changed.
    """

    wide: Path
    ultrawide: Path
    note: str | None = None


def wide_first(first: Path | str, second: Path | str) -> Pair:
    """Put the photo with the narrower field of view first, where EXIF tells that it is second.

    Lenses' true focal lengths are compared only within one phone model: sensors differ in size.
    Without EXIF the order stays; preprocessing compares the pictures themselves.

    Raises:
        InputError: HEIC, and its extra is not installed.
    """
    first, second = Path(first), Path(second)
    exif = [read_exif(path, (_EQUIVALENT, _LENS, _MODEL)) for path in (first, second)]
    names = (_EQUIVALENT, _LENS) if exif[0].get(_MODEL) == exif[1].get(_MODEL) else (_EQUIVALENT,)
    for name in names:
        lengths = [e.get(name) for e in exif]
        if all(isinstance(length, float) and length > 0 for length in lengths):
            if lengths[1] > LONGER * lengths[0]:
                return Pair(
                    second,
                    first,
                    f"{second.name} is taken as the wide photo: its focal length is "
                    f"{lengths[1]:g} mm, that of {first.name} {lengths[0]:g} mm",
                )
            return Pair(first, second)
    return Pair(first, second)
