"""The sweep: expires unpaid orders and releases matured escrows in sets, by any number of workers.

It stops for everybody, until an operator resumes, when the clocks disagree or an abnormal share is due at once.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog

from kabao.kernel import Clock
from kabao.orders import store
from kabao.orders.model import SweepReport, SweepStatus
from kabao.orders.rules import Tick, halt_reason
from kabao.postgres import Database

BATCH: Final = 5000

_log = structlog.get_logger(__name__)


class SweepService:
    """Ticks of the sweep; one instance per worker, since it remembers its last tick."""

    def __init__(
        self, *, database: Database, clock: Clock, monotonic: Callable[[], float] = time.monotonic, batch: int = BATCH
    ) -> None:
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._batch = batch
        self._before: Tick | None = None

    async def tick(self) -> SweepReport:
        """Do everything that is due, batch by batch, a transaction each; or halt and say why."""
        now = self._clock.instant()
        async with self._database.connection() as conn:
            status, wall = await store.sweep_state(conn, now)
            tick = Tick(wall, self._monotonic())
            accepted = status.accept_until is not None and status.accept_until > wall
            why = status.halted_why or halt_reason(
                self._before, tick, due=status.due, held=status.held, accepted=accepted
            )
            self._before = tick
            if why is not None:
                if status.halted_why is None:
                    _log.error("the sweep has halted", why=why)
                    await store.sweep_halt(conn, wall, why)
                return SweepReport(released=0, expired=0, halted_why=why)
        expired = await self._in_batches(store.expire)
        released = await self._in_batches(store.sweep) + await self._owing()
        async with self._database.connection() as conn:
            await store.sweep_ticked(conn, wall)
        return SweepReport(released=released, expired=expired, halted_why=None)

    async def status(self) -> SweepStatus:
        """Return how the sweep stands."""
        async with self._database.connection() as conn:
            status, _ = await store.sweep_state(conn, self._clock.instant())
            return status

    async def resume(self, accept_for: timedelta = timedelta(hours=1)) -> None:
        """Let every sweeper go on; an abnormal volume is accepted for a while, disagreeing clocks never."""
        self._before = None
        async with self._database.connection() as conn:
            await store.sweep_resume(conn, self._clock.instant(), accept_for)

    async def _owing(self) -> int:
        """Release for shops that owe the platform, one shop a transaction, until none is due."""
        total = 0
        while True:
            async with self._database.transaction() as conn:
                count = await store.sweep_owing(conn, None, self._batch, self._clock.instant())
            total += count
            if count == 0:
                return total

    async def _in_batches(self, step: "store.BatchStep") -> int:
        total = 0
        while True:
            async with self._database.transaction() as conn:
                count = await step(conn, None, self._batch, self._clock.instant())
            total += count
            if count < self._batch:
                return total
