"""What a wish is worked out on: the photo, what is known of it, and the wish so far."""

from typing import NamedTuple

from torch import Tensor

from dfnet.camera import Camera
from dfnet.errors import InputError
from dfnet.iris import Iris
from dfnet.optics import BlurLaw, defocus_from_disparity
from dfnet.preprocess.result import Preprocessed
from dfnet.targets.maps import Point

SAME_SHAPE = 0.02  # part by which two photos' proportions may differ


class Scene(NamedTuple):
    """A photo and its maps, at full size or reduced for a preview.

    Attributes:
        preprocessed: of the pair, on this grid.
        image_w: (3, H, W) the photo, on this grid.
        cameras: what is known of `wide` and `ultrawide`.
        photo_size: (width, height) of the photo whose pixels the steps count; None is this grid's.
            A preview gives the full photo's, so that the same steps serve both.
    """

    preprocessed: Preprocessed
    image_w: Tensor
    cameras: dict[str, Camera] = {}  # noqa: RUF012
    photo_size: tuple[int, int] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of this grid."""
        return tuple(self.preprocessed.defocus_w_px.shape[-2:])

    @property
    def counted_size(self) -> tuple[int, int]:
        """(width, height) of the photo whose pixels the steps count."""
        return self.photo_size or self.shape[::-1]

    @property
    def scale(self) -> float:
        """This grid's pixels per counted pixel; it multiplies blur and lengths."""
        return self.shape[1] / self.counted_size[0]

    def on_grid(self, x: float, y: float, wish: str) -> Point:
        """A counted point on this grid.

        Raises:
            InputError: it is not in the picture, or counted on one of another shape.
        """
        width, height = self.counted_size
        if abs(self.shape[0] - height * self.scale) > SAME_SHAPE * self.shape[0]:
            raise InputError(
                f"{wish}: its places are of a photo of {width}x{height} pixels, and this one has "
                f"{self.shape[1]}x{self.shape[0]}\n"
                "  Places mean nothing on a photo of another shape; ask anew."
            )
        if not (-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5):
            raise InputError(
                f"{wish}={x:g},{y:g}: outside of the picture, which is {width}x{height} pixels\n"
                f"  Give x from 0 to {width - 1} and y from 0 to {height - 1}, from the top left."
            )
        return (x + 0.5) * self.scale - 0.5, (y + 0.5) * self.scale - 0.5

    @property
    def lens_law(self) -> BlurLaw:
        """The blur law of W's lens; of one as its phone has, where W shows no blur to read it off.

        Such a lens is focused on infinity or thereabouts: a focus step moves it anyway.
        """
        law = self.preprocessed.blur_law
        if law.defocus_per_disparity > 0:
            return law
        return BlurLaw(self.preprocessed.device_defocus_per_disparity, 0.0)

    def lens_defocus_w_px(self) -> Tensor:
        """What that lens shows, (1, H, W)."""
        if self.preprocessed.blur_law.defocus_per_disparity > 0:
            return self.preprocessed.defocus_w_px
        return defocus_from_disparity(self.preprocessed.disparity_w_px, self.lens_law)

    def defocus_at_distance_px(self, distance_m: float, wish: str) -> float:
        """What that lens shows of things this far away [px].

        Raises:
            InputError: metres are not known.
        """
        depth = self.preprocessed.depth_w_m
        if depth is None:
            raise InputError(
                f"{wish}: distances in metres are not known for this photo\n"
                "  They need the cameras' calibration: a preset (camera=pixel6pro), a spatial\n"
                "  photo, or capture.json. Without, focus on a place: focus_at=x,y"
            )
        step = max(1, depth.numel() // 100_000)
        product = depth.flatten()[::step] * self.preprocessed.disparity_w_px.flatten()[::step]
        product = product[product.isfinite()]
        metre_px = float(product.median()) if product.numel() else 0.0
        law = self.lens_law
        return law.defocus_per_disparity * (law.disparity_at_focus_px - metre_px / distance_m)


class Draft(NamedTuple):
    """A wish, step by step.

    Attributes:
        target_defocus_w_px: (1, H, W) signed diameter wanted so far [px].
        lens_defocus_w_px: (1, H, W) what the lens shows at the aperture so far; steps that focus
            start from it, whatever shaping was done before.
        aperture_scale: the aperture so far over the captured one.
        notes: what was limited or is good to know, in words for the user.
        iris: the shape of the blur; None is a disc.
    """

    target_defocus_w_px: Tensor
    lens_defocus_w_px: Tensor
    aperture_scale: float = 1.0
    notes: tuple[str, ...] = ()
    iris: Iris | None = None

    def focused(self, target_defocus_w_px: Tensor) -> "Draft":
        """With another target."""
        return self._replace(target_defocus_w_px=target_defocus_w_px)

    def noting(self, note: str) -> "Draft":
        """With one more note."""
        return self._replace(notes=(*self.notes, note))


def first_draft(scene: Scene) -> Draft:
    """The photo as it is."""
    return Draft(scene.preprocessed.defocus_w_px, scene.lens_defocus_w_px())
