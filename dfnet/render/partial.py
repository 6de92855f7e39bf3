"""Folders that are being filled, and what is left of them when a process was killed."""

import os
import shutil
import socket
import time
from pathlib import Path

from dfnet.capture import PARTIAL

ABANDONED_S = 3600.0  # a live process writes its next picture long before


def partial_folder(folder: Path) -> Path:
    """Where this process fills what shall become `folder`: `.partial-HOST-PID-NAME` beside it."""
    return folder.with_name(f"{PARTIAL}{_host()}-{os.getpid()}-{folder.name}")


def remove_abandoned(parent: Path) -> int:
    """Delete what killed processes left behind; what others are filling stays.

    A folder is abandoned when its process is not running on this machine any more, or, whoever
    made it, when nothing was written to it for an hour.

    Args:
        parent: the folder in which scenes are rendered.

    Returns:
        How many were deleted.
    """
    abandoned = [p for p in parent.glob(f"{PARTIAL}*") if _is_abandoned(p)]
    for folder in abandoned:
        shutil.rmtree(folder, ignore_errors=True)
    return len(abandoned)


def _is_abandoned(folder: Path) -> bool:
    host, _, rest = folder.name.removeprefix(PARTIAL).partition("-")
    pid = rest.partition("-")[0]
    if host == _host() and pid.isdigit() and not _is_running(int(pid)):
        return True
    return time.time() - _last_written(folder) > ABANDONED_S


def _last_written(folder: Path) -> float:
    try:
        return max(p.stat().st_mtime for p in (folder, *folder.rglob("*")))
    except OSError:  # finished or deleted meanwhile
        return time.time()


def _is_running(pid: int) -> bool:
    if os.name != "posix":
        return True  # elsewhere `os.kill` would end the process; its age decides
    try:
        os.kill(pid, 0)  # sends nothing
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def _host() -> str:
    return socket.gethostname().replace("-", "_")
