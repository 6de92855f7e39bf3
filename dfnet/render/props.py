"""Simple things that stand on a support: each function builds one at a `Spot` of a `Stage`."""

import numpy as np

from dfnet.render.geometry import BOX, QUAD, SPHERE, TUBE
from dfnet.render.shapes import blob, lid, ring, rod, stand, wire
from dfnet.render.stage import Spot, Stage


def parcels(stage: Stage, spot: Spot) -> None:
    """Boxes on top of each other, each turned a little."""
    count = int(stage.rng.integers(1, 4))
    heights = spot.height_m * stage.rng.dirichlet(np.full(count, 4.0))
    raised = 0.0
    for height in heights:
        half = spot.height_m * stage.rng.uniform(0.25, 0.5, 2)
        turn = stage.rng.uniform(-0.8, 0.8)
        family = str(stage.rng.choice(["object", "plain", "label"]))
        half = (half[0], height / 2, half[1])
        stand(stage, spot, BOX, half, raised=raised, turn=turn, family=family)
        raised += height


def ball(stage: Stage, spot: Spot) -> None:
    """A ball, an egg or a fruit."""
    half = spot.height_m / 2 * np.array([1, stage.rng.uniform(0.75, 1.0), 1])
    family = str(stage.rng.choice(["plain", "object", "skin"]))
    stand(stage, spot, SPHERE, half, turn=stage.rng.uniform(-3, 3), family=family)


def stones(stage: Stage, spot: Spot) -> None:
    """Rounded stones on each other, smaller upwards."""
    raised, tall = 0.0, spot.height_m
    for share in (0.45, 0.33, 0.22):
        half = tall * share / 2 * np.array([stage.rng.uniform(0.8, 1.4), 1, 1])
        pose = {"raised": raised, "turn": stage.rng.uniform(-1, 1), "family": "road"}
        stand(stage, spot, SPHERE, half, **pose)
        raised += tall * share * 0.93


def pencil_cup(stage: Stage, spot: Spot) -> None:
    """An open cup with thin sticks in it."""
    tall = spot.height_m
    radius = tall * stage.rng.uniform(0.14, 0.22)
    stand(stage, spot, TUBE, (radius, 0.25 * tall, radius))
    for _ in range(int(stage.rng.integers(3, 8))):
        thin = tall * stage.rng.uniform(0.01, 0.03)
        half = (thin, tall * stage.rng.uniform(0.3, 0.45), thin)
        turn, lean = stage.rng.uniform(-3, 3), stage.rng.uniform(0.02, 0.18)
        family = str(stage.rng.choice(["plain", "metal", "wood"]))
        stand(stage, spot, TUBE, half, raised=0.04 * tall, turn=turn, lean=lean, family=family)


def picture_frame(stage: Stage, spot: Spot) -> None:
    """A framed picture, leaning back."""
    rng, place = stage.rng, stage.place
    half = spot.height_m / 2 * np.array([rng.uniform(0.65, 0.95), 1, 0.04])
    pose = {"turn": rng.uniform(-0.5, 0.5), "lean": rng.uniform(0.05, 0.3)}
    stand(stage, spot, BOX, half, family="wood", **pose)
    axes = place.upright(half, **pose)
    inner = np.array([0.82, 0.86])
    sheet = np.stack([axes[0] * inner[0], axes[1] * inner[1], axes[2]])
    centre = spot.base - axes[1] - axes[2] * 1.02
    material = stage.whole_picture("poster", half[:2] * inner)
    stage.builder.add(QUAD, centre, sheet, material)


def lamp(stage: Stage, spot: Spot) -> None:
    """A thin pole with a foot and a wide shade that may shine."""
    tall, rng = spot.height_m, stage.rng
    stand(stage, spot, SPHERE, (0.16 * tall, 0.04 * tall, 0.16 * tall), family="metal")
    stand(stage, spot, TUBE, (0.015 * tall, 0.4 * tall, 0.015 * tall), family="metal")
    wide = tall * rng.uniform(0.16, 0.26)
    kind = TUBE if rng.random() < 0.5 else SPHERE
    shine = rng.uniform(1.5, 3.5) if rng.random() < 0.5 else 0.0
    material = stage.material("calm", 0.8 * spot.depth_m, emission=shine)
    stand(stage, spot, kind, (wide, 0.15 * tall, wide), raised=0.7 * tall, material=material)


