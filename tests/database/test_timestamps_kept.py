"""Stamps are renewed before their certificates end, and what is stored of them is not rewritten."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

import stampliars
from kabao.kernel import FixedClock
from kabao.postgres import Database, load_queries
from kabao.timestamps import StampState
from stampdesk import BODY, DAY, DIGEST, FIRST, HOUR, Lines, dead, service

SQL = load_queries("kabao.timestamps")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def lines(clock: FixedClock) -> Lines:
    return Lines(clock)


async def test_what_only_certificates_that_end_soon_cover_is_stamped_anew_beside_the_old(
    database: Database, clock: FixedClock, lines: Lines
) -> None:
    short = stampliars.signer(ends=timedelta(days=100))
    ending = stampliars.authority(short, "ending")
    lines.lines[ending.url] = Lines.honest(short, clock)
    before = service(database, clock, lines, (ending,))
    await before.want(BODY, "x")
    await service(database, clock, lines, (ending, FIRST)).want(b"covered", "x")
    assert await service(database, clock, lines, (FIRST,)).run() == 1
    assert await before.run() == 2

    clock.advance(30 * DAY - timedelta(seconds=1))
    after = service(database, clock, lines)
    assert await after.restamp_due() == 0
    assert await after.restamp_due(clock.at + timedelta(seconds=1)) == 1
    clock.advance(timedelta(seconds=1))
    assert await after.restamp_due() == 0
    assert await after.run() == 2
    assert [(one.authority, one.round, one.state) for one in await after.of(DIGEST)] == [
        ("ending", 1, StampState.STAMPED),
        ("first", 2, StampState.STAMPED),
        ("second", 2, StampState.STAMPED),
    ]
    clock.advance(200 * DAY)
    assert await after.restamp_due() == 0
    clock.advance(65 * DAY)
    assert await after.restamp_due() == 2


async def test_a_renewal_that_fails_is_tried_again_a_month_later_and_is_owed_once(
    database: Database, clock: FixedClock, lines: Lines
) -> None:
    short = stampliars.signer(ends=timedelta(days=10))
    ending = stampliars.authority(short, "ending")
    lines.lines[ending.url] = Lines.honest(short, clock)
    before = service(database, clock, lines, (ending,))
    await before.want(BODY, "x")
    await before.run()
    lines.lines[FIRST.url] = dead
    after = service(database, clock, lines, (FIRST,))
    clock.advance(30 * DAY)
    assert await after.restamp_due() == 1
    assert await after.run() == 0
    clock.advance(30 * DAY)
    assert await after.restamp_due() == 1
    assert [one.round for one in await after.of(DIGEST)] == [1, 2]
    assert (await after.waiting())[0].count == 1


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM timestamp_request",
        "DELETE FROM timestamp_data",
        "UPDATE timestamp_data SET data = 'x'",
        "UPDATE timestamp_roots SET pem = 'x'",
        "UPDATE timestamp_request SET authority = 'other'",
    ],
)
async def test_the_application_may_not_rewrite_what_was_wanted_or_take_it_away(database: Database, change: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.execute(change)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("claim", ("first", HOUR, None)),
        ("mend_requests", ("first", HOUR, None)),
        ("stamps", (DIGEST,)),
        ("due_renewals", (None, 10)),
    ],
)
async def test_the_work_of_a_pass_goes_by_an_index(
    database: Database, name: str, arguments: tuple[object, ...]
) -> None:
    async with database.transaction() as conn:
        await conn.execute("SET LOCAL enable_seqscan = off")
        await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        plan = "\n".join(row[0] for row in await conn.fetch(f"EXPLAIN {SQL[name]}", *arguments))
    assert "Seq Scan" not in plan
