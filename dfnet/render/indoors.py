"""Places under a roof: desk, room, bookcase, kitchen counter, table top, hall."""

import numpy as np

from dfnet.render import goods, props
from dfnet.render.clusters import INDOORS, add_cluster, draw_thing
from dfnet.render.geometry import BOX, QUAD, SPHERE
from dfnet.render.growth import potted_plant
from dfnet.render.shapes import hanging, rod, wire
from dfnet.render.stage import Spot, Stage
from dfnet.render.surroundings import (
    add_backdrop,
    add_floor,
    add_ledge,
    add_pictures,
    add_slab,
    add_wall,
    add_wall_shelf,
    add_window,
    enters,
    ground_height,
    turned,
)

PANTRY = (
    (goods.packet, 8, 0.33),
    (goods.can, 3, 0.34),
    (goods.bottle, 3, 0.18),
    (goods.jar, 3, 0.36),
    (goods.mug, 2, 0.5),
    (goods.bowl, 1, 0.75),
    (props.wire_rack, 2, 0.42),
    (props.pencil_cup, 1, 0.25),
    (potted_plant, 1, 0.3),
    (props.basket, 1, 0.5),
)
PAPERS = (
    (goods.sheet, 6, 0.75),
    (goods.lying_books, 4, 0.55),
    (goods.mug, 2, 0.5),
    (props.cable, 2, 0.45),
    (props.pencil_cup, 1, 0.25),
    (goods.packet, 1, 0.33),
    (goods.plush, 1, 0.36),
)


def add_groups(stage: Stage, below_m: float, ahead_m, things, groups: int) -> None:
    """Clusters on a level support, from near to far, in columns of their own."""
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    columns = (rng.permutation(groups) + rng.uniform(0.1, 0.9, groups)) / groups
    inverse = 1 / np.array(ahead_m)
    for k, column in enumerate(columns):
        share = (k + rng.uniform(0, 1)) / groups
        ahead = 1 / (inverse[0] + share * (inverse[1] - inverse[0]))
        base = place.in_column(column * width, -below_m, ahead)
        tall = place.metres(rng.uniform(0.2, 0.5) * height, base[2])
        add_cluster(stage, base, tall, things, int(rng.integers(2, 5)))


def add_room_end(stage: Stage, far_m: float, below_m: float) -> None:
    """The wall at the end of a room, with what hangs on it and stands before it."""
    rng, turn = stage.rng, stage.rng.uniform(-0.3, 0.3)
    add_wall(stage, far_m, below_m, turn)
    add_backdrop(stage, 2.5 * far_m)
    add_pictures(stage, far_m, turn, int(rng.integers(0, 5)))
    if rng.random() < 0.5:
        add_window(stage, far_m, turn)
    if rng.random() < 0.4:
        add_wall_shelf(stage, 0.99 * far_m, turn, INDOORS)
    if rng.random() < 0.5:
        _add_cupboard(stage, below_m, far_m)


def _add_cupboard(stage: Stage, below_m: float, far_m: float) -> None:
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    base = place.in_column(rng.uniform(0, 1) * width, -below_m, 0.88 * far_m)
    tall = below_m + place.metres(rng.uniform(-0.15, 0.15) * height, base[2])
    tall = max(tall, 0.5 * below_m)
    half = np.array([tall * rng.uniform(0.3, 0.6), tall / 2, 0.05 * far_m])
    axes = place.upright(half)
    stage.builder.add(BOX, base - axes[1], axes, stage.material("wood", 0.75 * base[2]))
    top = base - 2 * axes[1]
    add_cluster(stage, top, place.metres(0.2 * height, base[2]), INDOORS, int(rng.integers(1, 4)))


