"""Runs the SQL of the stock of card keys, and turns rows into the values of model.py."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg
import msgspec

from kabao.inventory.columns import Layout
from kabao.inventory.keyring import Wrapped
from kabao.inventory.model import (
    BadLine,
    FoundKey,
    ImportProgress,
    ImportReport,
    ImportState,
    StockCounts,
    UsedColumn,
)
from kabao.kernel import format_ref
from kabao.postgres import Connection, load_queries

SQL: Final = load_queries("kabao.inventory")
KEYS_PER_IMPORT: Final = 2**32
"""Key ids of an import follow its own id, so no two imports of a shop may begin closer than this."""
_COPIED: Final = ("shop_id", "key_id", "listing_id", "import_id", "dek_id", "blind", "sealed_text", "state")


class DataKeyRow(NamedTuple):
    """A shop's data key as it is stored."""

    shop_id: int
    dek_id: int
    wrapped: Wrapped


class SealedBatch(NamedTuple):
    """A batch ready to be stored; the three lists are parallel and sorted by `blinds`."""

    key_ids: list[int]
    blinds: list[bytes]
    sealed: list[bytes]
    lines: int
    bytes_done: int
    bad: int
    bad_lines: list[BadLine]


async def lock_shop(conn: Connection, shop_id: int) -> bool:
    """Lock a shop; False where there is none."""
    return await conn.fetchval(SQL.lock_shop, shop_id) is not None


async def has_listing(conn: Connection, shop_id: int, listing_id: int) -> bool:
    """Tell whether a listing exists."""
    found: bool = await conn.fetchval(SQL.has_listing, shop_id, listing_id)
    return found


async def fail_quiet_imports(
    conn: Connection,
    *,
    shop_id: int | None,
    listing_id: int | None,
    at: datetime | None,
    quiet_for: timedelta,
    failure: str,
) -> int:
    """End imports that gave no sign of life for a while; returns how many."""
    done = await conn.execute(SQL.fail_quiet_imports, shop_id, listing_id, at, quiet_for, failure)
    return _affected(done)


async def has_running_import(conn: Connection, shop_id: int, listing_id: int) -> bool:
    """Tell whether an import of a listing runs."""
    found: bool = await conn.fetchval(SQL.has_running_import, shop_id, listing_id)
    return found


async def last_import_id(conn: Connection, shop_id: int) -> int:
    """Return the id of a shop's newest import, 0 without any."""
    found: int | None = await conn.fetchval(SQL.last_import_id, shop_id)
    return found or 0


async def insert_import(
    conn: Connection,
    *,
    shop_id: int,
    import_id: int,
    listing_id: int,
    file_name: str,
    bytes_total: int,
    layout: Layout,
    at: datetime | None,
) -> None:
    """Begin an import."""
    await conn.execute(
        SQL.insert_import,
        shop_id,
        import_id,
        listing_id,
        file_name,
        bytes_total,
        int(layout.has_header),
        layout.columns if layout.has_header else (),
        layout.unused_columns,
        at,
    )


async def add_batch(
    conn: Connection,
    *,
    shop_id: int,
    listing_id: int,
    import_id: int,
    dek_id: int,
    batch: SealedBatch,
    at: datetime | None,
) -> ImportProgress | None:
    """Store a batch and count it; None where the import does not run any more (the caller rolls back)."""
    row = await conn.fetchrow(
        SQL.add_batch,
        shop_id,
        listing_id,
        import_id,
        dek_id,
        batch.key_ids,
        batch.blinds,
        batch.sealed,
        batch.lines,
        batch.bytes_done,
        batch.bad,
        batch.bad_lines,
        at,
    )
    if row is None:
        return None
    if row["fresh"] < len(batch.blinds):
        await conn.execute(SQL.count_repeated, shop_id, import_id, batch.blinds, row["fresh"])
    return ImportProgress(
        import_id=import_id,
        bytes_done=row["bytes_done"],
        bytes_total=row["bytes_total"],
        lines=row["line_count"],
        added=row["added"],
        duplicates=row["duplicates"],
        bad=row["bad"],
    )


async def finish_import(
    conn: Connection, shop_id: int, import_id: int, state: ImportState, failure: str | None, at: datetime | None
) -> None:
    """End an import that still runs."""
    await conn.execute(SQL.finish_import, shop_id, import_id, state.value, failure, at)


