"""Household goods and figures: packages, books, bottles, cups, furniture, plush and people."""

import numpy as np

from dfnet.render.geometry import BOX, QUAD, SPHERE, TUBE
from dfnet.render.shapes import Body, blob, body, lid, ring, rod, stand, unit
from dfnet.render.stage import Spot, Stage


def packet(stage: Stage, spot: Spot) -> None:
    """A package with a printed front."""
    half = (
        spot.height_m / 2 * np.array([stage.rng.uniform(0.5, 0.8), 1, stage.rng.uniform(0.15, 0.4)])
    )
    label = stage.whole_picture("label", half[:2])
    stand(stage, spot, BOX, half, material=label, turn=stage.rng.uniform(-0.5, 0.5))


def upright_books(stage: Stage, spot: Spot) -> None:
    """A row of books with printed spines."""
    count = int(stage.rng.integers(3, 7))
    thick = spot.height_m * stage.rng.uniform(0.05, 0.14, count)
    book_row(stage, spot, thick, -thick.sum() / 2)


def book_row(stage: Stage, spot: Spot, thick_m, first_m: float) -> None:
    """Books side by side from `first_m` to the right, their spines to the viewer."""
    rng, aside = stage.rng, first_m
    deep = 0.3 * spot.height_m
    for thick in thick_m:
        half = np.array([thick / 2, spot.height_m * rng.uniform(0.36, 0.5), deep])
        cover = stage.whole_picture("spine", half[:2])
        pose = {"aside": aside + thick / 2, "ahead": rng.uniform(0, 0.15) * deep}
        stand(stage, spot, BOX, half * [0.96, 1, 1], material=cover, **pose)
        aside += thick


def lying_books(stage: Stage, spot: Spot) -> None:
    """A stack of lying books, each turned a little, sometimes something on top."""
    rng, raised = stage.rng, 0.0
    for _ in range(int(rng.integers(2, 6))):
        thick = spot.height_m * rng.uniform(0.08, 0.2)
        half = np.array([spot.height_m * rng.uniform(0.4, 0.55), thick / 2, 0.35 * spot.height_m])
        family = str(rng.choice(["label", "object", "plain", "poster"]))
        stand(stage, spot, BOX, half, raised=raised, turn=rng.normal(0, 0.35), family=family)
        raised += thick
    if rng.random() < 0.6:
        top = Spot(spot.base + raised * stage.place.up, 0.5 * spot.height_m, spot.depth_m)
        (mug, plush, packet)[rng.integers(3)](stage, top)


def sheet(stage: Stage, spot: Spot) -> None:
    """A printed page that lies on the support, or is propped up a little."""
    rng, place = stage.rng, stage.place
    half = spot.height_m * np.array([0.62, 0.8])
    turn, rise = rng.uniform(-0.6, 0.6), rng.uniform(0, 0.25) * (rng.random() < 0.4)
    right, _, ahead = place.upright((1, 1, 1), turn)
    away = unit(ahead + rise * place.up)
    axes = np.stack([right * half[0], -away * half[1], np.cross(right, away) * half[0]])
    centre = spot.base + (half[1] * rise + 0.004 * spot.height_m) * place.up
    stage.builder.add(QUAD, centre, axes, stage.whole_picture("page", half))


def can(stage: Stage, spot: Spot) -> None:
    """A closed tin with a label around it."""
    radius = spot.height_m * stage.rng.uniform(0.25, 0.42)
    family = str(stage.rng.choice(["label", "label", "metal", "object"]))
    half = (radius, spot.height_m / 2, radius)
    stand(stage, spot, TUBE, half, family=family, turn=stage.rng.uniform(-1, 1))
    lid(stage, spot, radius, spot.height_m * 0.985, stage.material("metal", 0.7 * spot.depth_m))


def bottle(stage: Stage, spot: Spot) -> None:
    """A body with a label, a round shoulder, a neck and a cap."""
    rng, tall = stage.rng, spot.height_m
    radius = tall * rng.uniform(0.13, 0.2)
    body = stage.material("plain", 0.8 * spot.depth_m, gloss=rng.uniform(0.1, 0.6))
    stand(stage, spot, TUBE, (radius, 0.31 * tall, radius), material=body)
    stand(stage, spot, SPHERE, (radius, 0.14 * tall, radius), raised=0.48 * tall, material=body)
    neck = radius * 0.38
    stand(stage, spot, TUBE, (neck, 0.13 * tall, neck), raised=0.7 * tall, material=body)
    cap = stage.material("plain", 0.8 * spot.depth_m)
    stand(
        stage, spot, TUBE, (1.15 * neck, 0.03 * tall, 1.15 * neck), raised=0.94 * tall, material=cap
    )
    lid(stage, spot, 1.15 * neck, 0.995 * tall, cap)
    sticker = stage.whole_picture("label", (radius, 0.18 * tall))
    pose = {"raised": 0.14 * tall, "turn": rng.uniform(-0.6, 0.6), "material": sticker}
    stand(stage, spot, TUBE, (1.01 * radius, 0.18 * tall, 1.01 * radius), **pose)


