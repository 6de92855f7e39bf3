"""Collects textures and primitives, then turns them into the arrays that the kernels read."""

from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np
import torch

from dfnet.photo import linear_from_srgb
from dfnet.render.bake import bake, light_map_layout
from dfnet.render.geometry import BOX, DISC, QUAD, SPHERE, TUBE, Geometry, Textures, World

LARGE_MAP = 64  # light map side of floors and walls
SMALL_MAPS = {QUAD: 12, DISC: 12, SPHERE: 16, TUBE: 12, BOX: 8}  # of things
THIN = 0.1  # a rod thinner than this share of its length
THIN_MAP = 4
MAX_LEVELS = 12


class Material(NamedTuple):
    """What covers a primitive.

    Attributes:
        texture: index from `WorldBuilder.add_texture`.
        texels_per_m: density along u and v.
        offset: texel at the middle of a face (left edge of tubes and spheres counts from -pi).
        gloss: strength and exponent of the highlight; strength 0 is matt.
        emission: > 0 for what shines by itself.
    """

    texture: int
    texels_per_m: tuple[float, float]
    offset: tuple[float, float] = (0.0, 0.0)
    gloss: tuple[float, float] = (0.0, 1.0)
    emission: float = 0.0


@dataclass
class Lighting:
    """The light of a scene: one soft key light, and light from all around.

    Attributes:
        key_direction: towards the key light.
        key_colour: its radiance on a surface that faces it.
        sky_colour: of the light from all around.
        softness: tangent of the key light's angular radius.
        reach_m: how far away things still darken a corner.
        samples: rays per light map texel, for the key light and for the sky.
    """

    key_direction: np.ndarray
    key_colour: np.ndarray
    sky_colour: np.ndarray
    softness: float = 0.08
    reach_m: float = 0.5
    samples: tuple[int, int] = (12, 16)


@dataclass
class WorldBuilder:
    """An unlit scene while it grows."""

    pictures: list = field(default_factory=list)
    mirrored: list = field(default_factory=list)
    primitives: list = field(default_factory=list)

    def add_texture(self, picture: np.ndarray, mirrored: bool = False) -> int:
        """Take an (H, W, 3) or (H, W, 4) sRGB-encoded picture in 0..1; return its index."""
        if picture.shape[2] == 3:
            picture = np.dstack([picture, np.ones(picture.shape[:2], np.float32)])
        self.pictures.append((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
        self.mirrored.append(mirrored)
        return len(self.pictures) - 1

    def has_holes(self, texture: int) -> bool:
        """Whether one sees through parts of a texture."""
        return bool((self.pictures[texture][..., 3] < 255).any())

    def add(self, kind: int, centre, axes, material: Material, large: bool = False) -> int:
        """Add one primitive.

        Args:
            kind: QUAD, DISC, SPHERE, TUBE or BOX.
            centre: its middle [m].
            axes: three half-axis vectors [m] as rows; the third of a flat one is its thickness-less
                normal direction and may have any length.
            material: its cover.
            large: floors and walls get a finer light map.

        Returns:
            Its index.
        """
        axes = np.asarray(axes, float)
        half = np.linalg.norm(axes, axis=1)
        from_local = np.eye(4)
        from_local[:3, :3], from_local[:3, 3] = axes.T, centre
        extent = {QUAD: half[:2], DISC: half[:2].max(), SPHERE: half.max()}
        extent |= {TUBE: [max(half[0], half[2]), half[1]], BOX: half}
        radius = np.linalg.norm(extent[kind])
        side = 0 if material.emission > 0 else _map_side(kind, half, large)
        to_local = np.linalg.inv(from_local)[:3]
        self.primitives.append((kind, to_local, half, (*centre, radius), material, side))
        return len(self.primitives) - 1

    def build(self, lighting: Lighting) -> World:
        """Pack and light the scene."""
        kinds, to_local, half, bound, materials, sides = zip(*self.primitives, strict=True)
        layout, texels = light_map_layout(kinds, sides)
        holes = [self.has_holes(i) for i in range(len(self.pictures))]
        geometry = Geometry(
            kind=np.array(kinds, np.int64),
            to_local=np.ascontiguousarray(to_local, float),
            half_m=np.array(half, float),
            bound=np.array(bound, float),
            texture=np.array([m.texture for m in materials], np.int64),
            texels_per_m=np.array([m.texels_per_m for m in materials], float),
            texel_offset=np.array([m.offset for m in materials], float),
            see_through=np.array([holes[m.texture] for m in materials]),
            light_map=layout,
            gloss=np.array([m.gloss for m in materials], float),
            emission=np.array([m.emission for m in materials], float),
        )
        key = np.asarray(lighting.key_direction, float)
        world = World(
            geometry,
            pack_textures(self.pictures, self.mirrored),
            np.ones((max(1, len(texels)), 3), np.float32),
            key / np.linalg.norm(key),
            np.asarray(lighting.key_colour, float),
        )
        samples = lighting.samples
        lamp = ((lighting.softness, samples[0]), (lighting.reach_m, samples[1]))
        sky = np.asarray(lighting.sky_colour, float)
        return world._replace(irradiance=bake(world, texels, sky, lamp)) if len(texels) else world


def _map_side(kind: int, half_m: np.ndarray, large: bool) -> int:
    if large:
        return LARGE_MAP // 2 if kind == BOX else LARGE_MAP
    thin = kind == TUBE and max(half_m[0], half_m[2]) < THIN * half_m[1]
    return THIN_MAP if thin else SMALL_MAPS[kind]


def pack_textures(pictures, mirrored) -> Textures:
    """Build all mip chains; reduction averages in linear light, weighted by alpha."""
    table = np.zeros((len(pictures), MAX_LEVELS, 3), np.int64)
    levels, chunks, first = [], [], 0
    for i, picture in enumerate(pictures):
        chain = _mip_chain(picture)
        levels.append(len(chain))
        for k, level in enumerate(chain):
            table[i, k] = first, level.shape[1], level.shape[0]
            chunks.append(level.reshape(-1, 4))
            first += len(chunks[-1])
    return Textures(
        np.concatenate(chunks), table, np.array(levels, np.int64), np.array(mirrored), _LINEAR
    )


def _mip_chain(picture: np.ndarray) -> list[np.ndarray]:
    chain = [picture]
    alpha = picture[..., 3:].astype(np.float32) / 255
    premultiplied = np.dstack([_LINEAR[picture[..., :3]] * (alpha + 1e-3), alpha + 1e-3])
    while len(chain) < MAX_LEVELS:
        height, width = premultiplied.shape[:2]
        if height % 2 or width % 2:  # an odd level could not be halved without shifting its repeats
            break
        premultiplied = cv2.resize(
            premultiplied, (width // 2, height // 2), interpolation=cv2.INTER_AREA
        )
        colour = _encode(premultiplied[..., :3] / premultiplied[..., 3:])
        level = np.dstack([colour, np.clip(premultiplied[..., 3:] - 1e-3, 0, 1)])
        chain.append((level * 255 + 0.5).astype(np.uint8))
    return chain


def _encode(linear: np.ndarray) -> np.ndarray:
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


_LINEAR = linear_from_srgb(torch.arange(256) / 255).numpy()