def build_desk(stage: Stage, near_m: float, far_m: float) -> None:
    """A table with groups of things; behind its edge a floor and the end of the room."""
    rng = stage.rng
    begins = min(near_m * rng.uniform(1.15, 1.8), 0.5 * far_m)
    ends = min(begins * rng.uniform(1.8, 4.0), 0.8 * far_m)
    below = ground_height(stage, begins)
    family = str(rng.choice(["wood", "floor", "calm", "plain"], p=[0.45, 0.2, 0.2, 0.15]))
    add_slab(stage, below, (0.02, ends), family)
    add_groups(stage, below, (begins * 1.15, ends * 0.9), INDOORS, int(rng.integers(2, 5)))
    floor = below + rng.uniform(0.3, 0.7)
    add_floor(stage, floor, (0.4 * ends, 1.5 * far_m))
    add_room_end(stage, far_m, floor)


def build_table_top(stage: Stage, near_m: float, far_m: float) -> None:
    """Papers and books on a table, seen from above at a slant."""
    rng = stage.rng
    begins = near_m * rng.uniform(1.2, 2.0)
    below = ground_height(stage, begins)
    ends = max(far_m, 2 * begins)
    family = str(rng.choice(["wood", "floor", "calm", "fabric"], p=[0.5, 0.2, 0.15, 0.15]))
    add_slab(stage, below, (-ends, ends), family)
    place = stage.place
    width, height = place.camera.size
    for y in np.linspace(0.95, 0.05, int(rng.integers(5, 9))):
        ray = place.through_pixel(rng.uniform(0, 1) * width, y * height, 1.0)
        ahead = below * (ray @ place.ahead) / max(-(ray @ place.up), 0.03)
        if ahead < 0.9 * ends:
            base = ray * below / -(ray @ place.up)
            tall = place.metres(rng.uniform(0.15, 0.4) * height, base[2])
            add_cluster(stage, base, tall, PAPERS, int(rng.integers(1, 4)))
    add_floor(stage, below + 0.7, (0.5 * ends, 4 * ends))
    add_room_end(stage, 2.5 * ends, below + 0.7)


def build_room(stage: Stage, near_m: float, far_m: float) -> None:
    """A floor with furniture, up to a wall; something on a ledge close by."""
    rng, place = stage.rng, stage.place
    begins = min(near_m * rng.uniform(1.3, 2.2), 0.35 * far_m)
    below = max(ground_height(stage, 1.8 * begins), rng.uniform(0.4, 1.1))
    add_floor(stage, below, (0.02, 1.5 * far_m))
    add_room_end(stage, far_m, below)
    add_ledge(stage, begins * 1.25, INDOORS, int(rng.integers(2, 4)))
    seen = min(max(enters(stage, below) * 1.1, 1.8 * begins), 0.7 * far_m)
    width = place.camera.size[0]
    for ahead in np.geomspace(seen, 0.75 * far_m, int(rng.integers(2, 5))):
        base = place.in_column(rng.uniform(0, 1) * width, -below, ahead)
        spot = Spot(base, 0.75 * below, base[2])
        which = rng.random()
        if which < 0.5:
            top = goods.table(stage, Spot(base, 0.6 * below, base[2]))
            add_cluster(stage, top.base, 0.35 * below, INDOORS, int(rng.integers(2, 5)))
        elif which < 0.75:
            goods.chair(stage, spot)
        else:
            draw_thing(rng, INDOORS)[0](stage, spot)


def build_shelf(stage: Stage, near_m: float, far_m: float) -> None:
    """A bookcase that fills the view, straight on or at a slant, and a ledge before it."""
    rng = stage.rng
    case = turned(stage, rng.choice([0.0, 1.0]) * rng.uniform(-0.6, 0.6))
    place = case.place
    width, height = place.camera.size
    ahead = stage.place.point(0, 0, far_m) @ place.ahead
    gap = stage.place.metres(rng.uniform(0.35, 0.6) * height, far_m)
    deep = rng.uniform(0.5, 0.8) * gap
    wide = 1.3 * stage.place.metres(width, far_m)
    centre = place.through_pixel(width / 2, height / 2, far_m)
    aside, up = centre @ place.right, centre @ place.up
    wood = case.material(str(rng.choice(["wood", "calm", "plain"])), 0.6 * far_m)
    for level in np.arange(-2, 3):
        height_m = up + (level + rng.uniform(-0.05, 0.05)) * gap
        axes = place.upright((wide, 0.025 * gap, deep))
        stage.builder.add(BOX, place.point(aside, height_m, ahead) + axes[1], axes, wood)
        if level < 2:
            _fill_board(case, (aside, height_m, ahead), gap, wide)
    for x in np.arange(-1, 1.01, rng.uniform(0.4, 0.7)):
        axes = place.upright((0.025 * gap, 2.2 * gap, 0.98 * deep))
        stage.builder.add(BOX, place.point(aside + x * wide, up, ahead), axes, wood)
    axes = place.upright((3 * wide, 6 * gap, 1.0))
    back = case.material("calm", 0.7 * far_m, 0.0)
    stage.builder.add(QUAD, place.point(aside, up, ahead + deep), axes, back, large=True)
    add_backdrop(stage, 3 * far_m)
    if rng.random() < 0.8:
        add_ledge(
            stage,
            max(near_m * rng.uniform(1.3, 2.5), 0.25 * far_m),
            INDOORS,
            int(rng.integers(1, 4)),
        )


