"""What is kept of an evaluation, so that an interrupted one goes on where it was.

Results of a method on a scene are kept under a key of all that they depend on: this package's code
and released weights, the scene's files, what was asked, and the method with the files it names.
"""

import functools
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torch import Tensor

import dfnet
from dfnet.io.images import write_image, write_whole
from dfnet.model.released import NAMES
from dfnet.preprocess import cache

ROWS = "rows.json"
CODE = Path(dfnet.__file__).parent


class Entry:
    """One folder of the store.

    Args:
        folder: it need not exist.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def load(self) -> Any | None:
        """The record, or None where there is none or a damaged one."""
        try:
            return json.loads((self.folder / ROWS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def save(self, record: Any) -> None:
        """Write the record; what else belongs to the entry must be there already."""
        text = json.dumps(record, ensure_ascii=False)
        write_whole(self.folder / ROWS, lambda path: path.write_text(text, encoding="utf-8"))

    def picture(self, name: str) -> Path:
        """Where a picture of this name lies."""
        return self.folder / f"{name}.png"

    def save_picture(self, name: str, image: Tensor) -> None:
        """Write a picture (3, H, W) or (1, H, W) in [0, 1], with 8 bits."""
        write_image(image, self.picture(name))


class Store:
    """Entries by key.

    Args:
        root: the folder of all.
    """

    def __init__(self, root: Path | str):
        self.root = Path(root)

    def entry(self, name: str, *depends_on: Any) -> Entry:
        """The folder of what these things, by their `repr`, determine."""
        digest = hashlib.sha256(repr((code_digest(), *depends_on)).encode()).hexdigest()
        return Entry(self.root / f"{name}-{digest[:20]}")


@functools.cache
def code_digest() -> str:
    """Of this package's sources and released weights."""
    return digest_of(p for p in CODE.rglob("*") if p.suffix in (".py", ".json", ".safetensors"))


def digest_of(files: Iterable[Path]) -> str:
    """SHA-256 over files with their names, in sorted order."""
    digest = hashlib.sha256()
    for path in sorted(files):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.name} {content}\n".encode())
    return digest.hexdigest()


def scene_digest(folder: Path) -> str:
    """Of a scene's own files."""
    return digest_of(p for p in folder.rglob("*") if p.is_file() and cache.FOLDER not in p.parts)


def files_named_in(settings: Any) -> dict[str, str]:
    """Digests of the files and folders that a method's settings name, by path."""
    if isinstance(settings, dict):
        return {k: v for part in settings.values() for k, v in files_named_in(part).items()}
    if isinstance(settings, list):
        return {k: v for part in settings for k, v in files_named_in(part).items()}
    if not isinstance(settings, str) or not settings or not Path(settings).exists():
        return {}
    if settings in NAMES:  # released weights, whatever folder is called like them
        return {}
    path = Path(settings)
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return {settings: digest_of(files)}
