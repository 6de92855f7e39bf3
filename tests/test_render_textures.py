"""Surfaces: textures are detailed, cut-outs end inside their card, photographs are culled."""

import cv2
import numpy as np
import pytest

from dfnet.errors import InputError
from dfnet.render import cutouts, textures
from dfnet.render.photos import draw_photo, sharpness

MAKERS = sorted(
    {
        *textures.OBJECT_TEXTURES,
        *textures.WALL_TEXTURES,
        *textures.FLOOR_TEXTURES,
        textures.foliage,
        textures.windows,
    },
    key=lambda maker: maker.__name__,
)


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_textures_are_valid_detailed_and_seeded(maker):
    picture = textures.grained(np.random.default_rng(1), maker(np.random.default_rng(2)))
    assert picture.shape == (textures.SIDE, textures.SIDE, 3)
    assert 0 <= picture.min() <= picture.max() <= 1
    assert sharpness(picture) > 0.01
    np.testing.assert_array_equal(maker(np.random.default_rng(2)), maker(np.random.default_rng(2)))


@pytest.mark.parametrize("maker", [cutouts.leaves, cutouts.splash], ids=lambda m: m.__name__)
def test_cutouts_end_inside_their_card(maker):
    for seed in range(3):
        alpha = maker(np.random.default_rng(seed))[..., 3]
        border = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
        assert border.max() == 0
        assert 0.02 < alpha.mean() < 0.9


@pytest.mark.parametrize("maker", [*cutouts.SCREENS, cutouts.grass], ids=lambda m: m.__name__)
def test_screens_have_holes(maker):
    alpha = maker(np.random.default_rng(0))[..., 3]
    assert (alpha == 0).mean() > 0.05
    assert (alpha == 1).mean() > 0.05


def test_a_blurred_photograph_gives_way_to_a_sharp_one(tmp_path):
    rng = np.random.default_rng(0)
    sharp = rng.integers(0, 256, (300, 420, 3)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "sharp.png"), sharp)
    cv2.imwrite(str(tmp_path / "blurred.png"), cv2.GaussianBlur(sharp, None, 6))
    files = tuple(sorted(tmp_path.iterdir()))
    for seed in range(4):
        crop = draw_photo(np.random.default_rng(seed), files)
        assert sharpness(crop) > 0.1
        assert all(n % 64 == 0 for n in crop.shape[:2])


def test_a_photograph_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "broken.jpg").write_text("not a picture")
    with pytest.raises(InputError, match=r"broken\.jpg"):
        draw_photo(np.random.default_rng(0), tuple(tmp_path.iterdir()))
