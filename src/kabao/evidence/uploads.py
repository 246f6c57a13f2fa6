"""Uploads that come in chunks: files that may be resumed from any device, and recordings chained as they are made.

Invariants: a chunk's bytes are durable before its row is; the first bytes under a number stand, the same again are
welcome, others are refused; what was announced has its room; a crash at any point leaves an upload that can go on or
the finished item; a recording always closes with what arrived.
"""

from collections import Counter
from collections.abc import AsyncIterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import BinaryIO, Final

from kabao.evidence import rules, store
from kabao.evidence.blobs import BlobDamaged, FileSource, StorageFull, hash_of
from kabao.evidence.items import Items, spool_file, spooled
from kabao.evidence.kinds import HEAD, begins_well
from kabao.evidence.model import (
    CHUNK_BYTES,
    LIMITS,
    MAX_FILE_BYTES,
    AuthorRole,
    Chunk,
    Giver,
    Item,
    ItemKind,
    MediaType,
    RecordingEnd,
    Upload,
    UploadState,
    UploadView,
)
from kabao.evidence.ports import NotBefore, nothing_logged
from kabao.kernel import Clock, IdSource, Refusal, Refused
from kabao.postgres import Connection, Database

STALE: Final = timedelta(hours=24)
"""How long an upload waits for its next chunk."""
MAX_CHUNKS: Final = 100_000
LARGEST_ID: Final = 2**63 - 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_FOUND: Final = Refused(Refusal.NOT_FOUND)
_ENDED: Final = Refused(Refusal.UPLOAD_ENDED)
_HOPELESS: Final = frozenset(
    {
        Refusal.FILE_TYPE_UNKNOWN,
        Refusal.FILE_NAME_MISLEADS,
        Refusal.FILE_UNREADABLE,
        Refusal.FILE_TOO_LARGE,
        Refusal.FILE_ALREADY_THERE,
    }
)
"""What no further chunk can mend: the upload ends with it."""


