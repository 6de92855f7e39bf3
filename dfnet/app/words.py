"""What the page says, in words for people with photos."""

import html
import re

from dfnet.app.sessions import FOLDER
from dfnet.preprocess import verdict
from dfnet.preprocess.verdict import Verdict

GOOD, CAREFUL, BAD = "good", "careful", "bad"
OUR_FAULT = "Something broke on our side; the terminal shows what. Please report it."
_HARMLESS = (verdict.GOOD.name, verdict.NO_DEFOCUS.name)
_GRAVE = (verdict.IDENTICAL.name, verdict.DARK_UW.name, verdict.SHAKEN.name)


def grade(found: Verdict) -> str:
    """How a verdict is coloured."""
    if found.name in _HARMLESS:
        return GOOD
    return BAD if found.name in _GRAVE else CAREFUL


def verdict_message(found: Verdict, notes: tuple[str, ...]) -> str:
    """The verdict and its notes as a block of HTML."""
    titles = {GOOD: "Ready", CAREFUL: "Ready, with care", BAD: "Do not expect much"}
    said = [found.sentence, *(n for n in notes if n != found.sentence)]
    return message(grade(found), titles[grade(found)], " ".join(said))


def plain(error: Exception) -> str:
    """What went wrong and what to do, in one line; the server's folders are nobody's business."""
    return " ".join(re.sub(rf"\S*{FOLDER}[\w-]+/", "", str(error)).split())


def error_message(text: str) -> str:
    """A failure as a block of HTML."""
    return message(BAD, "That did not work", text)


def message(kind: str, title: str, text: str) -> str:
    """A coloured block; all text is escaped."""
    return (
        f'<div class="dfnet-message {kind}" role="status"><b>{html.escape(title)}.</b> '
        f"{html.escape(text)}</div>"
    )
