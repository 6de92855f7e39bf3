"""All light that a sharp picture clips, whoever guesses it."""

from typing import NamedTuple

from torch import Tensor

from dfnet.model.highlights import Highlights
from dfnet.model.lamps import Lamps


class BeyondWhite(NamedTuple):
    """Light that the all-in-focus picture clips, by those that guess it; see `DFNetOutput`."""

    lamps: Lamps | None = None
    highlights: Highlights | None = None

    def light(self) -> Tensor | None:
        """All of it, linear; None where nobody guesses.

        It is learned from the renderer's light, never through the blur, where a wrong map counts
        for more than a missing lamp.
        """
        lights = [part.light().detach() for part in self if part is not None]
        return sum(lights) if lights else None
