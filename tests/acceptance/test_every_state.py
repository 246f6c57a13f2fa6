"""States of pages that no walk up the ladder comes through, each seen once on a real screen, and kept as a picture."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser

from clocktown import ClockTown, clock_town
from dispute import FIRST_VIEW, MERCHANTS
from kabao.cases import OpenCase, Outcome, Remedy, Rule
from kabao.custody import CheckoutRequest
from kabao.figures import Propose, Shown
from kabao.identity import Role
from kabao.postgres import EmbeddedServer
from kabao.wiring.quarrels import DEVICE, buy, granted
from screens import bought, complained, glance, paid, seen, send
from thorough import Thorough

pytestmark = pytest.mark.browser

KEYS = [f"TEST-{number:04d}-AAAA" for number in range(40)]
FULL = Rule(
    outcome=Outcome.FULL_REFUND, shares=MERCHANTS, facts="卡无效。", reasons="有记录。", differs_reason="记录清楚。"
)


@pytest.fixture
def town(
    postgres_server: EmbeddedServer, template_database: str, tmp_path: Path, chromium: Browser
) -> Iterator[ClockTown]:
    with clock_town(postgres_server, template_database, tmp_path, chromium) as made:
        yield made


def test_filing_shows_what_is_wrong_what_goes_at_once_and_what_the_rules_do_not_cover(town: ClockTown) -> None:
    _, _, listing = town.run(town.site.selling(keys=KEYS))
    buyer = town.person("小买家")
    sealed = paid(town, buyer, listing)
    glance(town, buyer, f"{sealed}/problem?claim=changed_mind", "problem-instant", "没拆的不用提纠纷", "直接全额退")
    order = bought(town, buyer, listing)
    town.pass_time(minutes=5)
    buyer.goto(f"{order}/problem")
    send(buyer, "/problem", claim="wrong_purchase", demand="full_refund")
    seen(town, buyer, "problem-outside", "估计", "不支持退款", dark=True)
    buyer.goto(f"{order}/problem")
    form = buyer.locator("form[action$='/problem']").first
    form.locator("button[type=submit]").last.click()
    seen(town, buyer, "problem-errors", "没有提交")


def test_money_that_cannot_go_back_asks_for_another_account(town: ClockTown) -> None:
    _, _, listing = town.run(town.site.selling(keys=KEYS))
    buyer = town.person("小买家")
    order = paid(town, buyer, listing)
    town.run(account_closed(town, order))
    buyer.goto(f"{order}/refund")
    send(buyer, "/refund")
    town.pass_time(minutes=1)
    town.pass_time(minutes=30)
    glance(town, buyer, order, "refund-refused", "退款没退到", "没能退回原账户", "钱没有丢")
    buyer.goto(order)
    send(buyer, "/account", account="6222-0001-TEST")
    send(buyer, "/account")
    town.pass_time(minutes=30)
    glance(town, buyer, order, "refund-to-another-account", "退到你换的收款账户", "已全额退款", dark=True)


async def account_closed(town: ClockTown, path: str) -> None:
    """Close the account at the custodian from which an order was paid."""
    app, buyer = town.site.app, await town.site.known("小买家")
    order = granted(await app.orders.order(buyer, path.removeprefix("/o/")))
    asked = CheckoutRequest(
        merchant_ref=order.ref, subject="", amount_minor=order.amount_minor, currency="CNY", return_path="/"
    )
    await app.custody.close_payers((await app.custody.checkout(asked)).checkout_id)


def test_a_pack_is_made_while_the_page_stays(town: ClockTown) -> None:
    _, _, listing = town.run(town.site.selling(keys=KEYS))
    buyer = town.person("小买家")
    case = complained(town, buyer, bought(town, buyer, listing))
    glance(town, buyer, case, "pack-ready", "下载证据包")
    # The form is sent and nothing comes back yet: a browser whose navigation hangs could not be looked at.
    buyer.evaluate("document.addEventListener('submit', (event) => event.preventDefault())")
    buyer.get_by_role("button", name="下载证据包").click()
    seen(town, buyer, "pack-preparing", "正在装证据包", dark=True)
    buyer.goto(case)
    with buyer.expect_download(timeout=60_000) as brought:
        buyer.get_by_role("button", name="下载证据包").click()
    assert brought.value.suggested_filename.endswith(".zip")


def test_the_public_library_and_figures_in_every_state(town: ClockTown) -> None:
    _, _, listing = town.run(town.site.selling(keys=KEYS))
    buyer, staff = town.person("小买家"), town.staff("客服一", Role.SUPPORT)
    stranger = town.page()
    town.run(twenty_cases(town, listing))
    case = town.run(ruled(town, listing))
    town.pass_time(seconds=11)
    town.run(waived(town, case))
    town.pass_time(minutes=6)
    glance(town, stranger, "/open", "open-all", "2026 年 11 月", "21 件")
    glance(town, stranger, "/open?month=2026-11", "open-month", "只数 2026 年 11 月", "21 件", dark=True)
    glance(town, stranger, "/open?month=2026-10", "open-month-too-few", "少于 20 件，不公布")
    assert (answer := stranger.goto("/open?month=2026-13")) is not None
    assert answer.status == 404
    staff.goto(f"/c/{case}/precedent")
    address = staff.url.removeprefix(town.origin)
    glance(town, staff, address, "precedent-staff", "撤下这个案例")
    send(staff, "/withdraw", why="overturned")
    stranger.goto(address)
    seen(town, stranger, "precedent-withdrawn", "这个案例已撤下", "法院、仲裁机构")
    glance(town, stranger, "/precedents", "precedents-none", "还没有这样的案例")
    town.run(declined(town))
    glance(town, stranger, "/rules/proposals", "proposals-answered", "没有采纳：法律已有规定。")
    glance(town, buyer, "/rules/proposals", "proposals-own", "我提的", dark=True)


async def opened(town: ClockTown, listing: str) -> str:
    """Buy, open the key and complain; returns the case."""
    app, buyer = town.site.app, await town.site.known("小买家")
    order = await buy(app, buyer, granted(await app.shops.listing(listing, buyer)))
    granted(await app.orders.reveal(buyer, order, None, DEVICE))
    wish = OpenCase(claim="already_used", demand=Remedy.FULL_REFUND, statement="激活时提示已被使用。")
    return granted(await app.cases.open(buyer, order, wish)).ref


async def twenty_cases(town: ClockTown, listing: str) -> None:
    """Let twenty cases be taken back."""
    buyer = await town.site.known("小买家")
    for _ in range(20):
        granted(await town.site.app.cases.withdraw(buyer, await opened(town, listing)))


async def ruled(town: ClockTown, listing: str) -> str:
    """Lead a case to a ruling; returns it."""
    app, buyer, owner = town.site.app, await town.site.known("小买家"), await town.site.known("店主一")
    known = await town.site.known("客服一")
    support = msgspec.structs.replace(known, roles=frozenset({Role.SUPPORT}), staff_checked=True)
    case = await opened(town, listing)
    granted(await app.cases.answer(owner, case, "不同意。"))
    granted(await app.cases.escalate(buyer, case))
    granted(await app.cases.ladder.first_view(support, case, FIRST_VIEW))
    granted(await Thorough(app.cases.ladder).rule(support, case, FULL))
    return case


async def waived(town: ClockTown, case: str) -> None:
    """Let both sides waive the review, so that the ruling is carried out."""
    for name in ("小买家", "店主一"):
        granted(await town.site.app.cases.ladder.waive(await town.site.known(name), case))


async def declined(town: ClockTown) -> None:
    """Let the buyer propose a rule, and the rulekeeper put it up and decline it."""
    app, buyer = town.site.app, await town.site.known("小买家")
    wish = Propose(article="key_refund", clause="卡密无效才退。", suggestion="卡密不能用就退。", reason="说法更清楚。")
    number = granted(await app.proposals.propose(buyer, wish))
    assert await app.proposals.show(number, Shown()) is None
    assert await app.proposals.decline(number, "法律已有规定。") is None
