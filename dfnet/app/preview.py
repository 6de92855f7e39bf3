"""What a setting would look like: the export's own renderer, on the preview's grid.

While a control moves, the network works at half the preview's pixels and only its change is
enlarged, as the export does with blur wider than the network knows. At rest it works on them all.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dfnet.app.controls import Controls, steps_of
from dfnet.app.darkroom import Darkroom
from dfnet.inference import Refocuser
from dfnet.targets import Step, work_out
from dfnet.targets.maps import value_at

QUICK_SCALE = 0.5  # a quarter of the pixels
DOUBTFUL = 0.5  # of `validity_w`
MIN_DOUBT_SHARE = 0.05
_TILE_PX = 1100  # the preview is one tile
_CHANGED_PX = 1.0


class Preview(NamedTuple):
    """One answer.

    Attributes:
        image_w: (3, h, w).
        target_defocus_w_px: (1, h, w) wanted, in the preview's pixels.
        focus_px: what the captured lens shows where the click was, in the full photo's pixels.
        steps: what the controls ask for.
        warnings: in plain words.
    """

    image_w: Tensor
    target_defocus_w_px: Tensor
    focus_px: float
    steps: tuple[Step, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Previewer:
    """The network, set up for previews.

    Attributes:
        model: a `DFNet`.
        quick_model: a faster one while a control moves; None takes `model` then, too.
        device: `auto`, `cpu`, `cuda` or `mps`.
        weights: the folder it is from, for recipes; None is the released one.
    """

    model: nn.Module
    device: str = "auto"
    weights: str | None = None
    quick_model: nn.Module | None = None

    def __call__(self, darkroom: Darkroom, controls: Controls, quick: bool = False) -> Preview:
        """Render what is set.

        Raises:
            InputError: the setting does not fit the photo.
        """
        scene = darkroom.scene
        steps = steps_of(controls, darkroom.photo_size)
        target = work_out(steps, scene)
        scale = QUICK_SCALE if quick else 1.0
        model = (quick and self.quick_model) or self.model
        render = Refocuser(model, self.device, tile_px=_TILE_PX, max_scale=scale)
        wish = target.defocus_w_px, scene.cameras, target.iris
        result = render(scene.image_w, scene.preprocessed, *wish)
        return Preview(
            result.image_w,
            target.defocus_w_px,
            _focus_px(darkroom, controls),
            steps,
            (*target.notes, *result.notes, *_doubts(darkroom, controls, target.defocus_w_px)),
        )


def doubtful(darkroom: Darkroom) -> Tensor:
    """Where depth and detail are guesses, bool (1, h, w)."""
    return darkroom.scene.preprocessed.validity_w < DOUBTFUL


def _focus_px(darkroom: Darkroom, controls: Controls) -> float:
    if controls.sharpness != "point":
        return 0.0
    scene = darkroom.scene
    point = scene.on_grid(*controls.point, "the click")
    return value_at(scene.lens_defocus_w_px(), point) / scene.scale


def _doubts(darkroom: Darkroom, controls: Controls, target: Tensor) -> list[str]:
    """Where this very edit should not be trusted."""
    if darkroom.preview.image_uw is None:
        return []  # of one photo alone the verdict says it
    doubts = []
    if controls.sharpness == "point" and _validity_at(darkroom, controls.point) < DOUBTFUL:
        doubts.append("The depth where you clicked is a guess; click beside it to compare.")
    maps = darkroom.scene.preprocessed
    if controls.sharpness == "as_shot" and not maps.blur_law.defocus_per_disparity > 0:
        doubts.append("The photo has no blur to change. Click what shall stay sharp.")
    shown = maps.defocus_w_px
    sharper = (shown.abs() - target.abs() > _CHANGED_PX) & doubtful(darkroom)
    share = float(sharper.float().mean())
    if share > MIN_DOUBT_SHARE:
        doubts.append(
            f"{share:.0%} of the picture should get sharper where the ultra-wide photo cannot "
            "help; detail there stays soft. Show “Doubtful” to see where."
        )
    return doubts


def _validity_at(darkroom: Darkroom, point: tuple[float, float]) -> float:
    scene = darkroom.scene
    return value_at(scene.preprocessed.validity_w, scene.on_grid(*point, "the click"))


def range_axis(darkroom: Darkroom) -> dict:
    """The depth axis for the sharp range: blur of the captured lens, in the full photo's pixels.

    Returns:
        `near_px` and `far_px`, its ends, and `counts`, how much of the picture lies along it.
    """
    scene = darkroom.scene
    values = (scene.lens_defocus_w_px() / scene.scale).flatten()
    low, high = torch.quantile(values[::7], torch.tensor([0.01, 0.99])).tolist()
    high = max(high, low + 1e-3)
    counts = torch.histc(values.clamp(low, high), 48, low, high)
    return {
        "near_px": round(low, 3),
        "far_px": round(high, 3),
        "counts": (counts / counts.max()).mul(100).round().int().tolist(),
    }