def jar(stage: Stage, spot: Spot) -> None:
    """A clear jar or glass: one sees its filling and what is behind it."""
    rng, tall = stage.rng, spot.height_m
    radius = tall * rng.uniform(0.28, 0.42)
    inside = stage.material(str(rng.choice(["object", "plain", "ground"])), 0.8 * spot.depth_m)
    full = rng.uniform(0.1, 0.7)
    stand(stage, spot, TUBE, (0.93 * radius, full * tall / 2, 0.93 * radius), material=inside)
    lid(stage, spot, 0.93 * radius, full * tall, inside)
    clear = stage.material("glass", 0.8 * spot.depth_m, gloss=0.5)
    stand(stage, spot, TUBE, (radius, tall / 2, radius), material=clear)
    rim = stage.material("metal", 0.8 * spot.depth_m)
    plane = (stage.place.right, stage.place.ahead)
    ring(stage, spot.base + 0.985 * tall * stage.place.up, plane, radius, rim, thin=0.03, parts=18)


def mug(stage: Stage, spot: Spot) -> None:
    """A mug with a handle."""
    rng, place, tall = stage.rng, stage.place, spot.height_m
    radius = tall * rng.uniform(0.35, 0.45)
    glaze = stage.material(str(rng.choice(["plain", "plain", "object"])), 0.7 * spot.depth_m)
    stand(stage, spot, TUBE, (radius, tall / 2, radius), material=glaze)
    drink = stage.material("ground", 0.7 * spot.depth_m, gloss=0.4)
    lid(stage, spot, 0.98 * radius, rng.uniform(0.6, 0.9) * tall, drink)
    out = place.upright((1, 1, 1), rng.uniform(-0.9, 0.9))[0] * rng.choice([-1, 1])
    centre = spot.base + 0.5 * tall * place.up + 0.95 * radius * out
    arc = (-np.pi / 2, np.pi / 2)
    ring(stage, centre, (out, place.up), 0.28 * tall, glaze, thin=0.2, parts=14, arc=arc)


def bowl(stage: Stage, spot: Spot) -> None:
    """A heap of fruit on a plate."""
    rng, tall = stage.rng, spot.height_m
    wide = 0.75 * tall
    stand(stage, spot, SPHERE, (wide, 0.06 * tall, wide), family="plain")
    fruit = [stage.material(f, 0.8 * spot.depth_m) for f in ("plain", "skin")]
    for k in range(int(rng.integers(4, 9))):
        level = int(k >= 5)
        angle, out = 1.26 * k + 0.5 * level, (0.45 - 0.22 * level) * tall
        size = tall * rng.uniform(0.22, 0.28) * np.array([1, 0.95, 1])
        pose = {"aside": out * np.cos(angle), "ahead": out * np.sin(angle)}
        pose |= {"raised": (0.08 + 0.36 * level) * tall, "material": fruit[k % 2]}
        stand(stage, spot, SPHERE, size, **pose)


def monitor(stage: Stage, spot: Spot) -> None:
    """A screen that shines, on a foot."""
    rng, tall = stage.rng, spot.height_m
    place, turn = stage.place, rng.uniform(-0.5, 0.5)
    stand(stage, spot, SPHERE, (0.3 * tall, 0.03 * tall, 0.2 * tall), family="plain")
    stand(stage, spot, BOX, (0.05 * tall, 0.15 * tall, 0.02 * tall), family="plain", turn=turn)
    half = tall * np.array([0.6, 0.375, 0.02])
    stand(stage, spot, BOX, half, raised=0.25 * tall, turn=turn, family="plain")
    axes = place.upright(half, turn)
    centre = spot.base + 0.625 * tall * place.up - 1.05 * axes[2]
    shine = stage.whole_picture("screen", half[:2], emission=rng.uniform(0.8, 2.5))
    stage.builder.add(QUAD, centre, axes * [[0.95], [0.93], [1]], shine)


def plush(stage: Stage, spot: Spot) -> None:
    """A sitting toy animal of rounded parts."""
    rng, tall = stage.rng, spot.height_m
    fur = stage.material(
        str(rng.choice(["fabric", "plain", "skin"])), 0.7 * spot.depth_m, gloss=0.0
    )
    pale = stage.material("fabric", 0.7 * spot.depth_m, gloss=0.0)
    at = body(stage, spot, rng.uniform(-0.7, 0.7), tall).at
    blob(stage, at(0, 0.3, 0), tall * np.array([0.25, 0.3, 0.22]), fur)
    blob(stage, at(0, 0.72, 0.03), tall * np.array([0.2, 0.18, 0.18]), fur)
    blob(stage, at(0, 0.68, 0.17), tall * np.array([0.09, 0.07, 0.08]), pale)
    dark = stage.material("plain", 0.7 * spot.depth_m, gloss=0.5)
    blob(stage, at(0, 0.71, 0.245), tall * np.array([0.028, 0.022, 0.02]), dark)
    for side in (-1, 1):
        blob(stage, at(0.15 * side, 0.89, 0), tall * np.array([0.075, 0.085, 0.04]), fur)
        blob(stage, at(0.075 * side, 0.77, 0.175), tall * np.array([0.022, 0.026, 0.02]), dark)
        blob(stage, at(0.25 * side, 0.4, 0.1), tall * np.array([0.08, 0.17, 0.09]), fur, 0.4 * side)
        blob(stage, at(0.18 * side, 0.085, 0.2), tall * np.array([0.09, 0.085, 0.17]), fur)
        blob(stage, at(0.19 * side, 0.09, 0.355), tall * np.array([0.06, 0.07, 0.03]), pale)


