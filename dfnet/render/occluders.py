"""Things close to the camera that hide part of the scene: what defocus melts into a veil."""

import numpy as np

from dfnet.render.geometry import BOX, QUAD, SPHERE, TUBE
from dfnet.render.stage import Stage


def add_occluders(stage: Stage, near_m: float) -> None:
    """One to three occluders between `near_m` and half as far again."""
    count = int(stage.rng.choice([1, 2, 3], p=[0.45, 0.4, 0.15]))
    makers = stage.rng.choice(len(OCCLUDERS), count, replace=False, p=_SHARES)
    for k in makers:
        OCCLUDERS[k](stage, near_m * stage.rng.uniform(1.03, 1.5))


def _edge_point(stage: Stage, depth_m: float, beyond: float) -> np.ndarray:
    """A point at the picture's left, right or lower edge, `beyond` it by a share of the width."""
    width, height = stage.place.camera.size
    side = stage.rng.integers(3)
    along = stage.rng.uniform(0.1, 0.9)
    x, y = ((-beyond, along), (1 + beyond, along), (along, 1 + beyond * width / height))[side]
    return stage.place.through_pixel(x * width, y * height, depth_m)


def branch(stage: Stage, depth_m: float) -> None:
    """Leaves that hang into the picture."""
    rng = stage.rng
    for _ in range(int(rng.integers(1, 4))):
        half = stage.place.metres(rng.uniform(0.18, 0.35) * stage.place.camera.size[0], depth_m)
        axes = stage.place.upright((half, half, half), rng.uniform(-0.6, 0.6), rng.normal(0, 0.3))
        spin = rng.uniform(-np.pi, np.pi)
        turned = np.stack(
            [
                np.cos(spin) * axes[0] + np.sin(spin) * axes[1],
                np.cos(spin) * axes[1] - np.sin(spin) * axes[0],
                axes[2],
            ]
        )
        material = stage.whole_picture("card", (half, half))
        centre = _edge_point(stage, depth_m, rng.uniform(-0.12, 0.06))
        stage.builder.add(QUAD, centre, turned, material)


def bar(stage: Stage, depth_m: float) -> None:
    """A rod or cable across the picture."""
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    thick = place.metres(rng.uniform(0.008, 0.05) * width, depth_m)
    upright = rng.random() < 0.6
    start = rng.uniform(0.1, 0.9, 2) * (width, height)
    end = start + rng.normal(0, 0.25, 2) * width
    start[int(upright)], end[int(upright)] = -0.4 * height, 1.4 * height
    if not upright:
        start[0], end[0] = -0.4 * width, 1.4 * width
    a = place.through_pixel(*start, depth_m)
    b = place.through_pixel(*end, depth_m * rng.uniform(1.0, 1.3))
    along = (b - a) / 2
    across = np.cross(along, [0, 0, 1.0])
    across *= thick / np.linalg.norm(across)
    back = np.cross(across, along)
    back *= thick / np.linalg.norm(back)
    axes = np.stack([across, along, back])
    stage.builder.add(TUBE, (a + b) / 2, axes, stage.material("object", 0.95 * depth_m))


def mesh(stage: Stage, depth_m: float) -> None:
    """A fence before one side of the picture, seldom before all of it."""
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    whole = rng.random() < 0.25
    half = place.metres((1.2 if whole else rng.uniform(0.2, 0.4)) * width, depth_m)
    x = (0.5 if whole else rng.choice([0.0, 1.0])) * width
    turn = rng.uniform(-0.4, 0.4)
    axes = place.upright((half, place.metres(height, depth_m), 1), turn)
    material = stage.material("wire" if whole else "screen", 0.9 * depth_m, gloss=0.0)
    middle = place.through_pixel(x, rng.uniform(0.2, 0.8) * height, depth_m * 1.1)
    stage.builder.add(QUAD, middle, axes, material)


def intruder(stage: Stage, depth_m: float) -> None:
    """A box or ball, mostly outside the picture."""
    rng, place = stage.rng, stage.place
    half = place.metres(rng.uniform(0.12, 0.25) * place.camera.size[0], depth_m)
    centre = _edge_point(stage, depth_m + half, rng.uniform(-0.02, 0.1))
    axes = place.upright(half * rng.uniform(0.6, 1.2, 3), rng.uniform(-0.8, 0.8))
    kind = BOX if rng.random() < 0.6 else SPHERE
    stage.builder.add(kind, centre, axes, stage.material("object", depth_m))


OCCLUDERS = (branch, bar, mesh, intruder)
_SHARES = np.array([0.38, 0.22, 0.10, 0.30])
