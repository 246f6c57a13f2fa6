"""Chunks that come while their upload ends: what was answered as kept is in the item, and nothing else stays behind."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from obstore.store import LocalStore, ObjectStore

from dispute import code
from kabao.evidence import AuthorRole, Chunk, EvidenceService, Giver, Item, ItemKind, Upload, UploadState, UploadView
from kabao.evidence.blobs import write_whole
from kabao.evidence.rules import breaks_in_chain
from kabao.kernel import FixedClock, IdSource, Refusal, Refused, digest_of
from kabao.postgres import Database
from market import NOON, Market, paid_order, seed_market
from media import webm

FILM = webm(live=True)
PIECES = [FILM[:150], FILM[150:250], FILM[250:]]
DAY = timedelta(hours=25)


class Bench:
    """An order's uploads on a store that can be held up while a whole is put together."""

    def __init__(self, database: Database, market: Market, order_id: int, folder: Path) -> None:
        self.folder = folder
        self.clock = FixedClock(NOON)
        self.held, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        self.evidence = EvidenceService(
            database=database,
            clock=self.clock,
            ids=IdSource(),
            blobs=LocalStore(folder, mkdir=True),
            write=self._write,
        )
        self.uploads = self.evidence.uploads
        self.buyer = Giver(shop_id=market.shop_id, order_id=order_id, case_id=None, account_id=5, role=AuthorRole.BUYER)

    def _write(self, store: ObjectStore, path: str, pieces: Iterable[bytes]) -> None:
        if path.startswith("incoming/"):
            self.held.set()
            self.go_on.wait(30)
        write_whole(store, path, pieces)

    async def begun(self, kind: ItemKind, size: int = 0) -> Upload:
        opened = await self.uploads.open(self.buyer, kind, "录制.webm", size)
        assert isinstance(opened, Upload), opened
        return opened

    async def put(self, upload: Upload, seq: int, stream: AsyncIterator[bytes] | None = None) -> Chunk | Refused:
        content = PIECES[seq - 1]
        return await self.uploads.put(
            self.buyer, upload.upload_id, seq, digest_of(content), stream or one_part(content)
        )

    async def seen(self, upload: Upload) -> UploadView:
        seen = await self.uploads.see(self.buyer, upload.upload_id)
        assert isinstance(seen, UploadView)
        return seen

    def left(self) -> list[Path]:
        return [path for path in self.folder.glob("uploads/**/*") if path.is_file()]


async def one_part(content: bytes) -> AsyncIterator[bytes]:
    yield content


@pytest.fixture
async def bench(database: Database, tmp_path: Path) -> Bench:
    market = await seed_market(database)
    return Bench(database, market, await paid_order(database, market), tmp_path / "blobs")


async def test_a_chunk_that_comes_while_a_recording_is_closed_is_part_of_it(bench: Bench) -> None:
    upload = await bench.begun(ItemKind.RECORDING)
    for seq in (1, 2):
        assert isinstance(await bench.put(upload, seq), Chunk)
    bench.go_on.clear()
    closing = asyncio.create_task(bench.uploads.finish(bench.buyer, upload.upload_id, 2))
    await asyncio.to_thread(bench.held.wait, 30)
    assert isinstance(await bench.put(upload, 3), Chunk)
    bench.go_on.set()
    item = await closing
    assert isinstance(item, Item)
    assert item.recording is not None
    chain = await bench.evidence.recording(bench.buyer.shop_id, bench.buyer.order_id, item.item_id)
    assert (item.recording.chunks, len(chain), item.digest) == (3, 3, digest_of(FILM))
    assert breaks_in_chain(b"", chain) == []


async def test_a_recording_that_comes_to_life_while_it_is_swept_goes_on(bench: Bench) -> None:
    upload = await bench.begun(ItemKind.RECORDING)
    for seq in (1, 2):
        assert isinstance(await bench.put(upload, seq), Chunk)
    bench.clock.advance(DAY)
    bench.go_on.clear()
    sweeping = asyncio.create_task(bench.uploads.sweep())
    await asyncio.to_thread(bench.held.wait, 30)
    assert isinstance(await bench.put(upload, 3), Chunk)
    bench.go_on.set()
    await sweeping
    assert (await bench.seen(upload)).upload.state is UploadState.OPEN
    item = await bench.uploads.finish(bench.buyer, upload.upload_id, 3)
    assert isinstance(item, Item)
    assert item.digest == digest_of(FILM)


async def test_a_file_that_comes_to_life_while_others_are_swept_goes_on(bench: Bench) -> None:
    ahead = await bench.begun(ItemKind.RECORDING)
    assert isinstance(await bench.put(ahead, 1), Chunk)
    bench.clock.advance(timedelta(seconds=1))
    upload = await bench.begun(ItemKind.FILE, len(PIECES[0]))
    bench.clock.advance(DAY)
    bench.go_on.clear()
    sweeping = asyncio.create_task(bench.uploads.sweep())
    await asyncio.to_thread(bench.held.wait, 30)
    assert isinstance(await bench.put(upload, 1), Chunk)
    bench.go_on.set()
    assert await sweeping == 2
    assert (await bench.seen(upload)).upload.state is UploadState.OPEN
    assert len(bench.left()) == 1


async def test_a_chunk_on_its_way_to_an_upload_that_is_given_up_leaves_nothing(bench: Bench) -> None:
    upload = await bench.begun(ItemKind.FILE, len(PIECES[0]))

    async def slowly() -> AsyncIterator[bytes]:
        yield PIECES[0][:99]
        assert await bench.uploads.cancel(bench.buyer, upload.upload_id) is None
        yield PIECES[0][99:]

    assert code(await bench.put(upload, 1, slowly())) is Refusal.UPLOAD_ENDED
    assert bench.left() == []


async def test_a_recording_waits_where_the_store_is_away_while_it_is_swept(bench: Bench) -> None:
    upload = await bench.begun(ItemKind.RECORDING)
    for seq in (1, 2):
        assert isinstance(await bench.put(upload, seq), Chunk)
    bench.clock.advance(DAY)
    away = bench.folder.with_name("away")
    (bench.folder / "uploads").rename(away)
    assert await bench.uploads.sweep() == 1
    assert (await bench.seen(upload)).upload.state is UploadState.OPEN
    away.rename(bench.folder / "uploads")
    assert await bench.uploads.sweep() == 1
    item = await bench.uploads.finish(bench.buyer, upload.upload_id, 2)
    assert isinstance(item, Item)
    assert item.digest == digest_of(PIECES[0] + PIECES[1])


async def test_what_is_being_finished_is_not_given_up(bench: Bench) -> None:
    upload = await bench.begun(ItemKind.RECORDING)
    assert isinstance(await bench.put(upload, 1), Chunk)
    bench.go_on.clear()
    finishing = asyncio.create_task(bench.uploads.finish(bench.buyer, upload.upload_id, 1))
    await asyncio.to_thread(bench.held.wait, 30)
    refused = await bench.uploads.cancel(bench.buyer, upload.upload_id)
    bench.go_on.set()
    assert (code(refused), isinstance(await finishing, Item)) == (Refusal.UPLOAD_ENDED, True)
    # One whose end was refused can be given up.
    other = await bench.begun(ItemKind.RECORDING)
    assert code(await bench.uploads.finish(bench.buyer, other.upload_id, 1)) is Refusal.CHUNKS_MISSING
    assert await bench.uploads.cancel(bench.buyer, other.upload_id) is None
