"""The bundled sample from two photos to three edits and a score: python scripts/demo.py.

Every step is the command that you would type yourself; it is printed before it runs.
"""

import shlex
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torchvision.transforms.functional import resize

from dfnet.io.images import read_image, write_image

ROOT = Path(__file__).resolve().parents[1]
PHOTOS = Path("data/sample/photos")
OUTPUT = Path("outputs/demo")
PAIR = [f"wide={PHOTOS}/wide.jpg", f"ultrawide={PHOTOS}/ultrawide.jpg"]
EDITS = {
    "all_in_focus": ["target=all_in_focus"],
    "refocused": ["target=refocus", "focus_at=[170,510]"],
    "wide_aperture": ["target=aperture", "aperture_scale=2"],
}
CAPTIONS = ("as taken", "all in focus", "focused on the bag", "wider aperture")
CELL_PX = 480
CAPTION_PX = 26


def main() -> None:
    """Preprocess, edit, evaluate, lay out, and name what was written."""
    start = time.monotonic()
    run("scripts/preprocess.py", *PAIR, f"output={OUTPUT}/preprocessing.png")
    for name, edit in EDITS.items():
        run("refocus.py", *PAIR, *edit, f"output={OUTPUT}/{name}.png")
    run("evaluate.py", "data.root=data/sample", f"output={OUTPUT}/scores.json")

    paths = [PHOTOS / "wide.jpg", *(OUTPUT / f"{name}.png" for name in EDITS)]
    cells = [captioned(read_image(ROOT / p), c) for p, c in zip(paths, CAPTIONS, strict=True)]
    write_image(in_rows(cells, 2), ROOT / OUTPUT / "edits.jpg")
    maps = fitted(read_image(ROOT / OUTPUT / "preprocessing.png"), 3 * CELL_PX)
    sheet = torch.cat([in_rows(cells[1:], 3), maps], dim=1)
    write_image(sheet, ROOT / OUTPUT / "contact_sheet.jpg")

    print(f"\nDone in {time.monotonic() - start:.0f} s. Look at {OUTPUT}/contact_sheet.jpg, and at")
    for path in sorted((ROOT / OUTPUT).iterdir()):
        print(f"  {path.relative_to(ROOT)}")


def run(*command: str) -> None:
    """Say a command, then run it; its failure is the demo's."""
    print(f"\n$ python {shlex.join(command)}", flush=True)
    result = subprocess.run([sys.executable, *command], cwd=ROOT, check=False)
    if result.returncode:
        raise SystemExit(result.returncode)


def fitted(image: Tensor, width: int) -> Tensor:
    """Resized to this width, the shape kept."""
    height = round(image.shape[-2] * width / image.shape[-1])
    return resize(image, [height, width], antialias=True)


def captioned(image: Tensor, text: str) -> Tensor:
    """A cell of the sheet: the picture with its name below."""
    strip = Image.new("RGB", (CELL_PX, CAPTION_PX), "white")
    font = ImageFont.load_default(size=15)
    ImageDraw.Draw(strip).text((5, 3), text, fill="black", font=font)
    letters = torch.from_numpy(np.asarray(strip, dtype=np.float32) / 255).permute(2, 0, 1)
    return torch.cat([fitted(image, CELL_PX), letters], dim=1)


def in_rows(cells: list[Tensor], columns: int) -> Tensor:
    """Equal cells side by side, row below row."""
    rows = [torch.cat(cells[i : i + columns], dim=2) for i in range(0, len(cells), columns)]
    return torch.cat(rows, dim=1)


if __name__ == "__main__":
    main()
