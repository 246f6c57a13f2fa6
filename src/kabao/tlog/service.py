"""The sequencer, and everything that is read from the log: heads, records, proofs, tiles.

A batch is one transaction: rows without a position are taken, written as records with fresh salts, appended to the
tree and marked. What is signed is what has been committed, and nothing else.
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Final

from kabao.kernel import Clock
from kabao.postgres import Connection, Database, ExplainedError
from kabao.tlog import store
from kabao.tlog.audit import LogAudit, LogReport, Progress
from kabao.tlog.merkle import EMPTY_ROOT, Span, consistency_spans, inclusion_spans
from kabao.tlog.model import Checkpoint, Draft, StoredRecord, Witnessed
from kabao.tlog.notes import NoteSigner, TreeHead, checkpoint_text
from kabao.tlog.ports import Beside, Source
from kabao.tlog.proofs import write_proof
from kabao.tlog.rows import DatabaseRows
from kabao.tlog.tiles import (
    ENTRIES,
    TileId,
    TilesIncompleteError,
    bundle,
    edge_of,
    grow,
    hash_of,
    tile_path,
    tiles_of,
    width_at,
)

BATCH: Final = 2_000
LEASE: Final = timedelta(seconds=5)
"""How long the others wait for a holder that has died."""
SALT_BYTES: Final = 32


class LogRefused(ExplainedError):  # noqa: N818  a refusal, in the project's own word
    """The log belongs to another key or origin; nothing was written."""


class LogDamaged(ExplainedError):  # noqa: N818  named for what happened
    """What is stored contradicts itself; nothing is written or signed until somebody has looked."""


class TransparencyLog:
    """One log over some sources. Any number of processes may hold one; the lease lets one of them write.

    `seed` is the 32-byte Ed25519 seed and `origin` the log's name (`kept_origin` tells what it was at first use).
    `beside` is audited with it.
    Every method that reads or writes raises LogRefused where the database's log has another key or origin.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        seed: bytes,
        origin: str,
        sources: Sequence[Source],
        batch: int = BATCH,
        lease: timedelta = LEASE,
        beside: Sequence[Beside] = (),
    ) -> None:
        self._database = database
        self._clock = clock
        self._signer = NoteSigner(origin, seed)
        self._sources = list(sources)
        self._batch = batch
        self._lease = lease
        self._beside = beside
        self._holder = secrets.token_hex(8)
        self._turn = 0
        self._has_begun = False
        self.origin = origin
        self.verifier_key: str = self._signer.key.text
        self.public_key_pem: bytes = self._signer.key.pem

    async def sequence(self) -> int:
        """Log one batch and sign the tree it leaves; returns how many records were logged.

        0 also where another process holds the lease. Raises LogDamaged where the stored tree contradicts itself.
        """
        async with self._database.connection() as conn:
            await self._begin(conn)
            number = await store.take_lease(conn, self._holder, self._lease, self._clock.instant())
        if number is None:
            return 0
        async with self._database.transaction() as conn:
            count = await self._write_batch(conn, number)
        await self._sign()
        return count

    async def rest(self) -> None:
        """Give the lease back at an orderly end."""
        async with self._database.connection() as conn:
            await store.drop_lease(conn, self._holder)

    async def head(self) -> Checkpoint:
        """Return the newest signed checkpoint, without cosignatures; that of the empty tree before the first record."""
        async with self._database.connection() as conn:
            await self._begin(conn)
            found = await store.newest_checkpoint(conn)
        if found is not None:
            return found
        await self._sign()
        return await self.head()

    async def checkpoint(self, size: int) -> Checkpoint | None:
        """Return the signed checkpoint of one size; None where none was signed."""
        async with self._database.connection() as conn:
            return await store.checkpoint(conn, size)

    async def records(self, shop_id: int, order_id: int) -> list[StoredRecord]:
        """Return what was logged of an order, in the log's order. Whose order it is, the caller has checked."""
        async with self._database.connection() as conn:
            return await store.records_of_order(conn, shop_id, order_id)

    async def proof(self, position: int, size: int, *, withheld: bool = False) -> bytes:
        """Return the tlog-proof of a record under the checkpoint of `size`, the salt as its extra line.

        The line is left out where the record is erased or `withheld`. Raises LookupError where there is no such
        record, no checkpoint of that size, or the record is not under it.
        """
        async with self._database.connection() as conn:
            found = await store.to_prove(conn, position, size) if position < size else None
            if found is None:
                raise LookupError(f"no checkpoint of size {size} stands over a record at position {position}")
            steps = await _hashes(conn, inclusion_spans(position, size))
        note, salt = found
        return write_proof(position, steps, note, None if withheld else salt)

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the tree of `new` leaves begins with that of `old`; raises ValueError for none."""
        async with self._database.connection() as conn:
            return await _hashes(conn, consistency_spans(old, new))

    async def erase(self, conn: Connection, shop_id: int, record_id: int) -> None:
        """Destroy a record's body and salt, in the caller's transaction; its commitment and proofs stay."""
        await store.erase(conn, shop_id, record_id, self._clock.instant())

    async def cosignatures(self, size: int) -> bytes:
        """Return the witnesses' lines under the checkpoint of a size; empty where there are none."""
        async with self._database.connection() as conn:
            return await store.cosignatures(conn, size)

    async def witnessed(self) -> Witnessed | None:
        """Return who cosigned the newest checkpoint that anyone has; None where nobody ever did."""
        async with self._database.connection() as conn:
            return await store.witnessed(conn)

    async def tile(self, tile: TileId, width: int) -> bytes | None:
        """Return the first `width` hashes of a tile (of an entries tile: the bundle); None beyond what is signed."""
        async with self._database.connection() as conn:
            signed = await store.newest_checkpoint(conn)
            if signed is None or not 1 <= width <= width_at(tile, signed.size):
                return None
            held = (await store.tiles(conn, [tile])).get(tile, b"")[: 32 * width]
        if len(held) < 32 * width:
            raise TilesIncompleteError(f"tile {tile_path(tile)} is shorter than the tree")
        return bundle(held) if tile.level == ENTRIES else held

    async def audit(self, progress: Progress | None = None) -> LogReport:
        """Replay the whole log in one snapshot, writing nothing; `progress` hears of records done and in all."""
        async with self._database.transaction(isolation="repeatable_read", readonly=True) as conn:
            now = await store.now(conn, self._clock.instant())
            return await LogAudit(
                DatabaseRows(conn, self._sources, now, self._beside), self._signer.key, progress
            ).run()

    async def _begin(self, conn: Connection) -> None:
        if self._has_begun:
            return
        await store.begin(conn, self.origin, self.verifier_key, EMPTY_ROOT)
        found = await store.head(conn)
        if found is None or (found.origin, found.vkey) != (self.origin, self.verifier_key):
            raise LogRefused(
                zh="公开日志是用另一把密钥或另一个名称开始的，不能换。请用原来的密钥目录和日志名称启动；未改动任何内容。",
                en="The public log was begun with another key or under another origin, and neither can be changed. "
                "Start with the key folder and the log origin of then. Nothing was changed.",
            )
        self._has_begun = True

    async def _write_batch(self, conn: Connection, number: int) -> int:
        size, root = await store.lock_head(conn)
        if await store.lease_number(conn) != number:
            return 0
        taken = await self._take(conn)
        if not taken:
            return 0
        edge = await store.tiles(conn, edge_of(size))
        _check_root(edge, size, root)
        drafts = sorted((draft for _, drafts in taken for draft in drafts), key=lambda draft: draft.at)
        rows, entries = _written(drafts, size)
        grown = grow(edge, size, entries)
        await store.add_records(conn, rows)
        if await store.put_tiles(conn, grown.tiles) != len(grown.tiles):
            raise _damaged()
        await store.set_head(conn, grown.size, grown.root)
        places = {id(draft): size + offset for offset, draft in enumerate(drafts)}
        for source, mine in taken:
            await source.mark(conn, [(draft, places[id(draft)]) for draft in mine])
        return len(drafts)

    async def _take(self, conn: Connection) -> list[tuple[Source, Sequence[Draft]]]:
        """Ask the sources in turn, each time another one first, so that a long backlog of one holds up no other."""
        self._turn += 1
        first = self._turn % len(self._sources) if self._sources else 0
        room, taken = self._batch, list[tuple[Source, Sequence[Draft]]]()
        for source in [*self._sources[first:], *self._sources[:first]]:
            drafts = await source.take(conn, room) if room else []
            room -= len(drafts)
            if drafts:
                taken.append((source, drafts))
        return taken

    async def _sign(self) -> None:
        """Sign the committed head where that has not been done, also after a crash between the two."""
        async with self._database.connection() as conn:
            await self._begin(conn)
        async with self._database.transaction() as conn:
            # What is signed is counted in the head: under its lock, so that a number is given once.
            await store.lock_head(conn)
            signed = await store.newest_checkpoint(conn)
            stands = await store.head(conn)
            assert stands is not None  # noqa: S101  the log has begun above
            if signed is not None and signed.size >= stands.size:
                if (signed.size, signed.root) != (stands.size, stands.root):
                    raise _damaged()
                return
            note = self._signer.sign(checkpoint_text(TreeHead(self.origin, stands.size, stands.root)))
            await store.add_checkpoint(conn, stands.size, stands.root, note, self._clock.instant())


