"""The real app in a real browser: real clicks, real network, real files; only depth is given."""

import io
import json
import socket
from pathlib import Path

import numpy as np
import pytest
import torch
from app_desk import desk_service, detail, load_desk, write_photos
from browser import chromium, opened
from PIL import ExifTags, Image

pytest.importorskip("gradio", reason="the extra app is missing")

# gradio's own warnings are its makers' to mend, and it runs beside the tests.
pytestmark = pytest.mark.filterwarnings("ignore")

BOOKS = (160, 120)  # behind the focus; TITLE is in focus, TABLE before it
TITLE, TABLE, LETTERS = (440, 185), (160, 350), (410, 75)
PATIENCE_MS = 90_000


class Asked(list):
    """Addresses beyond this computer that somebody wanted to reach."""

    def watch(self, monkeypatch):
        connect = socket.socket.connect

        def noted(this, address):
            if this.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1"):
                self.append(address)
            return connect(this, address)

        monkeypatch.setattr(socket.socket, "connect", noted)


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The running app: its address, its service, whom it asked, and where its files lie."""
    root = tmp_path_factory.mktemp("app")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(root))
        asked = Asked()
        asked.watch(patch)
        from dfnet.app.page import launch

        service = desk_service(root / "sessions", load_desk)
        page, address = launch(service)
        yield {"address": address, "service": service, "asked": asked, "root": root}
        page.close(verbose=False)


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


def give(page, *files):
    """Drop files onto the page."""
    page.set_input_files("#photos input[type=file]", [str(file) for file in files])


def wait_for_photo(page):
    page.wait_for_selector(".room:not([hidden])", timeout=PATIENCE_MS)
    settle(page, 0)


def settle(page, before=None):
    """Until the fine answer to the latest setting is shown; `before` counts answers so far."""
    page.wait_for_function(
        """before => {
            const frame = document.querySelector(".frame");
            return Number(frame.dataset.shown) > before && frame.dataset.quality === "fine"
                && document.querySelector(".busy").hidden;
        }""",
        arg=answers(page) if before is None else before,
        timeout=PATIENCE_MS,
    )


def answers(page):
    return int(page.get_attribute(".frame", "data-shown") or 0)


def after(page, act):
    """Do something that changes the setting; the picture that comes of it."""
    before = answers(page)
    act()
    settle(page, before)
    return picture(page)


def picture(page):
    """What is shown, (3, h, w) in the picture's own pixels."""
    data = page.evaluate(
        """async () => {
            const bytes = await (await fetch(document.querySelector(".after").src)).arrayBuffer();
            return [...new Uint8Array(bytes)];
        }"""
    )
    pixels = np.asarray(Image.open(io.BytesIO(bytes(data))).convert("RGB"), dtype=np.float32)
    return torch.from_numpy(pixels / 255).permute(2, 0, 1)


def spot(page, point, size=(512, 384)):
    """Where on the screen a pixel of the photo is."""
    page.locator(".frame").scroll_into_view_if_needed()
    box = page.locator(".frame").bounding_box()
    across, down = ((place + 0.5) / side for place, side in zip(point, size, strict=True))
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def drag(page, start, *ways):
    page.mouse.move(*start)
    page.mouse.down()
    for way in ways:
        page.mouse.move(*way)
    page.mouse.up()


