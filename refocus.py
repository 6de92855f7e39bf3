"""Refocus a phone photo with the help of its ultra-wide twin.

  python refocus.py wide=W.jpg ultrawide=UW.jpg output=sharp.jpg all_in_focus=true
  python refocus.py wide=W.jpg ultrawide=UW.jpg output=a.jpg focus_at=1200,800 f_number=1.4
  python refocus.py wide=SPATIAL.heic output=pull.mp4 focus_at=300,400 pull=48 focus_at=900,350
  python refocus.py folder=PAIRS output=EDITED recipe=a_recipe.json

Steps are done in the order in which they are written (lengths in the wide photo's pixels):
  all_in_focus=true                  focus_at=X,Y                  focus_distance=METRES
  focus_range=X1,Y1,X2,Y2[,SOFT]     distance_range=NEAR,FAR       plane=X1,Y1,X2,Y2,X3,Y3
  split_focus=X1,Y1,X2,Y2[,FEATHER]  tilt_shift=X,Y,ANGLE,WIDTH,BLUR    slab=NEARER,FARTHER
  aperture_scale=0…2.5  f_number=N   like=PHOTO                    map=FILE
  polygon=5…9[,ROTATION]             cat_eye=0…1                   (the shape of the blur)
  sharpen=FEATHER,MASK  protect=FEATHER,MASK  blur=BLUR,FEATHER,MASK   (masks: gray pictures)
Also: also=target,depth,defocus,confidence,mask,all_in_focus  bits=8|16  camera=pixel6pro
  device=auto|cpu|cuda|mps  weights=dfnet_s|FOLDER  cache=false  location=false  disclose=false
The picture's suffix is its format: .jpg .png .webp .tif; <name>_recipe.json repeats the edit.
Exit code: 0 all is written, 1 not; of a folder, each pair that failed is named at the end.
"""

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from dfnet.cli import entry_point, gather, progress, quote_paths, usage_if_bare
from dfnet.devices import pick_device
from dfnet.edit import run, say
from dfnet.request import STEP_KEYS, request_from_config


@entry_point("refocus")
def main(cfg: DictConfig) -> None:
    """Read what is asked, do it, name what was written."""
    config = OmegaConf.to_container(cfg, resolve=True)
    request = request_from_config(config, HydraConfig.get().overrides.task)
    pick_device(request.recipe.device)  # a wrong name shows now, not after the photos are matched
    for note in request.notes:
        say(f"note: {note}")
    written = run(request, progress)
    print("wrote", *written, sep="\n  ")


if __name__ == "__main__":
    usage_if_bare(__doc__)
    quote_paths(("wide", "ultrawide", "folder", "output", "weights", "recipe", "also"))
    gather("steps", STEP_KEYS)
    main()
