"""Where a scene is set up: the place, its textures, and how a material gets its texel density."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dfnet.render import cutouts, natural, prints, textures
from dfnet.render.builder import Material, WorldBuilder
from dfnet.render.photos import draw_photo
from dfnet.render.place import Place

POOL = 6  # surfaces of one family share this many textures
POOLS = {"spine": 14, "label": 9, "plain": 9, "photo": 9}  # of what repeats would be noticed
TEXELS_PER_PX = (1.1, 1.8)  # at a surface's nearest point: never softer than the picture
MOST_PHOTOS = 0.45  # of all surfaces, whatever `photo_share` says
PHOTOGRAPHED = (
    "object",
    "poster",
    "label",
    "screen",
    "outside",
)  # families that photographs may replace
CALM = ("plain", "calm", "metal", "skin", "bark", "stem", "fabric", "ground", "road", "outside")
FAMILIES = {
    "object": textures.OBJECT_TEXTURES,
    "wall": textures.WALL_TEXTURES,
    "floor": textures.FLOOR_TEXTURES,
    "tiles": (textures.tiles, textures.tiles, textures.bricks),
    "wood": (textures.wood,),
    "hedge": (textures.foliage,),
    "house": (textures.windows,),
    "poster": (textures.shapes, *prints.PAGES),
    "label": prints.LABELS,
    "page": prints.PAGES,
    "spine": (prints.spine,),
    "screen": (prints.screen,),
    "outside": natural.OUTSIDES,
    "plain": natural.PLAIN,
    "calm": natural.CALM_WALLS,
    "metal": natural.METALS,
    "skin": natural.SKINS,
    "bark": natural.BARKS,
    "stem": natural.STEMS,
    "fabric": natural.FABRICS,
    "ground": natural.GROUNDS,
    "road": natural.ROADS,
    "card": cutouts.CARDS,
    "spray": cutouts.SPRAYS,
    "leaf": cutouts.LEAVES,
    "glass": cutouts.GLASS,
    "net": cutouts.SCREENS,
    "fence": cutouts.FENCES,
}
GLOSSY = {"label": 0.7, "plain": 0.6, "metal": 0.9, "tiles": 0.6, "leaf": 0.3, "skin": 0.3}


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
        photographed: textures that are photographs.
    """

    rng: np.random.Generator
    place: Place
    photos: tuple[Path, ...] = ()
    photo_share: float = 0.5
    builder: WorldBuilder = field(default_factory=WorldBuilder)
    photographed: set = field(default_factory=set)
    _pools: dict = field(default_factory=dict)

    @property
    def procedural_share(self) -> float:
        """Share of the surfaces that show no photograph."""
        materials = [primitive[4] for primitive in self.builder.primitives]
        return float(np.mean([m.texture not in self.photographed for m in materials] or [1.0]))

    def texture(self, family: str) -> int:
        """Index of a texture of a family (`FAMILIES`); a photograph stands in for some."""
        if family in PHOTOGRAPHED and self.photos and self.rng.random() < self.photo_share:
            count = len(self.builder.primitives) + 1
            if (1 - self.procedural_share) * (count - 1) + 1 <= MOST_PHOTOS * count:
                family = "photo"
        pool = self._pools.setdefault(family, [])
        if len(pool) < POOLS.get(family, POOL):
            pool.append(self._draw(family))
            return pool[-1]
        return pool[self.rng.integers(len(pool))]

    def _draw(self, family: str) -> int:
        if family == "photo":
            photo = draw_photo(self.rng, self.photos)
            index = self.builder.add_texture(photo, mirrored=True)
            self.photographed.add(index)
            return index
        makers = FAMILIES[family]
        picture = makers[self.rng.integers(len(makers))](self.rng)
        if family not in CALM and picture.shape == (textures.SIDE, textures.SIDE, 3):
            picture = textures.grained(self.rng, picture)
        return self.builder.add_texture(picture)

    def _gloss(self, family: str) -> tuple[float, float]:
        strength = 0.0
        if self.rng.random() < GLOSSY.get(family, 0.25):
            strength = self.rng.uniform(0.05, 0.6)
        return strength, float(self.rng.choice([8.0, 30.0, 120.0]))

    def material(
        self, family: str, depth_m: float, gloss: float | None = None, emission: float = 0.0
    ) -> Material:
        """Cover for a surface whose nearest visible point lies at this z-depth."""
        rng = self.rng
        density = rng.uniform(*TEXELS_PER_PX) * self.place.camera.lens.focal_length_px / depth_m
        shine = self._gloss(family)
        return Material(
            self.texture(family),
            (density, density),
            tuple(rng.uniform(0, textures.SIDE, 2).tolist()),
            shine if gloss is None else (gloss, shine[1]),
            emission,
        )

    def whole_picture(
        self, family: str, half_m, emission: float = 0.0, depth_m: float = np.inf
    ) -> Material:
        """Cover that shows a texture once over a quad of these half-lengths.

        Where the quad is so large at its z-depth `depth_m` that texels would be wider than pixels,
        the texture stays finer than that, and its repeats fill the rest.
        """
        texture = self.texture(family)
        height, width = self.builder.pictures[texture].shape[:2]
        least = TEXELS_PER_PX[0] * self.place.camera.lens.focal_length_px / depth_m
        density = (max(width / 2 / half_m[0], least), max(height / 2 / half_m[1], least))
        return Material(texture, density, (width / 2, height / 2), self._gloss(family), emission)
