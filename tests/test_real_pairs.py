"""Real phone pairs without metadata: the photos on DC²'s project page, where a copy is at hand."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from dfnet import targets
from dfnet.inference import refocus
from dfnet.io.images import read_image
from dfnet.model import DFNet
from dfnet.model.released import RELEASED
from dfnet.preprocess import preprocess_pair

FOLDER = os.environ.get("DFNET_REAL_DATA")
pytestmark = pytest.mark.skipif(
    not FOLDER, reason="DFNET_REAL_DATA does not name a copy of the DC² page's examples"
)
# (x, y) as shares of W's size: something near, something far.
NEAR_AND_FAR = {
    "kitchen": ((0.87, 0.60), (0.62, 0.06)),
    "book": ((0.40, 0.45), (0.75, 0.08)),
}
LEAST_GAIN_DB = {"kitchen": 0.9, "book": 0.2}
MARGIN_PX = 32


def read(scene, name, reduce=2):
    image = read_image(next(Path(FOLDER, scene).glob(f"{name}.*")))
    return F.avg_pool2d(image, reduce)


@pytest.fixture(scope="module", params=sorted(NEAR_AND_FAR))
def pair(request):
    scene = request.param
    image_w = read(scene, "wide")
    return scene, image_w, preprocess_pair(image_w, read(scene, "ultrawide"))


def test_near_things_have_the_larger_disparity(pair):
    scene, image_w, prepared = pair
    height, width = image_w.shape[-2:]
    near, far = (
        prepared.disparity_w_px[0, int(y * height), int(x * width)] for x, y in NEAR_AND_FAR[scene]
    )
    assert near > far + 3


@pytest.mark.skipif(not RELEASED.is_dir(), reason="no weights are released yet")
def test_all_in_focus_comes_nearer_to_the_photo_taken_in_focus(pair):
    scene, image_w, prepared = pair
    truth = read(scene, "target")
    wanted = targets.maps.all_in_focus(prepared.defocus_w_px)
    got = refocus(DFNet.from_pretrained(), image_w, prepared, wanted)
    assert aligned_psnr(got, truth) > aligned_psnr(image_w, truth) + LEAST_GAIN_DB[scene]


def test_a_photo_without_defocus_is_recognised():
    image_w = read("gameroom", "wide", 4)
    prepared = preprocess_pair(image_w, read("gameroom", "ultrawide", 4))
    assert prepared.blur_law.defocus_per_disparity == 0


def aligned_psnr(picture, truth):
    """PSNR after the truth is laid onto the picture by an affine map, gain and offset fitted."""
    picture, truth = (x.permute(1, 2, 0).numpy() for x in (picture, truth))
    blurred = [cv2.GaussianBlur(x.mean(axis=2), None, 8) for x in (picture, truth)]
    warp = np.eye(2, 3, dtype=np.float32)
    _, warp = cv2.findTransformECC(*blurred, warp, cv2.MOTION_AFFINE, (3, 100, 1e-6), None, 5)
    size = (picture.shape[1], picture.shape[0])
    truth = cv2.warpAffine(truth, warp, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
    inside = slice(MARGIN_PX, -MARGIN_PX)
    picture, truth = (torch.from_numpy(x[inside, inside]) for x in (picture, truth))
    flat, wanted = picture.flatten(0, 1), truth.flatten(0, 1)
    gain = ((flat - flat.mean(0)) * (wanted - wanted.mean(0))).mean(0) / flat.var(0)
    fitted = (flat - flat.mean(0)) * gain + wanted.mean(0)
    return float(-10 * (fitted - wanted).square().mean().log10())
