"""The EXIF of a picture made from a photo: the camera's facts stay, the file's facts are new."""

from dataclasses import dataclass, replace

from dfnet.io.metadata import Metadata
from dfnet.io.tiff_tags import (
    EXIF,
    GPS,
    LONG,
    SHORT,
    UNDEFINED,
    TagTree,
    Value,
    read_tags,
    text,
    without,
)

ORIENTATION, SOFTWARE, COLOUR_SPACE, WIDTH_PX, HEIGHT_PX = 0x0112, 0x0131, 0xA001, 0xA002, 0xA003
EXIF_VERSION, MAKER_NOTE, SUBJECT_AREA, SUBJECT_LOCATION = 0x9000, 0x927C, 0x9214, 0xA214
PADDING = 0xEA1C
SRGB, UNCALIBRATED = 1, 0xFFFF
# Of the first directory; the others there tell how the old file stored its pixels.
DESCRIPTIVE = {
    *(0x010E, 0x010F, 0x0110),  # description, make, model
    *(0x011A, 0x011B, 0x0128),  # resolution
    *(SOFTWARE, 0x0132, 0x013B, 0x013C, 0x8298),  # software, date, artist, computer, copyright
    *(0x4746, 0x4749, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F),  # rating; Windows' title to subject
}


@dataclass(frozen=True)
class File:
    """Facts of the new file.

    Attributes:
        width: [px].
        height: [px].
        srgb: whether its colours are sRGB.
        software: what made it, or None to keep what is there.
    """

    width: int
    height: int
    srgb: bool
    software: str | None


def made_by(software: str) -> TagTree:
    """EXIF that tells nothing but the software."""
    return TagTree(main={SOFTWARE: text(software)})


def exif_for(metadata: Metadata, file: File) -> tuple[TagTree, tuple[str, ...]]:
    """The photo's EXIF for a picture made from it.

    Upright, of the new size, without thumbnail; places in the old pixels are left out where those
    were turned; maker notes and GPS are left out where the place is not to be told.

    Returns:
        The tags, and notes on what is missing.
    """
    try:
        old = read_tags(metadata.exif) if metadata.exif else TagTree()
    except ValueError:
        old = TagTree(damaged=True)
    notes = ("its EXIF is damaged in part, which is left out",) if old.damaged else ()
    tree = without(old, PADDING)
    if not metadata.located:
        tree = without(tree, GPS, MAKER_NOTE)
    if metadata.turned:
        tree = without(tree, SUBJECT_AREA, SUBJECT_LOCATION)
    main = {tag: value for tag, value in tree.main.items() if tag in DESCRIPTIVE}
    if not (main or tree.below or file.software):
        return TagTree(), notes
    main[ORIENTATION] = tree.number(SHORT, 1)
    if file.software:
        main[SOFTWARE] = text(file.software)
    below = tree.below | {EXIF: _camera(tree, file)}
    return replace(tree, main=main, below=below, damaged=False), notes


def _camera(tree: TagTree, file: File) -> dict[int, Value]:
    return (
        {EXIF_VERSION: Value(UNDEFINED, b"0232")}
        | tree.below.get(EXIF, {})
        | {
            COLOUR_SPACE: tree.number(SHORT, SRGB if file.srgb else UNCALIBRATED),
            WIDTH_PX: tree.number(LONG, file.width),
            HEIGHT_PX: tree.number(LONG, file.height),
        }
    )
