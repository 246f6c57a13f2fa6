"""Measures the log on a database of its own: how fast rows are sequenced, and how long a proof takes in a large tree.

Nothing may delete what is in a log, so the database is of no use afterwards.
"""

import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from kabao.kernel import DatabaseClock
from kabao.postgres import Database
from kabao.tlog import store
from kabao.tlog.merkle import HASH_BYTES, Span, is_included, leaf_hash, root_of
from kabao.tlog.proofs import parse_proof
from kabao.tlog.service import BATCH, TransparencyLog
from kabao.tlog.tiles import WIDTH, TileId, cut, edge_of, hash_of

ENTRIES_BAR: Final = 5_000
"""Entries a second."""
PROOF_BAR: Final = 10.0
"""Milliseconds."""
SAMPLES: Final = 300
_SEED: Final = 20261124
_EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
_TILES_A_COPY: Final = 1_000

Say = Callable[[str], None]


async def bench_sequencing(database: Database, log: TransparencyLog) -> dict[str, Any]:
    """Sequence every row that waits, then insert the same records bare in batches of the same size; both durable.

    `ratio` is entries_per_second by insert_rows_per_second. Raises RuntimeError where the log does not hold afterwards.
    """
    started = time.perf_counter()
    count = 0
    while logged := await log.sequence():
        count += logged
    seconds = time.perf_counter() - started
    report = await log.audit()
    if not report.ok or report.size < count:
        raise RuntimeError(f"the log does not hold after the bench: {report.findings[:3]}")
    bare = await _insert_again(database, report.size)
    rate, bare_rate = count / seconds, report.size / bare
    return {
        "ratio": round(rate / bare_rate, 3),
        "entries_per_second": round(rate),
        "insert_rows_per_second": round(bare_rate),
        "entries": count,
        "seconds": round(seconds, 3),
        "bars": {"entries_per_second": ENTRIES_BAR},
        "passed": rate >= ENTRIES_BAR,
    }


async def bench_proofs(database: Database, leaves: int, say: Say) -> dict[str, Any]:
    """Put a tree of `leaves` into the database and make proofs of leaves anywhere in it, each of which is checked.

    The hashes below the sampled leaves are random bytes, which cost a proof what real ones cost. Times are
    milliseconds of whole proofs: the database asked, the text written.
    """
    dice = random.Random(_SEED)  # noqa: S311  a fixed draw, no secret
    sampled = {dice.randrange(leaves): dice.randbytes(HASH_BYTES) for _ in range(SAMPLES)}
    log = TransparencyLog(
        database=database, clock=DatabaseClock(), seed=bytes(HASH_BYTES), origin="kabao.bench/log", sources=[]
    )
    await log.head()
    started = time.perf_counter()
    root = await _plant(database, leaves, sampled, dice, say)
    built = time.perf_counter() - started
    await log.sequence()
    say("proofs")
    times: list[float] = []
    for position, entry in sampled.items():
        started = time.perf_counter()
        text = await log.proof(position, leaves)
        times.append((time.perf_counter() - started) * 1000)
        proof = parse_proof(text)
        if not is_included(leaf_hash(entry), position, leaves, proof.steps, root):
            raise RuntimeError(f"the proof of position {position} does not hold")
    slowest = sorted(times)[len(times) * 99 // 100]
    return {
        "ratio": round(slowest / PROOF_BAR, 3),
        "proof_ms_median": round(statistics.median(times), 3),
        "proof_ms_p99": round(slowest, 3),
        "proof_ms_max": round(max(times), 3),
        "leaves": leaves,
        "proofs": len(times),
        "build_seconds": round(built, 1),
        "bars": {"proof_ms_p99": PROOF_BAR},
        "passed": slowest <= PROOF_BAR,
    }


async def _plant(database: Database, leaves: int, sampled: dict[int, bytes], dice: random.Random, say: Say) -> bytes:
    """Write the tiles, head and sampled records of a tree; return its root."""
    planted = {position: leaf_hash(entry) for position, entry in sampled.items()}
    edge: dict[TileId, bytes] = {}
    row: list[bytes] = []
    for number in range(-(-leaves // WIDTH)):
        width = min(WIDTH, leaves - number * WIDTH)
        row.append(dice.randbytes(HASH_BYTES * width))
    for position, leaf in planted.items():
        number, place = divmod(position, WIDTH)
        row[number] = row[number][: place * HASH_BYTES] + leaf + row[number][(place + 1) * HASH_BYTES :]
    level = 0
    wanted = set(edge_of(leaves))
    while row:
        say(f"level {level}: {len(row)} tiles")
        await _copy_tiles(database, level, row)
        edge |= {TileId(level, len(row) - 1): row[-1]} if TileId(level, len(row) - 1) in wanted else {}
        full = [root_of(cut(held)) for held in row if len(held) == WIDTH * HASH_BYTES]
        row = [b"".join(full[at : at + WIDTH]) for at in range(0, len(full), WIDTH)]
        level += 1
    root = hash_of(Span(0, leaves), edge)
    async with database.transaction() as conn:
        await store.add_records(conn, [_record(position, entry) for position, entry in sampled.items()])
        await store.set_head(conn, leaves, root)
    return root


async def _copy_tiles(database: Database, level: int, row: list[bytes]) -> None:
    for first in range(0, len(row), _TILES_A_COPY):
        tiles = [
            (level, first + at, len(held) // HASH_BYTES, held)
            for at, held in enumerate(row[first : first + _TILES_A_COPY])
        ]
        async with database.transaction() as conn:
            await store.copy_tiles(conn, tiles)


def _record(position: int, entry: bytes) -> tuple[object, ...]:
    return (1, position, 1, "bench", position, "bench", b"{}", sha256(entry).digest(), entry, _EPOCH)


async def _insert_again(database: Database, size: int) -> float:
    """Insert the log's records once more under another shop, in batches like its own; return the seconds."""
    seconds = 0.0
    for first in range(0, size, BATCH):
        async with database.connection() as conn:
            records = await store.records_between(conn, first, first + BATCH)
        started = time.perf_counter()
        async with database.transaction() as conn:
            await store.bench_insert(conn, records)
        seconds += time.perf_counter() - started
    return seconds
