"""The rulebook in force: kept in the database by dates, the packaged file published at the first start only.

A later change needs public notice before it binds: 7 days by 电子商务法 34, 15 days for a major one by our own rule.
Versions are never changed and never removed.
"""

import asyncio
from datetime import datetime, timedelta
from functools import cache, lru_cache
from importlib import resources
from typing import Final

from kabao.adjudication import store
from kabao.adjudication.check import check
from kabao.adjudication.compiler import compile_book
from kabao.adjudication.decide import Adjudicator
from kabao.adjudication.loader import load_book
from kabao.adjudication.model import Rulebook, Unreadable
from kabao.adjudication.store import VersionCard
from kabao.kernel import Clock, Refusal, Refused, digest_of
from kabao.postgres import Database

NOTICE: Final = timedelta(days=7)
NOTICE_MAJOR: Final = timedelta(days=15)
COMPILED_KEPT: Final = 32
"""How many compiled versions stay in memory for every service of the process."""
FINDINGS_SHOWN: Final = 5
"""How many findings a refused publication tells; the check command tells all."""


class RulebookService:
    """Reads, keeps and publishes versions; compiled versions stay in memory."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._compiled: dict[str, Adjudicator] = {}

    async def begin(self) -> None:
        """Publish the packaged book where none was ever published; else keep a new packaged version as a draft."""
        text = packaged_text()
        book = await asyncio.to_thread(packaged_book)
        async with self._database.transaction() as conn:
            at = self._clock.instant()
            moment = None if await store.has_published(conn) else await store.now(conn, at)
            await store.keep(
                conn, book.edition.version, text, digest_of(text.encode()), book.edition.major, at, moment, moment
            )

    async def versions(self) -> list[VersionCard]:
        """List every version, the latest to bind first, drafts last."""
        async with self._database.connection() as conn:
            return await store.versions(conn)

    async def book(self, version: str) -> Rulebook | Refused:
        """Return a version's book; refusal: not_found."""
        adjudicator = await self.adjudicator(version)
        return adjudicator if isinstance(adjudicator, Refused) else adjudicator.book

    async def adjudicator(self, version: str) -> Adjudicator | Refused:
        """Return what decides by a version; refusal: not_found."""
        known = self._compiled.get(version)
        if known is not None:
            return known
        async with self._database.connection() as conn:
            text = await store.body(conn, version)
        if text is None:
            return Refused(Refusal.NOT_FOUND)
        made = await asyncio.to_thread(_compiled, text, version)
        return self._compiled.setdefault(version, made)

    async def in_force(self, at: datetime | None = None) -> Adjudicator | Refused:
        """Return what decides at an instant (an order's, for substance); refusal: not_found before the first."""
        async with self._database.connection() as conn:
            version = await store.in_force(conn, at or self._clock.instant())
        return Refused(Refusal.NOT_FOUND) if version is None else await self.adjudicator(version)

    async def publish(self, text: str, effective_at: datetime | None = None) -> VersionCard | Refused:
        """Publish a checked book: now, to bind after its notice at the earliest.

        Refusals: invalid_fields, with what is wrong under ``book``, ``version`` or ``effective``.
        """
        try:
            book = await asyncio.to_thread(load_book, text, "book")
        except Unreadable as error:
            return _wrong("book", str(error))
        findings = await asyncio.to_thread(lambda: check(compile_book(book)))
        if findings:
            return _wrong("book", "; ".join(finding.message for finding in findings[:FINDINGS_SHOWN]))
        async with self._database.transaction() as conn:
            at = self._clock.instant()
            moment = await store.now(conn, at)
            notice = NOTICE_MAJOR if book.edition.major else NOTICE
            binds = effective_at or moment + notice
            if binds < moment + notice:
                return _wrong("effective", f"要提前 {notice.days} 天公示")
            kept = await store.body(conn, book.edition.version)
            if kept is None:
                await store.keep(
                    conn, book.edition.version, text, digest_of(text.encode()), book.edition.major, at, None, None
                )
            elif kept != text:
                return _wrong("version", "这个版本号已经用过，内容不能再改，请换一个")
            if not await store.publish(conn, book.edition.version, at, binds):
                return _wrong("version", "这个版本已经公布过")
            cards = await store.versions(conn)
        return next(card for card in cards if card.version == book.edition.version)


@cache
def packaged_text() -> str:
    """Return the rulebook that comes with this kabao."""
    return resources.files("kabao.adjudication").joinpath("rulebook.yaml").read_text("utf-8")


@cache
def packaged_book() -> Rulebook:
    """Load the rulebook that comes with this kabao; read once."""
    return load_book(packaged_text(), "rulebook.yaml")


@lru_cache(maxsize=COMPILED_KEPT)
def _compiled(text: str, version: str) -> Adjudicator:
    return Adjudicator(compile_book(load_book(text, version)))


def _wrong(field: str, why: str) -> Refused:
    return Refused(Refusal.INVALID_FIELDS, {field: why})
