"""The payer's bank takes a payment back: nobody is paid twice, and both books, both sides and the case say the same."""

from pathlib import Path

import msgspec
import pytest

import dispute
from dispute import MERCHANTS, seen
from kabao.cases import Outcome, Rule
from kabao.cases.machine import Stage
from kabao.custody import RESERVE_ACCOUNT, SandboxInstitution
from kabao.kernel import IdSource, OrderId, Refusal, Refused, parse_ref
from kabao.ledger import AccountNo, LedgerService
from kabao.orders import OrderService
from kabao.postgres import Database, load_queries
from market import NOON, Market, seed_market
from orderdesk import PHONE, SECRET, Desk, open_nothing

PRICE = 9650
FULL = Rule(outcome=Outcome.FULL_REFUND, shares=MERCHANTS, facts="事实", reasons="理由")


@pytest.fixture
async def market(owner_database: Database) -> Market:
    return await seed_market(owner_database, keys=10)


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk.on(database, NOON)


async def paid(desk: Desk, market: Market, *, opened: bool = True, quantity: int = 1) -> tuple[str, str]:
    ref = await desk.place(market, quantity=quantity)
    payment = await desk.pay(market.buyer, ref)
    if opened:
        await desk.reveal(market, ref, [1])
    return ref, payment


async def custody_left(desk: Desk, market: Market) -> int:
    return -await LedgerService(database=desk.database).balance(market.shop_id, AccountNo.CUSTODY)


async def test_held_money_leaves_once_and_is_never_released_or_refunded(desk: Desk, market: Market) -> None:
    ref, payment = await paid(desk, market)
    await desk.charge_back(payment)
    await desk.charge_back(payment)
    view = await desk.see(market.buyer, ref)
    assert (view.state, view.escrow and view.escrow.held_minor) == ("refunded", 0)
    assert view.charged_back is not None
    assert (view.charged_back.taken_minor, view.charged_back.ended_case) == (PRICE, False)
    assert [event.kind for event in view.events].count("charged_back") == 1
    for answer in (await desk.orders.confirm(market.buyer, ref), await desk.orders.refund_sealed(market.buyer, ref)):
        assert answer == Refused(Refusal.ALREADY_REFUNDED)
    assert await desk.database.fetchval("SELECT count(*) FROM custody_instruction") == 0
    for side in (market.buyer, market.owner):
        assert [notice.kind for notice in await desk.notices.inbox(side)] == ["charged_back"]
    assert await custody_left(desk, market) == 0
    await desk.assert_books_balance()


async def test_a_sealed_key_goes_back_to_stock_and_what_was_refunded_before_stays(desk: Desk, market: Market) -> None:
    ref, payment = await paid(desk, market, quantity=3)
    await desk.orders.refund_sealed(market.buyer, ref)
    await desk.runner.run()
    await desk.charge_back(payment)
    view = await desk.see(market.buyer, ref)
    assert view.charged_back is not None
    assert (view.charged_back.taken_minor, view.given_back_minor) == (PRICE, 3 * PRICE)
    other, second = await paid(desk, market, opened=False)
    await desk.charge_back(second)
    assert (await desk.see(market.buyer, other)).keys == []
    await desk.assert_books_balance()


