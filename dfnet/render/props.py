"""Things that stand on a support: each function builds one at a `Spot` of a `Stage`."""

import numpy as np

from dfnet.render.geometry import BOX, DISC, QUAD, SPHERE, TUBE
from dfnet.render.stage import Spot, Stage


def _stand(stage: Stage, spot: Spot, kind: int, half_m, **pose) -> None:
    """Put one shape of these half-lengths (across, tall, deep) on the spot, `raised` or `aside`."""
    raised, aside = pose.get("raised", 0.0), pose.get("aside", 0.0)
    axes = stage.place.upright(half_m, pose.get("turn", 0.0), pose.get("lean", 0.0))
    centre = spot.base + stage.place.right * aside - axes[1] + stage.place.up * raised
    nearest = max(0.7 * spot.depth_m, spot.depth_m - max(half_m))
    family = pose.get("family", "object")
    stage.builder.add(kind, centre, axes, pose.get("material") or stage.material(family, nearest))


def parcels(stage: Stage, spot: Spot) -> None:
    """Boxes on top of each other, each turned a little."""
    count = int(stage.rng.integers(1, 5))
    heights = spot.height_m * stage.rng.dirichlet(np.full(count, 4.0))
    raised = 0.0
    for height in heights:
        half = spot.height_m * stage.rng.uniform(0.25, 0.6, 2)
        turn = stage.rng.uniform(-0.8, 0.8)
        _stand(stage, spot, BOX, (half[0], height / 2, half[1]), raised=raised, turn=turn)
        raised += height


def books(stage: Stage, spot: Spot) -> None:
    """A row of upright books, some leaning sideways by their own width."""
    aside = 0.0
    for _ in range(int(stage.rng.integers(3, 8))):
        half = spot.height_m * np.array([0.04, 0.5, 0.35]) * stage.rng.uniform(0.7, 1.3, 3)
        half[1] = min(half[1], spot.height_m / 2)
        _stand(stage, spot, BOX, half, aside=aside + half[0], turn=stage.rng.normal(0, 0.05))
        aside += 2.1 * half[0]


def can(stage: Stage, spot: Spot) -> None:
    """A closed tin."""
    radius = spot.height_m * stage.rng.uniform(0.22, 0.45)
    _stand(stage, spot, TUBE, (radius, spot.height_m / 2, radius))
    lid = stage.place.upright((radius, radius, radius))[[0, 2, 1]]
    top = spot.base + stage.place.up * spot.height_m
    stage.builder.add(DISC, top, lid, stage.material("object", 0.8 * spot.depth_m))


def bottle(stage: Stage, spot: Spot) -> None:
    """A body, a round shoulder and a neck."""
    tall, radius = spot.height_m, spot.height_m * stage.rng.uniform(0.14, 0.2)
    _stand(stage, spot, TUBE, (radius, 0.31 * tall, radius))
    _stand(stage, spot, SPHERE, (radius, 0.16 * tall, radius), raised=0.46 * tall)
    neck = radius * 0.4
    _stand(stage, spot, TUBE, (neck, 0.14 * tall, neck), raised=0.72 * tall)


def ball(stage: Stage, spot: Spot) -> None:
    """A ball or an egg."""
    half = spot.height_m / 2 * np.array([1, stage.rng.uniform(0.7, 1.0), 1])
    _stand(stage, spot, SPHERE, half, turn=stage.rng.uniform(-3, 3))


def figurine(stage: Stage, spot: Spot) -> None:
    """Rounded stones on each other, smaller upwards."""
    raised, tall = 0.0, spot.height_m
    for share in (0.45, 0.33, 0.22):
        half = tall * share / 2 * np.array([stage.rng.uniform(0.8, 1.4), 1, 1])
        _stand(stage, spot, SPHERE, half, raised=raised, turn=stage.rng.uniform(-1, 1))
        raised += tall * share * 0.93


def pencil_cup(stage: Stage, spot: Spot) -> None:
    """An open cup with thin sticks in it."""
    tall = spot.height_m
    radius = tall * stage.rng.uniform(0.14, 0.24)
    _stand(stage, spot, TUBE, (radius, 0.25 * tall, radius))
    for _ in range(int(stage.rng.integers(3, 7))):
        thin = tall * stage.rng.uniform(0.012, 0.03)
        half = (thin, tall * stage.rng.uniform(0.3, 0.45), thin)
        turn, lean = stage.rng.uniform(-3, 3), stage.rng.uniform(0.05, 0.3)
        _stand(stage, spot, TUBE, half, raised=0.04 * tall, turn=turn, lean=lean)


