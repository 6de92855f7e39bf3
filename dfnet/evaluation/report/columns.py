"""How each metric is called, written and ranked."""

from collections.abc import Mapping
from typing import NamedTuple

from dfnet.evaluation.control import UNIFORM_PX
from dfnet.evaluation.intervals import Interval
from dfnet.evaluation.metrics import EQUAL_PICTURES_DB

HIGHER, LOWER, NEAR_ONE, UNRANKED = "higher is better", "lower is better", "1 is best", ""


class Column(NamedTuple):
    """One metric in a table.

    Attributes:
        label: with its unit.
        decimals: shown.
        best: which end is better.
        means: what it says, in one sentence.
    """

    label: str
    decimals: int
    best: str
    means: str

    def value(self, value: float) -> str:
        """A number as text."""
        if self.label.startswith("PSNR") and value >= EQUAL_PICTURES_DB:
            return "equal"
        return f"{value:.{self.decimals}f}"

    def with_interval(self, interval: Interval) -> str:
        """A mean with its interval; of a single scene, only that it is one."""
        mean = self.value(interval.mean)
        if mean == "equal":
            return mean
        if interval.low is None:
            return f"{mean} (n=1)"
        return f"{mean} [{self.value(interval.low)}, {self.value(interval.high)}]"

    def loss(self, value: float) -> float:
        """Smaller is better."""
        return {HIGHER: -value, LOWER: value, NEAR_ONE: abs(value - 1)}[self.best]


COLUMNS = {
    "psnr_db": Column("PSNR [dB]", 2, HIGHER, "error of sRGB values; for another exposure after "
                      "aligning the truth and fitting a gain"),
    "ssim": Column("SSIM", 3, HIGHER, "structural similarity; gray for another exposure"),
    "lpips": Column("LPIPS", 3, LOWER, "perceptual distance"),
    "dists": Column("DISTS", 3, LOWER, "structure and texture distance, whole frames only"),
    "gradient_ratio": Column("gradient", 2, NEAR_ONE, "gradient magnitude over the truth's: below "
                             "1 too soft, above too sharp or noisy"),
    "raw_psnr_db": Column("raw PSNR [dB]", 2, UNRANKED, "without aligning; mostly misalignment"),
    "shift_px": Column("shift [px]", 1, UNRANKED, "how far the truth had to move"),
    "scale_percent": Column("scale [%]", 2, UNRANKED, "how much larger the truth shows things"),
    "gain_percent": Column("gain [%]", 1, UNRANKED, "fitted to the output, worst channel"),
    "aperture_slope": Column("aperture slope", 2, NEAR_ONE, "blur shown per blur asked, over an "
                             "aperture ramp, as the truth's slices show it"),
    "aperture_rank": Column("aperture rank", 2, HIGHER, "rank correlation over that ramp"),
    "focus_slope": Column("focus slope", 2, NEAR_ONE, "the same over a focus ramp"),
    "focus_rank": Column("focus rank", 2, HIGHER, "rank correlation over that ramp"),
    "step_0.25_px": Column("step 0.25 px", 2, NEAR_ONE, "change of the output when the target "
                           "moves by this, over a quarter of that for 1 px"),
    "step_0.5_px": Column("step 0.5 px", 2, NEAR_ONE, "the same, over half of that for 1 px"),
    "floor_px": Column("floor [px]", 1, LOWER, "blur that is left where everything is asked sharp"),
    **{
        f"uniform_{asked}_px": Column(f"uniform {asked} px", 2, NEAR_ONE,
                                      "blur read, over what was asked everywhere")
        for asked in UNIFORM_PX
    },
    "reading_slope": Column("reading slope", 2, UNRANKED, "blur read of the true slices per true "
                            "blur: the measure itself"),
    "reading_rank": Column("reading rank", 2, UNRANKED, "their rank correlation"),
}  # fmt: skip


def places(metric: str, means: Mapping[str, float]) -> dict[str, int]:
    """Which method comes first and second; equal ones share a place.

    Args:
        metric: one of `COLUMNS`.
        means: by method.

    Returns:
        1 or 2 by method; nothing for metrics without a better end.
    """
    column = COLUMNS[metric]
    if column.best == UNRANKED or len(means) < 2:
        return {}
    losses = {name: round(column.loss(value), 9) for name, value in means.items()}
    best = sorted(set(losses.values()))[:2]
    return {name: best.index(loss) + 1 for name, loss in losses.items() if loss in best}


def plain(name: str) -> str:
    """A name of a task, method or part, for people."""
    return name.replace("_", " ")
