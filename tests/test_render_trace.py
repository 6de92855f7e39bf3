"""The ray caster: the same bits whatever the tiles, threads or repeats; the texture look-up."""

import numpy as np
import pytest
from numba import njit
from render_worlds import DARK, camera, facing_quad, glow

from dfnet.render.builder import WorldBuilder, pack_textures
from dfnet.render.cameras import rotation_matrix
from dfnet.render.geometry import BOX, SPHERE, TUBE, hit
from dfnet.render.scene import SceneOptions, build_scene
from dfnet.render.shade import texel
from dfnet.render.trace import render, view_of

SIZE = (72, 56)


@pytest.fixture(scope="module", params=[("desk", 4), ("terrace", 7)], ids=lambda p: p[0])
def scene(request):
    kind, seed = request.param
    return build_scene(seed, SceneOptions(size=SIZE, kind=kind))


def picture(scene, **options):
    view = view_of(scene.wide.focused_at(0.2), samples=6)
    return render(scene.world, view, SIZE, **options)


def test_culling_by_tiles_loses_nothing(scene):
    np.testing.assert_array_equal(picture(scene, tile_px=8), picture(scene, tile_px=1024))


def test_threads_and_repeats_change_no_bit(scene):
    one, two = picture(scene, threads=1), picture(scene, threads=2)
    np.testing.assert_array_equal(one, two)
    again = build_scene({"desk": 4, "terrace": 7}[scene.kind], SceneOptions(SIZE, kind=scene.kind))
    np.testing.assert_array_equal(one, picture(again))
    assert one.std() > 0.1 * one.mean()


def test_more_samples_bring_less_noise(scene):
    view = [view_of(scene.wide.focused_at(0.2), n) for n in (4, 64, 256)]
    few, many, reference = (render(scene.world, v, SIZE) for v in view)
    assert np.abs(many - reference).mean() < 0.4 * np.abs(few - reference).mean()


def test_layers_composite_from_front_to_back():
    builder = WorldBuilder()
    facing_quad(builder, (0, 0, 2.0), (1, 1), glow(builder, 1.0))
    facing_quad(builder, (0, 0, 1.0), (1, 1), glow(builder, 0.0, alpha=0.25))
    facing_quad(builder, (0, 0, 0.5), (1, 1), glow(builder, 1.0, alpha=0.5))
    image = render(builder.build(DARK), view_of(camera((16, 16)), 4, pinhole=True), (16, 16))
    alpha = np.round(np.array([0.5, 0.25]) * 255) / 255  # as textures store it
    expected = alpha[0] + (1 - alpha[0]) * (1 - alpha[1])
    np.testing.assert_allclose(image, expected, atol=1e-3)


@pytest.mark.parametrize("kind", [BOX, SPHERE, TUBE])
@pytest.mark.parametrize("turn", [(0, 0, 0), (0.5, 0.3, 0.2)])
def test_a_solid_hides_what_is_inside_it(kind, turn):
    # Candidates are tried by the depth before which no ray meets them: it must not be overrated.
    builder = WorldBuilder()
    facing_quad(builder, (0, 0, 2.0), (2, 2), glow(builder, 0.5))
    facing_quad(builder, (0, 0, 0.5), (0.1, 0.1), glow(builder, 1.0))
    builder.add(kind, (0, 0, 0.7), 0.3 * rotation_matrix(turn), glow(builder, 0.25))
    world = builder.build(DARK)
    image = render(world, view_of(camera((40, 32)), 4, pinhole=True), (40, 32))
    np.testing.assert_allclose(image, world.textures.linear[64], rtol=1e-4)  # 0.25 in 8 bits


@njit
def _hit(world, p, ray):
    return hit(world, p, ray)


@pytest.mark.parametrize(
    ("kind", "expected"), [(BOX, 2.0 - 0.3), (SPHERE, 2.0 - 0.3), (TUBE, 2.0 - 0.3)]
)
def test_solids_are_hit_at_their_near_side(kind, expected):
    builder = WorldBuilder()
    builder.add(kind, (0.5, 0.0, 2.0), np.diag([0.1, 0.2, 0.3]), glow(builder))
    world = builder.build(DARK)
    ray = ((0.5, 0.0, 0.0), (0.0, 0.0, 1.0))
    assert _hit(world, 0, ray) == pytest.approx(expected)
    assert _hit(world, 0, ((0.5, 0.21, 0.0), (0.0, 0.0, 1.0))) > 1e20
    assert _hit(world, 0, ((0.61, 0.0, 0.0), (0.0, 0.0, 1.0))) > 1e20
    assert _hit(world, 0, ((0.5, 0.0, 3.0), (0.0, 0.0, 1.0))) > 1e20


@njit
def _texel(textures, u, v, level):
    return texel(textures, 0, u, v, level)


@pytest.mark.parametrize("mirrored", [False, True])
def test_textures_are_bilinear_and_repeat(mirrored):
    rng = np.random.default_rng(3)
    picture = rng.integers(0, 256, (4, 8, 4)).astype(np.uint8)
    textures = pack_textures([picture], [mirrored])
    linear = textures.linear[picture[..., :3]]
    tile = np.concatenate([linear, linear[:, ::-1]], 1) if mirrored else np.tile(linear, (1, 2, 1))
    tile = np.concatenate([tile, tile[::-1]], 0) if mirrored else np.tile(tile, (2, 1, 1))
    for u, v in [(0.5, 0.5), (3.2, 1.9), (7.9, 3.8), (-0.3, 9.7), (21.4, -6.1)]:
        x, y = u - 0.5, v - 0.5
        i, j = int(np.floor(x)), int(np.floor(y))
        fx, fy = x - i, y - j
        corner = lambda b, a: tile[b % 8, a % 16]  # noqa: E731
        expected = (1 - fy) * ((1 - fx) * corner(j, i) + fx * corner(j, i + 1))
        expected = expected + fy * ((1 - fx) * corner(j + 1, i) + fx * corner(j + 1, i + 1))
        np.testing.assert_allclose(_texel(textures, u, v, 0)[:3], expected, atol=1e-6)


def test_mip_levels_keep_the_mean_light():
    picture = np.random.default_rng(3).integers(0, 256, (16, 16, 4)).astype(np.uint8)
    picture[..., 3] = 255
    textures = pack_textures([picture], [False])
    mean = textures.linear[picture[..., :3]].mean((0, 1))
    top = textures.levels[0] - 1
    first, width, height = textures.table[0, top]
    assert (width, height) == (1, 1)
    np.testing.assert_allclose(textures.linear[textures.texels[first, :3]], mean, atol=0.02)
