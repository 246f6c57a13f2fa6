"""Where records come from and how witnesses are reached, bound in wiring."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from kabao.postgres import Connection
from kabao.tlog.model import Census, Draft, StoredRecord


class Source(Protocol):
    """One kind of business row whose writing is logged; the log knows nothing of what it means."""

    @property
    def name(self) -> str:
        """The word that stands in `Draft.source`."""

    async def take(self, conn: Connection, limit: int) -> Sequence[Draft]:
        """Lock rows without a position (FOR UPDATE SKIP LOCKED), oldest first, and write their bodies."""

    async def mark(self, conn: Connection, positions: Sequence[tuple[Draft, int]]) -> None:
        """Write each row's position, in the transaction that took it."""

    async def again(self, conn: Connection, records: Sequence[StoredRecord]) -> Sequence[Draft | None]:
        """Write the bodies anew from the rows as they are now, one for each record in its order; None without a row.

        None also for an erased record where no row tells that it was erased.

        For the audit: a row that was changed since gives another body, and `Draft.position` is the row's mark.
        """

    async def census(self, conn: Connection, before: datetime) -> Census:
        """Count the marked rows of all shops, and the rows written before an instant that still wait."""


class Beside(Protocol):
    """Audits what others keep about the log, such as timestamps, in the audit's own view."""

    async def __call__(self, conn: Connection) -> Sequence[tuple[str, str]]:
        """Return what does not hold, as check and subject."""


class WitnessUnreachable(Exception):  # noqa: N818  named for what happened
    """A witness gave no answer that can be used; the message says why, without an address."""


class WitnessAnswer(NamedTuple):
    """What a witness answered; `content_type` is without parameters."""

    status: int
    content_type: str
    body: bytes


class WitnessPost(Protocol):
    """The way to a witness."""

    async def __call__(self, url: str, body: bytes) -> WitnessAnswer:
        """Post a body and return the answer, of any status, at most 64 KB; raises WitnessUnreachable."""
