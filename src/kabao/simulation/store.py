"""Runs the auditor's SQL: it reads the cases and the custodian's own books, and writes nothing."""

from typing import Final, NamedTuple

from asyncpg import Record

from kabao.kernel import parse_ref
from kabao.postgres import Database, load_queries
from kabao.simulation.books import Paid
from kabao.simulation.model import Award, Standing

_SQL: Final = load_queries("kabao.simulation")


class Flow(NamedTuple):
    """What came in at the custodian, what left, and what lies in accounts there."""

    paid_in: int
    paid_out: int
    in_accounts: int


async def standing(database: Database, shop_id: int, case_id: int) -> Standing | None:
    """Return where a case stands."""
    row = await database.fetchrow(_SQL.standing, shop_id, case_id)
    if row is None:
        return None
    return Standing(
        stage=row["stage"],
        turn=row["turn"],
        due_at=row["due_at"],
        is_closed=row["is_closed"],
        ruling=None if row["ruling_stage"] is None else (row["ruling_stage"], _award(row)),
        rulings=row["rulings"],
        offer=None if row["offer_by"] is None else (row["offer_by"], row["offer_kind"], row["offer_minor"]),
    )


def _award(row: Record) -> Award:
    return Award(row["ruling_minor"], row["ruling_damages"], row["ruling_replaces"])


async def replaceable(database: Database, order_ref: str) -> bool:
    """Tell whether an order has opened keys for which there are new ones in stock."""
    at = parse_ref(order_ref)
    return at is not None and bool(await database.fetchval(_SQL.replaceable, *at))


async def seated(database: Database, shop_id: int, case_id: int) -> list[int]:
    """Return who sits on a case's panel."""
    return [row["panellist_id"] for row in await database.fetch(_SQL.seated, shop_id, case_id)]


async def case_counts(database: Database) -> tuple[int, int]:
    """Return how many cases there are, and how many are open."""
    row = await database.fetchrow(_SQL.case_counts)
    return (row["cases"], row["open"]) if row else (0, 0)


async def stranded(database: Database) -> list[tuple[int, int]]:
    """Return the orders whose refund waits for another account."""
    return [(row["shop_id"], row["order_id"]) for row in await database.fetch(_SQL.stranded)]


async def pending(database: Database) -> int:
    """Return how many instructions wait."""
    return int(await database.fetchval(_SQL.pending))


async def refused(database: Database) -> int:
    """Return how many instructions were refused for good."""
    return int(await database.fetchval(_SQL.refused))


async def paid_out(database: Database) -> dict[str, Paid]:
    """Return what the custodian paid out by order."""
    return {
        row["merchant_ref"]: Paid(to_buyer=row["to_buyer"], to_merchant=row["to_merchant"], fee=row["fee"])
        for row in await database.fetch(_SQL.paid_out)
    }


async def recouped(database: Database) -> dict[int, int]:
    """Return by shop what went from its releases into the reserve."""
    sums: dict[int, int] = {}
    for row in await database.fetch(_SQL.recouped):
        at = parse_ref(row["merchant_ref"])
        if at is not None:
            sums[at.shop_id] = sums.get(at.shop_id, 0) + row["recouped"]
    return sums


async def accounts(database: Database) -> dict[str, int]:
    """Return what lies in the custodian's accounts."""
    return {row["account_ref"]: row["balance_minor"] for row in await database.fetch(_SQL.accounts)}


async def flow(database: Database) -> Flow:
    """Return what came in at the custodian, what left, and what lies in accounts there."""
    row = await database.fetchrow(_SQL.flow)
    return Flow(*row) if row else Flow(0, 0, 0)
