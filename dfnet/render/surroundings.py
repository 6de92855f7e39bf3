"""What encloses a scene: floors, walls, windows, pictures, shelves on the wall, sky and horizon."""

from dataclasses import replace

import numpy as np

from dfnet.render.builder import Material
from dfnet.render.cameras import rotation_matrix
from dfnet.render.clusters import add_cluster
from dfnet.render.geometry import BOX, QUAD
from dfnet.render.shapes import rod
from dfnet.render.stage import Stage
from dfnet.render.textures import fractal_noise, mix

SKY_M = 5000.0
LOWEST_M = 0.035  # W's height above what it looks along: UW may lie 0.026 m below W
SLAB_M = 0.012  # half the thickness of table tops


def reach(stage: Stage, ahead_m: float) -> float:
    """Half the width that the two cameras may see at this distance."""
    return 1.8 * ahead_m * np.tan(stage.place.half_fov[0]) + 0.12


def turned(stage: Stage, angle: float) -> Stage:
    """The same stage with its ground axes turned about `up`: what is built next stands askew."""
    about_up = rotation_matrix(stage.place.up * angle)
    place = replace(
        stage.place, right=about_up @ stage.place.right, ahead=about_up @ stage.place.ahead
    )
    return replace(stage, place=place)


def lowest_ray(stage: Stage) -> np.ndarray:
    """Direction through the middle of the picture's lower edge."""
    width, height = stage.place.camera.size
    return stage.place.through_pixel(width / 2, height - 1, 1.0)


def ground_height(stage: Stage, nearest_m: float) -> float:
    """How far below the camera a floor lies that enters the picture at this distance."""
    ray = lowest_ray(stage)
    return max(LOWEST_M, -nearest_m * (ray @ stage.place.up) / (ray @ stage.place.ahead))


def enters(stage: Stage, below_m: float) -> float:
    """z-depth at which a floor enters the picture."""
    ray = lowest_ray(stage)
    return -below_m / min(ray @ stage.place.up, -1e-3)


def add_floor(stage: Stage, below_m: float, reach_m: tuple[float, float], family="floor") -> None:
    """A level plane, from near to far [m ahead]."""
    near_m, far_m = reach_m
    half = (reach(stage, far_m), (far_m - near_m) / 2)
    place = stage.place
    flat = np.stack([place.right * half[0], -place.ahead * half[1], place.up])
    centre = place.point(0, -below_m, (near_m + far_m) / 2)
    # The texture is fine enough for the place where the floor enters the picture.
    nearest = min(max(0.9 * enters(stage, below_m), near_m), far_m)
    stage.builder.add(QUAD, centre, flat, stage.material(family, nearest), large=True)


def add_slab(stage: Stage, below_m: float, reach_m: tuple[float, float], family="wood") -> None:
    """A table top or a counter, from near to far [m ahead]."""
    near_m, far_m = reach_m
    half = (reach(stage, far_m), SLAB_M, (far_m - near_m) / 2)
    axes = stage.place.upright(half)
    centre = stage.place.point(0, -below_m, (near_m + far_m) / 2) + axes[1]
    nearest = min(max(0.9 * enters(stage, below_m), near_m), far_m)
    stage.builder.add(BOX, centre, axes, stage.material(family, nearest), large=True)


def add_ledge(stage: Stage, ahead_m: float, things, count: int) -> None:
    """Something close to stand on, with a group of things, at the lower edge of the picture."""
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    below = ground_height(stage, 0.85 * ahead_m)
    axes = place.upright(
        (place.metres(rng.uniform(0.3, 0.8) * width, ahead_m), SLAB_M / 2, 0.25 * ahead_m)
    )
    base = place.in_column(
        rng.choice([rng.uniform(0.0, 0.3), rng.uniform(0.7, 1.0)]) * width, -below, ahead_m
    )
    stage.builder.add(BOX, base + axes[1], axes, stage.material("wood", 0.7 * ahead_m))
    add_cluster(stage, base, place.metres(rng.uniform(0.35, 0.7) * height, base[2]), things, count)


def wall_height(stage: Stage, ahead_m: float) -> float:
    """How tall a wall must be above the camera to fill the picture [m]."""
    width, _ = stage.place.camera.size
    slopes = [stage.place.through_pixel(x, 0, 1.0) for x in (0, width)]
    steepest = max((ray @ stage.place.up) / (ray @ stage.place.ahead) for ray in slopes)
    return (
        ahead_m * max(1.3 * steepest, 0.0) + 0.6 * ahead_m * np.tan(stage.place.half_fov[1]) + 0.2
    )


def add_wall(stage: Stage, ahead_m: float, below_m: float, turn: float, family="") -> None:
    """An upright wall that fills the view at this distance."""
    wide = 1.5 * reach(stage, ahead_m)
    tall = (wall_height(stage, ahead_m) + below_m) / 2 + 0.1
    axes = stage.place.upright((wide, tall, 1.0), turn)
    centre = stage.place.point(0, -below_m - 0.1, ahead_m) - axes[1]
    family = family or ("calm" if stage.rng.random() < 0.65 else "wall")
    stage.builder.add(QUAD, centre, axes, stage.material(family, ahead_m * 0.8, 0.0), large=True)


