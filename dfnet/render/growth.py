"""What grows: branches, leaves on stalks, grass and hair, all of thin tubes and small cards."""

import numpy as np

from dfnet.render.builder import Material
from dfnet.render.geometry import QUAD, SPHERE, TUBE
from dfnet.render.shapes import across, rod, stand, unit, wire
from dfnet.render.stage import Spot, Stage


def grow(stage: Stage, foot, way, size_m: tuple[float, float], levels: int, bark: Material):
    """Grow a branch and its children.

    Args:
        stage: where to add it.
        foot: where it starts [m].
        way: unit vector it starts along.
        size_m: length and radius of the first rod.
        levels: how often it forks.
        bark: its cover.

    Returns:
        The twigs' ends as (point, direction).
    """
    rng, tips = stage.rng, []
    growing = [(np.asarray(foot, float), unit(way), *size_m, levels)]
    while growing:
        foot, way, length, radius, left = growing.pop()
        bent = unit(way + rng.normal(0, 0.12, 3))
        middle, end = foot + 0.5 * length * way, foot + 0.5 * length * (way + bent)
        wire(stage, [foot, middle, end], [radius, 0.85 * radius], bark)
        if left == levels:  # the thickest rods show where they join
            for joint, thick in ((middle, 0.93 * radius), (end, 0.85 * radius)):
                stage.builder.add(SPHERE, joint, thick * np.eye(3), bark)
        if left == 0:
            tips.append((end, bent))
            continue
        for _ in range(int(rng.integers(2, 4))):
            new = unit(bent + rng.normal(0, 0.5, 3) + 0.1 * stage.place.up)
            share = rng.uniform(0.55, 0.85)
            growing.append((end, new, length * share, radius * 0.65, left - 1))
    return tips


def add_leaf(stage: Stage, foot, way, length_m: float, family: str = "leaf") -> None:
    """A leaf (or a spray of leaves) that starts at a point and lies along a direction."""
    along = unit(way)
    first, second = across(along)
    roll = stage.rng.uniform(-np.pi, np.pi)
    side = np.cos(roll) * first + np.sin(roll) * second
    # Leaves turn their faces to the viewer and the light more often than their edges.
    facing = unit(np.cross(along, stage.place.ahead + 0.2 * stage.place.up + 1e-6))
    side = unit(side * 0.6 + facing)
    side = unit(side - along * (side @ along))
    half = length_m / 2 * np.array([0.8, 1.0])
    axes = np.stack([side * half[0], -along * half[1], np.cross(side, along) * half[0]])
    material = stage.whole_picture(family, half)
    stage.builder.add(QUAD, np.asarray(foot) + along * half[1] * 0.9, axes, material)


def add_strand(stage: Stage, foot, way, size_m: tuple[float, float], material: Material) -> None:
    """A blade or a hair of this length and radius: three rods that bend down and get thinner."""
    length, radius = size_m
    points, way = [np.asarray(foot, float)], unit(way)
    droop = stage.rng.uniform(0.1, 0.5)
    for _ in range(3):
        points.append(points[-1] + way * length / 3)
        way = unit(way - droop * stage.place.up + stage.rng.normal(0, 0.08, 3))
    wire(stage, points, np.array([1.0, 0.75, 0.45]) * radius, material)


def grass_tuft(stage: Stage, spot: Spot) -> None:
    """Blades that rise from one place and bend outwards."""
    rng, place = stage.rng, stage.place
    green = stage.material("stem", 0.8 * spot.depth_m)
    for _ in range(int(rng.integers(6, 14))):
        way = place.up + rng.normal(0, 0.28) * place.right + rng.normal(0, 0.2) * place.ahead
        foot = (
            spot.base
            + rng.normal(0, 0.07, 2) @ np.stack([place.right, place.ahead]) * spot.height_m
        )
        size = (spot.height_m * rng.uniform(0.6, 1.0), spot.height_m * rng.uniform(0.006, 0.014))
        add_strand(stage, foot - 0.02 * spot.height_m * place.up, way, size, green)


