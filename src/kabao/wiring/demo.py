"""The demo market: made once, in an empty folder, by asking the real services in order, as people would.

How its cases come where they stand is `kabao.wiring.quarrels`; the page that leads to its people is `demodoor`.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import msgspec

from kabao.cases import MakeOffer, OpenCase, Remedy
from kabao.identity import STAFF_ROLES, Person, Role, mask_phone
from kabao.kernel import AccountId, ListingId, ShopId
from kabao.shops import ListingView
from kabao.wiring import market, store
from kabao.wiring.app import App
from kabao.wiring.quarrels import DEVICE, UNTIL_READABLE, Cast, buy, end_quarrels, granted, place, quarrel

KEY_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
MARK: Final = "demo-unfinished"
"""The file in the data folder that stands there from the first step of making the demo market to after its last."""
WAITS: Final = "demo-waits"
"""The file that names the cases whose rulings both sides have still to leave as they are, so that they end."""


class SignInLink(msgspec.Struct, frozen=True):
    """A link that signs in once within 24 hours; secret."""

    account_id: AccountId
    role: Role
    name: str
    url: str


class StaffAccess(msgspec.Struct, frozen=True):
    """A staff member's password and authenticator, set anew at every start of the demo; secret."""

    account_id: AccountId
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
    staff = {phone: await _person(app, phone, name, role) for phone, name, role in _staff()}
    goods: list[ListingView] = []
    owners: list[Person] = []
    for shop in market.SHOPS:
        owner = await _person(app, shop.phone, shop.owner, Role.MERCHANT)
        owners.append(owner)
        goods += await _open(app, owner, shop)
    await _trade(app, buyer, second, owners, goods)
    cast = Cast(buyer, second, owners, staff[market.SUPPORT[0]])
    waits = await quarrel(app, cast, goods)
    await asyncio.to_thread((app.settings.data / WAITS).write_bytes, msgspec.json.encode(waits))
    # What the trades left to do for the custodian is done before the first page is shown.
    await app.instructions.run()
    await asyncio.to_thread((app.settings.data / MARK).unlink)
    return True


async def finish_demo(app: App, wait_seconds: float = UNTIL_READABLE) -> None:
    """Bring to its end what a ruling's ten seconds held up, and put it into the case library; once, beside the server.

    Whoever has meanwhile done something else in such a case has done so.
    """
    path = app.settings.data / WAITS
    if not await asyncio.to_thread(path.exists):
        return
    waits = msgspec.json.decode(await asyncio.to_thread(path.read_bytes), type=list[str])
    parties = [await _person(app, *market.SECOND_BUYER, Role.BUYER)]
    parties += [await _person(app, shop.phone, shop.owner, Role.MERCHANT) for shop in market.SHOPS]
    await asyncio.sleep(wait_seconds)
    await end_quarrels(app, parties, waits)
    await asyncio.to_thread(path.unlink)


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
        links.append(SignInLink(account_id, role, name, f"{app.settings.origin}/sign-in/link/{token}"))
        if role in STAFF_ROLES:
            password = secrets.token_urlsafe(12)
            uri = granted(await app.identity.set_staff_credential(account_id, password))
            staff.append(StaffAccess(account_id, name, password, uri))
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
    return [
        (*market.BUYER, Role.BUYER),
        (*market.SECOND_BUYER, Role.BUYER),
        *((shop.phone, shop.owner, Role.MERCHANT) for shop in market.SHOPS),
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
    is_staff = role in STAFF_ROLES
    phone_masked = mask_phone(phone)
    return Person(
        account_id=account_id, display_name=name, phone_masked=phone_masked, roles=roles, staff_checked=is_staff
    )


async def _open(app: App, owner: Person, shop: market.DemoShop) -> list[ListingView]:
    opened = granted(await app.shops.open_shop(owner, shop.form))
    views = []
    for draft, count in shop.listings:
        saved = granted(await app.shops.save_listing(owner, opened.shop_id, None, draft))
        granted(
            await app.inventory.import_keys(
                ShopId(opened.shop_id), ListingId(saved.listing_id), _made_up_keys(count), "demo.txt", 0
            )
        )
        views.append(granted(await app.shops.publish(owner, opened.shop_id, saved.listing_id)))
    return views


async def _made_up_keys(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        groups = ("".join(secrets.choice(KEY_ALPHABET) for _ in range(4)) for _ in range(4))
        yield f"DEMO-{'-'.join(groups)}\n".encode()


async def _trade(app: App, buyer: Person, second: Person, owners: list[Person], goods: list[ListingView]) -> None:
    """Leave orders in every state a visitor may want to see, a case in negotiation and one that waits for support."""
    orders = app.orders
    await place(app, buyer, goods[1])
    await buy(app, buyer, goods[0], 2)
    opened = await buy(app, buyer, goods[6])
    granted(await orders.reveal(buyer, opened, None, DEVICE))
    confirmed = await buy(app, buyer, goods[8])
    granted(await orders.reveal(buyer, confirmed, None, DEVICE))
    granted(await orders.confirm(buyer, confirmed))
    refunded = await buy(app, second, goods[10])
    granted(await orders.refund_sealed(second, refunded))

    used = await buy(app, buyer, goods[2])
    granted(await orders.reveal(buyer, used, None, DEVICE))
    wish = OpenCase(
        claim="already_used",
        demand=Remedy.FULL_REFUND,
        statement="拆封以后马上去激活，页面提示这枚激活码已被使用。请全额退款。",
    )
    case = granted(await app.cases.open(buyer, used, wish)).ref
    offer = MakeOffer(kind=Remedy.REPLACEMENT, note="抱歉，先给你补发一枚新的，你看可以吗？")
    granted(await app.cases.offer(owners[0], case, offer))

    unlike = await buy(app, second, goods[5])
    granted(await orders.reveal(second, unlike, None, DEVICE))
    wish = OpenCase(
        claim="not_as_described",
        demand=Remedy.PARTIAL_REFUND,
        demand_minor=179_50,
        statement="商品页写含一年升级，激活以后显示不含升级。希望退一半，软件我继续用。",
    )
    case = granted(await app.cases.open(second, unlike, wish)).ref
    granted(await app.cases.answer(owners[1], case, "升级要另外登记，登记后就有，所以不同意退款。"))
    granted(await app.cases.escalate(second, case))
