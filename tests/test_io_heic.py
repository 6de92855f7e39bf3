"""HEIC decoded in a process of its own: what that process may do to us, and what it may not."""

import os
import sys
import time
from pathlib import Path

import pytest
from app_desk import load_desk, write_photos

from dfnet.app.service import Service
from dfnet.app.sessions import Sessions
from dfnet.errors import InputError
from dfnet.io import heic
from dfnet.io.images import read_exif, read_image
from dfnet.io.phone_depth import read_phone_depth
from dfnet.io.photo_files import read_photo

pytest.importorskip("pi_heif", reason="the extra `heic` is not installed")
TURNED_HEIC = Path(__file__).parent / "turned_p3.heic"  # 72 x 96 upright
ABOUT = """
import json
picture = dict(size=[72, 96], mode="RGB", original_orientation=None, depth_images=[])
"""
SAYS = ABOUT + 'print(json.dumps({"primary": 0, "pictures": [picture]}))\n'
posix = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")


@pytest.fixture
def photo(tmp_path):
    """A HEIC of its own, so that nothing is known of it yet."""
    path = tmp_path / "photo.heic"
    path.write_bytes(TURNED_HEIC.read_bytes())
    return path


@pytest.fixture
def decoder(tmp_path, monkeypatch):
    """Replace the decoder by a few lines of Python; they count their runs in a file."""

    def replaced(lines, first=""):
        script, runs = tmp_path / "decoder.py", tmp_path / "runs"
        count = f"import sys, pathlib\nwith open({str(runs)!r}, 'a') as f: f.write('x')\n"
        about = f"if sys.argv[1] == 'about':\n  exec({first!r})\n  raise SystemExit\n"
        script.write_text(count + (about if first else "") + lines)
        monkeypatch.setattr(heic, "PROCESS", script)
        return lambda: len(runs.read_text())

    return replaced


DIES = "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)"


@posix
class TestDeath:
    def test_it_is_one_refusal(self, photo, decoder):
        decoder(DIES)
        with pytest.raises(InputError, match=r"photo.heic: cannot be read .*broke off: SIGSEGV"):
            read_photo(photo)
        with pytest.raises(InputError, match=r"photo.heic: its depth map .*broke off: SIGSEGV"):
            read_phone_depth(photo)
        assert read_exif(photo) == {}

    def test_while_pixels_are_decoded(self, photo, decoder):
        decoder(DIES, first=SAYS)
        with pytest.raises(InputError, match=r"photo.heic: cannot be read .*broke off: SIGSEGV"):
            read_photo(photo)

    def test_the_app_says_so_and_takes_the_next(self, photo, decoder, tmp_path):
        service = Service(Sessions(tmp_path / "sessions"), None, load_desk)
        token = service.sessions.begin().token
        decoder(DIES)
        with pytest.raises(InputError, match="Photo 1 is damaged or cut short"):
            service.accept(token, [photo], lambda share, what: None)
        decoder(DIES, first=SAYS)
        again = photo.rename(tmp_path / "again.heic")
        with pytest.raises(InputError, match=r"cannot be read as an image .*SIGSEGV"):
            service.accept(token, [again], lambda share, what: None)
        service.accept(token, write_photos(tmp_path / "sent"), lambda share, what: None)
        assert service.look(token)["size"] == (512, 384)

    def test_a_folder_goes_on(self, run, photos, photo, decoder):
        decoder(DIES)
        for name in ("a_wide", "b_wide", "a_ultrawide", "b_ultrawide"):
            (photos / "in").mkdir(exist_ok=True)
            source = photos / ("UW.png" if "ultra" in name else "W.png")
            (photos / "in" / f"{name}.png").write_bytes(source.read_bytes())
        photo.rename(photos / "in" / "a_wide.png")
        (photos / "in" / "boxes.heic").write_bytes(b"\0\0\0\x10ftypheic")  # is it a spatial photo?
        code, _, err = run("folder=in", "output=out/*.png", wide="W.png")
        assert code == 1
        assert "1 of 3 pairs are done; these are not:\na: in/a_wide.png: cannot be read" in err
        assert "boxes: in/boxes.heic: its description of pictures cannot be read" in err
        assert (photos / "out" / "b.png").is_file()


class TestHanging:
    def test_it_is_stopped_and_not_waited_for_again(self, photo, decoder, monkeypatch):
        runs = decoder("import time\ntime.sleep(60)")
        monkeypatch.setattr(heic, "BOUNDS", heic.Bounds(seconds=0.5))
        start = time.monotonic()
        for _ in range(4):
            with pytest.raises(InputError, match=r"photo.heic: .*was stopped after 0.5 s"):
                read_photo(photo)
            read_exif(photo)
        assert time.monotonic() - start < 8
        assert runs() == 1

    def test_none_is_left_behind(self, photo, decoder, monkeypatch, tmp_path):
        decoder("import time\ntime.sleep(2)\n(pathlib.Path(sys.argv[0]).parent / 'on').touch()")
        monkeypatch.setattr(heic, "BOUNDS", heic.Bounds(seconds=0.5))
        with pytest.raises(InputError, match="was stopped"):
            read_photo(photo)
        time.sleep(2)
        assert not (tmp_path / "on").exists()


class TestLies:
    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            ('print(json.dumps({"size": [72, 96]}))', "not of the 72x96 pixels that it states"),
            (
                'print(json.dumps({"size": [720, 960]}) + "\\n" + "x" * 10)',
                "not of the 72x96 pixels",
            ),
            ('print(json.dumps({"error": "no such codec"}))', r"\(no such codec\)"),
            ("print('{')", "photo.heic: cannot be read as an image"),
            ("pass", "photo.heic: cannot be read as an image"),
            ("raise SystemExit(3)", "broke off: exit code 3"),
        ],
    )
    def test_answers_that_are_none(self, photo, decoder, answer, why):
        decoder("import json\n" + answer, first=SAYS)
        with pytest.raises(InputError, match=why):
            read_image(photo)

    def test_a_picture_that_claims_to_be_huge_is_not_decoded(self, photo, decoder):
        runs = decoder("raise SystemExit(3)", first=SAYS.replace("[72, 96]", "[30000, 30000]"))
        with pytest.raises(InputError, match="30000x30000 pixels is more than this tool takes"):
            read_image(photo)
        assert runs() == 1

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a process's memory")
    def test_what_needs_too_much_memory_is_refused(self, photo, monkeypatch):
        assert read_image(photo).shape == (3, 96, 72)
        monkeypatch.setattr(heic, "BOUNDS", heic.Bounds(base_bytes=16 << 20))
        with pytest.raises(InputError, match=r"photo.heic: cannot be read"):
            read_image(photo)


def test_a_file_is_asked_once_and_again_when_it_changes(photo, monkeypatch):
    asked = []
    ask = heic._ask
    monkeypatch.setattr(heic, "_ask", lambda job, *more: asked.append(job) or ask(job, *more))
    assert read_exif(photo)["Make"] == read_exif(photo)["Make"] == "Maker"
    read_image(photo)
    assert asked == ["about", "picture"]
    photo.write_bytes(TURNED_HEIC.read_bytes()[:900])
    assert read_exif(photo) == {}
    with pytest.raises(InputError, match=r"photo.heic: cannot be read"):
        read_image(photo)
