"""The main job by hand, on phones with a real Chromium: sell, buy sealed, open, quarrel, be answered, money back."""

import re
import time
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from program import kabao
from town import Town, rest_on

pytestmark = pytest.mark.browser

KEYS = [f"ACPT-{number:04d}-TEST-CARD" for number in range(6)]
MERCHANT, BUYER, SUPPORT = "13800000001", "13800000002", "13800000003"


def open_shop(page: Page, tmp_path: Path) -> str:
    """Step 1: a shop, a listing with terms, keys from a file; returns the listing's address."""
    page.goto("/m/shops/new")
    page.get_by_label("店铺名").fill("验收点卡店")
    page.get_by_label("主体名称").fill("验收测试主体")
    page.get_by_label("执照号").fill("000000000000001")
    page.get_by_label("经营地址").fill("测试地址，不对应真实地点")
    page.get_by_role("button", name="开店").click()
    page.goto(page.url.partition("/listings")[0].rstrip("/") + "/listings/new")
    page.get_by_label("标题").fill("验收点卡 100 元")
    page.locator("textarea[name=description]").fill("只用于验收。")
    page.get_by_label("单价").fill("96.50")
    page.get_by_label("有效期").fill("一年")
    page.locator("form.card button[type=submit], form button.pri").last.click()
    listing = page.url.rstrip("/").split("/")[-1] if "/keys" not in page.url else page.url.split("/")[-2]
    keys = tmp_path / "keys.csv"
    keys.write_text("key\n" + "\n".join([*KEYS, KEYS[0], "x" * 600]) + "\n", "utf-8")
    shop = page.url.split("/m/")[1].split("/")[0]
    page.goto(f"/m/{shop}/listings/{listing}/keys")
    page.locator("input[type=file]").set_input_files(keys)
    page.locator("form:has(input[type=file]) button[type=submit]").click()
    expect(page.get_by_text("导入完成")).to_be_visible()
    expect(page.get_by_text("第 9 行")).to_be_visible()
    assert not any(key in page.content() for key in KEYS)
    page.goto(f"/m/{shop}/listings/{listing}")
    page.get_by_role("button", name="上架").click()
    expect(page.get_by_text("已上架")).to_be_visible()
    return f"/i/{listing}"


