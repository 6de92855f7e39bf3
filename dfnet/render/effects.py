"""What real phone cameras do beyond the thin lens, as ranges that a scene draws from."""

from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True)
class CameraEffects:
    """Ranges of all camera effects; every scene draws its values once, uniformly.

    "Corner" is always that of the phone's full frame, of which a picture is a crop.

    Attributes:
        devices: presets of `configs/camera`; each scene is seen by one of them.
        ultrawide_scale: UW's pixels per radian over W's. Phones have 0.57 to 0.66 at equal frame
            sizes; files that were resized have up to 0.9.
        ultrawide_focus_m: where UW is sharp if its focus is fixed [m], about its hyperfocal
            distance; phones that focus it share the scene's depths.
        vignetting_w: share of the cos⁴ falloff that W's own correction leaves in the photo.
        vignetting_uw: the same of UW, whose correction has more to do and leaves more.
        distortion_uw: radial residue of UW at the corner, as a share of the radius. Corrected phone
            photos keep about a percent.
        corner_blur_w_px: how much wider than a pixel W's footprint is at the corner [px].
        corner_blur_uw_px: the same of UW, which is visibly softer outwards; W's view ends at about
            0.6 of UW's radius, where 2.5 px have become 1 px.
        cat_eye_w: how far the rim of the barrel is shifted over W's aperture at the corner, in
            lens radii; 0.4 hides a quarter of the lens. The phone's shading correction makes up
            for the light, so only shapes change.
        breathing: W's picture grows as it focuses nearer (all slices then differ in scale).
        moved_probability: how often a thing moves between W's exposures and UW's.
        moved_px: how far it moves, in W's pixels on a picture 384 px wide.
        moved_turn_deg: how far it turns about its own middle.
    """

    devices: tuple[str, ...] = ("pixel6pro", "iphone15pro", "galaxy_s23_ultra")
    ultrawide_scale: Range = (0.5, 0.9)
    ultrawide_focus_m: Range = (0.7, 1.5)
    vignetting_w: Range = (0.0, 0.1)
    vignetting_uw: Range = (0.0, 0.25)
    distortion_uw: Range = (-0.015, 0.015)
    corner_blur_w_px: Range = (0.0, 0.4)
    corner_blur_uw_px: Range = (0.0, 2.5)
    cat_eye_w: Range = (0.0, 0.4)
    breathing: bool = False
    moved_probability: float = 0.2
    moved_px: Range = (1.0, 6.0)
    moved_turn_deg: Range = (0.0, 3.0)

    @classmethod
    def none(cls) -> "CameraEffects":
        """Thin lenses and nothing else; devices and UW's sampling and focus still vary."""
        off = (0.0, 0.0)
        return cls(
            vignetting_w=off,
            vignetting_uw=off,
            distortion_uw=off,
            corner_blur_w_px=off,
            corner_blur_uw_px=off,
            cat_eye_w=off,
            moved_probability=0.0,
        )
