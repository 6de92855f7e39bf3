"""Things close to the camera that hide part of the scene: what defocus melts into a veil."""

import numpy as np

from dfnet.render import growth
from dfnet.render.geometry import BOX, QUAD, SPHERE
from dfnet.render.shapes import across, blob, hanging, ring, rod, unit, wire
from dfnet.render.stage import Stage

SHARE_WITHOUT = 0.15  # scenes that show everything


def add_occluders(stage: Stage, near_m: float) -> None:
    """None to three occluders between `near_m` and half as far again."""
    count = int(stage.rng.choice([0, 1, 2, 3], p=[SHARE_WITHOUT, 0.45, 0.3, 0.1]))
    makers = stage.rng.choice(len(OCCLUDERS), count, replace=False, p=_SHARES)
    for k in makers:
        OCCLUDERS[k](stage, near_m * stage.rng.uniform(1.08, 1.5))


def _edge_point(stage: Stage, depth_m: float, beyond: float) -> np.ndarray:
    """A point at the picture's left, right or lower edge, `beyond` it by a share of the width."""
    width, height = stage.place.camera.size
    side = stage.rng.integers(3)
    along = stage.rng.uniform(0.1, 0.9)
    x, y = ((-beyond, along), (1 + beyond, along), (along, 1 + beyond * width / height))[side]
    return stage.place.through_pixel(x * width, y * height, depth_m)


def _inwards(stage: Stage, point: np.ndarray) -> np.ndarray:
    """Unit vector from there towards the middle of the picture, with some chance."""
    width, height = stage.place.camera.size
    middle = stage.place.through_pixel(width / 2, height / 2, point[2])
    return unit(unit(middle - point) + stage.rng.normal(0, 0.3, 3) * (1, 1, 0.3))


def sprays(stage: Stage, depth_m: float) -> None:
    """Flat sprays of leaves that hang into the picture."""
    rng = stage.rng
    for _ in range(int(rng.integers(1, 4))):
        long = stage.place.metres(rng.uniform(0.3, 0.6) * stage.place.camera.size[0], depth_m)
        foot = _edge_point(stage, depth_m * rng.uniform(1, 1.2), 0.1)
        growth.add_leaf(stage, foot, _inwards(stage, foot), long, "spray")


def leaves(stage: Stage, depth_m: float) -> None:
    """Single large leaves on a stalk."""
    rng = stage.rng
    foot = _edge_point(stage, depth_m, 0.1)
    green = stage.material("stem", 0.9 * depth_m)
    width = stage.place.camera.size[0]
    way = _inwards(stage, foot)
    long = stage.place.metres(rng.uniform(0.15, 0.3) * width, depth_m)
    end = foot + 1.6 * long * way
    rod(stage, foot, end, stage.place.metres(0.006 * width, depth_m), green)
    for share in rng.uniform(0.3, 1.0, int(rng.integers(2, 6))):
        side = unit(way + rng.normal(0, 0.6, 3) * (1, 1, 0.4))
        growth.add_leaf(stage, foot + share * (end - foot), side, long * rng.uniform(0.6, 1.1))


def twigs(stage: Stage, depth_m: float) -> None:
    """A bare or budding branch in true depth."""
    rng, place = stage.rng, stage.place
    width = place.camera.size[0]
    foot = _edge_point(stage, 1.15 * depth_m, 0.08)
    bark = stage.material("bark", 0.9 * depth_m)
    size = place.metres(np.array([0.3, rng.uniform(0.006, 0.016)]) * width, depth_m)
    tips = growth.grow(stage, foot, _inwards(stage, foot), tuple(size), 2, bark)
    if rng.random() < 0.5:
        for point, way in tips:
            growth.add_leaf(stage, point, way, 0.35 * size[0])


def strands(stage: Stage, depth_m: float) -> None:
    """Blades of grass or hair that rise into the picture."""
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    material = stage.material(str(rng.choice(["stem", "bark"])), 0.9 * depth_m)
    first = rng.uniform(0.0, 0.7)
    for x in first + rng.uniform(0, 0.4, int(rng.integers(5, 14))):
        foot = place.through_pixel(x * width, 1.1 * height, depth_m * rng.uniform(1, 1.3))
        long = place.metres(rng.uniform(0.4, 0.9) * height, depth_m)
        thin = place.metres(rng.uniform(0.002, 0.008) * width, depth_m)
        growth.add_strand(stage, foot, place.up + rng.normal(0, 0.25, 3), (long, thin), material)


