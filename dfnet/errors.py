"""The one error that is the user's to mend."""


class InputError(ValueError):
    """Something the user gave cannot be used.

    The message says where, what, why and what to do next, in up to a few lines. Entry points print
    it after `error: ` and exit with code 1; library callers catch it as a `ValueError`.
    """