@pytest.mark.parametrize("told_first", [True, False])
async def test_a_release_on_its_way_is_stopped_with_its_fee_and_what_it_paid_of_a_debt(
    desk: Desk, market: Market, *, told_first: bool
) -> None:
    await desk.fill_reserve(PRICE)
    first = await desk.released(market)
    at = parse_ref(first)
    assert at is not None
    async with desk.database.transaction() as conn:
        order = (conn, at.shop_id, OrderId(at.object_id))
        await desk.orders.freeze(*order, market.buyer_id, "buyer")
        await desk.orders.resolve(*order, PRICE, market.staff_id, "support", "ruled")
    ref, payment = await paid(desk, market)
    await desk.orders.confirm(market.buyer, ref)
    assert await desk.database.fetchval("SELECT recoup_minor FROM custody_instruction WHERE recoup_minor > 0") > 0
    assert await desk.sandbox.charge_back(payment) is not None
    if told_first:
        await desk.sandbox.deliver_notices(desk.sink)
    await desk.runner.run()
    await desk.sandbox.deliver_notices(desk.sink)
    await desk.runner.run()
    view = await desk.see(market.owner, ref)
    assert (view.state, {move.kind: move.state for move in view.money_moves}) == (
        "confirmed",
        {"payment": "done", "release": "stopped", "chargeback": "done"},
    )
    assert (view.claim.left_minor, view.claim.is_open, "give_back" in view.allowed) == (0, False, False)
    assert await desk.database.fetchval("SELECT owed_minor FROM shop_fund") == PRICE
    assert await desk.sandbox.balance(RESERVE_ACCOUNT) == 0
    await desk.assert_books_balance()


async def test_a_stop_waits_for_the_reserve_that_lent_the_debts_part_again(desk: Desk, market: Market) -> None:
    await desk.fill_reserve(PRICE)
    first = await desk.released(market)
    at = parse_ref(first)
    assert at is not None
    async with desk.database.transaction() as conn:
        order = (conn, at.shop_id, OrderId(at.object_id))
        await desk.orders.freeze(*order, market.buyer_id, "buyer")
        await desk.orders.resolve(*order, PRICE, market.staff_id, "support", "ruled")
    ref, payment = await paid(desk, market)
    await desk.orders.confirm(market.buyer, ref)
    await desk.charge_back(payment)
    lent = await desk.database.fetchval("SELECT paid_minor - advanced_minor FROM reserve_fund")
    await desk.database.execute("UPDATE reserve_fund SET spent_minor = $1", lent)
    await desk.runner.run()
    stops = "SELECT state, last_error FROM custody_instruction WHERE recoup_minor > 0"
    assert tuple(await desk.database.fetchrow(stops) or ()) == ("pending", "charged back: the reserve is short")
    await desk.database.execute("UPDATE reserve_fund SET spent_minor = 0")
    await desk.database.execute("UPDATE custody_instruction SET due_at = $1", NOON)
    await desk.runner.run()
    assert (await desk.database.fetchrow(stops) or {})["state"] == "stopped"
    await desk.assert_books_balance()


async def test_a_key_that_nobody_opened_goes_back_to_stock_with_the_stopped_release(desk: Desk, market: Market) -> None:
    ref, payment = await paid(desk, market, quantity=2)
    await desk.orders.confirm(market.buyer, ref)
    await desk.charge_back(payment)
    assert await desk.orders.reveal(market.buyer, ref, [2], PHONE) == Refused(Refusal.KEY_TAKEN_BACK)
    assert not isinstance(await desk.orders.reveal(market.buyer, ref, [1], PHONE), Refused)
    await desk.runner.run()
    assert [(slot.pos, slot.state) for slot in (await desk.see(market.buyer, ref)).keys] == [(1, "opened")]
    assert await desk.orders.reveal(market.buyer, ref, [2], PHONE) == Refused(Refusal.KEY_TAKEN_BACK)
    assert await desk.database.fetchval("SELECT count(*) FROM card_key WHERE state = 'sealed'") == 0
    await desk.assert_books_balance()


async def test_a_key_of_a_paid_merchant_may_still_be_opened(desk: Desk, market: Market) -> None:
    ref, payment = await paid(desk, market, opened=False)
    await desk.orders.confirm(market.buyer, ref)
    await desk.runner.run()
    await desk.charge_back(payment)
    await desk.reveal(market, ref, [1])
    assert [slot.state for slot in (await desk.see(market.buyer, ref)).keys] == ["opened"]
    await desk.assert_books_balance()


