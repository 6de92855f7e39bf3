"""Renders of different generator versions are neither trained on nor scored together."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from made_stack import make_stack

from dfnet.capture import find_captures
from dfnet.capture_sets import refuse_mixed_versions
from dfnet.errors import InputError
from dfnet.training.datamodule import split_captures

ROOT = Path(__file__).parents[1]


def make(folder, origin):
    make_stack(folder, (0.5, 2.0))
    path = folder / "capture.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"origin": origin}))


def rendered(version):
    return {"generator": "dfnet.render", "version": version}


@pytest.fixture
def mixed(tmp_path):
    for name, origin in (("a", rendered(1)), ("b", rendered(2)), ("c", rendered(2)), ("d", {})):
        make(tmp_path / name, origin)
    return tmp_path


def test_versions_are_counted_and_named(mixed):
    with pytest.raises(InputError, match="several generator versions") as refused:
        refuse_mixed_versions(find_captures(mixed))
    lines = str(refused.value).splitlines()
    assert lines[1].startswith("  dfnet.render 1: 1, such as ")
    assert lines[2] == f"  dfnet.render 2: 2, such as {mixed / 'b'}"


def test_captured_stacks_go_with_each_other_and_with_one_version(mixed):
    (mixed / "e").mkdir()
    (mixed / "e" / "capture.json").write_text("not readable: whoever loads it will say so")
    refuse_mixed_versions([mixed / name for name in "bcde"])
    refuse_mixed_versions([mixed / "d", mixed / "d"])


def test_training_and_validation_refuse_a_mixture_but_may_differ(mixed):
    (mixed / "v1").mkdir()
    (mixed / "a").rename(mixed / "v1" / "a")
    (mixed / "v2").mkdir()
    (mixed / "b").rename(mixed / "v2" / "b")
    train, validation = split_captures(mixed / "v1", str(mixed / "v2"))
    assert [folders[0].name for folders in (train, validation)] == ["a", "b"]
    for roots in ((mixed, mixed / "v1"), (mixed / "v1", mixed)):
        with pytest.raises(InputError, match="several generator versions"):
            split_captures(roots[0], str(roots[1]))


def test_evaluation_refuses_a_mixture(mixed):
    command = [sys.executable, str(ROOT / "evaluate.py"), f"data.root={mixed}"]
    run = subprocess.run(command, cwd=mixed, capture_output=True, text=True, timeout=120)
    assert run.returncode == 1
    assert run.stderr.startswith("error: renders of several generator versions together")
