"""Runs the SQL of shops and listings, and turns rows into the values of model.py."""

from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec

from kabao.kernel import digest_of
from kabao.postgres import Connection, load_queries
from kabao.shops.model import (
    SOLD_SHOWN_MAX,
    STOCK_SHOWN_MAX,
    ListingCard,
    ListingDraft,
    ListingState,
    ListingView,
    Notice,
    ShopCard,
    ShopForm,
    ShopState,
    ShopView,
    Snapshot,
    Terms,
    listing_ref,
    shop_ref,
)
from kabao.shops.rules import shop_faults

SQL: Final = load_queries("kabao.shops")
SHOWN_MAX: Final = 100


class Current(msgspec.Struct, frozen=True):
    """A locked listing: its state and its current snapshot."""

    state: ListingState
    snapshot_no: int
    digest: bytes
    document: dict[str, Any]


class Found(msgspec.Struct, frozen=True):
    """A listing with what decides who may see it."""

    view: ListingView
    owner_id: int
    stored_state: ListingState


async def lock_owner(conn: Connection, account_id: int) -> str | None:
    """Lock an account and return its verified phone; None where there is no such account."""
    phone: str | None = await conn.fetchval(SQL.lock_owner, account_id)
    return phone


async def count_shops(conn: Connection, account_id: int) -> int:
    """Count an account's shops."""
    count: int = await conn.fetchval(SQL.count_shops, account_id)
    return count


async def insert_shop(
    conn: Connection, *, owner_id: int, form: ShopForm, phone: str, fee_bps: int, at: datetime | None
) -> ShopView:
    """Open a shop under the next number."""
    row = await conn.fetchrow(
        SQL.insert_shop,
        owner_id,
        form.name,
        form.legal_name,
        form.address,
        form.licence_number,
        phone,
        fee_bps,
        at,
    )
    return _shop(_one(row))


async def read_shop(conn: Connection, shop_id: int, *, lock: bool = False) -> ShopView | None:
    """Read a shop, locked against changes where asked."""
    row = await conn.fetchrow(SQL.lock_shop if lock else SQL.shop, shop_id)
    return None if row is None else _shop(row)


async def shops_of(conn: Connection, owner_id: int) -> list[ShopView]:
    """Read an owner's shops."""
    return [_shop(row) for row in await conn.fetch(SQL.shops_of, owner_id)]


async def update_shop(conn: Connection, shop_id: int, form: ShopForm) -> ShopView:
    """Change a locked shop."""
    row = await conn.fetchrow(SQL.update_shop, shop_id, form.name, form.legal_name, form.address, form.licence_number)
    return _shop(_one(row))


async def set_shop_state(conn: Connection, shop_id: int, state: ShopState) -> ShopView | None:
    """Open or pause a shop; None where it is closed."""
    row = await conn.fetchrow(SQL.set_shop_state, shop_id, state.value)
    return None if row is None else _shop(row)


async def count_listings(conn: Connection, shop_id: int) -> int:
    """Count a shop's listings."""
    count: int = await conn.fetchval(SQL.count_listings, shop_id)
    return count


async def insert_listing(conn: Connection, shop_id: int, listing_id: int, at: datetime | None) -> None:
    """Begin a listing; its first snapshot follows in the same transaction."""
    await conn.execute(SQL.insert_listing, shop_id, listing_id, at)


async def lock_listing(conn: Connection, shop_id: int, listing_id: int) -> Current | None:
    """Lock a listing and read its current snapshot."""
    row = await conn.fetchrow(SQL.lock_listing, shop_id, listing_id)
    if row is None:
        return None
    return Current(ListingState(row["state"]), row["snapshot_no"], row["digest"], row["document"])


async def insert_snapshot(
    conn: Connection, *, shop_id: int, listing_id: int, snapshot_no: int, document: dict[str, Any], at: datetime | None
) -> None:
    """Keep a version; the columns that SQL decides by are taken from the document itself."""
    await conn.execute(
        SQL.insert_snapshot,
        shop_id,
        listing_id,
        snapshot_no,
        document["title"],
        document["price_minor"],
        document["currency"],
        document["terms"]["escrow_hours"] * 3600,
        document["max_quantity"],
        [notice["notice_id"] for notice in document["notices"]],
        document,
        digest_of(document),
        at,
    )


async def point_listing(conn: Connection, shop_id: int, listing_id: int, snapshot_no: int) -> None:
    """Make a snapshot the current one."""
    await conn.execute(SQL.point_listing, shop_id, listing_id, snapshot_no)


async def set_listing_state(conn: Connection, shop_id: int, listing_id: int, state: ListingState) -> None:
    """Put a listing on sale or take it off."""
    await conn.execute(SQL.set_listing_state, shop_id, listing_id, state.value)


async def current_documents(conn: Connection, shop_id: int) -> list[tuple[int, int, dict[str, Any]]]:
    """Lock a shop's listings and read listing id, snapshot number and document of each."""
    rows = await conn.fetch(SQL.current_documents, shop_id)
    return [(row["listing_id"], row["snapshot_no"], row["document"]) for row in rows]