async def test_what_reached_the_merchant_stays_and_is_not_claimed_on(desk: Desk, market: Market) -> None:
    ref, payment = await paid(desk, market)
    await desk.orders.confirm(market.buyer, ref)
    await desk.runner.run()
    await desk.deposit(market, PRICE)
    at = parse_ref(ref)
    assert at is not None
    async with desk.database.transaction() as conn:
        order = (conn, at.shop_id, OrderId(at.object_id))
        assert await desk.orders.freeze(*order, market.buyer_id, "buyer") == PRICE
    await desk.charge_back(payment)
    view = await desk.see(market.buyer, ref)
    assert view.charged_back is not None
    assert (view.state, view.in_case, view.charged_back.taken_minor) == ("settled", False, 0)
    assert (view.charged_back.ended_case, view.given_back_minor) == (True, 0)
    assert view.events[-1].kind == "charged_back_late"
    async with desk.database.transaction() as conn:
        order = (conn, at.shop_id, OrderId(at.object_id))
        refused = await desk.orders.resolve(*order, PRICE, market.staff_id, "support", "ruled")
        assert refused == Refused(Refusal.NOT_IN_CASE)
        assert await desk.orders.freeze(*order, market.buyer_id, "buyer") == Refused(Refusal.ALREADY_REFUNDED)
    gift = await desk.orders.after_release.give_back(market.owner, ref, 1, 0)
    assert gift == Refused(Refusal.REFUND_OUT_OF_RANGE)
    await desk.assert_books_balance()


async def test_a_refund_that_a_closed_account_refused_waits_for_nobody(desk: Desk, market: Market) -> None:
    ref, payment = await paid(desk, market, opened=False)
    await desk.sandbox.close_account(payment)
    await desk.orders.refund_sealed(market.buyer, ref)
    await desk.runner.run()
    await desk.charge_back(payment)
    view = await desk.see(market.buyer, ref)
    assert (view.claim.stranded_minor, "redirect" in view.allowed) == (0, False)
    redirected = await desk.orders.after_release.redirect(market.buyer, ref, "another-account")
    assert redirected == Refused(Refusal.NOTHING_TO_REDIRECT)
    await desk.assert_books_balance()
    late, second = await paid(desk, market, opened=False)
    await desk.sandbox.close_account(second)
    await desk.orders.refund_sealed(market.buyer, late)
    # The refusal is the custodian's already; its chargeback reaches us before that answer does.
    instruction = await desk.database.fetchval(
        "SELECT instruction_id FROM custody_instruction WHERE payment_id = $1", second
    )
    await desk.database.execute("INSERT INTO sandbox.refusal VALUES ($1, 'account closed', $2)", instruction, NOON)
    await desk.charge_back(second)
    await desk.runner.run()
    assert "stopped" in [move.state for move in (await desk.see(market.buyer, late)).money_moves]
    assert await custody_left(desk, market) == 0
    await desk.assert_books_balance()


async def test_a_second_payment_taken_back_leaves_the_order_alone(desk: Desk, market: Market) -> None:
    ref = await desk.place(market)
    path = await desk.orders.checkout(market.buyer, ref)
    payments = [await desk.pay_at(path), await desk.pay_at(path)]
    await desk.charge_back(payments[1])
    await desk.runner.run()
    view = await desk.see(market.buyer, ref)
    assert (view.state, view.charged_back) == ("delivered", None)
    assert view.events[-1].kind == "payout_stopped"
    await desk.assert_books_balance()


async def test_a_notice_that_does_not_fit_is_answered_clearly(desk: Desk, market: Market) -> None:
    ref, payment = await paid(desk, market)
    told = await desk.sandbox.charge_back(payment)
    assert told is not None

    async def tell(**other: object) -> object:
        body = desk.sandbox.notice_body(msgspec.structs.replace(told, **other))
        return await desk.orders.take_notice(body, desk.sandbox.sign(body))

    for unknown in ({"payment_id": "SBNOBODY"}, {"merchant_ref": "7-0"}, {"merchant_ref": "no ref"}):
        assert await tell(**unknown) == Refused(Refusal.NOT_FOUND)
    for wrong in ({"taken_minor": PRICE - 1}, {"taken_minor": PRICE + 1}, {"currency": "USD"}):
        assert await tell(**wrong) == Refused(Refusal.NOTICE_CONTRADICTS)
    assert (await desk.see(market.buyer, ref)).state == "opened"
    assert [getattr(await tell(), "replayed", None) for _ in range(2)] == [False, True]
    for wrong in ({"taken_minor": 1}, {"chargeback_id": "SCOTHER"}):
        assert await tell(**wrong) == Refused(Refusal.NOTICE_CONTRADICTS)
    assert len(await desk.notices.inbox(market.buyer)) == 1


