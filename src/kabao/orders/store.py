"""The only file that executes the SQL of orders, escrow and the sweep."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from kabao.deposits import CLAIM_DAYS
from kabao.kernel import OrderId, format_ref
from kabao.orders.machine import OrderState
from kabao.orders.model import (
    ClaimedInstruction,
    Dwell,
    KeySlot,
    Move,
    OrderEvent,
    OrderRow,
    SweepStatus,
    UntoldShop,
)
from kabao.orders.rules import RESERVE, UNPAID_CAP
from kabao.postgres import Connection, load_queries

_SQL: Final = load_queries("kabao.orders")
_AUDIT: Final = load_queries("kabao.orders", "audit.sql")
_DIGEST: Final = load_queries("kabao.orders", "digest.sql")

Record = asyncpg.Record
BatchStep = Callable[[Connection, int | None, int, datetime | None], Awaitable[int]]

NEWEST: Final = 2**63 - 1
"""Above every order id: the start of a list."""


async def place(
    conn: Connection,
    shop_id: int,
    order_id: int,
    buyer_id: int,
    listing_id: int,
    snapshot_no: int,
    quantity: int,
    key: str,
    confirmed: list[str],
    now: datetime | None,
    dwell: Dwell | None,
) -> asyncpg.Record:
    """Place an order; the record carries refusal or the order."""
    return await _one(
        conn,
        "place",
        shop_id,
        order_id,
        buyer_id,
        listing_id,
        snapshot_no,
        quantity,
        key,
        confirmed,
        RESERVE,
        UNPAID_CAP,
        now,
        [] if dwell is None else list(dwell.millis),
        [] if dwell is None else list(dwell.millis.values()),
        None if dwell is None else dwell.measured_by,
    )


async def call(conn: Connection, step: str, *arguments: Any) -> asyncpg.Record:
    """Run one money step by its query's name; the record carries refusal where it has one."""
    return await _one(conn, step, *arguments)


async def stop_instruction(conn: Connection, shop_id: int, instruction_id: UUID, why: str, now: datetime | None) -> str:
    """Book that the custodian never executes an instruction; answers stopped, gone or reserve_short."""
    became: str = await conn.fetchval(_SQL["stop_instruction"], shop_id, instruction_id, why, now)
    return became


async def cancel(conn: Connection, shop_id: int, order_id: int, buyer_id: int, now: datetime | None) -> str | None:
    """Cancel an unpaid order; answers a refusal's code or None."""
    code: str | None = await conn.fetchval(_SQL["cancel"], shop_id, order_id, buyer_id, now)
    return code


async def order(conn: Connection, shop_id: int, order_id: int, now: datetime | None) -> asyncpg.Record | None:
    """Return one order with its listing as bought, its seller and its escrow."""
    return await conn.fetchrow(_SQL["order"], shop_id, order_id, now, CLAIM_DAYS)


async def decides_in(
    conn: Connection, shop_id: int, order_id: int, account_id: int, *, is_panel: bool, is_duty: bool
) -> bool:
    """Tell whether a panellist or the duty officer decides in a case of an order, or did in one that is closed."""
    decides: bool = await conn.fetchval(_SQL["decides_in"], shop_id, order_id, account_id, is_panel, is_duty)
    return decides


async def key_slots(conn: Connection, shop_id: int, order_id: int) -> list[KeySlot]:
    """Return the places of an order's keys."""
    return [KeySlot(**dict(row)) for row in await conn.fetch(_SQL["key_slots"], shop_id, order_id)]


async def money_moves(conn: Connection, shop_id: int, order_id: int) -> list[Move]:
    """Return money in and out of an order."""
    return [Move(**dict(row)) for row in await conn.fetch(_SQL["money_moves"], shop_id, order_id)]


async def events(conn: Connection, shop_id: int, order_id: int) -> list[OrderEvent]:
    """Return the history of an order."""
    return [OrderEvent(**dict(row)) for row in await conn.fetch(_SQL["events"], shop_id, order_id)]


