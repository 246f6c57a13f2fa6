"""Uploads by chunk: in any order, twice, from two devices, after any break; recordings chained as they come."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from obstore.exceptions import GenericError
from obstore.store import LocalStore, ObjectStore

from dispute import code
from kabao.evidence import (
    AuthorRole,
    Chunk,
    EvidenceService,
    Giver,
    Item,
    ItemKind,
    MediaType,
    SealedFile,
    Upload,
    UploadState,
    UploadView,
)
from kabao.evidence.blobs import write_whole
from kabao.evidence.model import CHUNK_BYTES, MAX_BYTES_PER_SIDE, MAX_FILE_BYTES, MAX_FILES_PER_SIDE
from kabao.evidence.rules import blob_path, breaks_in_chain, first_head, gaps_of, next_head
from kabao.kernel import FixedClock, IdSource, Refusal, Refused, digest_of
from kabao.postgres import Database
from market import NOON, Market, paid_order, seed_market
from media import film, picture, webm

NOTE = b"kabao.example/log\n41\nAAAA\n\n"
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
FILM = film(media=2 * CHUNK_BYTES)
"""Three chunks."""


async def not_before() -> bytes:
    return NOTE


class Bench:
    """An order, its buyer, and the services on a store that can be full."""

    def __init__(self, database: Database, market: Market, order_id: int, folder: Path) -> None:
        self.database, self.market, self.order_id, self.folder = database, market, order_id, folder
        self.clock = FixedClock(NOON)
        self.is_full = False
        self.evidence = EvidenceService(
            database=database,
            clock=self.clock,
            ids=IdSource(),
            blobs=LocalStore(folder, mkdir=True),
            write=self._write,
            not_before=not_before,
        )
        self.uploads = self.evidence.uploads
        self.buyer = self.giver()

    def _write(self, store: ObjectStore, path: str, pieces: Iterable[bytes]) -> None:
        if self.is_full:
            raise GenericError("Unable to copy data to file: No space left on device (os error 28)")
        write_whole(store, path, pieces)

    def giver(self, account_id: int = 5, role: AuthorRole = AuthorRole.BUYER, order_id: int = 0) -> Giver:
        return Giver(
            shop_id=self.market.shop_id,
            order_id=order_id or self.order_id,
            case_id=None,
            account_id=account_id,
            role=role,
        )

    async def begun(self, content: bytes = FILM, name: str = "录屏.mp4", giver: Giver | None = None) -> Upload:
        opened = await self.uploads.open(giver or self.buyer, ItemKind.FILE, name, len(content))
        assert isinstance(opened, Upload), opened
        return opened

    async def recording(self) -> Upload:
        opened = await self.uploads.open(self.buyer, ItemKind.RECORDING, "录制", 0)
        assert isinstance(opened, Upload), opened
        return opened

    async def put(
        self, upload: Upload, seq: int, content: bytes, *, digest: bytes = b"", giver: Giver | None = None
    ) -> Chunk | Refused:
        digest = digest or digest_of(content)
        return await self.uploads.put(giver or self.buyer, upload.upload_id, seq, digest, parts(content))

    async def send(self, upload: Upload, content: bytes, order: Iterable[int] = ()) -> None:
        chunks = cut(content)
        for seq in order or range(1, len(chunks) + 1):
            kept = await self.put(upload, seq, chunks[seq - 1])
            assert isinstance(kept, Chunk), kept

    async def finish(self, upload: Upload, chunks: int = 3, digest: bytes | None = None) -> Item | Refused:
        return await self.uploads.finish(self.buyer, upload.upload_id, chunks, digest)

    async def state(self, upload: Upload) -> UploadView:
        seen = await self.uploads.see(self.buyer, upload.upload_id)
        assert isinstance(seen, UploadView), seen
        return seen

    async def whole(self, item: Item, start: int = 0, end: int | None = None) -> bytes:
        sealed = await self.evidence.original(self.market.shop_id, self.order_id, item.item_id, 5, "buyer")
        assert isinstance(sealed, SealedFile), sealed
        return b"".join([piece async for piece in self.evidence.read(sealed, start, end)])

    def left(self) -> list[Path]:
        """What lies in the store beside whole blobs."""
        return [path for part in ("uploads", "incoming") for path in self.folder.glob(f"{part}/**/*") if path.is_file()]


async def parts(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, max(len(content), 1), 65536):
        yield content[start : start + 65536]


def cut(content: bytes) -> list[bytes]:
    return [content[start : start + CHUNK_BYTES] for start in range(0, len(content), CHUNK_BYTES)]


@pytest.fixture
async def bench(database: Database, tmp_path: Path) -> Bench:
    market = await seed_market(database)
    return Bench(database, market, await paid_order(database, market), tmp_path / "blobs")


def taken(answer: Item | Refused) -> Item:
    assert isinstance(answer, Item), answer
    return answer


async def test_a_film_in_chunks_becomes_one_item_byte_for_byte(bench: Bench) -> None:
    upload = await bench.begun()
    assert (upload.chunk_bytes, upload.not_before) == (CHUNK_BYTES, b"")
    await bench.send(upload, FILM)
    item = taken(await bench.finish(upload, 3, digest_of(FILM)))
    assert (item.item_no, item.media_type, item.byte_size, item.digest) == (
        1,
        MediaType.MP4,
        len(FILM),
        digest_of(FILM),
    )
    assert (item.kind, item.preview_digest, item.facts.millis) == (ItemKind.FILE, None, 90_500)
    assert await bench.whole(item) == FILM
    assert await bench.whole(item, CHUNK_BYTES - 5, CHUNK_BYTES + 5) == FILM[CHUNK_BYTES - 5 : CHUNK_BYTES + 5]
    assert bench.left() == []
    assert (await bench.state(upload)).upload.item_id == item.item_id


async def test_chunks_come_in_any_order_and_twice(bench: Bench) -> None:
    upload = await bench.begun()
    await bench.send(upload, FILM, [3, 1, 1, 2, 3])
    assert [chunk.seq for chunk in (await bench.state(upload)).chunks] == [1, 2, 3]
    assert taken(await bench.finish(upload)).digest == digest_of(FILM)


async def test_two_devices_send_one_file_together(bench: Bench) -> None:
    upload, chunks = await bench.begun(), cut(FILM)
    answers = await asyncio.gather(*(bench.put(upload, seq, chunks[seq - 1]) for seq in (1, 2, 3, 3, 2, 1)))
    assert all(isinstance(answer, Chunk) for answer in answers)
    ends = await asyncio.gather(*(bench.finish(upload) for _ in range(3)))
    assert len({taken(end).item_id for end in ends}) == 1
    assert len(await bench.evidence.items(bench.market.shop_id, bench.order_id)) == 1


async def test_other_bytes_under_a_taken_number_are_refused(bench: Bench) -> None:
    upload, chunks = await bench.begun(), cut(FILM)
    await bench.send(upload, FILM, [2])
    other = chunks[1][:-1] + b"x"
    assert code(await bench.put(upload, 2, other)) is Refusal.CHUNK_CONTRADICTS
    both = await asyncio.gather(bench.put(upload, 1, chunks[0]), bench.put(upload, 1, chunks[0][:-1] + b"x"))
    assert [code(answer) for answer in both if isinstance(answer, Refused)] == [Refusal.CHUNK_CONTRADICTS]


@pytest.mark.parametrize(
    ("seq", "content", "why"),
    [
        (1, cut(FILM)[0][:-1], Refusal.CHUNK_DAMAGED),
        (1, cut(FILM)[0] + b"x", Refusal.CHUNK_DAMAGED),
        (3, b"", Refusal.CHUNK_DAMAGED),
        (4, b"x", Refusal.NOT_FOUND),
        (0, b"x", Refusal.NOT_FOUND),
        (1, bytes(CHUNK_BYTES), Refusal.FILE_TYPE_UNKNOWN),
    ],
)
async def test_a_chunk_that_is_not_what_it_should_be_is_refused(
    bench: Bench, seq: int, content: bytes, why: Refusal
) -> None:
    upload = await bench.begun()
    assert code(await bench.put(upload, seq, content)) is why
    assert ((await bench.state(upload)).upload.state is UploadState.ABANDONED) is (why is Refusal.FILE_TYPE_UNKNOWN)
    assert bench.left() == []


async def test_a_chunk_with_a_wrong_digest_is_refused_and_can_be_sent_again(bench: Bench) -> None:
    upload = await bench.begun()
    assert code(await bench.put(upload, 1, cut(FILM)[0], digest=bytes(32))) is Refusal.CHUNK_DAMAGED
    await bench.send(upload, FILM)
    assert code(await bench.put(upload, 1, bytes(CHUNK_BYTES))) is Refusal.FILE_TYPE_UNKNOWN
    assert code(await bench.finish(upload, 3, bytes(32))) is Refusal.INVALID_FIELDS
    assert taken(await bench.finish(upload))


async def test_nothing_is_finished_before_everything_is_there(bench: Bench) -> None:
    upload = await bench.begun()
    answer = await bench.finish(upload)
    assert isinstance(answer, Refused)
    assert (answer.code, answer.fields) == (Refusal.CHUNKS_MISSING, {"chunks": "缺第 1-3 段。"})
    await bench.send(upload, FILM, [2])
    answer = await bench.finish(upload)
    assert isinstance(answer, Refused)
    assert answer.fields == {"chunks": "缺第 1、3 段。"}
    assert code(await bench.finish(upload, 2)) is Refusal.CHUNKS_MISSING


async def test_a_full_store_leaves_an_upload_that_goes_on(bench: Bench) -> None:
    upload = await bench.begun()
    await bench.send(upload, FILM, [1, 2])
    bench.is_full = True
    assert code(await bench.put(upload, 3, cut(FILM)[2])) is Refusal.STORAGE_FULL
    bench.is_full = False
    await bench.send(upload, FILM, [3])
    bench.is_full = True
    assert code(await bench.finish(upload)) is Refusal.STORAGE_FULL
    bench.is_full = False
    assert taken(await bench.finish(upload)).digest == digest_of(FILM)


async def test_a_chunk_the_store_lost_or_changed_is_noticed_and_can_be_sent_again(bench: Bench) -> None:
    upload = await bench.begun()
    await bench.send(upload, FILM)
    first, second, _ = sorted(bench.left())
    first.unlink()
    assert code(await bench.finish(upload)) is Refusal.CHUNKS_MISSING
    await bench.send(upload, FILM, [1])
    second.write_bytes(second.read_bytes()[:-1] + b"x")
    assert code(await bench.finish(upload)) is Refusal.CHUNKS_MISSING
    await bench.send(upload, FILM, [2])
    assert taken(await bench.finish(upload)).digest == digest_of(FILM)


async def test_a_crash_before_the_row_leaves_an_upload_and_after_it_an_item(bench: Bench) -> None:
    upload = await bench.begun()
    await bench.send(upload, FILM)
    # What a crash between storing and writing the row leaves: the blob is there, the row is not.
    blob = bench.folder / blob_path(digest_of(FILM))
    blob.parent.mkdir(parents=True)
    blob.write_bytes(FILM[:100])
    item = taken(await bench.finish(upload))
    assert await bench.whole(item) == FILM
    # And one right after the row: chunks still lie there, which the next sweep removes.
    again = bench.folder / f"uploads/{bench.market.shop_id}/{bench.order_id}/{upload.upload_id}/00000001-ab"
    again.parent.mkdir(parents=True, exist_ok=True)
    again.write_bytes(b"x")
    await bench.database.execute("UPDATE evidence_upload SET is_cleared = false")
    await bench.uploads.sweep()
    assert bench.left() == []
    assert taken(await bench.finish(upload)) == item


async def test_a_damaged_original_never_arrives_whole(bench: Bench) -> None:
    upload = await bench.begun()
    await bench.send(upload, FILM)
    item = taken(await bench.finish(upload))
    blob = bench.folder / blob_path(item.digest)
    blob.write_bytes(FILM[:-1] + b"x")
    with pytest.raises(Exception, match=item.digest.hex()):
        await bench.whole(item)


@pytest.mark.parametrize(
    ("size", "why"),
    [(0, Refusal.FILE_EMPTY), (-1, Refusal.FILE_EMPTY), (5 * 10**9, Refusal.FILE_TOO_LARGE)],
)
async def test_an_empty_or_huge_file_is_refused_before_a_byte_comes(bench: Bench, size: int, why: Refusal) -> None:
    assert code(await bench.uploads.open(bench.buyer, ItemKind.FILE, "录屏.mp4", size)) is why


async def test_what_is_announced_has_its_room_and_no_more(bench: Bench) -> None:
    for _ in range(MAX_BYTES_PER_SIDE // MAX_FILE_BYTES):
        assert isinstance(await bench.uploads.open(bench.buyer, ItemKind.FILE, "a.mp4", MAX_FILE_BYTES), Upload)
    assert code(await bench.uploads.open(bench.buyer, ItemKind.FILE, "a.mp4", 1)) is Refusal.TOO_MANY_FILES
    assert code(await bench.uploads.open(bench.buyer, ItemKind.RECORDING, "录制", 0)) is Refusal.TOO_MANY_FILES
    form = await bench.evidence.add_file(
        bench.market.shop_id, bench.order_id, None, 5, AuthorRole.BUYER, "a", parts(b"one more")
    )
    assert code(form) is Refusal.TOO_MANY_FILES
    merchant = bench.giver(6, AuthorRole.MERCHANT)
    assert isinstance(await bench.uploads.open(merchant, ItemKind.FILE, "a.mp4", 1), Upload)
    assert code(await bench.uploads.open(bench.giver(order_id=9), ItemKind.FILE, "a", 1)) is Refusal.NOT_FOUND


async def test_a_side_has_forty_files_with_those_under_way(bench: Bench) -> None:
    uploads = [await bench.begun(b"x") for _ in range(MAX_FILES_PER_SIDE)]
    assert code(await bench.uploads.open(bench.buyer, ItemKind.FILE, "a", 1)) is Refusal.TOO_MANY_FILES
    assert await bench.uploads.cancel(bench.buyer, uploads[0].upload_id) is None
    assert isinstance(await bench.uploads.open(bench.buyer, ItemKind.FILE, "a", 1), Upload)


async def test_an_upload_is_its_beginners_alone(bench: Bench) -> None:
    upload = await bench.begun()
    await bench.send(upload, FILM, [1])
    for stranger in (bench.giver(6, AuthorRole.MERCHANT), bench.giver(7), bench.giver(8, AuthorRole.SUPPORT)):
        assert code(await bench.uploads.see(stranger, upload.upload_id)) is Refusal.NOT_FOUND
        assert code(await bench.put(upload, 2, cut(FILM)[1], giver=stranger)) is Refusal.NOT_FOUND
        assert code(await bench.uploads.finish(stranger, upload.upload_id, 3)) is Refusal.NOT_FOUND
        assert code(await bench.uploads.cancel(stranger, upload.upload_id)) is Refusal.NOT_FOUND
        assert await bench.uploads.unfinished(stranger) == []
    assert [view.upload.upload_id for view in await bench.uploads.unfinished(bench.buyer)] == [upload.upload_id]


async def test_what_is_cancelled_is_gone_and_takes_no_more(bench: Bench) -> None:
    upload = await bench.begun()
    await bench.send(upload, FILM, [1])
    assert await bench.uploads.cancel(bench.buyer, upload.upload_id) is None
    assert await bench.uploads.cancel(bench.buyer, upload.upload_id) is None
    assert bench.left() == []
    assert code(await bench.put(upload, 2, cut(FILM)[1])) is Refusal.UPLOAD_ENDED
    assert code(await bench.finish(upload)) is Refusal.UPLOAD_ENDED


async def test_a_finished_upload_cannot_be_cancelled(bench: Bench) -> None:
    upload = await bench.begun()
    await bench.send(upload, FILM)
    item = taken(await bench.finish(upload))
    assert code(await bench.uploads.cancel(bench.buyer, upload.upload_id)) is Refusal.UPLOAD_ENDED
    assert code(await bench.put(upload, 1, cut(FILM)[0])) is Refusal.UPLOAD_ENDED
    assert await bench.whole(item) == FILM


@pytest.mark.parametrize(
    ("content", "name", "why"),
    [
        (picture("PNG")[:-1], "a.png", Refusal.FILE_UNREADABLE),
        (picture("PNG"), "a.mp4", Refusal.FILE_NAME_MISLEADS),
        (b"a" * (5 * 1024 * 1024 + 1), "a.txt", Refusal.FILE_TOO_LARGE),
    ],
)
async def test_what_turns_out_to_be_nothing_of_worth_ends_its_upload(
    bench: Bench, content: bytes, name: str, why: Refusal
) -> None:
    upload = await bench.begun(content, name)
    first = await bench.put(upload, 1, cut(content)[0])
    assert code(first if isinstance(first, Refused) else await bench.finish(upload, 1)) is why
    assert (await bench.state(upload)).upload.state is UploadState.ABANDONED
    assert bench.left() == []


async def test_a_picture_that_cannot_be_drawn_ends_its_upload(bench: Bench) -> None:
    content = b"\x89PNG\r\n\x1a\n\0\0\0\0IEND1234"
    upload = await bench.begun(content, "a.png")
    await bench.send(upload, content)
    assert code(await bench.finish(upload, 1)) is Refusal.FILE_UNREADABLE
    assert (await bench.state(upload)).upload.state is UploadState.ABANDONED


async def test_a_large_film_with_another_digest_is_not_kept(bench: Bench) -> None:
    content = film(media=13 * CHUNK_BYTES)
    upload = await bench.begun(content)
    await bench.send(upload, content)
    assert code(await bench.finish(upload, 14, bytes(32))) is Refusal.INVALID_FIELDS
    assert not (bench.folder / blob_path(digest_of(content))).exists()
    assert taken(await bench.finish(upload, 14, digest_of(content))).byte_size == len(content)
    assert bench.left() == []


async def test_the_same_file_a_second_time_is_refused(bench: Bench) -> None:
    content = picture("PNG")
    for number in range(2):
        upload = await bench.begun(content, "a.png")
        await bench.send(upload, content)
        answer = await bench.finish(upload, 1)
        assert isinstance(answer, Item) == (number == 0)
    assert code(answer) is Refusal.FILE_ALREADY_THERE


async def test_files_nobody_goes_on_with_are_swept_after_a_day(bench: Bench) -> None:
    upload = await bench.begun()
    await bench.send(upload, FILM, [1])
    bench.clock.advance(23 * HOUR)
    assert await bench.uploads.sweep() == 0
    await bench.send(upload, FILM, [2])
    bench.clock.advance(23 * HOUR)
    assert await bench.uploads.sweep() == 0
    bench.clock.advance(2 * HOUR)
    assert await bench.uploads.sweep() == 1
    assert (await bench.state(upload)).upload.state is UploadState.ABANDONED
    assert bench.left() == []


# ---------------------------------------------------------------- recordings

PIECES = [webm(live=True)[:150], webm(live=True)[150:250], webm(live=True)[250:]]


async def test_a_recording_is_chained_from_the_checkpoint_on(bench: Bench) -> None:
    upload = await bench.recording()
    assert upload.not_before == NOTE
    head = hashlib.sha256(b"kabao-recording/1\n" + NOTE).digest()
    assert head == first_head(NOTE)
    for seq, piece in enumerate(PIECES, 1):
        bench.clock.advance(5 * SECOND)
        kept = await bench.put(upload, seq, piece)
        assert isinstance(kept, Chunk)
        head = hashlib.sha256(head + digest_of(piece) + seq.to_bytes(4, "big")).digest()
        assert (kept.head, kept.received_at) == (head, NOON + seq * 5 * SECOND)
    item = taken(await bench.finish(upload))
    assert (item.kind, item.media_type, item.digest) == (
        ItemKind.RECORDING,
        MediaType.WEBM,
        digest_of(webm(live=True)),
    )
    assert item.recording is not None
    assert (item.recording.head, item.recording.chunks, item.recording.is_cut) == (head.hex(), 3, False)
    assert item.recording.not_before.encode() == NOTE
    chain = await bench.evidence.recording(bench.market.shop_id, bench.order_id, item.item_id)
    assert breaks_in_chain(NOTE, chain) == []
    assert gaps_of(upload.opened_at, chain) == []


async def test_a_recording_comes_one_chunk_behind_the_other(bench: Bench) -> None:
    upload = await bench.recording()
    assert code(await bench.put(upload, 2, PIECES[1])) is Refusal.CHUNK_TOO_EARLY
    first = await bench.put(upload, 1, PIECES[0])
    assert await bench.put(upload, 1, PIECES[0]) == first
    assert code(await bench.put(upload, 1, PIECES[1][::-1] + b"x")) in {
        Refusal.CHUNK_CONTRADICTS,
        Refusal.FILE_TYPE_UNKNOWN,
    }
    assert isinstance(await bench.put(upload, 2, PIECES[1]), Chunk)


async def test_a_broken_line_leaves_a_gap_that_is_named(bench: Bench) -> None:
    upload = await bench.recording()
    for seq, pause in ((1, 5), (2, 40), (3, 15)):
        bench.clock.advance(pause * SECOND)
        await bench.put(upload, seq, PIECES[seq - 1])
    chunks = (await bench.state(upload)).chunks
    assert [(gap.seq, gap.millis) for gap in gaps_of(upload.opened_at, chunks)] == [(2, 40_000)]


async def test_a_recording_that_breaks_off_is_closed_with_what_arrived(bench: Bench) -> None:
    upload = await bench.recording()
    for seq in (1, 2):
        bench.clock.advance(5 * SECOND)
        await bench.put(upload, seq, PIECES[seq - 1])
    bench.clock.advance(25 * HOUR)
    assert await bench.uploads.sweep() == 1
    item = taken(await bench.finish(upload))
    assert item.recording is not None
    assert (item.recording.is_cut, item.recording.chunks) == (True, 2)
    assert item.recording.closed_at == NOON + 10 * SECOND
    assert await bench.whole(item) == PIECES[0] + PIECES[1]
    chain = await bench.evidence.recording(bench.market.shop_id, bench.order_id, item.item_id)
    assert breaks_in_chain(NOTE, chain) == []
    assert (
        item.recording.head == next_head(next_head(first_head(NOTE), digest_of(PIECES[0]), 1), chain[1].digest, 2).hex()
    )


async def test_an_empty_recording_is_given_up(bench: Bench) -> None:
    upload = await bench.recording()
    bench.clock.advance(25 * HOUR)
    assert await bench.uploads.sweep() == 1
    assert (await bench.state(upload)).upload.state is UploadState.ABANDONED


async def test_a_full_store_keeps_a_broken_recording_waiting(bench: Bench) -> None:
    upload = await bench.recording()
    await bench.put(upload, 1, PIECES[0])
    bench.clock.advance(25 * HOUR)
    bench.is_full = True
    assert await bench.uploads.sweep() == 1
    assert (await bench.state(upload)).upload.state is UploadState.OPEN
    bench.is_full = False
    assert await bench.uploads.sweep() == 1
    assert (await bench.state(upload)).upload.state is UploadState.FINISHED


async def test_a_recording_is_a_film_and_nothing_else(bench: Bench) -> None:
    upload = await bench.recording()
    for content in (picture("PNG"), "文字".encode(), b"\0\0\0\x10ftypavif\0\0\0\0" + bytes(200)):
        assert code(await bench.put(upload, 1, content)) is Refusal.FILE_TYPE_UNKNOWN


async def test_a_recording_grows_only_as_far_as_there_is_room(bench: Bench) -> None:
    assert isinstance(await bench.uploads.open(bench.buyer, ItemKind.FILE, "a.mp4", MAX_FILE_BYTES), Upload)
    room = MAX_BYTES_PER_SIDE - MAX_FILE_BYTES
    assert isinstance(await bench.uploads.open(bench.buyer, ItemKind.FILE, "b.mp4", room - 200), Upload)
    upload = await bench.recording()
    assert upload.byte_size == 200
    assert isinstance(await bench.put(upload, 1, PIECES[0]), Chunk)
    assert code(await bench.put(upload, 2, PIECES[1])) is Refusal.FILE_TOO_LARGE
    assert taken(await bench.finish(upload, 1)).byte_size == len(PIECES[0])
