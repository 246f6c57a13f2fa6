"""The rulebook in force: kept in the database by dates, the packaged file published at the first start only.

A later change needs public notice before it binds: 7 days by 电子商务法 34, 15 days for a major one by our own rule.
Versions are never changed and never removed.
"""

import asyncio
import re
from datetime import datetime, timedelta
from functools import cache, lru_cache
from importlib import resources
from typing import Final

from kabao.adjudication import store
from kabao.adjudication.compiler import compile_book
from kabao.adjudication.decide import Adjudicator
from kabao.adjudication.loader import load_book
from kabao.adjudication.model import Rulebook, Unreadable
from kabao.adjudication.store import VersionCard
from kabao.kernel import Clock, Refusal, Refused, digest_of
from kabao.postgres import Connection, Database

NOTICE: Final = timedelta(days=7)
NOTICE_MAJOR: Final = timedelta(days=15)
COMPILED_KEPT: Final = 32
"""How many compiled versions stay in memory for every service of the process."""
VERSION: Final = re.compile(r"(?!versions$|proposals$)[0-9A-Za-z][0-9A-Za-z._-]{0,39}")
"""What a version may be called, so that it can stand in an address."""
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

    async def binding_version(self, conn: Connection, ordered_at: datetime) -> str | None:
        """Return the version that binds what was ordered at an instant: the one in force then, else the first one.

        None before anything binds. Reads in the caller's transaction.
        """
        return await store.binding(conn, ordered_at, self._clock.instant())

    async def binding(self, ordered_at: datetime) -> Adjudicator | Refused:
        """Return what decides about what was ordered at an instant; refusal: not_found before anything binds."""
        async with self._database.connection() as conn:
            version = await self.binding_version(conn, ordered_at)
        return Refused(Refusal.NOT_FOUND) if version is None else await self.adjudicator(version)

    async def publish(self, text: str, effective_at: datetime | None = None) -> VersionCard | Refused:
        """Publish a checked book: now, to bind after its notice at the earliest.

        Refusals: invalid_fields, with what is wrong under ``book``, ``version`` or ``effective``.
        """
        book = await asyncio.to_thread(_checked, text)
        if isinstance(book, Refused):
            return book
        version, is_major = book.edition.version, book.edition.major
        async with self._database.transaction() as conn:
            at = self._clock.instant()
            moment = await store.now(conn, at)
            notice = NOTICE_MAJOR if is_major else NOTICE
            binds = effective_at or moment + notice
            kept = await store.body(conn, version)
            if binds < moment + notice:
                return _wrong("effective", f"要提前 {notice.days} 天公示")
            if kept is not None and kept != text:
                return _wrong("version", "这个版本号已经用过，内容不能再改，请换一个")
            if kept is None:
                await store.keep(conn, version, text, digest_of(text.encode()), is_major, at, None, None)
            cards = await store.versions(conn)
            if any(card.effective_at == binds and card.version != version for card in cards):
                return _wrong("effective", "那一刻已经有别的版本开始施行，请换一天")
            if not await store.publish(conn, version, at, binds):
                return _wrong("version", "这个版本已经公布过")
            cards = await store.versions(conn)
        return next(card for card in cards if card.version == version)


@cache
def packaged_text() -> str:
    """Return the rulebook that comes with this kabao."""
    return resources.files("kabao.adjudication").joinpath("rulebook.yaml").read_text("utf-8")


@cache
def packaged_book() -> Rulebook:
    """Load the rulebook that comes with this kabao; read once."""
    return load_book(packaged_text(), "rulebook.yaml")


def _checked(text: str) -> Rulebook | Refused:
    """Read and check a book that is to be published."""
    # The check brings a solver along, which only a publication needs.
    from kabao.adjudication.check import check  # noqa: PLC0415

    try:
        book = load_book(text, "book")
    except Unreadable as error:
        return _wrong("book", str(error))
    findings = check(compile_book(book))
    if findings:
        return _wrong("book", "; ".join(finding.message for finding in findings[:FINDINGS_SHOWN]))
    if not VERSION.fullmatch(book.edition.version):
        return _wrong("version", "版本号只用字母、数字、点、横线和下划线，最多 40 个字符")
    return book


@lru_cache(maxsize=COMPILED_KEPT)
def _compiled(text: str, version: str) -> Adjudicator:
    return Adjudicator(compile_book(load_book(text, version)))


def _wrong(field: str, why: str) -> Refused:
    return Refused(Refusal.INVALID_FIELDS, {field: why})
