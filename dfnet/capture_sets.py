"""Which captures may be used together: renders of one version of their generator."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from dfnet.capture import load_capture
from dfnet.errors import InputError


def refuse_mixed_versions(folders: Iterable[Path]) -> None:
    """Refuse renders of several generator versions, whose pictures do not compare.

    Captured photos and stacks know no generator: they go with each other and with any renders. A
    folder that cannot be read is left to whoever loads it.

    Args:
        folders: captures that are trained on, or averaged over.

    Raises:
        InputError: names the versions and an example of each.
    """
    examples: dict[tuple, list[Path]] = defaultdict(list)
    for folder in folders:
        version = _generator(folder)
        if version is not None:
            examples[version].append(folder)
    if len(examples) > 1:
        found = (
            f"  {generator} {version}: {len(folders)}, such as {folders[0]}\n"
            for (generator, version), folders in sorted(examples.items(), key=str)
        )
        raise InputError(
            "renders of several generator versions together\n"
            f"{''.join(found)}"
            "  Their scenes and cameras differ. Give a root that holds one version's, or render\n"
            "  the older set again (docs/dataset.md)."
        )


def _generator(folder: Path) -> tuple | None:
    try:
        origin = load_capture(folder).origin
    except InputError:
        return None
    if not isinstance(origin, dict) or "generator" not in origin:
        return None
    return (origin["generator"], origin.get("version"))