async def test_the_audit_sees_a_chargeback_that_only_one_side_booked(
    desk: Desk, market: Market, owner_database: Database
) -> None:
    _, payment = await paid(desk, market)
    await desk.charge_back(payment)
    await owner_database.execute("DELETE FROM sandbox.chargeback")
    assert {finding.check for finding in (await desk.audit()).findings} == {"chargebacks_against_custodian"}


@pytest.fixture
async def quarrel(database: Database, tmp_path: Path) -> dispute.Desk:
    return await dispute.Desk.ready(database, tmp_path)


async def take_back(desk: dispute.Desk, order_id: int, *, ends_case: bool = True) -> None:
    """Let the bank take an order's payment back, and the institution tell the desk; an older kabao left the case."""
    base = {"database": desk.database, "clock": desk.clock, "ids": IdSource()}
    sandbox = SandboxInstitution(**base, secret=SECRET)  # type: ignore[arg-type]
    orders = OrderService(**base, custodian=sandbox, open_key=open_nothing, payer_key=b"p" * 32, notices=desk.notices)  # type: ignore[arg-type]
    orders.chargebacks.cases = desk.ladder.bank if ends_case else None
    payment = await desk.database.fetchval("SELECT payment_id FROM escrow WHERE order_id = $1", order_id)
    assert await sandbox.charge_back(payment) is not None

    async def sink(body: bytes, signature: str) -> bool:
        return not isinstance(await orders.take_notice(body, signature), Refused)

    assert await sandbox.deliver_notices(sink) == 1


@pytest.mark.parametrize("stage", ["left_over", "negotiation", "support", "handed_in", "ruled_open"])
async def test_an_open_case_ends_with_the_custodians_word(quarrel: dispute.Desk, stage: str) -> None:
    desk, buyer, owner = quarrel, quarrel.market.buyer, quarrel.market.owner
    case = await (desk.case() if stage in {"left_over", "negotiation"} else desk.at_support())
    if stage == "handed_in":
        await desk.handed_in(case, FULL)
    if stage == "ruled_open":
        await desk.ruled(case, FULL)
    await take_back(desk, case.order.order_id, ends_case=stage != "left_over")
    if stage == "left_over":
        assert await desk.cases.accept_demand(owner, case.ref) == Refused(Refusal.NOT_IN_CASE)
        assert await desk.cases.tick() == 1
    assert await desk.cases.accept_demand(owner, case.ref) == Refused(Refusal.CASE_CHARGED_BACK)
    desk.clock.advance(dispute.HOUR / 3600)
    assert await desk.cases.tick() == 0
    ended = seen(await desk.cases.case(buyer, case.ref))
    assert (ended.stage, ended.stage_label) == (Stage.CHARGED_BACK, "付款被银行撤回，已结案")
    assert ended.closed_at is not None
    assert any("不算谁输谁赢" in line.text for line in ended.timeline)
    assert await desk.escrow(ended) == ("refunded", PRICE, 0, 0)
    for side in (buyer, owner):
        assert any("纠纷结束" in subject for subject in await desk.subjects(side))
    assert await desk.cases.withdraw(buyer, case.ref) == Refused(Refusal.CASE_CHARGED_BACK)
    counts = await desk.database.fetch(load_queries("kabao.figures")["public_counts"], desk.clock.at)
    assert not {"endings", "stages", "wins", "open"} & {row["section"] for row in counts}
    assert await desk.database.fetchval("SELECT count(*) FROM custody_instruction") == 0
    assert await desk.database.fetchval("SELECT count(*) FROM ruling_submission WHERE ended_at IS NULL") == 0
