"""Many stacks: one process per worker, progress and time left, whole scenes only."""

import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from dfnet.render.scene import SceneOptions
from dfnet.render.stack import StackOptions, render_stack


def folder_name(seed: int) -> str:
    """Name of a seed's folder."""
    return f"scene_{seed:06d}"


def render_stacks(
    output: Path, seeds: range, scene: SceneOptions, stack: StackOptions, workers: int
) -> Iterator[str]:
    """Render every seed that has no folder yet; a broken-off run goes on where it was.

    Args:
        output: parent of the scene folders.
        seeds: which scenes.
        scene: passed on.
        stack: passed on.
        workers: processes; the pictures do not depend on it.

    Yields:
        One line of progress per scene.
    """
    started, rendered = time.monotonic(), 0
    jobs = [(seed, Path(output) / folder_name(seed), scene, stack) for seed in seeds]
    for done, (seed, new) in enumerate(_completed(jobs, workers), start=1):
        rendered += new
        line = f"[{done}/{len(seeds)}] {folder_name(seed)} {'rendered' if new else 'was there'}"
        if rendered:
            left = (time.monotonic() - started) / rendered * (len(seeds) - done)
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
