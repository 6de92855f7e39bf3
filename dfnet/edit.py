"""The steps of refocus.py: photos and recipe in, picture, target map and recipe out."""

import json
from pathlib import Path

from torch import Tensor

from dfnet.camera import Camera, camera_from_json
from dfnet.inference import Refocused
from dfnet.io.images import write_image, write_whole
from dfnet.preprocess import Preprocessed
from dfnet.preprocess.cameras import exif_cameras, known_cameras, preset_at_size
from dfnet.recipe import Recipe, recipe_to_json
from dfnet.targets import AllInFocus, Aperture, FocusAt, Like, MapFile, Scene, write_map
from dfnet.targets import make_target as worked_out


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
    scale = 1.0 if recipe.aperture_scale is None else recipe.aperture_scale
    steps = {
        "all_in_focus": lambda: [AllInFocus()],
        "refocus": lambda: [FocusAt(*recipe.focus_at), Aperture(scale)],
        "aperture": lambda: [Aperture(scale)],
        "map": lambda: [MapFile(recipe.path, recipe.map_px_per_level, recipe.map_zero_level)],
        "like": lambda: [Like(recipe.like)],
    }[recipe.target]()
    return worked_out(steps, Scene(preprocessed, preprocessed.uw_on_w))


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
    write_whole(target_map, lambda p: write_map(target, p))
    write_whole(record, lambda p: p.write_text(text, encoding="utf-8"))
