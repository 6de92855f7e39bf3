"""A focus stack whose truth is known by construction: two fronto-parallel planes, no renderer."""

import json

import cv2
import numpy as np

HEIGHT, WIDTH = 80, 112
NEAR_M, FAR_M = 0.5, 2.0
FOCAL_LENGTH_PX, BASELINE_M = 400.0, 0.01
WIDE = {"focal_length_m": 0.006, "f_number": 2.0, "focal_length_px": FOCAL_LENGTH_PX}
ULTRAWIDE = {**WIDE, "position_m": [BASELINE_M, 0.0, 0.0]}


def make_stack(folder, focus_distances_m, seed=0):
    """Write the stack and return its folder; blur is a Gaussian, which no test here looks at."""
    depth_m = np.full((HEIGHT, WIDTH), FAR_M, np.float32)
    depth_m[20:60, 40:80] = NEAR_M
    flow = np.zeros((2, HEIGHT, WIDTH), np.float32)
    flow[0] = -FOCAL_LENGTH_PX * BASELINE_M / depth_m  # UW to the right: things move left
    texture = np.random.default_rng(seed).uniform(0.05, 0.9, (HEIGHT, WIDTH, 3))
    texture = cv2.GaussianBlur(texture, None, 1.0).astype(np.float32)
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    shifted = cv2.remap(texture, x - flow[0], y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)

    (folder / "truth").mkdir(parents=True)
    wide = [f"wide_{i:02d}.png" for i in range(len(focus_distances_m))]
    for i, name in enumerate(wide):
        _write(folder / name, cv2.GaussianBlur(texture, None, 0.5 + i))
    _write(folder / "ultrawide.png", shifted)
    _write(folder / "truth/all_in_focus.png", texture)
    occluded = np.zeros((HEIGHT, WIDTH), bool)
    occluded[20:60, 80:86] = True
    np.savez_compressed(
        folder / "truth/geometry.npz",
        depth_w_m=depth_m,
        flow_w_to_uw=flow,
        occluded_w=occluded,
    )
    record = {
        "format": 1,
        "wide": wide,
        "ultrawide": ["ultrawide.png"],
        "encoding": "sqrt_linear",
        "focus_distance_m": list(focus_distances_m),
        "cameras": {"wide": WIDE, "ultrawide": ULTRAWIDE},
        "truth": {"all_in_focus": "truth/all_in_focus.png", "geometry": "truth/geometry.npz"},
    }
    (folder / "capture.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def _write(path, linear):
    stored = np.sqrt(linear / 4.0)
    cv2.imwrite(str(path), (stored[..., ::-1] * 65535).round().astype(np.uint16))
