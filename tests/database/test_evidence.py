"""Messages and files of an order: kept whole, refused with a reason, and never half there."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from obstore.exceptions import GenericError
from obstore.store import LocalStore, MemoryStore
from PIL import Image

from dispute import code
from kabao.evidence import MAX_FILES_PER_SIDE, EvidenceService, Item, Message, SealedFile
from kabao.evidence.blobs import BlobDamaged, Blobs, StorageFull
from kabao.evidence.model import LIMITS, AuthorRole, MediaType
from kabao.evidence.rules import blob_path
from kabao.kernel import DatabaseClock, IdSource, Refusal, Refused, digest_of
from kabao.postgres import Database
from market import Market, paid_order, seed_market


class Bench:
    """An order to talk about, and the service."""

    def __init__(self, database: Database, market: Market, order_id: int, folder: Path) -> None:
        self.database, self.market, self.order_id, self.folder = database, market, order_id, folder
        self.service = EvidenceService(
            database=database, clock=DatabaseClock(), ids=IdSource(), blobs=LocalStore(folder, mkdir=True)
        )

    async def add(
        self, content: bytes, name: str = "证据", *, by: int = 1, role: str = "buyer", order_id: int | None = None
    ) -> Item | Refused:
        return await self.service.add_file(
            self.market.shop_id, order_id or self.order_id, None, by, role, name, parts(content)
        )

    async def items(self) -> list[Item]:
        return await self.service.items(self.market.shop_id, self.order_id)


async def parts(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, max(len(content), 1), 65536):
        yield content[start : start + 65536]


async def whole(bench: Bench, sealed: SealedFile) -> bytes:
    return b"".join([piece async for piece in bench.service.read(sealed)])


def photograph() -> bytes:
    written = io.BytesIO()
    Image.effect_noise((400, 300), 90).convert("RGB").save(written, "JPEG")
    return written.getvalue()


@pytest.fixture
async def bench(database: Database, tmp_path: Path) -> Bench:
    market = await seed_market(database)
    return Bench(database, market, await paid_order(database, market), tmp_path / "blobs")


async def test_a_message_is_kept_trimmed_with_its_digest(bench: Bench) -> None:
    shop, order = bench.market.shop_id, bench.order_id
    said = await bench.service.say(None, shop, order, bench.market.buyer_id, "buyer", "  卡密不能用。\r\n请看截图  ")
    assert isinstance(said, Message)
    assert (said.body, said.author_role, len(said.digest)) == ("卡密不能用。\n请看截图", AuthorRole.BUYER, 32)
    assert await bench.service.messages(shop, order) == [said]


@pytest.mark.parametrize("body", ["", "   ", "字" * 2001, "nul\0"])
async def test_a_message_that_is_none_is_refused(bench: Bench, body: str) -> None:
    answer = await bench.service.say(None, bench.market.shop_id, bench.order_id, 1, "buyer", body)
    assert isinstance(answer, Refused)
    assert set(answer.fields) == {"body"}


async def test_a_message_joins_the_callers_transaction(bench: Bench) -> None:
    shop, order = bench.market.shop_id, bench.order_id

    async def say_and_undo() -> None:
        async with bench.database.transaction() as conn:
            await bench.service.say(conn, shop, order, 1, "buyer", "说了又没说")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await say_and_undo()
    assert await bench.service.messages(shop, order) == []


async def test_nothing_is_said_about_an_order_that_is_not_there(bench: Bench) -> None:
    said = await bench.service.say(None, bench.market.shop_id, 9, 1, "buyer", "有人吗")
    assert code(said) is Refusal.NOT_FOUND
    assert code(await bench.add(b"x", order_id=9)) is Refusal.NOT_FOUND


async def test_the_application_cannot_change_what_was_said(bench: Bench) -> None:
    for statement in ("UPDATE message SET body = 'x'", "DELETE FROM evidence_item"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await bench.database.execute(statement)


async def test_a_picture_is_kept_byte_for_byte_and_previewed(bench: Bench) -> None:
    content = photograph()
    item = await bench.add(content, "../相册/截图.jpg", by=5)
    assert isinstance(item, Item)
    assert (item.item_no, item.file_name, item.media_type, item.byte_size) == (
        1,
        "截图.jpg",
        MediaType.JPEG,
        len(content),
    )
    assert item.digest == digest_of(content)
    assert item.is_image
    assert (bench.folder / blob_path(item.digest)).read_bytes() == content
    shop, order = bench.market.shop_id, bench.order_id
    original = await bench.service.original(shop, order, item.item_id, 5, "buyer")
    preview = await bench.service.preview(shop, order, item.item_id)
    assert not isinstance(original, Refused)
    assert not isinstance(preview, Refused)
    assert (await whole(bench, original), original.media_type) == (content, "image/jpeg")
    assert (preview.media_type, preview.digest) == ("image/webp", item.preview_digest)


async def test_a_text_is_previewed_by_its_beginning(bench: Bench) -> None:
    item = await bench.add("卡密已被使用。".encode() * 3000)
    assert isinstance(item, Item)
    assert (item.preview_digest, item.is_image) == (None, False)
    preview = await bench.service.preview(bench.market.shop_id, bench.order_id, item.item_id)
    original = await bench.service.original(bench.market.shop_id, bench.order_id, item.item_id, 1, "buyer")
    assert not isinstance(preview, Refused)
    assert not isinstance(original, Refused)
    assert preview.media_type == "text/plain; charset=utf-8"
    assert (await whole(bench, original)).startswith(preview.content)
    assert len(preview.content) <= 20 * 1024 < original.byte_size


async def test_an_original_goes_to_its_giver_and_to_support_only(bench: Bench) -> None:
    item = await bench.add(b"mine", by=5)
    assert isinstance(item, Item)
    shop, order = bench.market.shop_id, bench.order_id
    assert code(await bench.service.original(shop, order, item.item_id, 6, "merchant")) is Refusal.NOT_FOUND
    assert code(await bench.service.original(shop, order, 1, 5, "buyer")) is Refusal.NOT_FOUND
    assert code(await bench.service.preview(shop, order, 1)) is Refusal.NOT_FOUND
    assert not isinstance(await bench.service.original(shop, order, item.item_id, 6, "support"), Refused)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", Refusal.FILE_EMPTY),
        (b"a" * (LIMITS[MediaType.TEXT] + 1), Refusal.FILE_TOO_LARGE),
        (b"<svg onload=x>", Refusal.FILE_TYPE_UNKNOWN),
        (photograph()[:-400], Refusal.FILE_UNREADABLE),
        (photograph()[:600] + photograph()[-2:], Refusal.FILE_UNREADABLE),
    ],
    ids=["empty", "too large", "markup", "cut", "hollow"],
)
async def test_a_file_that_is_not_taken_leaves_nothing_behind(bench: Bench, content: bytes, why: Refusal) -> None:
    assert code(await bench.add(content)) is why
    assert await bench.items() == []
    assert not list(bench.folder.rglob("sha256/*/*"))


async def test_a_file_of_exactly_the_limit_is_taken(bench: Bench) -> None:
    assert isinstance(await bench.add(b"a" * LIMITS[MediaType.TEXT]), Item)


async def test_the_same_file_comes_once_a_person_and_is_stored_once(bench: Bench) -> None:
    assert isinstance(await bench.add(b"same", by=1), Item)
    assert code(await bench.add(b"same", by=1)) is Refusal.FILE_ALREADY_THERE
    second = await bench.add(b"same", by=2)
    assert isinstance(second, Item)
    assert second.item_no == 2
    assert len([path for path in bench.folder.rglob("*") if path.is_file()]) == 1


async def test_the_same_file_twice_at_once_is_one_item(bench: Bench) -> None:
    answers = await asyncio.gather(*(bench.add(b"same") for _ in range(4)))
    assert sum(isinstance(answer, Item) for answer in answers) == 1
    assert {code(answer) for answer in answers if isinstance(answer, Refused)} == {Refusal.FILE_ALREADY_THERE}


async def test_one_side_cannot_use_up_the_room_of_the_other(bench: Bench) -> None:
    for number in range(MAX_FILES_PER_SIDE):
        await bench.add(f"flood {number}".encode(), by=2, role="merchant")
    assert code(await bench.add(b"one more", by=2, role="merchant")) is Refusal.TOO_MANY_FILES
    assert isinstance(await bench.add(b"the buyer's proof"), Item)


async def test_files_at_once_are_numbered_without_gaps_up_to_the_limit(bench: Bench) -> None:
    answers = await asyncio.gather(*(bench.add(f"file {number}".encode()) for number in range(MAX_FILES_PER_SIDE + 4)))
    assert [item.item_no for item in await bench.items()] == list(range(1, MAX_FILES_PER_SIDE + 1))
    assert [code(answer) for answer in answers if isinstance(answer, Refused)] == [Refusal.TOO_MANY_FILES] * 4


async def test_a_full_disk_is_a_refusal_and_not_a_half_kept_file(bench: Bench) -> None:
    def full(*_arguments: object, **_options: object) -> None:
        raise GenericError("Unable to copy data to file: No space left on device (os error 28)")

    service = EvidenceService(
        database=bench.database, clock=DatabaseClock(), ids=IdSource(), blobs=MemoryStore(), write=full
    )
    answer = await service.add_file(bench.market.shop_id, bench.order_id, None, 1, "buyer", "a.txt", parts(b"text"))
    assert code(answer) is Refusal.STORAGE_FULL
    assert await bench.items() == []


async def test_what_a_crash_left_half_written_is_put_right(tmp_path: Path) -> None:
    store = Blobs(LocalStore(tmp_path))
    torn = tmp_path / blob_path(digest_of(b"whole"))
    torn.parent.mkdir(parents=True)
    torn.write_bytes(b"wh")
    with pytest.raises(BlobDamaged):
        await store.get(digest_of(b"whole"))
    assert await store.put(b"whole") == digest_of(b"whole")
    assert await store.get(digest_of(b"whole")) == b"whole"


async def test_blobs_live_in_any_store_and_other_failures_are_not_hidden(tmp_path: Path) -> None:
    store = Blobs(MemoryStore())
    assert await store.get(await store.put(b"in memory")) == b"in memory"
    (tmp_path / "sha256").write_text("a file where a folder belongs")
    with pytest.raises(Exception, match="sha256") as failure:
        await Blobs(LocalStore(tmp_path)).put(b"x")
    assert not isinstance(failure.value, StorageFull)
