"""A merchant writes what the law does not allow, in a real browser: off sale and told why, then mended and on sale."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from clocktown import clock_town
from kabao.identity import Role
from kabao.postgres import EmbeddedServer

pytestmark = pytest.mark.browser


def publish(page: Page, description: str) -> None:
    page.locator("textarea[name=description]").fill(description)
    page.get_by_role("button", name="保存并上架").locator("visible=true").click()


def test_a_listing_stays_off_sale_until_its_words_hold(
    postgres_server: EmbeddedServer, template_database: str, tmp_path: Path, chromium: Browser
) -> None:
    with clock_town(postgres_server, template_database, tmp_path, chromium) as town:
        _, shop, listing = town.run(town.site.selling())
        page = town.person("店主一", Role.MERCHANT)
        page.goto(f"/m/{shop}/listings/{listing}")
        page.get_by_role("button", name="下架").click()
        publish(page, "卡密一经售出，概不退换。质保90天。我们会尽快发货。")
        expect(page.get_by_text("已保存，没有上架").first).to_be_visible()
        expect(page.get_by_text("依法应属无效").first).to_be_visible()
        town.complaints.clear()  # the browser notes the answer 422, which is what was asked for
        for width, scheme in ((390, "light"), (1280, "dark")):
            page.set_viewport_size({"width": width, "height": 844})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert Axe().run(page).response["violations"] == []
            page.screenshot(path=tmp_path / f"gate-{width}.png", full_page=True)
        page.goto(f"/m/{shop}/listings/{listing}")
        expect(page.get_by_text("这些话改了才能上架")).to_be_visible()
        expect(page.get_by_text("不影响上架").first).to_be_visible()
        page.screenshot(path=tmp_path / "told-1280.png", full_page=True)
        page.get_by_role("button", name=re.compile("换成这句.*卡密一经售出，概不退换")).click()
        expect(page.get_by_text("还没有保存").first).to_be_visible()
        expect(page.locator("textarea[name=description]")).to_have_value(re.compile("可申请更换或退款。质保90天"))
        # Enter in a field saves, and presses no button that replaces words.
        page.locator("input[name=title]").press("Enter")
        expect(page.get_by_text("已保存").first).to_be_visible()
        for width, scheme in ((390, "dark"), (1280, "light")):
            page.set_viewport_size({"width": width, "height": 844})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.screenshot(path=tmp_path / f"rewritten-{width}.png", full_page=True)
        buyer = town.page()
        buyer.goto(f"/i/{listing}")
        assert buyer.get_by_role("link", name="立即购买").count() == 0
        publish(page, "卡密无效的，可以换新或者退款。付款后1分钟内送达。")
        expect(page.get_by_text("已上架").first).to_be_visible()
        buyer.goto(f"/i/{listing}")
        assert buyer.get_by_role("link", name="立即购买").count() > 0
