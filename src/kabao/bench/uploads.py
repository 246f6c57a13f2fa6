"""A large upload through a served market: its speed, and whether the server's memory stays flat."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from kabao.bench.stand import Signer, open_market, place_order, serving
from kabao.evidence.bench import bench_upload

MIB: Final = 1024 * 1024
SIZES: Final = (1024 * MIB, 64 * MIB)
"""In full, and quick."""
GROWTH_MIB: Final = 128.0
"""How far the server's memory may grow, whatever the size: one file of 50 MiB is looked into as a whole."""


async def upload(folder: Path, quick: bool, say: Callable[[str], None]) -> dict[str, Any]:  # noqa: FBT001  a part's own shape
    """Send one large film in chunks to an order, beside which the server's resident memory is watched."""
    async with serving(folder / "data") as (app, port, pid):
        stand = await open_market(app, port, 1)
        _, ref = await place_order(stand)
        # An unpaid order takes little.
        if not await app.take_notice(*Signer(app).notice(ref, "BENCH")):
            raise RuntimeError("the bench's order was not paid")
        say("sending")
        measured = await bench_upload(port, stand.tokens[0], ref, pid, SIZES[quick])
    if not measured.is_correct:
        raise RuntimeError("what was kept is not what was sent")
    return {
        **msgspec.to_builtins(measured),
        "mib_per_second": round(measured.bytes / MIB / measured.send_seconds, 1),
        "bars": {"rss_growth_mib": GROWTH_MIB},
        "passed": measured.rss_growth_mib <= GROWTH_MIB,
    }
