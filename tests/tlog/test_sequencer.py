"""Sequencing: every row once, in one order without gaps, whoever does it and whatever the clock says."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from kabao.kernel import FixedClock
from kabao.postgres import Database
from kabao.tlog import LogDamaged, LogRefused, VerifierKey, kept_origin
from kabao.tlog.merkle import EMPTY_ROOT, is_consistent, is_included, leaf_hash, root_of
from kabao.tlog.notes import open_note, parse_checkpoint
from kabao.tlog.proofs import parse_proof
from logbook import NOON, ORIGIN, Happenings, happen, later, log_over, logged

ALL = "SELECT * FROM log_record ORDER BY record_id"


async def test_every_waiting_row_is_logged_once_oldest_first_and_marked_with_its_place(books: Database) -> None:
    await happen(books, 0, 700)
    log = log_over(books, batch=300)
    assert [await log.sequence() for _ in range(4)] == [300, 300, 100, 0]
    rows = await books.fetch(ALL)
    assert [row["record_id"] for row in rows] == [row["source_id"] for row in rows] == list(range(700))
    marks = await books.fetch("SELECT happening_id, log_position FROM happening ORDER BY happening_id")
    assert [row["log_position"] for row in marks] == list(range(700))
    assert len({row["salt"] for row in rows}) == 700
    head = await log.head()
    assert head.size == 700
    assert head.root == root_of([leaf_hash(row["commitment"]) for row in rows])
    note = open_note(head.note, VerifierKey.parse(log.verifier_key))
    assert parse_checkpoint(note.text) == (ORIGIN, 700, head.root)


async def test_the_empty_log_has_a_checkpoint(books: Database) -> None:
    log = log_over(books)
    head = await log.head()
    assert (head.size, head.root) == (0, EMPTY_ROOT)
    assert await log.sequence() == 0
    assert (await log.head()).note == head.note
    assert await log.cosignatures(0) == b""


async def test_an_order_finds_its_records_and_their_proofs(books: Database) -> None:
    await happen(books, 0, 601)
    log = log_over(books, batch=200)
    await logged(log)
    head = await log.head()
    records = await log.records(1, 102)
    assert {record.order_id for record in records} == {102}
    assert [record.position for record in records] == sorted(record.position for record in records)
    assert len(records) == 100
    for record in records:
        proof = parse_proof(await log.proof(record.position, head.size))
        assert (proof.position, proof.extra, proof.note) == (record.position, record.salt, head.note)
        assert is_included(leaf_hash(record.commitment), record.position, 601, proof.steps, head.root)
    withheld = parse_proof(await log.proof(records[0].position, head.size, withheld=True))
    assert withheld.extra is None
    older = await log.checkpoint(400)
    assert older is not None
    proof = parse_proof(await log.proof(records[0].position, 400))
    assert proof.note == older.note
    assert is_included(leaf_hash(records[0].commitment), records[0].position, 400, proof.steps, older.root)
    assert is_consistent(400, 601, older.root, head.root, await log.consistency(400, 601))
    assert await log.records(2, 9) == []


async def test_there_is_no_proof_of_what_is_not_under_the_checkpoint(books: Database) -> None:
    await happen(books, 0, 10)
    log = log_over(books, batch=5)
    await logged(log)
    for position, size in ((5, 5), (10, 10), (-1, 10), (3, 7)):
        with pytest.raises(LookupError):
            await log.proof(position, size)


async def test_an_erased_record_keeps_its_place_and_proof(books: Database) -> None:
    await happen(books, 0, 20)
    log = log_over(books)
    await logged(log)
    record = (await log.records(1, 100))[1]
    async with books.transaction() as conn:
        await log.erase(conn, record.shop_id, record.record_id)
        await log.erase(conn, record.shop_id + 1, record.record_id)
    erased = (await log.records(1, 100))[1]
    assert (erased.body, erased.salt, erased.commitment) == (None, None, record.commitment)
    head = await log.head()
    proof = parse_proof(await log.proof(record.position, head.size))
    assert proof.extra is None
    assert is_included(leaf_hash(record.commitment), record.position, head.size, proof.steps, head.root)
    assert await books.fetchval("SELECT count(*) FROM log_record WHERE erased_at IS NOT NULL") == 1


async def test_a_long_backlog_of_one_source_does_not_hold_up_another(books: Database) -> None:
    """Shop 1 (odd numbers) has 500 rows waiting, shop 2 a few."""
    await happen(books, 0, 1_000)
    await books.execute("UPDATE happening SET log_position = -1 WHERE shop_id = 1 AND happening_id > 12")
    log = log_over(books, Happenings(2), Happenings(1), batch=50)
    assert [await log.sequence() for _ in range(2)] == [50, 50]
    rows = await books.fetch("SELECT shop_id, count(*) FROM log_record GROUP BY shop_id ORDER BY shop_id")
    assert [tuple(row) for row in rows] == [(1, 7), (2, 93)]


async def test_many_sequencers_at_once_log_every_row_once(books: Database) -> None:
    """They share a pool and fight for the lease while rows keep coming."""
    logs = [log_over(books, batch=40) for _ in range(4)]
    for step in range(6):
        await happen(books, step * 150, 150)
        await asyncio.gather(*(log.sequence() for log in logs for _ in range(5)))
    for log in logs:
        await log.rest()
        await logged(log)
    rows = await books.fetch(ALL)
    assert [row["record_id"] for row in rows] == list(range(900))
    assert {row["source_id"] for row in rows} == set(range(900))
    head = await logs[0].head()
    assert head.root == root_of([leaf_hash(row["commitment"]) for row in rows])


async def test_only_the_holder_writes_until_its_lease_ends(books: Database) -> None:
    await happen(books, 0, 30)
    clock = FixedClock(NOON)
    first, second = log_over(books, clock=clock, batch=10), log_over(books, clock=clock, batch=10)
    assert await first.sequence() == 10
    assert await second.sequence() == 0
    clock.advance(timedelta(seconds=6))
    assert await second.sequence() == 10
    assert await first.sequence() == 0
    await second.rest()
    assert await first.sequence() == 10


async def test_a_clock_set_back_by_an_hour_stops_nothing(books: Database) -> None:
    await happen(books, 0, 30)
    clock = FixedClock(NOON)
    first, second = log_over(books, clock=clock, batch=10), log_over(books, clock=clock, batch=10)
    assert await first.sequence() == 10
    clock.advance(-timedelta(hours=1))
    assert await second.sequence() == 10
    assert await first.sequence() == 0
    clock.advance(-timedelta(days=400))
    assert await first.sequence() == 10
    assert [row["record_id"] for row in await books.fetch(ALL)] == list(range(30))


async def test_a_sequencer_that_lost_its_lease_meanwhile_writes_nothing(books: Database) -> None:
    """It stalls between taking the lease and its batch, and wakes when another has taken over."""
    await happen(books, 0, 20)
    clock = FixedClock(NOON)
    stalled, other = log_over(books, clock=clock), log_over(books, clock=clock)
    assert await stalled.sequence() == 20
    await happen(books, 20, 20)
    async with books.connection() as conn:
        number = await conn.fetchval("SELECT number FROM log_lease")
    clock.advance(timedelta(seconds=10))
    async with books.transaction() as conn:
        await conn.fetchval("SELECT size FROM log_head FOR UPDATE")
        waiting = asyncio.create_task(write(stalled, books, number))
        await asyncio.sleep(0.05)
        await conn.execute("UPDATE log_lease SET holder = 'other', number = number + 1")
    assert await waiting == 0
    assert await books.fetchval("SELECT size FROM log_head") == 20
    clock.advance(timedelta(seconds=10))
    assert await other.sequence() == 20


async def write(log: object, books: Database, number: int) -> int:
    async with books.transaction() as conn:
        count: int = await log._write_batch(conn, number)  # type: ignore[attr-defined]
        return count


async def test_a_head_committed_but_not_signed_is_signed_at_the_next_start(books: Database) -> None:
    await happen(books, 0, 20)
    log = log_over(books)
    await logged(log)
    signed = await log.head()
    await happen(books, 20, 5)
    async with books.connection() as conn:
        number = await conn.fetchval("SELECT number FROM log_lease")
    assert await write(log, books, number) == 5
    assert (await log.head()).size == 20
    restarted = log_over(books)
    await log.rest()
    assert await restarted.sequence() == 0
    head = await restarted.head()
    assert head.size == 25
    assert is_consistent(20, 25, signed.root, head.root, await restarted.consistency(20, 25))


async def test_another_key_or_origin_is_refused_and_nothing_is_written(books: Database) -> None:
    assert await kept_origin(books) is None
    await happen(books, 0, 5)
    log = log_over(books)
    await logged(log)
    assert await kept_origin(books) == ORIGIN
    await happen(books, 5, 5)
    for stranger in (log_over(books, seed=b"x" * 32), log_over(books, origin="elsewhere.test/log")):
        for use in (stranger.sequence, stranger.head):
            with pytest.raises(LogRefused) as refused:
                await use()
            assert "密钥" in refused.value.zh
    assert await books.fetchval("SELECT count(*) FROM log_record") == 5
    assert await logged(log_over(books, clock=FixedClock(later(10**7)))) == 5


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE log_tile SET hashes = decode(repeat('00', 32 * width), 'hex') WHERE level = 0",
        "DELETE FROM log_tile WHERE level = 0",
        "UPDATE log_head SET root = decode(repeat('00', 32), 'hex')",
        "UPDATE log_tile SET width = 256, hashes = hashes || decode(repeat('00', 32 * 246), 'hex') WHERE level = 0",
        "UPDATE log_tile SET width = 256, hashes = hashes || decode(repeat('00', 32 * 246), 'hex') WHERE level = -1",
    ],
)
async def test_a_tree_that_contradicts_itself_grows_no_further(
    books: Database, owner_database: Database, damage: str
) -> None:
    await happen(books, 0, 10)
    log = log_over(books)
    await logged(log)
    await owner_database.execute(damage)
    await happen(books, 10, 10)
    with pytest.raises(LogDamaged):
        await log.sequence()
    assert await books.fetchval("SELECT count(*) FROM happening WHERE log_position IS NULL") == 10
    assert (await log.head()).size == 10


async def test_a_tree_that_was_set_back_is_not_signed_again(books: Database, owner_database: Database) -> None:
    """As after a restored backup whose checkpoints are newer: a second tree of the same size must not be signed."""
    await happen(books, 0, 10)
    log = log_over(books)
    await logged(log)
    await owner_database.execute("UPDATE log_head SET size = 0, root = $1", EMPTY_ROOT)
    with pytest.raises(LogDamaged):
        await log.sequence()
    await owner_database.execute("UPDATE log_head SET size = 10")
    with pytest.raises(LogDamaged):
        await log.sequence()


async def test_the_application_can_only_add(books: Database) -> None:
    await happen(books, 0, 5)
    await logged(log_over(books))
    for statement in (
        "DELETE FROM log_record",
        "DELETE FROM log_tile",
        "DELETE FROM log_checkpoint",
        "DELETE FROM log_head",
        "DELETE FROM log_lease",
        "UPDATE log_record SET commitment = commitment",
        "UPDATE log_record SET record_id = record_id",
        "UPDATE log_checkpoint SET note = note",
        "UPDATE log_head SET origin = origin",
        "INSERT INTO log_lease (one, holder, number, until) VALUES (false, 'x', 1, now())",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await books.execute(statement)
