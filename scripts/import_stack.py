"""A folder of photos at different focus becomes a focus stack with an all-in-focus truth.

  python scripts/import_stack.py SOURCE [output=DIR] [ultrawide=[NAME,...]]

SOURCE holds two or more photos by the wide camera (JPEG, PNG, TIFF; HEIC and DNG with the extras
`heic` and `dng`) and, maybe, some by the ultra-wide camera, in a sub-folder `ultrawide` or with
`uw` or `ultra` in their names. They are put in order of focus, aligned, matched in exposure and
merged; the output is a capture to train on and to evaluate on. See docs/capture.md.
"""

import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dfnet.cli import friendly_errors, quote_paths, usage_if_bare
from dfnet.importing.pipeline import import_stack
from dfnet.importing.verdict import describe


@friendly_errors
@hydra.main(version_base="1.3", config_path="../configs", config_name="import_stack")
@friendly_errors
def main(cfg: DictConfig) -> None:
    """Import one stack and say how it went."""
    source = Path(cfg.source)
    output = Path(cfg.output or source.resolve().with_name(f"{source.resolve().name}_stack"))
    names = None if cfg.ultrawide is None else OmegaConf.to_container(cfg.ultrawide)
    imported = import_stack(source, output, names)
    print("\n".join(describe(imported)))
    print(f"wrote {output}; look at {output / 'quality.png'}")


def name_source() -> None:
    """Let the source be given without `source=`."""
    if len(sys.argv) > 1 and "=" not in sys.argv[1] and not sys.argv[1].startswith("-"):
        sys.argv[1] = f"source={sys.argv[1]}"


if __name__ == "__main__":
    usage_if_bare(__doc__)
    name_source()
    quote_paths(("source", "output"))
    main()
