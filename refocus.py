"""Refocus a phone photo with the help of its ultra-wide twin.

  python refocus.py wide=W.jpg ultrawide=UW.jpg output=a.png target=all_in_focus
  python refocus.py wide=W.jpg ultrawide=UW.jpg output=a.png target=refocus 'focus_at=[1200,800]'
  python refocus.py wide=W.jpg ultrawide=UW.jpg output=a.png target=aperture aperture_scale=2
  python refocus.py wide=W.jpg ultrawide=UW.jpg output=a.png target=map path=defocus.npy
  python refocus.py wide=W.jpg ultrawide=UW.jpg output=a.png target=like like=OTHER.jpg
  python refocus.py recipe=a_recipe.json output=again.png

Beside the picture it writes <name>_target.npy, the blur wanted (signed diameters in pixels), and
<name>_recipe.json, which repeats the edit. Further options: aperture_scale=2 with target=refocus,
bits=8|16, device=auto|cpu|cuda|mps, weights=FOLDER, camera=pixel6pro; see configs/refocus.yaml.
"""

import sys

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from dfnet.cli import entry_point, progress, quote_paths, usage_if_bare
from dfnet.devices import pick_device
from dfnet.edit import cameras_of, make_target, save_results
from dfnet.inference import Refocuser
from dfnet.io.images import read_image
from dfnet.model import DFNet
from dfnet.preprocess import preprocess_pair
from dfnet.recipe import recipe_from_config


@entry_point("refocus")
def main(cfg: DictConfig) -> None:
    """Read the pair, understand it, make the wish a map, render it, save it."""
    config = OmegaConf.to_container(cfg, resolve=True)
    recipe = recipe_from_config(config, HydraConfig.get().overrides.task)
    pick_device(recipe.device)  # a wrong name shows now, not after the photos are matched
    image_w, image_uw = read_image(recipe.wide), read_image(recipe.ultrawide)
    refocuser = Refocuser(DFNet.from_pretrained(recipe.weights), recipe.device, track=progress)
    cameras = cameras_of(recipe, image_w, image_uw)

    print("matching the two photos …", file=sys.stderr)
    preprocessed = preprocess_pair(image_w, image_uw, cameras)
    target_defocus_w_px = make_target(recipe, preprocessed)
    refocused = refocuser(image_w, preprocessed, target_defocus_w_px, cameras)

    save_results(recipe, preprocessed, target_defocus_w_px, refocused)
    for note in (*preprocessed.notes, *refocused.notes):
        print(f"note: {note}", file=sys.stderr)
    print("wrote", *recipe.outputs, sep="\n  ")


if __name__ == "__main__":
    usage_if_bare(__doc__)
    quote_paths(("wide", "ultrawide", "output", "path", "like", "weights", "recipe"))
    main()
