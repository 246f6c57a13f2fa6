"""Runs the SQL of messages and files, and turns rows into values."""

from datetime import datetime
from typing import Final

import msgspec
from asyncpg import Record

from kabao.evidence.model import MAX_FILES_PER_SIDE, Item, Message
from kabao.postgres import Connection, load_queries

_SQL: Final = load_queries("kabao.evidence")


class WhyNot(msgspec.Struct, frozen=True):
    """What stood in the way of a file."""

    is_there: bool
    files: int
    order_exists: bool


async def instant(conn: Connection, at: datetime | None) -> datetime:
    """Return the instant handed in, or the database's."""
    found: datetime = await conn.fetchval(_SQL.instant, at)
    return found


async def add_message(conn: Connection, shop_id: int, order_id: int, message: Message) -> bool:
    """Keep a message; false where there is no such order."""
    found = await conn.fetchval(
        _SQL.add_message,
        shop_id,
        order_id,
        message.message_id,
        message.author_id,
        message.author_role,
        message.body,
        message.digest,
        message.at,
    )
    return found is not None


async def messages(conn: Connection, shop_id: int, order_id: int) -> list[Message]:
    """Return the conversation of an order."""
    return [msgspec.convert(dict(row), Message) for row in await conn.fetch(_SQL.messages, shop_id, order_id)]


async def add_item(conn: Connection, shop_id: int, order_id: int, item: Item, at: datetime | None) -> Item | None:
    """Keep a file under the next number (the one in `item` is ignored); None where something stood in the way."""
    row = await conn.fetchrow(
        _SQL.add_item,
        shop_id,
        order_id,
        item.item_id,
        item.case_id,
        item.file_name,
        item.media_type,
        item.byte_size,
        item.digest,
        item.preview_digest,
        item.given_by,
        item.given_role,
        at,
        MAX_FILES_PER_SIDE,
    )
    return None if row is None else _item(row)


async def why_not_added(
    conn: Connection, shop_id: int, order_id: int, digest: bytes, given_by: int, given_role: str
) -> WhyNot:
    """Tell what stood in the way of a file."""
    row = await conn.fetchrow(_SQL.why_not_added, shop_id, order_id, digest, given_by, given_role)
    return msgspec.convert(dict(row or {}), WhyNot)


async def items(conn: Connection, shop_id: int, order_id: int) -> list[Item]:
    """Return the files of an order."""
    return [_item(row) for row in await conn.fetch(_SQL["items"], shop_id, order_id)]


async def item(conn: Connection, shop_id: int, order_id: int, item_id: int) -> Item | None:
    """Return one file of an order."""
    row = await conn.fetchrow(_SQL.item, shop_id, order_id, item_id)
    return None if row is None else _item(row)


def _item(row: Record) -> Item:
    return msgspec.convert(dict(row), Item)
