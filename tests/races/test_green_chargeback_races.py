"""At the same moment: the records refund a case at once, a review finds for the merchant, and a bank takes the money.

One of them moves the money, the buyer has his price once, and the books balance.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from casebank import Bank
from dispute import BUYERS, FIRST_VIEW, HANDED_IN, HOUR, Desk, seen
from kabao.cases import CaseView, OpenCase, Outcome, Remedy, Rule
from kabao.identity import Role
from kabao.kernel import Refusal, Refused
from kabao.orders import audit
from kabao.postgres import Database, open_pool
from orderdesk import PHONE

PRICE, FEE = 9650, 193
ROUNDS = 12
ORDERS = 4
"""At most so many are refunded at once within thirty days."""
SEED = 20261126
SEALED = OpenCase(claim="changed_mind", demand=Remedy.FULL_REFUND, statement="不想要了，还没拆封。")
FOR_MERCHANT = Rule(
    outcome=Outcome.NO_REFUND, shares=BUYERS, facts="事实。", reasons="理由。", differs_reason="已知情。"
)
CLEAR = {
    Refusal.IN_CASE,
    Refusal.ALREADY_REFUNDED,
    Refusal.ALREADY_RELEASED,
    Refusal.ALREADY_OPENED,
    Refusal.KEY_TAKEN_BACK,
    Refusal.CASE_CLOSED,
    Refusal.NOT_YOUR_TURN,
    Refusal.NOT_IN_CASE,
}
"""What a loser may be told: which of them it is depends on which step won."""


@pytest.fixture
async def wide(dsn: str) -> AsyncIterator[Database]:
    async with await open_pool(dsn, size=24) as pool:
        yield pool


async def scattered(wait: float, work: Any) -> Any:
    await asyncio.sleep(wait)
    return await work


async def all_at_once(dice: random.Random, *works: Any) -> None:
    """Begin everything within some milliseconds; whoever loses is told clearly why."""
    order = list(works)
    dice.shuffle(order)
    answers = await asyncio.gather(*(scattered(dice.random() / 40, work) for work in order))
    assert {answer.code for answer in answers if isinstance(answer, Refused)} <= CLEAR


async def ready(wide: Database, folder: Path) -> tuple[Desk, Bank]:
    desk = await Desk.ready(wide, folder, keys=(ROUNDS + 1) * ORDERS)
    await desk.rulebook.begin()
    bank = Bank(desk)
    await bank.fill_reserve("races", 100 * PRICE)
    return desk, bank


async def till_quiet(desk: Desk, bank: Bank) -> None:
    for _ in range(3):
        desk.pass_time(HOUR)
        await desk.database.execute("UPDATE custody_instruction SET lease_until = NULL WHERE state = 'pending'")
        await bank.institution.deliver_notices(bank.sink)
        await desk.cases.tick()
        await bank.pay()
    assert await desk.database.fetchval("SELECT count(*) FROM custody_instruction WHERE state = 'pending'") == 0


async def nobody_was_paid_twice(desk: Desk) -> None:
    """Of each payment the bank and whoever was paid out of it have the price together, and the audit agrees."""
    shares = await desk.database.fetch(
        """SELECT c.taken_minor + coalesce((SELECT sum(b.amount_minor) FROM sandbox.booking b
                   WHERE b.payment_id = c.payment_id AND b.from_account = ''), 0) AS given FROM sandbox.chargeback c"""
    )
    assert {row["given"] for row in shares} == {PRICE}
    kept = """SELECT count(*) FROM card_key k JOIN escrow e USING (shop_id, order_id)
               WHERE e.state = 'refunded' AND k.state <> 'opened'"""
    assert await desk.database.fetchval(kept) == 0
    async with desk.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        assert (await audit(conn)).findings == []


async def test_a_sealed_key_is_refunded_at_once_or_taken_back_by_the_bank(wide: Database, tmp_path: Path) -> None:
    desk, bank = await ready(wide, tmp_path)
    dice, buyer, ends = random.Random(SEED), desk.market.buyer, Counter[str]()  # noqa: S311
    for number in range(ROUNDS):
        desk.pass_time(31 * 24 * HOUR)
        orders = [await desk.bought(opened=False) for _ in range(ORDERS)]
        refs = [desk.order_ref(order_id) for order_id in orders]
        besides = [
            bank.orders.confirm(buyer, refs[0]),
            bank.orders.refund_sealed(buyer, refs[1]),
            bank.orders.reveal(buyer, refs[2], [1], PHONE),
        ]
        await all_at_once(
            dice,
            *(bank.take_back(order_id) for order_id in orders),
            *(desk.cases.open(buyer, ref, SEALED) for ref in refs),
            *besides,
            *(bank.runner.run() for _ in range(number % 3)),
            desk.cases.tick(),
        )
        rows = await wide.fetch(
            """SELECT coalesce(c.stage, 'none') AS stage, e.state, e.refunded, e.released
                 FROM escrow e LEFT JOIN cases c USING (shop_id, order_id) WHERE e.order_id = ANY($1)""",
            orders,
        )
        ends.update(f"{row['stage']} {row['state']}" for row in rows)
        assert all(row["refunded"] + row["released"] in {0, PRICE} for row in rows)
    await till_quiet(desk, bank)
    await nobody_was_paid_twice(desk)
    assert ends["green refunded"]
    assert ends["none refunded"], f"the bank never came first: {ends}"
    assert await wide.fetchval("SELECT count(*) FROM cases WHERE stage = 'negotiation' AND closed_at IS NULL") == 0


async def green(desk: Desk) -> CaseView:
    return await desk.case(SEALED, opened=False)


async def test_a_review_of_what_was_refunded_at_once_pays_the_merchant_once_beside_the_bank(
    wide: Database, tmp_path: Path
) -> None:
    """The case's row, in `lock_idle_case`: read unlocked, several ticks make one ruling known and carry each out.

    Money alone does not show it, since the reversal is booked under the escrow's row and once an order.
    """
    desk, bank = await ready(wide, tmp_path)
    members = [await desk.staff(Role.PANEL) for _ in range(2)]
    dice, owner = random.Random(SEED), desk.market.owner  # noqa: S311
    reversed_ = 0
    for number in range(ROUNDS):
        desk.pass_time(31 * 24 * HOUR)
        cases = [await green(desk) for _ in range(ORDERS)]
        # Of two the ruling of a review becomes known as the bank comes, of two the merchant has not yet moved.
        for case in cases[:2]:
            seen(await desk.ladder.ask_review(owner, case.ref, "钥匙没有问题。"))
            seat = "SELECT panellist_id FROM panel_seat JOIN cases USING (shop_id, case_id) WHERE order_id = $1"
            drawn = await wide.fetchval(seat, case.order.order_id)
            reviewer = next(member for member in members if member.account_id == drawn)
            seen(await desk.ladder.first_view(reviewer, case.ref, FIRST_VIEW))
            seen(await desk.ladder.rule(reviewer, case.ref, FOR_MERCHANT))
        desk.pass_time(HANDED_IN)
        await all_at_once(
            dice,
            *(bank.take_back(case.order.order_id) for case in cases),
            *(desk.cases.tick() for _ in range(3)),
            *(bank.runner.run() for _ in range(number % 3)),
            desk.ladder.ask_review(owner, cases[2].ref, "也看看。"),
            desk.ladder.waive(owner, cases[2].ref),
            desk.ladder.waive(owner, cases[3].ref),
        )
        await desk.cases.tick()
        stages = [await wide.fetchval("SELECT stage FROM cases WHERE order_id = $1", c.order.order_id) for c in cases]
        assert stages[:2] == ["executed", "executed"]
        assert stages[2] in {"executed", "review"}
        assert stages[3] == "executed"
        reversed_ += 2
    await till_quiet(desk, bank)
    await nobody_was_paid_twice(desk)
    paid = await wide.fetchrow(
        """SELECT count(*) AS times, count(DISTINCT payment_id) AS orders, min(amount_minor) AS least,
                  max(amount_minor) AS most FROM sandbox.booking WHERE kind = 'reversal'"""
    )
    assert tuple(paid or ()) == (reversed_, reversed_, PRICE - FEE, PRICE - FEE)
    known = await wide.fetch(
        """SELECT (SELECT count(*) FROM ruling r WHERE r.shop_id = e.shop_id AND r.case_id = e.case_id) AS rulings,
                  count(*) AS times FROM case_event e WHERE e.kind = 'green_reversed' GROUP BY e.shop_id, e.case_id"""
    )
    assert Counter(tuple(row) for row in known) == {(2, 1): reversed_}, "each review was made known once"
