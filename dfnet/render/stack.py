"""One seed, one focus stack on disk: W slices, other apertures, one UW frame, truth."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from dfnet import capture
from dfnet.camera import Camera as CameraRecord
from dfnet.errors import InputError
from dfnet.io.images import write_image, write_whole
from dfnet.render.cameras import Camera
from dfnet.render.lights import add_lights
from dfnet.render.partial import partial_folder
from dfnet.render.scene import Scene, SceneOptions, build_scene
from dfnet.render.trace import render, view_of
from dfnet.render.truth import rounded, trace_truth

LEVELS = 1024  # stored images have 10 bits: below the noise, and half the bytes of 16
GENERATOR = "dfnet.render"
VERSION = 2  # of the generator; raise it when a seed makes another scene than before
FOCUS_RANGE_M = (0.08, 1e4)  # 1e4 stands for infinity, which JSON lacks: its blur is the same
APERTURE_SCALES = (0.25, 2.5)  # of the diameter


@dataclass(frozen=True)
class StackOptions:
    """How a scene is photographed.

    Attributes:
        slices: W pictures, focused at distances spread evenly in dioptres over the scene's depths.
        lens_samples: rays per pixel of a slice.
        ultrawide_samples: rays per pixel of the UW frame.
        sharp_samples: rays per pixel of the all-in-focus picture.
        apertures: further W pictures, each focused as one of the slices, of another aperture.
        threads: workers within one picture; they change nothing but the time.
    """

    slices: int = 5
    lens_samples: int = 64
    ultrawide_samples: int = 48
    sharp_samples: int = 24
    apertures: int = 2
    threads: int = 1


def render_stack(seed: int, folder: Path, scene: SceneOptions, options: StackOptions) -> bool:
    """Render the stack of a seed, unless its folder is there already.

    Everything is written to a neighbour folder that is renamed at the end: a folder that exists
    is whole, also when several processes render the same seed.

    Returns:
        Whether this call made the folder.

    Raises:
        InputError: the folder cannot be written.
    """
    folder = Path(folder)
    if folder.exists():
        return False
    partial = partial_folder(folder)
    try:
        shutil.rmtree(partial, ignore_errors=True)
        (partial / "truth").mkdir(parents=True)
        _fill(partial, seed, build_scene(seed, scene), options)
        partial.rename(folder)
    except OSError as error:
        if (folder / capture.METADATA).exists():
            return False  # another process was faster
        raise InputError(
            f"{folder}: cannot be written ({error.strerror or error})\n"
            "  Choose another output, or make room and permit writing there."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return True


def _fill(folder: Path, seed: int, scene: Scene, options: StackOptions) -> None:
    truth = rounded(trace_truth(scene.world, scene.wide, scene.ultrawide, scene.motion))
    sharp = photograph(scene, scene.wide, options.sharp_samples, options.threads, pinhole=True)
    exposure = exposure_of(sharp, scene.white)
    _write_radiance(exposure * sharp, folder / "truth" / "all_in_focus.png")
    _write_arrays(folder / "truth" / "geometry.npz", **truth._asdict())
    beyond = np.maximum(exposure * sharp - capture.WHITE_LEVEL, 0).astype(np.float16)
    _write_arrays(folder / "truth" / "beyond_white_level.npz", beyond_white_level=beyond)
    distances = focus_distances(truth.depth_w_m, options.slices, np.random.default_rng([seed, 1]))
    names = [f"wide_{k:02d}.png" for k in range(options.slices)]
    apertures = draw_apertures(options, np.random.default_rng([seed, 2]))
    wide = {n: scene.wide.focused_at(d) for n, d in zip(names, distances, strict=True)}
    wide |= {a.file: with_aperture(wide[names[a.slice]], a.scale) for a in apertures}
    for name, camera in wide.items():
        picture = photograph(scene, camera, options.lens_samples, options.threads)
        _write_radiance(exposure * picture, folder / name)
    found = scene.at_ultrawide()
    guide = photograph(found, scene.ultrawide, options.ultrawide_samples, options.threads)
    _write_radiance(exposure * guide, folder / "ultrawide.png")
    capture.save_capture(
        capture.Capture(
            folder=folder,
            wide=tuple(names),
            ultrawide=("ultrawide.png",),
            encoding="sqrt_linear",
            focus_distance_m=tuple(distances),
            cameras={
                "wide": CameraRecord(**scene.wide.metadata()),
                "ultrawide": CameraRecord(**scene.ultrawide.metadata()),
            },
            truth={
                "all_in_focus": "truth/all_in_focus.png",
                "geometry": "truth/geometry.npz",
                "beyond_white_level": "truth/beyond_white_level.npz",
            },
            apertures=apertures,
            origin=_origin(seed, scene, options),
        )
    )


def _origin(seed: int, scene: Scene, options: StackOptions) -> dict:
    return {
        "generator": GENERATOR,
        "version": VERSION,
        "seed": seed,
        "kind": scene.kind,
        "device": scene.device,
        "ultrawide_focus_distance_m": scene.ultrawide.lens.focus_distance_m,
        "lens_samples": options.lens_samples,
    }


def photograph(
    scene: Scene, camera: Camera, samples: int, threads: int = 1, pinhole: bool = False
) -> np.ndarray:
    """Surfaces and point lights as one camera sees them: linear radiance (3, H, W)."""
    view = view_of(camera, samples, pinhole)
    image = render(scene.world, view, camera.size, threads)
    add_lights(scene.world, view, scene.lamps, image)
    return image


def with_aperture(camera: Camera, scale: float) -> Camera:
    """The camera with its aperture's diameter times `scale`."""
    return replace(camera, lens=replace(camera.lens, f_number=camera.lens.f_number / scale))