def bar(stage: Stage, depth_m: float) -> None:
    """A rod or a sagging cable across the picture."""
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    thick = place.metres(rng.uniform(0.003, 0.03) * width, depth_m)
    upright = rng.random() < 0.5
    start = rng.uniform(0.1, 0.9, 2) * (width, height)
    end = start + rng.normal(0, 0.25, 2) * width
    start[int(upright)], end[int(upright)] = -0.4 * height, 1.4 * height
    if not upright:
        start[0], end[0] = -0.4 * width, 1.4 * width
    ends = [place.through_pixel(*p, depth_m * s) for p, s in ((start, 1.0), (end, 1.2))]
    sag = place.metres(rng.uniform(0, 0.2) * height, depth_m) * (not upright)
    family = str(rng.choice(["plain", "metal", "wood"]))
    wire(stage, hanging(*ends, sag, place.up), thick, stage.material(family, 0.9 * depth_m))


def mesh(stage: Stage, depth_m: float) -> None:
    """A fence before one side of the picture, seldom before all of it."""
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    whole = rng.random() < 0.3
    half = place.metres((1.3 if whole else rng.uniform(0.2, 0.4)) * width, depth_m)
    x = (0.5 if whole else rng.choice([0.0, 1.0])) * width
    axes = place.upright((half, place.metres(1.2 * height, depth_m), 1), rng.uniform(-0.3, 0.3))
    material = stage.material("fence" if whole else "net", 0.7 * depth_m, gloss=0.0)
    middle = place.through_pixel(x, rng.uniform(0.3, 0.7) * height, depth_m * 1.35)
    stage.builder.add(QUAD, middle, axes, material)


def intruder(stage: Stage, depth_m: float) -> None:
    """A box or ball, mostly outside the picture."""
    rng, place = stage.rng, stage.place
    half = place.metres(rng.uniform(0.12, 0.25) * place.camera.size[0], depth_m)
    centre = _edge_point(stage, depth_m + half, rng.uniform(-0.02, 0.1))
    axes = place.upright(half * rng.uniform(0.6, 1.2, 3), rng.uniform(-0.8, 0.8))
    kind = BOX if rng.random() < 0.6 else SPHERE
    family = str(rng.choice(["plain", "fabric", "object"]))
    stage.builder.add(kind, centre, axes, stage.material(family, 0.8 * depth_m))


def hand(stage: Stage, depth_m: float) -> None:
    """Three or four fingers that reach into the picture."""
    rng, place = stage.rng, stage.place
    width = place.camera.size[0]
    skin = stage.material("skin", 0.8 * depth_m)
    wrist = _edge_point(stage, 1.2 * depth_m, 0.15)
    way = _inwards(stage, wrist)
    beside = across(way)[0]
    thick = place.metres(rng.uniform(0.02, 0.035) * width, depth_m)
    blob(stage, wrist, thick * np.array([3.6, 3.6, 2.0]), skin)
    for k in range(int(rng.integers(3, 5))):
        knuckle = wrist + (k - 1.5) * 2.1 * thick * beside + 2.5 * thick * way
        tip = knuckle + thick * rng.uniform(5, 8) * unit(way + rng.normal(0, 0.12, 3) * (1, 1, 0.3))
        joint = (knuckle + tip) / 2 + 0.5 * thick * np.array([0, 0, -1.0])
        wire(stage, [knuckle, joint, tip], thick * np.array([1.0, 0.9]), skin)
        blob(stage, joint, 1.0 * thick * np.ones(3), skin)
        blob(stage, tip, 0.92 * thick * np.ones(3), skin)


def rim(stage: Stage, depth_m: float) -> None:
    """The rim of a glass, of spectacles or of a cup, close before the lens."""
    rng, place = stage.rng, stage.place
    radius = place.metres(rng.uniform(0.15, 0.4) * place.camera.size[0], depth_m)
    centre = _edge_point(stage, depth_m + 0.4 * radius, rng.uniform(-0.1, 0.15))
    tilt = rng.uniform(0.15, 1.4)
    plane = (place.right, unit(np.cos(tilt) * place.ahead + np.sin(tilt) * place.up))
    family = str(rng.choice(["metal", "plain"]))
    material = stage.material(family, 0.8 * depth_m)
    ring(stage, centre, plane, radius, material, thin=rng.uniform(0.02, 0.06), parts=26)


OCCLUDERS = (sprays, leaves, twigs, strands, bar, mesh, intruder, hand, rim)
_SHARES = np.array([0.14, 0.14, 0.14, 0.1, 0.14, 0.08, 0.12, 0.07, 0.07])
