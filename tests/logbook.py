"""A source of records on a table of its own, and a log over it, for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from kabao.kernel import Clock, DatabaseClock, canonical_bytes
from kabao.postgres import Connection, Database
from kabao.tlog import Census, Draft, Source, StoredRecord, TransparencyLog
from kabao.tlog.service import LEASE

SEED = b"log seed for tests, 32 bytes ok!"
ORIGIN = "kabao.test/log"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

SCHEMA = """
CREATE TABLE happening (
  shop_id bigint NOT NULL, order_id bigint NOT NULL, happening_id bigint NOT NULL,
  kind text NOT NULL, said text NOT NULL, at timestamptz NOT NULL, log_position bigint,
  PRIMARY KEY (shop_id, order_id, happening_id)
);
CREATE INDEX ON happening (at) WHERE log_position IS NULL;
GRANT SELECT, INSERT ON happening TO kabao_app;
GRANT UPDATE (log_position) ON happening TO kabao_app;
"""


class Happenings:
    """Logs the rows of `happening`, of all shops or of one."""

    name = "happening"

    def __init__(self, shop_id: int | None = None) -> None:
        self.shop_id = shop_id

    async def take(self, conn: Connection, limit: int) -> Sequence[Draft]:
        rows = await conn.fetch(
            """SELECT * FROM happening WHERE log_position IS NULL AND coalesce(shop_id = $2, true)
                ORDER BY at LIMIT $1 FOR UPDATE SKIP LOCKED""",
            limit,
            self.shop_id,
        )
        return [draft_of(row) for row in rows]

    async def mark(self, conn: Connection, positions: Sequence[tuple[Draft, int]]) -> None:
        await conn.execute(
            """UPDATE happening h SET log_position = p.place
                 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS p (shop_id, order_id, id, place)
                WHERE (h.shop_id, h.order_id, h.happening_id) = (p.shop_id, p.order_id, p.id)""",
            [draft.shop_id for draft, _ in positions],
            [draft.order_id for draft, _ in positions],
            [draft.source_id for draft, _ in positions],
            [position for _, position in positions],
        )

    async def again(self, conn: Connection, records: Sequence[StoredRecord]) -> Sequence[Draft | None]:
        rows = await conn.fetch(
            """SELECT h.* FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS r (shop_id, order_id, happening_id)
                 JOIN happening h USING (shop_id, order_id, happening_id)""",
            [record.shop_id for record in records],
            [record.order_id for record in records],
            [record.source_id for record in records],
        )
        found = {(row["shop_id"], row["order_id"], row["happening_id"]): draft_of(row) for row in rows}
        return [found.get((record.shop_id, record.order_id, record.source_id)) for record in records]

    async def census(self, conn: Connection, before: datetime) -> Census:
        row = await conn.fetchrow(
            """SELECT count(*) FILTER (WHERE log_position IS NOT NULL) AS marked,
                      count(*) FILTER (WHERE log_position IS NULL AND at < $1) AS waiting,
                      min(at) FILTER (WHERE log_position IS NULL AND at < $1) AS oldest FROM happening""",
            before,
        )
        assert row is not None
        return Census(**row)


def draft_of(row: Any) -> Draft:
    return Draft(
        shop_id=row["shop_id"],
        order_id=row["order_id"],
        source="happening",
        source_id=row["happening_id"],
        kind=row["kind"],
        body=canonical_bytes({"at": row["at"].isoformat(), "kind": row["kind"], "said": row["said"], "v": 1}),
        at=row["at"],
        position=row["log_position"],
    )


async def happen(database: Database, first: int, count: int, *, at: datetime = NOON, orders: int = 3) -> None:
    """Write rows that wait to be logged, over a few orders of two shops, each a second after the one before."""
    await database.execute(
        """INSERT INTO happening (shop_id, order_id, happening_id, kind, said, at)
           SELECT 1 + n % 2, 100 + n % $3, n, 'said', 'word ' || n, $4::timestamptz + make_interval(secs => n)
             FROM generate_series($1::bigint, $1::bigint + $2::bigint - 1) n""",
        first,
        count,
        orders,
        at,
    )


def log_over(
    database: Database,
    *sources: Source,
    clock: Clock | None = None,
    seed: bytes = SEED,
    origin: str = ORIGIN,
    batch: int = 2_000,
    lease: timedelta = LEASE,
) -> TransparencyLog:
    return TransparencyLog(
        database=database,
        clock=clock or DatabaseClock(),
        seed=seed,
        origin=origin,
        sources=sources or [Happenings()],
        batch=batch,
        lease=lease,
    )


async def logged(log: TransparencyLog) -> int:
    """Sequence until nothing waits; returns how many records were logged."""
    total = 0
    while count := await log.sequence():
        total += count
    return total


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)
