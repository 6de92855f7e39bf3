import cv2
import numpy as np
import pytest
import torch

from dfnet.blur import disc_blur
from dfnet.photo import linear_from_srgb, srgb_from_linear
from dfnet.preprocess.match import EpipolarPair, MotionLaw
from dfnet.preprocess.sweep import DefocusSweep

INNER = np.s_[12:-12, 24:-24]


def texture(height=96, width=180, seed=0):
    noise = np.random.default_rng(seed).uniform(0, 1, (height, width)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.0)
    return ((smooth - smooth.mean()) * 0.6 / smooth.std() * 0.3 + 0.45).clip(0.05, 0.95)


def defocused(gray, coc_px):
    linear = linear_from_srgb(torch.from_numpy(gray))[None, None]
    return srgb_from_linear(disc_blur(linear, coc_px).clamp(0, 1))[0, 0].numpy()


def moved(gray, motion_px):
    x, y = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in gray.shape[::-1]))
    return cv2.remap(gray, x - motion_px, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


@pytest.mark.parametrize("motion", [7, -5])
def test_motion_counts_right_as_positive_in_both_views(motion):
    wide = texture()
    match = DefocusSweep()(EpipolarPair(wide, moved(wide, motion), (-12.0, 12.0)))
    for found in (match.motion_w, match.motion_uw):
        assert np.mean(np.abs(found[INNER] - motion) < 0.2) > 0.98
