"""Real pairs, of which less is known: agreement of views, of keypoints, of detail."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from dfnet.errors import InputError
from dfnet.evaluation.preprocessing.authors_map import compare_maps, levels_from_magma
from dfnet.evaluation.preprocessing.labels import agreeing_share, read_labels
from dfnet.evaluation.preprocessing.likeness import detail_correlation, keypoint_agreement
from dfnet.io.images import read_image
from dfnet.preprocess import Preprocessor
from dfnet.preprocess.match import EpipolarPair, Match, Matcher, sample_row

KEYPOINT_PX = 4.0
SCENES = ("kitchen", "book", "cafeteria", "gameroom", "staged")
ALL_IN_FOCUS = ("kitchen", "book")  # whose target shows everything sharp
AUTHORS_MAP = "source_defocus_magma.jpg"
CONSISTENT_PX = 6.0  # of W's full size: 1.5 px at quarter resolution


class RealScore(NamedTuple):
    """One real pair's figures; NaN where the pair cannot tell.

    Attributes:
        valid: share of W's pixels that the result calls valid.
        consistent: share on which the matches of both views agree to 6 px of W's full size.
        keypoints: share of keypoint matches that the flow meets within 4 px of W's full size.
        keypoints_valid: the same among those where the result is valid.
        order: share of a person's pairs of points whose nearer one is the nearer one here.
        ncc: high-pass correlation of guide and truth.
        ncc_defocused: the same where W is most defocused.
        pearson: correlation with the authors' own defocus map, over valid pixels.
        defocus_per_disparity: of the fitted blur law; 0 is "no defocus".
        disparity_at_focus_px: of the same, in pixels of W's full size.
        processor_s: of all threads together, for the pair.
    """

    valid: float
    consistent: float
    keypoints: float
    keypoints_valid: float
    order: float
    ncc: float
    ncc_defocused: float
    pearson: float
    defocus_per_disparity: float
    disparity_at_focus_px: float
    processor_s: float


class RealPair(NamedTuple):
    """A real pair and what is known of it.

    Attributes:
        name: of the scene.
        image_w: (3, H, W).
        image_uw: (3, H', W').
        all_in_focus: (3, H, W) by W, or None.
        authors_coc: (1, H, W) in an unknown unit, or None.
        w_px_full: W's full-size pixels per pixel of `image_w`.
        labels: (n, 4) of `read_labels`, or None.
    """

    name: str
    image_w: Tensor
    image_uw: Tensor
    all_in_focus: Tensor | None
    authors_coc: Tensor | None
    w_px_full: float
    labels: np.ndarray | None = None


@dataclass(frozen=True)
class RealSet:
    """The examples of DC²'s project page.

    Attributes:
        root: folder with one folder per scene: `wide`, `ultrawide` and what there is of truth.
        reduce: W and UW are used at 1 / this.
        scenes: some of `SCENES`.
        labels: folder with a person's labels, SCENE.txt, or None.
    """

    root: str
    reduce: int = 1
    scenes: tuple[str, ...] = SCENES
    labels: str | None = None

    def __iter__(self) -> Iterator[RealPair]:
        """The pairs that are there.

        Raises:
            InputError: there is none.
        """
        scenes = [scene for scene in self.scenes if (Path(self.root) / scene).is_dir()]
        if not scenes:
            raise InputError(
                f"{self.root}: none of the folders {', '.join(SCENES)}\n"
                "  real=DIR takes a copy of the examples on DC²'s project page."
            )
        for scene in scenes:
            yield self._pair(Path(self.root) / scene)

    def _pair(self, folder: Path) -> RealPair:
        target = self._read(folder, "target.*") if folder.name in ALL_IN_FOCUS else None
        authors = folder / AUTHORS_MAP
        coc = levels_from_magma(read_image(authors)) if authors.is_file() else None
        wide, ultrawide = self._read(folder, "wide.*"), self._read(folder, "ultrawide.*")
        path = None if self.labels is None else Path(self.labels) / f"{folder.name}.txt"
        labels = read_labels(path) if path is not None and path.is_file() else None
        return RealPair(folder.name, wide, ultrawide, target, coc, self.reduce, labels)

    def _read(self, folder: Path, pattern: str) -> Tensor:
        path = next(folder.glob(pattern), folder / pattern)
        return F.avg_pool2d(read_image(path), self.reduce)


@dataclass
class Recorder:
    """A matcher that keeps what it was asked and answered last."""

    matcher: Matcher
    pair: EpipolarPair | None = None
    match: Match | None = None

    def __call__(self, pair: EpipolarPair) -> Match:
        """Ask the matcher."""
        self.pair, self.match = pair, self.matcher(pair)
        return self.match


class RealRow(NamedTuple):
    """A method's figures by scene, and `scene: message` of those it refused."""

    method: str
    scores: dict[str, RealScore]
    refused: tuple[str, ...]


def run_real(name: str, preprocessor: Preprocessor, pairs: RealSet) -> RealRow:
    """One method on all real pairs."""
    scores, refused = {}, []
    for pair in pairs:
        try:
            scores[pair.name] = score_real(preprocessor, pair)
        except InputError as error:
            refused.append(f"{pair.name}: {str(error).splitlines()[0]}")
    return RealRow(name, scores, tuple(refused))


def score_real(preprocessor: Preprocessor, pair: RealPair) -> RealScore:
    """Preprocess a real pair without metadata and hold it against what is known."""
    last = "first" if preprocessor.matcher is None else "matcher"
    recorder = Recorder(getattr(preprocessor, last))
    start = time.process_time()
    result = replace(preprocessor, **{last: recorder})(pair.image_w, pair.image_uw)
    seconds = time.process_time() - start
    nan = float("nan")
    detail = (nan, nan)
    if pair.all_in_focus is not None:
        detail = detail_correlation(result.uw_on_w, pair.image_w, pair.all_in_focus)
    order = nan
    if pair.labels is not None:
        order = agreeing_share(result.disparity_w_px, pair.labels, pair.w_px_full)
    pearson = nan
    if pair.authors_coc is not None:
        pearson = compare_maps(result, pair.authors_coc).pearson
    return RealScore(
        float(result.valid_w.float().mean()),
        consistent_share(recorder.pair, recorder.match, pair),
        *keypoint_agreement(result, pair.image_w, pair.image_uw, KEYPOINT_PX / pair.w_px_full),
        order,
        *detail,
        pearson,
        result.blur_law.defocus_per_disparity,
        result.blur_law.disparity_at_focus_px * pair.w_px_full,
        seconds,
    )


def consistent_share(asked: EpipolarPair, match: Match, pair: RealPair) -> float:
    """Share of W's pixels whose motion UW's confirms; what a matcher left out counts as not."""
    rows, columns = asked.gray_w.shape
    low, high = asked.motion_range
    margin = int(np.ceil(max(-low, high, 0)))  # beyond W's frame on both sides
    scale = np.sqrt(rows * (columns - 2 * margin) / pair.image_w[0].numel())
    off = np.abs(sample_row(match.motion_uw, match.motion_w) - match.motion_w)
    inside = off[:, margin : columns - margin] / scale * pair.w_px_full
    return float((inside < CONSISTENT_PX).mean())  # comparing with NaN is false
