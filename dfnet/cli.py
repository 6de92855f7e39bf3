"""What the entry points share: plain errors, and file names that Hydra would trip over."""

import functools
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import hydra
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console
from rich.progress import track

from dfnet.errors import InputError


def entry_point(config_name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """`@hydra.main` for a script beside `configs/`, with plain errors within and around it."""
    compose = hydra.main(version_base="1.3", config_path="configs", config_name=config_name)
    return lambda main: friendly_errors(compose(friendly_errors(main)))


def friendly_errors(main: Callable[..., None]) -> Callable[..., None]:
    """Turn the user's mistakes into `error: …` and exit code 1; our own bugs keep their traceback.

    Below `@hydra.main` it covers the job; above it, Hydra's own complaints about the command line.
    """

    @functools.wraps(main)
    def wrapped(*args, **kwargs):
        os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra raises, and does not print and exit
        try:
            return main(*args, **kwargs)
        except InputError as error:
            raise SystemExit(f"error: {error}") from None
        except (HydraException, OmegaConfBaseException) as error:
            ours = error.__cause__  # what a class refused that Hydra was building
            said = ours if isinstance(ours, InputError) else f"configuration: {_in_short(error)}"
            raise SystemExit(f"error: {said}") from None
        except KeyboardInterrupt:
            raise SystemExit("error: interrupted\n  Finished files are whole; run again.") from None
        except SystemExit as stop:  # an option that argparse does not know: 2
            raise SystemExit(1 if stop.code == 2 else stop.code) from None

    return wrapped


def usage_if_bare(usage: str) -> None:
    """Print how to use the program and stop, when that is all that was asked."""
    if len(sys.argv) == 1 or sys.argv[1:] in (["-h"], ["--help"]):
        print(usage.strip())
        raise SystemExit(0)


def progress(steps: Sequence) -> Iterable:
    """The steps, counted on stderr where somebody watches and there are more than a few."""
    console = Console(stderr=True)
    shown = console.is_terminal and len(steps) > 2
    return track(steps, "rendering", console=console, transient=True, disable=not shown)


def _in_short(error: BaseException) -> str:
    """The part of Hydra's complaint that helps: what, and the choices there are."""
    lines = str(error).split("Config search path")[0].strip().splitlines()
    noise = re.compile(r"\s*(To append|See https:|full_key:|object_type=|$)")
    helpful = [f"  {line.strip()}" for line in lines if not noise.match(line)]
    hint = f"  Options are key=value; `python {Path(sys.argv[0]).name} --cfg job` lists them all."
    return "\n".join([*helpful, hint]).lstrip()


def quote_paths(keys: tuple[str, ...]) -> None:
    """Rewrite `key=value` in `sys.argv` so that any file name survives Hydra's override grammar.

    Args:
        keys: the overrides that are file names; their values are taken literally, whatever spaces,
            commas, brackets, quotes, `=` or `$` they hold. A value of `null` stays null.
    """
    if any("_ddp_process_" in argument for argument in sys.argv):
        return  # started by Lightning with the arguments of a process that has quoted them
    for i, argument in enumerate(sys.argv[1:], start=1):
        key, equals, value = argument.partition("=")
        if equals and key in keys and value != "null":
            sys.argv[i] = f"{key}={quoted(value)}"


def gather(key: str, words: Sequence[str]) -> None:
    """Rewrite `word=value` of some words in `sys.argv` to one list under `key`, their order kept.

    Hydra knows no order between options, nor the same one twice.
    """
    kept, gathered = sys.argv[:1], []
    for argument in sys.argv[1:]:
        word, equals, _ = argument.partition("=")
        (gathered if equals and word in words else kept).append(argument)
    if gathered:
        kept.append(f"{key}=[{','.join(quoted(text) for text in gathered)}]")
    sys.argv[:] = kept


def quoted(value: str) -> str:
    """A literal string in Hydra's override grammar, interpolation escaped too."""
    # The grammar undoes backslashes only before quotes, so those before a quote are doubled.
    text = re.sub(r"(\\*)\$\{", r"\1\1\\${", value)
    pieces, backslashes = [], 0
    for character in text:
        if character == "'":
            pieces.append("\\" * backslashes + "\\")
        pieces.append(character)
        backslashes = backslashes + 1 if character == "\\" else 0
    return "'" + "".join(pieces) + "\\" * backslashes + "'"
