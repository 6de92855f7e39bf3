"""Scores as the runner hands them to the report, with pictures, made without running anything."""

import torch

from dfnet.evaluation.asking import Asking
from dfnet.evaluation.plan import Plan, SceneScores, Scores
from dfnet.evaluation.report.write import write_report
from dfnet.evaluation.scenes import Scene
from dfnet.evaluation.score import Row
from dfnet.evaluation.store import Entry

HEIGHT, WIDTH = 150, 200
SPOT = (70, 110)  # row, column where one method is wrong


def row(scene, method, psnr_db, ssim=0.5, task="refocus", band="all", flags=()):
    metrics = {"psnr_db": psnr_db, "ssim": ssim}
    return Row(scene, task, method, band, metrics, 4, flags)


HARD = [20.0, 30.0, 25.0, 35.0]
ROWS = [
    *(row(f"s{i}", "plain & simple", v, 0.6) for i, v in enumerate(HARD)),
    *(row(f"s{i}", "ours", v + 1 + 0.1 * i, 0.7) for i, v in enumerate(HARD)),
    *(row(f"s{i}", "third", v - 1, 0.5) for i, v in enumerate(HARD)),
]


def exhibits(folder):
    """What the runner keeps of a scene: the question, and two methods of which one has a flaw."""
    texture = torch.rand(3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    entries = {name: Entry(folder / name) for name in ("scene", "ours", "third")}
    for name in ("w", "truth", "guide", "masks", "defocus", "target"):
        entries["scene"].save_picture(f"refocus_{name}", texture)
    for name in ("ours", "third"):
        picture = texture.clone()
        if name == "third":
            picture[:, SPOT[0] - 4 : SPOT[0] + 4, SPOT[1] - 4 : SPOT[1] + 4] = 0
        entries[name].save_picture("refocus_picture", picture)
        entries[name].save_picture("refocus_error", (picture - texture).abs()[:1])
    return entries


def made_scores(folder):
    """Four scenes, of which one has pictures, one a flag, and one a task left out."""
    folders = {name: str(entry.folder) for name, entry in exhibits(folder / "store").items()}
    flagged = [r._replace(flags=("gain beyond 15 %",)) if r.scene == "s1" else r for r in ROWS]
    scenes = [
        SceneScores(
            Scene(name, folder, "stack"),
            [r for r in flagged if r.scene == name],
            folders if name == "s0" else {},
            ["s3, identity: no <ultra-wide> photo"] if name == "s3" else [],
            [],
        )
        for name in ("s0", "s1", "s2", "s3")
    ]
    return Scores(scenes)


def made_report(scores, folder):
    """The report's files."""
    weights = folder / "weights.pt"
    weights.write_bytes(b"weights")
    settings = {"seed": 0, "scenes": 4, "data": {"root": "a & b"}, "checkpoint": str(weights)}
    return write_report(scores, Plan({}, Asking()), settings, folder / "new folder")
