"""Feed damaged files, one after the other, within bounds of time and memory."""

import random
import re
import resource
import signal
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from dfnet.fuzzing.mutate import mutate
from dfnet.fuzzing.readers import READERS
from dfnet.fuzzing.seeds import Seed

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
REFUSALS = (ValueError,)  # InputError is one


class Bounds(NamedTuple):
    """What one file may cost.

    Attributes:
        seconds: of processor time.
        megabytes: that the process may grow by meanwhile.
    """

    seconds: float = 5.0
    megabytes: int = 1500


BOUNDS = Bounds()


class Finding(NamedTuple):
    """A file that broke a reader.

    Attributes:
        seed: what it was made from.
        data: the file.
        trace: how it broke.
    """

    seed: Seed
    data: bytes
    trace: str


class _TookTooLong(BaseException):
    """Not an `Exception`: readers shall not take it for damage."""


def fuzz(
    whole: Sequence[Seed], count: int, seed: int = 0, bounds: Bounds = BOUNDS
) -> Iterator[Finding | None]:
    """Damage files and read them.

    Args:
        whole: files to damage, each as often as the others.
        count: how many damaged files.
        seed: the same seed makes the same files.
        bounds: what one file may cost.

    Yields:
        For each file what went wrong, or None.
    """
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, _alarmed():
        for k in range(count):
            origin = whole[k % len(whole)]
            data = mutate(origin.data, rng.choice(whole).data, rng)
            path = Path(folder) / origin.name
            path.write_bytes(data)
            start = _fresh_peak_megabytes()
            trace = next(filter(None, (_try(r, path, bounds) for r in READERS[origin.kind])), None)
            if trace is None and _peak_megabytes() - start > bounds.megabytes:
                trace = f"grew beyond {bounds.megabytes} MB"
            yield None if trace is None else Finding(origin, data, trace)


def _try(read: Callable[[Path], object], path: Path, bounds: Bounds) -> str | None:
    """None if the reader answers or refuses, else how it broke."""
    signal.setitimer(signal.ITIMER_PROF, bounds.seconds)
    try:
        with warnings.catch_warnings(action="ignore"):
            read(path)
    except REFUSALS as error:
        return traceback.format_exc() if isinstance(error.__cause__, MemoryError) else None
    except (Exception, _TookTooLong):
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return None


@contextmanager
def _alarmed() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise _TookTooLong

    before = signal.signal(signal.SIGPROF, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGPROF, before)


def _fresh_peak_megabytes() -> float:
    """Forget the peak so far, where the system can; the memory in use now."""
    if RESET.exists():
        RESET.write_text("5")
    return _peak_megabytes()


def _peak_megabytes() -> float:
    if not STATUS.exists():  # not Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return int(re.search(r"VmHWM:\s+(\d+)", STATUS.read_text()).group(1)) / 2**10
