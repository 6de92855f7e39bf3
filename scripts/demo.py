"""The bundled sample from two photos to three edits and a score: python scripts/demo.py.

Every step is the command that you would type yourself, printed with what it says.
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
    "all_in_focus": ["all_in_focus=true"],
    "refocused": ["focus_at=120,480"],
    "wide_aperture": ["aperture_scale=2"],
}
CAPTIONS = ("as taken", "all in focus", "focused on the near box", "wider aperture")
CELL_PX = 480
CAPTION_PX = 26


def main() -> None:
    """Preprocess, edit, evaluate, lay out, and name what was written."""
    start = time.monotonic()
    print("Three edits of two photos, and a score: this takes a minute or two …", flush=True)
    scoring = begin("evaluate.py", "data.root=data/sample", f"output={OUTPUT}/evaluation")
    try:
        finish(begin("scripts/preprocess.py", *PAIR, f"output={OUTPUT}/preprocessing.png"))
        for name, edit in EDITS.items():
            finish(begin("refocus.py", *PAIR, *edit, f"output={OUTPUT}/{name}.png"))
        finish(scoring)
    finally:
        scoring.kill()  # after a failed edit; otherwise it has ended

    paths = [PHOTOS / "wide.jpg", *(OUTPUT / f"{name}.png" for name in EDITS)]
    cells = [captioned(read_image(ROOT / p), c) for p, c in zip(paths, CAPTIONS, strict=True)]
    write_image(in_rows(cells, 2), ROOT / OUTPUT / "edits.jpg")
    maps = fitted(read_image(ROOT / OUTPUT / "preprocessing.png"), 3 * CELL_PX)
    sheet = torch.cat([in_rows(cells[1:], 3), maps], dim=1)
    write_image(sheet, ROOT / OUTPUT / "contact_sheet.jpg")

    print(f"\nDone in {time.monotonic() - start:.0f} s. Look at {OUTPUT}/contact_sheet.jpg, and at")
    for path in sorted((ROOT / OUTPUT).iterdir()):
        print(f"  {path.relative_to(ROOT)}")


def begin(*command: str) -> subprocess.Popen:
    """Start a command; the evaluation runs beside the edits, as both leave a core idle at times."""
    return subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def finish(process: subprocess.Popen) -> None:
    """Wait for a command, show it with what it said; its failure is the demo's."""
    said, _ = process.communicate()
    print(f"\n$ python {shlex.join(process.args[1:])}\n{said.decode(errors='replace')}", flush=True)
    if process.returncode:
        raise SystemExit(process.returncode)


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