async def had_before(conn: Connection, shop_id: int, order_id: int) -> bool:
    """Tell whether the buyer had opened and kept the same version of the same listing before placing an order."""
    had: bool = await conn.fetchval(_SQL["had_before"], shop_id, order_id)
    return had


async def orders_of_buyer(conn: Connection, buyer_id: int, tab: str, before: int, limit: int) -> list[OrderRow]:
    """Return a buyer's orders, newest first."""
    return [_row(row) for row in await conn.fetch(_SQL["orders_of_buyer"], buyer_id, tab, before, limit)]


async def orders_of_shop(
    conn: Connection, shop_id: int, owner_id: int, tab: str, before: int, limit: int
) -> list[OrderRow]:
    """Return a shop's orders for its owner, newest first."""
    return [_row(row) for row in await conn.fetch(_SQL["orders_of_shop"], shop_id, owner_id, tab, before, limit)]


async def to_pay(
    conn: Connection, shop_id: int, order_id: int, buyer_id: int, now: datetime | None
) -> asyncpg.Record | None:
    """Return what a buyer still has to pay for an order."""
    return await conn.fetchrow(_SQL["to_pay"], shop_id, order_id, buyer_id, now)


async def held_by_shop(conn: Connection, shop_id: int) -> asyncpg.Record:
    """Return what the custodian holds undecided for a shop."""
    return await _one(conn, "held_by_shop", shop_id)


async def expire(conn: Connection, shop_id: int | None, batch: int, now: datetime | None) -> int:
    """Expire a batch of unpaid orders; returns how many."""
    count: int = await conn.fetchval(_SQL["expire"], shop_id, batch, now)
    return count


async def sweep(conn: Connection, shop_id: int | None, batch: int, now: datetime | None) -> int:
    """Release a batch of matured escrows; returns how many."""
    count: int = await conn.fetchval(_SQL["sweep"], shop_id, batch, now)
    return count


async def owner_of(conn: Connection, shop_id: int, order_id: int) -> int | None:
    """Return who sells an order."""
    owner: int | None = await conn.fetchval(_SQL["owner_of"], shop_id, order_id)
    return owner


async def lock_claimable(conn: Connection, shop_id: int, order_id: int) -> int | None:
    """Lock an order's money; returns what of its price may still be given back, None before a release."""
    await conn.execute(_SQL["lock_escrow"], shop_id, order_id)
    left: int | None = await conn.fetchval(_SQL["claimable"], shop_id, order_id)
    return left


async def sweep_owing(conn: Connection, shop_id: int | None, batch: int, now: datetime | None) -> int:
    """Release a batch of matured escrows of one shop that owes the platform; returns how many."""
    count: int = await conn.fetchval(_SQL["sweep_owing"], shop_id, batch, now)
    return count


async def sweep_damages(conn: Connection, now: datetime | None) -> int:
    """Pay on the oldest damages that a shop with a deposit owes; returns how much, in minor units."""
    paid: int = await conn.fetchval(_SQL["sweep_damages"], now)
    return paid


async def sweep_state(conn: Connection, now: datetime | None) -> tuple[SweepStatus, datetime]:
    """Return how the sweep stands, and the clock it stands by."""
    row = dict(await _one(conn, "sweep_state", now))
    clock: datetime = row.pop("now")
    return SweepStatus(**row), clock


async def sweep_ticked(conn: Connection, at: datetime) -> None:
    """Remember a tick."""
    await conn.execute(_SQL["sweep_ticked"], at)


async def sweep_halt(conn: Connection, at: datetime, why: str) -> None:
    """Halt every sweeper; the first reason stays."""
    await conn.execute(_SQL["sweep_halt"], at, why)


async def sweep_resume(conn: Connection, now: datetime | None, accept_for: timedelta) -> None:
    """Let the sweepers go on."""
    await conn.execute(_SQL["sweep_resume"], now, accept_for)