async def import_status(conn: Connection, shop_id: int, import_id: int) -> ImportReport | None:
    """Read one import."""
    row = await conn.fetchrow(SQL.import_status, shop_id, import_id)
    return None if row is None else _report(row)


async def imports(conn: Connection, shop_id: int, listing_id: int, limit: int) -> list[ImportReport]:
    """Read the newest imports of a listing."""
    return [_report(row) for row in await conn.fetch(SQL.imports, shop_id, listing_id, limit)]


async def stock(conn: Connection, shop_id: int, listing_id: int) -> StockCounts:
    """Count a listing's keys by state."""
    rows = await conn.fetch(SQL.stock, shop_id, listing_id)
    return msgspec.convert({row["state"]: row["keys"] for row in rows}, StockCounts)


async def withdraw(conn: Connection, shop_id: int, listing_id: int, limit: int) -> int:
    """Take a batch of keys out of stock; returns how many."""
    gone: int = await conn.fetchval(SQL.withdraw, shop_id, listing_id, limit)
    return gone


async def lock_import(conn: Connection, shop_id: int, import_id: int) -> tuple[int, ImportState] | None:
    """Lock an import; returns its listing and how it stands, None where there is none."""
    row = await conn.fetchrow(SQL.lock_import, shop_id, import_id)
    return None if row is None else (row["listing_id"], ImportState(row["state"]))


async def left_of_import(conn: Connection, shop_id: int, listing_id: int, import_id: int) -> int:
    """Count an import's keys that are still available."""
    found: int = await conn.fetchval(SQL.left_of_import, shop_id, listing_id, import_id, KEYS_PER_IMPORT)
    return found


async def withdraw_import(conn: Connection, shop_id: int, listing_id: int, import_id: int, limit: int) -> int:
    """Take a batch of an import's keys out of stock; returns how many."""
    gone: int = await conn.fetchval(SQL.withdraw_import, shop_id, listing_id, import_id, KEYS_PER_IMPORT, limit)
    return gone


async def find_key(conn: Connection, shop_id: int, blinds: list[bytes]) -> FoundKey | None:
    """Read where a key stands that is known by its blind index."""
    row = await conn.fetchrow(SQL.find_key, shop_id, blinds)
    if row is None:
        return None
    return FoundKey(
        state=row["state"],
        listing_ref=format_ref(shop_id, row["listing_id"]),
        import_ref=format_ref(shop_id, row["import_id"]),
        file_name=row["file_name"] or "",
        imported_at=row["imported_at"],
        order_ref=None if row["order_id"] is None else format_ref(shop_id, row["order_id"]),
        pos=row["pos"],
        generation=row["generation"],
        placed_at=row["placed_at"],
        delivered_at=row["delivered_at"],
        opened_at=row["opened_at"],
    )


async def opened_before(conn: Connection, shop_id: int, order_id: int, at: datetime | None) -> bool:
    """Tell whether the platform's records show every key of an order opened in another order before it was here.

    A key that went back to stock sealed was never opened and does not count, nor one opened elsewhere only later. The
    answer reaches across shops: it may be told, where and to whom the key went may not.
    """
    found: bool | None = await conn.fetchval(SQL.opened_before, shop_id, order_id, at)
    return bool(found)


async def keys_of_order(conn: Connection, shop_id: int, order_id: int, limit: int) -> Sequence[asyncpg.Record]:
    """Read the sealed texts of an order's keys with their places."""
    return await conn.fetch(SQL.keys_of_order, shop_id, order_id, limit)


async def hold_data_keys(conn: Connection) -> None:
    """Wait for a rotation to end, and keep the next one waiting."""
    await conn.execute(SQL.hold_data_keys)


async def stop_data_keys(conn: Connection) -> None:
    """Wait for every writer of data keys, and keep the next ones waiting."""
    await conn.execute(SQL.stop_data_keys)


async def active_data_key(conn: Connection, shop_id: int) -> DataKeyRow | None:
    """Read the data key that new keys are sealed by."""
    return _data_key(shop_id, await conn.fetchrow(SQL.active_data_key, shop_id))


