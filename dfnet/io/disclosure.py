"""What a picture says about how it was made: words for people and programs, in its XMP."""

from dataclasses import dataclass

from dfnet import __version__

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
ENHANCED = "algorithmicallyEnhanced"


@dataclass(frozen=True)
class Disclosure:
    """That a picture was edited, by what, and how.

    Attributes:
        recipe_sha256: hexadecimal SHA-256 of the recipe file's bytes, so that `sha256sum` tells
            whether a recipe belongs to a picture; None without a recipe.
        software: name and version.
        source_type: a word of IPTC's vocabulary
            <http://cv.iptc.org/newscodes/digitalsourcetype/>.
    """

    recipe_sha256: str | None = None
    software: str = f"dfnet {__version__}"
    source_type: str = ENHANCED
