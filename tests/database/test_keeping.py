"""How evidence is shown and how it ends: blacked-out previews, links, holds, erasure, and what is left of it."""

import asyncio
import io
import os
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from obstore.store import LocalStore
from PIL import Image

from dispute import code
from kabao.evidence import AuthorRole, EvidenceService, FileBody, Giver, Item, ItemKind, Mark, Mask, Purged, SealedFile
from kabao.evidence.rules import blob_path
from kabao.kernel import FixedClock, IdSource, Refusal, Refused, digest_of
from kabao.postgres import Connection, Database
from market import NOON, Market, placed_order, seed_market
from media import film, picture

DAY = timedelta(days=1)
YEARS = 3 * 366 * DAY
WHITE = Image.new("RGB", (200, 100), "white")


class Bench:
    """Two orders of one shop, and evidence whose blobs count as settled at once."""

    def __init__(self, database: Database, market: Market, orders: list[int], folder: Path) -> None:
        self.database, self.market, self.folder = database, market, folder
        self.order_id, self.other_order = orders
        self.clock = FixedClock(NOON)
        self.erased: list[int] = []
        self.evidence = self.service(timedelta(0))
        self.keeping = self.evidence.keeping

    def service(self, settled: timedelta) -> EvidenceService:
        return EvidenceService(
            database=self.database,
            clock=self.clock,
            ids=IdSource(),
            blobs=LocalStore(self.folder, mkdir=True),
            on_erased=self._erased,
            settled=settled,
        )

    async def _erased(self, conn: Connection, shop_id: int, order_id: int, item_id: int) -> None:  # noqa: ARG002
        self.erased.append(item_id)

    async def add(self, content: bytes, name: str = "证据", *, by: int = 5, order_id: int = 0) -> Item:
        async def parts() -> AsyncIterator[bytes]:
            yield content

        shop, order = self.market.shop_id, order_id or self.order_id
        item = await self.evidence.add_file(shop, order, None, by, AuthorRole.BUYER, name, parts())
        assert isinstance(item, Item), item
        return item

    async def mark(self, item: Item, *marks: Mark, by: int = 5) -> Mask | Refused:
        return await self.evidence.black_out_picture(self.market.shop_id, self.order_id, item.item_id, by, marks)

    async def hide(self, item: Item, *words: str, by: int = 5) -> Mask | Refused:
        return await self.evidence.black_out_text(self.market.shop_id, self.order_id, item.item_id, by, words)

    async def shown(self, item: Item) -> bytes:
        body = await self.evidence.preview(self.market.shop_id, self.order_id, item.item_id)
        assert isinstance(body, FileBody), body
        return body.content

    async def seen(self, item: Item, order_id: int = 0) -> Item:
        found = await self.evidence.item(self.market.shop_id, order_id or self.order_id, item.item_id)
        assert isinstance(found, Item), found
        return found

    async def end_order(self, order_id: int) -> None:
        await self.database.execute(
            "UPDATE orders SET previous = state, state = 'cancelled', ended_at = $2 WHERE order_id = $1",
            order_id,
            self.clock.at,
        )

    def blobs(self) -> int:
        return len([path for path in self.folder.rglob("*") if path.is_file()])


@pytest.fixture
async def bench(database: Database, tmp_path: Path) -> Bench:
    market = await seed_market(database)
    orders = [await placed_order(database, market) for _ in range(2)]
    return Bench(database, market, list(orders), tmp_path / "blobs")


