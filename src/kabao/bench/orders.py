"""Place, pay and deliver over HTTP with durable commits, beside pgbench running the same statements.

Server, PostgreSQL and load share the machine's cores in both measurements. The two take turns, so that a noisy
neighbour meets both.
"""

import asyncio
import statistics
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from kabao.bench import store
from kabao.bench.load import Wire, post, run_load
from kabao.bench.pgbench import SCRIPT, run_pgbench
from kabao.bench.stand import BUYERS, PRICE_MINOR, Signer, Stand, open_market, served
from kabao.kernel import parse_ref
from kabao.orders import audit

ANALYZED_AFTER: Final = 7
"""Seconds until autovacuum has looked at the new tables, so that both sides run with the plans of a grown market."""
CREATED: Final = 201
OK: Final = 200


class OrdersBench(msgspec.Struct, frozen=True, kw_only=True):
    """The ratio and what it is made of; rates are orders per second, medians of the rounds."""

    ratio: float
    http_orders_per_second: float
    pgbench_orders_per_second: float
    rounds: list[tuple[float, float]]
    connections: int
    orders: int
    keys: int
    holds: int
    is_correct: bool
    lost_minor: int
    fsync: str
    synchronous_commit: str


async def bench_orders(*, seconds: int = 6, rounds: int = 3, connections: int = 32, keys: int = 200_000) -> OrdersBench:
    """Measure and check; raises RuntimeError where a request or pgbench fails, so that no ratio hides an error."""
    with tempfile.TemporaryDirectory(prefix="kabao-bench-") as folder:
        async with served(Path(folder) / "data") as (app, port):
            stand = await open_market(app, port, keys)
            script = Path(folder) / "order.sql"
            script.write_text(_script(stand), "utf-8")
            await _http(stand, connections, 2)
            await asyncio.sleep(ANALYZED_AFTER)
            measured = [await _round(stand, script, connections, seconds) for _ in range(rounds)]
            return await _report(stand, measured, connections)


async def _round(stand: Stand, script: Path, connections: int, seconds: int) -> tuple[float, float]:
    assert stand.app.server is not None  # noqa: S101  the bench always starts the embedded server
    dsn = stand.app.server.dsn("kabao", "kabao_app")
    pgbench = await run_pgbench(stand.app.server, dsn, script, connections, seconds)
    http = await _http(stand, connections, seconds)
    return http, pgbench


async def _http(stand: Stand, connections: int, seconds: int) -> float:
    signer = Signer(stand.app)

    async def order(wire: Wire, number: int) -> int:
        stand.asked += 1
        mine = stand.asked
        body = msgspec.json.encode(
            {
                "listing_ref": stand.listing_ref,
                "snapshot_no": 1,
                "quantity": 1,
                "confirmed": stand.notices,
            }
        )
        token = stand.tokens[number % BUYERS]
        headers = f"authorization: Bearer {token}\r\nidempotency-key: bench-{mine}\r\n"
        status, placed = await wire.ask(post("/api/v1/orders", body, headers))
        if status != CREATED:
            raise RuntimeError(f"placing answered {status}: {placed[:300]!r}")
        ref = msgspec.json.decode(placed)["ref"]
        notice, signature = signer.notice(ref, f"HB{mine}")
        status, taken = await wire.ask(post("/api/v1/custody/sandbox/notice", notice, f"x-signature: {signature}\r\n"))
        if status != OK:
            raise RuntimeError(f"the notice was answered {status}: {taken[:300]!r}")
        at = parse_ref(ref)
        assert at is not None  # noqa: S101  the server made this reference
        stand.acknowledged.append(at.object_id)
        return 1

    done, took = await run_load(stand.port, connections, seconds, order)
    return done / took


def _script(stand: Stand) -> str:
    return SCRIPT.format(
        shop=stand.shop_id,
        listing=stand.listing_id,
        buyers=",".join(str(buyer) for buyer in stand.buyer_ids),
        buyer_count=len(stand.buyer_ids),
        notices=",".join(stand.notices),
        price=PRICE_MINOR,
    )


async def _report(stand: Stand, measured: list[tuple[float, float]], connections: int) -> OrdersBench:
    database = stand.app.database
    await store.run(database, "custodian_books")
    counts = await store.ask(database, "counts")
    kept = await store.ask(database, "is_delivered", stand.shop_id, stand.acknowledged)
    durable = await store.ask(database, "settings")
    async with database.transaction(isolation="repeatable_read", readonly=True) as conn:
        books = await audit(conn)
    http = statistics.median(rate for rate, _ in measured)
    pgbench = statistics.median(rate for _, rate in measured)
    return OrdersBench(
        ratio=round(statistics.median(rate / yardstick for rate, yardstick in measured), 3),
        http_orders_per_second=round(http, 1),
        pgbench_orders_per_second=round(pgbench, 1),
        rounds=[(round(rate, 1), round(yardstick, 1)) for rate, yardstick in measured],
        connections=connections,
        is_correct=books.ok
        and counts["orders"] == counts["keys"] == counts["holds"]
        and kept["count"] == len(stand.acknowledged),
        lost_minor=books.lost_minor,
        **counts,
        **durable,
    )
