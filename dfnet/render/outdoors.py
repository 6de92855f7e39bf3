"""Places under the sky: terrace, garden, street; depth ends at infinity."""

import numpy as np

from dfnet.render import goods, growth
from dfnet.render.clusters import OUTDOORS, add_cluster
from dfnet.render.geometry import BOX, DISC, QUAD, SPHERE
from dfnet.render.indoors import add_groups
from dfnet.render.shapes import Body, hanging, rod, wire
from dfnet.render.stage import Spot, Stage
from dfnet.render.surroundings import (
    add_backdrop,
    add_floor,
    add_ledge,
    add_sky,
    enters,
    ground_height,
    reach,
)

HORIZON_M = 300.0


def build_terrace(stage: Stage, near_m: float, far_m: float) -> None:
    """A paved floor with things and a railing; a meadow, trees and houses behind, and the sky."""
    rng = stage.rng
    begins = near_m * rng.uniform(1.2, 2.2)
    ends = begins * rng.uniform(3, 6)
    below = ground_height(stage, begins)
    paving = str(rng.choice(["tiles", "road", "wood", "floor"]))
    add_floor(stage, below, (0.02, ends * 1.05), paving)
    add_groups(stage, below, (begins * 1.15, 0.8 * ends), OUTDOORS, int(rng.integers(2, 5)))
    _add_railing(stage, below, ends)
    meadow = below + rng.uniform(0.0, 0.5)
    add_floor(stage, meadow, (ends, HORIZON_M), family="ground")
    for _ in range(int(rng.integers(2, 5))):
        _add_bush(stage, meadow, ends * rng.uniform(1.3, 5))
    _add_far_things(stage, meadow, 4 * ends)
    _close(stage, far_m)


def _close(stage: Stage, far_m: float) -> None:
    add_sky(stage)
    add_backdrop(stage, 1.9 * far_m)


def _add_far_things(stage: Stage, below_m: float, from_m: float) -> None:
    """Houses and trees in the distance; their sizes follow the picture."""
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    for ahead in np.geomspace(from_m, max(60.0, 3 * from_m), int(rng.integers(3, 6))):
        base = place.in_column(rng.uniform(0, 1) * width, -below_m, ahead)
        tall = below_m + place.metres(rng.uniform(0.15, 0.5) * height, base[2])
        if rng.random() < 0.5:
            growth.tree(stage, Spot(base, tall, base[2]))
        else:
            _add_house(stage, base, tall)


def _add_house(stage: Stage, base: np.ndarray, tall_m: float) -> None:
    rng = stage.rng
    half = np.array([rng.uniform(0.4, 0.9), 0.5, 0.3]) * tall_m
    axes = stage.place.upright(half, rng.uniform(-0.7, 0.7))
    stage.builder.add(BOX, base - axes[1], axes, stage.material("house", 0.7 * base[2], 0.0))


def _add_railing(stage: Stage, below_m: float, ahead_m: float) -> None:
    rng, place = stage.rng, stage.place
    half_width = reach(stage, ahead_m)
    tall = below_m + place.metres(rng.uniform(-0.25, 0.15) * place.camera.size[1], ahead_m)
    tall = max(tall, 0.5 * below_m)
    thin = tall * rng.uniform(0.008, 0.02)
    bars = stage.material("metal", 0.9 * ahead_m)
    step = max(tall * rng.uniform(0.15, 0.5), half_width / 15)
    for right in np.arange(-half_width, half_width, step):
        foot = place.point(right, -below_m, ahead_m)
        rod(stage, foot, foot + tall * place.up, thin, bars)
    axes = place.upright((half_width, 1.6 * thin, 2 * thin))
    stage.builder.add(BOX, place.point(0, -below_m + tall, ahead_m), axes, bars)


def _add_bush(stage: Stage, below_m: float, ahead_m: float) -> None:
    """Leaves over leaves: a rounded body, with twigs that stick out of it."""
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    base = place.in_column(rng.uniform(0, 1) * width, -below_m, ahead_m)
    tall = max(0.1, below_m + place.metres(rng.uniform(-0.2, 0.15) * height, base[2]))
    for _ in range(3):
        half = np.array([rng.uniform(0.4, 0.8), rng.uniform(0.35, 0.5), 0.4]) * tall
        axes = place.upright(half)
        foot = base + rng.uniform(-0.5, 0.5) * tall * place.right
        stage.builder.add(
            SPHERE, foot - 0.9 * axes[1], axes, stage.material("hedge", 0.7 * base[2], 0.0)
        )
    growth.shrub(stage, Spot(base - 0.3 * tall * place.ahead, 1.15 * tall, base[2]))


