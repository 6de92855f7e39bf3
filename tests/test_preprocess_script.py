import subprocess
import sys
from pathlib import Path

import hydra
import pytest
from hydra import compose, initialize_config_dir
from made_pair import CARD_PX, make_pair
from PIL import ExifTags, Image
from test_preprocess_captures import write_capture

from dfnet.errors import InputError
from dfnet.io.images import read_image, write_image
from dfnet.preprocess import Preprocessor, batch, preprocess_pair
from dfnet.preprocess.batch import Job, preprocess_folder, preprocess_photos
from dfnet.preprocess.sheet import contact_sheet

ROOT = Path(__file__).resolve().parents[1]


def run(*arguments, cwd):
    command = [sys.executable, str(ROOT / "scripts/preprocess.py"), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.fixture
def photos(tmp_path):
    made = make_pair((0.0, 1.0))
    paths = tmp_path / "my wide (1), a=b.png", tmp_path / "uw.png"
    for image, path in zip(made[:2], paths, strict=True):
        write_image(image, path)
    return paths


def test_a_pair_becomes_one_sheet_and_nothing_else(photos, tmp_path):
    wide, ultrawide = photos
    done = run(f"wide={wide}", f"ultrawide={ultrawide}", "output=sheet.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert read_image(tmp_path / "sheet.png").shape[0] == 3
    assert {p.name for p in tmp_path.iterdir()} == {wide.name, ultrawide.name, "sheet.png"}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["wide=gone.png", "ultrawide=gone.png", "output=x.png"], "gone.png: no such file"),
        (["root=nowhere"], "nowhere: no folder with a capture.json"),
        (["preprocess=magic", "root=."], "Available options in 'preprocess'"),
    ],
)
def test_mistakes_get_one_plain_message(arguments, text, tmp_path):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")
    assert text in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_half_a_pair_is_refused():
    with pytest.raises(InputError, match=r"wide\.png: not a spatial photo"):
        preprocess_photos(Job(), "wide.png", None, "sheet.png")


@pytest.mark.parametrize(("metadata", "first"), [(True, "b.jpg"), (False, "a.jpg")])
def test_the_longer_lens_is_the_wide_photo_where_exif_is_believed(
    tmp_path, monkeypatch, metadata, first
):
    for name, length in (("a.jpg", 13), ("b.jpg", 26)):
        exif = Image.Exif()
        exif[ExifTags.Base.Model] = "Phone 1"
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = length
        Image.new("RGB", (64, 64)).save(tmp_path / name, exif=exif)
    seen = []

    def read(*files_and_more):
        seen.extend(files_and_more[:2])
        raise InputError("enough")

    monkeypatch.setattr(batch, "load_photos", read)
    files = [str(tmp_path / name) for name in ("a.jpg", "b.jpg")]
    with pytest.raises(InputError, match="enough"):
        preprocess_photos(Job(metadata=metadata), *files, "sheet.png")
    assert Path(seen[0]).name == first
    assert len(set(seen)) == 2


def test_a_folder_is_prepared_with_sheets_and_the_failed_are_named(tmp_path, capsys):
    good, bad = tmp_path / "root/good", tmp_path / "root/bad"
    write_capture(make_pair((0.0, 1.0), CARD_PX), good)
    write_capture(make_pair(seed=1)._replace(image_uw=make_pair(seed=2).image_uw), bad)
    with pytest.raises(InputError, match=r"1 captures failed\n.*bad.*agree"):
        preprocess_folder(Job(sheet=str(tmp_path / "sheets")), str(tmp_path / "root"))
    assert "prepared 1 of 2 captures" in capsys.readouterr().out
    assert (good / ".dfnet_cache/000.npz").is_file()
    assert [p.name for p in (tmp_path / "sheets").iterdir()] == ["good_00.png"]


def test_the_configured_chain_is_the_default_one():
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        cfg = compose("preprocess")
    assert hydra.utils.instantiate(cfg.preprocess) == Preprocessor()


def test_the_sheet_shows_metres_only_where_they_are_known():
    made = make_pair()
    found = preprocess_pair(made.image_w, made.image_uw)
    relative = contact_sheet(made.image_w, made.image_uw, found)
    metric = found._replace(depth_w_m=1 / (found.relative_inverse_depth + 0.1))
    assert relative.shape == contact_sheet(made.image_w, made.image_uw, metric).shape
    assert not relative.equal(contact_sheet(made.image_w, made.image_uw, metric))
