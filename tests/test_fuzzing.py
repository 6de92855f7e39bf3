"""A thousand damaged files in front of every reader; scripts/fuzz_files.py has more."""

import os
import time
from pathlib import Path

import pytest

from dfnet.fuzzing import Bounds, Seed, fuzz, readers, seed_of_file, seeds

pytest.importorskip("resource", reason="bounds need POSIX")
SHARES = {"photo": 240}
OTHERS = 85
KINDS = sorted({seed.kind for seed in seeds()})


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_files_are_read_or_refused(kind, capfd):
    whole = [seed for seed in seeds() if seed.kind == kind]
    found = [f for f in fuzz(whole, SHARES.get(kind, OTHERS), seed=2026) if f is not None]
    assert [f.trace for f in found] == []


def test_it_is_a_thousand():
    assert sum(SHARES.get(kind, OTHERS) for kind in KINDS) >= 1000


@pytest.mark.parametrize("kind", KINDS)
def test_whole_files_are_read(kind, tmp_path):
    for seed in seeds():
        if seed.kind == kind:
            path = tmp_path / seed.name
            path.write_bytes(seed.data)
            assert any(answers(read, path) for read in readers.READERS[kind]), seed.name


def answers(read, path):
    try:
        read(path)
    except ValueError:
        return False
    return True


def breaks(path):
    raise KeyError(path.name)


def refuses(path):
    raise ValueError(path.name)


def hangs(path):
    end = time.process_time() + 20
    while time.process_time() < end:
        pass


def swallows(path):
    held.append(bytearray(os.urandom(1)) * (60 << 20))


held = []


@pytest.mark.parametrize(
    ("reader", "trace"),
    [
        (breaks, "KeyError"),
        (refuses, None),
        (hangs, "TookTooLong"),
        (swallows, "grew beyond 40 MB"),
    ],
)
def test_what_breaks_is_found(monkeypatch, reader, trace):
    monkeypatch.setitem(readers.READERS, "made", (reader,))
    found = list(fuzz([Seed("made", "a.bin", b"abc")], 2, 0, Bounds(0.2, 40)))
    held.clear()
    assert len(found) == 2
    if trace is None:
        assert found == [None, None]
    else:
        assert any(trace in f.trace for f in found if f)


def test_the_same_seed_makes_the_same_files(monkeypatch):
    seen = []
    monkeypatch.setitem(readers.READERS, "made", (lambda path: seen.append(path.read_bytes()),))
    whole = [Seed("made", "a.json", b'{"a": [1, {"b": "c"}]}')]
    for _ in range(2):
        list(fuzz(whole, 30, seed=4))
    assert seen[:30] == seen[30:]
    assert len(set(seen)) > 20


def test_photos_that_are_named_are_read_as_what_they_are():
    heic = seed_of_file(Path(__file__).parent / "turned_p3.heic")
    assert (heic.kind, heic.name) == ("heic", "photo.heic")
    assert set(readers.READERS["heif"]) < set(readers.READERS[heic.kind])
