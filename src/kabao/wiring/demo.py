"""The demo market: made once, in an empty folder, by asking the real services in order, as people would."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from kabao.cases import MakeOffer, OpenCase, Remedy
from kabao.identity import STAFF_ROLES, Person, Role, Visitor, mask_phone
from kabao.kernel import ListingId, Refused, ShopId
from kabao.orders import PlaceOrder
from kabao.shops import ListingView
from kabao.wiring import market, store
from kabao.wiring.app import App

KEY_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
MARK: Final = "demo-unfinished"
"""The file in the data folder that stands there from the first step of making the demo market to after its last."""
DEVICE: Final = Visitor("kabao demo", "127.0.0.0/24")

T = TypeVar("T")


class SignInLink(msgspec.Struct, frozen=True):
    """A link that signs in once within 24 hours; secret."""

    role: Role
    name: str
    url: str


class StaffAccess(msgspec.Struct, frozen=True):
    """A staff member's password and authenticator, set anew at every start of the demo; secret."""

    name: str
    password: str
    totp_uri: str


class DemoMarket(msgspec.Struct, frozen=True):
    """How to get into the demo market; empty where the folder holds another market."""

    links: list[SignInLink]
    staff: list[StaffAccess]


async def seed_demo(app: App) -> bool:
    """Make the demo market where there is no shop at all; answers whether it did. Existing content stays as it is.

    Where this breaks off midway, `is_demo_unfinished` tells from then on.
    """
    if await app.has_shops():
        return False
    await asyncio.to_thread(_write_mark, app.settings.data / MARK)
    buyer = await _person(app, *market.BUYER, Role.BUYER)
    second = await _person(app, *market.SECOND_BUYER, Role.BUYER)
    for phone, name, role in _staff():
        await _person(app, phone, name, role)
    goods: list[ListingView] = []
    owners: list[Person] = []
    for shop in market.SHOPS:
        owner = await _person(app, shop.phone, shop.owner, Role.MERCHANT)
        owners.append(owner)
        goods += await _open(app, owner, shop)
    await _trade(app, buyer, second, owners, goods)
    # What the trades left to do for the custodian is done before the first page is shown.
    await app.instructions.run()
    await asyncio.to_thread((app.settings.data / MARK).unlink)
    return True


async def is_demo_unfinished(app: App) -> bool:
    """Tell whether the market in this folder is a demo whose making broke off, so that some of it is missing."""
    return await asyncio.to_thread((app.settings.data / MARK).exists)


async def demo_access(app: App) -> DemoMarket:
    """Make a sign-in link per role and new staff credentials, for the demo's own accounts only."""
    found = await store.accounts_of(app.database, [phone for phone, _, _ in _roles()])
    links, staff = [], []
    for phone, name, role in _roles():
        account_id = found.get(phone)
        if account_id is None:
            continue
        token = await app.identity.make_link(account_id, role)
        links.append(SignInLink(role, name, f"{app.settings.origin}/sign-in/link/{token}"))
        if role in STAFF_ROLES:
            password = secrets.token_urlsafe(12)
            uri = _granted(await app.identity.set_staff_credential(account_id, password))
            staff.append(StaffAccess(name, password, uri))
    return DemoMarket(links, staff)


def _write_mark(path: Path) -> None:
    """Put the mark on the disk, not only into memory: what it warns of may be the machine going down."""
    with path.open("w", encoding="utf-8") as file:
        file.write("The demo market was begun here and is not complete.\n")
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _roles() -> list[tuple[str, str, Role]]:
    first = market.SHOPS[0]
    return [
        (*market.BUYER, Role.BUYER),
        (first.phone, first.owner, Role.MERCHANT),
        *_staff(),
    ]


def _staff() -> list[tuple[str, str, Role]]:
    """List those who decide: with three on the panel, one remains to review what support ruled."""
    return [
        (*market.SUPPORT, Role.SUPPORT),
        *((*member, Role.PANEL) for member in market.PANEL),
        (*market.DUTY, Role.DUTY),
        (*market.OPERATOR, Role.OPERATOR),
    ]


