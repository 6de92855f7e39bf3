"""Many scenes, many methods: in parallel, resumable, one scene's trouble is not the others'."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

import cv2
import numba
import torch

from dfnet.errors import InputError
from dfnet.evaluation.plan import Plan, SceneScores, Scores
from dfnet.evaluation.scene_run import Methods, score_scene
from dfnet.evaluation.scenes import Scene

MAX_WORKERS = 8


def evaluate(
    scenes: Sequence[Scene],
    plan: Plan,
    workers: int = 1,
    seen: Callable[[SceneScores], object] = lambda done: None,
) -> Scores:
    """Every method on every scene.

    Args:
        scenes: to score.
        plan: how.
        workers: processes; 1 stays in this one.
        seen: called with each scene as it is done.

    Raises:
        InputError: a file of weights cannot serve, or nothing at all could be scored.
    """
    plan.perceptual.check()
    methods = Methods(plan.methods)
    for name in plan.methods:  # a wrong setting shows now, not after the first scene
        methods[name]
    if workers > 1:
        results = _in_parallel(scenes, plan, workers)
    else:
        results = (score_scene(scene, plan, methods) for scene in scenes)
    found = {}
    for done in results:
        found[done.scene.name] = done
        seen(done)
    scores = Scores([found[scene.name] for scene in scenes])
    if not scores.rows:
        why = "\n".join([*scores.failures, *scores.skipped])
        raise InputError(f"no capture can answer any of the tasks\n{why}")
    return scores


def pick_workers(wanted: int | str, scenes: int, device: torch.device) -> int:
    """How many processes: as many as asked for, `auto` as there are cores; one per GPU.

    Raises:
        InputError: not a number.
    """
    if wanted != "auto" and not (isinstance(wanted, int) and wanted >= 1):
        raise InputError(f"workers: `{wanted}` is not a number\n  Give one from 1, or auto.")
    if wanted == "auto":
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        wanted = min(cores, MAX_WORKERS) if device.type == "cpu" else 1
    return min(wanted, scenes)


def _in_parallel(scenes: Sequence[Scene], plan: Plan, workers: int) -> Iterator[SceneScores]:
    threads = max(1, (os.cpu_count() or 1) // workers)
    context = multiprocessing.get_context("spawn")  # forked threads of PyTorch would hang
    with ProcessPoolExecutor(workers, context, _start, (plan, threads)) as pool:
        jobs = [pool.submit(_work, scene) for scene in scenes]
        try:
            for job in as_completed(jobs):
                yield job.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_WORKER: dict[str, Any] = {}


def _start(plan: Plan, threads: int) -> None:
    numba.set_num_threads(threads)  # first: its start gives torch all cores again
    cv2.setNumThreads(threads)
    torch.set_num_threads(threads)
    _WORKER.update(plan=plan, methods=Methods(plan.methods))


def _work(scene: Scene) -> SceneScores:
    return score_scene(scene, _WORKER["plan"], _WORKER["methods"])
