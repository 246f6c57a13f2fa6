"""The yardstick: pgbench running the same two statements on the same database."""

import asyncio
import re
from pathlib import Path
from typing import Final

from kabao.postgres import EmbeddedServer

SCRIPT: Final = """\
\\set buyer random(1, {buyer_count})
\\set order random(1, 4611686018427387904)
SELECT * FROM place_order_v1({shop}::bigint, :order::bigint, ('{{{buyers}}}'::bigint[])[:buyer::int],
  {listing}::bigint, 1, 1, 'pgbench-' || (:order::bigint)::text, '{{{notices}}}'::text[], interval '15 minutes',
  1000, NULL);
SELECT * FROM apply_payment_v2({shop}::bigint, :order::bigint, 'sandbox', 'PG' || (:order::bigint)::text,
  {price}::bigint, 'CNY', sha256(int8send(:buyer::bigint)), NULL);
"""
_TPS: Final = re.compile(r"tps = ([0-9.]+)")
_DONE: Final = re.compile(r"number of transactions actually processed: (\d+)")
_FAILED: Final = re.compile(r"number of failed transactions: (\d+)")


async def run_pgbench(server: EmbeddedServer, dsn: str, script: Path, connections: int, seconds: int) -> float:
    """Return orders per second; raises RuntimeError where pgbench failed or a transaction did."""
    process = await asyncio.create_subprocess_exec(
        str(server.program("pgbench")),
        "-n",
        "-M",
        "prepared",
        "-c",
        str(connections),
        "-T",
        str(seconds),
        "-f",
        str(script),
        dsn,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    rate, done, failed = _TPS.search(said), _DONE.search(said), _FAILED.search(said)
    if process.returncode or rate is None or done is None or (failed is not None and failed[1] != "0"):
        raise RuntimeError(f"pgbench did not finish: {said[-800:]}")
    return float(rate[1])
