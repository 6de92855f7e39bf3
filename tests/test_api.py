import subprocess
import sys

import pytest

import dfnet


@pytest.mark.parametrize("name", dfnet.__all__)
def test_what_is_promised_is_there(name):
    assert getattr(dfnet, name).__name__.split(".")[-1] == name


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="no attribute 'refokus'"):
        _ = dfnet.refokus


def test_the_package_alone_is_light():
    """`import dfnet` for its version must not wait for torch."""
    code = "import sys, dfnet; print(dfnet.__version__, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [dfnet.__version__, "False"]
