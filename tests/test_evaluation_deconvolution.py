"""Deblurring against blur made by hand, and against scikit-image's implementations."""

import numpy as np
import pytest
import torch
from hand_blur import blurred, disc, psnr, tensor, texture
from scipy.signal import fftconvolve
from skimage import restoration
from torch.testing import assert_close

from dfnet.evaluation.deconvolution import (
    BlindRichardsonLucy,
    RichardsonLucy,
    Wiener,
    deconvolve,
    fit_kernel,
)

SHAPE = (120, 150)
BORDER = 40
NOISE = 0.002


def photo(diameter_px, seed=1):
    """A sharp picture and what a camera sees of it, (3, H, W) each."""
    wide = texture(seed, [side + 2 * BORDER for side in SHAPE])
    inside = (slice(BORDER, -BORDER), slice(BORDER, -BORDER))
    noise = NOISE * np.random.default_rng(seed).normal(size=(*SHAPE, 3))
    return tensor(wide[inside])[0], tensor(blurred(wide, diameter_px)[inside] + noise)[0]


def lopsided(diameter_px):
    """A disc that is brighter on its left: no correlation passes for a convolution."""
    kernel = disc(diameter_px) * np.linspace(1.0, 0.0, disc(diameter_px).shape[1])
    return kernel / kernel.sum()


def coc(diameter_px):
    return torch.full((1, *SHAPE), diameter_px)


# Worst measured of the two: 10.7, 4.1 and 2.0 dB.
@pytest.mark.parametrize(("diameter_px", "gain_db"), [(2.5, 8.0), (4.2, 3.5), (7.0, 1.7)])
@pytest.mark.parametrize(
    "restore", [Wiener(0.003), RichardsonLucy(25)], ids=["wiener", "richardson_lucy"]
)
def test_a_known_blur_is_undone(restore, diameter_px, gain_db):
    sharp, seen = photo(diameter_px)
    restored = deconvolve(seen, coc(diameter_px), restore)
    assert psnr(restored, sharp) > psnr(seen, sharp) + gain_db


def test_wiener_is_scikit_images():
    picture = texture(3, (64, 80))
    around = np.pad(picture, ((8, 8), (8, 8), (0, 0)), mode="wrap")
    seen = blurred(around, 5.0)[8:-8, 8:-8]
    frequency = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(80)[None])
    spread_px = np.sqrt((disc(5.0).sum(0) * (np.arange(9) - 4.0) ** 2).sum())
    roughness = (4 * spread_px * frequency).astype(complex)
    theirs = [
        restoration.wiener(
            seen[..., c] - seen[..., c].mean(), disc(5.0), 0.2, reg=roughness, clip=False
        )
        + seen[..., c].mean()
        for c in range(3)
    ]
    kernel = torch.from_numpy(disc(5.0)).float()
    ours = Wiener(0.2)(tensor(seen)[0], kernel, torch.ones(1, 64, 80))
    difference = ours - torch.from_numpy(np.stack(theirs)).float()
    inside = (..., slice(20, -20), slice(20, -20))  # ours mirrors, theirs goes round
    assert difference[inside].abs().max() < 2e-3


def test_richardson_lucy_is_scikit_images():
    _, seen = photo(5.0)
    kernel = torch.from_numpy(lopsided(5.0)).float()
    found = RichardsonLucy(9)(seen, kernel, coc(1.0))
    picture = seen.permute(1, 2, 0).numpy()
    expected = restoration.richardson_lucy(picture, kernel.numpy()[..., None], 9, clip=False)
    difference = found.permute(1, 2, 0) - torch.from_numpy(expected)
    inside = (slice(40, -40), slice(40, -40))  # theirs sees black beyond the border
    assert difference[inside].abs().max() < 1e-3


def test_each_place_is_deblurred_by_its_own_diameter():
    (sharp, mild), (_, strong) = photo(3.0), photo(8.0)
    right = torch.arange(SHAPE[1]) >= 75
    seen = torch.where(right, strong, mild)
    coc_px = torch.where(right, coc(8.0), coc(3.0))
    restored = deconvolve(seen, coc_px, RichardsonLucy(25))
    swapped = deconvolve(seen, coc(8.0) + coc(3.0) - coc_px, RichardsonLucy(25))
    for columns in (slice(14, 60), slice(90, -14)):
        parts = [x[:, 14:-14, columns] for x in (restored, seen, swapped, sharp)]
        gains = [psnr(x, parts[3], 1) for x in parts[:3]]
        assert gains[0] > gains[1] + 1.5
        assert gains[0] > gains[2] + 1.0


def test_where_the_map_says_sharp_nothing_changes():
    sharp, _ = photo(0.0)
    coc_px = coc(0.0)
    coc_px[..., 100:] = 6.0
    restored = deconvolve(sharp, coc_px, Wiener())
    assert_close(restored[..., :100], sharp[..., :100])
    assert (restored[..., 110:] - sharp[..., 110:]).abs().mean() > 0.01


def test_blind_deconvolution_corrects_a_map_that_is_too_wide():
    sharp, seen = photo(5.0)
    told, found = (
        psnr(deconvolve(seen, coc(7.0), restore), sharp)
        for restore in (RichardsonLucy(15), BlindRichardsonLucy())
    )
    assert found > told + 0.8  # measured: 1.25


def test_a_kernel_is_found_from_both_pictures():
    true = lopsided(7.0)
    wide = texture(1, [side + 2 * BORDER for side in SHAPE])
    seen = fftconvolve(wide, true[..., None], "same", axes=(0, 1))
    sharp, seen = (
        tensor(x[BORDER:-BORDER, BORDER:-BORDER])[0].mean(0).contiguous() for x in (wide, seen)
    )
    flat = torch.full(true.shape, 1 / true.size)
    half = torch.ones(SHAPE)
    half[:, 75:] = 0
    seen[:, 75:] = seen[:, 75:].roll(4, 0)  # what does not count may be anything
    found = fit_kernel(flat, sharp, seen, half, 200)
    likeness = [np.corrcoef(found.flatten(), k.flatten())[0, 1] for k in (true, true[:, ::-1])]
    assert likeness[0] > 0.85
    assert likeness[1] < 0.65
    assert found.sum() == pytest.approx(1.0)


def test_where_no_pixel_tells_of_the_kernel_the_guess_stays():
    sharp, guess = (
        torch.rand(SHAPE, generator=torch.Generator().manual_seed(2)),
        torch.full((9, 9), 1 / 81),
    )
    border = torch.zeros(SHAPE)
    border[:3] = 1  # nearer to the edge than the kernel reaches
    assert_close(fit_kernel(guess, sharp, sharp, border, 3), guess)
    dark = torch.zeros(SHAPE)
    assert_close(fit_kernel(guess, sharp, dark, torch.ones(SHAPE), 3), guess)


def test_a_part_is_restored_as_within_the_whole():
    _, seen = photo(1.3**6)
    part = coc(1.0)
    part[:, 40:80, 50:100] = 1.3**6
    whole = deconvolve(seen, coc(1.3**6), RichardsonLucy(15))
    difference = deconvolve(seen, part, RichardsonLucy(15)) - whole
    assert difference[:, 40:80, 50:100].abs().max() < 5e-3


def test_a_restored_picture_is_light():
    _, seen = photo(6.0)
    assert deconvolve(seen, coc(6.0), Wiener(1e-4)).min() >= 0
