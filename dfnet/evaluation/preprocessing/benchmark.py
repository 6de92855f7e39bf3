"""The whole benchmark: what is asked for, one table after another."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from rich.table import Table

from dfnet.errors import InputError
from dfnet.evaluation.preprocessing import report
from dfnet.evaluation.preprocessing.cases import RenderedSet
from dfnet.evaluation.preprocessing.given_law import run_matcher
from dfnet.evaluation.preprocessing.real import SCENES, RealSet, run_real
from dfnet.evaluation.preprocessing.run import in_fresh_process, run_methods
from dfnet.evaluation.preprocessing.speed import SpeedPair, run_speed, speed_table
from dfnet.evaluation.preprocessing.stereo import StereoSet
from dfnet.preprocess import Preprocessor
from dfnet.preprocess.match import Matcher


@dataclass(frozen=True)
class Benchmark:
    """Data and settings; see configs/benchmark_preprocess.yaml.

    Attributes:
        root: rendered stacks, or None.
        scenes: how many of them; None for all.
        slices: how many of each; None for all.
        metadata: whether cameras and focus are told.
        middlebury: folder with `cones` and `aloe`, or None.
        real: folder with examples of DC²'s page, or None.
        real_scenes: which of them.
        labels: folder with SCENE.txt, each line `near_x near_y far_x far_y`, or None.
        reduce: real pairs are used at 1 / this.
        speed: folder with a pair of photos, `wide` and `ultrawide`, or None.
        megapixels: sizes that this pair is brought to, to see what each stage costs.
        threads: per process.
        tables: filled by `run`, for JSON.
    """

    root: str | None = None
    scenes: int | None = None
    slices: int | None = None
    metadata: bool = False
    middlebury: str | None = None
    real: str | None = None
    real_scenes: tuple[str, ...] = SCENES
    labels: str | None = None
    reduce: int = 1
    speed: str | None = None
    megapixels: tuple[float, ...] = (1, 3, 6, 12)
    threads: int = 1
    tables: dict[str, list[dict]] = field(default_factory=dict)

    def run(
        self,
        methods: dict[str, Preprocessor],
        matchers: dict[str, tuple[Matcher, float]],
    ) -> Iterator[Table]:
        """The tables that the data allow, each as soon as it is done.

        Args:
            methods: whole chains by name.
            matchers: by name, with the share of the pictures' size they work at; for the stereo
                pairs, with the true law.

        Raises:
            InputError: no data are named.
        """
        if not any((self.root, self.middlebury, self.real, self.speed)):
            raise InputError(
                "root, middlebury, real, speed: none is given\n  Name at least one folder."
            )
        if self.root is not None:
            cases = RenderedSet(self.root, self.scenes, self.slices, self.metadata)
            yield self._whole_chain("rendered", f"rendered stacks, {self.root}", methods, cases)
        if self.middlebury is not None:
            cases = StereoSet(self.middlebury)
            yield self._given_law(matchers, cases)
            yield self._whole_chain("middlebury", "cones and aloe, whole chain", methods, cases)
        if self.real is not None:
            yield self._real(methods)
        if self.speed is not None:
            yield self._speed(methods)

    def _whole_chain(self, key, title, methods, cases) -> Table:
        rows = run_methods(methods, cases, self.threads)
        self.tables[key] = report.record(rows)
        return report.table(rows, title)

    def _given_law(self, matchers, cases) -> Table:
        rows = self._each(run_matcher, [(n, m, cases, share) for n, (m, share) in matchers.items()])
        self.tables["middlebury, true law given"] = report.record_by_pair(rows)
        return report.given_law_table(rows, "cones and aloe, matchers told the true law")

    def _real(self, methods) -> Table:
        pairs = RealSet(self.real, self.reduce, tuple(self.real_scenes), self.labels)
        rows = self._each(run_real, [(name, method, pairs) for name, method in methods.items()])
        self.tables["real"] = report.record_by_pair(rows)
        return report.real_table(rows, f"real pairs, {self.real}")

    def _speed(self, methods) -> Table:
        pairs = [SpeedPair(self.speed, size) for size in self.megapixels]
        rows = self._each(run_speed, [(*m, pair) for m in methods.items() for pair in pairs])
        self.tables["speed"] = [row._asdict() for row in rows]
        return speed_table(rows, f"processor seconds by stage, {self.speed}")

    def _each(self, function: Callable, calls: list[tuple]) -> list:
        return [in_fresh_process(self.threads, function, *arguments) for arguments in calls]
