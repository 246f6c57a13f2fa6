"""Measures the import of card keys beside a bare COPY of the same rows, in one run on one database.

It leaves its rows behind, for nothing may delete card keys: give it a database of its own.
"""

import asyncio
import contextlib
import secrets
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from kabao.inventory import store
from kabao.inventory.keyring import Keyring
from kabao.inventory.model import ImportReport, ImportState
from kabao.inventory.service import InventoryService
from kabao.kernel import DatabaseClock, IdSource
from kabao.postgres import Database

SMALL_SHARE: Final = 4
_CHUNK_KEYS: Final = 2_000
_PAGE_BYTES: Final = 4_096


async def bench_import(database: Database, keyring: Keyring, count: int) -> dict[str, Any]:
    """Import `count` keys and a quarter of that, COPY the same rows bare, and return the figures.

    `ratio` is keys_per_second by copy_rows_per_second; the memory figures are the peak growth of this process over the
    import, in bytes, and are equal where memory is flat.
    """
    ids = IdSource()
    inventory = InventoryService(database=database, clock=DatabaseClock(), ids=ids, keyring=keyring)
    small_shop, shop, copy_shop, listing_id = ids.next(), ids.next(), ids.next(), ids.next()
    async with database.transaction() as conn:
        await store.bench_shop(
            conn,
            account_id=ids.next(),
            phone=f"+{10**13 + secrets.randbelow(10**13)}",
            shop_ids=[small_shop, shop, copy_shop],
            listing_id=listing_id,
        )
    _, small_growth = await _timed_import(inventory, small_shop, listing_id, max(1, count // SMALL_SHARE))
    seconds, growth = await _timed_import(inventory, shop, listing_id, count)
    copied, copy_seconds = await _timed_copy(database, shop, copy_shop)
    if copied != count:
        raise RuntimeError(f"imported {count} keys but copied {copied} rows")
    keys_per_second, copy_rows_per_second = count / seconds, copied / copy_seconds
    return {
        "ratio": round(keys_per_second / copy_rows_per_second, 3),
        "keys_per_second": round(keys_per_second),
        "copy_rows_per_second": round(copy_rows_per_second),
        "keys": count,
        "seconds": round(seconds, 3),
        "peak_growth_bytes_small": small_growth,
        "peak_growth_bytes": growth,
    }


async def made_up_keys(count: int) -> AsyncIterator[bytes]:
    """Yield a text file of `count` random keys, such as 7f3a90bc-5e21d8aa-0c94, in chunks."""
    for start in range(0, count, _CHUNK_KEYS):
        lines = (secrets.token_hex(10) for _ in range(min(_CHUNK_KEYS, count - start)))
        yield "".join(f"{line[:8]}-{line[8:16]}-{line[16:]}\n" for line in lines).encode()


async def _timed_import(inventory: InventoryService, shop_id: int, listing_id: int, count: int) -> tuple[float, int]:
    before, peak = _resident_bytes(), 0

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, _resident_bytes())
            await asyncio.sleep(0.05)

    watching = asyncio.create_task(watch())
    started = time.perf_counter()
    report = await inventory.import_keys(shop_id, listing_id, made_up_keys(count), "bench.txt")
    seconds = time.perf_counter() - started
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    if not isinstance(report, ImportReport) or report.state is not ImportState.DONE or report.added != count:
        raise RuntimeError("the import under measurement did not take every key")
    return seconds, max(0, max(peak, _resident_bytes()) - before)


async def _timed_copy(database: Database, shop_id: int, copy_shop_id: int) -> tuple[int, float]:
    with tempfile.TemporaryDirectory(prefix="kabao-bench-") as folder:
        path = Path(folder) / "rows"
        async with database.connection() as conn:
            await store.bench_save(conn, shop_id, copy_shop_id, path)
        started = time.perf_counter()
        async with database.transaction() as conn:
            copied = await store.bench_copy(conn, path)
        return copied, time.perf_counter() - started


def _resident_bytes() -> int:
    """Return this process's resident memory; 0 where the system has no /proc."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES
    except OSError:
        return 0