def buy(page: Page, listing: str, quantity: str = "1") -> str:
    """Step 2: read, tick each notice, pay at the custodian's own page; returns the order's address."""
    page.goto(listing)
    expect(page.get_by_text("万一出了问题")).to_be_visible()
    expect(page.get_by_text("验收测试主体")).to_be_visible()
    page.get_by_role("link", name=re.compile("立即购买")).locator("visible=true").click()
    page.get_by_label("数量").fill(quantity)
    boxes = page.locator("input[name=notice]")
    assert boxes.count() >= 2
    for box in boxes.all():
        expect(box).not_to_be_checked()
        box.check()
    page.locator("form button.pri").locator("visible=true").click()
    page.wait_for_url(re.compile("/o/"))
    order = "/o/" + page.url.split("/o/")[1]
    page.get_by_role("button", name=re.compile("付款")).locator("visible=true").click()
    page.wait_for_url(re.compile("/sandbox-custodian/"))
    expect(page.get_by_text("模拟").first).to_be_visible()
    page.locator("main form button[type=submit]").click()
    page.wait_for_url(re.compile("/o/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("卡密已送达，等你拆封")
    return order


def reveal(page: Page, order: str) -> str:
    page.goto(order)
    page.get_by_role("link", name="拆封查看卡密").first.click()
    expect(page.get_by_text("不能再无理由退")).to_be_visible()
    page.locator("main form button[type=submit]").click()
    key = page.locator(".keyline.big").first.inner_text()
    assert key in KEYS
    expect(page.get_by_text("首次拆封")).to_be_visible()
    return key


def complain(page: Page, order: str, picture: Path) -> str:
    """Step 5: claim, demand, statement, a file; returns the case's address."""
    page.goto(f"{order}/problem")
    page.locator("input[name=claim][value=already_used]").check()
    page.locator("input[name=demand][value=full_refund]").check()
    page.get_by_role("button", name="看看预计的结果").click()
    expect(page.get_by_text("这是估计，不是裁决")).to_be_visible()
    page.locator("textarea[name=statement]").fill("20:14 拆封，20:15 激活提示已被使用。要求全额退款。")
    page.locator("input[type=file]").set_input_files(picture)
    page.locator("main form button.pri").click()
    page.wait_for_url(re.compile("/c/"))
    expect(page.get_by_text("冻结在托管方").first).to_be_visible()
    return "/c/" + page.url.split("/c/")[1].partition("?")[0]


def step(page: Page, *texts: str) -> None:
    """Press the page's main button, wherever it stands."""
    page.locator("main form button.pri").locator("visible=true").last.click()
    for text in texts:
        expect(page.get_by_text(text).first).to_be_visible()


def test_the_main_job_end_to_end(town: Town, tmp_path: Path) -> None:
    picture = tmp_path / "shot.png"
    Image.new("RGB", (320, 200), "white").save(picture)
    merchant, buyer = town.phone(), town.phone()
    town.sign_in(merchant, MERCHANT)
    listing = open_shop(merchant, tmp_path)
    town.sign_in(buyer, BUYER)

    first = buy(buyer, listing)
    reveal(buyer, first)
    buyer.goto(f"{first}/confirm")
    step(buyer, "你已确认")

    sealed = buy(buyer, listing)
    buyer.goto(f"{sealed}/refund")
    step(buyer, "已全额退款")

    disputed = buy(buyer, listing)
    reveal(buyer, disputed)
    case = complain(buyer, disputed, picture)
    merchant.goto(case)
    merchant.goto(f"{case}/offer")
    merchant.locator("input[name=kind][value=partial_refund]").check()
    merchant.locator("input[name=refund], input[name=refund_minor]").first.fill("60")
    merchant.locator("main form button.pri").click()
    buyer.goto(f"{case}/accept")
    step(buyer)
    buyer.goto(disputed)
    expect(buyer.get_by_text("¥60.00 退到原付款账户").first).to_be_visible()

    ruled = buy(buyer, listing)
    reveal(buyer, ruled)
    case = complain(buyer, ruled, picture)
    merchant.goto(case)
    merchant.locator("textarea[name=body]").first.fill("发出时是好的，附发卡前校验记录的说明。")
    merchant.get_by_role("button", name="回应", exact=True).click()
    expect(merchant.get_by_text("已回应，双方都能看到")).to_be_visible()
    buyer.goto(case)
    buyer.get_by_role("button", name="请客服介入").locator("visible=true").click()
    rule(town, case)
    appears(buyer, case, "商家没有提供发卡前的校验记录")
    for page in (buyer, merchant):
        page.goto(case)
        expect(page.get_by_text("商家没有提供发卡前的校验记录").first).to_be_visible()
        expect(page.get_by_text("12315").first).to_be_visible()
        assert "最终裁决" not in page.content()
        page.get_by_role("link", name="放弃复核，接受裁决").click()
        page.get_by_role("button", name="放弃复核").click()
    buyer.goto(ruled)
    expect(buyer.get_by_text(re.compile("已全额退款|全额退款")).first).to_be_visible()

    audit = kabao("ledger", "audit", "--data", town.data, "--json")
    assert audit.returncode == 0, audit.stdout


def appears(page: Page, path: str, text: str) -> None:
    """Wait for what becomes visible once it can no longer be taken back."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        page.goto(path)
        if text in page.content():
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"{text} never appeared on {path}")


def rule(town: Town, case: str) -> None:
    """A member of support reads both sides and rules."""
    desk = town.phone(width=1280)
    town.sign_in(desk, SUPPORT)
    added = kabao("staff", "add", SUPPORT, "support", "--data", town.data)
    assert added.returncode == 0, added.stderr
    password = added.stdout.splitlines()[1]
    desk.goto("/desk")
    desk.get_by_label("密码").fill(password)
    desk.get_by_label("动态码").fill(town.staff_code(SUPPORT))
    desk.locator("main form button.pri").click()
    desk.wait_for_url(re.compile("/desk$"))
    desk.goto(case.replace("/c/", "/desk/"))
    desk.locator("input[name=outcome][value=no_refund]").check()
    desk.locator("input[name=share_merchant]").fill("100")
    desk.locator("input[name=share_buyer]").fill("0")
    desk.locator("input[name=share_platform]").fill("0")
    desk.locator("textarea[name=sentence]").fill("先看拆封记录。")
    desk.locator("form[action$='/first-view'] button.pri").click()
    expect(desk.get_by_role("heading", name="按规则怎么判")).to_be_visible()
    desk.locator("input[name=outcome][value=full_refund]").check()
    desk.locator("input[name=share_merchant]").fill("100")
    desk.locator("input[name=share_buyer]").fill("0")
    desk.locator("input[name=share_platform]").fill("0")
    desk.locator("textarea[name=facts]").fill("买家 20:14 首次拆封，一分钟后提示已被使用。")
    desk.locator("textarea[name=reasons]").fill("商家没有提供发卡前的校验记录，应承担举证不能的后果，支持全额退款。")
    rest_on(desk.locator("form[action$='/rule']"))
    desk.locator("form[action$='/rule'] button.pri").click()
    desk.get_by_role("button", name="提交裁决").click()
    expect(desk.get_by_text("裁决").first).to_be_visible()
