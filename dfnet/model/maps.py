"""The maps as the network reads them, and what an ablation may withhold of its inputs."""

from collections.abc import Iterable

import torch
from torch import Tensor

from dfnet.errors import InputError
from dfnet.sample import Sample

WITHHOLDABLE = ("occlusion", "source_defocus", "defocus_sign", "radial")


def encode_maps(sample: Sample) -> Tensor:
    """Defocus, occlusion and radial maps as network channels, (B, 6, H, W).

    Diameters enter twice: linearly, for large blur, and by asinh, which keeps small blur apart.
    """
    source, target = sample.defocus_w_px, sample.target_defocus_w_px
    defocus = torch.cat([source, target], dim=1)
    return torch.cat(
        [defocus / 16, torch.asinh(defocus) / 2, sample.occluded_w, sample.radial_w], dim=1
    )


def withhold(sample: Sample, names: Iterable[str]) -> Sample:
    """The sample as a network sees it that is not told some things.

    Args:
        sample: all that is known.
        names: out of `WITHHOLDABLE`: which points UW cannot see, W's own blur, on which side of the
            focal plane blur lies (of both maps), and the distance from the optical centre.
    """
    if "occlusion" in names:
        sample = sample._replace(occluded_w=torch.zeros_like(sample.occluded_w))
    if "source_defocus" in names:
        sample = sample._replace(defocus_w_px=torch.zeros_like(sample.defocus_w_px))
    if "defocus_sign" in names:
        source, target = sample.defocus_w_px.abs(), sample.target_defocus_w_px.abs()
        sample = sample._replace(defocus_w_px=source, target_defocus_w_px=target)
    if "radial" in names:
        sample = sample._replace(radial_w=torch.zeros_like(sample.radial_w))
    return sample


def check_withheld(names: Iterable[str]) -> tuple[str, ...]:
    """The names, once they are known.

    Raises:
        InputError: one of them cannot be withheld.
    """
    names = tuple(names)
    for name in names:
        if name not in WITHHOLDABLE:
            raise InputError(
                f"model.withheld={name}: not an input\n  Choose of {', '.join(WITHHOLDABLE)}."
            )
    return names
