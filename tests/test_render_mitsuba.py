"""Partial occlusion against an independent renderer: Mitsuba 3 and its `thinlens`.

Mitsuba shares no code with ours. An optional dependency: pip install -e '.[proofs]'.
"""

import math

import numpy as np
import pytest
from render_worlds import DARK, camera, glow

from dfnet.render.builder import WorldBuilder
from dfnet.render.geometry import QUAD
from dfnet.render.trace import render, view_of

mitsuba = pytest.importorskip("mitsuba", reason="an optional proof: pip install -e '.[proofs]'")

SIZE = (96, 72)
TEXELS = 64
TILT_DEG = 20.0
WALL_M, CARD_M = 2.0, 0.25
WALL = ((0.02, -0.03, WALL_M), (0.4, 0.3), 0.0)  # centre, half-lengths [m], turn [deg]
# The card's right edge runs, slanted, a few pixels from the picture's middle.
CARD = ((-0.0513, 0.0, CARD_M), (0.05, 0.05), TILT_DEG)


def pictures():
    """Coarse random textures, sRGB-coded in 8 bits, and what they are in linear light."""
    coded = np.random.default_rng(7).integers(30, 256, (2, TEXELS, TEXELS, 3))
    encoded = coded / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return encoded.astype(np.float32), linear.astype(np.float32)


def ours(seen_by, samples):
    builder = WorldBuilder()
    for (centre, half, turn), picture in zip((WALL, CARD), pictures()[0], strict=True):
        density = (TEXELS / 2 / half[0], TEXELS / 2 / half[1])
        cover = glow(builder)._replace(
            texture=builder.add_texture(picture),
            texels_per_m=density,
            offset=(TEXELS / 2, TEXELS / 2),
        )
        c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        axes = np.array([[c * half[0], s * half[0], 0], [-s * half[1], c * half[1], 0], [0, 0, 1]])
        builder.add(QUAD, np.array(centre), axes, cover)
    return render(builder.build(DARK), view_of(seen_by, samples), SIZE)


def theirs(seen_by, samples):
    mitsuba.set_variant("scalar_rgb")
    transform = mitsuba.ScalarTransform4f
    scene = {"type": "scene", "integrator": {"type": "path", "max_depth": 1}}
    for name, (centre, half, turn), picture in zip(
        ("wall", "card"), (WALL, CARD), pictures()[1], strict=True
    ):
        place = transform().translate(centre).rotate((0, 0, 1), turn)
        radiance = {
            "type": "bitmap",
            "bitmap": mitsuba.Bitmap(picture),
            "raw": True,
            "filter_type": "bilinear",
        }
        scene[name] = {
            "type": "rectangle",
            "to_world": place.scale((*half, -1.0)),  # turned to face the camera
            "emitter": {"type": "area", "radiance": radiance},
        }
    scene["sensor"] = {
        "type": "thinlens",
        "fov": math.degrees(2 * math.atan(SIZE[0] / 2 / 1000)),
        "fov_axis": "x",
        "aperture_radius": seen_by.lens_radius_m,
        "focus_distance": seen_by.lens.focus_distance_m,
        "to_world": transform().look_at(origin=(0, 0, 0), target=(0, 0, 1), up=(0, -1, 0)),
        "film": {
            "type": "hdrfilm",
            "width": SIZE[0],
            "height": SIZE[1],
            "rfilter": {"type": "box"},
            "pixel_format": "rgb",
        },
        "sampler": {"type": "multijitter", "sample_count": samples},
    }
    image = mitsuba.render(mitsuba.load_dict(scene), seed=3)
    return np.moveaxis(np.array(image), -1, 0)


@pytest.mark.parametrize("focus_m", [WALL_M, CARD_M])
def test_a_blurred_edge_is_what_mitsuba_makes_of_it(focus_m):
    seen_by = camera(SIZE, focus_m)
    found, expected = ours(seen_by, 256), theirs(seen_by, 256)
    error = ((found - expected) ** 2).mean()
    assert -10 * math.log10(error) > 45  # 50.0 and 51.9
