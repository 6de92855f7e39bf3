"""LPIPS and DISTS on backbones made here; the published ones are the user's to give."""

import pytest
import torch
import torch.nn.functional as F
from made_preprocessed import made_preprocessed
from torchmetrics.functional.image import lpips
from torchvision.models.alexnet import AlexNet
from torchvision.models.vgg import cfgs, make_layers

from dfnet.camera import Camera
from dfnet.errors import InputError
from dfnet.evaluation.bands import SceneMaps
from dfnet.evaluation.metrics import MARGIN_PX
from dfnet.evaluation.perceptual import Perceptual
from dfnet.evaluation.question import Question
from dfnet.evaluation.score import score_answer

RELUS = (1, 4, 7, 9, 11)  # AlexNet's
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)


def save(layers, path):
    torch.save({f"features.{k}": v for k, v in layers.state_dict().items()}, path)
    return str(path)


@pytest.fixture(scope="module")
def alexnet(tmp_path_factory):
    torch.manual_seed(0)
    layers = AlexNet().features
    return layers, save(layers, tmp_path_factory.mktemp("weights") / "alexnet.pth")


@pytest.fixture(scope="module")
def vgg(tmp_path_factory):
    torch.manual_seed(0)
    return save(make_layers(cfgs["D"]), tmp_path_factory.mktemp("weights") / "vgg16.pth")


@pytest.fixture(scope="module")
def pair():
    generator = torch.Generator().manual_seed(5)
    truth = F.avg_pool2d(torch.rand(1, 3, 120, 130, generator=generator), 3, 1, 1)[0]
    return (truth + 0.2 * torch.randn(truth.shape, generator=generator)).clamp(0, 1), truth


def lpips_by_hand(layers, image, truth):
    """Zhang et al., equation 1, with the small weights that torchmetrics holds."""
    folder = lpips.__file__.replace("lpips.py", "lpips_models/alex.pth")
    small = torch.load(folder, map_location="cpu", weights_only=True)
    total = torch.zeros(())
    inside = [x[:, MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX] for x in (image, truth)]
    shift, scale = (torch.tensor(v).view(3, 1, 1) for v in (SHIFT, SCALE))
    x, y = (((2 * part - 1 - shift) / scale)[None] for part in inside)
    for i, layer in enumerate(layers[: RELUS[-1] + 1]):
        x, y = layer(x), layer(y)
        if i in RELUS:
            unit = [v / (v.square().sum(1, keepdim=True) + 1e-8).sqrt() for v in (x, y)]
            weights = small[f"lin{RELUS.index(i)}.model.1.weight"]
            far = F.conv2d((unit[0] - unit[1]).square(), weights)
            total += F.interpolate(far, inside[0].shape[-2:], mode="bilinear").mean()
    return float(total)


@torch.no_grad()
def test_lpips_is_the_papers_formula(alexnet, pair):
    layers, path = alexnet
    found = Perceptual(lpips_weights=path).compare(*pair, {"all": None})["all"]
    assert abs(found["lpips"] - lpips_by_hand(layers, *pair)) < 1e-5
    assert found["lpips"] > 0.01
    assert "dists" not in found


def test_lpips_of_a_part_sees_mostly_that_part(alexnet, pair):
    noisy, truth = pair
    here = torch.zeros(1, *truth.shape[-2:], dtype=torch.bool)
    here[..., :60] = True
    half = torch.where(here, noisy, truth)
    metric = Perceptual(lpips_weights=alexnet[1])
    parts = metric.compare(half, truth, {"all": None, "here": here, "there": ~here})
    values = {name: part["lpips"] for name, part in parts.items()}
    assert values["here"] > values["all"] > values["there"]
    assert values["here"] > 1.5 * values["there"]


def test_dists_of_equal_pictures_is_nothing_and_grows_with_blur(vgg, pair):
    _, truth = pair
    metric = Perceptual(dists_weights=vgg)
    masks = {"all": None, "part": torch.ones(1, *truth.shape[-2:], dtype=torch.bool)}
    equal = metric.compare(truth, truth, masks)
    assert abs(equal["all"]["dists"]) < 1e-5
    assert equal["part"] == {}  # statistics of a whole frame
    blurred = [F.avg_pool2d(truth[None], k, 1, k // 2)[0] for k in (3, 7)]
    little, much = (metric.compare(x, truth, masks)["all"]["dists"] for x in blurred)
    assert 1e-4 < little < much


@pytest.mark.parametrize("is_other_exposure", [False, True])
def test_answers_are_scored_by_both_over_the_frame_and_by_lpips_over_parts(
    alexnet, vgg, pair, is_other_exposure
):
    _, truth = pair
    size = truth.shape[-2:]
    nothing = torch.zeros(1, *size)
    maps = SceneMaps(nothing, nothing, nothing.bool())
    asked = ("all_in_focus", "", truth, made_preprocessed(*size), nothing, Camera(), truth)
    question = Question(*asked, maps=maps, is_other_exposure=is_other_exposure)
    metric = Perceptual(alexnet[1], vgg)
    noisy_parts, same_parts = (score_answer(question, x, "m", metric).parts for x in pair)
    assert set(noisy_parts) == {"all", "in_focus"}
    for part in noisy_parts.values():
        assert part["lpips"] > 0.01
    assert noisy_parts["all"]["dists"] > 0.01
    assert "dists" not in noisy_parts["in_focus"]
    assert abs(same_parts["all"]["lpips"]) + abs(same_parts["all"]["dists"]) < 1e-4


def test_without_weights_nothing_is_measured_and_that_is_said(pair):
    assert Perceptual().compare(*pair, {"all": None}) == {"all": {}}
    assert Perceptual().missing() == [
        "LPIPS is not measured: lpips_weights names no file",
        "DISTS is not measured: dists_weights names no file",
    ]


def test_files_that_cannot_serve_are_refused_before_any_work(tmp_path, alexnet):
    foreign = tmp_path / "foreign.pth"
    torch.save({"features.0.weight": torch.zeros(4, 3, 7, 7)}, foreign)
    text = tmp_path / "text.pth"
    text.write_text("no weights")
    for path in (foreign, text):
        with pytest.raises(InputError, match=r"not the weights that LPIPS needs\n  lpips_weights"):
            Perceptual(lpips_weights=str(path)).check()
    with pytest.raises(InputError, match="not the weights that DISTS needs"):
        Perceptual(dists_weights=alexnet[1]).check()
    with pytest.raises(InputError, match=r"gone\.pth: no such file\n  dists_weights takes"):
        Perceptual(dists_weights=str(tmp_path / "gone.pth")).check()
