"""The only file that executes the SQL of the public log."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from kabao.postgres import Connection, load_queries
from kabao.tlog.model import Checkpoint, StoredCosignature, StoredHead, StoredRecord, StoredTile, Witnessed
from kabao.tlog.tiles import TileId

_SQL: Final = load_queries("kabao.tlog")

RECORD_COLUMNS: Final = (
    "shop_id", "record_id", "order_id", "source", "source_id", "kind", "body", "salt", "commitment", "at",
)  # fmt: skip


async def head(conn: Connection) -> StoredHead | None:
    """Return the head; None before the log was first used."""
    row = await conn.fetchrow(_SQL.head)
    return None if row is None else StoredHead(*row)


async def begin(conn: Connection, origin: str, vkey: str, empty_root: bytes) -> None:
    """Fix the log's origin and key, where that has not been done."""
    await conn.execute(_SQL.begin, origin, vkey, empty_root)


async def take_lease(conn: Connection, holder: str, lasts: timedelta, now: datetime | None) -> int | None:
    """Take or renew the lease; its number, or None while somebody else holds it."""
    number: int | None = await conn.fetchval(_SQL.take_lease, holder, lasts, now)
    return number


async def drop_lease(conn: Connection, holder: str) -> None:
    """Give the lease back."""
    await conn.execute(_SQL.drop_lease, holder)


async def lock_head(conn: Connection) -> tuple[int, bytes]:
    """Lock the head and return its size and root."""
    row = await conn.fetchrow(_SQL.lock_head)
    assert row is not None  # noqa: S101  the log began before anyone locks its head
    return row["size"], row["root"]


async def lease_number(conn: Connection) -> int:
    """Return the number of the lease as it is now."""
    number: int = await conn.fetchval(_SQL.lease_number)
    return number


async def set_head(conn: Connection, size: int, root: bytes) -> None:
    """Move the head."""
    await conn.execute(_SQL.set_head, size, root)


async def tiles(conn: Connection, wanted: Iterable[TileId]) -> dict[TileId, bytes]:
    """Return those of some tiles that exist."""
    ids = list(wanted)
    rows = await conn.fetch(_SQL.tiles, [tile.level for tile in ids], [tile.number for tile in ids])
    return {TileId(row["level"], row["index"]): row["hashes"] for row in rows}


async def put_tiles(conn: Connection, grown: Mapping[TileId, bytes]) -> int:
    """Keep new and grown tiles; returns how many were, for one that is longer already stays as it is."""
    ids = list(grown)
    said = await conn.execute(
        _SQL.put_tiles, [tile.level for tile in ids], [tile.number for tile in ids], [grown[tile] for tile in ids]
    )
    return int(said.rpartition(" ")[2])


async def add_records(conn: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Keep new records, each as `RECORD_COLUMNS` has it."""
    await conn.copy_records_to_table("log_record", records=rows, columns=RECORD_COLUMNS)


async def records_of_order(conn: Connection, shop_id: int, order_id: int) -> list[StoredRecord]:
    """Return an order's records."""
    return [StoredRecord(**row) for row in await conn.fetch(_SQL.records_of_order, shop_id, order_id)]


async def to_prove(conn: Connection, position: int, size: int) -> tuple[bytes, bytes | None] | None:
    """Return the checkpoint's note and the record's salt (None once erased); None where either is missing."""
    row = await conn.fetchrow(_SQL.to_prove, position, size)
    return None if row is None or not row["is_there"] else (row["note"], row["salt"])


async def erase(conn: Connection, shop_id: int, record_id: int, now: datetime | None) -> None:
    """Destroy a record's body and salt."""
    await conn.execute(_SQL.erase, shop_id, record_id, now)


async def newest_checkpoint(conn: Connection) -> Checkpoint | None:
    """Return the newest signed tree head."""
    row = await conn.fetchrow(_SQL.newest_checkpoint)
    return None if row is None else Checkpoint(**row)


async def checkpoint(conn: Connection, size: int) -> Checkpoint | None:
    """Return the signed tree head of one size."""
    row = await conn.fetchrow(_SQL.checkpoint, size)
    return None if row is None else Checkpoint(**row)


async def add_checkpoint(conn: Connection, size: int, root: bytes, note: bytes, now: datetime | None) -> None:
    """Keep a signed tree head."""
    await conn.execute(_SQL.add_checkpoint, size, root, note, now)


async def cosignatures(conn: Connection, size: int) -> bytes:
    """Return the cosignature lines under one checkpoint, one after the other."""
    return b"".join(row["line"] for row in await conn.fetch(_SQL.cosignatures, size))


async def add_cosignature(conn: Connection, size: int, witness: str, line: bytes, now: datetime | None) -> None:
    """Keep a witness's line."""
    await conn.execute(_SQL.add_cosignature, size, witness, line, now)


async def last_cosigned(conn: Connection, witness: str) -> tuple[int, datetime] | None:
    """Return how far a witness has cosigned, and when."""
    row = await conn.fetchrow(_SQL.last_cosigned, witness)
    return None if row is None else (row["size"], row["at"])


async def witnessed(conn: Connection) -> Witnessed | None:
    """Return who cosigned the newest checkpoint that anyone has."""
    row = await conn.fetchrow(_SQL.witnessed)
    return None if row is None else Witnessed(**row)


async def now(conn: Connection, instant: datetime | None) -> datetime:
    """Return the instant that decides: the one given, or the database's."""
    at: datetime = await conn.fetchval(_SQL.now, instant)
    return at


async def records_between(conn: Connection, first: int, end: int | None) -> list[StoredRecord]:
    """Return records in the log's order from a position up to, without, another; a few from it on for None."""
    rows = await conn.fetch(_SQL.records_between, first, end)
    return [StoredRecord(**row) for row in rows]


async def leaves(conn: Connection) -> int:
    """Return how many leaves the tiles of the lowest level reach."""
    count: int | None = await conn.fetchval(_SQL.leaves)
    return count or 0


async def tiles_from(conn: Connection, level: int, first: int, limit: int) -> list[StoredTile]:
    """Return a level's tiles from a number on."""
    return [StoredTile(*row) for row in await conn.fetch(_SQL.tiles_from, level, first, limit)]


async def checkpoints_from(conn: Connection, first: int, limit: int) -> list[Checkpoint]:
    """Return signed tree heads from a size on."""
    return [Checkpoint(**row) for row in await conn.fetch(_SQL.checkpoints_from, first, limit)]


async def cosignatures_of(conn: Connection, sizes: Sequence[int]) -> list[StoredCosignature]:
    """Return every cosignature of some checkpoints."""
    return [StoredCosignature(*row) for row in await conn.fetch(_SQL.cosignatures_of, sizes)]


async def copy_tiles(conn: Connection, rows: Sequence[tuple[int, int, int, bytes]]) -> None:
    """Keep whole new tiles in bulk: level, index, width, hashes."""
    await conn.copy_records_to_table("log_tile", records=rows, columns=("level", "index", "width", "hashes"))


async def bench_insert(conn: Connection, records: Sequence[StoredRecord]) -> None:
    """Insert records once more, under a shop that does not exist; for the bench's yardstick."""
    await conn.execute(
        _SQL.bench_insert,
        [record.record_id for record in records],
        [record.order_id for record in records],
        [record.source for record in records],
        [record.source_id for record in records],
        [record.kind for record in records],
        [record.body for record in records],
        [record.salt for record in records],
        [record.commitment for record in records],
        [record.at for record in records],
    )
