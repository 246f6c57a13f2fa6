"""The letter that staff find in the morning: what waits, what is near its deadline, what is past it."""

from typing import Final, Protocol

from kabao.cases import CaseCard
from kabao.identity import Person, Role
from kabao.kernel import AccountId, Clock, Refused
from kabao.postgres import Connection, Database
from kabao.reminders import rules, store

BATCH: Final = 100


class Queues(Protocol):
    """Knows what waits for a member of staff; the cases' service is the adapter."""

    async def queue(self, staff: Person, /) -> list[CaseCard] | Refused:
        """List what waits for him by his roles, overdue first."""
        ...


class Mail(Protocol):
    """Takes letters to be sent."""

    @property
    def is_on(self) -> bool:
        """Whether this site sends mail at all."""
        ...

    async def queue(self, conn: Connection, account_id: int, kind: str, subject: str, text: str, /) -> bool:
        """Queue a letter in the caller's transaction, for who wants that kind."""
        ...


class StaffDigest:
    """One letter a day and member of staff, from nine in the morning in Beijing; none where nothing waits."""

    def __init__(self, *, database: Database, clock: Clock, cases: Queues, mail: Mail, origin: str) -> None:
        self._database = database
        self._clock = clock
        self._cases = cases
        self._mail = mail
        self._origin = origin

    async def run(self) -> int:
        """Write today's letters that are not written yet; returns how many."""
        if not self._mail.is_on:
            return 0
        written = 0
        async with self._database.connection() as conn:
            now = await store.clock(conn, self._clock.instant())
            local = now.astimezone(rules.BEIJING)
            staff = [] if local.hour < rules.FROM_HOUR else await store.undigested(conn, local.date(), BATCH)
        for account_id, roles in staff:
            cards = await self._cases.queue(_person(account_id, roles))
            async with self._database.transaction() as conn:
                if not await store.keep_digest(conn, account_id, local.date(), self._clock.instant()):
                    continue
                if isinstance(cards, Refused) or not cards:
                    continue
                subject, text = rules.digest_subject(cards, now), rules.digest_text(cards, now, self._origin)
                written += await self._mail.queue(conn, account_id, "digest", subject, text)
        return written


def _person(account_id: int, roles: list[str]) -> Person:
    """Stand for a member of staff whose queue is read, as he would read it himself."""
    held = frozenset(Role(role) for role in roles)
    return Person(account_id=AccountId(account_id), display_name="", phone_masked="", roles=held, staff_checked=True)
