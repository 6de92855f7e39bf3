import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "app.py"
WITHOUT_GRADIO = """
import runpy, sys
sys.modules["gradio"] = None
sys.argv = ["app.py"]
runpy.run_path({script!r}, run_name="__main__")
"""


def test_it_serves_this_computer_and_leaves_nothing_behind(tmp_path):
    pytest.importorskip("gradio", reason="the extra app is missing")
    app = subprocess.Popen(
        [sys.executable, str(SCRIPT), "--device", "cpu"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    try:
        said = app.stdout.readline()
        assert said.startswith("Open http://127.0.0.1:")
        with urllib.request.urlopen(said.split()[1], timeout=60) as page:
            assert b"dfnet" in page.read()
        assert list(tmp_path.glob("dfnet-app-*"))
        app.send_signal(signal.SIGTERM)
        assert app.wait(60) == 0
    finally:
        app.kill()
        app.stdout.close()
    assert not list(tmp_path.glob("dfnet-app-*"))


def test_without_its_extra_it_says_what_to_install():
    run = [sys.executable, "-c", WITHOUT_GRADIO.format(script=str(SCRIPT))]
    tried = subprocess.run(run, capture_output=True, text=True, timeout=300)
    assert tried.returncode == 1
    assert "the web app needs the extra `app`" in tried.stderr
    assert "Traceback" not in tried.stderr
