"""The rulebook's versions against PostgreSQL: the first start, notice, dates, and that nothing published changes."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from kabao.adjudication import Adjudicator
from kabao.adjudication.service import RulebookService, packaged_book, packaged_text
from kabao.adjudication.store import VersionCard
from kabao.kernel import FixedClock, Refusal, Refused
from kabao.postgres import Database
from rulebooks import SAMPLE, edited, renamed

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
WEEK, FORTNIGHT = timedelta(days=7), timedelta(days=15)
FIRST = packaged_book().edition.version
SECOND = renamed("2027.1")
LESSER = edited("\n  major: true", "\n  major: false", renamed("2027.2"))


@pytest.fixture
def rulebook(database: Database, clock: FixedClock) -> RulebookService:
    return RulebookService(database=database, clock=clock)


def at(database: Database, moment: datetime) -> RulebookService:
    return RulebookService(database=database, clock=FixedClock(moment))


async def version_of(answer: Adjudicator | Refused) -> str | Refusal:
    return answer.code if isinstance(answer, Refused) else answer.book.edition.version


def wrong(answer: VersionCard | Refused) -> dict[str, str]:
    assert isinstance(answer, Refused)
    assert answer.code is Refusal.INVALID_FIELDS
    return dict(answer.fields)


async def test_the_packaged_book_binds_at_the_first_start_and_a_second_start_changes_nothing(
    rulebook: RulebookService,
) -> None:
    assert await version_of(await rulebook.in_force()) == Refusal.NOT_FOUND
    await rulebook.begin()
    [card] = await rulebook.versions()
    assert (card.version, card.published_at, card.effective_at) == (FIRST, START, START)
    await rulebook.begin()
    assert await rulebook.versions() == [card]
    assert await version_of(await rulebook.in_force()) == FIRST


async def test_two_starts_at_once_publish_once(database: Database, rulebook: RulebookService) -> None:
    await asyncio.gather(*(at(database, START).begin() for _ in range(4)))
    assert len(await rulebook.versions()) == 1


async def test_a_newer_packaged_book_waits_as_a_draft_where_another_binds(
    database: Database, rulebook: RulebookService
) -> None:
    async with database.transaction() as conn:
        await conn.execute(
            "INSERT INTO rulebook_version VALUES ('2025.9', $1, decode(repeat('00', 32), 'hex'), false, $2, $2, $2)",
            SAMPLE,
            START - WEEK,
        )
    await rulebook.begin()
    cards = await rulebook.versions()
    assert [(card.version, card.effective_at is None) for card in cards] == [("2025.9", False), (FIRST, True)]
    published = await rulebook.publish(packaged_text())
    assert isinstance(published, VersionCard)
    assert published.effective_at == START + FORTNIGHT


@pytest.mark.parametrize(("text", "notice"), [(SECOND, FORTNIGHT), (LESSER, WEEK)])
async def test_a_change_binds_after_its_notice_at_the_earliest(
    rulebook: RulebookService, text: str, notice: timedelta
) -> None:
    await rulebook.begin()
    fields = wrong(await rulebook.publish(text, START + notice - timedelta(seconds=1)))
    assert fields == {"effective": f"要提前 {notice.days} 天公示"}
    card = await rulebook.publish(text)
    assert isinstance(card, VersionCard)
    assert card.published_at == START
    assert card.effective_at == START + notice
    assert card.is_major is (notice is FORTNIGHT)


async def test_a_version_binds_from_its_date_and_the_earlier_one_until_then(
    database: Database, rulebook: RulebookService
) -> None:
    await rulebook.begin()
    assert isinstance(await rulebook.publish(SECOND), VersionCard)
    later = at(database, START + FORTNIGHT)
    assert await version_of(await rulebook.in_force()) == FIRST
    assert await version_of(await later.in_force(START + FORTNIGHT - timedelta(seconds=1))) == FIRST
    assert await version_of(await later.in_force()) == "2027.1"
    assert await version_of(await later.in_force(START - timedelta(seconds=1))) == Refusal.NOT_FOUND
    book = await later.book(FIRST)
    assert not isinstance(book, Refused)
    assert book.edition.version == FIRST


async def test_what_is_published_is_published_once_and_never_changes(
    database: Database, rulebook: RulebookService
) -> None:
    await rulebook.begin()
    assert isinstance(await rulebook.publish(SECOND), VersionCard)
    assert wrong(await rulebook.publish(SECOND, START + 2 * FORTNIGHT)) == {"version": "这个版本已经公布过"}
    fields = wrong(await rulebook.publish(SECOND + "\n# another\n"))
    assert fields == {"version": "这个版本号已经用过，内容不能再改，请换一个"}
    fields = wrong(await rulebook.publish(LESSER, START + FORTNIGHT))
    assert fields == {"effective": "那一刻已经有别的版本开始施行，请换一天"}
    for change in ("body = ''", "version = 'x'", "is_major = false"):
        async with database.connection() as conn:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.execute(f"UPDATE rulebook_version SET {change}")  # noqa: S608  three fixed changes
    async with database.connection() as conn:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute("DELETE FROM rulebook_version")


async def test_a_book_that_cannot_be_read_or_has_findings_is_not_published(rulebook: RulebookService) -> None:
    await rulebook.begin()
    assert "book:1:1" in wrong(await rulebook.publish("nonsense"))["book"]
    hasty = edited("effective: 2026-02-01", "effective: 2026-01-03", SAMPLE)
    assert "15 are needed" in wrong(await rulebook.publish(hasty))["book"]
    odd = wrong(await rulebook.publish(renamed("2027/1")))
    assert list(odd) == ["version"]
    assert len(await rulebook.versions()) == 1


async def test_an_unknown_version_is_not_found(rulebook: RulebookService) -> None:
    await rulebook.begin()
    assert await version_of(await rulebook.adjudicator("1.0")) == Refusal.NOT_FOUND
    assert isinstance(await rulebook.book("1.0"), Refused)
    once = await rulebook.adjudicator(FIRST)
    assert await rulebook.adjudicator(FIRST) is once
