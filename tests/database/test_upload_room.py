"""How much room uploads and files may take: before payment, and of one account within a day."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from obstore.store import LocalStore

from dispute import code
from kabao.evidence import AuthorRole, EvidenceService, Giver, Item, ItemKind, Upload
from kabao.evidence.model import MAX_FILE_BYTES, MIB, UNPAID_BYTES_PER_SIDE
from kabao.kernel import FixedClock, IdSource, Refusal, Refused
from kabao.postgres import Database
from market import NOON, Market, paid_order, placed_order, seed_market

ROLES = (AuthorRole.BUYER, AuthorRole.MERCHANT)


class Room:
    """A market and the service; accounts are numbers."""

    def __init__(self, database: Database, market: Market, folder: Path) -> None:
        self.database, self.market = database, market
        self.clock = FixedClock(NOON)
        self.evidence = EvidenceService(
            database=database, clock=self.clock, ids=IdSource(), blobs=LocalStore(folder, mkdir=True)
        )

    async def open(
        self, order_id: int, size: int, *, kind: ItemKind = ItemKind.FILE, role: AuthorRole = AuthorRole.BUYER
    ) -> Upload | Refused:
        return await self.evidence.uploads.open(self.giver(order_id, role), kind, "a.mp4", size)

    def giver(self, order_id: int, role: AuthorRole = AuthorRole.BUYER, account_id: int = 5) -> Giver:
        shop_id = self.market.shop_id
        return Giver(shop_id=shop_id, order_id=order_id, case_id=None, account_id=account_id, role=role)

    async def add(self, order_id: int, content: bytes) -> Item | Refused:
        return await self.evidence.add_file(self.market.shop_id, order_id, None, 5, "buyer", "a.txt", parts(content))

    async def fill_day(self) -> None:
        """Announce 4 GiB, less one MiB, over three orders."""
        sizes = [MAX_FILE_BYTES, MAX_FILE_BYTES, MAX_FILE_BYTES, MAX_FILE_BYTES - MIB]
        orders = [await paid_order(self.database, self.market) for _ in range(2)]
        for number, size in enumerate(sizes):
            assert isinstance(await self.open(orders[number // 2], size), Upload)


async def parts(content: bytes) -> AsyncIterator[bytes]:
    yield content


@pytest.fixture
async def room(database: Database, tmp_path: Path) -> Room:
    return Room(database, await seed_market(database, keys=20), tmp_path / "blobs")


async def test_an_unpaid_order_takes_a_little_and_no_more(room: Room) -> None:
    order = await placed_order(room.database, room.market)
    assert code(await room.open(order, UNPAID_BYTES_PER_SIDE + 1)) is Refusal.FILES_BEFORE_PAYMENT
    assert isinstance(await room.open(order, UNPAID_BYTES_PER_SIDE - 4), Upload)
    assert code(await room.open(order, 5)) is Refusal.FILES_BEFORE_PAYMENT
    assert code(await room.add(order, b"12345")) is Refusal.FILES_BEFORE_PAYMENT
    assert isinstance(await room.add(order, b"1234"), Item)
    assert isinstance(await room.open(order, 5, role=AuthorRole.MERCHANT), Upload)


async def test_a_recording_of_an_unpaid_order_has_the_little_room(room: Room) -> None:
    order = await placed_order(room.database, room.market)
    opened = await room.open(order, 0, kind=ItemKind.RECORDING)
    assert isinstance(opened, Upload)
    assert opened.byte_size == UNPAID_BYTES_PER_SIDE
    assert code(await room.open(order, 0, kind=ItemKind.RECORDING)) is Refusal.FILES_BEFORE_PAYMENT


async def test_a_day_of_one_account_has_one_room_over_all_orders(room: Room) -> None:
    await room.fill_day()
    order = await paid_order(room.database, room.market)
    assert code(await room.open(order, MIB + 1)) is Refusal.FILES_TODAY_FULL
    assert code(await room.add(order, b"x" * (MIB + 1))) is Refusal.FILES_TODAY_FULL
    assert isinstance(await room.add(order, b"x" * (MIB - 1)), Item)
    assert isinstance(await room.add(order, b"y"), Item)
    assert code(await room.add(order, b"z")) is Refusal.FILES_TODAY_FULL
    other = room.giver(order, AuthorRole.MERCHANT, 6)
    assert isinstance(await room.evidence.uploads.open(other, ItemKind.FILE, "a.mp4", MIB), Upload)


async def test_the_room_of_a_day_comes_back_with_the_next(room: Room) -> None:
    order = await paid_order(room.database, room.market)
    assert isinstance(await room.add(order, b"today"), Item)
    await room.fill_day()
    last = await paid_order(room.database, room.market)
    assert code(await room.open(last, MIB)) is Refusal.FILES_TODAY_FULL
    room.clock.advance(timedelta(hours=25))
    assert isinstance(await room.open(last, MIB), Upload)


async def test_two_uploads_begun_at_once_do_not_share_the_last_room(room: Room) -> None:
    await room.fill_day()
    orders = [await paid_order(room.database, room.market) for _ in range(4)]
    answers = await asyncio.gather(*(room.open(order, MIB) for order in orders))
    assert sum(isinstance(answer, Upload) for answer in answers) == 1
    assert {code(answer) for answer in answers if isinstance(answer, Refused)} == {Refusal.FILES_TODAY_FULL}
