"""The places: what stands where. Sizes follow the picture, so that things fill the frame."""

import numpy as np

from dfnet.render.builder import Material
from dfnet.render.geometry import BOX, QUAD, SPHERE, TUBE
from dfnet.render.props import draw_thing, shelf
from dfnet.render.stage import Spot, Stage
from dfnet.render.textures import fractal_noise, mix

SKY_M = 5000.0


def _reach(stage: Stage, ahead_m: float) -> float:
    """Half the width that the two cameras may see at this distance."""
    return 1.8 * ahead_m * np.tan(stage.place.half_fov[0]) + 0.12


def ground_height(stage: Stage, nearest_m: float) -> float:
    """How far below the camera a floor lies that enters the picture at this distance."""
    place = stage.place
    # up[2] is the sine of the crop centre's tilt only for a centred crop, so measure with rays.
    width, height = place.camera.size
    ray = place.through_pixel(width / 2, height - 1, 1.0)
    return max(0.04, -nearest_m * (ray @ place.up) / (ray @ place.ahead))


def add_floor(stage: Stage, below_m: float, reach_m: tuple[float, float], family="floor") -> None:
    """A level plane, from near to far [m ahead]."""
    near_m, far_m = reach_m
    half = (_reach(stage, far_m), (far_m - near_m) / 2, 1.0)
    axes = stage.place.upright(half)
    flat = np.stack([axes[0], -stage.place.ahead * half[1], stage.place.up])
    centre = stage.place.point(0, -below_m, (near_m + far_m) / 2)
    # The texture is fine enough for the place where the floor enters the picture.
    ray = stage.place.through_pixel(0, stage.place.camera.size[1] - 1, 1.0)
    enters_m = -below_m / (ray @ stage.place.up)
    nearest = min(max(enters_m, near_m), far_m)
    stage.builder.add(QUAD, centre, flat, stage.material(family, nearest), large=True)


def add_wall(stage: Stage, ahead_m: float, below_m: float, turn: float) -> None:
    """An upright wall that fills the view at this distance."""
    wide = 1.5 * _reach(stage, ahead_m)
    tall = 2 * ahead_m * np.tan(stage.place.half_fov[1]) * 1.8 + below_m + 0.2
    axes = stage.place.upright((wide, tall, 1.0), turn)
    centre = stage.place.point(0, -below_m, ahead_m) - axes[1]
    centre = centre - 0.1 * stage.place.up
    material = stage.material("wall", ahead_m * 0.9, gloss=0.0)
    stage.builder.add(QUAD, centre, axes, material, large=True)


def add_pictures(stage: Stage, ahead_m: float, turn: float, count: int) -> None:
    """Framed pictures on the wall."""
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    for _ in range(count):
        middle = place.through_pixel(rng.uniform(0, width), rng.uniform(0, 0.45 * height), ahead_m)
        normal = place.upright((1, 1, 1), turn)[2]
        wall = place.point(0, 0, ahead_m)
        middle = middle * (wall @ normal) / (middle @ normal)
        size = place.metres(rng.uniform(0.08, 0.22) * width, ahead_m)
        half = size * np.array([1, rng.uniform(0.6, 1.4), 0.04])
        axes = place.upright(half, turn)
        material = stage.material("object", 0.9 * middle[2])
        stage.builder.add(BOX, middle - axes[2] * 1.05, axes, material)


def add_things(stage: Stage, below_m: float, ahead_m: tuple[float, float], count: int) -> None:
    """Put things on a level support, spread evenly in 1/distance and over the picture's width."""
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    columns = (rng.permutation(count) + rng.uniform(0, 1, count)) / count
    inverse = 1 / np.array(ahead_m)
    for k, column in enumerate(columns):
        share = (k + rng.uniform(0, 1)) / count
        ahead = 1 / (inverse[0] + share * (inverse[1] - inverse[0]))
        base = place.in_column((1.1 * column - 0.05) * width, -below_m, ahead)
        tall = place.metres(rng.uniform(0.25, 0.65) * height, base[2])
        draw_thing(rng)(stage, Spot(base, tall, base[2]))
        if rng.random() < 0.4:  # a smaller one beside it
            beside = base + place.right * rng.choice([-1, 1]) * tall * rng.uniform(0.4, 0.8)
            near = beside - place.ahead * rng.uniform(0.0, 0.3) * tall
            draw_thing(rng)(stage, Spot(near, tall * rng.uniform(0.35, 0.8), near[2]))


def add_furniture(stage: Stage, below_m: float, ahead_m: float, count: int) -> None:
    """Shelves and cases before the wall."""
    rng, place = stage.rng, stage.place
    for _ in range(count):
        column = rng.uniform(0, 1) * place.camera.size[0]
        base = place.in_column(column, -below_m, ahead_m * rng.uniform(0.85, 0.95))
        tall = below_m + place.metres(rng.uniform(-0.1, 0.3) * place.camera.size[1], base[2])
        shelf(stage, Spot(base, max(tall, 0.1), base[2]))


