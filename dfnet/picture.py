"""A finished picture and the file it becomes."""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from dfnet.io.disclosure import Disclosure
from dfnet.io.images import check_writable, write_whole
from dfnet.io.metadata import Metadata
from dfnet.io.photo_files import write_photo
from dfnet.recipe import Recipe, recipe_path, recipe_to_text


class Saved(NamedTuple):
    """What `Picture.save` left on disk.

    Attributes:
        files: the picture, and its recipe where the photos came from files.
        notes: for people: what of the photo's metadata did not fit into the file.
    """

    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Picture:
    """A refocused photo.

    Attributes:
        image_w: (3, H, W) sRGB in [0, 1].
        target_defocus_w_px: (1, H, W) signed diameter that was wanted [px].
        mask_w: (1, H, W), 1 where the finest detail is W's, 0 where UW's.
        recipe: what was asked, of which files.
        metadata: of the wide photo's file.
        notes: what was limited, or is good to know.
        found: facts for the recipe's reader.
    """

    image_w: Tensor
    target_defocus_w_px: Tensor
    mask_w: Tensor
    recipe: Recipe
    metadata: Metadata = field(default_factory=Metadata)
    notes: tuple[str, ...] = ()
    found: dict = field(default_factory=dict)

    def save(self, path: Path | str, bits: int = 8, disclose: bool = True) -> Saved:
        """Write the picture, and beside it the recipe that repeats it, each whole or not at all.

        Args:
            path: .jpg, .png, .webp or .tif.
            bits: 8, or 16 for PNG and TIFF.
            disclose: whether the file says that it was edited; whoever turns it off answers for
                saying it elsewhere.

        Raises:
            InputError: the format cannot hold that, or the place cannot be written.
        """
        path = Path(path)
        check_writable(path, bits)
        recipe = replace(self.recipe, suffix=path.suffix, bits=bits)
        found = self.found | {"notes": list(self.notes)}
        text = None if recipe.wide is None else recipe_to_text(recipe, path.parent, found)
        digest = None if text is None else hashlib.sha256(text.encode()).hexdigest()
        notes = write_photo(
            self.image_w, path, bits, self.metadata, Disclosure(digest) if disclose else None
        )
        if text is None:
            return Saved((path,), notes)
        record = recipe_path(path)
        write_whole(record, lambda p: p.write_text(text, encoding="utf-8"))
        return Saved((path, record), notes)
