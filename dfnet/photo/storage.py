"""What storing a photo does to it: 8 bits, JPEG."""

import cv2
import numpy as np
import torch
from torch import Tensor


def quantise(encoded: Tensor) -> Tensor:
    """The nearest of the 256 levels of an 8-bit file."""
    return (encoded * 255).round() / 255


def compress(encoded: Tensor, quality: int, half_chroma: bool) -> Tensor:
    """What is left after JPEG.

    Args:
        encoded: (3, H, W) in [0, 1].
        quality: of libjpeg, 1 to 100.
        half_chroma: whether colour is stored at half size (4:2:0).

    Returns:
        Same shape, at 8-bit levels.
    """
    levels = (encoded * 255).round().to(torch.uint8).numpy()
    sampling = "420" if half_chroma else "444"
    options = [
        *(cv2.IMWRITE_JPEG_QUALITY, quality),
        *(
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
            getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{sampling}"),
        ),
    ]
    _, file = cv2.imencode(".jpg", np.ascontiguousarray(levels[::-1].transpose(1, 2, 0)), options)
    decoded = cv2.imdecode(file, cv2.IMREAD_COLOR)
    planes = np.ascontiguousarray(decoded.transpose(2, 0, 1)[::-1])
    return torch.from_numpy(planes).float() / 255
