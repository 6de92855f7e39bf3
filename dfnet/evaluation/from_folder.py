"""Anybody's output files, scored as any method: one picture per question, named after it."""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from dfnet.errors import InputError
from dfnet.evaluation.question import Question
from dfnet.io.images import read_image

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")


@dataclass(frozen=True)
class FromFolder:
    """Reads the answer that somebody else's program wrote.

    Attributes:
        path: the folder, or one picture that answers every question (for a single published pair).
        file: where in it an answer lies, without suffix: `{scene}` is the capture's folder,
            `{answer}` the question in full (`refocus_slice_0_to_slice_3`), `{task}` its task.
    """

    path: str
    file: str = "{scene}/{answer}"

    needs_guide = False

    def __call__(self, question: Question) -> Tensor:
        """The picture in the file, at the file's own size.

        Raises:
            InputError: there is none, or it cannot be read.
        """
        return read_image(self._place(question))

    def _place(self, question: Question) -> Path:
        path = Path(self.path)
        if path.is_file():
            return path
        names = {"scene": question.scene, "task": question.task, "answer": question.file_stem}
        try:
            place = path / self.file.format(**names)
        except (KeyError, IndexError, ValueError) as error:
            raise InputError(
                f"file={self.file}: not a pattern of file names ({error})\n"
                "  It may hold {scene}, {task} and {answer}."
            ) from error
        for suffix in SUFFIXES:
            if (found := place.with_name(place.name + suffix)).is_file():
                return found
        raise InputError(
            f"{place}.png: no such file, nor with another suffix\n"
            f"  {question.scene} asks for {question.task}, {question.name}."
        )
