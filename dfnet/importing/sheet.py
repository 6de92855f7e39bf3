"""The quality sheet: slices, merge, index and confidence in one picture, for eyes."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dfnet.importing.verdict import describe

CELL_PX = 420
CAPTION_PX = 24
SHOWN = 5  # slices, evenly spread
LINE_PX = 20


def quality_sheet(
    imported, picture: np.ndarray, index: np.ndarray, confidence: np.ndarray
) -> np.ndarray:
    """Draw the sheet, (h, w, 3) float32 in [0, 1].

    Args:
        imported: `dfnet.importing.pipeline.Imported`.
        picture: the merge, (H, W, 3).
        index: (H, W) sharpest slice.
        confidence: (H, W).
    """
    small, paths = imported.sweep.small, imported.sweep.paths
    shown = np.unique(np.linspace(0, len(small) - 1, min(SHOWN, len(small))).round().astype(int))
    # Reduced slices and full-size maps have the same shape but for rounding.
    size = CELL_PX, round(CELL_PX * picture.shape[0] / picture.shape[1])
    cells = [_cell(small[i], f"slice {i} ({paths[i].name})", size) for i in shown]
    last = len(small) - 1
    # Faint where it is not trusted.
    trust = 0.25 + 0.75 * confidence[..., None]
    cells += [
        _cell(picture, "all in focus", size),
        _cell(
            _colours(index / max(last, 1)) * trust, f"sharpest slice: dark 0, yellow {last}", size
        ),
        _cell(np.repeat(confidence[..., None], 3, axis=2), "confidence: white is trusted", size),
        _cell(_doubtful(picture, confidence), "red: left out of scores", size),
    ]
    columns = 3 if len(cells) <= 9 else 4
    blank = np.ones_like(cells[0])
    cells += [blank] * (-len(cells) % columns)
    rows = [np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    return np.vstack([*rows, _text(describe(imported), rows[0].shape[1])])


def _cell(picture: np.ndarray, title: str, size: tuple[int, int]) -> np.ndarray:
    small = cv2.resize(picture.astype(np.float32), size, interpolation=cv2.INTER_AREA).clip(0, 1)
    strip = Image.new("RGB", (CELL_PX, CAPTION_PX), "white")
    font = ImageFont.load_default(size=14)
    ImageDraw.Draw(strip).text((4, 3), title[:56], fill="black", font=font)
    return np.vstack([np.asarray(strip, dtype=np.float32) / 255, small])


def _colours(share: np.ndarray) -> np.ndarray:
    levels = (share.clip(0, 1) * 255).astype(np.uint8)
    return cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS)[..., ::-1].astype(np.float32) / 255


def _doubtful(picture: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    red = np.array([0.9, 0.1, 0.1], dtype=np.float32)
    return np.where(confidence[..., None] > 0.5, picture, 0.4 * picture + 0.6 * red)


def _text(lines: list[str], width: int) -> np.ndarray:
    per_line = width // 8
    wrapped = [line[i : i + per_line] for line in lines for i in range(0, len(line), per_line)]
    page = Image.new("RGB", (width, LINE_PX * len(wrapped) + 12), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size=14)
    for i, line in enumerate(wrapped):
        draw.text((6, 6 + LINE_PX * i), line, fill="black", font=font)
    return np.asarray(page, dtype=np.float32) / 255