def draw_apertures(options: StackOptions, rng: np.random.Generator) -> tuple[capture.Aperture, ...]:
    """Slices without repeats while there are enough, and scales even in their logarithm."""
    slices = [rng.permutation(options.slices) for _ in range(options.apertures)]
    order = np.concatenate(slices)[: options.apertures].tolist() if slices else []
    low, high = np.log(APERTURE_SCALES)
    scales = [round(float(np.exp(rng.uniform(low, high))), 4) for _ in order]
    return tuple(
        capture.Aperture(f"aperture_{k:02d}.png", chosen, scale)
        for k, (chosen, scale) in enumerate(zip(order, scales, strict=True))
    )


def exposure_of(radiance: np.ndarray, white: float) -> float:
    """One exposure for a scene: the brightest percent of what does not shine itself is white.

    Args:
        radiance: (3, H, W).
        white: radiance of a white surface in full light; what is brighter (windows, lamps) clips.
    """
    brightest = radiance.max(0)
    lit = brightest[brightest <= 1.05 * white]
    return 1.0 / max(1e-6, float(np.percentile(lit if lit.size else brightest, 99)))


def focus_distances(depth_w_m: np.ndarray, count: int, rng: np.random.Generator) -> list[float]:
    """Focus distances [m], near to far, each a little off even steps.

    Steps are half even in dioptres and half even in area, so that most slices have something in
    focus where a scene is empty between its near and its far things.

    Args:
        depth_w_m: (H, W) z-depth; the nearest and farthest 3 % of the pixels do not count.
        count: how many.
        rng: source of the deviations.
    """
    far, near = np.percentile(1 / depth_w_m, [3, 97])
    steps = np.linspace(0, 1, count) if count > 1 else np.array([0.5])
    steps = np.clip(steps + rng.uniform(-0.25, 0.25, count) / max(1, count - 1), 0, 1)
    by_area = np.percentile(1 / depth_w_m, 97 - 94 * steps)
    dioptres = np.sort(0.5 * (near + (far - near) * steps) + 0.5 * by_area)[::-1]
    distances = 1 / np.maximum(dioptres, 1e-9)
    return [round(float(d), 4) for d in np.clip(distances, *FOCUS_RANGE_M)]


def _write_radiance(radiance: np.ndarray, path: Path) -> None:
    value = np.sqrt(np.clip(radiance / capture.WHITE_LEVEL, 0, 1))
    # Multiples of 64 / 65535: the six lowest bits of each 16-bit sample are zero, which compress.
    step = 65536 / LEVELS / 65535
    value = np.clip(np.round(value / step), 0, LEVELS - 1) * step
    write_image(torch.from_numpy(value.astype(np.float32)), path, bits=16)


def _write_arrays(path: Path, **arrays: np.ndarray) -> None:
    write_whole(path, lambda partial: np.savez_compressed(partial, **arrays))
