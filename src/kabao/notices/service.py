"""Use cases of notices: tell someone, show what was told, mark it read."""

from datetime import datetime

from kabao.identity import Person
from kabao.kernel import Clock, IdSource, Refusal, Refused
from kabao.notices import rules, store
from kabao.notices.mailer import Mailer
from kabao.notices.model import Notice
from kabao.notices.texter import Texter
from kabao.postgres import Connection, Database


class NoticeService:
    """A person's inbox. What is told there goes out by mail, SMS and WeChat to who wants it and can have it."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ids: IdSource,
        mailer: Mailer | None = None,
        texter: Texter | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._mailer = mailer
        self._texter = texter

    async def tell(
        self, conn: Connection, account_id: int, kind: str, subject: str, link: str, *, by: datetime | None = None
    ) -> None:
        """Tell an account something, on the site and by mail, in the transaction that made it true.

        A long subject is cut. Quiet hours hold the letter, unless it would come too late for `by`.
        Raises ValueError for a link that leaves this site.
        """
        if not rules.is_own_path(link):
            raise ValueError("a notice links to a path of this site")
        line = rules.fit_subject(subject)
        await store.add(conn, account_id, self._ids.next(), kind, line, link, self._clock.instant())
        if self._mailer is not None:
            await self._mailer.tell(conn, account_id, kind, line, link, by=by)
        if self._texter is not None:
            await self._texter.tell(conn, account_id, kind, line, link, by=by)

    async def send_mail(self, limit: int = 20) -> int:
        """Send letters that are due, at most `limit`; a background job's work. Returns how many were dealt with."""
        return 0 if self._mailer is None else await self._mailer.run(self.tell, limit)

    async def send_short(self, limit: int = 20) -> int:
        """Send short messages that are due, at most `limit` a channel; a background job's work."""
        return 0 if self._texter is None else await self._texter.run(self.tell, limit)

    async def unread_count(self, person: Person) -> int:
        """Count a person's unread notices, up to 100."""
        async with self._database.connection() as conn:
            return await store.unread_count(conn, person.account_id, rules.UNREAD_SHOWN)

    async def inbox(self, person: Person, before: int | None = None) -> list[Notice]:
        """Answer a person's newest 50 notices, older than the one named by `before`."""
        async with self._database.connection() as conn:
            return await store.inbox(conn, person.account_id, before, rules.INBOX_LINES)

    async def mark_read(self, person: Person, notice_id: int | None = None) -> Refused | None:
        """Mark one notice read, or without an id all of them. Refusals: NOT_FOUND (another's too)."""
        at = self._clock.instant()
        async with self._database.transaction() as conn:
            if notice_id is None:
                await store.mark_all_read(conn, person.account_id, at)
                return None
            found = await store.mark_read(conn, person.account_id, notice_id, at)
            return None if found else Refused(Refusal.NOT_FOUND)
