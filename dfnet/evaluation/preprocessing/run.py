"""One row of the benchmark: a chain over all pairs, in a process of its own."""

import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import cv2
import numba
import numpy as np
import torch

from dfnet.errors import InputError
from dfnet.evaluation.preprocessing.cases import Case
from dfnet.evaluation.preprocessing.metrics import (
    CaseScore,
    MotionScore,
    precision_recall_f1,
    score_case,
)
from dfnet.preprocess import Preprocessor


class Cost(NamedTuple):
    """What a pair took.

    Attributes:
        processor_s: seconds of all threads together, per megapixel of W; what else the machine does
            changes it little.
        wall_s: seconds that passed, per megapixel of W.
    """

    processor_s: float
    wall_s: float


class Row(NamedTuple):
    """A chain's figures over many pairs.

    Attributes:
        method: its name in the table.
        scores: by pair.
        costs: by pair.
        refused: `pair: message` of those the chain would not take.
        defocus_95_px: 95th percentile of the defocus error over the pixels of all pairs.
        peak_mb: most memory the process held [MB], the libraries included.
    """

    method: str
    scores: dict[str, CaseScore]
    costs: dict[str, Cost]
    refused: tuple[str, ...]
    defocus_95_px: float
    peak_mb: float

    @property
    def motion(self) -> list[float]:
        """End-point error, share of bad pixels: all, defocused, sharp."""
        return pooled_motion([score.motion for score in self.scores.values()])

    def mean(self, field: str) -> float:
        """Mean of a figure over all visible pixels of all pairs."""
        counts = [score.motion.weights[0] for score in self.scores.values()]
        return pooled([getattr(score, field) for score in self.scores.values()], counts)

    @property
    def bad_of_valid(self) -> float:
        """Share of bad pixels among those called valid, of all pairs."""
        scores = self.scores.values()
        counts = [score.motion.weights[0] * score.valid for score in scores]
        return pooled([score.bad_valid for score in scores], counts)

    def share(self, field: str) -> float:
        """Mean of a figure over pairs."""
        values = [getattr(s, field) for s in self.scores.values()]
        return float(np.mean(values)) if values else float("nan")

    @property
    def occlusion(self) -> tuple[float, float, float]:
        """Precision, recall and F1 over the pixels of all pairs."""
        counts = np.array([s.occlusion for s in self.scores.values()]).reshape(-1, 3)
        return precision_recall_f1(tuple(int(c) for c in counts.sum(axis=0)))

    @property
    def cost(self) -> Cost:
        """The median pair's; the first pays for compilation."""
        values = np.array(list(self.costs.values())).reshape(-1, 2)
        return Cost(*(float(v) for v in np.median(values, axis=0))) if len(values) else Cost(0, 0)


def pooled_motion(scores: Sequence[MotionScore]) -> list[float]:
    """End-point error, share of bad pixels: all, defocused, sharp; over the pixels of all pairs."""
    weights = np.array([score.weights for score in scores]).reshape(-1, 3)
    regions = (0, 0, 1, 2)
    return [pooled([s[i] for s in scores], weights[:, r]) for i, r in enumerate(regions)]


def pooled(values: Sequence[float], counts: Sequence[int]) -> float:
    """Mean of values that are means over so many pixels each; those over none are left out."""
    pairs = np.array(list(zip(values, counts, strict=True)), dtype=float).reshape(-1, 2)
    values, counts = pairs[(pairs[:, 1] > 0) & ~np.isnan(pairs[:, 0])].T
    return float(values @ counts / counts.sum()) if len(values) else float("nan")


def run_methods(
    methods: dict[str, Preprocessor], cases: Iterable[Case], threads: int = 1
) -> list[Row]:
    """Every method on the same pairs, one after the other, each in a fresh process.

    Args:
        methods: by name.
        cases: can be sent to a process and iterated there.
        threads: per process.
    """
    return [
        in_fresh_process(threads, run_method, name, preprocessor, cases)
        for name, preprocessor in methods.items()
    ]


def in_fresh_process(threads: int, function: Callable, *arguments):
    """What the function returns when a process of its own, with so many threads, calls it."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, _use_threads, (threads,)) as process:
        return process.submit(function, *arguments).result()


def _use_threads(count: int) -> None:
    numba.set_num_threads(count)  # first: its start gives torch all cores again
    cv2.setNumThreads(count)
    torch.set_num_threads(count)


def run_method(name: str, preprocessor: Preprocessor, cases: Iterable[Case]) -> Row:
    """One method on all pairs, in this process."""
    scores, costs, refused, errors = {}, {}, [], [torch.empty(0)]
    for case in cases:
        start = time.process_time(), time.monotonic()
        try:
            result = preprocessor(
                case.image_w,
                case.image_uw,
                case.cameras,
                case.focus_distance_m,
                phone_depth=case.phone_depth,
            )
        except InputError as error:
            refused.append(f"{case.name}: {str(error).splitlines()[0]}")
            continue
        megapixels = case.image_w[0].numel() / 1e6
        spent = time.process_time() - start[0], time.monotonic() - start[1]
        costs[case.name] = Cost(*(s / megapixels for s in spent))
        scores[case.name], sample = score_case(result, case.truth)
        errors.append(sample)
    errors = torch.cat(errors).numpy()
    top = float(np.quantile(errors, 0.95)) if len(errors) else float("nan")
    return Row(name, scores, costs, tuple(refused), top, peak_memory_mb())


def peak_memory_mb() -> float:
    """Most memory this process ever held; Linux counts a parent's in `getrusage`."""
    status = Path(f"/proc/{os.getpid()}/status")
    if status.is_file():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # macOS counts bytes
