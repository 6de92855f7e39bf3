"""Defocus control from a phone's wide and ultra-wide photos."""

__version__ = "0.1.0"
