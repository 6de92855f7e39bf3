"""Whose photos are whose: one secret and one folder for each open page, gone when it is."""

import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dfnet.errors import InputError

IDLE_S = 3600.0  # a page that was left open
ABANDONED_S = 120.0  # a page that was closed, or a phone that went to sleep
MAX_SESSIONS = 32
FOLDER = "session-"


@dataclass
class Session:
    """What one page works on.

    Attributes:
        token: a secret that only this page knows.
        folder: holds its files, and nobody else's.
        page: the page's own name for itself, told when it is closed.
        last_used_s: on the clock of `Sessions`.
        is_closed: the page is gone, as far as known.
        darkroom: the prepared photo, or None.
        export: the latest, or None.
        lock: held while the darkroom is exchanged or worked in.
        uploads: files that the page sent, not yet removed.
    """

    token: str
    folder: Path
    page: str = ""
    last_used_s: float = 0.0
    is_closed: bool = False
    darkroom: Any = None
    export: Any = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    uploads: set[Path] = field(default_factory=set)

    def forget_photo(self) -> None:
        """Drop what the session works on, in memory and on disk."""
        self.darkroom, self.export = None, None
        shutil.rmtree(self.folder)
        self.folder.mkdir(mode=0o700)


class Sessions:
    """All pages that are open.

    Args:
        root: below it each session has its folder.
        clock: seconds that only grow.
    """

    def __init__(self, root: Path, clock: Callable[[], float] = time.monotonic):
        self.root = root
        self._clock = clock
        self._by_token: dict[str, Session] = {}
        self._lock = threading.Lock()

    def begin(self, page: str = "") -> Session:
        """A new session; those long unused end, and the oldest where there are too many."""
        self.end_unused()
        token = secrets.token_urlsafe(24)
        folder = self.root / f"{FOLDER}{secrets.token_urlsafe(24)}"
        folder.mkdir(parents=True, mode=0o700)
        session = Session(token, folder, page, self._clock())
        with self._lock:
            self._by_token[token] = session
            by_use = sorted(self._by_token.values(), key=lambda s: s.last_used_s)
        for old in by_use[: max(0, len(by_use) - MAX_SESSIONS)]:
            self.end(old)
        return session

    def of(self, token: object) -> Session:
        """The session of a page.

        Raises:
            InputError: there is none, or no longer.
        """
        with self._lock:
            session = self._by_token.get(token) if isinstance(token, str) else None
        if session is None:
            raise InputError("This page was idle for long and its photos are gone.\n  Reload it.")
        session.last_used_s, session.is_closed = self._clock(), False
        return session

    def page_closed(self, page: str) -> None:
        """Remember that a page is gone; a phone that only slept comes back within two minutes."""
        with self._lock:
            for session in self._by_token.values():
                if session.page == page:
                    session.is_closed = True

    def end_unused(self) -> None:
        """End the sessions of closed and of forgotten pages."""
        now = self._clock()
        with self._lock:
            sessions = list(self._by_token.values())
        for session in sessions:
            limit = ABANDONED_S if session.is_closed else IDLE_S
            if now - session.last_used_s > limit:
                self.end(session)

    def end(self, session: Session) -> None:
        """Forget a session, with its folder and the files it sent that no other session sent."""
        with self._lock:
            self._by_token.pop(session.token, None)
            shared = {p for other in self._by_token.values() for p in other.uploads}
        for path in session.uploads - shared:
            path.unlink(missing_ok=True)
        session.darkroom = None
        shutil.rmtree(session.folder, ignore_errors=True)

    def watch(self, interval_s: float = 30.0) -> None:
        """Go on ending unused sessions in the background, for as long as the program runs."""

        def look() -> None:
            while True:
                time.sleep(interval_s)
                self.end_unused()

        threading.Thread(target=look, daemon=True).start()
