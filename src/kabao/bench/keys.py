"""The import of card keys in a database of its own, since nothing may delete card keys."""

import tempfile
from pathlib import Path
from typing import Any

from kabao.inventory.bench import bench_import
from kabao.wiring import Settings, start


async def bench_keys(count: int = 500_000) -> dict[str, Any]:
    """Measure the import beside a bare COPY of the same rows; see `kabao.inventory.bench_import`."""
    with tempfile.TemporaryDirectory(prefix="kabao-bench-") as folder:
        app = await start(Settings.of(Path(folder) / "data", environment={}))
        try:
            return await bench_import(app.database, app.keyring, count)
        finally:
            await app.close()
