"""The only file that executes the webhooks' SQL."""

# ruff: noqa: D103  each function is the query of its name, which queries.sql describes

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from kabao.postgres import Connection, load_queries
from kabao.webhooks.model import CASE_KINDS, ORDER_KINDS, Endpoint, Event, Leased

_SQL: Final = load_queries("kabao.webhooks")
EVENT_FIELDS: Final = tuple(Event.__struct_fields__)


async def owner(conn: Connection, shop_id: int) -> int | None:
    owner_id: int | None = await conn.fetchval(_SQL.owner, shop_id)
    return owner_id


async def endpoints(
    conn: Connection, shop_id: int, at: datetime | None, endpoint_id: int | None = None
) -> list[Endpoint]:
    rows = await conn.fetch(_SQL.endpoints, shop_id, endpoint_id, at)
    return [msgspec.convert(dict(row), Endpoint) for row in rows]


async def add_endpoint(
    conn: Connection, shop_id: int, endpoint_id: int, url: str, at_most: int, at: datetime | None
) -> bool:
    await conn.execute(_SQL.lock_shop, shop_id)
    return await conn.fetchval(_SQL.add_endpoint, shop_id, endpoint_id, url, at_most, at) is not None


async def rotate(conn: Connection, shop_id: int, endpoint_id: int, lives: timedelta, at: datetime | None) -> bool:
    return await conn.fetchval(_SQL.rotate, shop_id, endpoint_id, lives, at) is not None


async def end_previous(conn: Connection, shop_id: int, endpoint_id: int) -> None:
    await conn.execute(_SQL.end_previous, shop_id, endpoint_id)


async def turn_on(conn: Connection, shop_id: int, endpoint_id: int, at: datetime | None) -> None:
    await conn.execute(_SQL.turn_on, shop_id, endpoint_id, at)


async def turn_off(conn: Connection, shop_id: int, endpoint_id: int, state: str, at: datetime | None) -> bool:
    is_ours = await conn.fetchval(_SQL.turn_off, shop_id, endpoint_id, state) is not None
    await conn.execute(_SQL.drop_waiting, shop_id, endpoint_id, at)
    return is_ours


async def remove(conn: Connection, shop_id: int, endpoint_id: int) -> None:
    await conn.execute(_SQL.remove, shop_id, endpoint_id)


async def add_test(conn: Connection, shop_id: int, endpoint_id: int, event: str, at: datetime | None) -> bool:
    return await conn.fetchval(_SQL.add_test, shop_id, endpoint_id, event, at) is not None


async def deliveries(conn: Connection, shop_id: int, endpoint_id: int, limit: int) -> list[dict[str, Any]]:
    return [dict(row) for row in await conn.fetch(_SQL.deliveries, shop_id, endpoint_id, limit)]


async def stretch(conn: Connection, margin: timedelta, at: datetime | None) -> tuple[datetime, datetime] | None:
    await conn.execute(_SQL.begin, at)
    row = await conn.fetchrow(_SQL.horizon, margin, at)
    return (row["read_until"], row["whole_until"]) if row else None


async def tell(conn: Connection, since: datetime, until: datetime, at: datetime | None) -> None:
    await conn.execute(_SQL.tell_orders, since, until, ORDER_KINDS, at)
    await conn.execute(_SQL.tell_cases, since, until, CASE_KINDS, at)
    await conn.execute(_SQL.move_on, until)


async def claim(conn: Connection, lease: timedelta, of_each: int, limit: int, at: datetime | None) -> list[Leased]:
    return [_leased(dict(row)) for row in await conn.fetch(_SQL.claim, lease, of_each, limit, at)]


def _leased(row: dict[str, Any]) -> Leased:
    return Leased(told=Event(**{name: row.pop(name) for name in EVENT_FIELDS}), **row)


async def lock_endpoint(conn: Connection, leased: Leased) -> None:
    await conn.execute(_SQL.lock_endpoint, leased.shop_id, leased.endpoint_id)


async def end_delivery(
    conn: Connection, leased: Leased, state: str, status: int | None, why: str | None, at: datetime | None
) -> bool:
    key = (leased.shop_id, leased.endpoint_id, leased.delivery_id, leased.attempt)
    return await conn.fetchval(_SQL.end_delivery, *key, state, status, why, at) is not None


async def postpone(
    conn: Connection, leased: Leased, status: int | None, why: str | None, wait: timedelta, at: datetime | None
) -> bool:
    key = (leased.shop_id, leased.endpoint_id, leased.delivery_id, leased.attempt)
    return await conn.fetchval(_SQL.postpone, *key, status, why, wait, at) is not None


async def arrived(conn: Connection, leased: Leased) -> None:
    await conn.execute(_SQL.arrived, leased.shop_id, leased.endpoint_id)


async def failed(conn: Connection, leased: Leased, rest: timedelta, at: datetime | None) -> None:
    await conn.execute(_SQL.failed, leased.shop_id, leased.endpoint_id, rest, at)


async def forget_old(conn: Connection, after: timedelta, at: datetime | None) -> int:
    return len(await conn.fetch(_SQL.forget_old, after, at))
