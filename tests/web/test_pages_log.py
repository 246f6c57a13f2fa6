"""The public log as anyone sees it: the page, the checkpoint, the tiles; read by an implementation that is not ours."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import httpx
import pytest
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tlog import Checkpoint, ConsistencyProof

from kabao.kernel import DatabaseClock
from kabao.tlog import HttpWitnessPost, TransparencyLog, WitnessService, read_witnesses
from pages import Site
from watcher import NAME, Watcher, serving

FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture
async def log(site: Site) -> TransparencyLog:
    """A market with one order, logged."""
    _, _, listing = await site.selling()
    buyer = await site.person("买家一")
    await site.bought(buyer, listing, quantity=2)
    log: TransparencyLog = site.app.foundations.log
    while await log.sequence():
        continue
    assert (await log.head()).size > 1
    return log


@pytest.fixture
def stranger(site: Site) -> httpx.AsyncClient:
    return site.stranger().client


class Served:
    """The log over HTTP, as tlog-scales asks for it; it runs in a thread of its own."""

    def __init__(self, client: httpx.AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
        self.client = client
        self.loop = loop

    def get(self, *path: str) -> bytes | None:
        asked = asyncio.run_coroutine_threadsafe(self.client.get("/log/" + "/".join(path)), self.loop)
        answer = asked.result(30)
        return answer.content if answer.status_code == 200 else None


async def aside(work: Any) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, work)


async def test_a_stranger_with_another_programme_mirrors_and_checks_the_log(
    site: Site, log: TransparencyLog, stranger: httpx.AsyncClient
) -> None:
    reader = TilesReader(Served(stranger, asyncio.get_running_loop()))

    def mirror() -> tuple[Checkpoint, list[bytes]]:
        checkpoint = reader.get_checkpoint()
        checkpoint.verify(Vkey.from_string(log.verifier_key))
        assert reader.calculate_root_hash() == checkpoint.root_hash
        entries = [reader.get_entry(index) for index in range(checkpoint.size)]
        for index in range(checkpoint.size):
            proof = reader.get_inclusion_proof(index, checkpoint.size)
            proof.check(leaf(entries[index]), checkpoint.root_hash)
        return checkpoint, entries

    before, _ = await aside(mirror)
    order = await site.app.database.fetchrow("SELECT shop_id, order_id FROM orders")
    assert order is not None
    records = await log.records(*order)
    buyer = await site.person("买家二")
    [card] = (await stranger.get("/api/v1/listings")).json()["listings"]
    await site.bought(buyer, card["ref"])
    while await log.sequence():
        continue
    after, entries = await aside(mirror)
    assert after.size > before.size
    assert [entries[record.position] for record in records] == [record.commitment for record in records]
    proof: ConsistencyProof = await aside(lambda: reader.get_consistency_proof(before.size, after.size))
    proof.check(before.root_hash, after.root_hash)


def leaf(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


async def test_files_are_sent_as_the_document_says(log: TransparencyLog, stranger: httpx.AsyncClient) -> None:
    size = (await log.head()).size
    answer = await stranger.get("/log/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=2"
    assert answer.content == (await log.head()).note
    for width in range(1, size + 1):
        tile = await stranger.get(f"/log/tile/0/000.p/{width}")
        entries = await stranger.get(f"/log/tile/entries/000.p/{width}")
        assert (tile.status_code, entries.status_code) == (200, 200)
        assert tile.headers["content-type"] == entries.headers["content-type"] == "application/octet-stream"
        assert tile.headers["cache-control"] == entries.headers["cache-control"] == FOR_EVER
        assert (len(tile.content), len(entries.content)) == (32 * width, 34 * width)
        assert "set-cookie" not in tile.headers


async def test_everything_else_is_not_there(log: TransparencyLog, stranger: httpx.AsyncClient) -> None:
    """Beyond the head, and every second spelling of what is there; asking often changes nothing."""
    size = (await log.head()).size
    assert size < 256
    paths = [
        "0/000", "entries/000", f"0/000.p/{size + 1}", f"entries/000.p/{size + 1}", "0/001.p/1", "1/000.p/1", "1/000",
        "0/000.p/0", "0/000.p/01", "0/000.p/256", "00/000.p/1", "0/x000/000.p/1", "8/000.p/1", "-1/000.p/1",
        "x/000.p/1", "0/000.p/1%0a", "0/%EF%BC%91%EF%BC%91%EF%BC%91.p/1", "0/000.p/1/1", "0/000%00", "9" * 2000,
        "0//000.p/1", "/0/000.p/1", "0/000.p//1", "0/000.p/1/", "%30/000.p/1", "0/%30%30%30.p/1",
        "0%2F000.p/1", "0/000%2Ep/1",
    ]  # fmt: skip
    for path in paths * 10:
        answer = await stranger.get(f"/log/tile/{path}")
        assert answer.status_code == 404, path
        assert answer.headers["cache-control"] == "no-store"
    assert (await stranger.get("/log/tile")).status_code == 404
    assert (await stranger.get("/log/other")).status_code == 404
    assert (await stranger.get("/log/tile/0/000.p/1")).status_code == 200


async def test_a_full_tile_is_served_whole_and_in_parts(
    site: Site, log: TransparencyLog, stranger: httpx.AsyncClient
) -> None:
    order = await site.app.database.fetchrow("SELECT shop_id, order_id, buyer_id FROM orders")
    assert order is not None
    await site.app.database.execute(
        """INSERT INTO message (shop_id, message_id, order_id, author_id, author_role, body, digest, at)
           SELECT $1, n, $2, $3, 'buyer', 'word', sha256('word'), now() FROM generate_series(1, 300) n""",
        *order,
    )
    while await log.sequence():
        continue
    whole = await stranger.get("/log/tile/0/000")
    assert (whole.status_code, len(whole.content)) == (200, 8192)
    assert (await stranger.get("/log/tile/0/000.p/255")).content == whole.content[: 32 * 255]
    assert len((await stranger.get("/log/tile/entries/000")).content) == 34 * 256
    assert len((await stranger.get("/log/tile/1/000.p/1")).content) == 32


@pytest.fixture
def watcher(log: TransparencyLog) -> Iterator[Watcher]:
    with serving(Watcher(log.verifier_key)) as watcher:
        yield watcher


async def test_cosignatures_come_with_the_checkpoint_and_stand_on_the_page(
    site: Site, log: TransparencyLog, stranger: httpx.AsyncClient, watcher: Watcher
) -> None:
    assert "还没有见证方签过名" in (await site.stranger().get("/log/")).words
    witnesses = WitnessService(
        database=site.app.database,
        clock=DatabaseClock(),
        transparency=log,
        witnesses=read_witnesses(watcher.text),
        post=HttpWitnessPost(),
    )
    assert await witnesses.run() == 1
    answer = await stranger.get("/log/checkpoint")
    Checkpoint.from_text(answer.text).verify(watcher.vkey)
    page = await site.stranger().get("/log/")
    assert NAME in page.words
    assert f"到第 {watcher.size} 条为止" in page.words


async def test_the_page_says_what_the_log_is_before_and_after_its_first_record(site: Site) -> None:
    page = await site.stranger().get("/log/")
    assert page.status == 200
    assert "0 条" in page.words
    log = site.app.foundations.log
    assert log.verifier_key in page.words
    assert log.origin in page.words
    assert (await log.head()).root.hex() in page.words
    assert "还没有设置时间戳机构" in page.words
    assert "/log/checkpoint" in page.read.links
    buyer = await site.person("买家一")
    assert (await buyer.get("/log")).status == 200
