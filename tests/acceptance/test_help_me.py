"""Self-help as people use it in a browser: a phone with scripts from the first question to the pack, one without."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from helptold import TOLD, Told
from kabao.packs import check
from media import picture
from town import Town

pytestmark = pytest.mark.browser
FILE = {"name": "a.png", "mimeType": "image/png", "buffer": picture("PNG")}


def clean(page: Page) -> None:
    """Axe finds nothing on the page as it stands, and nothing scrolls sideways."""
    found = [(one["id"], one["nodes"][0]["html"][:200]) for one in Axe().run(page).response["violations"]]
    assert (page.locator("h1").inner_text(), found) == (page.locator("h1").inner_text(), [])
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def begin(page: Page, one: Told) -> None:
    """Fill in the first step."""
    basics = dict(part.split("=") for part in one.basics.split())
    page.goto("/help-me")
    if "signs" in basics:
        page.locator(f"input[name=sign][value={basics['signs']}]").check()
    page.get_by_label("店铺名").fill("某店")
    page.get_by_label("买的是什么", exact=True).select_option(basics["goods"])
    page.locator("#paid_at").fill("2026-07-14")
    page.get_by_label("实际付了多少").fill(basics["payment.amount"])
    page.get_by_label("怎么付的", exact=True).select_option("alipay")
    onward(page)


def onward(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^下一步：")).click()


def answer(page: Page, one: Told) -> None:
    """Answer what is asked until nothing is."""
    known = dict(part.split("=") for part in one.answers.split())
    for _ in range(14):
        names = dict.fromkeys(re.findall(r'name="(answer_\w+)"', page.content()))
        asked = [name for name in names if not page.locator(f"input[name={name}]:checked").count()]
        boxes = [box for box in page.locator("input[name^=figure_]").all() if not box.input_value()]
        if not asked and not boxes:
            break
        for box in boxes:
            name = (box.get_attribute("name") or "").removeprefix("figure_")
            box.fill(known.get(f"amounts.{name}", "不知道"))
        for name in asked:
            value = known.get(name.removeprefix("answer_"), "unknown")
            page.locator(f"label:has(> input[name={name}][value={value}])").click()
        page.get_by_role("button", name="记下，看结果").click()
    expect(page.locator("#h-result")).to_be_visible()


def save(page: Page, town: Town, phone: str) -> None:
    """Save the case, signing in on the way."""
    page.get_by_role("button", name="保存到我的账户").click()
    page.get_by_label("手机号").fill(phone)
    page.get_by_role("button", name="获取验证码").click()
    page.get_by_label("验证码").fill(town.code_for(phone))
    page.get_by_role("button", name="登录").click()
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_text("已保存到你的账户")).to_be_visible()


def pack_of(page: Page, target: Path) -> None:
    """Give a file on the case's page, and take the pack."""
    page.locator("#files").set_input_files(files=[FILE])  # type: ignore[list-item]
    page.locator("#kind").select_option("recording")
    page.get_by_role("button", name="上传，取指纹").click()
    expect(page.get_by_text("1. a.png")).to_be_visible()
    with page.expect_download() as coming:
        page.get_by_role("button", name="下载证据包").click()
    coming.value.save_as(target)
    assert check(target).exit_code == 0


def test_a_stranger_on_a_phone_comes_to_a_pack_and_every_step_can_be_read_by_everybody(
    town: Town, tmp_path: Path
) -> None:
    one, page = TOLD["an account that its first owner took back"], town.phone(width=390, dark=True)
    begin(page, one)
    clean(page)
    page.get_by_label("买的商品").fill("一个游戏账号")
    onward(page)
    page.get_by_label("最接近的一种").select_option("reclaimed")
    page.get_by_role("button", name="记下，看结果").click()
    answer(page, one)
    expect(page.locator("#h-result").locator("..")).to_contain_text("2975.00")
    for _ in range(5):
        clean(page)
        onward(page)
    expect(page.locator("h1")).to_have_text("别错过的日子")
    clean(page)
    with page.expect_download():
        page.get_by_role("button", name="加到手机日历").click()
    expect(page.get_by_role("button", name="保存到我的账户")).to_be_enabled()
    page.goto("/help-me")  # a session that stopped goes on from this device
    page.get_by_role("button", name="接着填").click()
    expect(page.locator("h1")).to_have_text("别错过的日子")
    save(page, town, "13800000088")
    assert page.evaluate("localStorage.getItem('kabao-help')") is None
    pack_of(page, tmp_path / "pack.zip")
    clean(page)
    path = page.url
    for place in ("/help-me/cases", f"{path}/delete", f"{path}/at/letters"):
        page.goto(place)
        clean(page)

    # Without scripts, signs of fraud first, and the same account.
    plain = town.phone(script=False)
    plain.context.add_cookies([dict(cookie) for cookie in page.context.cookies()])  # type: ignore[arg-type]
    fraud = TOLD["an account sold and secretly taken back"]
    begin(plain, fraud)
    expect(plain.get_by_role("link", name="打 110 报警")).to_be_visible()
    expect(plain.get_by_text("写给谁")).to_have_count(0)
    for name in ("police_called", "payment_stopped"):
        plain.locator(f"label:has(> input[name=first_{name}][value=no])").click()
    onward(plain)
    plain.get_by_label("买的商品").fill("一个游戏账号")
    onward(plain)
    plain.get_by_label("最接近的一种").select_option("reclaimed")
    plain.get_by_role("button", name="记下，看结果").click()
    answer(plain, fraud)
    plain.get_by_role("button", name="保存到我的账户").click()
    pack_of(plain, tmp_path / "fraud.zip")
    clean(page)
    # The answer that asks to sign in first is no page that was found.
    assert all("401" in said for said in town.complaints), town.complaints
    town.complaints.clear()


@pytest.mark.soak
@pytest.mark.parametrize(("place", "name"), list(enumerate(TOLD)))
def test_each_published_case_comes_to_a_pack_on_a_phone(town: Town, tmp_path: Path, place: int, name: str) -> None:
    one, page = TOLD[name], town.phone(width=390)
    begin(page, one)
    if one.path == "fraud":
        expect(page.get_by_role("link", name="打 110 报警")).to_be_visible()
        expect(page.get_by_text("写给谁")).to_have_count(0)
        for step in ("police_called", "payment_stopped"):
            page.locator(f"label:has(> input[name=first_{step}][value=no])").click()
        onward(page)
    page.get_by_label("买的商品").fill("一件商品")
    onward(page)
    basics = dict(part.split("=") for part in one.basics.split())
    page.get_by_label("最接近的一种").select_option(basics["claim"])
    page.get_by_role("button", name="记下，看结果").click()
    answer(page, one)
    if one.best:
        expect(page.locator("main")).to_contain_text(f"{one.best[2] / 100:.2f}")
    save(page, town, f"138000001{place:02d}")
    pack_of(page, tmp_path / "pack.zip")
    assert all("401" in said for said in town.complaints), town.complaints
    town.complaints.clear()
