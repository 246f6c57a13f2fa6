"""A refund that the payer's closed account refuses is never lost: the buyer names another account and is paid once."""

from uuid import uuid4

import pytest

from kabao.custody import Instruction, PayeeGone
from kabao.kernel import OrderId, Refusal, Refused, parse_ref
from kabao.ledger import AccountNo, LedgerService
from kabao.postgres import Database
from kabao.shops import shop_ref
from market import NOON, Market, seed_market
from orderdesk import Desk

PRICE = 9650
ELSEWHERE = "6222-0000-1111"


@pytest.fixture
async def market(owner_database: Database) -> Market:
    return await seed_market(owner_database, keys=10)


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk.on(database, NOON)


async def stranded(desk: Desk, market: Market) -> str:
    """Refund a sealed key to an account that was closed meanwhile."""
    ref = await desk.place(market)
    payment = await desk.pay(market.buyer, ref)
    await desk.sandbox.close_account(payment)
    await desk.orders.refund_sealed(market.buyer, ref)
    assert await desk.runner.run() == 0
    return ref


async def unapplied(desk: Desk, market: Market) -> int:
    return await LedgerService(database=desk.database).balance(market.shop_id, AccountNo.UNAPPLIED)


async def test_refused_money_waits_and_its_buyer_is_asked(desk: Desk, market: Market) -> None:
    ref = await stranded(desk, market)
    view = await desk.see(market.buyer, ref)
    assert view.claim.stranded_minor == PRICE
    assert "redirect" in view.allowed
    assert "redirect" not in (await desk.see(market.owner, ref)).allowed
    assert [move.state for move in view.money_moves if move.kind == "refund"] == ["refused"]
    assert await unapplied(desk, market) == PRICE
    [told] = await desk.notices.inbox(market.buyer)
    assert (told.kind, told.link) == ("refund_refused", f"/o/{ref}")
    assert "¥96.50 没能退到原付款账户" in told.subject
    await desk.runner.run()
    assert len(await desk.notices.inbox(market.buyer)) == 1
    await desk.assert_books_balance()


async def test_a_merchant_is_told_of_a_deposit_that_could_not_go_back(desk: Desk, market: Market) -> None:
    await desk.sandbox.close_account(await desk.deposit(market, 500))
    assert await desk.deposits.give_back(market.owner, market.shop_id, 500, "wish") == 0
    assert await desk.runner.run() == 0
    [told] = await desk.notices.inbox(market.owner)
    assert (told.link, "¥5.00 没能退到原付款账户" in told.subject) == (f"/m/{shop_ref(market.shop_id)}/deposit", True)


async def test_another_account_is_paid_once(desk: Desk, market: Market) -> None:
    ref = await stranded(desk, market)
    redirect = desk.orders.after_release.redirect
    assert await redirect(market.buyer, ref, ELSEWHERE) == PRICE
    assert await redirect(market.buyer, ref, ELSEWHERE) == Refused(Refusal.NOTHING_TO_REDIRECT)
    await desk.assert_books_balance()
    assert await desk.runner.run() == 1
    assert await unapplied(desk, market) == 0
    paid = await desk.database.fetch("SELECT to_account, amount_minor FROM sandbox.booking")
    assert [tuple(row) for row in paid] == [(ELSEWHERE, PRICE)]
    await desk.assert_books_balance()


async def test_another_account_may_be_closed_too(desk: Desk, market: Market) -> None:
    ref = await stranded(desk, market)
    redirect = desk.orders.after_release.redirect
    await desk.sandbox.close_account("closed-one")
    assert await redirect(market.buyer, ref, "closed-one") == PRICE
    assert await desk.runner.run() == 0
    await desk.assert_books_balance()
    assert await redirect(market.buyer, ref, ELSEWHERE) == PRICE
    assert await desk.runner.run() == 1
    await desk.assert_books_balance()


