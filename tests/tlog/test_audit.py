"""The audit finds every changed bit, and says nothing where nothing is wrong."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kabao.kernel import FixedClock
from kabao.postgres import Database
from kabao.tlog import Census, Checkpoint, Draft, LogReport, StoredRecord
from kabao.tlog.audit import LogAudit
from kabao.tlog.model import StoredCosignature, StoredHead, StoredTile
from kabao.tlog.notes import COSIGNATURE, NoteSignature, NoteSigner, TreeHead, VerifierKey, checkpoint_text
from kabao.tlog.tiles import TileId, edge_of, grow
from logbook import ORIGIN, SEED, happen, later, log_over, logged

FLIPS = 3_000
SIZE = 300

Levels = list[tuple[int, StoredTile]]


class Memory(NamedTuple):
    """A stored log in memory, with the rows it was written from."""

    stands: StoredHead
    held: list[StoredRecord]
    levels: Levels
    heads: list[Checkpoint]
    lines: list[StoredCosignature]
    rows: Mapping[tuple[int, int, str, int], Draft]

    async def head(self) -> StoredHead | None:
        return self.stands

    async def leaves(self) -> int:
        return max((256 * tile.number + tile.width for at, tile in self.levels if at == 0), default=0)

    async def records(self, first: int, end: int | None) -> Sequence[StoredRecord]:
        found = [one for one in self.held if first <= one.position and (end is None or one.position < end)]
        return sorted(found, key=lambda one: one.position)

    async def tiles(self, level: int, first: int, limit: int) -> Sequence[StoredTile]:
        found = [tile for at, tile in self.levels if at == level and tile.number >= first]
        return sorted(found)[:limit]

    async def checkpoints(self, first: int, limit: int) -> Sequence[Checkpoint]:
        return sorted((one for one in self.heads if one.size >= first), key=lambda one: one.size)[:limit]

    async def cosignatures(self, sizes: Sequence[int]) -> Sequence[StoredCosignature]:
        return [line for line in self.lines if line.size in sizes]

    async def again(self, source: str, records: Sequence[StoredRecord]) -> Sequence[Draft | None] | None:
        if source != "happening":
            return None
        return [self.rows.get((one.shop_id, one.order_id, one.source, one.source_id)) for one in records]

    async def beside(self) -> Sequence[tuple[str, str]]:
        return []

    async def census(self) -> Mapping[str, Census]:
        return {"happening": Census(marked=len(self.rows), waiting=0, oldest=None)}


def cosign(text: bytes, at: int) -> tuple[VerifierKey, bytes]:
    private = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
    key = VerifierKey("witness.test/w", COSIGNATURE, private.public_key().public_bytes_raw())
    value = at.to_bytes(8) + private.sign(f"cosignature/v1\ntime {at}\n".encode() + text)
    return key, NoteSignature(key.name, key.key_id, value).line


def memory_log() -> Memory:
    """300 records in batches of 50, the fifth of them erased, every checkpoint cosigned."""
    signer = NoteSigner(ORIGIN, SEED)
    held: list[StoredRecord] = []
    tiles: dict[TileId, bytes] = {}
    heads: list[Checkpoint] = []
    lines: list[StoredCosignature] = []
    rows: dict[tuple[int, int, str, int], Draft] = {}
    root = b""
    for first in range(0, SIZE, 50):
        for position in range(first, first + 50):
            body, salt = f'{{"said":"word {position}"}}'.encode(), sha256(f"salt {position}".encode()).digest()
            record = StoredRecord(
                shop_id=1, order_id=100 + position % 7, record_id=position, source="happening", source_id=position * 3,
                kind="said", body=body, salt=salt, commitment=sha256(salt + body).digest(), position=position,
                at=later(position),
            )  # fmt: skip
            rows[1, record.order_id, "happening", record.source_id] = Draft(
                shop_id=1, order_id=record.order_id, source="happening", source_id=record.source_id, kind="said",
                body=body, at=record.at, position=position,
            )  # fmt: skip
            held.append(msgspec.structs.replace(record, body=None, salt=None) if position == 4 else record)
        edge = {tile: tiles[tile] for tile in edge_of(first)}
        size, root, changed = grow(edge, first, [record.commitment for record in held[first:]])
        tiles |= changed
        text = checkpoint_text(TreeHead(ORIGIN, size, root))
        heads.append(
            Checkpoint(size=size, root=root, note=signer.sign(text), signed_at=later(size), number=len(heads) + 1)
        )
        key, line = cosign(text, 1_800_000_000 + size)
        lines.append(StoredCosignature(size, key.text, line))
    levels = [(tile.level, StoredTile(tile.number, len(held) // 32, held)) for tile, held in tiles.items()]
    return Memory(StoredHead(ORIGIN, signer.key.text, SIZE, root, len(heads)), held, levels, heads, lines, rows)


async def report_of(rows: Memory) -> LogReport:
    return await LogAudit(rows, NoteSigner(ORIGIN, SEED).key).run()


async def test_a_whole_log_has_no_findings() -> None:
    report = await report_of(memory_log())
    assert report.findings == []
    assert (report.ok, report.is_signed, report.faults, report.waiting) == (True, True, 0, 0)
    assert (report.size, report.records, report.erased) == (300, 300, 1)
    assert (report.tiles, report.checkpoints, report.cosignatures) == (5, 6, 6)


# ---------------------------------------------------------------- single bits

EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def flipped(value: Any, dice: random.Random) -> Any:
    """The value with one of its bits turned."""
    match value:
        case int():
            return value ^ (1 << dice.randrange(63))
        case bytes():
            place, bit = divmod(dice.randrange(len(value) * 8), 8)
            return value[:place] + bytes([value[place] ^ (1 << bit)]) + value[place + 1 :]
        case str():
            place = dice.randrange(len(value))
            return value[:place] + chr(ord(value[place]) ^ (1 << dice.randrange(7))) + value[place + 1 :]
        case datetime():
            micros = (value - EPOCH) // timedelta(microseconds=1)
            return EPOCH + timedelta(microseconds=micros ^ (1 << dice.randrange(50)))
    raise TypeError(type(value))


def turn_in(items: list[Any], names: Sequence[str], dice: random.Random) -> tuple[list[Any], str]:
    """The list with a bit of one field of one item turned, and what was turned."""
    at = dice.randrange(len(items))
    name = dice.choice([name for name in names if getattr(items[at], name) is not None])
    value = flipped(getattr(items[at], name), dice)
    is_struct = isinstance(items[at], msgspec.Struct)
    turned = msgspec.structs.replace(items[at], **{name: value}) if is_struct else items[at]._replace(**{name: value})
    return [*items[:at], turned, *items[at + 1 :]], f"{type(turned).__name__} {at}: {name}"


def turn_record(rows: Memory, dice: random.Random) -> tuple[Memory, str]:
    held, what = turn_in(rows.held, StoredRecord.__struct_fields__, dice)
    return rows._replace(held=held), what


def turn_secret(rows: Memory, dice: random.Random) -> tuple[Memory, str]:
    held, what = turn_in(rows.held, ["salt", "body", "commitment"], dice)
    return rows._replace(held=held), what


def turn_tile(rows: Memory, dice: random.Random) -> tuple[Memory, str]:
    at = dice.randrange(len(rows.levels))
    level, tile = rows.levels[at]
    if dice.random() < 0.1:
        return rows._replace(levels=[*rows.levels[:at], (flipped(level, dice), tile), *rows.levels[at + 1 :]]), "level"
    name = "hashes" if dice.random() < 0.9 else dice.choice(["number", "width"])
    [turned], what = turn_in([tile], [name], dice)
    return rows._replace(levels=[*rows.levels[:at], (level, turned), *rows.levels[at + 1 :]]), what


def turn_checkpoint(rows: Memory, dice: random.Random) -> tuple[Memory, str]:
    heads, what = turn_in(rows.heads, ["size", "root", "note", "note", "note"], dice)
    return rows._replace(heads=heads), what


def turn_cosignature(rows: Memory, dice: random.Random) -> tuple[Memory, str]:
    lines, what = turn_in(rows.lines, ["witness", "line"], dice)
    return rows._replace(lines=lines), what


def turn_head(rows: Memory, dice: random.Random) -> tuple[Memory, str]:
    [turned], what = turn_in([rows.stands], ["origin", "vkey", "size", "root"], dice)
    return rows._replace(stands=turned), what


TURNS: list[Callable[[Memory, random.Random], tuple[Memory, str]]] = [
    turn_record,
    turn_secret,
    turn_tile,
    turn_tile,
    turn_checkpoint,
    turn_cosignature,
    turn_head,
]


@pytest.mark.parametrize("part", range(4))
async def test_every_turned_bit_is_found(part: int) -> None:
    whole, dice = memory_log(), random.Random(part)  # noqa: S311  a fixed draw
    missed: list[str] = []
    for _ in range(FLIPS // 4):
        turned, what = dice.choice(TURNS)(whole, dice)
        report = await report_of(turned)
        if report.ok or not report.findings:
            missed.append(what)
    assert missed == []


async def test_a_turned_bit_is_found_where_it_is() -> None:
    """One link is broken and the rest still holds, so the first finding is the place."""
    whole, dice = memory_log(), random.Random(1)  # noqa: S311  a fixed draw
    for position in (0, 255, 256, 299):
        record = whole.held[position]
        assert record.body is not None
        bad = msgspec.structs.replace(record, body=flipped(record.body, dice))
        report = await report_of(whole._replace(held=[*whole.held[:position], bad, *whole.held[position + 1 :]]))
        assert {one.check for one in report.findings} == {"body", "source"}
        assert all(one.subject.startswith(f"position {position}:") for one in report.findings)
        assert report.faults == 2


# ---------------------------------------------------------------- the same through the database


async def checks_after(books: Database, owner: Database, damage: str) -> list[str]:
    log = log_over(books, clock=FixedClock(later(500)))
    await owner.execute(damage)
    report = await log.audit()
    assert report.ok is (report.faults == 0) is (not report.findings)
    return [f"{one.check}: {one.subject}" for one in report.findings]


@pytest.fixture
async def full(books: Database) -> Database:
    """A log of 300 records in six batches."""
    await happen(books, 0, 300)
    await logged(log_over(books, clock=FixedClock(later(400)), batch=50))
    return books


# The checkpoint of size 50, saying 51.
UNSIGNED = """UPDATE log_checkpoint SET number = 7 WHERE size = 300; UPDATE log_head SET signed = 7;
INSERT INTO log_checkpoint
  SELECT 299, root, replace(convert_from(note, 'UTF8'), '50', '51')::bytea, now(), 6
    FROM log_checkpoint WHERE size = 50"""


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("SELECT 1", []),
        (
            "UPDATE happening SET said = 'other' WHERE happening_id = 7",
            ["source: position 7: its row says something else now"],
        ),
        ("DELETE FROM happening WHERE happening_id = 299", [
            "source: position 299: there is no row behind it",
            "mark: happening: 299 rows are marked as logged, 300 records stand here",
        ]),
        ("UPDATE happening SET log_position = 9 WHERE happening_id = 8", ["mark: position 8: its row is marked 9"]),
        ("UPDATE happening SET log_position = NULL WHERE happening_id = 8", [
            "mark: position 8: its row is marked None",
            "mark: happening: 299 rows are marked as logged, 300 records stand here",
            "waiting: happening: 1 rows have waited longer than a minute, the oldest since 2026-03-02T12:00:08+00:00",
        ]),
        ("INSERT INTO happening VALUES (1, 1, 999, 'said', 'late', '2026-03-02 12:08:00Z', NULL)", []),
        ("INSERT INTO happening VALUES (1, 1, 999, 'said', 'late', '2026-03-02 12:07:00Z', NULL)", [
            "waiting: happening: 1 rows have waited longer than a minute, the oldest since 2026-03-02T12:07:00+00:00",
        ]),
        ("INSERT INTO happening VALUES (1, 1, 999, 'said', 'made up', '2026-03-02 12:07:00Z', 300)", [
            "mark: happening: 301 rows are marked as logged, 300 records stand here",
        ]),
        ("DELETE FROM log_record WHERE record_id IN (255, 299)", [
            "record: position 255 has no record",
            "record: position 299 has no record",
            "mark: happening: 300 rows are marked as logged, 298 records stand here",
        ]),
        ("UPDATE log_record SET record_id = 300 WHERE record_id = 299", [
            "record: position 299 has no record",
            "record: position 300 lies beyond the tree",
            "mark: happening: 300 rows are marked as logged, 299 records stand here",
        ]),
        ("UPDATE log_record SET source = 'unknown' WHERE record_id = 5", [
            "source: position 5: nothing here writes records of unknown",
            "mark: happening: 300 rows are marked as logged, 299 records stand here",
        ]),
        ("UPDATE log_record SET salt = sha256('x') WHERE record_id = 5", [
            "body: position 5: salt and body do not give the commitment",
        ]),
        ("UPDATE log_record SET commitment = sha256('x') WHERE record_id = 5", [
            "entry: position 5: the entry is not the record's commitment",
            "body: position 5: salt and body do not give the commitment",
        ]),
        ("UPDATE log_record SET body = NULL, salt = NULL, erased_at = now() WHERE record_id = 5", []),
        ("DELETE FROM log_tile WHERE level = 1", [
            "tile: 1/000 is missing or not as wide as the tree calls for",
            "tile: 1/000 does not hold the hashes of those below",
            "head: the root of size 300 is not that of the tiles",
            "checkpoint: size 300: the root is not that of the tiles",
        ]),
        ("UPDATE log_tile SET hashes = set_byte(hashes, 70, get_byte(hashes, 70) # 1) WHERE level = 0 AND index = 1", [
            "leaf: position 258: the leaf is not the hash of its entry",
            "head: the root of size 300 is not that of the tiles",
            "checkpoint: size 300: the root is not that of the tiles",
        ]),
        ("INSERT INTO log_tile VALUES (0, 2, 1, sha256('x')), (-1, 2, 1, sha256('x')), (2, 0, 1, sha256('x'))", [
            "tile: entries/002 lies beyond the tree",
            "tile: 0/002 lies beyond the tree",
            "tile: 2/000 lies beyond the tree",
        ]),
        ("UPDATE log_head SET size = 2 ^ 62", ["head: it says 4611686018427387904 leaves, the tiles reach 300"]),
        ("UPDATE log_head SET vkey = 'other'", ["head: the log stands under another origin or key"]),
        ("UPDATE log_checkpoint SET root = sha256('x') WHERE size = 50", [
            "checkpoint: size 50: the note says something else",
        ]),
        ("UPDATE log_head SET signed = 7; INSERT INTO log_checkpoint VALUES (301, sha256('x'), 'x', now(), 7)", [
            "checkpoint: size 301: it was signed over a larger tree than there is",
        ]),
        ("INSERT INTO log_checkpoint VALUES (299, sha256('x'), 'x', now(), 6)", [
            "checkpoint: size 299: the note cannot be read",
            "checkpoint: number 6 is more than were signed, or there twice, before that of size 300",
        ]),
        ("DELETE FROM log_checkpoint WHERE size = 100", [
            "checkpoint: number 2 is gone, before that of size 150",
        ]),
        ("DELETE FROM log_checkpoint WHERE size <= 200", [
            "checkpoint: number 1 to 4 is gone, before that of size 250",
        ]),
        ("DELETE FROM log_checkpoint WHERE size > 200", ["checkpoint: number 5 to 6 is gone, at the end"]),
        ("DELETE FROM log_checkpoint", ["checkpoint: number 1 to 6 is gone, at the end"]),
        ("UPDATE log_head SET signed = 5", [
            "checkpoint: number 6 is more than were signed, or there twice, at the end",
        ]),
        (UNSIGNED, ["checkpoint: size 299: the signature is not the log's"]),
        ("INSERT INTO log_cosignature VALUES (50, 'nobody', 'x', now())", [
            "cosignature: size 50: a cosignature does not hold",
        ]),
    ],
)  # fmt: skip
async def test_what_was_changed_is_named(
    full: Database, owner_database: Database, damage: str, found: list[str]
) -> None:
    assert await checks_after(full, owner_database, damage) == found


async def test_an_unused_log_is_whole(books: Database) -> None:
    report = await log_over(books).audit()
    assert (report.ok, report.size, report.records, report.is_signed) == (True, 0, 0, True)


async def test_a_tree_that_is_not_signed_yet_is_said(books: Database, owner_database: Database) -> None:
    await happen(books, 0, 5)
    log = log_over(books)
    await logged(log)
    await owner_database.execute("DELETE FROM log_checkpoint; UPDATE log_head SET signed = 0")
    report = await log.audit()
    assert (report.ok, report.is_signed) == (True, False)


async def test_checkpoints_signed_by_many_at_once_are_counted_once(books: Database) -> None:
    await happen(books, 0, 40)
    logs = [log_over(books, batch=10) for _ in range(4)]
    for _ in range(4):
        await asyncio.gather(*(log.sequence() for log in logs), *(log.head() for log in logs))
    report = await logs[0].audit()
    assert report.ok, report


async def test_the_progress_is_told(full: Database) -> None:
    heard: list[tuple[int, int]] = []
    await log_over(full).audit(lambda done, total: heard.append((done, total)))
    assert heard == [(300, 300)]


async def test_only_the_first_findings_are_listed(full: Database, owner_database: Database) -> None:
    await owner_database.execute("UPDATE happening SET said = 'other'")
    report = await log_over(full).audit()
    assert (report.faults, len(report.findings)) == (300, 50)
