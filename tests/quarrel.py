"""A case on the pages, with evidence and an answer, from before support up to every state a ruling can be in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from archive import stream
from browser import Browser
from dispute import FIRST_VIEW, HANDED_IN, MERCHANTS, TO_ASK, seen
from fronts import lent
from kabao.cases import Outcome, Rule, Shares
from kabao.identity import Person, Role
from kabao.kernel import FixedClock, Refused
from kabao.postgres import Database
from kabao.wiring import Settings, build
from market import person
from pages import Postbox, Site
from thorough import Thorough

PART = Rule(
    outcome=Outcome.PARTIAL_REFUND,
    refund_minor=4000,
    shares=Shares(buyer=40, merchant=60),
    facts="E1 是拆封后的截图，E9 没有交。<b>",
    reasons="依《虚拟商品管理细则》第 12 条，见证据 1；双方都有责任。",
    differs_reason="买家晚了两天才说。",
)
FULL = replace(PART, outcome=Outcome.FULL_REFUND, refund_minor=0, shares=MERCHANTS)
ROLES = {"小买家": Role.BUYER, "店主一": Role.MERCHANT, "客服一": Role.SUPPORT, "复核员一": Role.PANEL}


class Quarrel:
    """A market with one case, everybody in it, and a clock that is moved by hand."""

    buyer: Browser
    merchant: Browser
    staff: Browser
    reviewer: Browser
    order: str
    ref: str

    def __init__(self, site: Site, clock: FixedClock) -> None:
        self.site = site
        self.clock = clock
        self.people: dict[str, Person] = {}

    async def begin(self, *, released: bool = False, by_merchant: bool = False) -> None:
        """Buy, claim, hand in, answer, ask support in."""
        site, cases = self.site, self.site.app.cases
        self.merchant, _, listing = await site.selling()
        self.buyer = await site.person("小买家")
        self.order = await site.bought(self.buyer, listing)
        await self.buyer.get(f"/o/{self.order}/reveal")
        await self.buyer.send("/reveal")
        if released:
            await self.buyer.get(f"/o/{self.order}/confirm")
            await self.buyer.send("/confirm")
        if by_merchant:
            await self.merchant.get(f"/m/orders/{self.order}/complain")
            wish = {"claim": "fee_due", "demand": "partial_refund", "amount": "90", "statement": "通道扣了费。"}
            page = await self.merchant.send("/complain", wish)
        else:
            await self.buyer.get(f"/o/{self.order}/problem?claim=not_as_described")
            wish = {"claim": "not_as_described", "demand": "full_refund", "statement": "写的是通用版，来的是试用版。"}
            page = await self.buyer.send("/problem", wish)
        assert page.path.startswith("/c/"), page.words
        self.ref = page.path.split("/")[2]
        self.staff = await site.support()
        self.reviewer = await site.staff("复核员一", Role.PANEL)
        for name, role in ROLES.items():
            [account_id] = await site.app.accounts(name)
            self.people[name] = person(account_id, role, staff_checked=role in {Role.SUPPORT, Role.PANEL})
        given = await cases.add_file(self.people["小买家"], self.ref, "图.txt", stream(b"E1"))
        assert not isinstance(given, Refused)
        seen(await cases.answer(self.people["小买家" if by_merchant else "店主一"], self.ref, "页面写得很清楚。"))
        seen(await cases.escalate(self.people["小买家"], self.ref))

    async def ruled(self, wish: Rule, who: str = "客服一") -> None:
        """Rule, and let the ruling become known."""
        ladder = Thorough(self.site.app.cases.ladder)
        seen(await ladder.first_view(self.people[who], self.ref, FIRST_VIEW))
        seen(await ladder.rule(self.people[who], self.ref, wish))
        await self.later(HANDED_IN)

    async def review_asked(self) -> None:
        """Let the merchant ask for a review."""
        seen(await self.site.app.cases.ladder.ask_review(self.people["店主一"], self.ref, "E1 看不出版本。"))

    async def later(self, by: timedelta = TO_ASK) -> None:
        """Let time pass, and do what it brings."""
        self.clock.advance(by)
        await self.site.app.cases.tick()


@asynccontextmanager
async def quarrel(
    database: Database, folder: Path, *, released: bool = False, by_merchant: bool = False
) -> AsyncIterator[Quarrel]:
    """Open a site with a case at support."""
    clock = FixedClock(datetime.now(UTC))
    app = await build(Settings(data=folder), database, sender=Postbox(), clock=clock)
    await app.rulebook.begin()
    with lent(app) as front:
        made = Quarrel(Site(app, front, Postbox()), clock)
        await made.begin(released=released, by_merchant=by_merchant)
        yield made
        for client in made.site.open_clients:
            await client.aclose()
