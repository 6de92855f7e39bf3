from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from dfnet.importing.sheet import quality_sheet


def test_the_sheet_holds_pictures_whose_shapes_differ_by_rounding():
    small = [np.zeros((339, 420, 3), np.float32)] * 2
    sharpest = SimpleNamespace(index=np.zeros((339, 420)), confidence=np.ones((339, 420)))
    paths = [Path("a.jpg"), Path("b.jpg")]
    imported = SimpleNamespace(sweep=SimpleNamespace(small=small, paths=paths, sharpest=sharpest))
    picture, maps = np.zeros((851, 1051, 3), np.float32), np.ones((851, 1051), np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dfnet.importing.sheet.describe", lambda _: ["good"])
        sheet = quality_sheet(imported, picture, maps, maps)
    assert sheet.shape[1] == 3 * 420
