import cv2
import numpy as np
import pytest

from dfnet.preprocess.align import Views, straighten
from dfnet.preprocess.flow import across_from_flow
from dfnet.preprocess.rectify import Bend, Rectification, pixel_grid
from dfnet.preprocess.register import Registration

HEIGHT, WIDTH = 240, 320
AXIS = np.array([1.0, 0.0])
THING = (slice(80, 170), slice(110, 220))  # moved down by 7 px between the shots


def texture(seed=0):
    noise = np.random.default_rng(seed).random((HEIGHT, WIDTH, 3)).astype(np.float32)
    fine, coarse = (cv2.GaussianBlur(noise, (0, 0), s) for s in (1.5, 6.0))
    return (0.5 + 3 * (fine - 0.5) + 6 * (coarse - 0.5)).clip(0, 1)


def views(image_w, image_uw):
    known = {"image_w": image_w, "image_uw": image_uw, "scale": 1.0, "scale_uw": 1.0}
    return Views(**(dict.fromkeys(Views._fields) | known))


def at_rest():
    registration = Registration(np.eye(3), AXIS, 99, 0.1, (0.0, 0.0))
    return Rectification(registration, (HEIGHT, WIDTH))


def with_a_moved_thing():
    image_w, thing = texture(0), texture(1)
    image_uw = image_w.copy()
    image_w[THING] = thing[THING]
    rows, columns = THING
    image_uw[rows.start + 7 : rows.stop + 7, columns] = thing[THING]
    return views(image_w, image_uw)


def test_a_thing_that_moved_across_the_baseline_is_followed():
    found, _, _ = straighten(with_a_moved_thing(), at_rest(), 2)
    assert found.bend is not None
    assert found.astray_share > 0.05
    inside, outside = np.array([[165.0, 125.0], [150.0, 110.0]]), np.array([[40.0, 40.0]])
    np.testing.assert_allclose(found.points_uw(inside) - inside, [[0, 7], [0, 7]], atol=0.7)
    np.testing.assert_allclose(found.points_uw(outside), outside, atol=0.7)


def test_a_lens_unlike_any_cubic_is_straightened():
    grid = pixel_grid((HEIGHT, WIDTH))
    wave = 4.0 * np.sin(grid[..., 0] / 14).astype(np.float32)  # UW (x, y) was W (x, y - wave)
    image_w = texture(2)
    x, y = grid.astype(np.float32).transpose(2, 0, 1)
    image_uw = cv2.remap(image_w, x, y - wave, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    found, _, left = straighten(views(image_w, image_uw), at_rest(), 2)
    assert found.bend is not None
    assert left < 0.3
    middle = grid[40:-40, 40:-40].reshape(-1, 2)
    error = found.points_uw(middle)[:, 1] - middle[:, 1] - wave[40:-40, 40:-40].ravel()
    assert np.quantile(np.abs(error), 0.9) < 1.0


def test_parallax_alone_bends_nothing():
    image_w = texture(3)
    image_uw = np.roll(image_w, 6, axis=1)
    image_uw[60:140] = np.roll(image_w, 11, axis=1)[60:140]
    found, (low, high), _ = straighten(views(image_w, image_uw), at_rest(), 2)
    assert found.bend is None
    assert found.astray_share < 0.02
    assert low == pytest.approx(0, abs=0.1)
    assert high == pytest.approx(11, abs=0.5)


def test_flow_that_agrees_nowhere_bends_nothing():
    gray_w, gray_uw = ((texture(s)[..., 0] * 255).astype(np.uint8) for s in (4, 5))
    assert across_from_flow(gray_w, gray_uw, AXIS, 1.0) is None


def test_a_bend_is_read_at_full_resolution():
    across = np.arange(12, dtype=np.float32).reshape(3, 4)
    read = Bend(across, 0.5).at(np.array([[0.5, 0.5], [2.5, 0.5], [0.5, 2.5], [99.0, 99.0]]))
    np.testing.assert_allclose(read, [0, 1, 4, 11], atol=1e-5)
