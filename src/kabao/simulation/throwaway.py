"""A market in a data folder and a database of its own, removed when it has ended."""

import asyncio
import tempfile
from pathlib import Path
from typing import Final

from kabao.postgres import APP_ROLE, DATABASE, EmbeddedServer, open_pool, prepare
from kabao.simulation.model import Progress, Report
from kabao.simulation.run import play

UNSAFE: Final = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
"""Nothing here outlives the run, so nothing needs to survive a crash."""


async def simulate(seed: int, days: int, progress: Progress = lambda _done, _all: None) -> Report:
    """Run a market of so many days in a folder made for it."""
    with tempfile.TemporaryDirectory(prefix="kabao-simulation-") as made:
        folder = Path(made) / "data"
        server = await asyncio.to_thread(EmbeddedServer.start, folder, settings=UNSAFE)
        try:
            await prepare(server)
            async with await open_pool(server.dsn(DATABASE, APP_ROLE), size=4) as database:
                return await play(database, folder, seed=seed, days=days, progress=progress)
        finally:
            await asyncio.to_thread(server.stop)
