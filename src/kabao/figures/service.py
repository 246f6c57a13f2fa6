"""The public figures, counted anew every few minutes at most, whoever asks."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from kabao.figures import store
from kabao.figures.openly import Counted, PublicFigures, months_of, sections_of
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
        self._last: tuple[float, datetime, list[Counted]] | None = None
        self._counting = asyncio.Lock()

    async def figures(self, month: str = "") -> PublicFigures:
        """Return the figures, at most five minutes old, of all cases or of those opened in a month (2026-11).

        Many askers at once cost one count. Of a month with fewer than twenty cases every figure is withheld, as of one
        that nobody opened a case in.
        """
        async with self._counting:
            if self._last is None or self._monotonic() - self._last[0] >= KEPT_SECONDS:
                at = self._clock.instant()
                async with self._database.connection() as conn:
                    counted = await store.public_counts(conn, at)
                self._last = self._monotonic(), at or datetime.now(UTC), counted
            _, at, counted = self._last
        months = months_of(counted)
        if month and month not in months:
            counted = []
        return PublicFigures(at=at, sections=sections_of(counted, month or None), months=months, month=month)
