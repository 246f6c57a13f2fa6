"""The audit finds every way in which two books can disagree."""

import pytest

from kabao.orders import AuditReport
from kabao.postgres import Database
from market import NOON, Market, seed_market
from orderdesk import Desk


@pytest.fixture
async def market(owner_database: Database) -> Market:
    return await seed_market(owner_database, keys=10)


@pytest.fixture
async def desk(database: Database, market: Market) -> Desk:
    """Books with one order in every state."""
    desk = Desk.on(database, NOON)
    await desk.place(market)
    await desk.bought(market)
    refunded = await desk.bought(market)
    await desk.orders.refund_sealed(market.buyer, refunded)
    confirmed = await desk.bought(market)
    await desk.reveal(market, confirmed)
    await desk.orders.confirm(market.buyer, confirmed)
    await desk.runner.run()
    await desk.bought(market)
    await desk.database.execute("SELECT fold_balances_v1($1)", market.shop_id)
    await desk.orders.refund_sealed(market.buyer, await desk.bought(market))
    return desk


async def test_honest_books_agree(desk: Desk) -> None:
    report = await desk.assert_books_balance()
    assert (report.orders, report.holds, report.mismatches, report.lost_minor) == (6, 5, 0, 0)
    assert report.held_minor == 2 * 9650


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        ("UPDATE escrow SET amount_minor = amount_minor + 1 WHERE state = 'held'", "escrow_against_transfers"),
        ("DELETE FROM ledger_transfer WHERE kind = 'fee'", "escrow_against_transfers"),
        (
            "UPDATE ledger_transfer SET amount_minor = amount_minor - 1 WHERE kind = 'hold'",
            "balances_against_transfers",
        ),
        ("UPDATE ledger_balance SET balance = balance + 1 WHERE account_no = 4", "balances_against_transfers"),
        ("DELETE FROM ledger_delta", "balances_against_transfers"),
        ("DELETE FROM custody_instruction WHERE state = 'pending'", "clearing_against_instructions"),
        ("UPDATE sandbox.payment SET amount_minor = 1", "payments_against_custodian"),
        ("DELETE FROM payment WHERE outcome = 'applied'", "payments_against_custodian"),
        ("DELETE FROM sandbox.booking WHERE kind = 'refund'", "payouts_against_custodian"),
        ("UPDATE sandbox.booking SET amount_minor = amount_minor + 20000", "custodian_overpaid"),
        (
            "UPDATE orders SET previous = 'placed', state = 'cancelled' WHERE state = 'delivered'",
            "states_against_money",
        ),
        (
            "UPDATE card_key SET state = 'available', order_id = NULL, pos = NULL WHERE state = 'sealed'",
            "keys_against_orders",
        ),
    ],
)
async def test_damage_is_found(desk: Desk, owner_database: Database, damage: str, check: str) -> None:
    await owner_database.execute(damage)
    report: AuditReport = await desk.audit()
    assert not report.ok
    assert check in {finding.check for finding in report.findings}
    assert report.mismatches >= len(report.findings) > 0
    assert report.lost_minor > 0


async def test_one_payment_for_two_orders_is_found_across_shops(desk: Desk, owner_database: Database) -> None:
    other = await seed_market(owner_database)
    ref = await desk.bought(other)
    assert ref
    await owner_database.execute(
        """UPDATE payment SET payment_id = (SELECT min(payment_id) FROM payment WHERE shop_id <> $1)
            WHERE shop_id = $1""",
        other.shop_id,
    )
    assert "payments_for_two_orders" in {finding.check for finding in (await desk.audit()).findings}
