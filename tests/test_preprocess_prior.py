import numpy as np
import pytest
import torch

from dfnet.errors import InputError
from dfnet.io.images import write_image
from dfnet.io.phone_depth import PhoneDepth
from dfnet.preprocess.batch import Job, preprocess_photos
from dfnet.preprocess.pipeline import with_phone_depth
from dfnet.preprocess.prior import fill_from_prior, fit_prior
from dfnet.preprocess.stereo import Stereo

SHAPE = (60, 80)


@pytest.fixture
def scene():
    """A slope with a near card; the prior is its inverse depth in another unit."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float32)
    disparity = 5 + 0.1 * y + 0.02 * x
    disparity[20:40, 30:60] = 18.0
    return disparity, (disparity - 3.0) / 8.0


def test_scale_and_shift_are_found_among_gross_errors(scene):
    disparity, prior = scene
    random = np.random.default_rng(0)
    measured = disparity + random.normal(0, 0.05, SHAPE)
    wrong = random.random(SHAPE) < 0.3
    measured[wrong] += random.uniform(5, 40, wrong.sum())
    fit = fit_prior(prior, measured, np.ones(SHAPE))
    assert fit.scale == pytest.approx(8.0, abs=0.1)
    assert fit.shift == pytest.approx(3.0, abs=0.1)


def test_only_trusted_disparities_are_fitted_to(scene):
    disparity, prior = scene
    confidence = np.ones(SHAPE)
    confidence[:, :50] = 0.4  # below trust, and the larger part
    measured = np.where(confidence > 0.5, disparity, 40 - disparity)
    assert fit_prior(prior, measured, confidence).scale == pytest.approx(8.0, abs=0.1)


def test_holes_take_the_prior_and_matches_stay(scene):
    disparity, prior = scene
    measured, confidence = disparity.copy(), np.ones(SHAPE)
    hole = np.s_[10:50, 40:55]
    measured[hole], confidence[hole] = 77.0, 0.0
    filled, fit = fill_from_prior(measured, confidence, prior)
    assert fit is not None
    np.testing.assert_array_equal(filled[confidence > 0], measured[confidence > 0])
    np.testing.assert_allclose(filled[hole], disparity[hole], atol=0.1)


def test_a_smooth_error_of_the_prior_leaves_no_seam(scene):
    disparity, prior = scene
    bent = prior + 0.1 * np.sin(np.arange(SHAPE[1]) / 12)[None].astype(np.float32)  # 0.8 px
    measured, confidence = disparity.copy(), np.ones(SHAPE)
    hole = np.s_[45:55, 10:14]
    measured[hole], confidence[hole] = 0.0, 0.0
    filled, fit = fill_from_prior(measured, confidence, bent)
    untouched = fit.scale * bent[hole] + fit.shift
    error, before = (np.abs(x - disparity[hole]).mean() for x in (filled[hole], untouched))
    assert before > 0.3
    assert error < 0.5 * before


def test_a_prior_is_resized_to_the_photo(scene):
    disparity, prior = scene
    measured, confidence = disparity.copy(), np.ones(SHAPE)
    measured[:, 70:], confidence[:, 70:] = 0.0, 0.0
    filled, _ = fill_from_prior(measured, confidence, prior[::2, ::2])
    np.testing.assert_allclose(filled[5:-5, 72:], disparity[5:-5, 72:], atol=0.3)


@pytest.mark.parametrize("kind", ["upside down", "another scene", "nothing matched"])
def test_a_map_that_does_not_fit_is_left_out(scene, kind):
    disparity, prior = scene
    confidence = np.ones(SHAPE)
    if kind == "upside down":  # near and far exchanged
        prior = -prior
    elif kind == "another scene":
        prior = np.random.default_rng(1).random(SHAPE).astype(np.float32)
    else:
        confidence[2:] = 0.0
    filled, fit = fill_from_prior(disparity, confidence, prior)
    assert fit is None
    np.testing.assert_array_equal(filled, disparity)


class Asked:
    """A preprocessor that only notes what it is given."""

    def __init__(self, use_phone_depth):
        self.use_phone_depth = use_phone_depth
        self.phone_depth = "nothing"

    def __call__(self, *_, phone_depth=None):
        self.phone_depth = phone_depth
        raise InputError("enough")


@pytest.mark.parametrize("wanted", [False, True])
def test_the_map_inside_w_is_handed_on_when_wanted(tmp_path, monkeypatch, wanted):
    for name in ("w.png", "uw.png"):
        write_image(torch.full((3, 64, 96), 0.5), tmp_path / name)
    depth = PhoneDepth(torch.ones(1, 6, 9), False, "test")
    monkeypatch.setattr("dfnet.preprocess.batch.read_phone_depth", lambda _: depth)
    asked = Asked(wanted)
    with pytest.raises(InputError, match="enough"):
        preprocess_photos(
            Job(asked), str(tmp_path / "w.png"), str(tmp_path / "uw.png"), str(tmp_path / "s.png")
        )
    assert asked.phone_depth is (depth.disparity if wanted else None)


def test_the_chain_keeps_matches_and_fills_what_has_none(scene):
    disparity, prior = scene
    matched = np.ones(SHAPE, dtype=bool)
    matched[30:50, 10:40] = False
    stereo = Stereo(
        np.where(matched, disparity, 99.0).astype(np.float32),
        matched,
        *[None] * (len(Stereo._fields) - 2),
    )
    filled = with_phone_depth(stereo, torch.from_numpy(prior)[None])
    np.testing.assert_allclose(filled.disparity_w_px, disparity, atol=0.1)
    assert filled.matched_w is matched