def build_garden(stage: Stage, near_m: float, far_m: float) -> None:
    """Undergrowth: stems, leaves and grass at every depth, tree trunks and a hedge, the sky."""
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    begins = near_m * rng.uniform(1.3, 2.0)
    below = ground_height(stage, begins)
    add_floor(stage, below, (0.02, HORIZON_M), "ground")
    makers = (growth.stalk, growth.grass_tuft, growth.flower, growth.shrub)
    shares = rng.dirichlet((3.0, 2.0, 1.0, 1.5))
    count = int(rng.integers(9, 16))
    inverse = np.linspace(1 / (1.2 * begins), 1 / (9 * begins), count)
    for k in range(count):
        base = place.in_column(rng.uniform(-0.05, 1.05) * width, -below, 1 / inverse[k])
        tall = place.metres(rng.uniform(0.25, 0.8) * height, base[2])
        makers[rng.choice(4, p=shares)](stage, Spot(base, tall, base[2]))
    if rng.random() < 0.5:
        base = place.in_column(rng.uniform(0.1, 0.9) * width, -below, 2.5 * begins)
        add_cluster(stage, base, place.metres(0.3 * height, base[2]), OUTDOORS, 3)
    for _ in range(int(rng.integers(1, 4))):
        _add_trunk(stage, below, begins * rng.uniform(3, 12))
    for _ in range(int(rng.integers(1, 4))):
        _add_bush(stage, below, begins * rng.uniform(8, 20))
    _add_far_things(stage, below, 20 * begins)
    _close(stage, far_m)


def _add_trunk(stage: Stage, below_m: float, ahead_m: float) -> None:
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    base = place.in_column(rng.uniform(0, 1) * width, -below_m, ahead_m)
    tall = below_m + place.metres(1.2 * height, base[2])
    bark = stage.material("bark", 0.8 * base[2])
    thick = place.metres(rng.uniform(0.015, 0.06) * width, base[2])
    way = place.up + rng.normal(0, 0.06) * place.right
    tips = growth.grow(stage, base, way, (0.4 * tall, thick), 1, bark)
    for point, direction in tips:
        growth.add_leaf(stage, point, direction, 0.2 * tall, "spray")


def build_street(stage: Stage, near_m: float, far_m: float) -> None:
    """House fronts on both sides of a road, trees, posts, people, a fence; a ledge close by."""
    rng, place = stage.rng, stage.place
    width = place.camera.size[0]
    below = rng.uniform(1.1, 1.7)
    add_floor(stage, below, (0.02, HORIZON_M), "road")
    first = max(enters(stage, below), 2.0)
    for side in (-1, 1):
        _add_front(stage, side, below, first)
    for ahead in np.geomspace(0.9 * first, 8 * first, int(rng.integers(4, 8))):
        base = place.in_column(rng.uniform(0, 1) * width, -below, ahead)
        _add_street_thing(stage, Spot(base, below, base[2]))
    _add_far_things(stage, below, 12 * first)
    if rng.random() < 0.35:
        _add_fence(stage, below, rng.uniform(0.6, 1.4) * first)
    if rng.random() < 0.6:
        _add_cables(stage, 3 * first)
    if rng.random() < 0.7:
        add_ledge(stage, near_m * rng.uniform(1.5, 3.0), OUTDOORS, int(rng.integers(1, 4)))
    _close(stage, far_m)


def _add_front(stage: Stage, side: int, below_m: float, first_m: float) -> None:
    """A house front along one side of the road, with signs on it."""
    rng, place = stage.rng, stage.place
    near, far = first_m * rng.uniform(0.8, 1.6), first_m * rng.uniform(3, 8)
    aside = side * far * np.tan(place.half_fov[0]) * rng.uniform(0.35, 0.9)
    tall, deep = rng.uniform(5, 11), rng.uniform(2, 5)
    centre = place.point(aside + side * deep, -below_m + tall / 2, (near + far) / 2)
    axes = place.upright((deep, tall / 2, (far - near) / 2), side * rng.uniform(0.0, 0.06))
    stage.builder.add(BOX, centre, axes, stage.material("house", 0.9 * near, 0.0), large=True)
    for share in rng.uniform(-0.8, 0.8, int(rng.integers(1, 3))):
        half = below_m * np.array([rng.uniform(0.3, 0.5), rng.uniform(0.2, 0.35)])
        sign = place.upright((*half, 1.0))
        middle = centre + share * axes[2] - side * (deep + 1.05 * half[0]) * place.right
        middle = middle + place.up * (0.5 * below_m - (middle @ place.up))
        shine = rng.uniform(1.0, 3.0) * (rng.random() < 0.3)
        stage.builder.add(
            QUAD, middle, sign, stage.whole_picture("label", half, shine, 0.9 * middle[2])
        )