def plant(stage: Stage, spot: Spot) -> None:
    """A pot with several branches, cut out of cards at different angles."""
    tall = spot.height_m
    radius = tall * stage.rng.uniform(0.14, 0.24)
    _stand(stage, spot, TUBE, (radius, 0.15 * tall, radius))
    for _ in range(int(stage.rng.integers(3, 6))):
        half = tall * stage.rng.uniform(0.3, 0.42) * np.array([0.8, 1, 1])
        material = stage.whole_picture("card", half)
        turn, lean = stage.rng.uniform(-1.2, 1.2), stage.rng.uniform(-0.3, 0.3)
        aside = stage.rng.normal(0, 0.1) * tall
        pose = {"raised": 0.25 * tall, "turn": turn, "lean": lean, "aside": aside}
        _stand(stage, spot, QUAD, half, material=material, **pose)


def picture_frame(stage: Stage, spot: Spot) -> None:
    """A framed picture, leaning back."""
    half = spot.height_m / 2 * np.array([stage.rng.uniform(0.7, 1.3), 1, 0.03])
    turn, lean = stage.rng.uniform(-0.6, 0.6), stage.rng.uniform(0.05, 0.3)
    _stand(stage, spot, BOX, half, turn=turn, lean=lean)


def lamp(stage: Stage, spot: Spot) -> None:
    """A thin pole with a foot and a wide shade."""
    tall = spot.height_m
    _stand(stage, spot, SPHERE, (0.16 * tall, 0.04 * tall, 0.16 * tall))
    _stand(stage, spot, TUBE, (0.015 * tall, 0.4 * tall, 0.015 * tall))
    wide = tall * stage.rng.uniform(0.16, 0.26)
    kind = TUBE if stage.rng.random() < 0.5 else SPHERE
    _stand(stage, spot, kind, (wide, 0.15 * tall, wide), raised=0.7 * tall)


def standing_screen(stage: Stage, spot: Spot) -> None:
    """A panel of wire, boards or lace that one sees through."""
    half = spot.height_m / 2 * np.array([stage.rng.uniform(0.6, 1.4), 1, 1])
    turn = stage.rng.uniform(-0.9, 0.9)
    material = stage.material("screen", 0.9 * spot.depth_m, gloss=0.0)
    _stand(stage, spot, QUAD, half, material=material, turn=turn)


def cutout_card(stage: Stage, spot: Spot) -> None:
    """A ragged or leafy cut-out that stands upright."""
    half = spot.height_m / 2 * np.array([stage.rng.uniform(0.7, 1.2), 1, 1])
    material = stage.whole_picture("card", half)
    _stand(stage, spot, QUAD, half, material=material, turn=stage.rng.uniform(-0.7, 0.7))


def shelf(stage: Stage, spot: Spot) -> None:
    """Furniture: a case with boards and a filling."""
    tall = spot.height_m
    wide, deep = tall * stage.rng.uniform(0.4, 0.9), tall * 0.2
    _stand(stage, spot, BOX, (wide / 2, tall / 2, deep / 2), family="wall")
    front = Spot(spot.base - stage.place.ahead * deep * 0.6, tall, spot.depth_m)
    for level in stage.rng.uniform(0.1, 0.9, 3):
        half = (wide / 2, tall * 0.012, deep * 0.3)
        _stand(stage, front, BOX, half, raised=level * tall)


THINGS = (
    (parcels, 4),
    (books, 2),
    (can, 2),
    (bottle, 2),
    (ball, 2),
    (figurine, 1),
    (pencil_cup, 2),
    (plant, 2),
    (picture_frame, 2),
    (lamp, 1),
    (standing_screen, 1),
    (cutout_card, 1),
)


def draw_thing(rng: np.random.Generator):
    """One of the things, by weight."""
    makers, weights = zip(*THINGS, strict=True)
    return makers[rng.choice(len(makers), p=np.array(weights) / sum(weights))]
