"""Means over scenes with what they may be off by: bootstrap intervals, paired differences.

The intervals are percentiles of the means of scenes drawn with replacement (Efron, "Bootstrap
methods", 1979), 95 %, from one seed. With few scenes they are somewhat too narrow; with one there
is none. Differences are taken scene by scene, over the scenes that both methods answered, so what
makes a scene hard for everybody cancels.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from dfnet.evaluation.score import Row

RESAMPLES = 10_000
SEED = 0
CONFIDENCE = 0.95
LEAST_SCENES = 6  # fewer differ in one direction by chance more often than once in 20 times


class Interval(NamedTuple):
    """A mean over scenes.

    Attributes:
        mean: of the scenes' values.
        low: end of the interval; None where one scene is all there is.
        high: its other end.
        n: scenes.
    """

    mean: float
    low: float | None
    high: float | None
    n: int


class Summary(NamedTuple):
    """One method in one task, over one part of the pictures, by one metric."""

    task: str
    method: str
    band: str
    metric: str
    interval: Interval


class Difference(NamedTuple):
    """How much more one method scores than another, scene by scene."""

    task: str
    method: str
    other: str
    band: str
    metric: str
    interval: Interval

    @property
    def verdict(self) -> str:
        """Whether the difference is clear: `yes` where the interval leaves out zero."""
        low, high, n = self.interval[1:]
        if n < LEAST_SCENES:
            return "too few scenes"
        return "yes" if low > 0 or high < 0 else "no"


def bootstrap(values: Sequence[float]) -> Interval:
    """The mean of one value per scene, with its interval."""
    x = np.asarray(values, dtype=np.float64)
    if len(x) < 2:
        return Interval(float(x.mean()), None, None, len(x))
    drawn = np.random.default_rng(SEED).integers(0, len(x), (RESAMPLES, len(x)))
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(x[drawn].mean(axis=1), [tail, 100 - tail])
    return Interval(float(x.mean()), float(low), float(high), len(x))


def summaries(rows: Iterable[Row]) -> list[Summary]:
    """Every task, method, part and metric, in order of appearance."""
    return [Summary(*key, bootstrap(list(v.values()))) for key, v in by_scene(rows).items()]


def differences(rows: Iterable[Row], band: str, metric: str) -> list[Difference]:
    """Every method against every later one, by one metric over one part."""
    values = {k[:2]: v for k, v in by_scene(rows).items() if k[2:] == (band, metric)}
    found = []
    keys = list(values)
    for i, (task, method) in enumerate(keys):
        for other in (k[1] for k in keys[i + 1 :] if k[0] == task):
            mine, theirs = values[task, method], values[task, other]
            common = [scene for scene in mine if scene in theirs]
            if common:
                interval = bootstrap([mine[s] - theirs[s] for s in common])
                found.append(Difference(task, method, other, band, metric, interval))
    return found


def by_scene(rows: Iterable[Row]) -> dict[tuple[str, str, str, str], dict[str, float]]:
    """Values by scene, by (task, method, part, metric)."""
    values: dict[tuple[str, str, str, str], dict[str, float]] = {}
    for row in rows:
        for metric, value in row.metrics.items():
            key = (row.task, row.method, row.band, metric)
            values.setdefault(key, {})[row.scene] = value
    return values
