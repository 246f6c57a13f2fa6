"""A stamp that is wanted is asked for until it comes, whatever the authorities, the clock or a crash do meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

import stampliars
from kabao.kernel import DatabaseClock, FixedClock
from kabao.postgres import Database
from kabao.timestamps import Authority, Fault, SandboxAuthorities, StampState, TimestampService, new_request
from stampdesk import BODY, DAY, DIGEST, FIRST, HOUR, ONE, SECOND, TWO, Line, Lines, dead, service, states


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def lines(clock: FixedClock) -> Lines:
    return Lines(clock)


@pytest.fixture
def stamps(database: Database, clock: FixedClock, lines: Lines) -> TimestampService:
    return service(database, clock, lines)


async def eventually(is_so: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(1000):
        if await is_so():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it never came true")


async def test_wanted_data_is_stamped_once_by_every_authority(stamps: TimestampService, clock: FixedClock) -> None:
    await stamps.want(BODY, "检查点 41")
    assert states(await stamps.of(DIGEST)) == {"first": "waiting", "second": "waiting"}
    assert await stamps.run() == 2
    assert await stamps.run() == 0
    first, second = await stamps.of(DIGEST)
    assert (first.authority, first.round, first.attempts, first.next_at) == ("first", 1, 1, None)
    assert (first.stamped_at, first.expires_at) == (clock.at, ONE.leaf.not_valid_after_utc)
    assert first.response is not None
    assert (first.roots_pem, second.roots_pem) == (FIRST.roots_pem, SECOND.roots_pem)
    assert await stamps.of(sha256(b"else").digest()) == []


async def test_wanting_the_same_bytes_again_changes_nothing(stamps: TimestampService, lines: Lines) -> None:
    await asyncio.gather(*(stamps.want(BODY, "检查点 41") for _ in range(4)))
    assert await stamps.run() == 2
    await stamps.want(BODY, "another name for it")
    assert await stamps.run() == 0
    assert sorted(lines.asked) == [FIRST.url, SECOND.url]


@pytest.mark.parametrize(("size", "subject"), [(0, "x"), (65_537, "x"), (1, ""), (1, "x" * 201)])
async def test_no_data_much_data_and_a_long_subject_are_a_callers_mistake(
    stamps: TimestampService, size: int, subject: str
) -> None:
    with pytest.raises(ValueError, match="65536"):
        await stamps.want(b"x" * size, subject)


async def test_the_exact_bytes_are_kept_up_to_64_kb(stamps: TimestampService, database: Database) -> None:
    largest = bytes(range(256)) * 256
    await stamps.want(largest, "x" * 200)
    assert await database.fetchval("SELECT data FROM timestamp_data") == largest
    assert await stamps.run() == 2


async def test_an_authority_named_later_stamps_only_what_is_wanted_from_then_on(
    database: Database, clock: FixedClock, lines: Lines
) -> None:
    before = service(database, clock, lines, (FIRST,))
    await before.want(BODY, "old")
    after = service(database, clock, lines)
    assert after.authorities == (FIRST, SECOND)
    await after.want(BODY, "old")
    await after.want(b"new", "new")
    assert await after.run() == 3
    assert states(await after.of(DIGEST)) == {"first": "stamped"}
    assert states(await after.of(sha256(b"new").digest())) == {"first": "stamped", "second": "stamped"}


async def test_without_authorities_data_is_kept_and_nobody_is_asked(
    database: Database, clock: FixedClock, lines: Lines
) -> None:
    nobody = service(database, clock, lines, ())
    await nobody.want(BODY, "x")
    assert (await nobody.run(), await nobody.restamp_due(), await nobody.of(DIGEST), await nobody.waiting()) == (
        0,
        0,
        [],
        [],
    )


async def test_a_dead_authority_is_shown_asked_ever_more_rarely_and_comes_back(
    stamps: TimestampService, lines: Lines, clock: FixedClock
) -> None:
    honest, lines.lines[SECOND.url] = lines.lines[SECOND.url], dead
    wanted_at = clock.at
    for number in range(5):
        await stamps.want(b"%d" % number, f"{number}")
    assert await stamps.run() == 5
    for minutes in (0.25, 0.5, 1, 2, 4, 8, 16, 32, 60, 60):
        before = len(lines.asked)
        clock.advance(timedelta(minutes=minutes) - timedelta(seconds=1))
        assert await stamps.run() == 0
        assert len(lines.asked) == before
        clock.advance(timedelta(seconds=1))
        assert await stamps.run() == 0
        assert lines.asked[before:] == [SECOND.url]  # once, though five stamps wait
    first, second = await stamps.waiting()
    assert (first.authority, first.count, first.fault, first.failures) == ("first", 0, None, 0)
    assert (second.authority, second.count, second.oldest_at, second.is_named) == ("second", 5, wanted_at, True)
    assert (second.fault, second.detail, second.failures) == (Fault.UNREACHABLE, "ConnectionRefusedError", 11)
    assert second.resting_until == clock.at + HOUR
    assert second.answered_at is None

    lines.lines[SECOND.url] = honest
    clock.advance(2 * HOUR)
    assert await stamps.run() == 5
    _, second = await stamps.waiting()
    assert (second.count, second.oldest_at, second.fault, second.detail, second.failures) == (0, None, None, None, 0)
    assert second.answered_at == clock.at


async def test_a_slow_authority_holds_up_no_other(stamps: TimestampService, lines: Lines) -> None:
    answered, honest = asyncio.Event(), lines.lines[FIRST.url]

    async def slow(body: bytes) -> bytes:
        await answered.wait()
        return await honest(body)

    lines.lines[FIRST.url] = slow
    await stamps.want(BODY, "x")
    running = asyncio.create_task(stamps.run())

    async def second_is_stamped() -> bool:
        return states(await stamps.of(DIGEST))["second"] == "stamped"

    await eventually(second_is_stamped)
    assert not running.done()
    assert states(await stamps.of(DIGEST))["first"] == "waiting"
    answered.set()
    assert await running == 2


async def replayed(_: bytes) -> bytes:
    return stampliars.answer(ONE, new_request(BODY).as_bytes())


async def of_something_else(body: bytes) -> bytes:
    return stampliars.answer(ONE, stampliars.with_digest(body, sha256(b"else").digest()))


async def of_a_stranger(body: bytes) -> bytes:
    return stampliars.answer(TWO, body)


async def rejecting(_: bytes) -> bytes:
    return stampliars.answer(ONE, b"nonsense")


async def ahead(body: bytes) -> bytes:
    return stampliars.answer(ONE, body, datetime.now(UTC) + HOUR)


async def talking(_: bytes) -> bytes:
    return b"<html>busy</html>"


async def silent(_: bytes) -> bytes:
    return b""


@pytest.mark.parametrize(
    ("lie", "fault"),
    [
        (replayed, Fault.OTHER_NONCE),
        (of_something_else, Fault.OTHER_DIGEST),
        (of_a_stranger, Fault.UNTRUSTED),
        (rejecting, Fault.REJECTED),
        (ahead, Fault.CLOCK),
        (talking, Fault.MALFORMED),
        (silent, Fault.MALFORMED),
    ],
)
async def test_a_lie_is_written_down_as_what_it_is_and_asked_for_again(
    stamps: TimestampService, lines: Lines, clock: FixedClock, lie: Line, fault: Fault
) -> None:
    honest, lines.lines[FIRST.url] = lines.lines[FIRST.url], lie
    await stamps.want(BODY, "x")
    assert await stamps.run() == 1
    first, second = await stamps.of(DIGEST)
    assert (first.state, first.fault, first.response) == (StampState.WAITING, fault, None)
    assert first.next_at == clock.at + timedelta(seconds=15)
    assert second.state is StampState.STAMPED
    lines.lines[FIRST.url] = honest
    clock.advance(timedelta(seconds=15))
    assert await stamps.run() == 1
    first, _ = await stamps.of(DIGEST)
    assert (first.state, first.fault, first.detail, first.attempts) == (StampState.STAMPED, None, None, 2)


async def test_what_a_packs_reader_would_refuse_is_no_stamp(
    database: Database, clock: FixedClock, lines: Lines
) -> None:
    opinions = ["an unsupported curve", ""]
    seen: list[tuple[bytes, bytes]] = []

    def opinion(response: bytes, body: bytes, roots_pem: bytes) -> str:
        assert response
        seen.append((body, roots_pem))
        return opinions.pop(0)

    strict = TimestampService(
        database=database, clock=clock, authorities=(FIRST,), post=lines, opinion=opinion, fraction=lambda: 0.0
    )
    await strict.want(BODY, "x")
    assert await strict.run() == 0
    (first,) = await strict.of(DIGEST)
    assert (first.fault, first.detail) == (Fault.UNTRUSTED, "an unsupported curve")
    clock.advance(timedelta(seconds=15))
    assert await strict.run() == 1
    assert seen == [(BODY, FIRST.roots_pem)] * 2


async def test_a_crash_between_answer_and_commit_asks_again_and_harms_nobody(
    stamps: TimestampService, lines: Lines, clock: FixedClock
) -> None:
    honest = lines.lines[FIRST.url]

    async def answered_and_died(body: bytes) -> bytes:
        await honest(body)
        raise asyncio.CancelledError

    lines.lines[FIRST.url] = answered_and_died
    await stamps.want(BODY, "x")
    with pytest.raises(asyncio.CancelledError):
        await stamps.run()
    lines.lines[FIRST.url] = honest
    assert states(await stamps.of(DIGEST)) == {"first": "waiting", "second": "stamped"}
    clock.advance(timedelta(seconds=59))
    assert await stamps.run() == 0
    clock.advance(timedelta(seconds=1))
    assert await stamps.run() == 1
    first, _ = await stamps.of(DIGEST)
    assert (first.state, first.attempts) == (StampState.STAMPED, 2)


@pytest.mark.parametrize("late", ["stamp", "lie", "silence"])
async def test_an_asker_that_was_taken_for_dead_writes_nothing(
    database: Database, lines: Lines, clock: FixedClock, late: str
) -> None:
    stamps = service(database, clock, lines, (FIRST,))
    released, asked, honest = asyncio.Event(), asyncio.Event(), lines.lines[FIRST.url]

    async def stalled(body: bytes) -> bytes:
        lines.lines[FIRST.url] = honest
        asked.set()
        await released.wait()
        return await {"stamp": honest, "lie": of_a_stranger, "silence": dead}[late](body)

    lines.lines[FIRST.url] = stalled
    await stamps.want(BODY, "x")
    stalled_run = asyncio.create_task(stamps.run())
    await asked.wait()
    clock.advance(timedelta(seconds=60))
    assert await stamps.run() == 1
    before = await stamps.of(DIGEST)
    released.set()
    assert await stalled_run == 0
    assert await stamps.of(DIGEST) == before


async def test_many_runners_ask_for_each_stamp_once(stamps: TimestampService, lines: Lines) -> None:
    for number in range(12):
        await stamps.want(b"%d" % number, "x")
    assert sum(await asyncio.gather(*(stamps.run() for _ in range(5)))) == 24
    assert len(lines.asked) == 24


async def test_a_pass_asks_each_authority_at_most_as_often_as_told(stamps: TimestampService, lines: Lines) -> None:
    for number in range(3):
        await stamps.want(b"%d" % number, "x")
    assert await stamps.run(limit=2) == 4
    assert await stamps.run(limit=2) == 2
    assert len(lines.asked) == 6


async def test_a_clock_that_jumps_and_comes_back_loses_and_delays_nothing(
    stamps: TimestampService, lines: Lines, clock: FixedClock
) -> None:
    true_time = FixedClock(clock.at)
    lines.lines[FIRST.url] = Lines.honest(ONE, true_time)
    lines.lines[SECOND.url] = dead
    await stamps.want(BODY, "x")
    clock.advance(31 * DAY)
    assert await stamps.run() == 0
    first, second = await stamps.of(DIGEST)
    assert (first.fault, first.state) == (Fault.CLOCK, StampState.WAITING)
    assert first.detail == f"{-31 * DAY.total_seconds():+.0f} s"
    clock.advance(-31 * DAY)
    assert await stamps.run() == 1
    first, second = await stamps.of(DIGEST)
    assert first.state is StampState.STAMPED
    assert second.authority == "second"


async def test_after_thirty_days_without_a_good_answer_a_stamp_is_asked_for_no_more(
    stamps: TimestampService, lines: Lines, clock: FixedClock
) -> None:
    lines.lines[FIRST.url] = dead
    await stamps.want(BODY, "x")
    clock.advance(30 * DAY)
    assert await stamps.run() == 1
    first, _ = await stamps.of(DIGEST)
    assert first.state is StampState.WAITING
    clock.advance(DAY)
    assert await stamps.run() == 0
    first, _ = await stamps.of(DIGEST)
    assert (first.state, first.next_at, first.fault) == (StampState.REFUSED, None, Fault.UNREACHABLE)
    asked = len(lines.asked)
    clock.advance(DAY)
    assert await stamps.run() == 0
    assert len(lines.asked) == asked
    assert [(one.authority, one.count) for one in await stamps.waiting()] == [("first", 0), ("second", 0)]


async def test_an_authority_that_is_no_longer_named_is_not_asked_but_what_it_owes_is_shown(
    database: Database, clock: FixedClock, lines: Lines
) -> None:
    lines.lines[SECOND.url] = dead
    both = service(database, clock, lines)
    await both.want(BODY, "x")
    await both.run()
    only = service(database, clock, lines, (FIRST,))
    clock.advance(HOUR)
    lines.asked.clear()
    assert await only.run() == 0
    assert lines.asked == []
    _, second = await only.waiting()
    assert (second.authority, second.is_named, second.count) == ("second", False, 1)


async def test_the_roots_of_the_day_stay_with_the_stamp(database: Database, clock: FixedClock, lines: Lines) -> None:
    await service(database, clock, lines, (FIRST,)).want(BODY, "x")
    await service(database, clock, lines, (FIRST,)).run()
    moved = Authority(name="first", url="second:", roots_pem=SECOND.roots_pem)
    now = service(database, clock, lines, (moved,))
    await now.want(b"new", "x")
    assert await now.run() == 1
    (old,), (new,) = await now.of(DIGEST), await now.of(sha256(b"new").digest())
    assert (old.roots_pem, new.roots_pem) == (FIRST.roots_pem, SECOND.roots_pem)


async def test_a_bug_on_the_way_to_one_authority_does_not_stop_the_other(
    stamps: TimestampService, lines: Lines
) -> None:
    async def broken(_: bytes) -> bytes:
        raise RuntimeError("a bug")

    lines.lines[FIRST.url] = broken
    await stamps.want(BODY, "x")
    with pytest.raises(RuntimeError, match="a bug"):
        await stamps.run()
    assert states(await stamps.of(DIGEST)) == {"first": "waiting", "second": "stamped"}


async def test_the_databases_own_clock_does_as_well(database: Database, tmp_path: Path) -> None:
    sandbox = SandboxAuthorities(tmp_path / "secrets")
    stamps = TimestampService(database=database, clock=DatabaseClock(), authorities=sandbox.authorities, post=sandbox)
    await stamps.want(BODY, "x")
    assert await stamps.run() == 2
    assert await stamps.restamp_due() == 0
    assert states(await stamps.of(DIGEST)) == {"sandbox-rsa": "stamped", "sandbox-ecdsa": "stamped"}
