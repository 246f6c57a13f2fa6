"""The public figures, counted anew every few minutes at most, whoever asks."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from kabao.figures import store
from kabao.figures.openly import PublicFigures, sections_of
from kabao.kernel import Clock
from kabao.postgres import Database

KEPT_SECONDS: Final = 300
"""How long figures are shown before they are counted again."""


class FigureService:
    """Counts the public figures; one instance per process keeps the last ones."""

    def __init__(self, *, database: Database, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._last: tuple[float, PublicFigures] | None = None
        self._counting = asyncio.Lock()

    async def figures(self) -> PublicFigures:
        """Return the figures, at most five minutes old; many askers at once cost one count."""
        async with self._counting:
            if self._last is None or self._monotonic() - self._last[0] >= KEPT_SECONDS:
                at = self._clock.instant()
                async with self._database.connection() as conn:
                    counted = await store.public_counts(conn, at)
                made = PublicFigures(at=at or datetime.now(UTC), sections=sections_of(counted))
                self._last = self._monotonic(), made
            return self._last[1]
