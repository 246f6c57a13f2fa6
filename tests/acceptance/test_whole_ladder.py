"""The whole ladder on real screens, everybody at their own: negotiation, support, panel, ruling, review, execution.

The clock is the test's, so that every deadline really passes. Each state is looked at as its people see it: the words
that must be there, nothing sideways, and, on a phone and a desk, light and dark, nothing for axe to find.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page

from clocktown import ClockTown, clock_town
from kabao.identity import Role
from kabao.postgres import EmbeddedServer

pytestmark = pytest.mark.browser

PHONE = 390
SCREENS = ((390, False), (390, True), (1280, False), (1280, True))
SHARES = {"share_merchant": "100", "share_buyer": "0", "share_platform": "0"}
FIRST_VIEW = SHARES | {"outcome": "full_refund", "sentence": "看起来是卡的问题。"}
TEXTS = SHARES | {
    "facts": "卡密拆封后激活失败，商家没有给出反证。",
    "reasons": "商家要证明卖出时卡是好的，没有证明。",
    "differs_reason": "两份证据都看过。",
}
RULING = {"outcome": "full_refund"} | TEXTS
PICTURES = Path(__file__).parents[2] / "build" / "screens"


@pytest.fixture
def town(
    postgres_server: EmbeddedServer, template_database: str, tmp_path: Path, chromium: Browser
) -> Iterator[ClockTown]:
    with clock_town(postgres_server, template_database, tmp_path, chromium) as made:
        yield made


def send(page: Page, action: str, **fields: str) -> None:
    """Fill a form as a person does and send it with its own button; the form that goes to `action`."""
    page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
    form = page.locator(f"form[action$='{action}']").locator("visible=true").first
    for name, value in fields.items():
        control = form.locator(f"[name='{name}']")
        if control.first.get_attribute("type") in {"radio", "checkbox"}:
            form.locator(f"[name='{name}'][value='{value}']").check(force=True)
        else:
            control.first.fill(value)
    _press(page, form.locator("button[type=submit]").locator("visible=true").last)


def _press(page: Page, button: Locator) -> None:
    with page.expect_navigation(wait_until="load") as went:
        button.click()
    answer = went.value
    assert answer is None or answer.status < 400, f"{answer.url}: {page.locator('main').inner_text()[:1500]}"


def look(town: ClockTown, page: Page, name: str, *words: str) -> None:
    """See a page as it stands on every screen: its words and its width; and keep the pictures.

    axe looks at the light page on a phone and at the dark one on a desk: each width and each theme once.
    """
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.goto(page.url.partition("?")[0])
    size = page.viewport_size
    for width, dark in SCREENS:
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme="dark" if dark else "light")
        seen = page.locator("main").inner_text()
        for word in words:
            assert word in seen, (name, word, seen[:1500])
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"), (
            f"{name} scrolls sideways at {width}"
        )
        if dark == (width > PHONE):
            faults = [(one["id"], one["nodes"][0]["html"][:200]) for one in Axe().run(page).response["violations"]]
            assert faults == [], name
        page.screenshot(path=PICTURES / f"{name}-{width}-{'dark' if dark else 'light'}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(size or {"width": 390, "height": 844})
    assert town.complaints == []


def bought(town: ClockTown, buyer: Page, listing: str) -> str:
    """Buy on a phone, pay at the custodian's page, open the key; returns the order's path."""
    buyer.goto(f"/buy/{listing}")
    for box in buyer.locator("input[name=notice]").all():
        box.check()
    _press(buyer, buyer.locator(f"form[action$='/buy/{listing}'] button[type=submit]").locator("visible=true").first)
    order = buyer.url.removeprefix(town.origin).partition("?")[0]
    send(buyer, "/pay")
    _press(buyer, buyer.locator("main form button[type=submit]").first)
    town.pass_time(seconds=1)
    buyer.goto(f"{order}/reveal")
    send(buyer, "/reveal")
    return order


def complained(town: ClockTown, buyer: Page, order: str) -> str:
    """Open a case on the order; returns the case's path."""
    town.pass_time(minutes=5)
    buyer.goto(f"{order}/problem")
    send(buyer, "/problem", claim="already_used", demand="full_refund")
    send(buyer, "/problem", statement="拆封后五分钟激活，提示已被使用。要求全额退款。")
    return buyer.url.removeprefix(town.origin).partition("?")[0]


def test_a_case_climbs_from_negotiation_to_a_reviewed_ruling(town: ClockTown) -> None:
    _, _, listing = town.run(town.site.selling())
    merchant = town.person("店主一", Role.MERCHANT)
    buyer = town.person("小买家")
    panel = [town.staff("争议一", Role.PANEL), town.staff("争议二", Role.PANEL)]
    case = complained(town, buyer, bought(town, buyer, listing))
    look(town, buyer, "case-negotiation-buyer", "协商")
    merchant.goto(case)
    look(town, merchant, "case-negotiation-merchant", "协商")
    send(merchant, "/say", body="这张卡出库前测过，是好的。")
    buyer.goto(case)
    send(buyer, "/escalate")
    look(town, buyer, "case-support-buyer", "客服")
    heard(town, case, buyer)

    buyer.goto(case)
    look(town, buyer, "case-panel-buyer", "争议组")
    deciding = voted(town, case, panel)
    buyer.goto(case)
    assert buyer.get_by_text("争议组的裁决").count() == 0
    town.pass_time(seconds=11)
    buyer.goto(case)
    look(town, buyer, "case-ruled-buyer", "申请复核")
    buyer.goto(f"{case}/ruling")
    look(town, buyer, "ruling-issued", "查明", "复核", "12315")

    merchant.goto(case)
    send(merchant, "/review", reason="出库检测记录没有被考虑。")
    look(town, merchant, "case-review-merchant", "复核")
    buyer.goto(f"{case}/ruling")
    look(town, buyer, "ruling-under-review", "复核")
    reviewed(town, case, [page for page in panel if page is not deciding])
    town.pass_time(seconds=11)
    buyer.goto(case)
    look(town, buyer, "case-executed-buyer", "已执行")
    buyer.goto(f"{case}/ruling")
    look(town, buyer, "ruling-enforced", "96.50")


