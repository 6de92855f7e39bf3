"""Many scenes: progress, a sane time left, and nothing half-done after any kill."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dfnet.capture import find_captures, load_capture
from dfnet.render import farm
from dfnet.render.farm import render_stacks, time_left
from dfnet.render.identity import read_set
from dfnet.render.partial import partial_folder, remove_abandoned
from dfnet.render.scene import SceneOptions
from dfnet.render.stack import StackOptions

ROOT = Path(__file__).parents[1]
SCENE = SceneOptions(size=(64, 64), kind="room")
STACK = StackOptions(2, lens_samples=2, ultrawide_samples=1, sharp_samples=1, apertures=0)
NAMES = {seed: f"scene_{seed}" for seed in range(5)}
# Writes its first picture, says so and hangs, as a scene that takes long.
HANGING = """
import sys, time
from pathlib import Path
from dfnet.render import farm, stack
from dfnet.render.scene import SceneOptions
written = stack._write_arrays
def hang(path, **arrays):
    written(path, **arrays)
    print("hanging", flush=True)
    time.sleep(60)
stack._write_arrays = hang
if __name__ == "__main__":
    options = stack.StackOptions(2, 2, 1, 1, 0)
    scene = SceneOptions(size=(64, 64), kind="room")
    stack.render_stack(4, Path(sys.argv[1]) / "scene_4", scene, options)
"""


@pytest.fixture
def rendered(monkeypatch):
    """Stand in for the renderer: folders that appear at once; their seeds in order."""
    seeds = []

    def render(seed, folder, scene, stack):
        seeds.append(seed)
        folder.mkdir()

    monkeypatch.setattr(farm, "render_stack", render)
    return seeds


def test_what_is_there_is_counted_and_the_rest_rendered(tmp_path, rendered):
    (tmp_path / "scene_1").mkdir()
    (tmp_path / "scene_3").mkdir()
    lines = list(render_stacks(tmp_path, NAMES, SCENE, STACK, workers=1))
    assert rendered == [0, 2, 4]
    assert lines[0] == "[2/5] were there"
    assert [line.split(" in ")[0] for line in lines[1:]] == [
        "[3/5] scene_0",
        "[4/5] scene_2",
        "[5/5] scene_4",
    ]
    assert lines[-1].endswith("about 0 s left")
    assert list(render_stacks(tmp_path, NAMES, SCENE, STACK, workers=1)) == ["[5/5] were there"]


@pytest.mark.parametrize(
    ("durations_s", "scenes", "workers", "words"),
    [
        ([40.0], 3, 1, "about 2 min"),
        ([40.0], 3, 2, "about 60 s"),
        ([300.0, 40.0, 42.0], 239, 2, "about 84 min"),  # the first one waited for the compiler
        ([40.0], 1, 64, "about 40 s"),
        ([40.0], 0, 2, "about 0 s"),
    ],
)
def test_the_time_left_is_shared_by_the_workers(durations_s, scenes, workers, words):
    assert time_left(durations_s, scenes, workers) == words


def partial(parent, host, pid, name="scene", age_s=0.0):
    folder = parent / f".partial-{host}-{pid}-{name}"
    (folder / "truth").mkdir(parents=True)
    (folder / "truth" / "picture.png").write_text("")
    then = time.time() - age_s
    for path in (folder, folder / "truth", folder / "truth" / "picture.png"):
        os.utime(path, (then, then))
    return folder


def test_what_dead_processes_left_is_removed_and_live_ones_keep_theirs(tmp_path):
    here = socket.gethostname().replace("-", "_")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    kept = [
        partial(tmp_path, here, os.getpid()),
        partial(tmp_path, "elsewhere", ended.pid),
        partial(tmp_path, "elsewhere", 7, age_s=3000),
    ]
    partial(tmp_path, here, ended.pid)
    partial(tmp_path, "elsewhere", 8, age_s=4000)
    partial(tmp_path, here, os.getpid(), "other", age_s=4000)
    assert partial_folder(tmp_path / "scene") == kept[0]
    assert remove_abandoned(tmp_path) == 3
    assert sorted(tmp_path.iterdir()) == sorted(kept)
    assert remove_abandoned(tmp_path / "nowhere") == 0


def test_a_killed_run_goes_on_and_leaves_no_half_scene(tmp_path):
    script = tmp_path / "hanging.py"
    script.write_text(HANGING)
    output = tmp_path / "set"
    output.mkdir()
    run = subprocess.Popen(
        [sys.executable, str(script), str(output)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert run.stdout.readline() == b"hanging\n"
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    (left,) = output.iterdir()
    assert left.name.startswith(".partial-")
    assert (left / "truth" / "geometry.npz").exists()
    lines = list(render_stacks(output, {4: "scene_4"}, SCENE, STACK, workers=1))
    assert lines[0] == "removed 1 unfinished scenes of a run that was killed"
    assert [p.name for p in output.iterdir()] == ["scene_4"]
    assert load_capture(output / "scene_4").load_wide(1).shape == (3, 64, 64)


def test_workers_end_when_their_program_is_killed(tmp_path):
    script = tmp_path / "waiting.py"
    script.write_text(
        "import multiprocessing, time\n"
        "from dfnet.render.farm import _start_worker\n"
        "def wait():\n"
        "    _start_worker()\n"
        "    print('started', flush=True)\n"
        "    time.sleep(60)\n"
        "if __name__ == '__main__':\n"
        "    multiprocessing.get_context('spawn').Process(target=wait).start()\n"
        "    time.sleep(60)\n"
    )
    run = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert run.stdout.readline() == b"started\n"
    run.send_signal(signal.SIGKILL)
    run.wait()
    # The pipe ends when the last process that could write to it has ended.
    started = time.monotonic()
    assert run.stdout.read() == b""
    assert time.monotonic() - started < 30
    run.stdout.close()


def test_a_multirun_fills_one_set(tmp_path):
    command = [sys.executable, str(ROOT / "scripts/render_stacks.py"), "--multirun"]
    command += [f"output={tmp_path}/set", "first_seed=range(6,10,2)", "scenes=1", "kind=shelf"]
    command += ["size=[128,128]", "lens_samples=1", "slices=1", "apertures=0", "workers=1"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert read_set(tmp_path / "set")["seeds"] == [[6, 6], [8, 8]]
    names = [folder.name for folder in find_captures(tmp_path / "set")]
    assert names == ["scene_000006", "scene_000008"]
    command[-2] = "apertures=1"
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert run.returncode == 1
    assert "stack.apertures: the set has 0, asked for is 1" in run.stderr
