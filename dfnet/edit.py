"""The steps of refocus.py: photos and recipe in, picture, target map and recipe out."""

import json
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from dfnet import targets
from dfnet.camera import Camera, camera_from_json
from dfnet.errors import InputError
from dfnet.inference import Refocused
from dfnet.io.images import read_image, write_image, write_whole
from dfnet.optics import defocus_from_disparity
from dfnet.preprocess import Preprocessed
from dfnet.preprocess.cameras import exif_cameras, known_cameras, preset_at_size
from dfnet.preprocess.photo_law import law_of_photo
from dfnet.recipe import Recipe, recipe_to_json


def cameras_of(recipe: Recipe, image_w: Tensor, image_uw: Tensor) -> dict[str, Camera]:
    """What the recipe's preset, and after it the photos' EXIF, say of both cameras."""
    photos = (image_w, image_uw)
    preset = {
        name: camera_from_json(recipe.camera[name], f"camera, {name}")
        for name in ("wide", "ultrawide")
        if name in recipe.camera
    }
    files = (Path(recipe.wide), Path(recipe.ultrawide))
    return known_cameras(preset_at_size(preset, photos), exif_cameras(files, photos))


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
        "like": _like,
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


def _like(recipe: Recipe, preprocessed: Preprocessed) -> Tensor:
    try:
        fit = law_of_photo(read_image(recipe.like), preprocessed)
    except InputError as error:
        named = str(error).startswith(recipe.like)
        raise InputError(str(error) if named else f"{recipe.like}: {error}") from error
    return defocus_from_disparity(preprocessed.disparity_w_px, fit.law)


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
