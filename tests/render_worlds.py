"""Small hand-made worlds for the renderer's tests."""

from dataclasses import replace

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

from dfnet.optics import Lens
from dfnet.render.builder import Lighting, Material, WorldBuilder
from dfnet.render.cameras import Camera
from dfnet.render.geometry import BOX, QUAD, SPHERE, World
from dfnet.render.trace import render, view_of
from dfnet.render.truth import Truth

WIDE_LENS = Lens(0.00681, 1000.0, 1.85, 1.0)
DARK = Lighting(np.array([0.0, -1.0, -1.0]), np.zeros(3), np.zeros(3), samples=(1, 1))


def camera(size=(64, 48), focus_m=1.0, principal=None, **changes) -> Camera:
    """W at the origin, its optical axis in the picture's middle unless told otherwise."""
    middle = ((size[0] - 1) / 2, (size[1] - 1) / 2)
    lens = replace(WIDE_LENS, focus_distance_m=focus_m)
    return replace(Camera(lens, size, principal or middle, size), **changes)


def glow(builder: WorldBuilder, gray: float = 1.0, alpha: float = 1.0) -> Material:
    """A surface of constant radiance `gray` that needs no light."""
    picture = np.full((8, 8, 4), gray, np.float32)
    picture[..., 3] = alpha
    return Material(builder.add_texture(picture), (1.0, 1.0), emission=1.0)


def facing_quad(builder: WorldBuilder, centre, half_m, material: Material) -> int:
    """An upright rectangle that faces the camera."""
    axes = np.diag([half_m[0], half_m[1], 1.0])
    return builder.add(QUAD, np.array(centre, float), axes, material)


def smooth_world(rng) -> World:
    """A wall, a floor, a ball and a box under smooth textures, evenly lit."""
    builder = WorldBuilder()

    def cover(texels_per_m):
        noise = gaussian_filter(rng.normal(0, 1, (256, 256, 3)), (3, 3, 0), mode="wrap")
        texture = builder.add_texture(np.clip(0.5 + 0.12 * noise / noise.std(), 0, 1))
        return Material(texture, (texels_per_m, texels_per_m))

    tilted = np.array([[1.5, 0, 0.4], [0, 1.5, 0], [-0.2, 0, 1.0]])
    builder.add(QUAD, (0, 0, 1.6), tilted, cover(500))
    floor = np.array([[1.5, 0, 0], [0, 0.25, 1.0], [0, -1.0, 0.2]])
    builder.add(QUAD, (0, 0.12, 1.0), floor, cover(700))
    builder.add(SPHERE, (-0.06, 0.0, 0.7), np.eye(3) * 0.05, cover(900))
    builder.add(BOX, (0.08, 0.03, 0.6), np.eye(3) * 0.03, cover(900))
    even = Lighting(np.array([0.0, 0, -1]), np.zeros(3), np.ones(3), reach_m=1e-6, samples=(1, 1))
    return builder.build(even)


def psnr_warped(truth: Truth, world, wide, ultrawide, after=None, samples=64):
    """Bring UW, photographed in the world `after`, onto W by a truth.

    Returns:
        A function that gives the PSNR [dB] on a mask (H, W); and the pixels (H, W) near which
        surfaces mix or UW is blind.
    """
    on_w = render(world, view_of(wide, samples, pinhole=True), wide.size)
    on_uw = render(after or world, view_of(ultrawide, samples, pinhole=True), ultrawide.size)
    width, height = wide.size
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height))).astype(np.float32)
    where = grid + truth.flow_w_to_uw
    warped = cv2.remap(on_uw.transpose(1, 2, 0), where[0], where[1], cv2.INTER_CUBIC)
    square = ((warped.transpose(2, 0, 1) - on_w) ** 2).mean(0)
    # At a silhouette one pixel mixes two surfaces: leave 3 px around edges and occlusions out, and
    # the picture's border, past which nobody knows of any.
    depth = np.where(np.isfinite(truth.depth_w_m), truth.depth_w_m, 1e4)
    edge = cv2.morphologyEx(depth, cv2.MORPH_GRADIENT, np.ones((3, 3))) > 0.05 * depth
    seen = (~edge & ~truth.occluded_w).astype(np.uint8)
    mixed = cv2.erode(np.pad(seen[4:-4, 4:-4], 4), np.ones((7, 7))) == 0
    return lambda mask: -10 * np.log10(square[mask].mean()), mixed
