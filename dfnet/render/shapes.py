"""Parts that things are made of: rods, bent wires, rings, and shapes that stand on a spot."""

from typing import NamedTuple

import numpy as np

from dfnet.render.builder import Material
from dfnet.render.geometry import SPHERE, TUBE
from dfnet.render.stage import Spot, Stage


def unit(vector) -> np.ndarray:
    """The vector at length 1."""
    return np.asarray(vector, float) / np.linalg.norm(vector)


class Body(NamedTuple):
    """A frame for things of many parts: right, up and towards the viewer, in body lengths."""

    base: np.ndarray
    right: np.ndarray
    up: np.ndarray
    front: np.ndarray

    def at(self, right: float, up: float, front: float = 0.0) -> np.ndarray:
        """A point [m] given in body lengths."""
        return self.base + right * self.right + up * self.up + front * self.front


def body(stage: Stage, spot: Spot, turn: float, length_m: float) -> Body:
    """The frame of a thing that stands at a spot, turned about `up`."""
    right, _, ahead = stage.place.upright((1, 1, 1), turn) * length_m
    return Body(spot.base, right, stage.place.up * length_m, -ahead)


def across(way) -> tuple[np.ndarray, np.ndarray]:
    """Two unit vectors at right angles to a direction and to each other."""
    axis = np.eye(3)[np.argmin(np.abs(way))]
    first = unit(np.cross(way, axis))
    return first, unit(np.cross(way, first))


def rod(stage: Stage, start, end, radius_m: float, material: Material) -> None:
    """A round rod between two points; its ends are open."""
    along = (np.asarray(end) - start) / 2
    first, second = across(along)
    axes = np.stack([first * radius_m, along, second * radius_m])
    stage.builder.add(TUBE, (np.asarray(end) + start) / 2, axes, material)


def wire(stage: Stage, points, radius_m, material: Material) -> None:
    """Rods through a list of points; `radius_m` is one number or one for each rod."""
    radii = np.broadcast_to(radius_m, len(points) - 1)
    for start, end, radius in zip(points[:-1], points[1:], radii, strict=True):
        rod(stage, start, end, radius, material)


def ring(stage: Stage, centre, plane, radius_m: float, material: Material, **kind) -> None:
    """A bent rod about `centre`, in the plane of two unit vectors.

    Args:
        stage: where to add it.
        centre: its middle [m].
        plane: two unit vectors at right angles.
        radius_m: half its width.
        material: its cover.
        kind: `thin`, its thickness as a share of the radius; `parts`, rods of a full turn;
            `arc`, first and last angle [rad].
    """
    start, end = kind.get("arc", (0.0, 2 * np.pi))
    count = max(3, round(kind.get("parts", 14) * abs(end - start) / (2 * np.pi)))
    angles = np.linspace(start, end, count + 1)
    points = [centre + radius_m * (np.cos(a) * plane[0] + np.sin(a) * plane[1]) for a in angles]
    wire(stage, points, kind.get("thin", 0.05) * radius_m, material)


def hanging(start, end, sag_m: float, up, count: int = 8) -> list[np.ndarray]:
    """Points of a cable that hangs between two others."""
    shares = np.linspace(0, 1, count + 1)
    return [start + (end - start) * s - 4 * sag_m * s * (1 - s) * up for s in shares]


def stand(stage: Stage, spot: Spot, kind: int, half_m, **pose) -> None:
    """Put one shape of these half-lengths (across, tall, deep) on the spot.

    `pose`: `raised` above the support, `aside` to the right, `ahead` [m]; `turn`, `lean` [rad];
    `family` of its texture or a `material`.
    """
    place = stage.place
    axes = place.upright(half_m, pose.get("turn", 0.0), pose.get("lean", 0.0))
    centre = spot.base + place.right * pose.get("aside", 0.0) + place.ahead * pose.get("ahead", 0.0)
    centre = centre - axes[1] + place.up * pose.get("raised", 0.0)
    nearest = max(0.6 * spot.depth_m, centre[2] - np.linalg.norm(half_m))
    material = pose.get("material") or stage.material(pose.get("family", "object"), nearest)
    stage.builder.add(kind, centre, axes, material)


def lid(stage: Stage, spot: Spot, radius_m: float, raised_m: float, material: Material) -> None:
    """A level disc, as flat as a slice, that closes a tube."""
    axes = stage.place.upright((radius_m, max(0.02 * radius_m, 1e-5), radius_m))
    centre = spot.base + stage.place.up * raised_m
    stage.builder.add(SPHERE, centre, axes, material)


def blob(stage: Stage, centre, half_m, material: Material, turn: float = 0.0) -> None:
    """An ellipsoid with upright axes (across, tall, deep)."""
    stage.builder.add(SPHERE, centre, stage.place.upright(half_m, turn), material)
