"""Orders, escrow and ledger against a model that a person can hold in the head, over thousands of random steps."""

import asyncio
import os
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kabao.kernel import FixedClock, Refused
from kabao.orders import AuditReport
from kabao.orders.rules import fee_minor
from kabao.postgres import Database, open_pool
from market import NOON, PHONE, Market, seed_market
from orderdesk import Desk

STOCK = 9
PRICE = 1003
FEE_BPS = 250
EXAMPLES = int(os.environ.get("KABAO_MACHINE_EXAMPLES", "150"))
STEPS = 50


@dataclass
class Model:
    """One order as the model sees it."""

    ref: str
    order_id: int
    quantity: int
    state: str
    reserve_until: Any
    checkout: str
    due: Any = None
    remaining: timedelta = timedelta()
    disputed: bool = False
    keys: list[str] = field(default_factory=list)
    refunded: int = 0
    released: int = 0
    fee: int = 0
    notices: list[str] = field(default_factory=list)

    @property
    def amount(self) -> int:
        return PRICE * self.quantity

    @property
    def held(self) -> int:
        return 0 if self.due is None and not self.disputed else self.amount - self.refunded


class OrdersMachine(RuleBasedStateMachine):
    """Random buyers' and merchants' days in one shop."""

    dsn = ""
    orders_made = Bundle("orders_made")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.database: Database = self.wait(open_pool(self.dsn, size=2))
        self.known: dict[str, Model] = {}
        self.stray = 0

    def wait(self, work: Any) -> Any:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.wait(self.desk.runner.run(1000))
        report: AuditReport = self.wait(self.desk.audit())
        assert report.ok, report.findings
        self.wait(self.database.close())
        self.runner.close()

    @initialize()
    def open_shop(self) -> None:
        self.market: Market = self.wait(
            seed_market(self.database, keys=STOCK, price_minor=PRICE, fee_bps=FEE_BPS, max_quantity=3)
        )
        self.desk = Desk.on(self.database, NOON)
        assert isinstance(self.desk.clock, FixedClock)
        self.clock = self.desk.clock

    @property
    def free(self) -> int:
        taken = sum(key != "gone" for m in self.known.values() for key in m.keys)
        reserved = sum(m.quantity for m in self.known.values() if m.state == "placed")
        return STOCK - taken - reserved

    @rule(target=orders_made, quantity=st.integers(1, 3))
    def place_and_pay(self, quantity: int) -> Any:
        made = self.place(quantity)
        if isinstance(made, str):
            self.pay(made, 0)
        return made

    @rule(target=orders_made, quantity=st.integers(1, 3))
    def place_only(self, quantity: int) -> Any:
        return self.place(quantity)

    def place(self, quantity: int) -> Any:
        unpaid = sum(m.state == "placed" for m in self.known.values())
        made = self.wait(self.desk.orders.place(self.market.buyer, self.desk.wish(self.market, quantity)))
        if quantity > self.free or unpaid >= 3:
            assert isinstance(made, Refused)
            assert made.code in ("sold_out", "too_many_unpaid")
            return multiple()
        path = self.wait(self.desk.orders.checkout(self.market.buyer, made.ref))
        view = self.wait(self.desk.see(self.market.buyer, made.ref))
        self.known[made.ref] = Model(
            made.ref, view.order_id, quantity, "placed", made.reserve_until, path.rpartition("/")[2]
        )
        return made.ref

    @rule(ref=orders_made, off=st.sampled_from([0, 0, 0, 0, -1, 7]))
    def pay_somehow(self, ref: str, off: int) -> None:
        self.pay(ref, off)

    def pay(self, ref: str, off: int) -> None:
        m = self.known[ref]
        payment = self.wait(self.desk.sandbox.pay(m.checkout, amount_minor=m.amount + off))
        assert self.wait(self.desk.sandbox.notify(payment, self.desk.sink))
        m.notices.append(payment)
        takes = m.state == "placed" or (m.state == "expired" and m.quantity <= self.free)
        if off == 0 and takes:
            m.state, m.keys, m.due = "delivered", ["sealed"] * m.quantity, self.clock.at + timedelta(hours=72)
        else:
            self.stray += m.amount + off

    @rule(ref=orders_made, pick=st.integers(0, 9))
    def replay_notice(self, ref: str, pick: int) -> None:
        m = self.known[ref]
        if m.notices:
            assert self.wait(self.desk.sandbox.notify(m.notices[pick % len(m.notices)], self.desk.sink))

    @rule(ref=orders_made)
    def cancel(self, ref: str) -> None:
        m = self.known[ref]
        refused = self.wait(self.desk.orders.cancel(self.market.buyer, ref))
        assert (refused is None) == (m.state in ("placed", "cancelled"))
        if m.state == "placed":
            m.state = "cancelled"

    @rule(ref=orders_made, pos=st.integers(1, 3))
    def reveal(self, ref: str, pos: int) -> None:
        m = self.known[ref]
        revealed = self.wait(self.desk.orders.reveal(self.market.buyer, ref, [pos], PHONE))
        key = m.keys[pos - 1] if pos <= len(m.keys) else "none"
        there = m.state != "refunded" and (key == "opened" or (key in ("sealed", "fresh") and not m.disputed))
        assert isinstance(revealed, Refused) != there
        if there:
            m.keys[pos - 1] = "opened"
            m.state = "opened" if m.state == "delivered" else m.state

    @rule(ref=orders_made)
    def refund_sealed(self, ref: str) -> None:
        m = self.known[ref]
        sealed = m.keys.count("sealed")
        may = m.due is not None and sealed > 0
        refunded = self.wait(self.desk.orders.refund_sealed(self.market.buyer, ref))
        assert isinstance(refunded, Refused) != may
        if may:
            give = min(sealed * PRICE, m.amount - m.refunded)
            assert refunded.refunded_minor == give
            m.refunded += give
            m.keys = [("gone" if key == "sealed" else key) for key in m.keys]
            if m.refunded == m.amount:
                m.state, m.due = "refunded", None

    @rule(ref=orders_made)
    def confirm(self, ref: str) -> None:
        m = self.known[ref]
        confirmed = self.wait(self.desk.orders.confirm(self.market.buyer, ref))
        assert isinstance(confirmed, Refused) == (m.due is None)
        if m.due is not None:
            self.release(m, m.held)
            assert (confirmed.released_minor, confirmed.fee_minor) == (m.released, m.fee)

    def release(self, m: Model, amount: int) -> None:
        m.released, m.fee, m.due, m.disputed, m.state = amount, fee_minor(amount, FEE_BPS), None, False, "confirmed"

    @rule(ref=orders_made)
    def freeze(self, ref: str) -> None:
        m = self.known[ref]
        if m.released:
            return  # What follows a release has tests of its own; here nothing comes after it.
        held = self.case_step("freeze", m, self.market.buyer_id, "buyer")
        assert isinstance(held, Refused) == (m.due is None)
        if m.due is not None:
            assert held == m.held
            m.disputed, m.remaining, m.due = True, max(m.due - self.clock.at, timedelta()), None

    @rule(ref=orders_made)
    def unfreeze(self, ref: str) -> None:
        m = self.known[ref]
        due = self.case_step("unfreeze", m, self.market.buyer_id, "buyer", timedelta(hours=24))
        assert isinstance(due, Refused) != m.disputed
        if m.disputed:
            m.disputed, m.due = False, self.clock.at + max(m.remaining, timedelta(hours=24))
            assert due == m.due

    @rule(ref=orders_made, share=st.integers(-1, 101))
    def resolve(self, ref: str, share: int) -> None:
        m = self.known[ref]
        held = m.amount - m.refunded
        refund = held * share // 100
        resolved = self.case_step("resolve", m, refund, self.market.staff_id, "support", "ruled")
        may = m.disputed and 0 <= refund <= held
        assert isinstance(resolved, Refused) != may
        if may:
            m.refunded += refund
            self.release(m, held - refund)
            if refund == held:
                m.state, m.keys = "refunded", ["gone" if key in ("sealed", "fresh") else key for key in m.keys]
            elif refund:
                m.state = "partly_refunded"

    @rule(ref=orders_made)
    def replace(self, ref: str) -> None:
        m = self.known[ref]
        opened = m.keys.count("opened")
        may = m.disputed and 0 < opened <= self.free
        replaced = self.case_step("replace", m, self.market.owner_id, "merchant")
        assert isinstance(replaced, Refused) != may
        if may:
            m.keys = ["fresh" if key == "opened" else key for key in m.keys] + ["replaced"] * opened
            m.state, m.disputed, m.due = "delivered", False, self.clock.at + timedelta(hours=72)

    def case_step(self, step: str, m: Model, *arguments: Any) -> Any:
        async def run() -> Any:
            async with self.database.transaction() as conn:
                return await getattr(self.desk.orders, step)(conn, self.market.shop_id, m.order_id, *arguments)

        return self.wait(run())

    @rule(hours=st.sampled_from([0.1, 0.3, 5, 30]))
    def time_passes_and_the_sweep_runs(self, hours: float) -> None:
        self.clock.advance(timedelta(hours=hours))
        self.wait(self.desk.sweep.tick())
        for m in self.known.values():
            if m.state == "placed" and m.reserve_until <= self.clock.at:
                m.state = "expired"
            elif m.due is not None and m.due <= self.clock.at:
                self.release(m, m.held)

    @rule()
    def the_custodian_works(self) -> None:
        self.wait(self.desk.runner.run(1000))
        for m in self.known.values():
            m.state = "settled" if m.state == "confirmed" else m.state

    @rule()
    def balances_are_folded(self) -> None:
        self.wait(self.database.execute("SELECT fold_balances_v1($1)", self.market.shop_id))

    @invariant()
    @precondition(lambda self: bool(self.known))
    def every_order_is_as_the_model_says(self) -> None:
        rows = self.wait(
            self.database.fetch(
                """SELECT o.order_id, o.state, o.in_case, e.refunded, e.released, e.fee, e.due_at
                     FROM orders o LEFT JOIN escrow e USING (shop_id, order_id) WHERE o.shop_id = $1""",
                self.market.shop_id,
            )
        )
        seen = {row["order_id"]: row for row in rows}
        for m in self.known.values():
            row = seen[m.order_id]
            assert (row["state"], row["in_case"], row["due_at"]) == (m.state, m.disputed, m.due)
            if row["refunded"] is not None:
                assert (row["refunded"], row["released"], row["fee"]) == (m.refunded, m.released, m.fee)
        free = self.wait(
            self.database.fetchval(
                "SELECT count(*) FROM card_key WHERE shop_id = $1 AND state = 'available'", self.market.shop_id
            )
        )
        assert free == self.free


def test_orders_and_ledger_behave_as_the_model(dsn: str) -> None:
    OrdersMachine.dsn = dsn
    run_state_machine_as_test(
        OrdersMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