async def data_key(conn: Connection, shop_id: int, dek_id: int) -> DataKeyRow | None:
    """Read one data key."""
    return _data_key(shop_id, await conn.fetchrow(SQL.data_key, shop_id, dek_id))


async def last_dek_id(conn: Connection, shop_id: int) -> int:
    """Return the highest number of a shop's data keys."""
    found: int = await conn.fetchval(SQL.last_dek_id, shop_id)
    return found


async def retire_data_keys(conn: Connection, shop_id: int, at: datetime | None) -> None:
    """Stop sealing by the present data key."""
    await conn.execute(SQL.retire_data_keys, shop_id, at)


async def insert_data_key(conn: Connection, shop_id: int, dek_id: int, wrapped: Wrapped, at: datetime | None) -> None:
    """Add a wrapped data key."""
    await conn.execute(SQL.insert_data_key, shop_id, dek_id, wrapped.kek_id, wrapped.wrapped, at)


async def kek_ids(conn: Connection) -> set[str]:
    """Read every key-encrypting key in use."""
    return {row["kek_id"] for row in await conn.fetch(SQL.kek_ids)}


async def data_keys_not_under(
    conn: Connection, kek_id: str, after: tuple[int, int], limit: int
) -> Sequence[DataKeyRow]:
    """Read a batch of data keys that another key wraps, after a place."""
    rows = await conn.fetch(SQL.data_keys_not_under, kek_id, *after, limit)
    return [DataKeyRow(row["shop_id"], row["dek_id"], Wrapped(row["kek_id"], row["wrapped"])) for row in rows]


async def rewrap_data_key(conn: Connection, shop_id: int, dek_id: int, wrapped: Wrapped) -> None:
    """Put the newly wrapped form in place."""
    await conn.execute(SQL.rewrap_data_key, shop_id, dek_id, wrapped.kek_id, wrapped.wrapped)


async def bench_shop(conn: Connection, *, account_id: int, phone: str, shop_ids: list[int], listing_id: int) -> None:
    """Make one account with shops that each have the same listing, for the benchmark."""
    await conn.execute(SQL.bench_account, account_id, phone)
    for shop_id in shop_ids:
        await conn.execute(SQL.bench_shop, shop_id, account_id)
        await conn.execute(SQL.bench_listing, shop_id, listing_id)


async def bench_save(conn: Connection, shop_id: int, other_shop_id: int, path: Path) -> None:
    """Write a shop's rows to a file in COPY's binary form, as those of another shop."""
    await conn.copy_from_query(SQL.bench_rows, shop_id, other_shop_id, output=path, format="binary")


async def bench_copy(conn: Connection, path: Path) -> int:
    """Load such a file by bare COPY; returns how many rows."""
    return _affected(await conn.copy_to_table("card_key", source=path, columns=list(_COPIED), format="binary"))


def _affected(tag: str) -> int:
    return int(tag.rpartition(" ")[2])


def _data_key(shop_id: int, row: asyncpg.Record | None) -> DataKeyRow | None:
    if row is None:
        return None
    return DataKeyRow(shop_id, row["dek_id"], Wrapped(row["kek_id"], row["wrapped"]))


def _report(row: asyncpg.Record) -> ImportReport:
    return ImportReport(
        ref=format_ref(row["shop_id"], row["import_id"]),
        import_id=row["import_id"],
        shop_id=row["shop_id"],
        listing_id=row["listing_id"],
        file_name=row["file_name"],
        state=ImportState(row["state"]),
        bytes_total=row["bytes_total"],
        bytes_done=row["bytes_done"],
        lines=row["line_count"],
        header_lines=row["header_lines"] if row["line_count"] else 0,
        columns=msgspec.convert(row["columns"], list[UsedColumn]),
        unused_columns=row["unused_columns"],
        blank=max(0, row["line_count"] - row["header_lines"] - row["added"] - row["duplicates"] - row["bad"]),
        added=row["added"],
        duplicates=row["duplicates"],
        repeated=row["repeated"],
        in_stock=row["duplicates"] - row["repeated"],
        bad=row["bad"],
        bad_lines=msgspec.convert(row["bad_lines"], list[BadLine]),
        withdrawn=row["withdrawn"],
        failure=row["failure"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
    )
