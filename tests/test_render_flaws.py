"""Lens flaws against hand computation: vignetting, distortion, corner blur, cat-eye, breathing."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from render_worlds import DARK, camera, facing_quad, glow

from dfnet.optics import Lens, signed_defocus_px
from dfnet.render.builder import WorldBuilder
from dfnet.render.cameras import Flaws, rotation_matrix
from dfnet.render.devices import load_device
from dfnet.render.effects import CameraEffects
from dfnet.render.geometry import TUBE
from dfnet.render.lights import add_lights
from dfnet.render.trace import render, view_of

ALL = Flaws(vignetting=0.2, distortion=0.015, corner_blur_px=12.0, cat_eye=0.4)
BARREL, PINCUSHION = Flaws(distortion=0.02), Flaws(distortion=-0.02)


def wall(gray=1.0):
    builder = WorldBuilder()
    facing_quad(builder, (0, 0, 1.0), (9, 9), glow(builder, gray))
    return builder.build(DARK)


def lamp(x_px, y_px, depth_m, seen_by, flaws=None):
    """One light that a camera without distortion shows at (x, y), photographed in the dark."""
    seen_by = replace(seen_by, flaws=flaws or Flaws())
    slopes = (np.array([x_px, y_px]) - seen_by.principal_point_px) / 1000.0
    light = np.array([[*(slopes * depth_m), depth_m, 1e-5, 1.0, 1.0, 1.0]])
    image = np.zeros((3, seen_by.size[1], seen_by.size[0]), np.float32)
    add_lights(wall(0.0), view_of(seen_by, 1), light, image)
    return image[0]


def test_vignetting_is_the_cosine_law_to_its_exponent():
    seen_by = camera((60, 40), principal=(10.0, -20.0), flaws=Flaws(vignetting=0.3))
    image = render(wall(), view_of(seen_by, 2), (60, 40))
    for x, y in [(0, 0), (59, 39), (10, 39)]:
        cosine = 1000 / math.sqrt(1000**2 + (x - 10) ** 2 + (y + 20) ** 2)
        np.testing.assert_allclose(image[:, y, x], cosine ** (4 * 0.3), rtol=1e-5)
    light, bare = (lamp(40, 20, 5.0, seen_by, f) for f in (seen_by.flaws, None))
    cosine = 1000 / math.sqrt(1000**2 + 30**2 + 40**2)
    assert light.sum() / bare.sum() == pytest.approx(cosine ** (4 * 0.3), rel=1e-4)


@pytest.mark.parametrize("flaws", [Flaws(), BARREL, PINCUSHION])
def test_rays_and_projection_are_each_others_inverse(flaws):
    seen_by = camera((640, 480), principal=(250.5, 300.25), flaws=flaws, rotation=(0.1, -0.2, 0.05))
    pixels = np.random.default_rng(0).uniform(0, 480, (50, 2))
    points = 1.7 * seen_by.rays(pixels) @ seen_by.matrix + seen_by.position_m
    np.testing.assert_allclose(seen_by.project(points), pixels, atol=1e-9)


def test_distortion_moves_the_corner_by_its_share():
    # Half the diagonal of 640 x 480 is 400 px: a ray of slope 0.4 * 1.02 arrives at 400 px.
    seen_by = camera((640, 480), flaws=BARREL)
    corner = np.add(seen_by.principal_point_px, (320, 240))
    np.testing.assert_allclose(seen_by.rays(corner), [0.32 * 1.02, 0.24 * 1.02, 1.0])


@pytest.mark.parametrize("flaws", [BARREL, PINCUSHION])
def test_surfaces_and_lights_show_up_where_projection_says(flaws):
    seen_by = camera((96, 80), 0.5, principal=(-150.0, 30.0), full_frame_px=(600, 450), flaws=flaws)
    point = np.array([0.21 * 0.8, 0.012 * 0.8, 0.8])
    expected = seen_by.project(point)
    assert abs(1000 * point[0] / 0.8 - 150.0 - expected[0]) > 1  # distortion matters here
    builder = WorldBuilder()
    facing_quad(builder, point, (0.0024, 0.0024), glow(builder))
    dot = render(builder.build(DARK), view_of(seen_by, 256), seen_by.size)[0]
    image = np.zeros((3, 80, 96), np.float32)
    light = np.array([[*point, 1e-5, 1.0, 1.0, 1.0]])
    add_lights(wall(0.0), view_of(seen_by, 1), light, image)
    y, x = np.mgrid[:80, :96]
    for picture, tolerance in ((dot, 0.06), (image[0], 0.06)):
        found = [(picture * axis).sum() / picture.sum() for axis in (x, y)]
        np.testing.assert_allclose(found, expected, atol=tolerance)


def test_corner_blur_widens_a_pixels_footprint_with_the_square_of_the_radius():
    # A pixel x of width w shows the share (x + w/2 - e) / w of what lies right of an edge at e.
    seen_by = camera((64, 9), 1.0, full_frame_px=(100, 2), flaws=Flaws(corner_blur_px=4.0))
    edge_px, x = 56.3, np.arange(64)
    builder = WorldBuilder()
    facing_quad(builder, (2.0 + (edge_px - 31.5) / 1000, 0, 1.0), (2, 2), glow(builder))
    row = render(builder.build(DARK), view_of(seen_by, 1024), (64, 9))[0, 4]
    width = 1 + 4 * ((x - 31.5) / 50) ** 2
    np.testing.assert_allclose(row, np.clip((x + width / 2 - edge_px) / width, 0, 1), atol=0.02)
    assert ((row > 0.01) & (row < 0.99)).sum() == 2  # 1 for a pixel of usual width


def two_circles(shift):
    """Share of a unit disc that a second one leaves open, counted."""
    y, x = np.mgrid[-1:1:801j, -1:1:801j]
    disc = x**2 + y**2 <= 1
    return (disc & ((x + shift) ** 2 + y**2 <= 1)).sum() / disc.sum()


@pytest.mark.parametrize(("focus_m", "depth_m"), [(0.2, 1.0), (2.0, 0.2)])
def test_cat_eye_clips_discs_on_one_side_and_keeps_their_light(focus_m, depth_m):
    # 250 px from the axis the rim is shifted by 0.64 * 250 / 400 = 0.4 radii, towards the axis.
    seen_by = camera((96, 80), focus_m, principal=(-202.0, 40.0), full_frame_px=(640, 480))
    round_, clipped = (lamp(48, 40, depth_m, seen_by, f) for f in (None, Flaws(cat_eye=0.64)))
    assert round_.max() / clipped.max() == pytest.approx(two_circles(0.4), rel=0.02)
    assert clipped.sum() == pytest.approx(round_.sum(), rel=0.02)
    # The middle of two circles' overlap lies halfway between their centres; discs beyond the focus
    # show the lens as it is, those before it turned round.
    x = np.arange(96)
    moved = (clipped.sum(0) * x).sum() / clipped.sum() - (round_.sum(0) * x).sum() / round_.sum()
    radius_px = 3.681 / 2 * abs(1 / focus_m - 1 / depth_m) / (1 - 0.00681 / focus_m)
    assert moved == pytest.approx(0.2 * radius_px * (-1 if depth_m > focus_m else 1), abs=0.15)


def test_cat_eye_clips_sampled_rays_as_it_clips_lights():
    depth_m, focus_m = 1.5, 0.25
    seen_by = camera((96, 80), focus_m, principal=(-150.0, 10.0), full_frame_px=(480, 360))
    seen_by = replace(seen_by, flaws=Flaws(cat_eye=0.5))
    builder = WorldBuilder()
    point = np.array([198.0, 30.0]) / 1000 * depth_m
    half = 0.75 * depth_m / 1000
    facing_quad(builder, (*point, depth_m), (half, half), glow(builder))
    rays = render(builder.build(DARK), view_of(seen_by, 1500), seen_by.size)[0]
    light = lamp(48, 40, depth_m, seen_by, seen_by.flaws)
    difference = np.abs(rays / rays.sum() - light / light.sum()).sum()
    assert difference < 0.25  # the dot is 1.5 px wide; without the rim: 0.56


@pytest.mark.parametrize("cat_eye", [0.0, 0.4])
@pytest.mark.parametrize("name", CameraEffects().devices)
def test_every_phones_disc_is_that_of_the_formula_at_the_middle(name, cat_eye):
    native, focus_m, depth_m = load_device(name).wide, 0.2, 2.0
    lens = Lens(native.focal_length_m, 1000.0, native.f_number, focus_m)
    flaws = Flaws(cat_eye=cat_eye)
    seen_by = replace(camera((64, 64)), lens=lens, full_frame_px=(2000, 1500), flaws=flaws)
    builder, half_m = WorldBuilder(), depth_m / 1000
    facing_quad(builder, (0, 0, depth_m), (half_m, half_m), glow(builder))
    image = render(builder.build(DARK), view_of(seen_by, 400), (64, 64))[0].astype(float)
    variance = (image * (np.arange(64) - 31.5) ** 2).sum() / image.sum()
    found = 4 * math.sqrt(variance - 2**2 / 12 - 1 / 12)  # a dot of 2 px and a pixel of 1 px add
    f_m, n = native.focal_length_m, native.f_number
    expected = f_m / n * (depth_m - focus_m) / depth_m * 1000 / (focus_m - f_m)  # DC², eq. 1
    assert found == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("cat_eye", [0.0, 0.5])
def test_defocus_keeps_the_mean_radiance(cat_eye):
    builder = WorldBuilder()
    texture = np.random.default_rng(3).uniform(0, 1, (32, 32, 3)).astype(np.float32)
    cover = glow(builder)._replace(texture=builder.add_texture(texture), texels_per_m=(1000, 1000))
    facing_quad(builder, (0, 0, 1.0), (9, 9), cover)
    seen_by = camera((96, 72), 0.2, flaws=Flaws(cat_eye=cat_eye))
    world = builder.build(DARK)
    sharp = render(world, view_of(seen_by, 16, pinhole=True), (96, 72))
    blurred = render(world, view_of(seen_by, 64), (96, 72))
    assert sharp.std() > 4 * blurred.std()
    # What blur brings in across the border differs a little: compare with a smooth weight.
    weight = np.outer(np.hanning(72), np.hanning(96))
    means = [(i * weight).sum((1, 2)) / weight.sum() for i in (sharp, blurred)]
    np.testing.assert_allclose(*means, rtol=0.01)


def test_breathing_magnifies_and_blurs_as_optics_says():
    seen_by = camera((64, 48), 0.1)
    breathing = replace(seen_by, breathes=True)
    factor = 0.1 / (0.1 - 0.00681)  # image distance over focal length
    point = np.array([0.02, -0.01, 0.8])
    centre = np.array([31.5, 23.5])
    offsets = [c.project(point) - centre for c in (seen_by, breathing)]
    np.testing.assert_allclose(offsets[1], factor * offsets[0])
    sky = (5000.0, 100 * 5000.0 / 1000)
    for c in (seen_by, breathing):
        view = view_of(c, 1)
        coc_px = 2 * view.lens_radius_m * view.focal_px * (1 / 0.1 - 1 / sky[0])
        expected = signed_defocus_px(torch.tensor(sky[0], dtype=torch.float64), c.lens).item()
        assert coc_px == pytest.approx(expected)
    assert view_of(breathing, 1, pinhole=True).focal_px == 1000.0


@pytest.mark.parametrize("flaws", [Flaws(), ALL, replace(ALL, distortion=-0.015)])
def test_tiles_and_threads_change_no_bit_of_a_thicket(flaws):
    rng, builder = np.random.default_rng(0), WorldBuilder()
    facing_quad(builder, (0, 0, 3.0), (5, 5), glow(builder))
    covers = [glow(builder, gray) for gray in rng.uniform(0, 1, 8)]
    for k in range(60):
        z, kind = rng.uniform(0.2, 2.5), TUBE if k % 2 else int(rng.integers(5))
        half = (
            np.array([0.002, 0.2, 0.004]) * z if kind == TUBE else rng.uniform(0.005, 0.05, 3) * z
        )
        turn = rotation_matrix(rng.normal(0, 1, 3))
        builder.add(kind, (*rng.uniform(-0.1, 0.1, 2) * z, z), half[:, None] * turn, covers[k % 8])
    world = builder.build(DARK)
    seen_by = camera((80, 64), 0.4, principal=(10, 60.0), full_frame_px=(250, 190), flaws=flaws)
    view = view_of(seen_by, 4)
    whole = render(world, view, (80, 64), tile_px=1024)
    for tile_px, threads in ((8, 1), (16, 2)):
        np.testing.assert_array_equal(render(world, view, (80, 64), threads, tile_px), whole)
    assert whole.std() > 0.1
