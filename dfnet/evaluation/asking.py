"""What an evaluation asks for, as a user sets it."""

from dataclasses import dataclass

from dfnet.errors import InputError

TASKS = ("all_in_focus", "refocus", "shallow_depth_of_field", "identity")
CONTROL = "control"  # asked only by name: ramps, no single answer
PREPROCESSING = ("estimated", "truth")


@dataclass(frozen=True)
class Asking:
    """What is asked of each capture.

    Attributes:
        tasks: some of `TASKS`, and `control`.
        preprocessing: `estimated` from the two photos, as users have it, or `truth`.
        refocus_pairs: how many ordered pairs of slices, `all`, or `extremes`.
        seed: of the drawing of pairs.
    """

    tasks: tuple[str, ...] = TASKS
    preprocessing: str = "estimated"
    refocus_pairs: int | str = 4
    seed: int = 0

    def __post_init__(self):
        for setting, names, known in (
            ("tasks", self.tasks, (*TASKS, CONTROL)),
            ("preprocessing", [self.preprocessing], PREPROCESSING),
        ):
            unknown = [name for name in names if name not in known]
            if unknown:
                raise InputError(
                    f"{setting}: `{unknown[0]}` is not known\n  Choose from {', '.join(known)}."
                )
        pairs = self.refocus_pairs
        if pairs not in ("all", "extremes") and not (isinstance(pairs, int) and pairs > 0):
            raise InputError(
                f"refocus_pairs: `{pairs}` is not a number of pairs\n"
                "  Give one, such as 4, or `all`, or `extremes`."
            )