def on_wall(stage: Stage, pixel, ahead_m: float, turn: float) -> np.ndarray:
    """The point of such a wall that shows up at a pixel."""
    middle = stage.place.through_pixel(*pixel, 1.0)
    normal = stage.place.upright((1, 1, 1), turn)[2]
    return middle * (stage.place.point(0, 0, ahead_m) @ normal) / (middle @ normal)


def add_pictures(stage: Stage, ahead_m: float, turn: float, count: int) -> None:
    """Framed pictures, posters and signs on the wall."""
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    for _ in range(count):
        pixel = rng.uniform(0, width), rng.uniform(0, 0.5 * height)
        middle = on_wall(stage, pixel, ahead_m, turn)
        half = place.metres(rng.uniform(0.07, 0.2) * width, middle[2]) * np.array(
            [1, rng.uniform(0.7, 1.4), 0.03]
        )
        axes = place.upright(half, turn)
        frame = stage.material("wood" if rng.random() < 0.6 else "plain", 0.8 * middle[2])
        stage.builder.add(BOX, middle - axes[2] * 1.05, axes, frame)
        inner = half[:2] * rng.uniform(0.8, 0.97)
        poster = stage.whole_picture("poster", inner, depth_m=0.85 * middle[2])
        sheet = axes * np.array([[inner[0] / half[0]], [inner[1] / half[1]], [1.0]])
        stage.builder.add(QUAD, middle - axes[2] * 2.2, sheet, poster)


def add_window(stage: Stage, ahead_m: float, turn: float) -> None:
    """A window or glass door on the wall, so bright that it clips; mullions, seldom blinds."""
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    pixel = rng.uniform(0.1, 0.9) * width, rng.uniform(0.0, 0.45) * height
    middle = on_wall(stage, pixel, ahead_m, turn)
    half = place.metres(rng.uniform(0.15, 0.35) * width, middle[2]) * np.array(
        [1, rng.uniform(0.8, 1.6)]
    )
    axes = place.upright((*half, 0.01 * half[0]), turn)
    outside = stage.whole_picture("outside", half, rng.uniform(1.8, 4.0), 0.8 * middle[2])
    middle = middle - 2 * axes[2]
    stage.builder.add(QUAD, middle, axes, outside)
    front = middle - 2 * axes[2]
    frame = stage.material("plain", 0.8 * middle[2])
    thin = 0.03 * half[0]
    for x in np.linspace(-1, 1, int(rng.integers(3, 6))):
        rod(stage, front + x * axes[0] - axes[1], front + x * axes[0] + axes[1], thin, frame)
    for y in np.linspace(-1, 1, int(rng.integers(2, 4))):
        rod(stage, front + y * axes[1] - axes[0], front + y * axes[1] + axes[0], thin, frame)
    if rng.random() < 0.25:
        _add_blinds(stage, front - 2 * axes[2], axes)


def _add_blinds(stage: Stage, middle, axes) -> None:
    slat = stage.material("plain", 0.8 * middle[2])
    lowest = stage.rng.uniform(-0.2, 0.9)
    for y in np.arange(-1, lowest, 0.12):
        half = np.stack([axes[0], 0.022 * axes[1], 2 * axes[2]])
        stage.builder.add(BOX, middle + y * axes[1], half, slat)


def add_wall_shelf(stage: Stage, ahead_m: float, turn: float, things) -> None:
    """A board on the wall with a few things on it."""
    rng, place = stage.rng, stage.place
    width, height = place.camera.size
    middle = on_wall(
        stage, (rng.uniform(0, 1) * width, rng.uniform(0.2, 0.6) * height), ahead_m, turn
    )
    wide = place.metres(rng.uniform(0.2, 0.4) * width, middle[2])
    axes = place.upright((wide, 0.02 * wide, 0.25 * wide), turn)
    board = middle - axes[2]
    stage.builder.add(BOX, board, axes, stage.material("wood", 0.75 * middle[2]))
    tall = 0.45 * wide
    add_cluster(stage, board - axes[1] - 0.1 * axes[2], tall, things, int(rng.integers(2, 4)))


def add_sky(stage: Stage) -> None:
    """Blue with clouds, or gray, at a distance that counts as infinite."""
    rng, place = stage.rng, stage.place
    axes = place.upright((12000.0, 12000.0, 1.0))
    picture = stage.builder.add_texture(_sky_picture(rng))
    density = 1.1 / place.metres(1.0, SKY_M)
    cover = Material(picture, (density, density), (0.0, 0.0), emission=rng.uniform(0.5, 1.6))
    stage.builder.add(QUAD, place.point(0, 0, SKY_M), axes, cover)


def _sky_picture(rng) -> np.ndarray:
    red = rng.uniform(0.35, 0.65)
    blue = np.array([red, red + rng.uniform(0.12, 0.22), rng.uniform(0.88, 1.0)])
    cloudy = rng.uniform(0.1, 0.9)
    noise = fractal_noise(rng, rng.uniform(1.6, 2.1))
    return mix(blue, np.full(3, rng.uniform(0.85, 1.0)), cloudy + 0.35 * noise)


def add_backdrop(stage: Stage, depth_m: float) -> None:
    """A plane behind everything, square to the gaze: no ray leaves the scene."""
    width, height = stage.place.camera.size
    middle = stage.place.through_pixel(width / 2, height / 2, depth_m)
    half = 4 * stage.place.metres(width, depth_m) + 1.0
    axes = np.diag([half, half, 1.0])
    stage.builder.add(QUAD, middle, axes, stage.material("calm", depth_m, 0.0), large=True)