def heard(town: ClockTown, case: str, buyer: Page) -> None:
    """Support asks the buyer, puts its view down, and passes the case on with a summary."""
    ref = case.removeprefix("/c/")
    support = town.staff("客服一", Role.SUPPORT)
    support.goto("/desk")
    look(town, support, "desk-queue", ref)
    support.goto(f"/desk/{ref}")
    send(support, "/ask", to="buyer", question="激活时的完整提示是什么？")
    buyer.goto(case)
    look(town, buyer, "case-paused-buyer", "提问")
    send(buyer, "/reply", answer="提示：该卡已被使用。")
    support.goto(f"/desk/{ref}")
    look(town, support, "desk-needs-first-view", "初步意见")
    assert support.get_by_text("责任归属").count() == 0
    send(support, "/first-view", **FIRST_VIEW)
    look(town, support, "desk-drafting", "责任归属")
    send(support, "/pass-on", summary="双方对激活时卡是否已被使用说法相反，问过买家，提示已附。")


def voted(town: ClockTown, case: str, panel: list[Page]) -> Page:
    """The panellist who was drawn views and votes; the ruling is handed in, and nobody else sees it yet."""
    deciding = seated(panel, case)
    send(deciding, "/first-view", **FIRST_VIEW)
    send(deciding, "/vote", upholds="yes", refund="96.50", **TEXTS)
    look(town, deciding, "desk-handed-in", "已提交")
    return deciding


def reviewed(town: ClockTown, case: str, panel: list[Page]) -> None:
    """Another panellist sees what was ruled and asked, and upholds it."""
    deciding = seated(panel, case)
    send(deciding, "/first-view", **FIRST_VIEW)
    look(town, deciding, "desk-review", "原裁决")
    send(deciding, "/rule", **RULING)
    send(deciding, "/rule")


def test_a_case_ends_by_agreement_by_withdrawal_or_by_the_time_that_passed(town: ClockTown) -> None:
    """Each deadline's consequence is on the page beforehand, and is what then comes."""
    _, _, listing = town.run(town.site.selling())
    merchant = town.person("店主一", Role.MERCHANT)
    buyer = town.person("小买家")
    town.staff("争议一", Role.PANEL)
    duty = town.staff("值班一", Role.DUTY)

    settled = complained(town, buyer, bought(town, buyer, listing))
    merchant.goto(f"{settled}/offer")
    send(merchant, "/offer", kind="partial_refund", refund="60", note="退六十，今天办到。")
    buyer.goto(settled)
    look(town, buyer, "settle-open-buyer", "60.00")
    buyer.goto(f"{settled}/offer")
    send(buyer, "/offer", kind="partial_refund", refund="80", note="退八十，我接受。")
    merchant.goto(settled)
    look(town, merchant, "settle-countered-merchant", "80.00")
    merchant.goto(f"{settled}/accept")
    send(merchant, "/accept")
    buyer.goto(settled)
    look(town, buyer, "settle-accepted-buyer", "已和解", "80.00")

    withdrawn = complained(town, buyer, bought(town, buyer, listing))
    buyer.goto(f"{withdrawn}/withdraw")
    look(town, buyer, "withdraw-asked-buyer", "至少还有 24 小时")
    send(buyer, "/withdraw")
    buyer.goto(withdrawn)
    look(town, buyer, "case-withdrawn-buyer", "已撤回")

    left = complained(town, buyer, bought(town, buyer, listing))
    assert "自动转给客服" in buyer.locator("main").inner_text()
    town.pass_time(hours=49)
    buyer.goto(left)
    look(town, buyer, "case-timed-out-buyer", "客服")
    town.pass_time(hours=49)
    buyer.goto(left)
    assert "由值班长裁决" in buyer.locator("main").inner_text()
    town.pass_time(hours=73)
    buyer.goto(left)
    look(town, buyer, "case-duty-buyer", "值班长")
    ref = left.removeprefix("/c/")
    town.check_staff(duty, "值班一")
    duty.goto(f"/desk/{ref}")
    send(duty, "/first-view", **FIRST_VIEW)
    duty.goto(f"/desk/{ref}")
    send(duty, "/rule", **RULING)
    send(duty, "/rule")
    town.pass_time(seconds=11)
    buyer.goto(left)
    look(town, buyer, "case-ruled-by-duty-buyer", "由值班长作出")
    town.pass_time(days=7, minutes=1)
    buyer.goto(left)
    look(town, buyer, "case-executed-by-time-buyer", "已执行")


def seated(panel: list[Page], case: str) -> Page:
    """Find who of the panel was drawn: the case is on nobody else's desk."""
    drawn = []
    for page in panel:
        answer = page.goto(f"/desk/{case.removeprefix('/c/')}")
        assert answer is not None
        if answer.status == 200:
            drawn.append(page)
    assert len(drawn) == 1, case
    return drawn[0]