class UploadService:
    """Takes chunks, and makes an item of them."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ids: IdSource,
        items: Items,
        not_before: NotBefore = nothing_logged,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._items = items
        self._not_before = not_before
        self._closing: Counter[int] = Counter()

    async def open(self, giver: Giver, kind: ItemKind, file_name: str, byte_size: int) -> Upload | Refused:
        """Begin an upload; `byte_size` of a recording is not known and ignored.

        Refuses FILE_EMPTY, FILE_TOO_LARGE, NOT_FOUND, and with what is under way TOO_MANY_FILES (40 and 2 GiB a side),
        FILES_BEFORE_PAYMENT (10 MiB a side), FILES_TODAY_FULL (4 GiB an account over all orders in 24 hours).
        """
        is_recording = kind is ItemKind.RECORDING
        if not is_recording and byte_size <= 0:
            return Refused(Refusal.FILE_EMPTY)
        if not is_recording and byte_size > MAX_FILE_BYTES:
            return Refused(Refusal.FILE_TOO_LARGE)
        note = await self._not_before() if is_recording else b""
        at = self._clock.instant()
        async with self._database.transaction() as conn:
            await store.lock_giver(conn, giver.account_id)
            why = await store.why_not_added(conn, giver.shop_id, giver.order_id, b"", giver.account_id, giver.role, at)
            if not why.order_exists:
                return _NOT_FOUND
            used = why.used(is_announced=False)
            room = rules.room_left(is_paid=why.is_paid, side_bytes=used.side_bytes, day_bytes=used.day_bytes)
            # A recording may grow as far as there is room now, so that it can always be closed.
            announced = max(1, min(room, MAX_FILE_BYTES)) if is_recording else byte_size
            refused = rules.why_no_room(is_paid=why.is_paid, wanted=announced, **used._asdict())
            if refused is not None:
                return refused
            wanted = Upload(
                upload_id=self._ids.next(),
                case_id=giver.case_id,
                kind=kind,
                file_name=rules.clean_file_name(file_name),
                byte_size=announced,
                chunk_bytes=CHUNK_BYTES,
                not_before=note,
                given_by=giver.account_id,
                given_role=giver.role,
                opened_at=_EPOCH,
                state=UploadState.OPEN,
            )
            return await store.open_upload(conn, giver.shop_id, giver.order_id, wanted, at) or _NOT_FOUND

    async def put(
        self, giver: Giver, upload_id: int, seq: int, digest: bytes, stream: AsyncIterable[bytes]
    ) -> Chunk | Refused:
        """Keep chunk `seq` (from 1) with the SHA-256 its sender says it has.

        Every chunk of a file but the last has `chunk_bytes` bytes; a recording's have at most that many and come one
        behind the other. Refuses NOT_FOUND, UPLOAD_ENDED, CHUNK_DAMAGED, CHUNK_CONTRADICTS, CHUNK_TOO_EARLY,
        FILE_TYPE_UNKNOWN and FILE_TOO_LARGE by the first chunk (which ends a file's upload), FILE_TOO_LARGE of a
        recording, STORAGE_FULL.
        """
        upload = await self._upload(giver, upload_id)
        if isinstance(upload, Refused):
            return upload
        with spool_file() as spool:
            size = await _received(upload, seq, digest, stream, spool)
            refused = size if isinstance(size, Refused) else await self._why_not(giver, upload, seq, digest, size)
            if refused is not None or isinstance(size, Refused):
                if refused is not None and refused.code in _HOPELESS:
                    await self._give_up(giver, upload)
                return refused or _NOT_FOUND
            try:
                # Also where it is there already: what the store may have lost is put right.
                await self._items.blobs.put_chunk(_place(giver, upload_id), seq, digest, spool)
            except StorageFull:
                return Refused(Refusal.STORAGE_FULL)
        kept = await self._note(giver, upload, seq, digest, size)
        if isinstance(kept, Refused) and kept.code is Refusal.UPLOAD_ENDED:
            # It ended while this came, after its chunks were removed.
            await self._items.blobs.drop_chunks(_place(giver, upload_id))
        return kept

    async def see(self, giver: Giver, upload_id: int) -> UploadView | Refused:
        """Return an upload of one's own with what has arrived; NOT_FOUND."""
        upload = await self._upload(giver, upload_id)
        if isinstance(upload, Refused):
            return upload
        async with self._database.connection() as conn:
            return UploadView(upload=upload, chunks=await store.chunks(conn, giver.shop_id, giver.order_id, upload_id))

    async def unfinished(self, giver: Giver) -> list[UploadView]:
        """Return one's open uploads of an order, oldest first."""
        async with self._database.connection() as conn:
            found = await store.open_uploads(conn, giver.shop_id, giver.order_id, giver.account_id)
            return [
                UploadView(
                    upload=upload,
                    chunks=await store.chunks(conn, giver.shop_id, giver.order_id, upload.upload_id),
                )
                for upload in found
            ]

    async def finish(self, giver: Giver, upload_id: int, chunks: int, digest: bytes | None = None) -> Item | Refused:
        """Make an item of an upload; doing it again answers the same item.

        `chunks` is how many there are; `digest` the SHA-256 of the whole where its sender knows it. Refuses NOT_FOUND,
        UPLOAD_ENDED, CHUNKS_MISSING, and what `Items.add_file` refuses.
        """
        self._closing[upload_id] += 1
        try:
            return await self._finish(giver, upload_id, chunks, digest, is_cut=False)
        finally:
            self._closing[upload_id] -= 1
            self._closing += Counter()  # what stands at nothing goes

    async def cancel(self, giver: Giver, upload_id: int) -> Refused | None:
        """Give an upload up and remove what came of it; refuses NOT_FOUND, UPLOAD_ENDED for a finished one.

        One that is being finished is as good as finished: a file given up while it is put together would stay in the
        store, counted by nobody.
        """
        upload = await self._upload(giver, upload_id)
        if isinstance(upload, Refused):
            return upload
        if upload.state is UploadState.FINISHED or upload_id in self._closing:
            return _ENDED
        await self._abandon(giver, upload_id)
        return None

    async def sweep(self, limit: int = 50) -> int:
        """End uploads that nothing came for in 24 hours, remove chunks nobody needs; returns how many were ended.

        A file's is given up; a recording is closed with what arrived, as cut.
        """
        async with self._database.connection() as conn:
            stale = await store.stale_uploads(conn, self._clock.instant(), STALE, limit)
        for old in stale:
            giver = Giver(
                shop_id=old.shop_id,
                order_id=old.order_id,
                case_id=None,
                account_id=old.given_by,
                role=AuthorRole(old.given_role),
            )
            await self._end_stale(giver, old.upload_id, ItemKind(old.kind))
        async with self._database.connection() as conn:
            ended = await store.uncleared_uploads(conn, limit)
        for place in ended:
            await self._clear(place)
        await self._items.blobs.drop_incoming(STALE)
        return len(stale)

    # ---------------------------------------------------------------- within

    async def _upload(self, giver: Giver, upload_id: int) -> Upload | Refused:
        if not 0 < upload_id <= LARGEST_ID:
            return _NOT_FOUND
        async with self._database.connection() as conn:
            found = await store.find_upload(conn, giver.shop_id, giver.order_id, upload_id, giver.account_id)
        return found or _NOT_FOUND

    async def _give_up(self, giver: Giver, upload: Upload) -> None:
        """End a file that began as nothing that is taken, unless a good beginning of it is there already."""
        async with self._database.connection() as conn:
            begun = await store.find_chunk(conn, giver.shop_id, giver.order_id, upload.upload_id, 1)
        if upload.kind is ItemKind.FILE and begun is None:
            await self._abandon(giver, upload.upload_id)

    async def _why_not(self, giver: Giver, upload: Upload, seq: int, digest: bytes, size: int) -> Refused | None:
        async with self._database.connection() as conn:
            there = await store.find_chunk(conn, giver.shop_id, giver.order_id, upload.upload_id, seq)
            if there is not None:
                return None if there.digest == digest else Refused(Refusal.CHUNK_CONTRADICTS)
            if upload.kind is ItemKind.FILE:
                return None
            if await self._head_before(conn, giver, upload, seq) is None:
                return Refused(Refusal.CHUNK_TOO_EARLY)
            arrived = await store.arrived_bytes(conn, giver.shop_id, giver.order_id, upload.upload_id)
        return Refused(Refusal.FILE_TOO_LARGE) if arrived + size > upload.byte_size else None

    async def _head_before(self, conn: Connection, giver: Giver, upload: Upload, seq: int) -> bytes | None:
        if seq == 1:
            return rules.first_head(upload.not_before)
        before = await store.find_chunk(conn, giver.shop_id, giver.order_id, upload.upload_id, seq - 1)
        return None if before is None else before.head

    async def _note(self, giver: Giver, upload: Upload, seq: int, digest: bytes, size: int) -> Chunk | Refused:
        place = giver.shop_id, giver.order_id, upload.upload_id
        async with self._database.connection() as conn:
            head = None
            if upload.kind is ItemKind.RECORDING:
                before = await self._head_before(conn, giver, upload, seq)
                head = rules.next_head(before or b"", digest, seq)
            kept = await store.add_chunk(conn, *place, seq, digest, size, head, self._clock.instant())
            if kept is not None:
                return kept
            there = await store.find_chunk(conn, *place, seq)
        if there is None:
            return _ENDED
        return there if there.digest == digest else Refused(Refusal.CHUNK_CONTRADICTS)

    async def _finish(
        self, giver: Giver, upload_id: int, chunks: int, digest: bytes | None, *, is_cut: bool
    ) -> Item | Refused:
        seen = await self.see(giver, upload_id)
        if isinstance(seen, Refused):
            return seen
        upload = seen.upload
        if upload.state is not UploadState.OPEN:
            return await self._ended(giver, upload)
        missing = _missing(seen, chunks)
        if missing:
            return Refused(Refusal.CHUNKS_MISSING, {"chunks": f"缺第 {missing} 段。"})
        giver = Giver(
            shop_id=giver.shop_id,
            order_id=giver.order_id,
            case_id=upload.case_id,
            account_id=giver.account_id,
            role=upload.given_role,
        )
        source = self._items.blobs.chunks(_place(giver, upload_id), seen.chunks)
        recording = await self._end_of(seen, is_cut=is_cut) if upload.kind is ItemKind.RECORDING else None
        try:
            item = await self._items.take(
                giver, source, upload.file_name, upload_id=upload_id, recording=recording, digest=digest
            )
        except (BlobDamaged, FileNotFoundError):
            # Either another finished it and removed the chunks, or the store lost one.
            item = Refused(Refusal.CHUNKS_MISSING, {"chunks": "存储里有一段坏了，请把各段再传一遍。"})
        if isinstance(item, Item):
            await self._clear(store.Place(giver.shop_id, giver.order_id, upload_id))
            return item
        now = await self._upload(giver, upload_id)
        if isinstance(now, Upload) and now.state is UploadState.FINISHED:
            return await self._ended(giver, now)
        if item.code in _HOPELESS:
            await self._abandon(giver, upload_id)
        is_longer = item.code is Refusal.CHUNKS_MISSING and not is_cut and await self._has_grown(giver, seen)
        return await self._finish(giver, upload_id, chunks, digest, is_cut=False) if is_longer else item

    async def _has_grown(self, giver: Giver, seen: UploadView) -> bool:
        async with self._database.connection() as conn:
            now = await store.chunks(conn, giver.shop_id, giver.order_id, seen.upload.upload_id)
        return len(now) > len(seen.chunks)

    async def _ended(self, giver: Giver, upload: Upload) -> Item | Refused:
        if upload.item_id is None:
            return _ENDED
        return await self._items.item(giver.shop_id, giver.order_id, upload.item_id)

    async def _end_of(self, seen: UploadView, *, is_cut: bool) -> RecordingEnd:
        async with self._database.connection() as conn:
            closed_at = await store.instant(conn, self._clock.instant())
        last = seen.chunks[-1]
        return RecordingEnd(
            not_before=seen.upload.not_before.decode("utf-8", errors="replace"),
            head=(last.head or b"").hex(),
            chunks=len(seen.chunks),
            opened_at=seen.upload.opened_at,
            # A cut recording ended when its last chunk came, whenever that is found out.
            closed_at=last.received_at if is_cut else closed_at,
            is_cut=is_cut,
        )

    async def _end_stale(self, giver: Giver, upload_id: int, kind: ItemKind) -> None:
        seen = await self.see(giver, upload_id)
        if kind is ItemKind.RECORDING and isinstance(seen, UploadView) and seen.chunks:
            item = await self._finish(giver, upload_id, len(seen.chunks), None, is_cut=True)
            # With the store full, or a chunk unreadable (a disk that is not mounted has none), the recording waits; for
            # any other reason nothing can come of it.
            if isinstance(item, Item) or item.code in {Refusal.STORAGE_FULL, Refusal.CHUNKS_MISSING}:
                return
        # What came to life again meanwhile goes on.
        await self._abandon(giver, upload_id, idle=STALE)

    async def _abandon(self, giver: Giver, upload_id: int, *, idle: timedelta | None = None) -> None:
        place = store.Place(giver.shop_id, giver.order_id, upload_id)
        at = self._clock.instant()
        async with self._database.connection() as conn:
            is_ours = await store.abandon_upload(conn, place.shop_id, place.order_id, upload_id, at, idle)
        if is_ours:
            await self._clear(place)

    async def _clear(self, place: store.Place) -> None:
        await self._items.blobs.drop_chunks((place.shop_id, place.order_id, place.object_id))
        async with self._database.connection() as conn:
            await store.clear_upload(conn, place)


def _place(giver: Giver, upload_id: int) -> tuple[int, int, int]:
    return giver.shop_id, giver.order_id, upload_id


async def _received(
    upload: Upload, seq: int, digest: bytes, stream: AsyncIterable[bytes], spool: BinaryIO
) -> int | Refused:
    """Take a chunk's bytes into a temporary file and return how many; refuses those that are not what they should."""
    if upload.state is not UploadState.OPEN:
        return _ENDED
    is_file = upload.kind is ItemKind.FILE
    exact = rules.chunk_size(upload.byte_size, upload.chunk_bytes, seq) if is_file else 0
    if not 0 < seq <= MAX_CHUNKS or (is_file and exact == 0):
        return _NOT_FOUND
    refused = await spooled(stream, spool, upload.chunk_bytes)
    if refused is not None and refused.code is Refusal.STORAGE_FULL:
        return refused
    source = FileSource(spool)
    if refused is not None or source.size != (exact or source.size or -1) or hash_of(source) != digest:
        return Refused(Refusal.CHUNK_DAMAGED)
    wrong = _why_not_begun(upload, source.read(0, HEAD)) if seq == 1 else None
    return source.size if wrong is None else Refused(wrong)


def _why_not_begun(upload: Upload, head: bytes) -> Refusal | None:
    """Say by its first bytes why nothing that is taken can come of an upload, before the rest is sent for nothing."""
    looks = rules.looks_like(head)
    if upload.kind is ItemKind.RECORDING and looks not in {MediaType.WEBM, MediaType.MP4}:
        return Refusal.FILE_TYPE_UNKNOWN
    if looks is None or not begins_well(head):
        return Refusal.FILE_TYPE_UNKNOWN
    is_too_large = upload.kind is ItemKind.FILE and upload.byte_size > LIMITS[looks]
    return Refusal.FILE_TOO_LARGE if is_too_large else None


def _missing(seen: UploadView, chunks: int) -> str:
    """Name the chunks that are not there, as ``2、4-7``; empty where all are."""
    upload = seen.upload
    wanted = -(-upload.byte_size // upload.chunk_bytes) if upload.kind is ItemKind.FILE else max(chunks, 1)
    if chunks != wanted:
        return str(max(1, min(chunks, wanted)))
    there = [0, *(chunk.seq for chunk in seen.chunks), wanted + 1]
    holes = [(before + 1, after - 1) for before, after in pairwise(there) if after - before > 1]
    return "、".join(f"{first}" if first == last else f"{first}-{last}" for first, last in holes[:20])
