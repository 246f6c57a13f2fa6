"""Given back after the release, then taken by the payer's bank: the buyer has it once, and not from the merchant."""

import pytest

from kabao.custody import RESERVE_ACCOUNT, CustodianUnreachable, Instruction, deposit_account
from kabao.kernel import OrderId, Refusal, Refused, parse_ref
from kabao.ledger import AccountNo, LedgerService
from kabao.orders import InstructionRunner, Resolved
from kabao.postgres import Database
from market import NOON, Market, seed_market
from orderdesk import Desk

PRICE = 9650
LATER = "UPDATE custody_instruction SET due_at = $1, lease_until = NULL"


@pytest.fixture
async def market(owner_database: Database) -> Market:
    return await seed_market(owner_database, keys=10)


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk.on(database, NOON)


async def confirmed(desk: Desk, market: Market) -> tuple[str, str]:
    """Buy and confirm; the release waits at the custodian, the key is sealed."""
    ref = await desk.place(market)
    payment = await desk.pay(market.buyer, ref)
    assert not isinstance(await desk.orders.confirm(market.buyer, ref), Refused)
    return ref, payment


async def ruled(desk: Desk, market: Market, ref: str, refund: int = PRICE) -> Resolved | Refused:
    at = parse_ref(ref)
    assert at is not None
    async with desk.database.transaction() as conn:
        order = (conn, at.shop_id, OrderId(at.object_id))
        await desk.orders.freeze(*order, market.buyer_id, "buyer")
        return await desk.orders.resolve(*order, refund, market.staff_id, "support", "ruled")


async def run_on(desk: Desk) -> None:
    for _ in range(3):
        await desk.database.execute(LATER, NOON)
        await desk.runner.run(50)


async def moves(desk: Desk, market: Market, ref: str) -> dict[str, str]:
    return {move.kind: move.state for move in (await desk.see(market.buyer, ref)).money_moves}


async def fund(desk: Desk) -> tuple[int, int, int]:
    """Read deposit, debt and what of the reserve is advanced."""
    row = await desk.database.fetchrow("""SELECT sum(f.deposit_minor)::bigint, sum(f.owed_minor)::bigint,
        min(r.advanced_minor) FROM shop_fund f, reserve_fund r""")
    return tuple(row or ())  # type: ignore[return-value]


async def test_nothing_is_given_back_before_the_merchant_has_the_price(desk: Desk, market: Market) -> None:
    await desk.deposit(market, PRICE)
    ref, _ = await confirmed(desk, market)
    await desk.orders.after_release.give_back(market.owner, ref, PRICE, PRICE)
    sent: list[str] = []

    class Slow:
        """An institution that cannot be reached for a release."""

        provider = "sandbox"

        async def carry_out(self, instruction: Instruction) -> None:
            sent.append(instruction.kind)
            raise CustodianUnreachable

    runner = InstructionRunner(database=desk.database, clock=desk.clock, custodian=Slow(), notices=desk.notices)  # type: ignore[arg-type]
    await runner.run()
    await desk.database.execute(LATER, NOON)
    await runner.run()
    assert sent == ["release", "release"]
    await run_on(desk)
    assert await moves(desk, market, ref) == {"payment": "done", "release": "done", "claim_refund": "done"}
    assert await desk.sandbox.balance(deposit_account(market.shop_id)) == 0
    await desk.assert_books_balance()


@pytest.mark.parametrize("told_first", [True, False])
async def test_a_gift_of_a_price_that_the_bank_took_returns_to_the_deposit(
    desk: Desk, market: Market, *, told_first: bool
) -> None:
    await desk.deposit(market, PRICE + 5)
    ref, payment = await confirmed(desk, market)
    await desk.orders.after_release.give_back(market.owner, ref, PRICE, PRICE)
    assert await fund(desk) == (5, 0, 0)
    assert await desk.sandbox.charge_back(payment) is not None
    if told_first:
        await desk.sandbox.deliver_notices(desk.sink)
    await desk.runner.run()
    await desk.sandbox.deliver_notices(desk.sink)
    await run_on(desk)
    assert await moves(desk, market, ref) == {
        "payment": "done",
        "release": "stopped",
        "claim_refund": "cancelled",
        "chargeback": "done",
    }
    view = await desk.see(market.buyer, ref)
    assert (view.given_back_minor, view.claim.left_minor, view.keys) == (0, 0, [])
    assert [event.amount_minor for event in view.events if event.kind == "claim_stopped"] == [PRICE]
    assert await fund(desk) == (PRICE + 5, 0, 0)
    assert await desk.sandbox.balance(deposit_account(market.shop_id)) == PRICE + 5
    ledger = LedgerService(database=desk.database)
    assert [await ledger.balance(market.shop_id, account) for account in (AccountNo.CUSTODY, AccountNo.DEPOSIT)] == [
        -(PRICE + 5),
        PRICE + 5,
    ]
    await desk.assert_books_balance()


