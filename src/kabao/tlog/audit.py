"""Replays the stored log: every value against its neighbours, the signatures, and the business rows.

Each link is checked by itself (row to body, body to commitment, commitment to leaf, leaf to tile, tile to the tile
above, tiles to each checkpoint), so one changed bit is found where it is, and everything else still holds.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final, Protocol

import msgspec

from kabao.tlog.merkle import EMPTY_ROOT, Span, leaf_hash, root_of
from kabao.tlog.model import (
    Census,
    Checkpoint,
    Draft,
    StoredCosignature,
    StoredHead,
    StoredRecord,
    StoredTile,
)
from kabao.tlog.notes import (
    NoteMalformedError,
    NoteUnsignedError,
    VerifierKey,
    cosigned_at,
    open_note,
    parse_checkpoint,
    parse_note,
    parse_signatures,
)
from kabao.tlog.tiles import (
    ENTRIES,
    HEIGHT,
    TOP_LEVEL,
    WIDTH,
    TileId,
    TilesIncompleteError,
    cut,
    hash_of,
    tile_path,
    tiles_of,
    width_at,
)

FINDINGS_SHOWN: Final = 50
BUNDLES: Final = 16
"""How many tiles of the lowest level are looked at in one go: 4,096 records."""
CHECKPOINTS: Final = 500


class LogRows(Protocol):
    """What is stored, in one consistent view."""

    async def head(self) -> StoredHead | None:
        """Return the head; None for a log that was never used."""

    async def leaves(self) -> int:
        """Return how many leaves the tiles of the lowest level reach."""

    async def records(self, first: int, end: int | None) -> Sequence[StoredRecord]:
        """Return the records from position `first` up to, without, `end`; a few of those from `first` on for None."""

    async def tiles(self, level: int, first: int, limit: int) -> Sequence[StoredTile]:
        """Return a level's tiles from a number on, in order."""

    async def checkpoints(self, first: int, limit: int) -> Sequence[Checkpoint]:
        """Return the checkpoints from a size on, in order."""

    async def cosignatures(self, sizes: Sequence[int]) -> Sequence[StoredCosignature]:
        """Return every cosignature of some checkpoints."""

    async def again(self, source: str, records: Sequence[StoredRecord]) -> Sequence[Draft | None] | None:
        """Return the records made anew from the business rows; None where no source of that name is known."""

    async def beside(self) -> Sequence[tuple[str, str]]:
        """Return what does not hold of what others keep about the log, as check and subject."""

    async def census(self) -> Mapping[str, Census]:
        """Return how the rows of each source stand; waiting are those older than a minute."""


class LogFinding(msgspec.Struct, frozen=True):
    """One thing that does not hold: which check, and what it was about."""

    check: str
    subject: str


class LogReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit saw; ok where everything holds. `findings` has the first of `faults`."""

    ok: bool
    size: int
    records: int
    erased: int
    tiles: int
    checkpoints: int
    cosignatures: int
    waiting: int
    is_signed: bool
    faults: int
    findings: list[LogFinding]


Progress = Callable[[int, int], None]
"""Told how many records of how many have been looked at."""


class LogAudit:
    """One run over some rows, under the key and origin that the log ought to have."""

    def __init__(self, rows: LogRows, key: VerifierKey, progress: Progress | None = None) -> None:
        self._rows = rows
        self._key = key
        self._progress = progress
        self._findings: list[LogFinding] = []
        self._faults = 0
        self._erased = 0
        self._tiles = 0
        self._checkpoints = 0
        self._cosignatures = 0
        self._by_source: dict[str, int] = {}

    async def run(self) -> LogReport:
        """Look at everything; raises nothing for what is wrong, it stands in the report."""
        head = await self._rows.head() or StoredHead(self._key.name, self._key.text, 0, EMPTY_ROOT)
        if (head.origin, head.vkey) != (self._key.name, self._key.text):
            self._found("head", "the log stands under another origin or key")
        # A head that claims more than there is must not make the audit go on for ever.
        size = min(head.size, await self._rows.leaves())
        if size != head.size:
            self._found("head", f"it says {head.size} leaves, the tiles reach {size}")
        full = await self._entries(size)
        for level in range(1, TOP_LEVEL + 1):
            full = await self._level(level, size, full)
        if await self._root_at(size, {}) != head.root:
            self._found("head", f"the root of size {head.size} is not that of the tiles")
        signed = await self._signed(size, head.signed)
        for check, subject in await self._rows.beside():
            self._found(check, subject)
        waiting = await self._sources()
        return LogReport(
            ok=not self._faults,
            size=head.size,
            records=sum(self._by_source.values()),
            erased=self._erased,
            tiles=self._tiles,
            checkpoints=self._checkpoints,
            cosignatures=self._cosignatures,
            waiting=waiting,
            is_signed=signed,
            faults=self._faults,
            findings=self._findings,
        )

    def _found(self, check: str, subject: str) -> None:
        self._faults += 1
        if len(self._findings) < FINDINGS_SHOWN:
            self._findings.append(LogFinding(check, subject))

    # ---------------------------------------------------------------- records, entries, leaves

    async def _entries(self, size: int) -> list[bytes]:
        """Check records, entries and leaf hashes; return the hashes of the full tiles of leaves."""
        full: list[bytes] = []
        count = -(-size // WIDTH)
        for first in range(0, count, BUNDLES):
            end = min(first + BUNDLES, count)
            entries = await self._stored(ENTRIES, first, end, size)
            leaves = await self._stored(0, first, end, size)
            await self._records(first * WIDTH, min(end * WIDTH, size), entries)
            for number in range(first, end):
                self._leaves(number, entries[number], leaves[number])
                if width_at(TileId(0, number), size) == WIDTH:
                    full.append(root_of(cut(leaves[number])))
            if self._progress is not None:
                self._progress(min(end * WIDTH, size), size)
        for level in (ENTRIES, 0):
            await self._beyond(level, count)
        for record in await self._rows.records(size, None):
            self._found("record", f"position {record.position} lies beyond the tree")
        return full

    async def _records(self, first: int, end: int, entries: Mapping[int, bytes]) -> None:
        seen = first - 1
        records = await self._rows.records(first, end)
        for record in records:
            at = record.position
            for missing in range(seen + 1, at):
                self._found("record", f"position {missing} has no record")
            if at == seen:
                self._found("record", f"position {at} has two records")
            seen = at
            self._record(record, entries[at // WIDTH][at % WIDTH * 32 :][:32])
        for missing in range(seen + 1, end):
            self._found("record", f"position {missing} has no record")
        await self._rows_of(records)

    def _record(self, record: StoredRecord, entry: bytes) -> None:
        at = record.position
        self._by_source[record.source] = self._by_source.get(record.source, 0) + 1
        if record.record_id != at:
            self._found("record", f"position {at} is numbered {record.record_id}")
        if record.commitment != entry:
            self._found("entry", f"position {at}: the entry is not the record's commitment")
        if record.body is None or record.salt is None:
            self._erased += 1
            if record.body is not record.salt:
                self._found("record", f"position {at} is erased by half")
        elif sha256(record.salt + record.body).digest() != record.commitment:
            self._found("body", f"position {at}: salt and body do not give the commitment")

    async def _rows_of(self, records: Sequence[StoredRecord]) -> None:
        """Compare records with the business rows they were written from."""
        for source in sorted({record.source for record in records}):
            mine = [record for record in records if record.source == source]
            drafts = await self._rows.again(source, mine)
            if drafts is None:
                self._found("source", f"position {mine[0].position}: nothing here writes records of {source}")
                continue
            for record, draft in zip(mine, drafts, strict=True):
                if draft is None:
                    why = "there is no row behind it" if record.body is not None else "no row tells of its erasure"
                    self._found("source", f"position {record.position}: {why}")
                elif draft.position != record.position:
                    self._found("mark", f"position {record.position}: its row is marked {draft.position}")
                elif not _is_same(record, draft):
                    self._found("source", f"position {record.position}: its row says something else now")
                if draft is not None and record.body is not None:
                    for odd in draft.odds:
                        self._found("source", f"position {record.position}: {odd}")

    def _leaves(self, number: int, entries: bytes, leaves: bytes) -> None:
        expected = [leaf_hash(entry) for entry in cut(entries)]
        if b"".join(expected) != leaves:
            pairs = zip(expected, cut(leaves), strict=False)
            wrong = next((place for place, (one, other) in enumerate(pairs) if one != other), 0)
            self._found("leaf", f"position {number * WIDTH + wrong}: the leaf is not the hash of its entry")

    # ---------------------------------------------------------------- tiles

    async def _level(self, level: int, size: int, below: Sequence[bytes]) -> list[bytes]:
        """Check a level above the leaves against the full tiles below; return the hashes of its own full tiles."""
        full: list[bytes] = []
        count = -(-(size >> (HEIGHT * level)) // WIDTH)
        for first in range(0, count, BUNDLES):
            end = min(first + BUNDLES, count)
            for number, held in (await self._stored(level, first, end, size)).items():
                if held != b"".join(below[number * WIDTH : (number + 1) * WIDTH]):
                    self._found("tile", f"{tile_path(TileId(level, number))} does not hold the hashes of those below")
                if width_at(TileId(level, number), size) == WIDTH:
                    full.append(root_of(cut(held)))
        await self._beyond(level, count)
        return full

    async def _stored(self, level: int, first: int, end: int, size: int) -> dict[int, bytes]:
        """Return the hashes of some tiles; nothing, and a finding, for one that is missing or not as wide as it is."""
        held: dict[int, bytes] = {}
        for tile in await self._rows.tiles(level, first, end - first):
            wide = width_at(TileId(level, tile.number), size)
            if tile.number < end and (tile.width, len(tile.hashes)) == (wide, 32 * wide):
                held[tile.number] = tile.hashes
        for number in range(first, end):
            self._tiles += 1
            if number not in held:
                self._found(
                    "tile", f"{tile_path(TileId(level, number))} is missing or not as wide as the tree calls for"
                )
                held[number] = b""
        return held

    async def _beyond(self, level: int, count: int) -> None:
        for tile in await self._rows.tiles(level, count, BUNDLES):
            self._found("tile", f"{tile_path(TileId(level, tile.number))} lies beyond the tree")

    async def _root_at(self, size: int, known: dict[TileId, bytes]) -> bytes | None:
        """Return the root of a size from the stored tiles; `known` keeps those of the size before."""
        wanted = tiles_of([Span(0, size)])
        for tile in wanted - set(known):
            known.pop(next((other for other in known if other.level == tile.level), tile), None)
            found = await self._rows.tiles(tile.level, tile.number, 1)
            known[tile] = found[0].hashes if found and found[0].number == tile.number else b""
        try:
            return hash_of(Span(0, size), known)
        except TilesIncompleteError:
            return None

    # ---------------------------------------------------------------- checkpoints

    async def _signed(self, size: int, count: int) -> bool:
        """Check every checkpoint, that none of `count` is gone, and cosignatures; return whether the head is signed."""
        newest, known, before = -1, dict[TileId, bytes](), 0
        while batch := await self._rows.checkpoints(newest + 1, CHECKPOINTS):
            texts: dict[int, bytes] = {}
            for signed in batch:
                newest = signed.size
                self._checkpoints += 1
                self._numbered(before, signed.number, f"before that of size {signed.size}")
                before = signed.number
                if why := self._why_not(signed, size):
                    self._found("checkpoint", f"size {signed.size}: {why}")
                elif await self._root_at(signed.size, known) != signed.root:
                    self._found("checkpoint", f"size {signed.size}: the root is not that of the tiles")
                else:
                    texts[signed.size] = parse_note(signed.note).text
            self._witnesses(texts, await self._rows.cosignatures([signed.size for signed in batch]))
        self._numbered(before, count + 1, "at the end")
        return newest == size or (newest < 0 and size == 0)

    def _numbered(self, before: int, number: int, where: str) -> None:
        """Name the checkpoints that are gone between one number and the next that is there."""
        if number > before + 1:
            gone = f"{before + 1}" if number == before + 2 else f"{before + 1} to {number - 1}"
            self._found("checkpoint", f"number {gone} is gone, {where}")
        elif number <= before:
            self._found("checkpoint", f"number {before} is more than were signed, or there twice, {where}")

    def _why_not(self, signed: Checkpoint, size: int) -> str:
        if signed.size > size:
            return "it was signed over a larger tree than there is"
        try:
            said = parse_checkpoint(open_note(signed.note, self._key).text)
        except NoteUnsignedError:
            return "the signature is not the log's"
        except NoteMalformedError:
            return "the note cannot be read"
        if said != (self._key.name, signed.size, signed.root):
            return "the note says something else"
        return ""

    def _witnesses(self, texts: Mapping[int, bytes], lines: Iterable[StoredCosignature]) -> None:
        for size, witness, line in lines:
            self._cosignatures += 1
            try:
                key, [signature] = VerifierKey.parse(witness), parse_signatures(line)
                holds = size not in texts or cosigned_at(texts[size], signature, key) is not None
            except ValueError:
                holds = False
            if not holds:
                self._found("cosignature", f"size {size}: a cosignature does not hold")

    # ---------------------------------------------------------------- what waits

    async def _sources(self) -> int:
        waiting = 0
        for name, census in sorted((await self._rows.census()).items()):
            waiting += census.waiting
            logged = self._by_source.get(name, 0)
            if census.marked != logged:
                self._found("mark", f"{name}: {census.marked} rows are marked as logged, {logged} records stand here")
            if census.waiting:
                since = "" if census.oldest is None else f", the oldest since {_utc(census.oldest)}"
                self._found("waiting", f"{name}: {census.waiting} rows have waited longer than a minute{since}")
        return waiting


def _is_same(record: StoredRecord, draft: Draft) -> bool:
    names = (draft.shop_id, draft.order_id, draft.source, draft.source_id, draft.kind, draft.at)
    stored = (record.shop_id, record.order_id, record.source, record.source_id, record.kind, record.at)
    return names == stored and (record.body is None or record.body == draft.body)


def _utc(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
