"""The whole ladder on real screens, everybody at their own: negotiation, support, panel, ruling, review, execution.

The clock is the test's, so that every deadline really passes. Each state is looked at as its people see it: the words
that must be there, nothing sideways, and, on a phone and a desk, light and dark, nothing for axe to find.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page

from clocktown import ClockTown, clock_town
from kabao.cases import GiveFirstView, OpenCase, Outcome, Remedy, SayFact, Shares
from kabao.custody import CheckoutRequest
from kabao.identity import Role
from kabao.postgres import EmbeddedServer
from kabao.wiring.quarrels import DEVICE, buy, granted
from screens import bought, complained, glance, look, seen, send

pytestmark = pytest.mark.browser

SHARES = {"share_merchant": "100", "share_buyer": "0", "share_platform": "0"}
FIRST_VIEW = SHARES | {"outcome": "full_refund", "sentence": "看起来是卡的问题。"}
TEXTS = SHARES | {
    "facts": "卡密拆封后激活失败，商家没有给出反证。",
    "reasons": "商家要证明卖出时卡是好的，没有证明。",
    "differs_reason": "两份证据都看过。",
}
KEYS = [f"TEST-{number:04d}-AAAA" for number in range(8)]
RULING = {"outcome": "full_refund"} | TEXTS


@pytest.fixture
def town(
    postgres_server: EmbeddedServer, template_database: str, tmp_path: Path, chromium: Browser
) -> Iterator[ClockTown]:
    with clock_town(postgres_server, template_database, tmp_path, chromium) as made:
        yield made


def test_a_case_climbs_from_negotiation_to_a_reviewed_ruling(town: ClockTown) -> None:
    _, shop, listing = town.run(town.site.selling())
    merchant = town.person("店主一", Role.MERCHANT)
    buyer = town.person("小买家")
    panel = [town.staff("争议一", Role.PANEL), town.staff("争议二", Role.PANEL)]
    inbox = f"/m/{shop}/cases"
    case = complained(town, buyer, bought(town, buyer, listing), is_looked_at=True)
    look(town, buyer, "case-negotiation-buyer", "协商")
    glance(town, merchant, inbox, "inbox-mine", "急的在前", "预计")
    merchant.goto(case)
    look(town, merchant, "case-negotiation-merchant", "协商")
    send(merchant, "/say", body="这张卡出库前测过，是好的。")
    glance(town, merchant, f"{inbox}?t=theirs", "inbox-theirs", "等买家", dark=True)
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
    glance(town, merchant, f"{case}/ruling", "ruling-merchant", "查明", "申请复核")
    glance(town, merchant, f"{inbox}?t=review", "inbox-review", "已裁决")

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
    look(town, buyer, "ruling-enforced", "96.50", "维持")
    glance(town, deciding, f"{case}/ruling", "ruling-panellist", "查明", dark=True)
    glance(town, merchant, f"{inbox}?t=closed", "inbox-closed", "结束", dark=True)
    read_by_strangers(town)


def read_by_strangers(town: ClockTown) -> None:
    """What has ended stands in the public library, without a number that says too much."""
    town.pass_time(seconds=1)
    stranger = town.page()
    glance(town, stranger, "/precedents", "precedents-list", "卡密提示已被使用：全额退款")
    stranger.get_by_role("link", name="卡密提示已被使用：全额退款").click()
    seen(town, stranger, "precedents-one", "复核裁决", "认定的事实", dark=True)
    glance(town, stranger, "/open", "open-too-few", "少于 20 件，不公布")
    glance(town, stranger, "/rules/proposals", "proposals-none", "还没有公开的建议", dark=True)


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
    glance(town, support, "/desk?lane=waiting", "desk-waiting", ref, dark=True)
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
    seen(town, deciding, "desk-panel-needs-first-view", "初步意见")
    send(deciding, "/first-view", **FIRST_VIEW)
    seen(town, deciding, "desk-panel-drafting", "责任归属", dark=True)
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
    _, _, listing = town.run(town.site.selling(keys=KEYS))
    merchant = town.person("店主一", Role.MERCHANT)
    buyer = town.person("小买家")
    town.staff("争议一", Role.PANEL)
    duty = town.staff("值班一", Role.DUTY)
    settle(town, buyer, merchant, listing)
    withdraw(town, buyer, listing)
    run_out_of_time(town, buyer, merchant, duty, listing)
    leave_the_ladder(town, buyer, merchant, listing)


def settle(town: ClockTown, buyer: Page, merchant: Page, listing: str) -> None:
    """An offer, another one, and what both agree on."""
    order = bought(town, buyer, listing)
    settled = complained(town, buyer, order)
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
    town.pass_time(minutes=1)
    glance(town, buyer, order, "settle-paid-buyer", "80.00", dark=True)


def withdraw(town: ClockTown, buyer: Page, listing: str) -> None:
    """A buyer takes a case back."""
    withdrawn = complained(town, buyer, bought(town, buyer, listing))
    buyer.goto(f"{withdrawn}/withdraw")
    look(town, buyer, "withdraw-asked-buyer", "至少还有 24 小时")
    send(buyer, "/withdraw")
    buyer.goto(withdrawn)
    look(town, buyer, "case-withdrawn-buyer", "已撤回")


def run_out_of_time(town: ClockTown, buyer: Page, merchant: Page, duty: Page, listing: str) -> None:
    """Nobody decides in time, rung after rung."""
    left = complained(town, buyer, bought(town, buyer, listing))
    assert "自动转给客服" in buyer.locator("main").inner_text()
    town.pass_time(hours=49)
    buyer.goto(left)
    look(town, buyer, "case-timed-out-buyer", "客服")
    merchant.goto(f"{left}/offer")
    send(merchant, "/offer", kind="partial_refund", refund="10", note="退十块。")
    town.pass_time(hours=43)
    support, ref = town.staff("客服一", Role.SUPPORT), left.removeprefix("/c/")
    glance(town, support, "/desk?lane=team&time=near", "desk-near-breach", ref)
    town.pass_time(hours=6)
    buyer.goto(left)
    assert "由值班长裁决" in buyer.locator("main").inner_text()
    town.pass_time(hours=73)
    buyer.goto(left)
    look(town, buyer, "case-duty-buyer", "值班长")
    town.check_staff(duty, "值班一")
    glance(town, duty, "/desk?lane=team&time=breached", "desk-breached", ref, "超时", dark=True)
    duty.goto(f"/desk/{ref}")
    send(duty, "/first-view", **FIRST_VIEW)
    duty.goto(f"/desk/{ref}")
    send(duty, "/rule", **RULING)
    send(duty, "/rule")
    town.pass_time(seconds=11)
    buyer.goto(left)
    look(town, buyer, "case-ruled-by-duty-buyer", "由值班长作出", "已失效")
    town.pass_time(days=7, minutes=1)
    buyer.goto(left)
    look(town, buyer, "case-executed-by-time-buyer", "已执行")


def leave_the_ladder(town: ClockTown, buyer: Page, merchant: Page, listing: str) -> None:
    """Cases that no person here rules on: the records do, an authority has it, or a bank ends it."""
    green = town.run(refunded_at_once(town, listing))
    glance(town, buyer, green, "case-green-buyer", "已当场裁决并退款", "不追回你已得的退款")
    glance(town, merchant, green, "case-green-merchant", "接受，还是申请复核", dark=True)
    routed = town.run(routed_out(town, listing))
    glance(town, buyer, routed, "case-routed-out-buyer", "已转有关部门", "拨 110", dark=True)
    glance(town, merchant, routed, "case-routed-out-merchant", "已转有关部门")
    town.run(taken_back(town, routed))
    glance(town, buyer, routed, "case-charged-back-buyer", "付款被银行撤回，已结案")


async def refunded_at_once(town: ClockTown, listing: str) -> str:
    """Let the buyer ask for sealed keys' money, which the records decide; returns the case's path."""
    app, buyer = town.site.app, await town.site.known("小买家")
    order = await buy(app, buyer, granted(await app.shops.listing(listing, buyer)))
    wish = OpenCase(claim="changed_mind", demand=Remedy.FULL_REFUND, statement="不想要了，还没拆封。")
    return f"/c/{granted(await app.cases.open(buyer, order, wish)).ref}"


async def routed_out(town: ClockTown, listing: str) -> str:
    """Lead a case to support, who learns of a crime and hands it to the police; returns its path."""
    app, buyer, owner = town.site.app, await town.site.known("小买家"), await town.site.known("店主一")
    known = await town.site.known("客服一")
    support = msgspec.structs.replace(known, roles=frozenset({Role.SUPPORT}), staff_checked=True)
    order = await buy(app, buyer, granted(await app.shops.listing(listing, buyer)))
    granted(await app.orders.reveal(buyer, order, None, DEVICE))
    wish = OpenCase(claim="already_used", demand=Remedy.FULL_REFUND, statement="激活时提示已被使用。")
    case = granted(await app.cases.open(buyer, order, wish)).ref
    granted(await app.cases.answer(owner, case, "不同意。"))
    granted(await app.cases.escalate(buyer, case))
    crime = SayFact(fact="crime_suspected", shows=True, kind="police_record", confidence=97)
    assert await app.decisions.say_fact(support, case, crime) is None
    view = GiveFirstView(outcome=Outcome.NO_REFUND, shares=Shares(buyer=100), sentence="先看公安的回执。")
    granted(await app.cases.ladder.first_view(support, case, view))
    assert await app.cases.ladder.route_out(support, case, "公安已立案，见证据一。") is None
    return f"/c/{case}"


async def taken_back(town: ClockTown, case: str) -> None:
    """Let the bank of who paid take the payment back."""
    app, buyer = town.site.app, await town.site.known("小买家")
    order = granted(await app.cases.case(buyer, case.removeprefix("/c/"))).order
    asked = CheckoutRequest(
        merchant_ref=order.ref, subject="", amount_minor=order.amount_minor, currency="CNY", return_path="/"
    )
    assert await app.custody.charge_back_all((await app.custody.checkout(asked)).checkout_id) == 1
    assert await app.custody.deliver_notices(app.take_notice) == 1


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
