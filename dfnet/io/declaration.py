"""What a file declares about its making; the reader's side of `dfnet.io.disclosure`."""

from pathlib import Path
from typing import NamedTuple

from dfnet.errors import InputError
from dfnet.io.content_credentials import Credentials, read_credentials
from dfnet.io.decode import check_readable, read_about
from dfnet.io.disclosure import EDITED, MADE, SOURCE_TYPES
from dfnet.io.video import is_video, video_xmp
from dfnet.io.xmp import IPTC, OURS, SOURCE_TYPE, Packet

CREDENTIALS = b"c2pa.claim"


class Declaration(NamedTuple):
    """What a file says of itself.

    Attributes:
        source_type: a word of IPTC's vocabulary, as found; None is not said.
        software: what refocused it, if that was this project.
        recipe_sha256: of the recipe file.
        credentials: content credentials; None without, or where they were not looked for.
        notes: what could not be read.
    """

    source_type: str | None = None
    software: str | None = None
    recipe_sha256: str | None = None
    credentials: Credentials | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_edit(self) -> bool:
        """Whether it says, anywhere, that it is not what a camera captured."""
        said = {self.source_type, *(self.credentials.source_types if self.credentials else ())}
        return bool(said & {*EDITED, *MADE})


def read_declaration(path: Path | str) -> Declaration:
    """What a picture or a video declares.

    Raises:
        InputError: the file is missing, or neither.
    """
    path = Path(path)
    check_readable(path)
    notes: tuple[str, ...] = ()
    found: dict[tuple[str, str], str] = {}
    try:
        found = {p[:2]: p.value for p in Packet(_xmp(path)).properties()}
    except InputError:
        raise
    except ValueError as error:
        notes += (f"its XMP is damaged ({error})",)
    credentials = None
    try:
        credentials = read_credentials(path) if CREDENTIALS in path.read_bytes() else None
    except InputError as error:
        notes += (f"content credentials not checked: {str(error).splitlines()[0]}",)
    kind = found.get((IPTC, SOURCE_TYPE))
    return Declaration(
        kind and kind.removeprefix(SOURCE_TYPES),
        found.get((OURS, "Software")),
        found.get((OURS, "RecipeSHA256")),
        credentials,
        notes,
    )


def _xmp(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(16)
    return video_xmp(path) if is_video(head) else read_about(path)[0].xmp