def person(stage: Stage, spot: Spot) -> None:
    """A standing figure of rounded parts, in cloth and skin."""
    rng, place, tall = stage.rng, stage.place, spot.height_m
    coat = stage.material("fabric", 0.8 * spot.depth_m, gloss=0.0)
    cloth = stage.material("fabric", 0.8 * spot.depth_m, gloss=0.0)
    skin = stage.material("skin", 0.8 * spot.depth_m)
    hair = stage.material("bark", 0.8 * spot.depth_m)
    figure = body(stage, spot, rng.uniform(-0.9, 0.9), tall)
    at = figure.at
    blob(stage, at(0, 0.66), tall * np.array([0.115, 0.2, 0.075]), coat)
    blob(stage, at(0, 0.92), tall * np.array([0.052, 0.072, 0.06]), skin)
    blob(stage, at(0, 0.94, -0.02), tall * np.array([0.058, 0.06, 0.058]), hair)
    rod(stage, at(0, 0.8), at(0, 0.9), 0.028 * tall, skin)
    for side in (-1, 1):
        foot = at(0.055 * side, 0.02, rng.uniform(-0.08, 0.08))
        hip = at(0.05 * side, 0.52)
        axes = place.upright(tall * np.array([0.04, 0.02, 0.075]))
        stage.builder.add(SPHERE, foot, axes, hair)
        rod(stage, foot, hip, 0.043 * tall, cloth)
        shoulder, elbow = at(0.11 * side, 0.79), at(0.17 * side, rng.uniform(0.58, 0.68))
        hand = elbow + 0.17 * tall * unit(figure.front * rng.uniform(-0.2, 1.5) - figure.up)
        rod(stage, shoulder, elbow, 0.032 * tall, coat)
        rod(stage, elbow, hand, 0.027 * tall, coat)
        blob(stage, elbow, tall * np.array([0.032, 0.032, 0.032]), coat)
        blob(stage, hand, tall * np.array([0.028, 0.028, 0.028]), skin)


def chair(stage: Stage, spot: Spot) -> None:
    """Four thin legs, a seat and a back of rods."""
    rng, place, tall = stage.rng, stage.place, spot.height_m
    right, _, ahead = place.upright((1, 1, 1), rng.uniform(-3, 3))
    frame_m = Body(spot.base, 0.24 * tall * right, tall * place.up, 0.24 * tall * ahead)
    frame = stage.material(str(rng.choice(["wood", "metal", "plain"])), 0.8 * spot.depth_m)
    wide, thin = 0.24 * tall, tall * rng.uniform(0.012, 0.025)
    at = frame_m.at
    for x in (-1, 1):
        rod(stage, at(x, 0, -1), at(x, 0.5, -1), thin, frame)
        rod(stage, at(x, 0, 1), at(x, 0.98, 1.1), thin, frame)
    for x in np.linspace(-0.6, 0.6, int(rng.integers(2, 5))):
        rod(stage, at(x, 0.5, 1), at(x, 0.93, 1.08), 0.7 * thin, frame)
    rod(stage, at(-1, 0.93, 1.08), at(1, 0.93, 1.08), 1.3 * thin, frame)
    seat = np.stack([right * 1.05 * wide, -place.up * 0.02 * tall, ahead * 1.1 * wide])
    stage.builder.add(BOX, at(0, 0.5, 0), seat, frame)


def table(stage: Stage, spot: Spot) -> Spot:
    """A table on four legs; returns the spot in the middle of its top."""
    rng, place, tall = stage.rng, stage.place, spot.height_m
    right, _, ahead = place.upright((1, 1, 1), rng.uniform(-0.5, 0.5))
    wood = stage.material(str(rng.choice(["wood", "calm", "plain"])), 0.7 * spot.depth_m)
    wide, deep, thin = tall * rng.uniform(0.7, 1.0), 0.55 * tall, 0.03 * tall
    for x in (-0.9, 0.9):
        for z in (-0.9, 0.9):
            foot = spot.base + x * wide * right + z * deep * ahead
            rod(stage, foot, foot + (tall - thin) * place.up, thin, wood)
    axes = np.stack([right * wide, -place.up * thin, ahead * deep])
    stage.builder.add(BOX, spot.base + (tall - thin) * place.up, axes, wood)
    return Spot(spot.base + tall * place.up, 0.5 * tall, spot.depth_m)
