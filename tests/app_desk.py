"""A rendered pair of photos for the app: files as of a phone, maps as the renderer knows them."""

from pathlib import Path

import torch
from PIL import ExifTags, Image

from dfnet.app.darkroom import load_files
from dfnet.app.preview import Previewer
from dfnet.app.service import Service
from dfnet.app.sessions import Sessions
from dfnet.capture import load_capture
from dfnet.model import DFNet
from dfnet.preprocess import true_preprocessing

DESK = Path(__file__).parents[1] / "data" / "sample" / "desk"
SLICE = 2  # focused on the middle: there is something blurred in front and behind
F_NUMBER = 1.85
_TURNED_BACK = {1: None, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}


def write_photos(folder, orientation=1):
    """Wide and ultra-wide JPEG; with an orientation the sensor's rows lie on their side."""
    capture = load_capture(DESK)
    folder.mkdir(parents=True, exist_ok=True)
    images = {"wide": capture.load_wide(SLICE), "ultrawide": capture.load_ultrawide(0)}
    for name, image in images.items():
        pixels = (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
        picture, exif = Image.fromarray(pixels), Image.Exif()
        if _TURNED_BACK[orientation] is not None and name == "wide":
            picture = picture.transpose(_TURNED_BACK[orientation])
            exif[ExifTags.Base.Orientation] = orientation
        exif[ExifTags.Base.Make] = "Pinhole Works"
        lens = exif.get_ifd(ExifTags.IFD.Exif)
        lens[ExifTags.Base.FNumber] = F_NUMBER
        picture.save(folder / f"{name}.jpg", quality=97, subsampling=0, exif=exif)
    return folder / "wide.jpg", folder / "ultrawide.jpg"


def load_desk(files):
    """The pair with the renderer's own maps; other files are left to preprocessing."""
    pair = load_files(files)
    if tuple(pair.image_w.shape[-2:]) == (384, 512):
        pair.preprocessed = true_preprocessing(load_capture(DESK), SLICE)
    return pair


def desk_service(root, load=load_desk):
    """The app's state machine with the released network."""
    return Service(Sessions(root), Previewer(DFNet.from_pretrained(), "cpu"), load)


def true_defocus_px():
    """(1, 384, 512) what the wide photo shows."""
    return true_preprocessing(load_capture(DESK), SLICE).defocus_w_px


def detail(image, x, y, reach=14):
    """Mean absolute second difference around a point of a picture (3, H, W): how sharp it is."""
    gray = image.mean(dim=0)[y - reach : y + reach + 1, x - reach : x + reach + 1]
    across = (gray[:, 2:] - 2 * gray[:, 1:-1] + gray[:, :-2]).abs().mean()
    down = (gray[2:] - 2 * gray[1:-1] + gray[:-2]).abs().mean()
    return float(torch.maximum(across, down))