def standing_screen(stage: Stage, spot: Spot) -> None:
    """A panel of wire, boards or lace in a frame, that one sees through."""
    rng, place, tall = stage.rng, stage.place, spot.height_m
    half = tall / 2 * np.array([rng.uniform(0.6, 1.2), 1, 1])
    turn = rng.uniform(-0.9, 0.9)
    net = stage.material("net", 0.8 * spot.depth_m, gloss=0.0)
    stand(stage, spot, QUAD, half, material=net, turn=turn)
    axes = place.upright(half, turn)
    rim = stage.material("metal", 0.8 * spot.depth_m)
    middle = spot.base - axes[1]
    corners = [middle + x * axes[0] + y * axes[1] for x, y in ((-1, 1), (-1, -1), (1, -1), (1, 1))]
    wire(stage, corners, 0.015 * tall, rim)


def cutout_card(stage: Stage, spot: Spot) -> None:
    """A ragged or leafy cut-out that stands upright."""
    half = spot.height_m / 2 * np.array([stage.rng.uniform(0.7, 1.2), 1, 1])
    material = stage.whole_picture("card", half)
    stand(stage, spot, QUAD, half, material=material, turn=stage.rng.uniform(-0.7, 0.7))


def wheel(stage: Stage, spot: Spot) -> None:
    """A wheel with spokes, as of a bicycle, standing on its rim."""
    rng, place = stage.rng, stage.place
    radius = 0.5 * spot.height_m
    turn = rng.uniform(-1.0, 1.0)
    right = place.upright((1, 1, 1), turn)[0]
    thin = 0.045
    centre = spot.base + (1 + thin) * radius * place.up
    rubber = stage.material("plain", 0.8 * spot.depth_m)
    ring(stage, centre, (right, place.up), radius, rubber, thin=thin, parts=22)
    steel = stage.material("metal", 0.8 * spot.depth_m)
    for angle in np.linspace(0, np.pi, 9)[:-1] + rng.uniform(0, 0.3):
        way = radius * (np.cos(angle) * right + np.sin(angle) * place.up)
        rod(stage, centre - way, centre + way, 0.008 * radius, steel)
    blob(stage, centre, 0.07 * radius * np.ones(3), steel)


def wire_rack(stage: Stage, spot: Spot) -> None:
    """A stand of bent wires: a dish rack, a toast rack, a napkin holder."""
    rng, place, tall = stage.rng, stage.place, spot.height_m
    steel = stage.material("metal", 0.7 * spot.depth_m)
    turn = rng.uniform(-0.6, 0.6)
    right, _, ahead = place.upright((1, 1, 1), turn)
    wide, deep, thin = 0.4 * tall, 0.3 * tall, 0.014 * tall
    low, high = spot.base + thin * place.up, spot.base + rng.uniform(0.6, 0.97) * tall * place.up
    for x in np.linspace(-wide, wide, int(rng.integers(4, 8))):
        feet = [low + x * right + s * deep * ahead for s in (-1, 1)]
        tops = [high + x * right + s * 0.6 * deep * ahead for s in (-1, 1)]
        wire(stage, [feet[0], tops[0], tops[1], feet[1]], thin, steel)
    for s in (-1, 1):
        rod(
            stage,
            low - wide * right + s * deep * ahead,
            low + wide * right + s * deep * ahead,
            thin,
            steel,
        )


def cable(stage: Stage, spot: Spot) -> None:
    """A cable that lies in loops on the support."""
    rng, place = stage.rng, stage.place
    tall = spot.height_m
    thin = 0.02 * tall
    angles = np.linspace(0, rng.uniform(4, 9), 20)
    radius = tall * (0.25 + 0.2 * np.sin(angles * rng.uniform(0.3, 0.8) + rng.uniform(0, 6)))
    points = [
        spot.base + thin * place.up + r * (np.cos(a) * place.right + np.sin(a) * place.ahead)
        for a, r in zip(angles, radius, strict=True)
    ]
    wire(stage, points, thin, stage.material("plain", 0.8 * spot.depth_m))


def basket(stage: Stage, spot: Spot) -> None:
    """A round basket of net or lace with balls in it."""
    rng, tall = stage.rng, spot.height_m
    radius = tall * rng.uniform(0.4, 0.55)
    net = stage.material("net", 0.8 * spot.depth_m, gloss=0.0)
    stand(stage, spot, TUBE, (radius, 0.3 * tall, radius), material=net)
    lid(stage, spot, 0.98 * radius, 0.03 * radius, stage.material("wood", 0.8 * spot.depth_m))
    fruit = stage.material("plain", 0.8 * spot.depth_m)
    for k in range(int(rng.integers(3, 7))):
        angle, out = k * 2.4, 0.5 * radius * (k > 0)
        place = out * np.array([np.cos(angle), np.sin(angle)])
        size = 0.42 * radius * np.array([1, 0.92, 1])
        pose = {
            "aside": place[0],
            "ahead": place[1],
            "material": fruit,
            "raised": (0.28 + 0.2 * (k == 0)) * tall,
        }
        stand(stage, spot, SPHERE, size, **pose)
