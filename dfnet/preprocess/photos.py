"""Photo files as people have them: two files, or one spatial photo; pictures and cameras out."""

from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from dfnet.camera import Camera, known_cameras
from dfnet.errors import InputError
from dfnet.io.images import read_levels
from dfnet.io.photo_files import Photo, read_photo
from dfnet.io.spatial import read_spatial_photo
from dfnet.preprocess.cameras import found_preset, photo_cameras, preset_at_size


class PhotoPair(NamedTuple):
    """Two photos and what is known of their cameras.

    Attributes:
        photo_w: the wide photo, with what its file says beside the pixels.
        image_uw: (3, H', W'), in uint8 levels where the file has 8 bits.
        cameras: what is known of `wide` and `ultrawide`; `preprocess_pair` takes it.
        notes: on the pair, for people, in plain words.
    """

    photo_w: Photo
    image_uw: Tensor
    cameras: dict[str, Camera]
    notes: tuple[str, ...] = ()


def load_photos(
    wide: Path | str | None,
    ultrawide: Path | str | None = None,
    preset: dict[str, Camera] | None = None,
    metadata: bool = True,
) -> PhotoPair:
    """Read a pair of photos and what their files say.

    Args:
        wide: W's file; or a spatial photo, which holds both.
        ultrawide: UW's file; None for a spatial photo.
        preset: cameras that the user names; they are believed before the files. Without, the one
            of the phone that EXIF names.
        metadata: whether to believe the files at all.

    Raises:
        InputError: a file is missing or damaged, or there is no second photo.
    """
    if wide is None:
        raise InputError(
            "wide=...: not given\n"
            "  Name wide= and ultrawide= for a pair, wide= for a spatial photo, root= for captures."
        )
    if ultrawide is None:
        photo = read_spatial_photo(wide)
        found = photo.cameras if metadata else {}
        sized = preset_at_size(preset or {}, (photo.photo_w.image, photo.image_uw))
        return PhotoPair(*photo[:2], known_cameras(sized, found), photo.notes)
    photo_w, image_uw = read_photo(wide), read_levels(ultrawide)
    files = Path(wide), Path(ultrawide)
    preset = preset or (found_preset(files[0]) if metadata else {})
    known = photo_cameras(files, (photo_w.image, image_uw), preset, metadata)
    return PhotoPair(photo_w, image_uw, *known)
