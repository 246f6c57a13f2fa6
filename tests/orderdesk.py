"""The order service with the simulated custodian, put together as wiring does, for tests."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kabao.custody import SandboxInstitution
from kabao.deposits import DepositService
from kabao.identity import Person
from kabao.kernel import Clock, DatabaseClock, FixedClock, IdSource, Refused
from kabao.ledger import LedgerService
from kabao.notices import NoticeService
from kabao.orders import AuditReport, InstructionRunner, OrderService, OrderView, PlaceOrder, SweepService, audit
from kabao.postgres import Database
from market import PHONE, Market

SECRET = b"k" * 32


def monotonic_of(clock: Clock) -> float:
    """Seconds that run with the test's own clock, or the machine's where the database decides."""
    at = clock.instant()
    return time.monotonic() if at is None else at.timestamp()


async def open_nothing(shop_id: int, listing_id: int, key_id: int, dek_id: int, sealed_text: bytes) -> str:  # noqa: ARG001
    """Stand for inventory: the test market's keys have no text, their id is shown instead."""
    return f"KEY-{key_id}"


@dataclass
class Desk:
    """Everything about orders on one database and one clock."""

    database: Database
    clock: Clock
    ids: IdSource
    sandbox: SandboxInstitution
    orders: OrderService
    sweep: SweepService
    runner: InstructionRunner
    deposits: DepositService
    notices: NoticeService

    @classmethod
    def on(cls, database: Database, at: datetime | None = None) -> "Desk":
        clock: Clock = DatabaseClock() if at is None else FixedClock(at)
        ids = IdSource()
        sandbox = SandboxInstitution(database=database, clock=clock, ids=ids, secret=SECRET)
        notices = NoticeService(database=database, clock=clock, ids=ids)
        return cls(
            database,
            clock,
            ids,
            sandbox,
            OrderService(
                database=database,
                clock=clock,
                ids=ids,
                custodian=sandbox,
                open_key=open_nothing,
                payer_key=b"p" * 32,
                notices=notices,
            ),
            SweepService(database=database, clock=clock, monotonic=lambda: monotonic_of(clock)),
            InstructionRunner(database=database, clock=clock, custodian=sandbox, notices=notices),
            DepositService(
                database=database,
                clock=clock,
                ids=ids,
                custodian=sandbox,
                ledger=LedgerService(database=database),
            ),
            notices,
        )

    async def sink(self, body: bytes, signature: str) -> bool:
        """Take a notice as wiring does: refused notices are not confirmed."""
        return not isinstance(await self.orders.take_notice(body, signature), Refused)

    async def place(self, market: Market, buyer: Person | None = None, quantity: int = 1, key: str = "") -> str:
        placed = await self.orders.place(buyer or market.buyer, self.wish(market, quantity, key))
        assert not isinstance(placed, Refused), placed
        return placed.ref

    def wish(self, market: Market, quantity: int = 1, key: str = "") -> PlaceOrder:
        return PlaceOrder(
            listing_ref=market.listing_ref,
            snapshot_no=1,
            quantity=quantity,
            confirmed=["sealed_terms"],
            idempotency_key=key or f"k{self.ids.next()}",
        )

    async def pay(self, buyer: Person, ref: str, amount_minor: int | None = None, currency: str | None = None) -> str:
        path = await self.orders.checkout(buyer, ref)
        assert isinstance(path, str), path
        payment = await self.sandbox.pay(path.rpartition("/")[2], amount_minor=amount_minor, currency=currency)
        assert payment is not None
        # On a busy machine a notice may fail for want of time; the institution tells again, and so does this.
        assert await self.sandbox.notify(payment, self.sink) or await self.sandbox.notify(payment, self.sink)
        return payment

    async def pay_at(self, path: object, **paid: Any) -> str:
        """Pay at a checkout of the institution and let it tell."""
        assert isinstance(path, str), path
        payment = await self.sandbox.pay(path.rpartition("/")[2], **paid)
        assert payment is not None
        assert await self.sandbox.notify(payment, self.sink)
        return payment

    async def charge_back(self, payment: str) -> None:
        """Let the payer's bank take a payment back, and the institution tell."""
        assert await self.sandbox.charge_back(payment) is not None
        await self.sandbox.deliver_notices(self.sink)

    async def deposit(self, market: Market, amount_minor: int) -> str:
        """Pay into the shop's deposit."""
        return await self.pay_at(await self.deposits.pay_in(market.owner, market.shop_id, amount_minor, "/m"))

    async def fill_reserve(self, amount_minor: int) -> str:
        """Pay into the platform's reserve."""
        return await self.pay_at(await self.deposits.pay_reserve_in(amount_minor))

    async def released(self, market: Market) -> str:
        """Buy, open, confirm; the custodian has paid the merchant."""
        ref = await self.bought(market)
        await self.reveal(market, ref)
        assert not isinstance(await self.orders.confirm(market.buyer, ref), Refused)
        await self.runner.run()
        return ref

    async def bought(self, market: Market, buyer: Person | None = None, quantity: int = 1) -> str:
        """Place and pay; the order is delivered sealed."""
        ref = await self.place(market, buyer, quantity)
        await self.pay(buyer or market.buyer, ref)
        return ref

    async def reveal(self, market: Market, ref: str, positions: list[int] | None = None) -> list[str]:
        revealed = await self.orders.reveal(market.buyer, ref, positions, PHONE)
        assert not isinstance(revealed, Refused), revealed
        return [key.text for key in revealed.keys]

    async def see(self, person: Person, ref: str) -> OrderView:
        view = await self.orders.order(person, ref)
        assert not isinstance(view, Refused), view
        return view

    async def audit(self) -> AuditReport:
        async with self.database.transaction(isolation="repeatable_read", readonly=True) as conn:
            return await audit(conn)

    async def assert_books_balance(self) -> AuditReport:
        report = await self.audit()
        assert report.ok, report.findings
        return report
