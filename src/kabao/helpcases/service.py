"""Saving a case, finding it, changing it beside others, deleting it for good, and telling of its days."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec
from obstore.store import ObjectStore

from kabao.evidence import Blobs
from kabao.helpcases import rules, store
from kabao.helpcases.model import LARGEST_SEALED, MOST_CASES, CaseView, HelpState, SavedCase
from kabao.helpcases.sealing import CaseUnreadable, Wrapping, open_case, seal_case
from kabao.kernel import Clock, IdSource, Refusal, Refused
from kabao.postgres import Connection, Database, ExplainedError
from kabao.selfhelp import Ending
from kabao.selfhelp.calendar import deadlines

_NOT_FOUND: Final = Refused(Refusal.NOT_FOUND)
_MOST_TOLD: Final = 500


class CaseKeyLost(ExplainedError):  # noqa: N818  named for what happened
    """What people saved does not open under the server's key; nothing was changed."""


class Notices(Protocol):
    """Tells somebody that something happened, in the caller's transaction."""

    async def tell(
        self, conn: Connection, account_id: int, kind: str, subject: str, link: str, *, by: datetime | None = None
    ) -> object:
        """Leave a notice; its letter is not held where it would come too late for `by`."""


Change = Callable[[SavedCase], SavedCase | None]
"""Makes of a case what it is from now on; None where what is to be changed is not there."""