async def kept_origin(database: Database) -> str | None:
    """Return the origin the log was begun under; None where it was not begun."""
    async with database.connection() as conn:
        found = await store.head(conn)
    return None if found is None else found.origin


def _written(drafts: Sequence[Draft], size: int) -> tuple[list[tuple[object, ...]], list[bytes]]:
    """Write drafts as rows of records, and the commitments that go into the tree."""
    salts = secrets.token_bytes(SALT_BYTES * len(drafts))
    rows: list[tuple[object, ...]] = []
    entries: list[bytes] = []
    for offset, one in enumerate(drafts):
        salt = salts[offset * SALT_BYTES : (offset + 1) * SALT_BYTES]
        entry = sha256(salt + one.body).digest()
        entries.append(entry)
        identity = (one.shop_id, size + offset, one.order_id, one.source, one.source_id, one.kind)
        rows.append((*identity, one.body, salt, entry, one.at))
    return rows, entries


async def _hashes(conn: Connection, spans: Iterable[Span]) -> list[bytes]:
    wanted = list(spans)
    held = await store.tiles(conn, tiles_of(wanted))
    return [hash_of(span, held) for span in wanted]


def _check_root(edge: dict[TileId, bytes], size: int, root: bytes) -> None:
    """Refuse to grow a tree whose tiles do not lead to its own root."""
    try:
        if hash_of(Span(0, size), edge) == root:
            return
    except TilesIncompleteError:
        pass
    raise _damaged()


def _damaged() -> LogDamaged:
    return LogDamaged(
        zh="公开日志的树与已保存的根对不上，已停止写入和签名。请运行 kabao log audit 查看。",
        en="The public log's tree contradicts its stored root or an older checkpoint, so nothing is written or signed. "
        "Run kabao log audit.",
    )
