"""An import in plain words: what was found, and whether to trust it."""

import numpy as np

SURE = 0.5
FEW_SURE, SOME_SURE = 0.35, 0.6  # shares of the frame
LOOSE_LINK = 0.6  # likeness of neighbouring photos
WEAK_DIRECTION = 0.3  # rank correlation


def describe(imported) -> list[str]:
    """The verdict, one sentence a line, the judgement first.

    Args:
        imported: `dfnet.importing.pipeline.Imported`.
    """
    sweep, direction, geometry = imported.sweep, imported.direction, imported.geometry
    complaints = [*_complaints(imported), *sweep.notes, *geometry.notes]
    share = sure_share(sweep)
    word = "poor" if share < FEW_SURE else "usable" if share < SOME_SURE else "good"
    height, width = sweep.shape
    return [
        f"{word}: {len(sweep.paths)} slices of {width}x{height}, sharp and trusted in "
        f"{100 * share:.0f} % of the frame",
        f"order: {sweep.ordered_by}; near end: {direction.source} ({direction.reason})",
        _alignment(sweep),
        _blur(imported),
        *(f"note: {c}" for c in complaints),
    ]


def sure_share(sweep) -> float:
    """Share of the frame that counts in an evaluation."""
    return float((sweep.sharpest.confidence > SURE).mean())


def _alignment(sweep) -> str:
    zooms = sweep.poses.zooms
    kind = "scale and shift" if sweep.poses.model == "similarity" else "homography (hand-held)"
    breathing = 100 * (max(zooms) / min(zooms) - 1)
    gains = sweep.gains.max(axis=1)
    exposure = 100 * (gains.max() / gains.min() - 1)
    return f"alignment: {kind}, breathing {breathing:.1f} %; exposure differed by {exposure:.0f} %"


def _blur(imported) -> str:
    geometry = imported.geometry
    focus = np.array(geometry.disparity_at_focus_px)
    span = float(np.abs(focus[0] - focus[-1]) * geometry.defocus_per_disparity)
    told = imported.source.ultrawide_by
    guide = "without ultra-wide photo" if told is None else f"ultra-wide photo told by {told}"
    return f"blur: {span:.1f} px from the first slice's focus to the last's; {guide}"


def _complaints(imported) -> list[str]:
    sweep, direction = imported.sweep, imported.direction
    found = []
    if direction.source == "guess":
        found.append("Near and far are guessed; a metadata file or an ultra-wide photo would tell.")
    neighbours = [k for k in sweep.links if k.second == k.first + 1]
    loose = [k for k in neighbours if k.likeness < LOOSE_LINK]
    if loose:
        found.append(f"{len(loose)} neighbouring photos fit each other badly; did something move?")
    if imported.guide is not None and not _in_order(imported.geometry):
        found.append("The focus of the slices does not follow the disparity from near to far.")
    counts = np.bincount(
        sweep.sharpest.index.round().astype(int).ravel(), minlength=len(sweep.paths)
    )
    idle = [sweep.paths[i].name for i in np.flatnonzero(counts < 0.002 * counts.sum())]
    if idle:
        found.append(f"Nothing is sharpest in {', '.join(idle)}.")
    return found


def _in_order(geometry) -> bool:
    return bool((np.diff(geometry.disparity_at_focus_px) < 0).all())
