"""A process of its own that writes rows and sequences them, and stops dead at a point, to be killed there.

Usage: logworker.py DSN POINT FIRST COUNT. It says what it has reached, a line each, and never ends by itself.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from kabao.postgres import Connection, open_pool
from kabao.tlog import Draft
from logbook import Happenings, happen, log_over

FOR_EVER = 3600
SHORT = timedelta(seconds=1)


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def stop() -> None:
    say("stopped")
    time.sleep(FOR_EVER)


class Stopping(Happenings):
    """Stops before the batch is written, or when it is written and not committed."""

    def __init__(self, point: str) -> None:
        super().__init__()
        self.point = point

    async def take(self, conn: Connection, limit: int) -> Sequence[Draft]:
        taken = await super().take(conn, limit)
        if self.point == "taken" and taken:
            stop()
        return taken

    async def mark(self, conn: Connection, positions: Sequence[tuple[Draft, int]]) -> None:
        await super().mark(conn, positions)
        if self.point == "written":
            stop()


class StoppingClock:
    """Is asked once for the lease and once for the signature: stops at the second, when the batch is committed."""

    def __init__(self, point: str) -> None:
        self.point = point
        self.asked = 0

    def instant(self) -> datetime | None:
        self.asked += 1
        if self.point == "committed" and self.asked == 2:
            stop()
        return None


async def work(dsn: str, point: str, first: int, count: int) -> None:
    async with await open_pool(dsn, size=4) as database:
        log = log_over(database, Stopping(point), clock=StoppingClock(point), batch=7, lease=SHORT)
        while True:
            await happen(database, first, count, at=datetime.now(UTC))
            say("wrote", first, count)
            if point == "unsequenced":
                stop()
            while await log.sequence():
                head = await log.head()
                say("signed", head.size, head.root.hex())
            first += count
            await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
