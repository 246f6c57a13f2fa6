"""The simulated town: the real services on a throw-away database, a clock moved by hand, people, and an agenda."""

import heapq
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Final, TypeVar

from PIL import Image

from kabao.identity import Person, Role, Visitor, mask_phone
from kabao.kernel import FixedClock, IdSource, ListingId, Refused, ShopId
from kabao.orders import SweepService
from kabao.postgres import Database
from kabao.simulation import cast
from kabao.simulation.auditor import Followed, Times
from kabao.simulation.books import Books
from kabao.simulation.cast import Buyer, Merchant, Staff
from kabao.simulation.model import Mismatch
from kabao.wiring import App, Settings, build

T = TypeVar("T")
Act = Callable[[], Awaitable[None]]

BEGINNING: Final = datetime(2026, 12, 1, 0, 0, tzinfo=UTC)
DEVICE: Final = Visitor("kabao simulate", "192.0.2.0/24")
STOCK_SHARE: Final = 3
"""How many times its even share of all orders a listing's stock is; the shop that runs dry has a fifth of it."""
RESERVE_MINOR: Final = 100_00
"""What the reserve begins with: little, so that rulings have to wait for money."""


@dataclass(slots=True)
class Agenda:
    """What is to happen and when; what was put down first for an instant happens first."""

    _heap: list[tuple[datetime, int, Act]] = field(default_factory=list)
    _number: int = 0

    def put(self, at: datetime, act: Act) -> None:
        """Put something down."""
        self._number += 1
        heapq.heappush(self._heap, (at, self._number, act))

    def take(self) -> tuple[datetime, Act] | None:
        """Take what comes next; None where nothing is left."""
        if not self._heap:
            return None
        at, _, act = heapq.heappop(self._heap)
        return at, act


@dataclass(slots=True, kw_only=True)
class Promise:
    """What a merchant who is away promised to grant: until when, how much each and in all, and what came of it."""

    until: datetime
    each_minor: int
    total_minor: int
    spent_minor: int = 0
    seen: set[str] = field(default_factory=set)
    """Cases that it has decided on, one way or the other."""


@dataclass(slots=True, kw_only=True)
class Town:
    """Everything a simulated market consists of, and what its auditor has noted."""

    app: App
    clock: FixedClock
    rng: Random
    ends_at: datetime
    times: Times
    buyers: list[Buyer] = field(default_factory=list)
    merchants: list[Merchant] = field(default_factory=list)
    staff: Staff
    agenda: Agenda = field(default_factory=Agenda)
    books: Books = field(default_factory=Books)
    cases: dict[str, Followed] = field(default_factory=dict)
    open_cases: dict[str, Followed] = field(default_factory=dict)
    faulty: set[str] = field(default_factory=set)
    """Orders whose keys are bad, which nobody but their buyer knows."""
    criminal: set[str] = field(default_factory=set)
    """Orders behind which there is a crime, such as a key bought with a stolen card; the police tell staff."""
    bought: dict[tuple[int, int], datetime] = field(default_factory=dict)
    """When a buyer placed the first order in a shop that was paid, by buyer and shop."""
    green_uses: dict[int, list[datetime]] = field(default_factory=dict)
    """When a person was refunded at once."""
    promises: dict[int, Promise] = field(default_factory=dict)
    replaceable: set[str] = field(default_factory=set)
    """Orders for whose opened keys there are new ones, as last seen."""
    claimed_on: set[str] = field(default_factory=set)
    """Orders on which their merchant has opened a case."""
    withdrawals: Counter[str] = field(default_factory=Counter)
    tally: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    mismatches: list[Mismatch] = field(default_factory=list)
    lost_minor: int = 0
    checks: int = 0
    ticks_put: set[datetime] = field(default_factory=set)
    on_move: Callable[[Followed], None] = lambda _case: None
    """Told when a case has moved, so that its people plan what they do next."""
    picture: bytes = b""

    @property
    def now(self) -> datetime:
        """The instant the town is at."""
        return self.clock.at

    def chance(self, percent: int) -> bool:
        """Throw dice."""
        return self.rng.randrange(100) < percent

    def within(self, hours: tuple[int, int]) -> datetime:
        """Draw an instant that many hours from now, to the second."""
        least, most = hours
        return self.now + timedelta(seconds=self.rng.randint(least * 3600, most * 3600))

    def later(self, hours: tuple[int, int], act: Act) -> None:
        """Put something down for some hours from now."""
        self.agenda.put(self.within(hours), act)

    def expect(self, about: str, expected: object, found: object) -> bool:
        """Compare; what differs is a mismatch."""
        self.checks += 1
        if expected == found:
            return True
        self.mismatches.append(Mismatch(at=self.now, about=about, expected=str(expected), found=str(found)))
        return False

    def took(self, about: str, answer: object, *allowed: str) -> bool:
        """Tell whether a step was taken; a refusal that nothing explains is a mismatch."""
        self.happened[about] += not isinstance(answer, Refused)
        if not isinstance(answer, Refused):
            return True
        self.happened[f"{about}: {answer.code}"] += 1
        if answer.code not in allowed:
            self.expect(f"{about}", " or ".join(["taken", *allowed]), f"{answer.code} {answer.fields}")
        return False

    def merchant_of(self, shop_id: int) -> Merchant:
        """Find who owns a shop."""
        return next(one for one in self.merchants if one.shop_id == shop_id)

    def buyer_of(self, account_id: int) -> Buyer:
        """Find a buyer."""
        return next(one for one in self.buyers if one.person.account_id == account_id)


