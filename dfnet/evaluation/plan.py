"""What an evaluation depends on, and what it finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from dfnet.errors import InputError
from dfnet.evaluation.asking import Asking
from dfnet.evaluation.perceptual import Perceptual
from dfnet.evaluation.scenes import Scene
from dfnet.evaluation.score import Row
from dfnet.evaluation.store import Entry, Store, files_named_in


@dataclass(frozen=True)
class Plan:
    """Everything that an evaluation depends on, but for the scenes.

    Attributes:
        methods: settings with `_target_` by name, as in `configs/method`.
        asking: the questions.
        perceptual: metrics that need weights.
        pair_tasks: what a published pair's target shows, by its folder's name.
        store: folder for results that later runs reuse.
    """

    methods: Mapping[str, dict]
    asking: Asking = field(default_factory=Asking)
    perceptual: Perceptual = field(default_factory=Perceptual)
    pair_tasks: Mapping[str, str] = field(default_factory=dict)
    store: Path = Path("outputs/evaluate/store")

    def entry(self, scene: Scene, digest: str, method: str | None = None) -> Entry:
        """Where a method's results on a scene are kept; without method, what the report shows."""
        about = (scene.name, digest, self.asking, dict(self.pair_tasks))
        store, name = Store(self.store), scene.name.replace("/", "_")
        if method is None:
            return store.entry(f"{name}/scene", *about)
        settings = self.methods[method]
        named = files_named_in([settings, *self.perceptual.files()])
        return store.entry(f"{name}/{method}", *about, self.perceptual, settings, named)


class SceneScores(NamedTuple):
    """What one scene gave.

    Attributes:
        scene: which.
        rows: of all methods.
        exhibits: by method (and `scene`): where its pictures for the report lie.
        skipped: `scene, task: why` for tasks that it cannot answer.
        failures: messages of what could not be used.
        ceilings: methods that were given more than one pair of photos, so bounds and no rivals.
    """

    scene: Scene
    rows: list[Row]
    exhibits: dict[str, str]
    skipped: list[str]
    failures: list[str]
    ceilings: tuple[str, ...] = ()


class Scores(NamedTuple):
    """What a run over many scenes found, scenes in order.

    Attributes:
        scenes: one by one.
    """

    scenes: list[SceneScores]

    @property
    def rows(self) -> list[Row]:
        """Of all scenes."""
        return [row for scene in self.scenes for row in scene.rows]

    @property
    def skipped(self) -> list[str]:
        """What could not be asked, and why."""
        return [remark for scene in self.scenes for remark in scene.skipped]

    @property
    def ceilings(self) -> frozenset[str]:
        """Methods that no place is given to."""
        return frozenset(name for scene in self.scenes for name in scene.ceilings)

    @property
    def failures(self) -> list[str]:
        """What could not be used."""
        return [message for scene in self.scenes for message in scene.failures]

    def raise_failures(self) -> None:
        """Name what failed, after the others are done.

        Raises:
            InputError: there is something.
        """
        if self.failures:
            names = "\n".join(self.failures)
            raise InputError(f"some captures could not be used; the others were scored\n{names}")
