"""What the entry points share: plain errors, and file names that Hydra would trip over."""

import functools
import sys
from collections.abc import Callable

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from dfnet.errors import InputError


def friendly_errors(main: Callable[..., None]) -> Callable[..., None]:
    """Turn the user's mistakes into `error: …` and exit code 1; our own bugs keep their traceback.

    Hydra wraps what a job raises only when it escapes the job, so this goes *inside* `@hydra.main`.
    """

    @functools.wraps(main)
    def wrapped(*args, **kwargs):
        try:
            return main(*args, **kwargs)
        except InputError as error:
            raise SystemExit(f"error: {error}") from None
        except (HydraException, OmegaConfBaseException) as error:
            raise SystemExit(f"error: configuration: {_root_cause(error)}") from None
        except KeyboardInterrupt:
            raise SystemExit("error: interrupted\n  Finished files are whole; run again.") from None

    return wrapped


def _root_cause(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def quote_paths(keys: tuple[str, ...]) -> None:
    """Rewrite `key=value` in `sys.argv` so that any file name survives Hydra's override grammar.

    Args:
        keys: the overrides that are file names; their values are taken literally, whatever spaces,
            commas, brackets, quotes, `=` or `$` they hold. A value of `null` stays null.
    """
    for i, argument in enumerate(sys.argv[1:], start=1):
        key, equals, value = argument.partition("=")
        if equals and key in keys and value != "null":
            sys.argv[i] = f"{key}={quoted(value)}"


def quoted(value: str) -> str:
    """A literal string in Hydra's override grammar, interpolation escaped too."""
    # The grammar undoes backslashes only before quotes, so those before a quote are doubled.
    text = value.replace("${", "\\${")
    pieces, backslashes = [], 0
    for character in text:
        if character == "'":
            pieces.append("\\" * backslashes + "\\")
        pieces.append(character)
        backslashes = backslashes + 1 if character == "\\" else 0
    return "'" + "".join(pieces) + "\\" * backslashes + "'"