def _fill_board(stage: Stage, board, gap: float, wide: float) -> None:
    rng, place = stage.rng, stage.place
    aside, up, ahead = board
    x = aside - 0.8 * wide
    while x < aside + 0.8 * wide:
        if rng.random() < 0.65:
            thick = gap * rng.uniform(0.06, 0.16, int(rng.integers(3, 8)))
            base = place.point(x, up, ahead - 0.25 * gap)
            goods.book_row(stage, Spot(base, gap * rng.uniform(0.65, 0.9), base[2]), thick, 0.0)
            x += thick.sum() + gap * rng.choice([0.02, 0.2])
        else:
            base = place.point(x + 0.35 * gap, up, ahead - 0.1 * gap)
            add_cluster(stage, base, gap * rng.uniform(0.45, 0.7), INDOORS, int(rng.integers(1, 3)))
            x += gap * rng.uniform(0.7, 1.2)


def build_counter(stage: Stage, near_m: float, far_m: float) -> None:
    """A kitchen counter with packets before a tiled wall, a rail with tools, perhaps a window."""
    rng = stage.rng
    begins = min(near_m * rng.uniform(1.2, 1.9), 0.5 * far_m)
    below = ground_height(stage, begins)
    family = str(rng.choice(["plain", "floor", "wood", "calm"]))
    add_slab(stage, below, (0.02, 1.1 * far_m), family)
    turn = rng.uniform(-0.35, 0.35)
    add_wall(stage, far_m, below + 0.5, turn, str(rng.choice(["tiles", "tiles", "calm"])))
    add_backdrop(stage, 2.5 * far_m)
    add_groups(stage, below, (begins * 1.15, far_m * 0.8), PANTRY, int(rng.integers(3, 6)))
    if rng.random() < 0.4:
        add_window(stage, far_m, turn)
    if rng.random() < 0.6:
        add_wall_shelf(stage, 0.99 * far_m, turn, PANTRY)
    if rng.random() < 0.6:
        _add_rail(stage, far_m * rng.uniform(0.75, 0.92))


def _add_rail(stage: Stage, depth_m: float) -> None:
    """A rail across the picture with spoons and ladles that hang from it."""
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    y = rng.uniform(0.05, 0.3) * height
    steel = stage.material("metal", 0.8 * depth_m)
    thin = place.metres(0.006 * width, depth_m)
    left, right = (place.through_pixel(x * width, y, depth_m) for x in (-0.3, 1.3))
    rod(stage, left, right, thin, steel)
    for share in rng.uniform(0.2, 0.8, int(rng.integers(3, 8))):
        top = left + share * (right - left) - 0.5 * thin * place.up
        long = place.metres(rng.uniform(0.15, 0.4) * height, depth_m)
        end = top - long * place.up
        tool = stage.material(str(rng.choice(["metal", "wood", "plain"])), 0.8 * depth_m)
        rod(stage, top, end, 0.7 * thin, tool)
        axes = place.upright(long * np.array([0.13, 0.18, 0.05]), rng.uniform(-1, 1))
        stage.builder.add(SPHERE, end, axes, tool)


