"""Chooses which checkpoints are timestamped: one every ten minutes while the log grows, at once what weighs most."""

import time
from collections.abc import Callable
from typing import Final

from kabao.dossier import store
from kabao.dossier.ports import Log, Stamps
from kabao.postgres import Database

EVERY_SECONDS: Final = 600.0


class CheckpointStamper:
    """Wants timestamps of checkpoints. Any number may run: the same checkpoint is wanted once, whoever asks."""

    def __init__(
        self, *, database: Database, log: Log, stamps: Stamps, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._log = log
        self._stamps = stamps
        self._seconds = seconds
        self._wanted = 0
        self._looked = 0
        self._at = -EVERY_SECONDS

    async def run(self) -> bool:
        """Want the newest checkpoint where ten minutes passed, a ruling was made or a recording ended since."""
        head = await self._log.head()
        if head.size <= self._looked:
            is_due = self._wanted < head.size and self._seconds() - self._at >= EVERY_SECONDS
        else:
            async with self._database.connection() as conn:
                weighs = await store.has_weight(conn, self._looked, head.size)
            self._looked = head.size
            is_due = weighs or self._seconds() - self._at >= EVERY_SECONDS
        if not is_due:
            return False
        await self._stamps.want(head.note, f"checkpoint {head.size}")
        self._wanted, self._at = head.size, self._seconds()
        return True