def png(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def pixel(content: bytes, at: tuple[int, int]) -> int:
    found = Image.open(io.BytesIO(content)).convert("L").getpixel(at)
    assert isinstance(found, int)
    return found


def mark(left: int, top: int, right: int, bottom: int) -> Mark:
    return Mark(left=left, top=top, right=right, bottom=bottom)


async def test_a_card_key_in_a_picture_is_blacked_out_for_everyone_and_kept_in_the_original(bench: Bench) -> None:
    content = png(WHITE)
    item = await bench.add(content)
    first = await bench.mark(item, mark(0, 0, 250, 500))
    assert isinstance(first, Mask)
    assert pixel(await bench.shown(item), (20, 20)) < 30
    assert pixel(await bench.shown(item), (150, 80)) > 220
    second = await bench.mark(item, mark(500, 500, 1000, 1000))
    assert isinstance(second, Mask)
    assert (second.mask_no, second.at, second.by_id) == (2, NOON, 5)
    shown = await bench.shown(item)
    assert pixel(shown, (20, 20)) < 30
    assert pixel(shown, (150, 80)) < 30
    now = await bench.seen(item)
    assert (now.masks, now.masked_at, now.preview_digest) == (2, NOON, digest_of(shown))
    assert now.digest == digest_of(content)
    sealed = await bench.evidence.original(bench.market.shop_id, bench.order_id, item.item_id, 5, "buyer")
    assert isinstance(sealed, SealedFile)
    assert b"".join([piece async for piece in bench.evidence.read(sealed)]) == content


@pytest.mark.parametrize(
    "marks",
    [
        [],
        [mark(0, 0, 0, 10)],
        [mark(0, 0, 1001, 10)],
        [mark(-1, 0, 10, 10)],
        [mark(0, 10, 10, 10)],
        [mark(0, 0, 10, 10)] * 101,
    ],
)
async def test_marks_that_are_none_are_refused(bench: Bench, marks: list[Mark]) -> None:
    assert code(await bench.mark(await bench.add(png(WHITE)), *marks)) is Refusal.INVALID_FIELDS


async def test_words_in_a_text_are_blacked_out_and_not_kept(bench: Bench) -> None:
    item = await bench.add("卡号 ABCD-1234\n密码 99\n卡号 ABCD-1234-X".encode())
    assert isinstance(await bench.hide(item, "ABCD-1234", "ABCD-1234-X", "  "), Mask)
    assert (await bench.shown(item)).decode() == f"卡号 {'█' * 9}\n密码 99\n卡号 {'█' * 11}"
    assert isinstance(await bench.hide(item, "99"), Mask)
    assert "99" not in (await bench.shown(item)).decode()
    rows = await bench.database.fetch("SELECT to_jsonb(m)::text AS row FROM evidence_mask m")
    assert not any("ABCD" in row["row"] for row in rows)


@pytest.mark.parametrize("words", [[], [" "], ["nowhere"], ["x" * 201], [str(n) for n in range(21)]])
async def test_words_that_stand_nowhere_are_refused(bench: Bench, words: list[str]) -> None:
    assert code(await bench.hide(await bench.add(b"some text"), *words)) is Refusal.INVALID_FIELDS


async def test_a_preview_is_blacked_out_only_so_often(bench: Bench) -> None:
    item = await bench.add("".join(chr(0x4E00 + n) for n in range(51)).encode())
    for number in range(50):
        assert isinstance(await bench.hide(item, chr(0x4E00 + number)), Mask)
    refused = await bench.hide(item, chr(0x4E00 + 50))
    assert isinstance(refused, Refused)
    assert refused.fields == {"": "这份证据已经遮过 50 次，不能再遮。"}


async def test_only_who_gave_an_item_blacks_it_out(bench: Bench) -> None:
    shot, text, movie = await bench.add(png(WHITE)), await bench.add(b"text"), await bench.add(film())
    for other in (6, 7):
        assert code(await bench.mark(shot, mark(0, 0, 10, 10), by=other)) is Refusal.NOT_FOUND
        assert code(await bench.hide(text, "text", by=other)) is Refusal.NOT_FOUND
    assert code(await bench.mark(text, mark(0, 0, 10, 10))) is Refusal.INVALID_FIELDS
    assert code(await bench.mark(movie, mark(0, 0, 10, 10))) is Refusal.INVALID_FIELDS
    assert code(await bench.hide(shot, "x")) is Refusal.INVALID_FIELDS
    assert code(await bench.hide(movie, "x")) is Refusal.INVALID_FIELDS


async def test_marks_made_at_once_are_all_there(bench: Bench) -> None:
    item = await bench.add(png(WHITE))
    await asyncio.gather(*(bench.mark(item, mark(n * 250, 0, n * 250 + 200, 1000)) for n in range(4)))
    shown = await bench.shown(item)
    assert all(pixel(shown, (n * 50 + 20, 50)) < 30 for n in range(4))
    masks = await bench.evidence.masks(bench.market.shop_id, bench.order_id, item.item_id)
    assert [mask.mask_no for mask in masks] == [1, 2, 3, 4]


async def test_words_are_hidden_at_once_too(bench: Bench) -> None:
    item = await bench.add(b"one two three")
    await asyncio.gather(*(bench.hide(item, word) for word in ("one", "two", "three")))
    assert (await bench.shown(item)).decode() == "███ ███ █████"


async def test_a_film_has_facts_and_no_preview(bench: Bench) -> None:
    item = await bench.add(film())
    assert code(await bench.evidence.preview(bench.market.shop_id, bench.order_id, item.item_id)) is Refusal.NOT_FOUND
    assert item.is_playable


async def test_a_link_is_kept_as_words(bench: Bench) -> None:
    giver = Giver(
        shop_id=bench.market.shop_id, order_id=bench.order_id, case_id=None, account_id=5, role=AuthorRole.BUYER
    )
    item = await bench.evidence.add_link(giver, " https://shop.example/item?id=1 ")
    assert isinstance(item, Item)
    assert (item.kind, item.link) == (ItemKind.LINK, "https://shop.example/item?id=1")
    assert item.digest == digest_of(b"https://shop.example/item?id=1")
    assert await bench.shown(item) == b"https://shop.example/item?id=1"
    assert code(await bench.evidence.add_link(giver, "https://shop.example/item?id=1")) is Refusal.FILE_ALREADY_THERE
    for wrong in ("javascript:alert(1)", "https://", "http://a b", "https://a@b.example/", "http://[", "x" * 2001):
        assert code(await bench.evidence.add_link(giver, wrong)) is Refusal.INVALID_FIELDS


# ---------------------------------------------------------------- the end of evidence


async def test_evidence_goes_three_years_after_its_order(bench: Bench) -> None:
    shot, text = await bench.add(picture("PNG"), "截图.png"), await bench.add(b"text")
    await bench.mark(shot, mark(0, 0, 500, 500))
    await bench.end_order(bench.order_id)
    bench.clock.advance(YEARS)
    assert await bench.keeping.purge_due() == Purged(0, 0)
    bench.clock.advance(DAY)
    assert await bench.keeping.purge_due() == Purged(2, 4)
    assert bench.blobs() == 0
    gone = await bench.seen(shot)
    assert (gone.digest, gone.item_no, gone.byte_size) == (shot.digest, shot.item_no, shot.byte_size)
    assert (gone.file_name, gone.erased_at, gone.preview_digest) == ("已删除", bench.clock.at, None)
    assert bench.erased == [shot.item_id, text.item_id]
    shop, order = bench.market.shop_id, bench.order_id
    assert code(await bench.evidence.preview(shop, order, shot.item_id)) is Refusal.FILE_ERASED
    assert code(await bench.evidence.original(shop, order, shot.item_id, 5, "buyer")) is Refusal.FILE_ERASED
    assert code(await bench.mark(shot, mark(0, 0, 10, 10))) is Refusal.FILE_ERASED
    assert code(await bench.hide(text, "text")) is Refusal.FILE_ERASED
    assert await bench.keeping.purge_due() == Purged(0, 0)


async def test_one_purge_removes_the_bytes_of_all_it_erases(bench: Bench) -> None:
    first = await bench.add(b"old words")
    columns = "item_no, file_name, media_type, byte_size, digest, preview_digest, given_by, given_role, at"
    await bench.database.execute(
        f"INSERT INTO evidence_item (shop_id, order_id, item_id, {columns}) SELECT shop_id, order_id, item_id + n,"  # noqa: S608  ours
        f" {columns.replace('item_no', 'item_no + n').replace(' digest', ' sha256(int4send(n))')}"
        " FROM evidence_item, generate_series(1, 450) n WHERE item_id = $1",
        first.item_id,
    )
    await bench.end_order(bench.order_id)
    bench.clock.advance(YEARS + DAY)
    assert (await bench.keeping.purge_due()).items == 451
    assert bench.blobs() == 0
    assert await bench.database.fetchval("SELECT count(*) FROM evidence_erasure WHERE NOT is_cleared") == 0


async def test_evidence_of_an_order_that_runs_or_is_in_a_case_stays(bench: Bench) -> None:
    await bench.add(b"text")
    bench.clock.advance(2 * YEARS)
    assert await bench.keeping.purge_due() == Purged(0, 0)
    await bench.end_order(bench.order_id)
    bench.clock.advance(YEARS + DAY)
    await bench.database.execute(
        """INSERT INTO cases (shop_id, case_id, order_id, buyer_id, claim, demand, demand_minor, statement, previous,
                              stage, turn, opened_at, stage_since, closed_at)
           VALUES ($1, 7, $2, $3, 'other', 'full_refund', 0, 'x', 'negotiation', 'withdrawn', 'nobody', $4, $4, $4)""",
        bench.market.shop_id,
        bench.order_id,
        bench.market.buyer_id,
        bench.clock.at,
    )
    assert await bench.keeping.purge_due() == Purged(0, 0)
    bench.clock.advance(YEARS + DAY)
    assert (await bench.keeping.purge_due()).items == 1


async def test_a_hold_keeps_evidence_until_it_is_lifted(bench: Bench) -> None:
    item = await bench.add(b"text")
    shop, order = bench.market.shop_id, bench.order_id
    assert await bench.keeping.hold(shop, order, "法院调取", bench.market.staff_id) is None
    assert await bench.keeping.is_held(shop, order)
    await bench.end_order(order)
    bench.clock.advance(2 * YEARS)
    assert await bench.keeping.purge_due() == Purged(0, 0)
    assert code(await bench.keeping.erase(shop, order, item.item_id, 9)) is Refusal.EVIDENCE_ON_HOLD
    assert await bench.keeping.release(shop, order, bench.market.staff_id) == 1
    assert await bench.keeping.release(shop, order, bench.market.staff_id) == 0
    assert await bench.keeping.purge_due() == Purged(1, 1)


async def test_a_hold_says_why_and_on_what(bench: Bench) -> None:
    assert code(await bench.keeping.hold(bench.market.shop_id, bench.order_id, " ", 9)) is Refusal.INVALID_FIELDS
    assert code(await bench.keeping.hold(bench.market.shop_id, 9, "法院调取", 9)) is Refusal.NOT_FOUND


async def test_erasing_a_person_leaves_the_same_bytes_of_another(bench: Bench) -> None:
    shop = bench.market.shop_id
    mine = await bench.add(b"the same words")
    other = await bench.add(b"the same words", by=6, order_id=bench.other_order)
    assert await bench.keeping.erase(shop, bench.order_id, mine.item_id, 9) is None
    assert await bench.keeping.erase(shop, bench.order_id, mine.item_id, 9) is None
    assert bench.erased == [mine.item_id]
    kept = await bench.evidence.preview(shop, bench.other_order, other.item_id)
    assert isinstance(kept, FileBody)
    assert kept.content == b"the same words"
    assert await bench.keeping.erase(shop, bench.other_order, other.item_id, 9) is None
    assert bench.blobs() == 0
    assert code(await bench.keeping.erase(shop, bench.order_id, 1, 9)) is Refusal.NOT_FOUND
    assert code(await bench.keeping.erase(shop, 1, mine.item_id, 9)) is Refusal.NOT_FOUND


async def test_bytes_written_just_now_wait_for_the_next_purge(bench: Bench) -> None:
    item = await bench.add(b"text")
    careful = bench.service(DAY)
    assert await careful.keeping.erase(bench.market.shop_id, bench.order_id, item.item_id, 9) is None
    assert bench.blobs() == 1
    assert (await bench.seen(item)).erased_at == NOON
    assert await bench.keeping.purge_due() == Purged(0, 1)
    assert bench.blobs() == 0


async def test_what_a_crash_left_of_a_large_blob_goes_after_a_day(bench: Bench) -> None:
    old, young = [bench.folder / "incoming" / name for name in ("ab#1", "cd#1")]
    old.parent.mkdir(parents=True)
    for path in (old, young):
        path.write_bytes(b"half a film")
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    await bench.evidence.uploads.sweep()
    assert (old.exists(), young.exists()) == (False, True)


async def test_a_blob_that_is_gone_already_stops_no_purge(bench: Bench) -> None:
    item = await bench.add(b"text")
    (bench.folder / blob_path(item.digest)).unlink()
    assert await bench.keeping.erase(bench.market.shop_id, bench.order_id, item.item_id, 9) is None
    assert await bench.keeping.purge_due() == Purged(0, 0)


async def test_what_the_owners_function_does_the_application_cannot_do_itself(bench: Bench) -> None:
    await bench.add(b"text")
    for statement in (
        "UPDATE evidence_item SET file_name = 'x'",
        "UPDATE evidence_chunk SET head = NULL",
        "UPDATE evidence_mask SET marks = '[]'",
        "DELETE FROM evidence_hold",
        "INSERT INTO evidence_erasure (shop_id, order_id, item_id, why, at) VALUES (1, 1, 1, 'retention', now())",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await bench.database.execute(statement)


async def test_a_look_at_the_store_names_what_is_changed_and_what_is_missing(bench: Bench) -> None:
    image, words = await bench.add(picture("PNG"), "图.png"), await bench.add("原文".encode(), "说明.txt")
    shared = await bench.add("原文".encode(), "同样.txt", order_id=bench.other_order)
    assert image.preview_digest is not None
    seen: list[None] = []
    checked = await bench.keeping.check_store(lambda: seen.append(None))
    # Two orders share one text, which is read once.
    assert (checked.files, len(seen), checked.unsound) == (3, 3, [])
    preview = bench.folder / blob_path(image.preview_digest)
    content = preview.read_bytes()
    preview.write_bytes(content[:99] + bytes([content[99] ^ 8]) + content[100:])
    (bench.folder / blob_path(digest_of("原文".encode()))).unlink()
    checked = await bench.keeping.check_store()
    assert [(one.item_no, one.what, one.state) for one in checked.unsound] == [
        (image.item_no, "preview", "changed"),
        (words.item_no, "original", "missing"),
        (shared.item_no, "original", "missing"),
    ]
    assert checked.unsound[0].sha256 == image.preview_digest.hex()
    assert len({one.order for one in checked.unsound}) == 2


async def test_a_file_the_disk_cannot_read_is_named_and_stops_no_look_at_the_rest(bench: Bench) -> None:
    image, words = await bench.add(picture("PNG"), "图.png"), await bench.add("原文".encode(), "说明.txt")
    folder = (bench.folder / blob_path(image.digest)).parent
    folder.rename(folder.with_name("away"))
    folder.write_bytes(b"no folder")
    (bench.folder / blob_path(words.digest)).unlink()
    checked = await bench.keeping.check_store()
    assert [(one.item_no, one.state) for one in checked.unsound] == [
        (image.item_no, "unreadable"),
        (words.item_no, "missing"),
    ]


async def test_what_is_erased_during_a_look_at_the_store_is_no_finding(bench: Bench, dsn: str) -> None:
    first, second = await bench.add("先".encode(), "一.txt"), await bench.add("后".encode(), "二.txt")

    async def erase() -> None:
        conn = await asyncpg.connect(dsn)
        sql = "SELECT erase_evidence_v1($1, $2, $3, 'personal_data', 9, NULL)"
        assert await conn.fetchval(sql, bench.market.shop_id, bench.order_id, second.item_id)
        await conn.close()

    def after_the_first() -> None:
        if (path := bench.folder / blob_path(second.digest)).exists():
            with ThreadPoolExecutor(1) as other:
                other.submit(asyncio.run, erase()).result()
            path.unlink()

    checked = await bench.keeping.check_store(after_the_first)
    assert (first.item_no, checked.files, checked.unsound) == (1, 2, [])
