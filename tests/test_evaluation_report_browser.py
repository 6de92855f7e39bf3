"""The report as a reader has it: a real browser, no network, by mouse, keys and fingers."""

import pytest
from browser import chromium, opened
from made_report import HEIGHT, WIDTH, made_report, made_scores

DESKTOP = {"viewport": {"width": 1400, "height": 900}, "offline": True}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "offline": True,
    "has_touch": True,
    "is_mobile": True,
}
CROP_PX = round(0.19 * WIDTH)


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    return made_report(made_scores(folder), folder)[-1].as_uri()


@pytest.fixture
def page(browser, address):
    with opened(browser, address, **DESKTOP) as page:
        yield page


def placed(page):
    """Left, top and width of the enlarged picture on the screen, once what was done is drawn."""
    page.locator("dialog").wait_for(state="visible")
    page.evaluate("() => new Promise(then => requestAnimationFrame(() => setTimeout(then)))")
    box = page.locator("dialog img").bounding_box()
    return box["x"], box["y"], box["width"]


def enlarge(page, which):
    page.locator(".crop img").nth(which).click()
    return placed(page)


def test_tables_show_what_was_measured(page):
    table = page.locator("#refocus table").first
    head = table.locator("th").all_inner_texts()
    assert head[:3] == ["method", "PSNR [dB]", "SSIM"]
    ours = table.locator("tr", has_text="ours")
    assert ours.locator("td").nth(1).inner_text().startswith("28.65 [")
    weight = "getComputedStyle(document.querySelector('td.first')).fontWeight"
    assert page.evaluate(weight) == "700"


def test_every_picture_is_there(page):
    page.locator("summary", has_text="Scenes").click()
    sizes = "[...document.querySelectorAll('.row img')].map(i => [i.naturalWidth, i.naturalHeight])"
    page.wait_for_function(f"{sizes}.every(([width]) => width > 0)")
    found = page.evaluate(sizes)
    assert found.count([CROP_PX, CROP_PX]) == 3 + 2 * 2  # W, truth, masks; two methods with errors
    thumbnails = [192, round(192 * HEIGHT / WIDTH)]
    assert found.count(thumbnails) == 3 + 2 + 3


def test_a_click_enlarges_and_the_wheel_keeps_the_place_under_the_mouse(page):
    left, top, width = enlarge(page, 0)
    assert width > 0.85 * 900
    page.mouse.move(500, 300)
    page.mouse.wheel(0, -400)

    new_left, new_top, new_width = placed(page)
    factor = new_width / width
    assert abs(factor - 2.718) < 0.01
    assert abs((500 - new_left) - factor * (500 - left)) < 1
    assert abs((300 - new_top) - factor * (300 - top)) < 1


def test_a_drag_moves_and_stops_with_the_button(page):
    left, top, width = enlarge(page, 0)
    page.mouse.move(600, 400)
    page.mouse.down()
    page.mouse.move(650, 370, steps=3)
    page.mouse.up()
    page.mouse.move(100, 100)
    assert placed(page) == pytest.approx((left + 50, top - 30, width), abs=0.5)


def test_arrow_keys_and_buttons_change_the_picture_and_not_the_place(page):
    enlarge(page, 1)
    page.mouse.move(600, 400)
    page.mouse.wheel(0, -100)
    before = placed(page)
    told = page.locator("dialog span")
    assert told.inner_text() == "s0, truth"
    page.keyboard.press("ArrowRight")
    assert told.inner_text() == "s0, masks"
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    assert told.inner_text() == "s0, W"
    page.keyboard.press("ArrowLeft")  # round to the last
    assert told.inner_text() == "s0, third, error"
    page.get_by_label("next").click()
    assert told.inner_text() == "s0, W"
    assert placed(page) == pytest.approx(before, abs=0.5)
    first = page.locator(".crop img").first.get_attribute("src")
    assert page.locator("dialog img").get_attribute("src") == first


@pytest.mark.parametrize("way", ["Escape", "button"])
def test_the_viewer_closes(page, way):
    enlarge(page, 0)
    if way == "Escape":
        page.keyboard.press("Escape")
    else:
        page.get_by_label("close").click()
    page.locator("dialog").wait_for(state="hidden")


def test_keys_alone_reach_a_picture(page):
    page.locator(".crop img").nth(2).focus()
    page.keyboard.press("Enter")
    assert page.locator("dialog span").inner_text() == "s0, masks"


def test_on_a_phone_nothing_hangs_over_the_edge_and_two_fingers_enlarge(browser, address):
    with opened(browser, address, **PHONE) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.locator(".crop img").first.tap()
        left, _top, width = placed(page)
        assert left >= 0
        assert left + width <= 390
        touch = page.context.new_cdp_session(page)
        for kind, apart in (("touchStart", 50), ("touchMove", 75), ("touchMove", 100)):
            fingers = [{"x": 195 + side * apart, "y": 422, "id": side + 1} for side in (-1, 1)]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        assert placed(page)[2] == pytest.approx(2 * width, rel=0.02)
        page.wait_for_timeout(500)  # a tap right after two fingers is taken for theirs
        page.get_by_label("close").tap()
        page.locator("dialog").wait_for(state="hidden")


@pytest.mark.parametrize("flaw", ['<img src="https://example.org/a.png">', "<script>no()</script>"])
def test_a_page_that_asks_a_network_or_fails_does_not_pass(browser, tmp_path, flaw):
    (tmp_path / "page.html").write_text(f"<!DOCTYPE html><body>{flaw}</body>")
    with (
        pytest.raises(AssertionError, match=r"example\.org|no is not defined"),
        opened(browser, (tmp_path / "page.html").as_uri(), **DESKTOP),
    ):
        pass
