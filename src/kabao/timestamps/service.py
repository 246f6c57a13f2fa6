"""Use cases of timestamps: want one, fetch what is due, see how it stands."""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final

import structlog

from kabao.kernel import Clock
from kabao.postgres import Database
from kabao.timestamps import rules, store
from kabao.timestamps.check import check_response, new_request
from kabao.timestamps.model import Accepted, Authority, Claimed, Fault, Faulty, Stamp, Waiting
from kabao.timestamps.ports import Opinion, Post, Unreachable

_log: Final = structlog.get_logger(__name__)


class TimestampService:
    """Asks every authority for a stamp over each piece of data until it has one. Any number may run at once.

    A claim puts a request off by its lease; where its asker dies it is simply due again, and an answer that was lost is
    asked for anew, which harms nobody. What is written afterwards is fenced by the attempt's number.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        authorities: Sequence[Authority],
        post: Post,
        opinion: Opinion | None = None,
        fraction: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._clock = clock
        self._authorities = tuple(authorities)
        self._names = [authority.name for authority in authorities]
        self._post = post
        self._opinion = opinion
        self._fraction = fraction

    @property
    def authorities(self) -> tuple[Authority, ...]:
        """Those that are asked now, as the settings name them."""
        return self._authorities

    async def want(self, data: bytes, subject: str) -> None:
        """Want a stamp of every authority over the SHA-256 of `data`; wanting the same bytes again changes nothing.

        `data` is 1 to 65,536 bytes and is stored as it is; `subject` (at most 200 letters) tells operators what it is.
        An authority added later stamps only what is wanted from then on. Raises ValueError for other sizes.
        """
        if not 0 < len(data) <= rules.MAX_DATA_BYTES or not 0 < len(subject) <= rules.MAX_SUBJECT:
            raise ValueError("1 to 65536 bytes, and a subject of at most 200 letters")
        async with self._database.transaction() as conn:
            await store.want(conn, sha256(data).digest(), data, subject, self._names, self._clock.instant())

    async def run(self, limit: int = 20) -> int:
        """Ask for what is due, at most `limit` times each authority; returns how many stamps came.

        The authorities are asked side by side, so that a slow one holds up no other, and each until its first failure.
        """
        work = (self._ask(authority, limit) for authority in self._authorities)
        done = await asyncio.gather(*work, return_exceptions=True)
        for broken in done:
            if isinstance(broken, BaseException):
                raise broken
        return sum(count for count in done if isinstance(count, int))

    async def of(self, digest: bytes) -> list[Stamp]:
        """Answer every stamp of data by its SHA-256, made or waited for, by authority and round; the last is newest."""
        async with self._database.connection() as conn:
            return await store.stamps(conn, digest)

    async def waiting(self) -> list[Waiting]:
        """Answer how each authority stands: those named now, and those that still owe a stamp."""
        async with self._database.connection() as conn:
            return await store.waiting(conn, self._names)

    async def restamp_due(self, now: datetime | None = None, limit: int = 100) -> int:
        """Want anew what is covered only by certificates that end within 90 days; returns how many pieces of data.

        A new stamp is over the same data, by every authority named now, and stands beside the old ones. It shows that
        the data existed before it was made; that it existed before the old stamp still rests on that one alone.
        """
        at = now or self._clock.instant()
        if not self._names:
            return 0
        async with self._database.transaction() as conn:
            digests = await store.due_renewals(conn, at, limit)
            await store.renew(conn, digests, self._names, at, rules.RENEWED_AT_MOST_EVERY)
        return len(digests)

    async def _ask(self, authority: Authority, limit: int) -> int:
        async with self._database.connection() as conn:
            await store.mend(conn, authority.name, rules.NEVER_SO_FAR, self._clock.instant())
        stamped = 0
        for _ in range(limit):
            async with self._database.connection() as conn:
                claimed = await store.claim(conn, authority.name, rules.LEASE, self._clock.instant())
            if claimed is None or not await self._ask_one(authority, claimed):
                break
            stamped += 1
        return stamped

    async def _ask_one(self, authority: Authority, claimed: Claimed) -> bool:
        request = new_request(claimed.body)
        response: bytes | Faulty
        try:
            response = await self._post(authority.url, request.as_bytes())
        except Unreachable as lost:
            response = Faulty(Fault.UNREACHABLE, str(lost)[:200])
        async with self._database.connection() as conn:
            now = await store.now(conn, self._clock.instant())
        if isinstance(response, Faulty):
            return await self._failed(authority, claimed, response, now)
        found = check_response(authority, request, claimed.body, response, now)
        if isinstance(found, Accepted) and self._opinion is not None:
            why = await asyncio.to_thread(self._opinion, response, claimed.body, authority.roots_pem)
            found = Faulty(Fault.UNTRUSTED, why[:200]) if why else found
        if isinstance(found, Faulty):
            _log.warning("not a timestamp", authority=authority.name, fault=str(found.fault), detail=found.detail)
            return await self._failed(authority, claimed, found, now)
        return await self._stamped(authority, claimed, response, found, now)

    async def _stamped(
        self, authority: Authority, claimed: Claimed, response: bytes, found: Accepted, now: datetime
    ) -> bool:
        renew_at = rules.renewal_at(found.stamped_at, found.expires_at)
        async with self._database.transaction() as conn:
            await store.authority_answered(conn, authority.name, now)
            return await store.finish(conn, authority, claimed, response, found, renew_at)

    async def _failed(self, authority: Authority, claimed: Claimed, why: Faulty, now: datetime) -> bool:
        next_at: datetime | None = now + rules.wait_after(claimed.attempt, self._fraction())
        if rules.is_given_up(claimed.wanted_at, now, why.fault):
            next_at = None
        async with self._database.transaction() as conn:
            await store.postpone(conn, authority.name, claimed, next_at, why)
            failures = await store.authority_failed(conn, authority.name, why)
            rest = rules.wait_after(failures, self._fraction())
            await store.authority_rests(conn, authority.name, now + rest)
        return False
