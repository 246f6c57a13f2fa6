"""A case on a paid order with the real services, for tests that start after something went wrong."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from obstore.store import LocalStore

from kabao.adjudication.service import RulebookService
from kabao.cases import CaseService, CaseView, OpenCase, Remedy
from kabao.custody import Checkout, CheckoutRequest, Instruction, PaymentNotice
from kabao.evidence import EvidenceService
from kabao.kernel import FixedClock, IdSource, OrderId, Refusal, Refused, format_ref
from kabao.notices import NoticeService
from kabao.orders import OrderService
from kabao.postgres import Database
from market import NOON, PHONE, Market, paid_order, seed_market

HOUR = timedelta(hours=1)
WISH = OpenCase(claim="already_used", demand=Remedy.FULL_REFUND, statement="激活时提示已被使用。")


class NoCustodian:
    """Stands where these tests never reach: instructions stay pending and no checkout is made."""

    async def checkout(self, request: CheckoutRequest) -> Checkout:
        raise AssertionError(request)

    async def carry_out(self, instruction: Instruction) -> None:
        raise AssertionError(instruction)

    def verify_notice(self, body: bytes, signature: str) -> PaymentNotice | Refusal:
        raise AssertionError(body, signature)


async def open_nothing(*_key: object) -> str:
    return "not a real key"


class Desk:
    """One market with a clock that is moved by hand and every service a case needs."""

    def __init__(self, database: Database, market: Market, folder: Path) -> None:
        self.database = database
        self.market = market
        self.clock = FixedClock(NOON)
        ids = IdSource()
        self.orders = OrderService(
            database=database, clock=self.clock, ids=ids, custodian=NoCustodian(), open_key=open_nothing
        )
        self.evidence = EvidenceService(
            database=database, clock=self.clock, ids=ids, blobs=LocalStore(folder / "blobs", mkdir=True)
        )
        self.rulebook = RulebookService(database=database, clock=self.clock)
        self.notices = NoticeService(database=database, clock=self.clock, ids=ids)
        self.cases = CaseService(
            database=database,
            clock=self.clock,
            ids=ids,
            orders=self.orders,
            evidence=self.evidence,
            notices=self.notices,
            rulebook=self.rulebook,
        )

    @classmethod
    async def ready(cls, database: Database, folder: Path, *, keys: int = 5) -> "Desk":
        return cls(database, await seed_market(database, keys=keys), folder)

    def order_ref(self, order_id: int) -> str:
        return format_ref(self.market.shop_id, order_id)

    async def bought(self, quantity: int = 1, *, opened: bool = True) -> OrderId:
        """Pay an order, and open its keys unless told otherwise."""
        order_id = await paid_order(self.database, self.market, quantity=quantity, now=self.clock.at)
        if opened:
            revealed = await self.orders.reveal(self.market.buyer, self.order_ref(order_id), None, PHONE)
            assert not isinstance(revealed, Refused), revealed
        return order_id

    async def case(self, wish: OpenCase = WISH, **order: Any) -> CaseView:
        """Buy and open a case."""
        order_id = await self.bought(**order)
        return seen(await self.cases.open(self.market.buyer, self.order_ref(order_id), wish))

    async def at_support(self, wish: OpenCase = WISH, **order: Any) -> CaseView:
        """Open a case that the merchant lets rise by silence."""
        case = await self.case(wish, **order)
        self.pass_time(48 * HOUR)
        assert await self.cases.tick() == 1
        return seen(await self.cases.case(self.market.buyer, case.ref))

    def pass_time(self, by: timedelta) -> datetime:
        self.clock.advance(by)
        return self.clock.at

    async def escrow(self, case: CaseView) -> tuple[str, int, int, int]:
        """Read state, refunded, released and fee of the case's order."""
        row = await self.database.fetchrow(
            "SELECT state, refunded, released, fee FROM escrow WHERE shop_id = $1 AND order_id = $2",
            case.order.shop_id,
            case.order.order_id,
        )
        assert row is not None
        return row["state"], row["refunded"], row["released"], row["fee"]

    async def subjects(self, account: Any) -> list[str]:
        return [notice.subject for notice in await self.notices.inbox(account)]


def seen(answer: CaseView | Refused) -> CaseView:
    assert isinstance(answer, CaseView), answer
    return answer


def code(answer: object) -> Refusal:
    assert isinstance(answer, Refused), answer
    return answer.code


async def race(*attempts: Awaitable[CaseView | Refused]) -> Sequence[CaseView | Refused]:
    """Let every attempt run at once and return their answers; an exception fails the test."""
    return await asyncio.gather(*attempts)


def winners(answers: Sequence[CaseView | Refused]) -> int:
    return sum(isinstance(answer, CaseView) for answer in answers)
