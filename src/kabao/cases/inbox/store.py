"""Runs the SQL of a shop's inbox and turns rows into values."""

from datetime import UTC, datetime
from typing import Final

from kabao.cases import store as case_store
from kabao.cases.claims import CLAIMS
from kabao.cases.inbox.model import COUNTED, Cursor, Tab, Waiting
from kabao.cases.model import CaseCard
from kabao.kernel import format_ref
from kabao.postgres import Connection, load_queries

_SQL: Final = load_queries("kabao.cases.inbox")
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


async def cards(
    conn: Connection, shop_id: int, tab: Tab, after: Cursor | None, limit: int, at: datetime | None
) -> list[CaseCard]:
    """Return a shop's cases under a tab, behind a place in the list."""
    if tab.is_by_due:
        due_at, case_id = (_LONG_AGO, 0) if after is None else (after.due_at, after.case_id)
        rows = await conn.fetch(_SQL.open_cards, shop_id, tab, due_at, case_id, limit, at)
    else:
        before = case_store.NEWEST if after is None else after.case_id
        rows = await conn.fetch(_SQL.ended_cards, shop_id, tab, before, limit, at)
    return [case_store.card_of(row) for row in rows]


async def counts(conn: Connection, shop_id: int) -> dict[Tab, int]:
    """Count a shop's cases under each tab, ended ones up to a limit."""
    row = await conn.fetchrow(_SQL.counts, shop_id, COUNTED)
    if row is None:  # pragma: no cover  it has no FROM that could be empty
        return {}
    return {
        Tab.MINE: row["mine"],
        Tab.THEIRS: row["open"] - row["mine"] - row["ruled_open"],
        Tab.REVIEW: row["review"],
        Tab.RULED: row["ruled"],
        Tab.CLOSED: row["closed"],
    }


async def waiting(conn: Connection, shop_id: int) -> list[Waiting]:
    """Return a shop's rulings that wait for money."""
    return [
        Waiting(
            ref=format_ref(shop_id, row["case_id"]),
            claim_label=CLAIMS[row["claim"]].label,
            refund_minor=row["refund_minor"],
        )
        for row in await conn.fetch(_SQL.waiting, shop_id)
    ]
