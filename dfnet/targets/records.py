"""What all steps are: frozen records that refuse what is no number or text."""

import math
from dataclasses import dataclass, fields

from dfnet.errors import InputError


@dataclass(frozen=True)
class Record:
    """A step whose fields are finite numbers and text, as they are declared.

    Raises:
        InputError: on making one of anything else.
    """

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.default is None:
                continue
            if not _is_a(value, field.type):
                raise InputError(
                    f"{type(self).__name__}: {field.name} is {value!r}\n"
                    f"  It must be {_WORDS.get(field.type, 'a finite number')}."
                )


_WORDS = {str: "text", tuple: "a tuple of steps"}


def _is_a(value: object, kind: type) -> bool:
    if kind in (str, tuple):
        return isinstance(value, kind)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


def need_positive(wish: str, value: float) -> None:
    """Refuse what is not above zero, naming the wish that holds it."""
    if value <= 0:
        raise InputError(f"{wish}={value:g}: must be more than 0")


def need_not_negative(wish: str, value: float) -> None:
    """Refuse a negative number, naming the wish that holds it."""
    if value < 0:
        raise InputError(f"{wish}: {value:g} is negative\n  It must be 0 or more.")