def build_desk(stage: Stage, near_m: float, far_m: float) -> None:
    """A table with things on it; behind its edge a floor, furniture and a wall."""
    rng, place = stage.rng, stage.place
    begins = min(near_m * rng.uniform(1.15, 1.7), 0.5 * far_m)
    ends = min(begins * rng.uniform(2.0, 4.0), 0.8 * far_m)
    below = ground_height(stage, begins)
    half = (_reach(stage, ends), 0.012, (ends - 0.02) / 2)
    axes = place.upright(half)
    centre = place.point(0, -below, (ends + 0.02) / 2) + axes[1]
    stage.builder.add(BOX, centre, axes, stage.material("floor", begins), large=True)
    add_things(stage, below, (begins * 1.1, ends * 0.95), int(rng.integers(5, 9)))
    floor = below + rng.uniform(0.3, 0.7)
    turn = rng.uniform(-0.3, 0.3)
    add_floor(stage, floor, (ends * 0.5, 1.4 * far_m))
    add_wall(stage, far_m, floor, turn)
    add_pictures(stage, far_m, turn, int(rng.integers(2, 6)))
    add_furniture(stage, floor, far_m, int(rng.integers(1, 4)))


def build_room(stage: Stage, near_m: float, far_m: float) -> None:
    """A floor with things and furniture, up to a wall with pictures."""
    rng = stage.rng
    begins = min(near_m * rng.uniform(1.3, 2.5), 0.35 * far_m)
    below = ground_height(stage, begins)
    turn = rng.uniform(-0.35, 0.35)
    add_floor(stage, below, (0.02, 1.4 * far_m))
    add_wall(stage, far_m, below, turn)
    add_pictures(stage, far_m, turn, int(rng.integers(3, 7)))
    add_furniture(stage, below, far_m, int(rng.integers(1, 4)))
    add_things(stage, below, (begins * 1.1, 0.75 * far_m), int(rng.integers(6, 11)))


def build_terrace(stage: Stage, near_m: float, far_m: float) -> None:
    """Outdoors: a floor with things, a railing, hedges and houses, and the sky."""
    rng, place = stage.rng, stage.place
    begins = near_m * rng.uniform(1.2, 2.2)
    ends = begins * rng.uniform(3, 6)
    below = ground_height(stage, begins)
    add_floor(stage, below, (0.02, ends * 1.05))
    add_things(stage, below, (begins * 1.1, 0.85 * ends), int(rng.integers(4, 8)))
    _add_railing(stage, below, ends)
    meadow = below + rng.uniform(0.0, 0.5)
    add_floor(stage, meadow, (ends, 60.0), family="hedge")
    for _ in range(int(rng.integers(3, 7))):
        _add_bush(stage, meadow, ends * rng.uniform(1.3, 4))
    for _ in range(int(rng.integers(2, 5))):
        _add_house(stage, meadow, rng.uniform(8, 40))
    axes = place.upright((8000.0, 8000.0, 1.0))
    sky = stage.builder.add_texture(_sky_picture(rng))
    density = 512 / place.metres(2 * place.camera.size[0], SKY_M)
    cover = Material(sky, (density, density), (0.0, 0.0), emission=rng.uniform(0.8, 1.4))
    stage.builder.add(QUAD, place.point(0, 0, SKY_M), axes, cover)


def _add_railing(stage: Stage, below_m: float, ahead_m: float) -> None:
    rng, place = stage.rng, stage.place
    reach = _reach(stage, ahead_m)
    tall = below_m + place.metres(rng.uniform(-0.25, 0.15) * place.camera.size[1], ahead_m)
    tall = max(tall, 0.5 * below_m)
    thin = tall * rng.uniform(0.008, 0.02)
    for right in np.arange(-reach, reach, tall * rng.uniform(0.15, 0.5) + 0.01):
        axes = place.upright((thin, tall / 2, thin))
        centre = place.point(right, -below_m + tall / 2, ahead_m)
        stage.builder.add(TUBE, centre, axes, stage.material("object", ahead_m))
    axes = place.upright((reach, 1.6 * thin, 2 * thin))
    top = place.point(0, -below_m + tall, ahead_m)
    stage.builder.add(BOX, top, axes, stage.material("object", ahead_m))


def _add_bush(stage: Stage, below_m: float, ahead_m: float) -> None:
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    base = place.in_column(rng.uniform(0, 1) * width, -below_m, ahead_m)
    tall = below_m + place.metres(rng.uniform(-0.15, 0.25) * height, base[2])
    half = np.array([rng.uniform(0.5, 1.2), 0.5, rng.uniform(0.3, 0.6)]) * max(tall, 0.1)
    axes = place.upright(half, rng.uniform(-0.5, 0.5))
    kind = SPHERE if rng.random() < 0.6 else BOX
    stage.builder.add(kind, base - axes[1], axes, stage.material("hedge", 0.9 * base[2], gloss=0.0))


def _add_house(stage: Stage, below_m: float, ahead_m: float) -> None:
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    base = place.in_column(rng.uniform(0, 1) * width, -below_m, ahead_m)
    tall = below_m + place.metres(rng.uniform(0.1, 0.5) * height, base[2])
    half = np.array([rng.uniform(0.3, 0.9), 0.5, 0.3]) * tall
    axes = place.upright(half, rng.uniform(-0.7, 0.7))
    stage.builder.add(BOX, base - axes[1], axes, stage.material("house", 0.9 * base[2], gloss=0.0))


def _sky_picture(rng) -> np.ndarray:
    blue = np.array([rng.uniform(0.3, 0.7), rng.uniform(0.5, 0.8), rng.uniform(0.8, 1.0)])
    return mix(blue, np.ones(3), 0.4 + 0.5 * fractal_noise(rng, rng.uniform(1.3, 1.8)))


SETTINGS = {"desk": build_desk, "room": build_room, "terrace": build_terrace}
