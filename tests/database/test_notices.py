from datetime import timedelta

import asyncpg
import pytest

from kabao.identity import Person, Role
from kabao.kernel import AccountId, FixedClock, IdSource, Refusal, Refused
from kabao.notices import Notice, NoticeService
from kabao.notices.rules import is_own_path
from kabao.postgres import Database, load_queries


@pytest.fixture
def notices(database: Database, clock: FixedClock, ids: IdSource) -> NoticeService:
    return NoticeService(database=database, clock=clock, ids=ids)


async def someone(database: Database, number: int) -> Person:
    await database.execute(
        "INSERT INTO account (account_id, phone, display_name) VALUES ($1, $2, '林间')",
        number,
        f"+86138001380{number:02d}",
    )
    return Person(
        account_id=AccountId(number), display_name="林间", phone_masked="138****8000", roles=frozenset({Role.BUYER})
    )


async def tell(notices: NoticeService, database: Database, person: Person, subject: str = "卡密已送达") -> None:
    async with database.transaction() as conn:
        await notices.tell(conn, person.account_id, "delivered", subject, "/o/1-2")


async def tell_both(notices: NoticeService, database: Database, first: int, second: int) -> None:
    async with database.transaction() as conn:
        await notices.tell(conn, first, "delivered", "卡密已送达", "/o/1-2")
        await notices.tell(conn, second, "delivered", "卡密已送达", "/o/1-2")


async def test_what_was_told_is_read_newest_first_by_its_owner_alone(
    notices: NoticeService, database: Database, clock: FixedClock
) -> None:
    one, two = await someone(database, 1), await someone(database, 2)
    told_at = clock.at
    await tell(notices, database, one, "卡密已送达")
    clock.advance(timedelta(hours=1))
    await tell(notices, database, one, "商家提出了方案")
    newest, oldest = await notices.inbox(one)
    assert oldest == Notice(
        notice_id=oldest.notice_id,
        kind="delivered",
        subject="卡密已送达",
        link="/o/1-2",
        made_at=told_at,
        read_at=None,
    )
    assert newest.subject == "商家提出了方案"
    assert await notices.unread_count(one) == 2
    assert (await notices.inbox(two), await notices.unread_count(two)) == ([], 0)


async def test_a_notice_is_marked_read_once_and_only_by_its_owner(
    notices: NoticeService, database: Database, clock: FixedClock
) -> None:
    one, two = await someone(database, 1), await someone(database, 2)
    await tell(notices, database, one)
    (line,) = await notices.inbox(one)
    assert await notices.mark_read(two, line.notice_id) == Refused(Refusal.NOT_FOUND)
    assert await notices.mark_read(one, 99) == Refused(Refusal.NOT_FOUND)
    read_at = clock.at
    assert await notices.mark_read(one, line.notice_id) is None
    clock.advance(timedelta(hours=1))
    assert await notices.mark_read(one, line.notice_id) is None
    assert [seen.read_at for seen in await notices.inbox(one)] == [read_at]
    assert await notices.unread_count(one) == 0


async def test_all_are_marked_read_at_once_and_the_count_stops_at_a_hundred(
    notices: NoticeService, database: Database
) -> None:
    one, two = await someone(database, 1), await someone(database, 2)
    await tell(notices, database, two)
    async with database.transaction() as conn:
        for number in range(103):
            await notices.tell(conn, one.account_id, "delivered", f"第 {number} 条", "/o/1-2")
    assert await notices.unread_count(one) == 100
    page = await notices.inbox(one)
    rest = await notices.inbox(one, before=page[-1].notice_id)
    assert [len(page), len(rest)] == [50, 50]
    assert rest[0].subject == "第 52 条"
    assert await notices.mark_read(one) is None
    assert await notices.unread_count(one) == 0
    assert await notices.unread_count(two) == 1


async def test_nothing_is_told_where_the_step_is_undone(notices: NoticeService, database: Database) -> None:
    one = await someone(database, 1)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await tell_both(notices, database, one.account_id, 404)
    assert await notices.inbox(one) == []


async def test_a_long_subject_is_cut_and_stays_on_one_line(notices: NoticeService, database: Database) -> None:
    one = await someone(database, 1)
    await tell(notices, database, one, "卡\n密\x00" + "长" * 300)
    (line,) = await notices.inbox(one)
    assert len(line.subject) == 200
    assert line.subject.startswith("卡 密长")
    assert line.subject.endswith("长…")


async def test_a_notice_never_leads_off_the_site(notices: NoticeService, database: Database) -> None:
    one = await someone(database, 1)
    async with database.transaction() as conn:
        with pytest.raises(ValueError, match="path of this site"):
            await notices.tell(conn, one.account_id, "delivered", "卡密已送达", "https://example.com/")


@pytest.mark.parametrize(
    "link", ["", "o/1", "//example.com", "/\\example.com", "/o\n", "/" + "x" * 300, "javascript:x"]
)
def test_a_link_that_leaves_the_site_is_told_apart(link: str) -> None:
    assert not is_own_path(link)


async def test_counting_the_unread_reads_an_index(owner_database: Database) -> None:
    """Every page shows the count, so it must not read what was read long ago."""
    async with owner_database.transaction() as conn:
        await conn.execute("SET LOCAL enable_seqscan = off")
        plan = await conn.fetch("EXPLAIN " + load_queries("kabao.notices").unread_count, 1, 100)
    assert "notice_unread" in repr(plan)