def slide(page, selector, value):
    """As a finger on a slider does: many inputs, one change."""
    page.evaluate(
        """([selector, value]) => {
            const slider = document.querySelector(selector);
            for (const share of [0.3, 0.6, 1]) {
                slider.value = share * value;
                slider.dispatchEvent(new Event("input", { bubbles: true }));
            }
            slider.dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        [selector, value],
    )


def test_from_two_files_to_a_saved_picture(app, browser, tmp_path):
    wide, ultrawide = write_photos(tmp_path)
    with opened(browser, app["address"], viewport={"width": 1280, "height": 900}) as page:
        give(page, ultrawide, wide)
        wait_for_photo(page)
        assert "Ready" in page.inner_text("#notice")
        shot = picture(page)

        focused = after(page, lambda: page.mouse.click(*spot(page, BOOKS)))
        assert detail(focused, *BOOKS) > 1.5 * detail(shot, *BOOKS)
        assert detail(focused, *TITLE) < 0.7 * detail(shot, *TITLE)
        ring = page.locator(".marks .ring").first
        centre = float(ring.get_attribute("cx")), float(ring.get_attribute("cy"))
        assert centre == pytest.approx(BOOKS, abs=1)

        assert page.inner_text(".f").startswith("f/1.9")  # 1.85, rounded as on a lens
        narrow = after(page, lambda: slide(page, ".aperture", 6))
        assert page.inner_text(".f").startswith("f/15")
        assert detail(narrow, *TABLE) > 1.3 * detail(focused, *TABLE)

        painted = after(page, lambda: paint(page, "blur", BOOKS))
        assert detail(painted, *BOOKS) < 0.8 * detail(narrow, *BOOKS)
        assert (painted - narrow)[:, 150:220, 400:480].abs().mean() < 0.01
        undone = after(page, lambda: page.click(".undo"))
        assert (undone - narrow).abs().mean() < 0.002

        page.select_option(".shape", "5")  # seen in blur only, and here is hardly any
        saved, recipe = save(page, tmp_path, "jpeg")
        assert_saved(saved, recipe, undone)
    assert app["asked"] == []


def paint(page, effect, point):
    page.click('.tools [data-tool="brush"]')
    page.click(f'[data-effect="{effect}"]')
    x, y = spot(page, point)
    drag(page, (x - 12, y), (x, y), (x + 12, y))


def save(page, folder, kind):
    """Export, and fetch both files as a user does."""
    page.select_option(".kind", kind)
    page.click(".export")
    links = page.locator("#downloads a[download]")
    links.nth(1).wait_for(state="visible", timeout=PATIENCE_MS)
    files = []
    for k in range(2):
        with page.expect_download() as download:
            links.nth(k).click()
        files.append(folder / download.value.suggested_filename)
        download.value.save_as(files[-1])
    return sorted(files, key=lambda file: file.suffix == ".json")


def assert_saved(saved, recipe, seen):
    assert saved.name == "wide_refocused.jpg"
    content = saved.read_bytes()
    assert b"algorithmicallyEnhanced" in content
    with Image.open(saved) as image:
        assert image.size == (512, 384)
        assert image.getexif()[ExifTags.Base.Make] == "Pinhole Works"
        pixels = np.asarray(image.convert("RGB"), dtype=np.float32) / 255
    assert (torch.from_numpy(pixels).permute(2, 0, 1) - seen).abs().mean() < 0.01
    steps = json.loads(recipe.read_text(encoding="utf-8"))["steps"]
    assert [step["step"] for step in steps] == ["focus_at", "aperture", "polygon"]
    assert (steps[2]["blades"], steps[2]["rotation_deg"]) == (5, 0)
    assert (steps[0]["x"], steps[0]["y"]) == pytest.approx(BOOKS, abs=1)
    assert steps[1]["scale"] == pytest.approx(2**-3, rel=1e-3)  # six stops


def test_a_photo_on_its_side_is_clicked_where_it_is_seen(app, browser, tmp_path):
    files = write_photos(tmp_path, orientation=6)
    with Image.open(files[0]) as stored:
        assert stored.size == (384, 512)
    options = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with opened(browser, app["address"], **options) as page:
        give(page, *files)
        wait_for_photo(page)
        box = page.locator(".frame").bounding_box()
        assert box["width"] / box["height"] == pytest.approx(4 / 3, rel=0.02)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        shot = picture(page)
        focused = after(page, lambda: page.touchscreen.tap(*spot(page, BOOKS)))
        assert detail(focused, *BOOKS) > 1.5 * detail(shot, *BOOKS)
        assert detail(focused, *TITLE) < 0.7 * detail(shot, *TITLE)


def test_range_band_overlays_and_comparison(app, browser, tmp_path):
    with opened(browser, app["address"], viewport={"width": 1280, "height": 900}) as page:
        give(page, *write_photos(tmp_path))
        wait_for_photo(page)
        shot = picture(page)

        soft = after(page, lambda: slide(page, ".aperture", -2))
        after(page, lambda: page.select_option(".shape", "7"))
        assert page.input_value(".shape-amount") == "0"
        again = after(page, lambda: page.click(".undo"))
        assert page.input_value(".shape") == ""
        assert (again - soft).abs().mean() < 0.002

        knob = page.locator(".handle.near").bounding_box()
        start = knob["x"] + 16, knob["y"] + 20
        held = after(page, lambda: drag(page, start, (start[0] - 40, start[1]), (0, start[1])))
        assert detail(held, *TABLE) > 1.2 * detail(soft, *TABLE)

        after(page, lambda: page.click('[data-preset="as_shot"]'))
        band = after(page, lambda: page.click('.tools [data-tool="tilt"]'))
        assert detail(band, *LETTERS) < 0.7 * detail(shot, *LETTERS)
        middle = page.locator(".band-middle").bounding_box()
        grip = middle["x"] + middle["width"] / 2, middle["y"] + middle["height"] / 2
        moved = after(page, lambda: drag(page, grip, spot(page, (256, 120))))
        assert detail(moved, *BOOKS) > 1.5 * detail(band, *BOOKS)

        for view in ("depth", "blur", "doubt"):
            page.click(f'[data-view="{view}"]')
            assert page.locator(".overlay").is_visible()
            assert page.inner_text(".legend")
        page.click('[data-view="picture"]')
        assert not page.locator(".overlay").is_visible()

        page.click(".compare")
        before, frame = (page.locator(s).bounding_box() for s in (".before", ".frame"))
        assert before["width"] == pytest.approx(frame["width"] / 2, abs=1)
        x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
        drag(page, (x, y), (x - 100, y))
        assert page.locator(".before").bounding_box()["width"] == pytest.approx(
            frame["width"] / 2 - 100, abs=1
        )
        inner = page.locator(".before img").bounding_box()
        assert inner["width"] == pytest.approx(frame["width"], abs=1)  # cut off, not squeezed


def test_garbage_gets_one_clear_message(app, browser, tmp_path):
    (tmp_path / "x.jpg").write_bytes(b"\x89PNG but not quite")
    (tmp_path / "y.jpg").write_bytes(b"<script>alert(1)</script>")
    with opened(browser, app["address"]) as page:
        give(page, tmp_path / "x.jpg", tmp_path / "y.jpg")
        notice = page.locator("#notice .dfnet-message.bad")
        notice.wait_for(timeout=PATIENCE_MS)
        assert "Photo 1 is not a photo" in notice.inner_text()
        assert page.locator(".dfnet-message").count() == 1
        assert not page.locator(".room").is_visible()
        assert str(app["root"]) not in notice.inner_text()
        give(page, *write_photos(tmp_path / "good"))
        wait_for_photo(page)
        assert notice.count() == 0


def test_two_at_once_see_their_own_photos(app, browser, tmp_path):
    sent = write_photos(tmp_path)
    with opened(browser, app["address"]) as one, opened(browser, app["address"]) as other:
        give(one, *sent)
        wait_for_photo(one)
        assert not other.locator(".room").is_visible()
        assert one.locator(".after").get_attribute("src")
        assert other.locator(".after").get_attribute("src") is None


def test_only_this_computer_is_served(app):
    import urllib.error
    import urllib.request

    address = app["address"].rstrip("/")
    assert address.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(address, timeout=30) as answer:
        assert answer.status == 200
    rebound = urllib.request.Request(address, headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(rebound, timeout=30)


def test_files_go_when_the_page_was_closed(app):
    sessions = app["service"].sessions
    for session in list(sessions._by_token.values()):
        sessions.end(session)
    left = [p for p in Path(app["root"]).rglob("*") if p.is_file() and p.suffix in (".jpg", ".npz")]
    assert left == []