async def test_only_the_buyer_and_only_a_plausible_account(desk: Desk, market: Market) -> None:
    ref = await stranded(desk, market)
    redirect = desk.orders.after_release.redirect
    assert await redirect(market.owner, ref, ELSEWHERE) == Refused(Refusal.NOT_FOUND)
    assert await redirect(market.buyer, "no ref", ELSEWHERE) == Refused(Refusal.NOT_FOUND)
    for account in ("", "abc", "x" * 61, "a b c", "acc\x00unt", "账户一二三"):
        answer = await redirect(market.buyer, ref, account)
        assert isinstance(answer, Refused)
        assert set(answer.fields) == {"account"}


async def test_a_refusal_stands_though_the_account_is_open_again(
    desk: Desk, market: Market, owner_database: Database
) -> None:
    ref = await stranded(desk, market)
    await owner_database.execute("DELETE FROM sandbox.closed_account")
    await owner_database.execute("UPDATE custody_instruction SET state = 'pending', done_at = NULL")
    await owner_database.execute("DELETE FROM ledger_transfer WHERE kind = 'refund_refused'")
    await owner_database.execute("DELETE FROM ledger_delta WHERE account_no = 6 OR (account_no = 5 AND delta < 0)")
    assert await desk.runner.run() == 0
    assert await desk.database.fetchval("SELECT count(*) FROM sandbox.booking") == 0
    assert (await desk.see(market.buyer, ref)).claim.stranded_minor == PRICE
    await desk.assert_books_balance()


async def test_a_runner_that_died_before_writing_the_refusal_leaves_it_to_the_next(desk: Desk, market: Market) -> None:
    ref = await desk.place(market)
    await desk.sandbox.close_account(await desk.pay(market.buyer, ref))
    await desk.orders.refund_sealed(market.buyer, ref)
    row = await desk.database.fetchrow("SELECT * FROM custody_instruction")
    assert row is not None
    asked = Instruction(
        **{name: row[name] for name in Instruction.__struct_fields__},
    )
    with pytest.raises(PayeeGone):
        await desk.sandbox.carry_out(asked)
    await desk.assert_books_balance()
    assert await desk.runner.run() == 0
    assert (await desk.see(market.buyer, ref)).claim.stranded_minor == PRICE
    await desk.assert_books_balance()


async def test_a_stray_payment_and_a_claim_wait_for_another_account_alike(desk: Desk, market: Market) -> None:
    await desk.deposit(market, 5_000)
    ref = await desk.place(market)
    first = await desk.pay(market.buyer, ref)
    second = await desk.pay_at("/" + await checkout_of(desk, first))
    for payment in (first, second):
        await desk.sandbox.close_account(payment)
    at = parse_ref(ref)
    assert at is not None
    async with desk.database.transaction() as conn:
        paid = await desk.orders.award_damages(
            conn,
            at.shop_id,
            OrderId(at.object_id),
            "1",
            5_000,
            None,
            "system",
        )
    assert not isinstance(paid, Refused)
    assert await desk.runner.run() == 0
    view = await desk.see(market.buyer, ref)
    assert view.claim.stranded_minor == PRICE + 5_000
    await desk.assert_books_balance()
    assert await desk.orders.after_release.redirect(market.buyer, ref, ELSEWHERE) == PRICE + 5_000
    assert await desk.runner.run() == 2
    assert await unapplied(desk, market) == 0
    await desk.assert_books_balance()


async def checkout_of(desk: Desk, payment: str) -> str:
    found: str = await desk.database.fetchval("SELECT checkout_id FROM sandbox.payment WHERE payment_id = $1", payment)
    return found


async def test_every_payer_of_a_checkout_can_be_closed(desk: Desk, market: Market) -> None:
    ref = await desk.place(market)
    payment = await desk.pay(market.buyer, ref)
    assert await desk.sandbox.close_payers(await checkout_of(desk, payment)) == 1
    gone = Instruction(
        instruction_id=uuid4(), payment_id=payment, kind="refund", amount_minor=1, fee_minor=0, currency="CNY"
    )
    with pytest.raises(PayeeGone):
        await desk.sandbox.carry_out(gone)
    # A payout to the merchant does not go there.
    await desk.orders.confirm(market.buyer, ref)
    assert await desk.runner.run() == 1
