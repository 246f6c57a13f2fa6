"""Uploads and recordings in a real Chromium: progress, a reload in the middle, a broken line, drawing black boxes."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, Route, expect

from kabao.evidence.model import CHUNK_BYTES
from media import film, picture
from town import CHROMIUM, QUIET, Town

pytestmark = pytest.mark.browser

FAKES = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--auto-select-desktop-capture-source=Entire screen",
)
LINK = re.compile(r"^\s+buyer\s+(\S+)", re.MULTILINE)
FILM = film(media=3 * CHUNK_BYTES)


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *FAKES])
    yield browser
    browser.close()


@dataclass
class Order:
    """A buyer's phone and the address of one of their orders where something can be said."""

    page: Page
    path: str


@pytest.fixture(scope="module")
def order(demo: Town) -> Order:
    page = demo.phone()
    found = LINK.search(demo.serving.output)
    assert found is not None
    page.goto(found[1])
    page.locator("main form button[type=submit]").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    page.goto("/o")
    for href in dict.fromkeys(link.get_attribute("href") or "" for link in page.locator("a[href^='/o/']").all()):
        page.goto(href)
        if page.locator("[data-uploads]").count() and page.locator("form.say").count():
            return Order(page, href)
    raise AssertionError("no order of the demo takes a file")


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_several_files_are_sent_at_once_with_their_hashes(order: Order, tmp_path: Path) -> None:
    page = order.page
    page.goto(order.path)
    shots = [written(tmp_path, f"shot{n}.png", picture("PNG", (60 + n, 40))) for n in range(2)]
    page.locator("form.say input[type=file]").set_input_files([*shots, written(tmp_path, "bad.exe", b"MZ\0\1")])
    expect(page.locator("[data-list] a")).to_have_count(2)
    expect(page.locator("[data-list] .hash-full").first).to_have_text(re.compile(r"^SHA-256 [0-9a-f]{64}$"))
    expect(page.locator("[data-list]")).to_contain_text("只收图片")
    expect(page.locator("[data-list] button")).to_have_text("移除")
    page.reload()
    expect(page.locator("form.say")).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.locator("[data-list] li")).to_have_count(0)


def test_words_wait_for_a_file_that_is_still_on_its_way(order: Order, tmp_path: Path) -> None:
    page = order.page
    page.goto(order.path)
    on_the_way: list[Route] = []
    page.route(re.compile(r"/uploads/\d+/1$"), lambda route: on_the_way.append(route))  # noqa: PLW0108  it takes no builtin
    page.locator("form.say textarea").fill("截图在上面。")
    shot = written(tmp_path, "late.png", picture("PNG", (77, 40)))
    page.locator("form.say input[type=file]").set_input_files(shot)
    page.get_by_role("button", name="发送").click()
    expect(page.locator(".more-ev")).to_contain_text("文件还在传，传完就发送")
    while not on_the_way:
        page.wait_for_timeout(50)
    on_the_way[0].continue_()
    expect(page.locator(".tl").first).to_contain_text("截图在上面。")
    expect(page.locator("main")).to_contain_text("late.png")
    page.unroute_all(behavior="ignoreErrors")


def test_an_upload_goes_on_after_a_reload(order: Order, tmp_path: Path) -> None:
    page = order.page
    page.goto(order.path)
    path = written(tmp_path, "录屏.mp4", FILM)
    sent: list[str] = []

    def only_two(route: Route) -> None:
        sent.append(route.request.url)
        if len(sent) <= 2:
            route.continue_()
        else:
            route.abort()

    page.route(re.compile(r"/uploads/\d+/\d+$"), only_two)
    page.locator("form.say input[type=file]").set_input_files(path)
    expect(page.locator("[data-list]")).to_contain_text("网络断了")
    page.unroute_all(behavior="ignoreErrors")
    page.once("dialog", lambda dialog: dialog.accept())
    page.goto(order.path)
    expect(page.locator("[data-list]")).to_contain_text("没有传完，已收到 8.0 MB / 12.0 MB")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="接着传").click()
    chooser.value.set_files(path)
    expect(page.locator("[data-list] a")).to_contain_text("已存证")
    page.locator("[data-list] a").click()
    expect(page.locator("video")).to_have_count(1)


def test_another_file_is_not_mixed_into_an_upload(order: Order, tmp_path: Path) -> None:
    page = order.page
    page.goto(order.path)
    content = film(media=CHUNK_BYTES, words=b"")
    page.route("**/uploads/*/2", lambda route: route.abort())
    page.locator("form.say input[type=file]").set_input_files(written(tmp_path, "a.mp4", content))
    expect(page.locator("[data-list]")).to_contain_text("网络断了")
    page.get_by_role("button", name="暂停").click()
    expect(page.locator("[data-list]")).to_contain_text("已暂停")
    page.unroute_all(behavior="ignoreErrors")
    page.goto(order.path)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="接着传").click()
    chooser.value.set_files(written(tmp_path, "b.mp4", content[:-CHUNK_BYTES] + b"\1" * CHUNK_BYTES))
    expect(page.locator("[data-list]")).to_contain_text("这不是上次那个文件")
    page.get_by_role("button", name="取消").click()
    expect(page.locator("[data-list] li")).to_have_count(0)


@pytest.mark.parametrize("what", ["用摄像头", "录屏幕"])
def test_a_recording_survives_a_broken_line_and_ends_in_a_receipt(order: Order, what: str) -> None:
    page = order.page
    page.goto(f"{order.path}/record")
    start = page.get_by_role("button", name=what)
    expect(start).to_be_disabled()
    page.get_by_text("同意边录边交给平台存证").click()
    broken: list[str] = []

    def breaks_once(route: Route) -> None:
        if not broken:
            broken.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route("**/uploads/*/1", breaks_once)
    start.click()
    expect(page.locator("[data-mark]")).to_have_text(re.compile(r"^[0-9a-f]{16} 20\d\d-"))
    expect(page.locator("[data-sent]")).not_to_have_text("0 段", timeout=30_000)
    assert broken
    page.get_by_role("button", name="结束并存证").click()
    page.wait_for_url("**/evidence/*", timeout=30_000)
    expect(page.get_by_role("heading", name="录制回执")).to_be_visible()
    expect(page.locator("video")).to_have_count(1)
    page.unroute_all(behavior="ignoreErrors")


def test_black_boxes_are_drawn_on_a_picture(order: Order, tmp_path: Path) -> None:
    page = order.page
    page.goto(order.path)
    out = io.BytesIO()
    Image.new("RGB", (300, 300), "white").save(out, "PNG")
    page.locator("form.say input[type=file]").set_input_files(written(tmp_path, "white.png", out.getvalue()))
    page.locator("[data-list] a").click()
    page.locator("#mask summary").click()
    area = page.locator(".maskbox")
    area.scroll_into_view_if_needed()
    place = area.bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + 10, place["y"] + 10)
    page.mouse.down()
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2, steps=4)
    page.mouse.up()
    expect(page.locator(".maskbox svg rect")).to_have_count(1)
    expect(page.locator(".maskbox :checked")).to_have_count(0)
    page.get_by_role("button", name="遮住选中的地方").click()
    expect(page.locator(".flash")).to_contain_text("已遮住")
    shown = page.request.get(page.locator("img.shot").get_attribute("src") or "").body()
    preview = Image.open(io.BytesIO(shown)).convert("L")
    assert (preview.getpixel((75, 75)), preview.getpixel((250, 250))) == (0, 255)
