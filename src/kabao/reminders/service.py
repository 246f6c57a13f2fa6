"""The job that reminds: of a case's deadline, of a question, of a release. Any number of runners at once."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol, TypeAlias

from kabao.cases import Side
from kabao.kernel import Clock
from kabao.postgres import Connection, Database
from kabao.reminders import rules, store
from kabao.reminders.model import CLEAR, LEADS, SOON, TALKS, WAITS, DueCase, Talk

BATCH: Final = 100
RELEASES: Final = 500
MESSAGES: Final = 500
BEFORE_RELEASE: Final = timedelta(hours=24)
RELEASE_WINDOW: Final = timedelta(hours=36)
"""A buyer who is given less than this has just bought when a reminder would come."""


Remind: TypeAlias = Callable[[], Awaitable[tuple[int, bool]]]
"""Reminds of a batch; answers of how many, and whether there may be more."""


class Notices(Protocol):
    """Tells somebody that something happened, in the caller's transaction."""

    async def tell(
        self, conn: Connection, account_id: int, kind: str, subject: str, link: str, *, by: datetime | None = None
    ) -> object:
        """Leave a notice; its letter is not held where it would come too late for `by`."""
        ...


class Reminders:
    """A background job's work over all shops."""

    def __init__(self, *, database: Database, clock: Clock, notices: Notices) -> None:
        self._database = database
        self._clock = clock
        self._notices = notices

    async def run(self) -> int:
        """Remind of what is near or waits; returns of how many deadlines, turns and words somebody was told."""
        told = 0
        talks: list[Remind] = [partial(self._talk, talk) for talk in TALKS]
        for remind in (self._cases, self._waits, self._questions, self._releases, *talks):
            while True:
                done, is_more = await remind()
                told += done
                if not is_more:
                    break
        return told

    async def _cases(self) -> tuple[int, bool]:
        told, at = 0, self._clock.instant()
        is_more = False
        for lead in LEADS:
            async with self._database.transaction() as conn:
                near = await store.near_cases(conn, lead, BATCH, at)
                needed = [case for case in near if case.was_long]
                for case in needed:
                    await self._tell(conn, case)
            told += len(needed)
            is_more = is_more or len(near) == BATCH
        return told, is_more

    async def _tell(self, conn: Connection, case: DueCase) -> None:
        for account_id, side in rules.parties(case):
            await self._leave(conn, account_id, rules.case_subject(case, side), f"/c/{case.ref}", case.due_at)
        both = [case.buyer_id, case.owner_id]
        staff = await store.deciders(conn, case.shop_id, case.case_id, case.turn, case.stage, both)
        for account_id in staff:
            subject = rules.case_subject(case, Side.SUPPORT)
            await self._leave(conn, account_id, subject, f"/desk/{case.ref}", case.due_at)

    async def _waits(self) -> tuple[int, bool]:
        told, at = 0, self._clock.instant()
        is_more = False
        for wait in WAITS:
            async with self._database.transaction() as conn:
                found = await store.waiting_cases(conn, wait, CLEAR, BATCH, at)
                needed = [case for case in found if case.was_long]
                for case in needed:
                    await self._tell(conn, case)
            told += len(needed)
            is_more = is_more or len(found) == BATCH
        return told, is_more

    async def _talk(self, talk: Talk) -> tuple[int, bool]:
        at = self._clock.instant()
        async with self._database.transaction() as conn:
            read_until = await store.talk_read(conn, talk, at)
            found = None if read_until is None else await store.unanswered(conn, talk, read_until, MESSAGES, at)
            told = [one for said in found or () for one in rules.told_of_talk(talk, said)]
            kind = "order_said" if talk == TALKS[0] else "due_talk"
            for account_id, subject, link in told:
                await self._notices.tell(conn, account_id, kind, subject, link)
        return len(told), found is not None

    async def _questions(self) -> tuple[int, bool]:
        async with self._database.transaction() as conn:
            near = await store.open_questions(conn, SOON, BATCH, self._clock.instant())
            for question in near:
                subject = rules.question_subject(question)
                await self._leave(conn, question.account_id, subject, f"/c/{question.ref}", question.due_at)
        return len(near), len(near) == BATCH

    async def _releases(self) -> tuple[int, bool]:
        at = self._clock.instant()
        async with self._database.transaction() as conn:
            read_until = await store.releases_read(conn, BEFORE_RELEASE, at)
            if read_until is None:
                return 0, False
            near = await store.releasing(conn, read_until, BEFORE_RELEASE, RELEASE_WINDOW, RELEASES, at)
            for order in near:
                subject = rules.release_subject(order)
                await self._leave(conn, order.buyer_id, subject, f"/o/{order.ref}", order.due_at, kind="due_release")
        return len(near), bool(near)

    async def _leave(
        self, conn: Connection, account_id: int, subject: str, link: str, by: datetime, *, kind: str = "due_case"
    ) -> None:
        await self._notices.tell(conn, account_id, kind, subject, link, by=by)