async def test_what_the_reserve_had_lent_for_it_is_owed_no_more(desk: Desk, market: Market) -> None:
    await desk.deposit(market, 1000)
    await desk.fill_reserve(2 * PRICE)
    ref, payment = await confirmed(desk, market)
    assert isinstance(await ruled(desk, market, ref), Resolved)
    assert await fund(desk) == (0, PRICE - 1000, PRICE - 1000)
    await desk.charge_back(payment)
    assert await fund(desk) == (1000, 0, 0)
    await run_on(desk)
    assert await desk.sandbox.balance(RESERVE_ACCOUNT) == 2 * PRICE
    await desk.assert_books_balance()


async def test_a_debt_that_later_releases_had_paid_goes_back_to_the_merchant(desk: Desk, market: Market) -> None:
    await desk.fill_reserve(PRICE)
    ref, payment = await confirmed(desk, market)
    assert isinstance(await ruled(desk, market, ref), Resolved)
    # Two other releases pay the debt while this one waits.
    for _ in range(2):
        await confirmed(desk, market)
    _, owed, _ = await fund(desk)
    assert 0 < owed < PRICE
    await desk.charge_back(payment)
    await run_on(desk)
    assert await fund(desk) == (0, 0, 0)
    view = await desk.see(market.owner, ref)
    assert {(move.kind, move.state, move.amount_minor) for move in view.money_moves if move.kind != "payment"} == {
        ("release", "stopped", PRICE),
        ("claim_refund", "cancelled", PRICE),
        ("reversal", "done", PRICE - owed),
        ("chargeback", "done", PRICE),
    }
    assert view.state == "confirmed"
    assert await desk.sandbox.balance(RESERVE_ACCOUNT) == PRICE
    paid_out = await LedgerService(database=desk.database).balance(market.shop_id, AccountNo.PAID_OUT)
    assert paid_out == 2 * (PRICE - PRICE * 200 // 10000)
    await desk.assert_books_balance()


@pytest.mark.parametrize("redirected", [True, False])
async def test_a_claim_that_a_closed_account_refused_waits_for_nobody(
    desk: Desk, market: Market, *, redirected: bool
) -> None:
    await desk.deposit(market, PRICE)
    ref, payment = await confirmed(desk, market)
    await desk.runner.run()
    await desk.sandbox.close_account(payment)
    await desk.orders.after_release.give_back(market.owner, ref, PRICE, PRICE)
    await desk.runner.run()
    if redirected:
        assert await desk.orders.after_release.redirect(market.buyer, ref, "another-account") == PRICE
    await desk.charge_back(payment)
    await run_on(desk)
    assert (await moves(desk, market, ref))["claim_refund"] == "cancelled"
    redirect = await desk.orders.after_release.redirect(market.buyer, ref, "a-third-account")
    assert redirect == Refused(Refusal.NOTHING_TO_REDIRECT)
    assert await fund(desk) == (PRICE, 0, 0)
    await desk.assert_books_balance()


async def test_a_claim_refused_after_the_custodians_word_returns_as_well(desk: Desk, market: Market) -> None:
    await desk.deposit(market, PRICE)
    ref, payment = await confirmed(desk, market)
    await desk.runner.run()
    await desk.orders.after_release.give_back(market.owner, ref, PRICE, PRICE)
    # It was sent, and the answer is lost: what is on its way is not taken back on a guess.
    await desk.database.execute("UPDATE custody_instruction SET attempt = 1 WHERE kind = 'claim_refund'")
    await desk.charge_back(payment)
    assert await fund(desk) == (0, 0, 0)
    await desk.sandbox.close_account(payment)
    await run_on(desk)
    assert (await moves(desk, market, ref))["claim_refund"] == "cancelled"
    assert await fund(desk) == (PRICE, 0, 0)
    assert not [told for told in await desk.notices.inbox(market.buyer) if told.kind == "refund_refused"]
    await desk.assert_books_balance()


async def test_a_claim_that_was_paid_stays_paid(desk: Desk, market: Market) -> None:
    await desk.deposit(market, PRICE)
    ref, payment = await confirmed(desk, market)
    await desk.orders.after_release.give_back(market.owner, ref, PRICE, PRICE)
    await run_on(desk)
    await desk.charge_back(payment)
    view = await desk.see(market.buyer, ref)
    assert (view.given_back_minor, [event.kind for event in view.events].count("claim_stopped")) == (PRICE, 0)
    await desk.assert_books_balance()


async def test_damages_of_an_order_taken_back_are_paid_as_before(desk: Desk, market: Market) -> None:
    await desk.deposit(market, PRICE)
    ref, payment = await confirmed(desk, market)
    at = parse_ref(ref)
    assert at is not None
    async with desk.database.transaction() as conn:
        order = (conn, at.shop_id, OrderId(at.object_id))
        await desk.orders.after_release.award_damages(*order, "1", 500, market.staff_id, "support")
    await desk.charge_back(payment)
    await run_on(desk)
    assert (await moves(desk, market, ref))["damages"] == "done"
    assert await fund(desk) == (PRICE - 500, 0, 0)
    await desk.assert_books_balance()


WRONG = {
    # Into the debt rather than the deposit, with both guards moved along.
    "claims_taken_back": """WITH t AS (UPDATE ledger_transfer SET credit_no = 10 WHERE kind = 'claim_returned'
          RETURNING *),
        d AS (UPDATE ledger_delta x SET account_no = 10 FROM t WHERE x.transfer_id = t.transfer_id AND x.delta > 0)
        UPDATE shop_fund SET deposit_minor = 0, owed_minor = 0""",
    "claims_sent_before_price": "UPDATE custody_instruction SET attempt = 1 WHERE kind = 'claim_refund'",
    "refused_and_paid": """INSERT INTO sandbox.booking (instruction_id, payment_id, kind, amount_minor, fee_minor,
        currency, from_account, booked_at)
        SELECT instruction_id, payment_id, kind, amount_minor, 0, currency, from_account, created_at
          FROM custody_instruction WHERE kind = 'claim_refund'""",
    "funds_against_transfers": "UPDATE shop_fund SET deposit_minor = deposit_minor - 1",
    "clearing_against_instructions": "UPDATE custody_instruction SET state = 'pending' WHERE kind = 'claim_refund'",
}


@pytest.mark.parametrize("check", WRONG)
async def test_the_audit_sees_a_claim_taken_back_wrongly(
    desk: Desk, market: Market, owner_database: Database, check: str
) -> None:
    await desk.deposit(market, PRICE)
    ref, payment = await confirmed(desk, market)
    await desk.orders.after_release.give_back(market.owner, ref, PRICE, PRICE)
    await desk.charge_back(payment)
    await desk.runner.run()
    await desk.assert_books_balance()
    await owner_database.execute(WRONG[check])
    assert check in {finding.check for finding in (await desk.audit()).findings}


async def test_the_audit_sees_a_claim_taken_back_without_the_bank(
    desk: Desk, market: Market, owner_database: Database
) -> None:
    await desk.deposit(market, PRICE)
    ref, _ = await confirmed(desk, market)
    await desk.runner.run()
    await desk.orders.after_release.give_back(market.owner, ref, PRICE, PRICE)
    at = parse_ref(ref)
    assert at is not None
    assert await owner_database.fetchval("SELECT cancel_claims_v1($1, $2, $3)", at.shop_id, at.object_id, NOON) == PRICE
    assert [(one.check, one.off_minor) for one in (await desk.audit()).findings] == [("claims_taken_back", PRICE)]
