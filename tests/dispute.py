"""A case on a paid order with the real services, for tests that start after something went wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from obstore.store import LocalStore

from kabao.adjudication.service import RulebookService
from kabao.cases import (
    CaseService,
    CaseView,
    DecisionService,
    GiveFirstView,
    OpenCase,
    Outcome,
    Remedy,
    Rule,
    SayFact,
    Shares,
)
from kabao.custody import ChargebackNotice, Checkout, CheckoutRequest, Instruction, PaymentNotice
from kabao.evidence import EvidenceService
from kabao.identity import Person, Role
from kabao.kernel import FixedClock, IdSource, OrderId, Refusal, Refused, format_ref
from kabao.notices import NoticeService
from kabao.orders import OrderService
from kabao.postgres import Database
from market import NOON, PHONE, Market, open_account, paid_order, person, seed_market
from thorough import Thorough

HOUR = timedelta(hours=1)
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
MERCHANTS = Shares(merchant=100)
BUYERS = Shares(buyer=100)
HANDED_IN = timedelta(seconds=10)
"""How long a ruling may be taken back."""
TO_ASK = 168 * HOUR
"""How long a review may be asked for."""
FIRST_VIEW = GiveFirstView(outcome=Outcome.NO_REFUND, shares=BUYERS, sentence="先看激活记录。")
WISH = OpenCase(claim="already_used", demand=Remedy.FULL_REFUND, statement="激活时提示已被使用。")


class NoCustodian:
    """Stands where these tests never reach: instructions stay pending and no checkout is made."""

    async def checkout(self, request: CheckoutRequest) -> Checkout:
        raise AssertionError(request)

    async def carry_out(self, instruction: Instruction) -> None:
        raise AssertionError(instruction)

    def verify_notice(self, body: bytes, signature: str) -> PaymentNotice | ChargebackNotice | Refusal:
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
            database=database,
            clock=self.clock,
            ids=ids,
            custodian=NoCustodian(),
            open_key=open_nothing,
            payer_key=b"p" * 32,
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
        self.ladder = Thorough(self.cases.ladder)
        self.decisions = DecisionService(
            database=database,
            clock=self.clock,
            ids=ids,
            cases=self.cases,
            evidence=self.evidence,
            rulebook=self.rulebook,
        )

    @classmethod
    async def ready(cls, database: Database, folder: Path, *, keys: int = 5, is_newcomer: bool = False) -> "Desk":
        """Open a market; its buyer has bought there before, unless told otherwise."""
        market = await seed_market(database, keys=keys if is_newcomer else keys + 1)
        if not is_newcomer:
            await paid_order(database, market, now=NOON - 24 * HOUR)
        return cls(database, market, folder)

    async def staff(self, *roles: Role) -> Person:
        """Make a member of staff, checked."""
        account_id = await open_account(self.database, "成员")
        for role in roles:
            await self.database.execute(
                "INSERT INTO account_role (account_id, role) VALUES ($1, $2)", account_id, role.value
            )
        return person(account_id, *roles, staff_checked=True)

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

    async def shown(self, case: CaseView, fact: str = "key_failed") -> None:
        """Let the buyer hand in a picture and say what it shows."""

        async def picture() -> AsyncIterator[bytes]:
            yield PNG

        item = await self.cases.add_file(self.market.buyer, case.ref, "shot.png", picture())
        assert not isinstance(item, Refused), item
        said = SayFact(fact=fact, shows=True, item_no=item.item_no)
        answer = await self.decisions.say_fact(self.market.buyer, case.ref, said)
        assert not isinstance(answer, Refused), answer

    async def at_support(self, wish: OpenCase = WISH, **order: Any) -> CaseView:
        """Open a case that the merchant lets rise by silence."""
        case = await self.case(wish, **order)
        self.pass_time(48 * HOUR)
        assert await self.cases.tick() == 1
        return seen(await self.cases.case(self.market.buyer, case.ref))

    async def handed_in(self, case: CaseView, wish: Rule, staff: Person | None = None) -> CaseView:
        """Put a first view down and hand a ruling in."""
        by = staff or self.market.staff
        seen(await self.ladder.first_view(by, case.ref, FIRST_VIEW))
        return seen(await self.ladder.rule(by, case.ref, wish))

    async def ruled(self, case: CaseView, wish: Rule, staff: Person | None = None) -> CaseView:
        """Rule, and let the ruling become visible."""
        await self.handed_in(case, wish, staff)
        self.pass_time(HANDED_IN)
        assert await self.cases.tick() == 1
        return seen(await self.cases.case(self.market.buyer, case.ref))

    async def executed(self, case: CaseView, wish: Rule) -> CaseView:
        """Rule, and let the time for a review pass."""
        await self.ruled(case, wish)
        self.pass_time(TO_ASK)
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