def _add_street_thing(stage: Stage, spot: Spot) -> None:
    rng, place = stage.rng, stage.place
    which = rng.choice(["tree", "person", "car", "post", "chair"], p=[0.25, 0.3, 0.2, 0.15, 0.1])
    if which == "tree":
        growth.tree(stage, Spot(spot.base, rng.uniform(2.5, 6), spot.depth_m))
    elif which == "person":
        goods.person(stage, Spot(spot.base, rng.uniform(1.5, 1.85), spot.depth_m))
    elif which == "car":
        _add_car(stage, spot)
    elif which == "chair":
        goods.chair(stage, Spot(spot.base, 0.9, spot.depth_m))
    else:
        steel = stage.material("metal", 0.9 * spot.depth_m)
        top = spot.base + rng.uniform(2.2, 4) * place.up
        rod(stage, spot.base, top, 0.05, steel)
        half = rng.uniform(0.2, 0.4) * np.ones(2)
        axes = place.upright((*half, 1.0), rng.uniform(-0.5, 0.5))
        middle = top - 0.5 * place.up - 0.06 * place.ahead
        kind = DISC if rng.random() < 0.4 else QUAD
        label = stage.whole_picture("label", half, depth_m=0.9 * middle[2])
        stage.builder.add(kind, middle, axes, label)


def _add_car(stage: Stage, spot: Spot) -> None:
    rng, place = stage.rng, stage.place
    body = stage.material("plain", 0.7 * spot.depth_m, gloss=0.5)
    dark = stage.material("metal", 0.7 * spot.depth_m, gloss=0.6)
    right, _, ahead = place.upright((1, 1, 1), rng.uniform(-3, 3))
    at = Body(spot.base, right, place.up, ahead).at
    frame = np.stack([right, -place.up, ahead])
    stage.builder.add(BOX, at(0, 0.6, 0), frame * np.array([[2.0], [0.32], [0.85]]), body)
    stage.builder.add(SPHERE, at(-0.2, 0.95, 0), frame * np.array([[1.35], [0.55], [0.75]]), dark)
    tyre = stage.material("plain", 0.7 * spot.depth_m, gloss=0.0)
    for x in (-1.3, 1.3):
        for z in (-0.8, 0.8):
            wheel = frame * np.array([[0.31], [0.31], [0.12]])
            stage.builder.add(SPHERE, at(x, 0.31, z), wheel, tyre)


def _add_fence(stage: Stage, below_m: float, ahead_m: float) -> None:
    """Chain link between posts, across a part of the view."""
    rng, place = stage.rng, stage.place
    tall = below_m * rng.uniform(0.8, 1.4)
    half = (reach(stage, ahead_m) * rng.uniform(0.4, 1.0), tall / 2, 1.0)
    axes = place.upright(half, rng.uniform(-0.4, 0.4))
    centre = place.point(rng.uniform(-0.6, 0.6) * half[0], -below_m, ahead_m) - axes[1]
    net = stage.material("fence", 0.7 * ahead_m, 0.0)
    stage.builder.add(QUAD, centre, axes, net)
    post = stage.material("metal", 0.7 * ahead_m)
    for x in np.linspace(-1, 1, 4):
        middle = centre + x * axes[0]
        rod(stage, middle + axes[1], middle - axes[1], 0.02 * tall, post)


def _add_cables(stage: Stage, depth_m: float) -> None:
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    dark = stage.material("plain", 0.8 * depth_m)
    for _ in range(int(rng.integers(1, 4))):
        y = rng.uniform(0, 0.35, 2) * height
        depths = depth_m * np.exp(rng.normal(0, 0.2, 2))
        ends = [
            place.through_pixel(x * width, v, z)
            for x, v, z in zip((-0.2, 1.2), y, depths, strict=True)
        ]
        points = hanging(*ends, place.metres(rng.uniform(0.02, 0.1) * height, depth_m), place.up, 6)
        wire(stage, points, place.metres(rng.uniform(0.0015, 0.004) * width, depth_m), dark)