async def _person(app: App, phone: str, name: str, role: Role) -> Person:
    roles = frozenset({Role.BUYER, role})
    account_id = await app.identity.find_or_create(phone, name, roles)
    return Person(account_id=account_id, display_name=name, phone_masked=mask_phone(phone), roles=roles)


async def _open(app: App, owner: Person, shop: market.DemoShop) -> list[ListingView]:
    opened = _granted(await app.shops.open_shop(owner, shop.form))
    views = []
    for draft, count in shop.listings:
        saved = _granted(await app.shops.save_listing(owner, opened.shop_id, None, draft))
        _granted(
            await app.inventory.import_keys(
                ShopId(opened.shop_id), ListingId(saved.listing_id), _made_up_keys(count), "demo.txt", 0
            )
        )
        views.append(_granted(await app.shops.publish(owner, opened.shop_id, saved.listing_id)))
    return views


async def _made_up_keys(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        groups = ("".join(secrets.choice(KEY_ALPHABET) for _ in range(4)) for _ in range(4))
        yield f"DEMO-{'-'.join(groups)}\n".encode()


async def _trade(app: App, buyer: Person, second: Person, owners: list[Person], goods: list[ListingView]) -> None:
    """Leave orders in every state a visitor may want to see, and two open cases."""
    orders = app.orders
    await _place(app, buyer, goods[1])
    await _buy(app, buyer, goods[0], 2)
    opened = await _buy(app, buyer, goods[6])
    _granted(await orders.reveal(buyer, opened, None, DEVICE))
    confirmed = await _buy(app, buyer, goods[8])
    _granted(await orders.reveal(buyer, confirmed, None, DEVICE))
    _granted(await orders.confirm(buyer, confirmed))
    refunded = await _buy(app, second, goods[10])
    _granted(await orders.refund_sealed(second, refunded))

    used = await _buy(app, buyer, goods[2])
    _granted(await orders.reveal(buyer, used, None, DEVICE))
    wish = OpenCase(
        claim="already_used",
        demand=Remedy.FULL_REFUND,
        statement="拆封以后马上去激活，页面提示这枚激活码已被使用。请全额退款。",
    )
    case = _granted(await app.cases.open(buyer, used, wish)).ref
    offer = MakeOffer(kind=Remedy.REPLACEMENT, note="抱歉，先给你补发一枚新的，你看可以吗？")
    _granted(await app.cases.offer(owners[0], case, offer))

    unlike = await _buy(app, second, goods[5])
    _granted(await orders.reveal(second, unlike, None, DEVICE))
    wish = OpenCase(
        claim="not_as_described",
        demand=Remedy.PARTIAL_REFUND,
        demand_minor=179_50,
        statement="商品页写含一年升级，激活以后显示不含升级。希望退一半，软件我继续用。",
    )
    case = _granted(await app.cases.open(second, unlike, wish)).ref
    _granted(await app.cases.answer(owners[1], case, "升级要另外登记，登记后就有，所以不同意退款。"))
    _granted(await app.cases.escalate(second, case))


async def _place(app: App, buyer: Person, listing: ListingView, quantity: int = 1) -> str:
    wish = PlaceOrder(
        listing_ref=listing.ref,
        snapshot_no=listing.snapshot_no,
        quantity=quantity,
        confirmed=[notice.notice_id for notice in listing.notices],
        idempotency_key=secrets.token_urlsafe(16),
    )
    return _granted(await app.orders.place(buyer, wish)).ref


async def _buy(app: App, buyer: Person, listing: ListingView, quantity: int = 1) -> str:
    ref = await _place(app, buyer, listing, quantity)
    checkout = _granted(await app.orders.checkout(buyer, ref)).rpartition("/")[2]
    payment = await app.custody.pay(checkout)
    if payment is None or not await app.custody.notify(payment, app.take_notice):
        raise RuntimeError("the simulated institution did not take a demo payment")
    return ref


def _granted(answer: T | Refused) -> T:
    """Return what a service answered; a refusal here is a fault of the demo's own content."""
    if isinstance(answer, Refused):
        raise RuntimeError(f"the demo market was refused: {answer.code} {sorted(answer.fields)}")  # noqa: TRY004
    return answer
