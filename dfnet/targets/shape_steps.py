"""Steps that ask for another shape of blur than the lens's disc."""

from dataclasses import dataclass

from dfnet.errors import InputError
from dfnet.iris import CatEyeIris, PolygonIris
from dfnet.targets.records import Record
from dfnet.targets.scene import Draft, Scene

BLADES = range(5, 10)


@dataclass(frozen=True)
class Polygon(Record):
    """Blur in the shape of an iris with straight blades; as large as the disc it stands for.

    Attributes:
        blades: 5 to 9.
        rotation_deg: 0 has a corner at the top, behind the focus; growing angles turn it clockwise.
    """

    blades: int
    rotation_deg: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        if self.blades not in BLADES:
            raise InputError(
                f"polygon: {self.blades:g} blades\n"
                f"  Between {BLADES[0]} and {BLADES[-1]} are possible, in whole numbers."
            )
        object.__setattr__(self, "blades", int(self.blades))

    def apply(self, draft: Draft, scene: Scene) -> Draft:
        """The same map, in that shape."""
        return draft._replace(iris=PolygonIris(self.blades, self.rotation_deg))


@dataclass(frozen=True)
class CatEye(Record):
    """Blur that the lens's rim cuts, the more the farther from the middle of the picture.

    Attributes:
        strength: 0 is a disc everywhere; with 1 it is half as wide as the disc in the corners.
    """

    strength: float

    def __post_init__(self):
        super().__post_init__()
        if not 0 <= self.strength <= 1:
            raise InputError(f"cat_eye={self.strength:g}: must lie between 0 and 1")

    def apply(self, draft: Draft, scene: Scene) -> Draft:
        """The same map, in that shape."""
        return draft._replace(iris=CatEyeIris(self.strength) if self.strength else None)