async def read_listing(conn: Connection, shop_id: int, listing_id: int) -> Found | None:
    """Read a listing's current version with capped counts."""
    row = await conn.fetchrow(SQL.listing, shop_id, listing_id, STOCK_SHOWN_MAX, SOLD_SHOWN_MAX)
    if row is None:
        return None
    document: dict[str, Any] = row["document"]
    stored = ListingState(row["listing_state"])
    sells = row["shop_state"] == ShopState.OPEN
    view = ListingView(
        ref=listing_ref(shop_id, listing_id),
        shop_id=shop_id,
        listing_id=listing_id,
        snapshot_no=row["snapshot_no"],
        title=row["title"],
        description=document["description"],
        category=document["category"]["id"],
        price_minor=row["price_minor"],
        currency=row["currency"],
        max_quantity=row["max_quantity"],
        terms=_terms(document),
        notices=_notices(document),
        digest=row["digest"],
        made_at=row["made_at"],
        state=ListingState.PAUSED if stored is ListingState.LIVE and not sells else stored,
        stock=row["stock"],
        sold=row["sold"],
        shop=ShopCard(
            ref=shop_ref(shop_id),
            shop_id=shop_id,
            name=row["name"],
            legal_name=row["legal_name"],
            licence_number=row["licence_number"],
            opened_at=row["created_at"],
        ),
    )
    return Found(view, row["owner_id"], stored)


async def read_snapshot(conn: Connection, shop_id: int, listing_id: int, snapshot_no: int) -> Snapshot | None:
    """Read one version as it was shown."""
    row = await conn.fetchrow(SQL.snapshot, shop_id, listing_id, snapshot_no)
    if row is None:
        return None
    document: dict[str, Any] = row["document"]
    return Snapshot(
        ref=listing_ref(shop_id, listing_id),
        shop_id=shop_id,
        listing_id=listing_id,
        snapshot_no=snapshot_no,
        title=row["title"],
        description=document["description"],
        category=document["category"]["id"],
        price_minor=row["price_minor"],
        currency=row["currency"],
        max_quantity=row["max_quantity"],
        escrow_seconds=row["escrow_seconds"],
        terms=_terms(document),
        notices=_notices(document),
        digest=row["digest"],
        made_at=row["made_at"],
        document=document,
    )


async def listings_of(
    conn: Connection, shop_id: int, states: list[ListingState], *, limit: int = SHOWN_MAX
) -> list[ListingCard]:
    """Read a shop's listings of some states, newest first."""
    words = [state.value for state in states]
    return [_card(row) for row in await conn.fetch(SQL.listings_of, shop_id, words, STOCK_SHOWN_MAX, limit)]


async def search(conn: Connection, pattern: str, after: tuple[int, int] | None, limit: int) -> list[ListingCard]:
    """Read listings on sale by pattern, newest first, after the one named."""
    shop_id, listing_id = after or (None, None)
    rows = await conn.fetch(SQL.search, pattern, shop_id, listing_id, limit, STOCK_SHOWN_MAX)
    return [_card(row) for row in rows]


def draft_of(document: dict[str, Any]) -> ListingDraft:
    """Read back from a snapshot's document what the merchant wrote."""
    return ListingDraft(
        title=document["title"],
        description=document["description"],
        category=document["category"]["id"],
        price_minor=document["price_minor"],
        max_quantity=document["max_quantity"],
        currency=document["currency"],
        terms=_terms(document),
    )


def _one(row: asyncpg.Record | None) -> asyncpg.Record:
    if row is None:
        raise LookupError("a locked row has gone")
    return row


def _shop(row: asyncpg.Record) -> ShopView:
    form = ShopForm(
        name=row["name"],
        legal_name=row["legal_name"],
        address=row["address"],
        licence_number=row["licence_number"],
    )
    return ShopView(
        ref=shop_ref(row["shop_id"]),
        shop_id=row["shop_id"],
        owner_id=row["owner_id"],
        name=form.name,
        legal_name=form.legal_name,
        address=form.address,
        licence_number=form.licence_number,
        contact_phone=row["contact_phone"],
        fee_bps=row["fee_bps"],
        state=ShopState(row["state"]),
        opened_at=row["created_at"],
        gaps=shop_faults(form),
    )


def _terms(document: dict[str, Any]) -> Terms:
    return msgspec.convert(document["terms"], Terms)


def _notices(document: dict[str, Any]) -> list[Notice]:
    return msgspec.convert(document["notices"], list[Notice])


def _card(row: asyncpg.Record) -> ListingCard:
    document: dict[str, Any] = row["document"]
    terms = _terms(document)
    return ListingCard(
        ref=listing_ref(row["shop_id"], row["listing_id"]),
        shop_id=row["shop_id"],
        listing_id=row["listing_id"],
        shop_name=row["name"],
        title=row["title"],
        category=document["category"]["id"],
        price_minor=row["price_minor"],
        currency=row["currency"],
        state=ListingState(row["state"]),
        stock=row["stock"],
        delivery_promise_seconds=terms.delivery_promise_seconds,
        escrow_hours=terms.escrow_hours,
        replacement_offered=terms.replacement_offered,
    )
