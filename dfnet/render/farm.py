"""Many stacks: one process per worker, progress and time left, whole scenes only."""

import multiprocessing
import os
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from dfnet.errors import InputError
from dfnet.render.partial import remove_abandoned
from dfnet.render.scene import SceneOptions
from dfnet.render.stack import StackOptions, render_stack


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
        Lines of progress: what is there already, and each scene as it is rendered.
    """
    output = Path(output)
    if removed := remove_abandoned(output):
        yield f"removed {removed} unfinished scenes of a run that was killed"
    missing = {seed: name for seed, name in names.items() if not (output / name).exists()}
    done, durations_s = len(names) - len(missing), []
    if done:
        yield f"[{done}/{len(names)}] were there"
    jobs = [(seed, output / name, scene, stack) for seed, name in missing.items()]
    for seed, duration_s in _completed(jobs, workers):
        done += 1
        durations_s.append(duration_s)
        left = time_left(durations_s, len(names) - done, workers)
        yield f"[{done}/{len(names)}] {names[seed]} in {duration_s:.1f} s, {left} left"


def time_left(durations_s: Sequence[float], scenes: int, workers: int) -> str:
    """Time until all scenes are rendered, in words.

    Args:
        durations_s: what each rendered scene took one worker. Their median counts: the first
            ones may have waited for compilation.
        scenes: how many are not done.
        workers: processes that share them.
    """
    left_s = statistics.median(durations_s) * scenes / max(1, min(workers, scenes))
    if left_s < 90:
        return f"about {left_s:.0f} s"
    return f"about {left_s / 60:.0f} min" if left_s < 5400 else f"about {left_s / 3600:.1f} h"


def _completed(jobs: list[tuple], workers: int) -> Iterator[tuple[int, float]]:
    """Seed and seconds of each job as it is done."""
    if workers <= 1 or len(jobs) <= 1:
        yield from ((job[0], _timed(*job)) for job in jobs)
        return
    # Processes are spawned: a fork would copy the locks of running threads.
    context = multiprocessing.get_context("spawn")
    workers = min(workers, len(jobs))
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker) as pool:
        futures = {pool.submit(_timed, *job): job[0] for job in jobs}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise InputError(
                "a rendering process was ended from outside, perhaps for lack of memory\n"
                "  Give the command again, with fewer workers: finished scenes are kept."
            ) from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _timed(seed: int, folder: Path, scene: SceneOptions, stack: StackOptions) -> float:
    started = time.monotonic()
    render_stack(seed, folder, scene, stack)
    return time.monotonic() - started


def _start_worker() -> None:
    import cv2
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """End this worker when the program that started it is gone, killed even without notice."""
    multiprocessing.parent_process().join()
    os._exit(1)
