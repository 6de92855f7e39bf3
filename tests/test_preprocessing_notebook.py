"""The notebook that teaches preprocessing runs as committed, and shows what it says it shows."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "preprocessing.ipynb"


def test_it_is_committed_without_outputs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.fixture(scope="module")
def outputs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    place = {"metadata": {"path": NOTEBOOK.parent}}
    # What the reader would look at is checked too: the numbers behind the two charts.
    notebook.cells.append(
        nbformat.v4.new_code_cell(
            "print('V', float((torch.tensor(best) - torch.tensor(expected)).abs().median()))\n"
            "print('plain', *(float(x) for x in plain))\n"
            "print('aware', *(float(x) for x in aware))\n"
            "print('offsets', *(float(x) for x in offsets))"
        )
    )
    done = NotebookClient(notebook, timeout=300, resources=place).execute()
    return [output for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]


def numbers(outputs, name):
    text = "".join(output.get("text", "") for output in outputs)
    return [float(x) for x in re.search(rf"^{name} (.*)$", text, re.M).group(1).split()]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of jupyter's own libraries
def test_five_pictures_come_out(outputs):
    pictures = [o["data"]["image/png"] for o in outputs if "image/png" in o.get("data", {})]
    assert len(set(pictures)) == 5


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_charts_show_the_v_and_the_valley(outputs):
    assert numbers(outputs, "V")[0] < 2.0  # px of blur; levels are 1.5 apart
    offsets, plain, aware = (numbers(outputs, n) for n in ("offsets", "plain", "aware"))
    assert abs(offsets[aware.index(min(aware))]) <= 2
    assert min(aware) < 0.3 * min(plain)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_chain_finds_the_blur(outputs):
    text = "".join(output.get("text", "") for output in outputs)
    share, middle = re.search(r"called valid: (\d+)% of W, blur off by ([\d.]+) px", text).groups()
    assert int(share) > 30
    assert float(middle) < 1.0