class HelpCases:
    """The saved cases of people; who asks is always the owner, since cases are found by account and number alone."""

    def __init__(
        self, *, database: Database, clock: Clock, ids: IdSource, key: bytes, blobs: ObjectStore, notices: Notices
    ) -> None:
        self.database = database
        self.clock = clock
        self.ids = ids
        self.blobs = Blobs(blobs)
        self._wrapping = Wrapping(key)
        self._notices = notices

    async def save(self, account_id: int, case: SavedCase, case_id: int | None = None) -> CaseView | Refused:
        """Save a new case; refuses HELP_CASES_FULL, HELP_CASE_TOO_LARGE."""
        case_id = case_id or self.ids.next()
        key, wrapped = self._wrapping.make(account_id, case_id)
        sealed = seal_case(key, account_id, case_id, case)
        if len(sealed) > LARGEST_SEALED:
            return Refused(Refusal.HELP_CASE_TOO_LARGE)
        now = self.now()
        async with self.database.transaction() as conn:
            await store.lock_account(conn, account_id)
            if await store.count_cases(conn, account_id) >= MOST_CASES:
                return Refused(Refusal.HELP_CASES_FULL)
            remind_at = _next(case, now, now)
            row = await store.add_case(conn, account_id, case_id, wrapped, sealed, remind_at, self.clock.instant())
        return self.view(row)

    async def probe(self) -> None:
        """Try the server's key on what is saved, before anybody comes; raises CaseKeyLost."""
        async with self.database.connection() as conn:
            row = await store.any_case(conn)
        try:
            if row is not None:
                self.key_of(row)
        except CaseUnreadable:
            raise CaseKeyLost(
                zh="保存的维权案件打不开：secrets 里的密钥文件不是原来那份，没有启动。请从备份放回。",
                en="Saved cases of self-help do not open: the key file in secrets is another; restore it.",
            ) from None

    async def cases(self, account_id: int) -> list[CaseView]:
        """Return a person's cases, the last saved first."""
        async with self.database.connection() as conn:
            rows = await store.cases(conn, account_id, MOST_CASES)
        return [self.view(row) for row in rows]

    async def find(self, account_id: int, case_id: int) -> CaseView | Refused:
        """Return a case of this person; NOT_FOUND for everybody else."""
        async with self.database.connection() as conn:
            row = await store.find_case(conn, account_id, case_id)
        return self.view(row) if row else _NOT_FOUND

    async def rewrite(self, account_id: int, case_id: int, version: int, carried: HelpState) -> CaseView | Refused:
        """Save what the form holds; refuses NOT_FOUND, HELP_CASE_CHANGED where it was saved elsewhere meanwhile."""
        return await self.change(account_id, case_id, lambda held: rules.rewritten(held, carried), version=version)

    async def change(
        self, account_id: int, case_id: int, change: Change, *, version: int | None = None
    ) -> CaseView | Refused:
        """Change a case; with `version` only where it is still that, and it is another afterwards.

        Refuses NOT_FOUND, HELP_CASE_CHANGED, HELP_CASE_TOO_LARGE.
        """
        async with self.database.transaction() as conn:
            return await self.change_in(conn, account_id, case_id, change, version=version)

    async def change_in(
        self, conn: Connection, account_id: int, case_id: int, change: Change, *, version: int | None = None
    ) -> CaseView | Refused:
        """Change a case in the caller's transaction, as `change` does."""
        row = await store.lock_case(conn, account_id, case_id)
        if row is None:
            return _NOT_FOUND
        if version is not None and row.version != version:
            return Refused(Refusal.HELP_CASE_CHANGED)
        key = self.key_of(row)
        new = change(open_case(key, account_id, case_id, row.sealed))
        if new is None:
            return _NOT_FOUND
        sealed = seal_case(key, account_id, case_id, new)
        if len(sealed) > LARGEST_SEALED:
            return Refused(Refusal.HELP_CASE_TOO_LARGE)
        next_version, remind_at = row.version + (version is not None), _next(new, row.made_at, self.now())
        at = self.clock.instant()
        return self.view(await store.change_case(conn, account_id, case_id, next_version, sealed, remind_at, at))

    async def end(self, account_id: int, case_id: int, ending: Ending | None) -> CaseView | Refused:
        """Close a case, or open it again; one whose person allows it is counted, once for all its copies."""

        def closed(held: SavedCase) -> SavedCase:
            is_counted = held.is_counted or bool(ending and ending.public)
            return msgspec.structs.replace(rules.ended(held, ending), is_counted=is_counted)

        async with self.database.transaction() as conn:
            before = await store.lock_case(conn, account_id, case_id)
            changed = await self.change_in(conn, account_id, case_id, closed)
            if before is None or isinstance(changed, Refused):
                return changed
            if changed.case.is_counted and not self.view(before).case.is_counted and ending is not None:
                mark = self._wrapping.mark(changed.story.case_id)
                await store.count_ending(conn, mark, ending.at.day.replace(day=1), ending.kind)
        return changed

    async def delete(self, account_id: int, case_id: int) -> Refused | None:
        """Delete a case for good: its key first of all, then the bytes of its files; NOT_FOUND.

        After a crash between the two, what is left of the files opens no more.
        """
        async with self.database.transaction() as conn:
            if await store.lock_case(conn, account_id, case_id) is None:
                return _NOT_FOUND
            blobs = await store.delete_case(conn, account_id, case_id, link_of(case_id))
        for blob in blobs:
            await self.blobs.drop(blob)
        return None

    async def remind(self) -> int:
        """Tell of the days that come; a background job's work, by any number at once. Returns how many were told."""
        told = 0
        for _ in range(_MOST_TOLD):
            async with self.database.transaction() as conn:
                found = await store.due_case(conn, self.clock.instant())
                if found is None:
                    break
                told += await self._tell(conn, *found)
        return told

    async def _tell(self, conn: Connection, row: store.Row, now: datetime) -> int:
        try:
            case = self.view(row).case
        except CaseUnreadable:
            # What opens no more must not keep the days of everybody else from being told.
            await store.remind_next(conn, row.account_id, row.case_id, None)
            return 0
        days = deadlines(case.state.story, now)
        due = rules.due_now(days, row.made_at, row.remind_at or now, now)
        for day in due:
            subject = rules.reminder_subject(day, now)
            link = link_of(row.case_id)
            await self._notices.tell(conn, row.account_id, "due_help", subject, link, by=max(day.at, now))
        await store.remind_next(conn, row.account_id, row.case_id, rules.next_reminder(days, row.made_at, now))
        return len(due)

    def now(self) -> datetime:
        """The time it is."""
        return self.clock.instant() or datetime.now(UTC)

    def key_of(self, row: store.Row) -> bytes:
        """Return the key of a case."""
        return self._wrapping.open(row.account_id, row.case_id, row.wrapped_key)

    def view(self, row: store.Row) -> CaseView:
        """Open a case; the page it is shown on goes on with this version."""
        return CaseView(
            case_id=row.case_id,
            version=row.version,
            made_at=row.made_at,
            saved_at=row.saved_at,
            case=open_case(self.key_of(row), row.account_id, row.case_id, row.sealed),
        )


def link_of(case_id: int) -> str:
    """Where a saved case stands on the site."""
    return f"/help-me/cases/{case_id}"


def _next(case: SavedCase, made_at: datetime, now: datetime) -> datetime | None:
    return rules.next_reminder(deadlines(case.state.story, now), made_at, now)