async def found(database: Database, folder: Path, seed: int, days: int, orders_a_day: int) -> Town:
    """Build the services over an empty migrated database, open the shops, stock them, hire the staff."""
    rng = Random(seed)  # noqa: S311  dice, no secret
    clock = FixedClock(BEGINNING)
    bits = Random(seed)  # noqa: S311  numbers that name things, no secret
    ids = IdSource(now_ms=lambda: int(clock.at.timestamp() * 1000), random_bits=bits.getrandbits)
    settings = Settings(data=folder, fee_bps=300, pool_size=4)
    app = await build(settings, database, clock=clock, ids=ids)
    # The sweep compares two clocks and halts where they disagree; in this town there is one.
    app.sweep = SweepService(database=database, clock=clock, monotonic=partial(_seconds, clock))
    await app.rulebook.begin()
    book = granted(await app.rulebook.in_force()).book
    town = Town(
        app=app,
        clock=clock,
        rng=rng,
        ends_at=BEGINNING + timedelta(days=days),
        times=Times.of({name: one.value for name, one in book.parameters.items()}),
        staff=await _hire(app),
        picture=_picture(),
    )
    await _people(town, days * orders_a_day)
    await pay_in(town, granted(await app.deposits.pay_reserve_in(RESERVE_MINOR)))
    town.books.reserve_filled(RESERVE_MINOR)
    return town


def _seconds(clock: FixedClock) -> float:
    return clock.at.timestamp()


async def pay_in(town: Town, path: str) -> str:
    """Pay at a page of the custodian and let him tell; returns the payment's id."""
    payment = await town.app.custody.pay(path.rpartition("/")[2])
    assert payment is not None  # noqa: S101  the checkout was opened a line before
    assert await town.app.custody.notify(payment, town.app.take_notice)  # noqa: S101
    return payment


def granted(answer: T | Refused) -> T:
    """Return what a service answered where nothing may be refused."""
    if isinstance(answer, Refused):
        raise RuntimeError(f"the simulated market was refused: {answer.code} {answer.fields}")  # noqa: TRY004
    return answer


async def _person(app: App, number: int, role: Role) -> Person:
    phone, name = f"+1202555{number:04}", f"模拟{number}"
    roles = frozenset({Role.BUYER, role})
    account_id = await app.identity.find_or_create(phone, name, roles)
    is_staff = role not in {Role.BUYER, Role.MERCHANT}
    return Person(
        account_id=account_id, display_name=name, phone_masked=mask_phone(phone), roles=roles, staff_checked=is_staff
    )


async def _hire(app: App) -> Staff:
    async def hired(first: int, count: int, role: Role) -> dict[int, Person]:
        people = [await _person(app, first + number, role) for number in range(count)]
        return {int(person.account_id): person for person in people}

    return Staff(
        support=await hired(100, cast.SUPPORT, Role.SUPPORT),
        panel=await hired(200, cast.PANEL, Role.PANEL),
        duty=await hired(300, cast.DUTY, Role.DUTY),
    )


async def _people(town: Town, orders: int) -> None:
    app = town.app
    for number, kind in enumerate(cast.MERCHANT_KINDS):
        person = await _person(app, 400 + number, Role.MERCHANT)
        shop_id = ShopId(granted(await app.shops.open_shop(person, cast.shop_form(number))).shop_id)
        share = 20 + orders * STOCK_SHARE // (len(cast.MERCHANT_KINDS) * 3)
        goods = []
        for place, draft in enumerate(cast.listings(number)):
            saved = granted(await app.shops.save_listing(person, shop_id, None, draft))
            count = share // 5 if (number, place) == (1, 0) else share
            listing_id = ListingId(saved.listing_id)
            granted(await app.inventory.import_keys(shop_id, listing_id, _keys(number, place, count), "keys.txt"))
            goods.append(granted(await app.shops.publish(person, shop_id, listing_id)))
        merchant = Merchant(person, kind, shop_id, goods)
        town.merchants.append(merchant)
        if merchant.ways.deposit_minor:
            await deposit(town, merchant, merchant.ways.deposit_minor)
    town.buyers.extend(
        [Buyer(await _person(app, 500 + number, Role.BUYER), kind) for number, kind in enumerate(cast.BUYER_KINDS)]
    )
    # Staff buy too, and must not decide their own cases.
    town.buyers.append(Buyer(list(town.staff.panel.values())[-1], cast.BuyerKind.HONEST))


async def deposit(town: Town, merchant: Merchant, amount_minor: int) -> None:
    """Let a merchant pay into his deposit."""
    shop_id = ShopId(merchant.shop_id)
    await pay_in(town, granted(await town.app.deposits.pay_in(merchant.person, shop_id, amount_minor, "/")))
    town.books.deposited(merchant.shop_id, amount_minor)


async def _keys(shop: int, place: int, count: int) -> AsyncIterator[bytes]:
    yield b"".join(f"SIM-{shop:02}-{place:02}-{number:08}\n".encode() for number in range(count))


def _picture() -> bytes:
    written = BytesIO()
    Image.new("RGB", (40, 30), (200, 40, 40)).save(written, "PNG")
    return written.getvalue()
