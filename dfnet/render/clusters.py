"""Groups of things that touch and overlap on one support, as people leave them."""

import numpy as np

from dfnet.render import goods, growth, props
from dfnet.render.stage import Spot, Stage

# Each thing with its weight and its reach: half its footprint's width as a share of its height.
INDOORS = (
    (goods.packet, 5, 0.33),
    (goods.upright_books, 2, 0.35),
    (goods.lying_books, 2, 0.55),
    (goods.can, 3, 0.34),
    (goods.bottle, 3, 0.18),
    (goods.jar, 2, 0.36),
    (goods.mug, 3, 0.5),
    (goods.bowl, 1, 0.75),
    (goods.plush, 2, 0.36),
    (props.parcels, 2, 0.5),
    (props.ball, 1, 0.5),
    (props.pencil_cup, 2, 0.25),
    (props.picture_frame, 1, 0.45),
    (props.lamp, 1, 0.22),
    (props.wire_rack, 1, 0.42),
    (props.cable, 1, 0.45),
    (props.basket, 1, 0.5),
    (growth.potted_plant, 3, 0.3),
    (growth.flower, 1, 0.15),
)
OUTDOORS = (
    (growth.potted_plant, 5, 0.3),
    (growth.shrub, 3, 0.3),
    (growth.grass_tuft, 3, 0.25),
    (growth.flower, 3, 0.15),
    (props.stones, 2, 0.3),
    (props.parcels, 2, 0.5),
    (props.wheel, 1, 0.45),
    (props.standing_screen, 1, 0.5),
    (props.cutout_card, 1, 0.4),
    (goods.bottle, 1, 0.18),
    (goods.mug, 1, 0.5),
    (goods.chair, 2, 0.35),
    (props.ball, 2, 0.5),
)
TRIES = 20


def draw_thing(rng: np.random.Generator, things):
    """One of the things, by weight: (maker, reach)."""
    weights = np.array([weight for _, weight, _ in things], float)
    maker, _, reach = things[rng.choice(len(things), p=weights / weights.sum())]
    return maker, reach


def pack(rng: np.random.Generator, radii) -> np.ndarray:
    """Centres (N, 2) of discs that touch: each leans against one before it, none overlap much."""
    centres = np.zeros((len(radii), 2))
    for k in range(1, len(radii)):
        best = -np.inf
        for _ in range(TRIES):
            other = rng.integers(k)
            angle = rng.choice([0.0, np.pi]) + rng.normal(0, 0.7)
            way = np.array([np.cos(angle), np.sin(angle)])
            spot = centres[other] + way * (radii[k] + radii[other]) * rng.uniform(0.92, 1.02)
            gaps = np.linalg.norm(centres[:k] - spot, axis=1) / (radii[k] + np.array(radii[:k]))
            if gaps.min() > best:
                best, centres[k] = gaps.min(), spot
            if best > 0.9:
                break
    return centres


def add_cluster(stage: Stage, middle: np.ndarray, tall_m: float, things, count: int) -> list[Spot]:
    """Put things on a level support so that they touch.

    Args:
        stage: where to.
        middle: point on the support [m].
        tall_m: height of the tallest.
        things: `INDOORS` or `OUTDOORS`, or a choice of them.
        count: how many.

    Returns:
        Where they stand.
    """
    rng, place = stage.rng, stage.place
    drawn = [draw_thing(rng, things) for _ in range(count)]
    heights = tall_m * rng.uniform(0.4, 1.0, count)
    heights[0] = tall_m
    radii = [reach * height for (_, reach), height in zip(drawn, heights, strict=True)]
    centres = pack(rng, radii)
    spots = []
    for (maker, _), height, (aside, ahead) in zip(drawn, heights, centres, strict=True):
        base = middle + aside * place.right + ahead * place.ahead
        spots.append(Spot(base, height, base[2]))
        maker(stage, spots[-1])
    return spots
