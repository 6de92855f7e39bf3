"""Where a scene is set up: the place, its textures, and how a material gets its texel density."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dfnet.render.builder import Material, WorldBuilder
from dfnet.render.cutouts import CARDS, SCREENS, wire_mesh
from dfnet.render.photos import draw_photo
from dfnet.render.place import Place
from dfnet.render.textures import (
    FLOOR_TEXTURES,
    OBJECT_TEXTURES,
    SIDE,
    WALL_TEXTURES,
    foliage,
    grained,
    windows,
)

POOL = 7  # procedural things share this many textures (and as many photographs)
TEXELS_PER_PX = (1.1, 1.8)  # at a surface's nearest point: never softer than the picture


@dataclass
class Spot:
    """Room for one thing on its support.

    Attributes:
        base: point on the support [m, W's axes].
        height_m: how tall the thing may be.
        depth_m: W's z-depth there.
    """

    base: np.ndarray
    height_m: float
    depth_m: float


@dataclass
class Stage:
    """A scene under construction.

    Attributes:
        rng: the scene's source of chance.
        place: the ground under the camera.
        photos: photographs to use, may be none.
        photo_share: how often a surface gets a photograph, if there are any.
    """

    rng: np.random.Generator
    place: Place
    photos: tuple[Path, ...] = ()
    photo_share: float = 0.5
    builder: WorldBuilder = field(default_factory=WorldBuilder)
    _pools: dict = field(default_factory=dict)

    def texture(self, family: str) -> int:
        """Index of a texture of a family: `object`, `wall`, `floor`, `card`, `screen`, ..."""
        opaque = family in ("object", "wall", "floor")
        if opaque and self.photos and self.rng.random() < self.photo_share:
            family = "photo"
        pool = self._pools.setdefault(family, [])
        if len(pool) < POOL:
            pool.append(self._draw(family))
            return pool[-1]
        return pool[self.rng.integers(POOL)]

    def _draw(self, family: str) -> int:
        if family == "photo":
            return self.builder.add_texture(draw_photo(self.rng, self.photos), mirrored=True)
        makers = {
            "object": OBJECT_TEXTURES,
            "wall": WALL_TEXTURES,
            "floor": FLOOR_TEXTURES,
            "hedge": (foliage,),
            "house": (windows,),
            "card": CARDS,
            "screen": SCREENS,
            "wire": (wire_mesh,),
        }[family]
        picture = makers[self.rng.integers(len(makers))](self.rng)
        return self.builder.add_texture(
            grained(self.rng, picture) if picture.shape[2] == 3 else picture
        )

    def material(self, family: str, depth_m: float, gloss: float | None = None) -> Material:
        """Cover for a surface whose nearest visible point lies at this z-depth."""
        rng = self.rng
        density = rng.uniform(*TEXELS_PER_PX) * self.place.camera.lens.focal_length_px / depth_m
        if gloss is None:
            gloss = rng.uniform(0.05, 0.5) if rng.random() < 0.4 else 0.0
        return Material(
            self.texture(family),
            (density, density),
            tuple(rng.uniform(0, SIDE, 2).tolist()),
            (gloss, float(rng.choice([8.0, 30.0, 120.0]))),
        )

    def whole_picture(self, family: str, half_m) -> Material:
        """Cover that shows a texture once over a quad of these half-lengths."""
        texture = self.texture(family)
        height, width = self.builder.pictures[texture].shape[:2]
        density = (width / 2 / half_m[0], height / 2 / half_m[1])
        return Material(texture, density, (width / 2, height / 2))
