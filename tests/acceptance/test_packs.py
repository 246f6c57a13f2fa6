"""In a real Chromium: ticks are measured, the button brings a pack, and the pack holds."""

import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from program import kabao
from town import Town

pytestmark = pytest.mark.browser


def enter(town: Town, page: Page) -> None:
    """Sign in as the demo's buyer, by the link that was printed."""
    link = re.search(r"buyer +(http\S+/sign-in/link/\S+)", town.serving.output)
    assert link is not None
    page.goto(link[1])
    page.locator("main form button").first.click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def test_a_buyer_s_ticks_are_measured_and_the_pack_comes_by_button(demo: Town, tmp_path: Path) -> None:
    page = demo.phone()
    enter(demo, page)
    page.goto("/")
    page.locator("ul.goods a").first.click()
    page.get_by_role("link", name=re.compile("立即购买")).locator("visible=true").click()
    for box in page.locator("input[name=notice]").all():
        box.check()
    first = page.locator("input[name=notice]").first
    first.uncheck()
    first.check()
    page.locator("form#buy button.pri").click()
    page.wait_for_url(re.compile("/o/"))
    order = "/o/" + page.url.split("/o/")[1].split("?")[0]

    page.goto(f"{order}/receipts")
    for _ in range(20):
        if page.get_by_text("买家下单").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    expect(page.get_by_text("买家下单")).to_be_visible()
    with page.expect_download(timeout=60_000) as brought:
        page.get_by_role("button", name="下载证据包").click()
    pack = tmp_path / "pack.zip"
    brought.value.save_as(pack)
    checked = kabao("evidence", "verify", pack)
    assert checked.returncode == 0, checked.stdout
    with zipfile.ZipFile(pack) as opened:
        notices = json.loads(opened.read("records/000001.json"))["content"]["seen"]["notices"]
    assert notices
    assert {one["dwell_by"] for one in notices} == {"page"}
    assert demo.complaints == []