async def claim_instructions(
    conn: Connection, now: datetime | None, lease: timedelta, limit: int, provider: str
) -> list[ClaimedInstruction]:
    """Lease due instructions of one custodian."""
    rows = await conn.fetch(_SQL["claim_instructions"], now, lease, limit, provider)
    return [ClaimedInstruction(**dict(row)) for row in rows]


async def finish_instruction(conn: Connection, shop_id: int, instruction_id: UUID, now: datetime | None) -> bool:
    """Book that the custodian executed an instruction; False on a repeat."""
    first: bool = await conn.fetchval(_SQL["finish_instruction"], shop_id, instruction_id, now)
    return first


async def refuse_instruction(
    conn: Connection, shop_id: int, instruction_id: UUID, why: str, now: datetime | None
) -> bool:
    """Book that an instruction will never be executed; False on a repeat."""
    first: bool = await conn.fetchval(_SQL["refuse_instruction"], shop_id, instruction_id, why, now)
    return first


async def payee(conn: Connection, shop_id: int, instruction_id: UUID) -> asyncpg.Record:
    """Return who waits for an instruction's money, how much it is and for what."""
    return await _one(conn, "payee", shop_id, instruction_id)


async def postpone_instruction(
    conn: Connection, claimed: ClaimedInstruction, now: datetime | None, wait: timedelta, error: str
) -> None:
    """Give an instruction back after a failure; does nothing where someone else has claimed it since."""
    await conn.execute(
        _SQL["postpone_instruction"], claimed.shop_id, claimed.instruction_id, claimed.attempt, now, wait, error
    )


async def audit_figures(conn: Connection) -> asyncpg.Record:
    """Count what there is to audit."""
    row = await conn.fetchrow(_AUDIT["figures"])
    assert row is not None  # noqa: S101  an aggregate always answers a row
    return row


async def audit_check(conn: Connection, check: str) -> list[asyncpg.Record]:
    """Return the rows of one audit query: what does not agree."""
    return await conn.fetch(_AUDIT[check])


async def begin_digest(conn: Connection, now: datetime | None) -> None:
    """Make the merchants' cursor where there is none."""
    await conn.execute(_DIGEST["begin"], now)


async def digest_stretch(conn: Connection, now: datetime | None, margin: timedelta) -> tuple[datetime, datetime] | None:
    """Lock the merchants' cursor; answers from when and until when to read on, None where another runner has it."""
    row = await conn.fetchrow(_DIGEST["horizon"], now, margin)
    return (row["read_until"], row["whole_until"]) if row else None


async def add_up(conn: Connection, since: datetime, until: datetime) -> None:
    """Add the sales and payouts of a stretch of time to what is still to be told."""
    await conn.execute(_DIGEST["add_up"], since, until)


async def move_on(conn: Connection, until: datetime) -> None:
    """Put the merchants' cursor where the next stretch begins."""
    await conn.execute(_DIGEST["move_on"], until)


async def take_untold(conn: Connection, every: timedelta, limit: int, now: datetime | None) -> list[UntoldShop]:
    """Take what shops have not been told, each at most once in ``every``."""
    return [msgspec.convert(dict(row), UntoldShop) for row in await conn.fetch(_DIGEST["take_due"], every, now, limit)]


async def _one(conn: Connection, name: str, *arguments: Any) -> asyncpg.Record:
    row = await conn.fetchrow(_SQL[name], *arguments)
    assert row is not None  # noqa: S101  a function call always answers a row
    return row


def _row(row: asyncpg.Record) -> OrderRow:
    return OrderRow(
        ref=format_ref(row["shop_id"], row["order_id"]),
        title=row["title"],
        shop_name=row["shop_name"],
        buyer_name=row["buyer_name"],
        quantity=row["quantity"],
        amount_minor=row["amount_minor"],
        state=OrderState(row["state"]),
        in_case=row["in_case"],
        placed_at=row["placed_at"],
        reserve_until=row["reserve_until"],
        due_at=row["due_at"],
        order_id=OrderId(row["order_id"]),
    )
