"""What a user orders from the renderer: checked, with its photographs, seeds and identity."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dfnet.errors import InputError
from dfnet.render.effects import CameraEffects
from dfnet.render.farm import render_stacks
from dfnet.render.identity import identify, join_set
from dfnet.render.scene import SceneOptions
from dfnet.render.settings import SETTINGS
from dfnet.render.splits import check_seeds, find_photos
from dfnet.render.stack import StackOptions

SMALLEST_PX = 128  # so that UW, at half the pixels per radian, has 64 too
PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Order:
    """Scenes to be rendered.

    Attributes:
        output: parent of the scene folders.
        names: folder name of each seed.
        scene: options of the scenes.
        stack: options of the pictures.
        workers: processes.
        identity: of the set; None where scenes are named by hand, which make no set.
    """

    output: Path
    names: dict[int, str]
    scene: SceneOptions
    stack: StackOptions
    workers: int
    identity: dict | None


def read_order(cfg: Mapping, effects: CameraEffects) -> Order:
    """Turn settings into an order, before hours are spent on them.

    Args:
        cfg: as configs/render/render.yaml.
        effects: what the cameras do beyond the thin lens.

    Raises:
        InputError: names the setting that cannot work.
    """
    check_settings(cfg)
    seeds = range(cfg["first_seed"], cfg["first_seed"] + cfg["scenes"])
    check_seeds(cfg["texture_part"], seeds)
    photos = find_photos(cfg["textures"], cfg["texture_part"], find_list(cfg["texture_list"]))
    scene = SceneOptions(
        size=tuple(cfg["size"]),
        photos=tuple(photo.path for photo in photos),
        photo_share=cfg["photo_share"],
        kind=cfg["kind"],
        effects=effects,
    )
    stack = StackOptions(cfg["slices"], cfg["lens_samples"], apertures=cfg["apertures"])
    names = name_scenes(seeds, cfg["names"])
    identity = identify(scene, stack, photos, cfg["texture_part"])
    refuse_thawed(cfg["frozen"], identity)
    workers = cfg["workers"] or usable_cores()
    known = identity if cfg["names"] is None else None
    return Order(Path(cfg["output"]), names, scene, stack, workers, known)


def render_order(order: Order) -> Iterator[str]:
    """Join or found the set, then render what it lacks; lines of progress."""
    if order.identity is not None:
        seeds = range(min(order.names), max(order.names) + 1)
        join_set(order.output, order.identity, seeds)
        photos = len(order.identity["textures"])
        yield f"set {order.identity['identity'][:12]}: {len(seeds)} seeds, {photos} photographs"
    yield from render_stacks(order.output, order.names, order.scene, order.stack, order.workers)


def check_settings(cfg: Mapping) -> None:
    """Refuse numbers that cannot work.

    Raises:
        InputError: names the setting.
    """
    lowest = {"scenes": 1, "slices": 1, "lens_samples": 1, "workers": 1}
    for key, least in (lowest | {"first_seed": 0, "apertures": 0}).items():
        if key == "workers" and cfg[key] is None:
            continue
        if not isinstance(cfg[key], int) or cfg[key] < least:
            raise InputError(
                f"{key}={cfg[key]}: not a whole number from {least}\n  Give {least} or more."
            )
    if len(cfg["size"]) != 2 or min(cfg["size"]) < SMALLEST_PX:
        raise InputError(
            f"size={list(cfg['size'])}: not a picture\n"
            f"  Give [width,height], each at least {SMALLEST_PX}."
        )
    if cfg["kind"] not in (None, *SETTINGS):
        raise InputError(f"kind={cfg['kind']}: unknown\n  Known: {', '.join(SETTINGS)}, or null.")


def name_scenes(seeds: range, names: Sequence[str] | None) -> dict[int, str]:
    """Folder name of each seed: `scene_SEED`, or the given names in order.

    Raises:
        InputError: not as many names as scenes.
    """
    if names is None:
        return {seed: f"scene_{seed:06d}" for seed in seeds}
    if len(set(names)) != len(seeds):
        raise InputError(
            f"names={list(names)}: {len(set(names))} names for {len(seeds)} scenes\n"
            "  Give each scene its own name, or leave `names` null."
        )
    return dict(zip(seeds, names, strict=True))


def find_list(path: str | None) -> Path | None:
    """A table of photographs, from here or from the project's folder."""
    if path is None or Path(path).exists():
        return path and Path(path)
    return PROJECT / path


def refuse_thawed(frozen: str | None, identity: dict) -> None:
    """Check that a frozen set still is what it was.

    Raises:
        InputError: options, generator or photographs are others.
    """
    if frozen not in (None, identity["identity"]):
        raise InputError(
            f"frozen={frozen}: these options make another set ({identity['identity']})\n"
            "  A frozen set needs its own options, its generator version "
            f"(here {identity['version']}) and its photographs\n"
            "  (docs/dataset.md). With frozen=null another set is rendered, whose results do not\n"
            "  compare with those reported on the frozen one."
        )


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
