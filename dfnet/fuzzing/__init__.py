"""Damaged files for everything of ours that reads files (scripts/fuzz_files.py)."""

from dfnet.fuzzing.run import Bounds, Finding, fuzz
from dfnet.fuzzing.seeds import Seed, seed_of_file, seeds

__all__ = ["Bounds", "Finding", "Seed", "fuzz", "seed_of_file", "seeds"]
