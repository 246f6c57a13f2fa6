"""The desk in a real browser: keys that leave typing alone, a draft that saves itself, ten seconds, nothing for axe."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from town import Town, rest_on

pytestmark = pytest.mark.browser

FACTS = "商品页没有写升级要另外登记。"


def at_the_desk(demo: Town) -> Page:
    """Sign the demo's support in from the start page, checked, and go to the whole team's queue."""
    start = demo.phone(width=390)
    start.goto(re.findall(r"http\S+/demo/\S+", demo.serving.output)[0])
    assert faults(start) == []
    start.emulate_media(color_scheme="dark")
    start.set_viewport_size({"width": 320, "height": 700})
    start.reload()
    assert faults(start) == []
    assert not start.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    staff = start.locator("section div", has=start.get_by_role("link", name="演示客服"))
    with start.expect_popup() as opened:
        staff.get_by_role("link").click()
    page = opened.value
    page.set_viewport_size({"width": 1280, "height": 844})
    page.emulate_media(color_scheme="light")
    page.locator("main form button[type=submit]").click()
    page.get_by_label("密码").fill(staff.locator(".mono").nth(0).inner_text())
    page.get_by_label("动态码").fill(staff.locator(".mono").nth(1).inner_text())
    page.locator("main form button.pri").click()
    page.wait_for_url(re.compile("/desk$"))
    page.goto("/desk?lane=team")
    return page


def faults(page: Page) -> list[tuple[str, str]]:
    found = Axe().run(page).response["violations"]
    return [(one["id"], one["nodes"][0]["html"][:200]) for one in found]


def fill_view(page: Page) -> None:
    page.locator("input[name=outcome][value=partial_refund]").check(force=True)
    page.locator("input[name=refund]").fill("100")
    for side, share in (("merchant", "60"), ("buyer", "40"), ("platform", "0")):
        page.locator(f"input[name=share_{side}]").fill(share)


def keys_lead_through(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_text("写裁决、投票或初步意见")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_text("写裁决、投票或初步意见")).to_be_hidden()
    for key, place in (("e", "ev-h"), ("p", "pass-h"), ("d", "outcome"), ("Escape", ""), ("/", "desk-q")):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.id") == place, key


def typing_is_left_alone(page: Page) -> None:
    here = page.url
    page.locator("#sentence").click()
    page.keyboard.type("jked?/")
    assert page.locator("#sentence").input_value() == "jked?/"
    assert page.url == here


def looks_right(page: Page) -> None:
    for width, dark in ((1280, False), (1280, True), (390, False), (390, True)):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.reload()  # colours fade over, and axe would look in between
        assert faults(page) == [], (width, dark)
    page.set_viewport_size({"width": 320, "height": 700})
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    page.set_viewport_size({"width": 1280, "height": 844})


def first_view(page: Page) -> None:
    fill_view(page)
    expect(page.locator("[data-sums]")).to_contain_text("退给买家 ¥100.00")
    expect(page.locator("[data-sums]")).to_contain_text("责任合计 100%")
    page.locator("#sentence").press("Control+Enter")
    expect(page.get_by_role("heading", name="按规则怎么判")).to_be_visible()


def draft(page: Page) -> None:
    """Write a ruling that differs from the rules, and come back to it."""
    expect(page.locator("#differs_reason")).to_be_hidden()
    fill_view(page)
    page.locator("#differs_reason").fill("双方各有疏忽。")
    page.locator("#facts").fill(FACTS)
    page.locator("#reasons").fill("没有显著提示，退一部分。")
    expect(page.locator("[data-saved]")).to_contain_text("草稿已存")
    page.goto(page.url)
    assert page.locator("#facts").input_value() == FACTS
    assert page.locator("input[name=outcome][value=partial_refund]").is_checked()


def test_a_case_is_ruled_by_keys_with_a_draft_and_taken_back(demo: Town) -> None:
    page = at_the_desk(demo)
    assert faults(page) == []
    page.keyboard.press("j")
    page.wait_for_url(re.compile(r"/desk/[^/?]+\?lane=team"))
    keys_lead_through(page)
    typing_is_left_alone(page)
    first_view(page)
    # A template goes into its field without a new page.
    page.get_by_role("link", name="问商家：发卡前的校验").click()
    assert "校验记录" in page.locator("#question").input_value()
    assert page.locator("input[name=to][value=merchant]").is_checked()
    draft(page)
    looks_right(page)
    rest_on(page.locator("form[action$='/rule']"))
    page.locator("#reasons").press("Control+Enter")
    expect(page.get_by_role("heading", name="双方会读到的")).to_be_visible()
    expect(page.get_by_text("和你的初步意见一致")).to_be_visible()
    assert faults(page) == []
    page.get_by_role("button", name="提交裁决").click()
    undo = page.locator("[data-undo]")
    expect(undo.get_by_role("timer")).to_be_visible()
    undo.get_by_role("button", name="撤回").click()
    expect(page.get_by_text("已撤回，双方没有看到")).to_be_visible()
    assert page.locator("#facts").input_value() == FACTS
    # The same without a script, on a phone.
    plain = demo.phone(script=False)
    plain.context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    plain.goto(page.url)
    plain.locator("#facts").fill("没有脚本也存得下。")
    plain.get_by_role("button", name="存草稿").click()
    expect(plain.get_by_text("草稿已存，只有你看得到").first).to_be_visible()
    assert plain.locator("#facts").input_value() == "没有脚本也存得下。"
    assert demo.complaints == []
