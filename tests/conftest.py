"""Fixtures that more than one file uses."""

from refocus_command import photos, run, weights  # noqa: F401
