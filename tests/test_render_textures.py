"""Surfaces: textures are detailed, cut-outs end inside their card, photographs are culled."""

import cv2
import numpy as np
import pytest

from dfnet.errors import InputError
from dfnet.render import cutouts, natural, prints, textures
from dfnet.render.photos import CRISP, crispness, draw_photo, sharpness

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


def test_a_leaf_meets_the_border_at_its_stalk_alone():
    alpha = cutouts.leaf(np.random.default_rng(1))[..., 3]
    assert max(alpha[0].max(), alpha[:, 0].max(), alpha[:, -1].max()) == 0
    assert 0 < (alpha[-1] > 0).sum() < 16
    assert 0.1 < alpha.mean() < 0.6


@pytest.mark.parametrize("maker", [*cutouts.SCREENS, cutouts.grass], ids=lambda m: m.__name__)
def test_screens_have_holes(maker):
    alpha = maker(np.random.default_rng(0))[..., 3]
    assert (alpha == 0).mean() > 0.05
    assert (alpha == 1).mean() > 0.05


CALM = (
    natural.plain,
    natural.paint,
    natural.plaster,
    natural.asphalt,
    natural.metal,
    natural.skin,
    natural.bark,
    natural.stem,
    natural.fabric,
    natural.lawn,
    natural.soil,
    natural.outside,
)
PRINTS = (prints.label, prints.newspaper, prints.book_page, prints.spine, prints.chart)


@pytest.mark.parametrize("maker", CALM, ids=lambda maker: maker.__name__)
def test_calm_surfaces_are_valid_and_seeded(maker):
    picture = maker(np.random.default_rng(2))
    assert picture.shape == (textures.SIDE, textures.SIDE, 3)
    assert 0 <= picture.min() <= picture.max() <= 1
    np.testing.assert_array_equal(maker(np.random.default_rng(2)), picture)


SMOOTH = (natural.plain, natural.paint, natural.skin)


@pytest.mark.parametrize("maker", SMOOTH, ids=lambda maker: maker.__name__)
def test_some_surfaces_have_hardly_any_texture(maker):
    pictures = [maker(np.random.default_rng(seed)) for seed in range(4)]
    assert min(p.std((0, 1)).max() / p.mean() for p in pictures) < 0.04


@pytest.mark.parametrize("maker", PRINTS, ids=lambda maker: maker.__name__)
def test_print_is_legible_down_to_single_strokes(maker):
    picture = maker(np.random.default_rng(4))
    assert all(n % 64 == 0 for n in picture.shape[:2])
    gray = cv2.cvtColor(np.ascontiguousarray(picture, np.float32), cv2.COLOR_RGB2GRAY)
    steps = np.abs(np.diff(gray, axis=1))
    # Ink against paper: strong steps from one texel to the next, and many of them.
    assert (steps > 0.25).mean() > 0.01
    assert crispness(picture) > CRISP


def test_glass_is_clear_with_streaks():
    alpha = cutouts.glass(np.random.default_rng(0))[..., 3]
    assert 0.05 < np.median(alpha) < 0.3
    assert alpha.max() < 0.5  # the truth looks through it


def test_crispness_falls_with_blur_and_not_with_contrast():
    picture = textures.page(np.random.default_rng(0))
    blurred = [cv2.GaussianBlur(picture, None, sigma) for sigma in (0.7, 1.2, 2.0)]
    found = [crispness(p) for p in (picture, *blurred)]
    assert found == sorted(found, reverse=True)
    assert found[0] > CRISP > found[2]
    assert crispness(0.4 + 0.2 * picture) == pytest.approx(found[0], rel=1e-3)


def test_a_soft_photograph_is_halved(tmp_path):
    page = np.tile(textures.page(np.random.default_rng(0)), (3, 3, 1))[:1400, :1400]
    soft = cv2.GaussianBlur(page, None, 2.2)
    cv2.imwrite(str(tmp_path / "soft.png"), soft[..., ::-1] * 255)
    crop = draw_photo(np.random.default_rng(0), (tmp_path / "soft.png",))
    assert crop.shape[0] <= 448  # of at least 640 before
    assert crispness(crop) > 1.3 * crispness(cv2.resize(soft, None, fx=0.5, fy=0.5))


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
