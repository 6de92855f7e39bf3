"""LPIPS and DISTS, when their backbones' weights are given; nothing is ever downloaded.

LPIPS: Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric",
CVPR 2018. DISTS: Ding et al., "Image quality assessment: unifying structure and texture
similarity", TPAMI 2020. Networks and small weights are torchmetrics'; the backbones are state dicts
of torchvision's AlexNet (LPIPS) and VGG-16 (either), made for classifying ImageNet.
"""

import functools
import pickle
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torchmetrics.functional.image.dists import _PATH_WEIGHT_DISTS, DISTSNetwork, L2pooling
from torchmetrics.functional.image.lpips import _LPIPS
from torchvision.models.vgg import cfgs, make_layers

from dfnet.errors import InputError
from dfnet.evaluation.metrics import MARGIN_PX

_POOLING_AT = {4: 64, 9: 128, 16: 256, 23: 512}  # VGG-16's, and their channels
_STAGE_ENDS = (4, 9, 16, 23, 30)
MIN_SIDE_PX = 64  # inside the margin; the deepest features are 16 times smaller


@dataclass(frozen=True)
class Perceptual:
    """Which perceptual metrics are taken.

    Attributes:
        lpips_weights: state dict of torchvision's `alexnet` or `vgg16`; None leaves LPIPS out.
        dists_weights: of `vgg16`; None leaves DISTS out.
    """

    lpips_weights: str | None = None
    dists_weights: str | None = None

    def files(self) -> list[str]:
        """Of the weights that are given."""
        return [path for path in (self.lpips_weights, self.dists_weights) if path is not None]

    def check(self) -> None:
        """Refuse files that cannot serve, before any picture is made.

        Raises:
            InputError: a file is missing or of another network.
        """
        if self.lpips_weights is not None:
            lpips_network(self.lpips_weights)
        if self.dists_weights is not None:
            dists_network(self.dists_weights)

    def missing(self) -> list[str]:
        """What is not measured and why, one sentence each."""
        given = {"LPIPS": self.lpips_weights, "DISTS": self.dists_weights}
        return [
            f"{name} is not measured: {name.lower()}_weights names no file"
            for name, path in given.items()
            if path is None
        ]

    @torch.no_grad()
    def compare(
        self, image: Tensor, truth: Tensor, masks: dict[str, Tensor]
    ) -> dict[str, dict[str, float]]:
        """The metrics that are on, lower is better, over parts of a picture without its margin.

        Args:
            image: (3, H, W) sRGB; clipped to [0, 1].
            truth: same shape.
            masks: bool (1, H, W) by name, None for the whole frame. DISTS compares statistics of
                a whole frame and is left out of parts.
        """
        inside = (..., slice(MARGIN_PX, -MARGIN_PX), slice(MARGIN_PX, -MARGIN_PX))
        image, truth = (x.detach().float().clamp(0, 1)[None][inside] for x in (image, truth))
        found: dict[str, dict[str, float]] = {name: {} for name in masks}
        if min(image.shape[-2:]) < MIN_SIDE_PX:
            return found
        if self.lpips_weights is not None:
            distance = lpips_network(self.lpips_weights)(image, truth, normalize=True)[0]
            for name, mask in masks.items():
                here = distance if mask is None else distance[mask[inside]]
                found[name]["lpips"] = float(here.mean())
        if self.dists_weights is not None:
            whole = (name for name, mask in masks.items() if mask is None)
            for name in whole:
                found[name]["dists"] = float(dists_network(self.dists_weights)(image, truth))
        return found


@functools.cache
def lpips_network(path: str) -> nn.Module:
    """LPIPS with a map of distances, on the backbone in this file.

    Raises:
        InputError: it cannot be read, or holds neither AlexNet nor VGG-16.
    """
    state = _features(path, "LPIPS", "torchvision's alexnet or vgg16")
    first = tuple(state["0.weight"].shape)
    name = {(64, 3, 11, 11): "alex", (64, 3, 3, 3): "vgg"}.get(first)
    network = _LPIPS(net=name or "alex", pnet_rand=True, spatial=True)
    slices = [getattr(network.net, f"slice{i + 1}") for i in range(network.net.N_slices)]
    layers = {key: layer for part in slices for key, layer in part.named_children()}
    _load(layers, state if name else {}, path, "LPIPS", "torchvision's alexnet or vgg16")
    return network.eval()


@functools.cache
def dists_network(path: str) -> nn.Module:
    """DISTS on the VGG-16 in this file.

    Raises:
        InputError: it cannot be read, or holds another network.
    """
    state = _features(path, "DISTS", "torchvision's vgg16")
    features = make_layers(cfgs["D"])  # VGG-16, without the classifier that vgg16() would fill
    _load(dict(features.named_children()), state, path, "DISTS", "torchvision's vgg16")
    return _Dists(features).eval()


class _Dists(DISTSNetwork):
    """As its parent, whose constructor would download."""

    def __init__(self, features: nn.Sequential):
        nn.Module.__init__(self)
        start = 0
        for i, end in enumerate(_STAGE_ENDS):
            stage = nn.Sequential()
            for at in range(start, end):
                channels = _POOLING_AT.get(at)
                layer = features[at] if channels is None else L2pooling(channels=channels)
                stage.add_module(str(at), layer)
            setattr(self, f"stage{i + 1}", stage)
            start = end
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, -1, 1, 1))
        self.chns = [3, 64, 128, 256, 512, 512]
        weights = torch.load(_PATH_WEIGHT_DISTS, map_location="cpu", weights_only=True)
        self.alpha, self.beta = (nn.Parameter(weights[k]) for k in ("alpha", "beta"))
        self.requires_grad_(False)


def _features(path: str, metric: str, wanted: str) -> dict[str, Tensor]:
    """The convolutions of a torchvision state dict, `0.weight` and so on."""
    setting = f"{metric.lower()}_weights"
    if not Path(path).is_file():
        raise InputError(
            f"{path}: no such file\n  {setting} takes a state dict of {wanted}; null does without."
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        found = {k.removeprefix("features."): v for k, v in state.items() if "features." in k}
        found["0.weight"].shape  # noqa: B018  the first convolution tells the network
    except (pickle.UnpicklingError, RuntimeError, EOFError, AttributeError, KeyError) as error:
        raise InputError(_unusable(path, metric, wanted)) from error
    return found


def _load(layers: dict[str, nn.Module], state: dict, path: str, metric: str, wanted: str) -> None:
    try:
        for key, layer in layers.items():
            parts = {n: state[f"{key}.{n}"] for n, _ in layer.named_parameters()}
            layer.load_state_dict(parts)
    except (KeyError, RuntimeError) as error:
        raise InputError(_unusable(path, metric, wanted)) from error


def _unusable(path: str, metric: str, wanted: str) -> str:
    return (
        f"{path}: not the weights that {metric} needs\n"
        f"  {metric.lower()}_weights takes the state dict of {wanted} (a .pth file)."
    )
