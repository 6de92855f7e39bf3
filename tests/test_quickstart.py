"""The notebook runs as committed, from the bundled sample to three pictures."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from dfnet.model.released import RELEASED

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "quickstart.ipynb"


@pytest.fixture
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_committed_without_outputs(notebook):
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of jupyter's own libraries
@pytest.mark.skipif(not RELEASED.is_dir(), reason="needs the released weights")
def test_it_ends_in_three_pictures(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    client = NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": NOTEBOOK.parent}}
    )
    done = client.execute()
    shown = [
        output
        for cell in done.cells[-3:]
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    assert len(shown) == 3
    assert len({output["data"]["image/png"] for output in shown}) == 3
