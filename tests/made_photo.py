"""A photo with the tags that a phone writes, by Pillow."""

import cv2
import numpy as np
import torch
from PIL import ExifTags, Image

from dfnet.io.photo_files import read_photo, write_photo
from dfnet.io.tiff_tags import EXIF, GPS

HEIGHT, WIDTH = 66, 90
MAKER_NOTE = b"Maker\0\1\2\xff" * 9
Base = ExifTags.Base


def exif(orientation=1, maker_note=MAKER_NOTE):
    """As a phone writes it, by Pillow: camera, place, thumbnail."""
    tags = Image.Exif()
    tags[Base.Make], tags[Base.Orientation], tags[Base.Software] = "Maker", orientation, "16.2"
    tags[Base.ImageWidth], tags[Base.ImageLength] = 4000, 3000
    camera = tags.get_ifd(EXIF)
    camera |= {Base.FNumber: 1.5, Base.FocalLengthIn35mmFilm: 26, Base.MakerNote: maker_note}
    camera |= {Base.ExifImageWidth: 4000, Base.ExifImageHeight: 3000}
    camera |= {Base.SubjectLocation: (40, 30), Base.DateTimeOriginal: "2026:01:02 03:04:05"}
    tags.get_ifd(GPS).update({1: "N", 2: (48.0, 51.0, 30.5), 3: "E", 4: (2.0, 21.0, 7.0)})
    return tags


def a_photo(path, tags=None, **options):
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    pixels = cv2.blur(pixels, (9, 9))
    Image.fromarray(pixels).save(path, exif=exif() if tags is None else tags, **options)
    return pixels


def written(tmp_path, name="out.jpg", bits=8, metadata=None, **options):
    """A photo taken in and given out, seen by Pillow."""
    if metadata is None:
        a_photo(tmp_path / "in.jpg")
        metadata = read_photo(tmp_path / "in.jpg").metadata
    notes = write_photo(torch.full((3, 70, 80), 0.5), tmp_path / name, bits, metadata, **options)
    with Image.open(tmp_path / name) as out:
        tags = out.getexif()
        return tags, tags.get_ifd(EXIF), tags.get_ifd(GPS), notes