def flower(stage: Stage, spot: Spot) -> None:
    """A stalk with a few leaves and a round head of petals."""
    rng, place, tall = stage.rng, stage.place, spot.height_m
    green = stage.material("stem", 0.8 * spot.depth_m)
    way = unit(place.up + rng.normal(0, 0.15) * place.right)
    top = spot.base + tall * 0.85 * way
    wire(stage, [spot.base, (spot.base + top) / 2, top], 0.012 * tall, green)
    for share in rng.uniform(0.2, 0.7, 2):
        side = unit(rng.choice([-1, 1]) * place.right + 0.6 * place.up + rng.normal(0, 0.3, 3))
        add_leaf(stage, spot.base + share * tall * 0.85 * way, side, 0.28 * tall)
    petal = stage.material("plain", 0.8 * spot.depth_m)
    for angle in np.linspace(0, 2 * np.pi, 7)[:-1]:
        out = np.cos(angle) * place.right + np.sin(angle) * place.up
        half = tall * np.array([0.075, 0.04, 0.02])
        axes = np.stack([out, np.cross(place.ahead, out), place.ahead]) * half[:, None]
        stage.builder.add(SPHERE, top + 0.075 * tall * out, axes, petal)
    heart = stage.material("fabric", 0.8 * spot.depth_m)
    axes = place.upright(0.045 * tall * np.ones(3))
    stage.builder.add(SPHERE, top - 0.02 * tall * place.ahead, axes, heart)


def shrub(stage: Stage, spot: Spot) -> None:
    """Forking twigs that carry a leaf at every end."""
    rng, tall = stage.rng, spot.height_m
    bark = stage.material("bark" if rng.random() < 0.6 else "stem", 0.7 * spot.depth_m)
    way = stage.place.up + rng.normal(0, 0.15, 3)
    tips = grow(stage, spot.base, way, (0.36 * tall, 0.02 * tall), 2, bark)
    for point, direction in tips:
        for _ in range(int(rng.integers(1, 3))):
            add_leaf(stage, point, direction + rng.normal(0, 0.4, 3), rng.uniform(0.14, 0.3) * tall)


def potted_plant(stage: Stage, spot: Spot) -> None:
    """A pot of earth with a shrub, a flower or grass in it."""
    tall = spot.height_m
    radius = tall * stage.rng.uniform(0.14, 0.22)
    family = stage.rng.choice(["plain", "object", "metal"])
    stand(stage, spot, TUBE, (radius, 0.15 * tall, radius), family=str(family))
    raised = Spot(spot.base + 0.26 * tall * stage.place.up, 0.74 * tall, spot.depth_m)
    earth = stage.material("ground", 0.8 * spot.depth_m)
    axes = stage.place.upright((radius, 0.02 * tall, radius))
    stage.builder.add(SPHERE, raised.base, axes, earth)
    (shrub, flower, grass_tuft)[stage.rng.integers(3)](stage, raised)


def tree(stage: Stage, spot: Spot) -> None:
    """A trunk that forks, sprays of leaves at its twigs, in winter none."""
    rng, tall = stage.rng, spot.height_m
    bark = stage.material("bark", 0.9 * spot.depth_m)
    thick = tall * rng.uniform(0.02, 0.04)
    way = stage.place.up + rng.normal(0, 0.06, 3)
    tips = grow(stage, spot.base - 0.02 * tall * stage.place.up, way, (0.42 * tall, thick), 2, bark)
    if rng.random() < 0.8:
        for point, direction in tips:
            for _ in range(2):
                add_leaf(
                    stage,
                    point - 0.05 * tall * direction,
                    direction + rng.normal(0, 0.7, 3),
                    0.3 * tall,
                    "spray",
                )


def stalk(stage: Stage, spot: Spot) -> None:
    """One upright stem with leaves on alternate sides: undergrowth."""
    rng, place, tall = stage.rng, stage.place, spot.height_m
    green = stage.material("stem", 0.8 * spot.depth_m)
    lean = rng.normal(0, 0.15, 2)
    top = spot.base + tall * unit(place.up + lean[0] * place.right + lean[1] * place.ahead)
    rod(stage, spot.base, top, tall * rng.uniform(0.006, 0.014), green)
    side = rng.choice([-1.0, 1.0])
    for share in np.linspace(0.25, 0.97, int(rng.integers(2, 6))):
        side = -side
        way = side * place.right + 0.5 * place.up + rng.normal(0, 0.3, 3)
        add_leaf(stage, spot.base + share * (top - spot.base), way, tall * rng.uniform(0.15, 0.35))
