"""How numba compiles the ray caster: cached on disk, no fast maths, small functions inlined.

Without fast maths a picture is the same bit for bit on every run. `inlined` functions take whole
scenes as records; were they called, each call would copy the record (measured: twice slower).
"""

import contextlib
import hashlib
from functools import partial
from pathlib import Path

from numba import njit

inlined = partial(njit, cache=True, error_model="numpy", forceinline=True)
entry = partial(njit, cache=True, error_model="numpy", nogil=True)  # called from Python, by threads


def forget_stale_kernels(package: Path) -> None:
    """Delete cached machine code if any source file of the package has changed since.

    Numba looks at the compiled function's own file and would miss a change in what it inlines.
    """
    cache = package / "__pycache__"
    sources = [p.read_bytes() for p in sorted(package.glob("*.py"))]
    digest = hashlib.sha256(b"\0".join(sources)).hexdigest()
    stamp = cache / "kernels.sha256"
    with contextlib.suppress(OSError):  # a read-only installation cannot have changed
        if stamp.is_file() and stamp.read_text() == digest:
            return
        for index in cache.glob("*.nbi"):
            index.unlink(missing_ok=True)
        cache.mkdir(exist_ok=True)
        stamp.write_text(digest)


forget_stale_kernels(Path(__file__).parent)