def build_hall(stage: Stage, near_m: float, far_m: float) -> None:
    """A cafeteria or games room: tables, chairs, people, screens and lamps, up to far windows."""
    rng, place = stage.rng, stage.place
    width = place.camera.size[0]
    below = rng.uniform(1.0, 1.6)
    add_floor(stage, below, (0.02, 1.5 * far_m), str(rng.choice(["floor", "road", "wood"])))
    turn = rng.uniform(-0.2, 0.2)
    add_wall(stage, far_m, below, turn)
    add_backdrop(stage, 2.5 * far_m)
    add_pictures(stage, far_m, turn, int(rng.integers(1, 5)))
    for _ in range(int(rng.integers(0, 3))):
        add_window(stage, far_m, turn)
    seen = min(max(0.8 * enters(stage, below), 1.5), 0.6 * far_m)
    for ahead in np.geomspace(seen, 0.85 * far_m, int(rng.integers(4, 7))):
        base = place.in_column(rng.uniform(-0.1, 1.1) * width, -below, ahead)
        _add_place_in_hall(stage, base)
    if rng.random() < 0.6:
        _add_lamp_cable(stage, rng.uniform(0.4, 0.8) * far_m)
    if rng.random() < 0.8:
        add_ledge(
            stage,
            min(near_m * rng.uniform(1.4, 2.5), 0.4 * far_m),
            INDOORS,
            int(rng.integers(2, 5)),
        )


def _add_place_in_hall(stage: Stage, base: np.ndarray) -> None:
    rng, place = stage.rng, stage.place
    if rng.random() < 0.65:
        top = goods.table(stage, Spot(base, 0.75, base[2]))
        add_cluster(stage, top.base, rng.uniform(0.2, 0.4), INDOORS, int(rng.integers(1, 4)))
        beside = base + rng.choice([-1, 1]) * 0.9 * place.right
        goods.chair(stage, Spot(beside, 0.9, beside[2]))
    if rng.random() < 0.6:
        stands = base + rng.uniform(-1, 1) * place.right + 0.8 * place.ahead
        goods.person(stage, Spot(stands, rng.uniform(1.5, 1.85), stands[2]))
    elif rng.random() < 0.5:
        stands = base + rng.uniform(-1, 1) * place.right + 0.9 * place.ahead
        goods.monitor(stage, Spot(stands, rng.uniform(1.0, 1.5), stands[2]))


def _add_lamp_cable(stage: Stage, depth_m: float) -> None:
    """A cable across the picture with round lamps that shine."""
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    y = rng.uniform(-0.1, 0.2, 2) * height
    ends = [place.through_pixel(x * width, v, depth_m) for x, v in zip((-0.2, 1.2), y, strict=True)]
    points = hanging(*ends, place.metres(0.08 * height, depth_m), place.up)
    wire(
        stage, points, place.metres(0.003 * width, depth_m), stage.material("plain", 0.9 * depth_m)
    )
    size = place.metres(rng.uniform(0.008, 0.025) * width, depth_m)
    shine = stage.material("calm", 0.9 * depth_m, emission=rng.uniform(2.5, 4.0))
    for point in points[1:-1]:
        stage.builder.add(SPHERE, point - size * place.up, place.upright(size * np.ones(3)), shine)


def build_macro(stage: Stage, near_m: float, far_m: float) -> None:
    """One thing or two, close up, on a small support; the room is far behind."""
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    ahead = near_m * rng.uniform(1.5, 2.2)
    below = ground_height(stage, 0.8 * ahead)
    add_slab(stage, below, (0.02, ahead * rng.uniform(1.4, 2.0)))
    base = place.in_column(rng.uniform(0.3, 0.7) * width, -below, ahead)
    tall = place.metres(rng.uniform(0.5, 0.8) * height, base[2])
    add_cluster(stage, base, tall, INDOORS, int(rng.integers(1, 3)))
    floor = below + rng.uniform(0.3, 0.8)
    add_floor(stage, floor, (ahead, 1.5 * far_m))
    add_room_end(stage, far_m, floor)
