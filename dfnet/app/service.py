"""What a page can ask for, free of the web framework: tokens and records in, records out."""

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from dfnet.app import pictures, words
from dfnet.app.controls import controls_from_json, steps_of
from dfnet.app.darkroom import Darkroom, Load, Say, load_files, prepare
from dfnet.app.export import KINDS, Export, begin_export, export_files
from dfnet.app.preview import Previewer, doubtful, range_axis
from dfnet.app.sessions import Session, Sessions
from dfnet.app.uploads import take_in
from dfnet.errors import InputError

_log = logging.getLogger(__name__)
BLUR_SHOWN_OF_DIAGONAL = 0.006  # the overlay's full colour


class Service:
    """The app's state machine: begin, accept photos, render settings, export.

    Args:
        sessions: who works on what.
        previewer: with the network.
        load: reads a pair of files.
    """

    def __init__(self, sessions: Sessions, previewer: Previewer, load: Load = load_files):
        self.sessions = sessions
        self.previewer = previewer
        self._load = load
        self._heavy = threading.Lock()  # one preparation or export at a time bounds the memory
        self._drawing = threading.Lock()

    def accept(self, token: str, files: Sequence[Path | str], say: Say) -> Darkroom:
        """Take uploads in and prepare them for this session.

        Raises:
            InputError: they cannot be used; what the session had before is gone.
        """
        session = self.sessions.of(token)
        session.uploads |= set(map(Path, files))
        with session.lock:
            session.forget_photo()
            kept = take_in(files, session.folder)
            say(0.0, "waiting for another photo" if self._heavy.locked() else "looking")
            with self._heavy:
                session.darkroom = prepare(kept, session.folder, say, self._load)
        return session.darkroom

    def look(self, token: object) -> dict:
        """The prepared photo, as the page shows it first."""
        darkroom = self._darkroom(self.sessions.of(token))
        scene = darkroom.scene
        captured, equivalent = darkroom.f_numbers
        doubt = doubtful(darkroom)
        return {
            "photo": pictures.photo_address(scene.image_w),
            "depth": pictures.depth_address(scene.preprocessed.relative_inverse_depth),
            "doubt": pictures.doubt_address(doubt),
            "doubt_share": round(float(doubt.float().mean()), 3),
            "size": darkroom.photo_size,
            "preview_size": scene.shape[::-1],
            "f_number": captured,
            "equivalent": equivalent,
            "axis": range_axis(darkroom),
        }

    def render(self, token: object, controls: object, quick: bool = False) -> dict:
        """The preview of a setting."""
        darkroom = self._darkroom(self.sessions.of(token))
        checked = controls_from_json(controls)
        with self._drawing:
            preview = self.previewer(darkroom, checked, quick)
        largest_px = BLUR_SHOWN_OF_DIAGONAL * sum(s**2 for s in darkroom.scene.shape) ** 0.5
        answer = {
            "picture": pictures.photo_address(preview.image_w),
            "focus_px": round(preview.focus_px, 3),
            "warnings": preview.warnings,
            "quick": quick,
        }
        if not quick:
            answer["blur"] = pictures.blur_address(preview.target_defocus_w_px, largest_px)
        return answer

    def begin_export(self, token: object, controls: object, kind: object) -> dict:
        """Start the full-size picture of a setting; the session's earlier one is forgotten."""
        session = self.sessions.of(token)
        darkroom = self._darkroom(session)
        if kind not in KINDS:
            raise InputError("This file format is not on offer.")
        if session.export is not None and not session.export.is_over:
            raise InputError("An export is running already.\n  Wait until it is done.")
        steps = steps_of(controls_from_json(controls), darkroom.photo_size)

        def work(export: Export) -> tuple[Path, ...]:
            return export_files(darkroom, self.previewer, steps, KINDS[kind], export)

        session.export = begin_export(work, self._heavy)
        return self.export_state(token)

    def export_state(self, token: object) -> dict:
        """How far the export is."""
        export = self.sessions.of(token).export
        if export is None:
            raise InputError("There is no export.\n  Start one.")
        if export.error is not None:
            raise export.error
        return {
            "share": export.share,
            "doing": export.doing,
            "is_over": export.is_over,
            "notes": [words.plain(note) for note in export.notes],
        }

    def exported(self, token: object) -> list[str]:
        """The finished files."""
        export = self.sessions.of(token).export
        return [] if export is None else [str(file) for file in export.files]

    def _darkroom(self, session: Session) -> Darkroom:
        if session.darkroom is None:
            raise InputError("There is no photo yet.\n  Give two photos first.")
        return session.darkroom


def answered(ask: Callable[..., dict]) -> Callable[[dict], dict]:
    """A method of the service as what a page may call: a record in, a record out, never a crash."""

    def answer(request: dict) -> dict:
        try:
            return ask(**request)
        except InputError as error:
            return {"error": words.plain(error)}
        except Exception:
            _log.exception("%s failed", ask.__name__)
            return {"error": words.OUR_FAULT}

    answer.__name__ = ask.__name__
    return answer
