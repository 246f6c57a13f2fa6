"""Runs the SQL of texts and drafts and turns rows into values."""

from datetime import datetime
from typing import Final, NamedTuple

from kabao.cases.model import Side
from kabao.cases.texts.model import TEXTS_AT_MOST, Text, TextKind
from kabao.postgres import Connection, load_queries

_SQL: Final = load_queries("kabao.cases.texts")


class Draft(NamedTuple):
    """What somebody typed and has not sent, and when it was kept."""

    body: str
    saved_at: datetime


async def texts(conn: Connection, shop_id: int) -> list[Text]:
    """Return a shop's own texts, oldest first."""
    return [
        Text(
            key=str(row["template_id"]),
            side=Side.MERCHANT,
            kind=TextKind(row["kind"]),
            name=row["name"],
            body=row["body"],
        )
        for row in await conn.fetch(_SQL.texts, shop_id)
    ]


async def lock_shop(conn: Connection, shop_id: int) -> int | None:
    """Lock a shop and return its owner."""
    owner_id: int | None = await conn.fetchval(_SQL.lock_shop, shop_id)
    return owner_id


async def add_text(
    conn: Connection, shop_id: int, template_id: int, kind: str, name: str, body: str, at: datetime | None
) -> bool:
    """Keep a text; false where the shop has enough."""
    added = await conn.fetchval(_SQL.add_text, shop_id, template_id, kind, name, body, at, TEXTS_AT_MOST)
    return added is not None


async def change_text(conn: Connection, shop_id: int, template_id: int, name: str, body: str) -> bool:
    """Write a text anew; false where there is none."""
    return await conn.fetchval(_SQL.change_text, shop_id, template_id, name, body) is not None


async def remove_text(conn: Connection, shop_id: int, template_id: int) -> bool:
    """Remove a text; false where there is none."""
    return await conn.fetchval(_SQL.remove_text, shop_id, template_id) is not None


async def draft(conn: Connection, shop_id: int, case_id: int, account_id: int) -> Draft | None:
    """Return somebody's draft in a case."""
    row = await conn.fetchrow(_SQL.draft, shop_id, case_id, account_id)
    return None if row is None else Draft(row["body"], row["saved_at"])


async def save_draft(
    conn: Connection, shop_id: int, case_id: int, account_id: int, body: str, at: datetime | None
) -> None:
    """Keep somebody's draft in a case; an empty one is forgotten."""
    if body:
        await conn.execute(_SQL.save_draft, shop_id, case_id, account_id, body, at)
    else:
        await conn.execute(_SQL.drop_draft, shop_id, case_id, account_id)
