"""Two timestamp authorities at the end of lines that a test may cut, bend or put back, and the service before them."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from hashlib import sha256

import stampliars
from kabao.kernel import Clock, FixedClock
from kabao.postgres import Database
from kabao.timestamps import Authority, Stamp, TimestampService, Unreachable
from kabao.timestamps.sandbox import Signer

BODY = b"kabao.example/log\n41\n"
DIGEST = sha256(BODY).digest()
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

ONE, TWO = stampliars.signer(), stampliars.signer()
FIRST, SECOND = stampliars.authority(ONE, "first"), stampliars.authority(TWO, "second")

Line = Callable[[bytes], Awaitable[bytes]]


class Lines:
    """The network: one line to each authority, which a test may cut, bend or put back."""

    def __init__(self, clock: FixedClock) -> None:
        self.lines = {FIRST.url: self.honest(ONE, clock), SECOND.url: self.honest(TWO, clock)}
        self.asked: list[str] = []

    async def __call__(self, url: str, body: bytes) -> bytes:
        self.asked.append(url)
        return await self.lines[url](body)

    @staticmethod
    def honest(of: Signer, clock: FixedClock) -> Line:
        async def line(body: bytes) -> bytes:
            return stampliars.answer(of, body, clock.at)

        return line


async def dead(_: bytes) -> bytes:
    raise Unreachable("ConnectionRefusedError")


def service(
    database: Database, clock: Clock, lines: Lines, authorities: tuple[Authority, ...] = (FIRST, SECOND)
) -> TimestampService:
    return TimestampService(database=database, clock=clock, authorities=authorities, post=lines, fraction=lambda: 0.0)


def states(found: list[Stamp]) -> dict[str, str]:
    return {stamp.authority: str(stamp.state) for stamp in found}
