import cv2
import numpy as np
import pytest

from dfnet.errors import InputError
from dfnet.preprocess.register import NoOverlapError, Registration, SwappedError
from dfnet.preprocess.verdict import (
    Findings,
    Pictures,
    judge,
    measure_shake,
    textured_share,
    verdict_of_refusal,
)

HEIGHT, WIDTH = 240, 336


def scene(seed=0):
    noise = np.random.default_rng(seed).random((HEIGHT, WIDTH)).astype(np.float32)
    fine, coarse = (cv2.GaussianBlur(noise, (0, 0), s) for s in (1.0, 6.0))
    return (0.5 + 1.2 * (fine - 0.5) + 4 * (coarse - 0.5)).clip(0, 1)


def disc(gray, diameter):
    size = int(diameter) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)).astype(np.float32)
    return cv2.filter2D(gray, -1, kernel / kernel.sum())


def shake(gray, length, degrees):
    kernel = np.zeros((31, 31), np.float32)
    step = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]) * length / 2
    ends = [tuple(int(v) for v in (15 + sign * step).round()) for sign in (-1, 1)]
    cv2.line(kernel, *ends, 1.0)
    return cv2.filter2D(gray, -1, kernel / kernel.sum())


def views(wide=None, uw_on_w=None, ultrawide=None, matched_share=1.0):
    uw_on_w = scene() if uw_on_w is None else uw_on_w
    wide = disc(uw_on_w, 7) if wide is None else wide
    matched = np.zeros((HEIGHT, WIDTH), bool)
    matched[: round(matched_share * HEIGHT)] = True
    return Pictures(wide, uw_on_w if ultrawide is None else ultrawide, uw_on_w, matched)


def findings(astray=0.0, sure=True, defocus=True, scale=1.4, parallax=30.0, contradicted=False):
    place = Registration(np.diag([scale, scale, 1.0]), np.array([1.0, 0]), 200, 0.3, (0.0, 30.0))
    return Findings(place, astray, sure, defocus, parallax, contradicted)


def noisy(seed):
    return scene() + np.random.default_rng(seed).normal(0, 0.06, (HEIGHT, WIDTH)).astype(np.float32)


CASES = {
    "good": (views(), findings()),
    "identical photos": (views(noisy(1), noisy(2)), findings(scale=1.0, parallax=0.7)),
    "ultrawide too dark": (views(ultrawide=0.1 * scene()), findings()),
    "little texture": (views(wide=np.full((HEIGHT, WIDTH), 0.6, np.float32)), findings()),
    "moving things": (views(), findings(astray=0.12)),
    "poor match": (views(matched_share=0.3), findings()),
    "shaken, not defocused": (views(wide=shake(scene(), 14, 30)), findings()),
    "identical viewpoints": (views(), findings(sure=False, parallax=1.2)),
    "near or far unsure": (views(), findings(sure=False)),
    "no defocus": (views(), findings(defocus=False)),
    "metadata disagree": (views(), findings(contradicted=True)),
}


@pytest.mark.parametrize("name", CASES)
def test_each_case_gets_its_word(name):
    verdict = judge(*CASES[name])
    assert verdict.name == name
    assert verdict.sentence.endswith(".")


@pytest.mark.parametrize("degrees", [0, 30, 90, 135])
def test_a_shake_shows_in_any_direction_and_a_disc_never(degrees):
    shaken = measure_shake(views(wide=shake(scene(), 12, degrees)))
    assert shaken.ratio > 2.5
    assert shaken.one_way > 0.9
    for diameter in (3, 9, 17):
        defocused = measure_shake(views(wide=disc(scene(), diameter)))
        assert defocused.ratio < 1.8  # worst 1.69
        assert defocused.one_way < 0.5


def test_stripes_are_no_shake():
    """What has one direction in the scene itself has it in both photos."""
    stripes = scene() * 0.2 + 0.4 + 0.3 * np.sin(np.arange(WIDTH) / 2).astype(np.float32)
    assert measure_shake(views(uw_on_w=stripes, wide=disc(stripes, 5))).ratio < 2.0


def test_a_slightly_different_field_or_a_moved_thing_is_not_identical():
    for other in (findings(scale=1.05, parallax=0.2), findings(scale=1.0, parallax=6.0)):
        assert judge(views(wide=scene()), other).name != "identical photos"


def test_half_a_plain_picture_is_half_textured():
    half = np.full((HEIGHT, WIDTH), 0.5, np.float32)
    half[:, : WIDTH // 2] = scene()[:, : WIDTH // 2]
    assert textured_share(half) == pytest.approx(0.5, abs=0.03)


def test_refusals_have_words_too():
    errors = (NoOverlapError("a"), SwappedError("b"), InputError("c"))
    assert [verdict_of_refusal(e).name for e in errors] == ["no overlap", "swapped", "unusable"]
