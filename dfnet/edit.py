"""The steps of refocus.py: photos and recipe in, picture, target map and recipe out."""

import json
import math
from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from dfnet import targets
from dfnet.capture import Camera, camera_from_json
from dfnet.errors import InputError
from dfnet.inference import Refocused
from dfnet.io.images import write_image, write_whole
from dfnet.preprocess import Preprocessed
from dfnet.recipe import Recipe, recipe_to_json


def preset_cameras(recipe: Recipe, image_w: Tensor, image_uw: Tensor) -> dict[str, Camera]:
    """What the recipe's preset says of both cameras, at these photos' sizes."""
    return {
        name: _at_size(camera_from_json(recipe.camera[name], f"camera, {name}"), image)
        for name, image in {"wide": image_w, "ultrawide": image_uw}.items()
        if name in recipe.camera
    }


def _at_size(camera: Camera, image: Tensor) -> Camera:
    """A preset's camera for a photo that is the whole frame at another size."""
    if camera.full_frame_px is None:
        return camera
    height, width = image.shape[-2:]
    scale = math.hypot(width, height) / math.hypot(*camera.full_frame_px)
    focal_length_px = camera.focal_length_px and camera.focal_length_px * scale
    return replace(camera, focal_length_px=focal_length_px, full_frame_px=(width, height))


def make_target(recipe: Recipe, preprocessed: Preprocessed) -> Tensor:
    """The signed defocus that the recipe wants [px], (1, H, W).

    Raises:
        InputError: the wish does not fit this photo.
    """
    makers: dict[str, Callable[[Recipe, Preprocessed], Tensor]] = {
        "all_in_focus": lambda _, p: targets.all_in_focus(p.defocus_w_px),
        "refocus": _refocus,
        "aperture": _aperture,
        "map": _map,
    }
    return makers[recipe.target](recipe, preprocessed)


def _refocus(recipe: Recipe, preprocessed: Preprocessed) -> Tensor:
    if preprocessed.blur_law.defocus_per_disparity > 0:
        defocus = preprocessed.defocus_w_px
    else:  # a photo that is sharp everywhere can be blurred as its lens would have
        defocus = -preprocessed.device_defocus_per_disparity * preprocessed.disparity_w_px
    scale = 1.0 if recipe.aperture_scale is None else recipe.aperture_scale
    return targets.aperture(targets.refocus_at(defocus, tuple(recipe.focus_at)), scale)


def _aperture(recipe: Recipe, preprocessed: Preprocessed) -> Tensor:
    if not preprocessed.blur_law.defocus_per_disparity > 0:
        raise InputError(
            f"{recipe.wide}: the photo shows no blur that target=aperture could multiply\n"
            "  Say what shall stay sharp: target=refocus focus_at=[x,y] aperture_scale=…"
        )
    return targets.aperture(preprocessed.defocus_w_px, recipe.aperture_scale)


def _map(recipe: Recipe, preprocessed: Preprocessed) -> Tensor:
    shape = tuple(preprocessed.defocus_w_px.shape[-2:])
    return targets.from_file(recipe.path, shape, recipe.map_px_per_level, recipe.map_zero_level)


def save_results(
    recipe: Recipe, preprocessed: Preprocessed, target: Tensor, refocused: Refocused
) -> None:
    """Write the picture, the target map and the recipe, each whole or not at all."""
    law = preprocessed.blur_law
    found = {
        "defocus_per_disparity": law.defocus_per_disparity,
        "disparity_at_focus_px": law.disparity_at_focus_px,
        "working_scale": refocused.working_scale,
        "notes": [*preprocessed.notes, *refocused.notes],
    }
    text = json.dumps(recipe_to_json(recipe, found), indent=1, ensure_ascii=False) + "\n"
    picture, target_map, record = recipe.outputs
    write_image(refocused.image_w, picture, recipe.bits)
    write_whole(target_map, lambda p: targets.write_map(target, p))
    write_whole(record, lambda p: p.write_text(text, encoding="utf-8"))
