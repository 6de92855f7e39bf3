import base64
import hashlib
import json
import time

import cv2
import numpy as np
import pytest
import torch
from app_desk import F_NUMBER, desk_service, detail, load_desk, true_defocus_px, write_photos

from dfnet.app import darkroom
from dfnet.app.service import answered
from dfnet.errors import InputError
from dfnet.io.images import read_image
from dfnet.optics import BlurLaw
from dfnet.pair import pair_of
from dfnet.recipe import load_recipe
from dfnet.targets import FocusAt

BOOKS = (160, 120)  # behind the focus; TITLE is in focus, TABLE before it
TITLE, TABLE = (440, 185), (160, 350)


def quiet(share, what):
    pass


def shown(answer, name="picture"):
    """The picture in a data address, (3, h, w)."""
    data = base64.b64decode(answer[name].partition(",")[2])
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    pixels[..., :3] = pixels[..., 2::-1]
    return torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)


def focus_on(point, **more):
    return {"sharpness": "point", "point": list(point), **more}


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A service, and the token of a page whose photos are ready."""
    root = tmp_path_factory.mktemp("app")
    service = desk_service(root / "sessions")
    token = service.sessions.begin().token
    wide, ultrawide = write_photos(root / "sent")
    service.accept(token, [ultrawide, wide][::-1], quiet)
    return service, token


def test_the_first_look_says_what_the_photo_is(desk):
    service, token = desk
    look = service.look(token)
    assert look["size"] == look["preview_size"] == (512, 384)
    assert look["f_number"] == F_NUMBER
    photo = read_image(service.sessions.of(token).darkroom.files[0])
    assert (shown(look, "photo") - photo).abs().mean() < 0.01
    near, far = true_defocus_px().flatten().quantile(torch.tensor([0.01, 0.99])).tolist()
    assert look["axis"]["near_px"] == pytest.approx(near, abs=0.1)
    assert look["axis"]["far_px"] == pytest.approx(far, abs=0.1)


def test_a_click_makes_its_place_sharper_and_the_former_focus_softer(desk):
    service, token = desk
    before = shown(service.look(token), "photo")
    answer = service.render(token, focus_on(BOOKS))
    after = shown(answer)
    assert detail(after, *BOOKS) > 1.5 * detail(before, *BOOKS)
    assert detail(after, *TITLE) < 0.7 * detail(before, *TITLE)
    assert answer["focus_px"] == pytest.approx(float(true_defocus_px()[0, 120, 160]), abs=0.3)


def test_as_shot_is_the_photo(desk):
    service, token = desk
    before = shown(service.look(token), "photo")
    after = shown(service.render(token, {"sharpness": "as_shot"}))
    assert (after - before).abs().max() < 0.02


def test_the_sharp_range_holds_the_blur_back(desk):
    service, token = desk
    wide = {"aperture_scale": 2}
    soft = shown(service.render(token, focus_on(TITLE, **wide)))
    held = shown(service.render(token, focus_on(TITLE, **wide, nearer_px=12, farther_px=0)))
    assert detail(held, *TABLE) > 1.5 * detail(soft, *TABLE)
    assert (held - soft)[:, 100:140, 130:190].abs().mean() < 0.01  # the books lie behind


def test_the_blur_map_shows_what_is_asked(desk):
    service, token = desk
    alpha = shown(service.render(token, focus_on(TITLE)), "blur")[3]
    assert alpha[TITLE[1], TITLE[0]] < 0.3
    assert alpha[TABLE[1], TABLE[0]] > 0.6


def test_the_answer_while_moving_looks_like_the_one_at_rest(desk):
    service, token = desk
    setting = focus_on(BOOKS, aperture_scale=1.5)
    quick, fine = (service.render(token, setting, quick=q) for q in (True, False))
    error = (shown(quick) - shown(fine)).square().mean()
    assert error < 10**-2.8  # 28 dB
    assert "blur" not in quick


def test_the_preview_looks_like_the_export(desk, monkeypatch, tmp_path):
    service, _ = desk
    monkeypatch.setattr(darkroom, "PREVIEW_PIXELS", 512 * 384 // 4)
    token = service.sessions.begin().token
    service.accept(token, write_photos(tmp_path), quiet)
    assert service.look(token)["preview_size"] == (256, 192)
    preview = shown(service.render(token, focus_on(BOOKS)))
    picture = read_image(exported(service, token, focus_on(BOOKS), "png16")[0])
    small = torch.nn.functional.interpolate(picture[None], (192, 256), mode="area")[0]
    unedited = shown(service.look(token), "photo")
    assert (preview - small).square().mean() < 0.35 * (unedited - small).square().mean()
    assert (preview - small).square().mean() < 10**-2.6  # 26 dB


def exported(service, token, setting, kind):
    service.begin_export(token, setting, kind)
    service.sessions.of(token).export.thread.join(60)
    assert service.export_state(token)["is_over"]
    return service.exported(token)


def test_an_export_says_what_it_is_and_its_recipe_repeats_it(desk):
    service, token = desk
    picture, record = exported(service, token, focus_on(BOOKS), "jpeg")
    assert picture.endswith("wide_refocused.jpg")
    recipe, changed = load_recipe(record_path := darkroom.Path(record))
    assert changed == []
    assert recipe.steps == (FocusAt(*BOOKS),)
    written = json.loads(record_path.read_text(encoding="utf-8"))
    assert (written["wide"], written["ultrawide"]) == ("wide.jpg", "ultrawide.jpg")
    content = darkroom.Path(picture).read_bytes()
    assert hashlib.sha256(record_path.read_bytes()).hexdigest().encode() in content
    assert b"algorithmicallyEnhanced" in content
    assert b"Pinhole Works" in content
    again = pair_of(recipe, keep=False)
    again.preprocessed = service.sessions.of(token).darkroom.full_pair().preprocessed
    again.model = service.previewer.model
    difference = again.refocus(recipe.steps).image_w - read_image(picture)
    assert difference.abs().mean() < 0.01  # JPEG's


def test_an_export_of_photos_that_are_gone_says_so(desk, tmp_path):
    service, _ = desk
    token = service.sessions.begin().token
    prepared = service.accept(token, write_photos(tmp_path), quiet)
    for file in prepared.folder.rglob("*.npz"):
        file.unlink()
    with pytest.raises(InputError, match="The prepared photo is gone"):
        exported(service, token, focus_on(BOOKS), "jpeg")
    assert service.exported(token) == []


def test_a_page_sees_its_own_photo_only(desk):
    service, token = desk
    other = service.sessions.begin().token
    for ask in (service.look, lambda t: service.render(t, {"sharpness": "all"})):
        with pytest.raises(InputError, match="There is no photo yet"):
            ask(other)
        with pytest.raises(InputError, match="its photos are gone"):
            ask("x" * 32)
    assert service.exported(other) == []
    assert service.look(token)["size"] == (512, 384)


def test_a_refused_upload_leaves_no_former_photo(desk, tmp_path):
    service, _ = desk
    token = service.sessions.begin().token
    service.accept(token, write_photos(tmp_path / "good"), quiet)
    (tmp_path / "bad.jpg").write_bytes(b"no photo")
    with pytest.raises(InputError, match="Photo 1 is not a photo"):
        service.accept(token, [tmp_path / "bad.jpg"] * 2, quiet)
    with pytest.raises(InputError, match="There is no photo yet"):
        service.look(token)


def test_a_doubtful_click_is_called_one(desk, tmp_path):
    service, _ = desk
    session = service.sessions.begin()
    prepared = service.accept(session.token, write_photos(tmp_path), quiet)
    maps = prepared.preview.preprocessed
    left = torch.arange(512).expand(1, 384, 512) < 256
    prepared.preview.preprocessed = maps._replace(validity_w=torch.where(left, 0.1, 0.9))
    doubted = service.render(session.token, focus_on(BOOKS))["warnings"]
    assert any("where you clicked is a guess" in text for text in doubted)
    assert any("cannot help; detail there stays soft" in text for text in doubted)
    believed = service.render(session.token, focus_on((440, 185)))["warnings"]
    assert not any("where you clicked" in text for text in believed)
    assert service.look(session.token)["doubt_share"] == 0.5


def test_a_photo_without_blur_is_to_be_clicked_first(desk, tmp_path):
    service, _ = desk
    session = service.sessions.begin()
    prepared = service.accept(session.token, write_photos(tmp_path), quiet)
    maps = prepared.preview.preprocessed
    sharp = maps._replace(defocus_w_px=torch.zeros(1, 384, 512), blur_law=BlurLaw(0.0, 0.0))
    prepared.preview.preprocessed = sharp
    wider = {"sharpness": "as_shot", "aperture_scale": 2}
    assert "no blur to change" in service.render(session.token, wider, quick=True)["warnings"][0]
    clicked = service.render(session.token, focus_on(TITLE), quick=True)
    assert not any("no blur" in text for text in clicked["warnings"])
    assert shown(clicked).sub(shown(service.look(session.token), "photo")).abs().mean() > 0.01


@pytest.mark.parametrize(
    ("name", "request_", "said"),
    [
        ("look", {"token": "nobody"}, "its photos are gone"),
        ("look", {}, "Something broke on our side"),
        ("render", {"token": "", "controls": 5}, "its photos are gone"),
        ("begin_export", {"token": 1, "controls": {}, "kind": "../x"}, "its photos are gone"),
    ],
)
def test_a_page_that_asks_nonsense_gets_a_sentence(desk, name, request_, said):
    service, _ = desk
    answer = answered(getattr(service, name))(request_)
    assert said in answer["error"]


def test_a_page_outside_of_the_picture_or_the_formats_gets_a_sentence(desk):
    service, token = desk
    with pytest.raises(InputError, match="outside of the picture"):
        service.render(token, focus_on((600, 100)))
    with pytest.raises(InputError, match="file format is not on offer"):
        service.begin_export(token, {"sharpness": "all"}, "exe")


def test_swapped_photos_are_put_in_order(tmp_path, monkeypatch):
    from dfnet.preprocess.register import SwappedError

    asked = []

    def load(files):
        asked.append([file.name for file in files])
        pair = load_desk(files)
        if files[0].name == "ultrawide.jpg":

            def swapped():
                raise SwappedError("wrong way round")

            monkeypatch.setattr(type(pair), "prepare", lambda self: self.preprocessed or swapped())
        return pair

    service = desk_service(tmp_path / "sessions", load)
    token = service.sessions.begin().token
    wide, ultrawide = write_photos(tmp_path / "sent")
    service.accept(token, [ultrawide, wide], quiet)
    assert asked == [["ultrawide.jpg", "wide.jpg"], ["wide.jpg", "ultrawide.jpg"]]
    assert service.look(token)["size"] == (512, 384)


def test_exports_take_turns(desk):
    service, token = desk
    with service._heavy:
        service.begin_export(token, {"sharpness": "as_shot"}, "jpeg")
        time.sleep(0.05)
        assert service.export_state(token)["doing"] == "waiting for its turn"
        with pytest.raises(InputError, match="running already"):
            service.begin_export(token, {"sharpness": "as_shot"}, "jpeg")
    service.sessions.of(token).export.thread.join(60)
    assert service.export_state(token)["is_over"]
