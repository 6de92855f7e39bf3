"""Many stacks: one process per worker, progress and time left, whole scenes only."""

import multiprocessing
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from dfnet.errors import InputError
from dfnet.render.scene import SceneOptions
from dfnet.render.settings import SETTINGS
from dfnet.render.stack import StackOptions, render_stack

SMALLEST_PX = 64


def check_settings(cfg: Mapping) -> None:
    """Refuse settings that cannot work, before hours are spent on them.

    Raises:
        InputError: names the setting.
    """
    for key in ("scenes", "slices", "lens_samples", "workers"):
        if not isinstance(cfg[key], int) or cfg[key] < 1:
            raise InputError(f"{key}={cfg[key]}: not a positive whole number\n  Give 1 or more.")
    if len(cfg["size"]) != 2 or min(cfg["size"]) < SMALLEST_PX:
        raise InputError(
            f"size={list(cfg['size'])}: not a picture\n"
            f"  Give [width,height], each at least {SMALLEST_PX}."
        )
    if cfg["kind"] not in (None, *SETTINGS):
        raise InputError(f"kind={cfg['kind']}: unknown\n  Known: {', '.join(SETTINGS)}, or null.")


def name_scenes(first_seed: int, scenes: int, names: Sequence[str] | None) -> dict[int, str]:
    """Folder name of each seed: `scene_SEED`, or the given names in order.

    Raises:
        InputError: not as many names as scenes.
    """
    if names is None:
        return {seed: f"scene_{seed:06d}" for seed in range(first_seed, first_seed + scenes)}
    if len(set(names)) != scenes:
        raise InputError(
            f"names={list(names)}: {len(set(names))} names for {scenes} scenes\n"
            "  Give each scene its own name, or leave `names` null."
        )
    return {first_seed + k: name for k, name in enumerate(names)}


def render_stacks(
    output: Path, names: dict[int, str], scene: SceneOptions, stack: StackOptions, workers: int
) -> Iterator[str]:
    """Render every seed that has no folder yet; a broken-off run goes on where it was.

    Args:
        output: parent of the scene folders.
        names: folder name of each seed.
        scene: passed on.
        stack: passed on.
        workers: processes; the pictures do not depend on it.

    Yields:
        One line of progress per scene.
    """
    started, rendered = time.monotonic(), 0
    jobs = [(seed, Path(output) / name, scene, stack) for seed, name in names.items()]
    for done, (seed, new) in enumerate(_completed(jobs, workers), start=1):
        rendered += new
        line = f"[{done}/{len(jobs)}] {names[seed]} {'rendered' if new else 'was there'}"
        if rendered:
            left = (time.monotonic() - started) / rendered * (len(jobs) - done)
            line += f", about {left / 60:.0f} min left"
        yield line


def _completed(jobs: list[tuple], workers: int) -> Iterator[tuple[int, bool]]:
    if workers <= 1:
        yield from ((job[0], render_stack(*job)) for job in jobs)
        return
    # Processes are spawned: a fork would copy the locks of running threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread_each) as pool:
        futures = {pool.submit(render_stack, *job): job[0] for job in jobs}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _one_thread_each() -> None:
    import cv2
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
