"""Key files and data keys over a database: what start refuses, and that rotations lose nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kabao.inventory import (
    ImportReport,
    InventoryService,
    Keyring,
    KeyringRefused,
    KeyUnreadable,
    open_keyring,
)
from kabao.inventory import datakeys as datakeys_module
from kabao.inventory.datakeys import DataKeys
from kabao.kernel import FixedClock, IdSource
from kabao.postgres import Database
from market import Market, seed_market


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    return tmp_path / "secrets"


@pytest.fixture
async def market(owner_database: Database) -> Market:
    return await seed_market(owner_database, keys=0)


def service(database: Database, clock: FixedClock, ids: IdSource, secrets: Path) -> InventoryService:
    return InventoryService(database=database, clock=clock, ids=ids, keyring=Keyring(secrets))


async def arriving(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def files(secrets: Path) -> list[Path]:
    return sorted(secrets.iterdir())


async def add(inventory: InventoryService, market: Market, *keys: str) -> None:
    content = "\n".join(keys).encode()
    report = await inventory.import_keys(market.shop_id, market.listing_id, arriving(content), "x.txt")
    assert isinstance(report, ImportReport)
    assert report.added == len(keys)


async def opened(inventory: InventoryService, database: Database) -> list[tuple[int, str]]:
    rows = await database.fetch("SELECT * FROM card_key ORDER BY key_id")
    return [
        (
            row["dek_id"],
            await inventory.open_key(
                row["shop_id"], row["listing_id"], row["key_id"], row["dek_id"], row["sealed_text"]
            ),
        )
        for row in rows
    ]


async def test_a_first_start_makes_a_key_and_a_second_uses_it(database: Database, secrets: Path) -> None:
    first = await open_keyring(secrets, database)
    assert (await open_keyring(secrets, database)).kek_id == first.kek_id


async def test_a_missing_key_file_is_refused_and_not_replaced(
    database: Database, clock: FixedClock, ids: IdSource, secrets: Path, market: Market
) -> None:
    await add(service(database, clock, ids, secrets), market, "A")
    (path,) = files(secrets)
    saved = path.read_bytes()
    path.unlink()
    with pytest.raises(KeyringRefused) as refused:
        await open_keyring(secrets, database)
    assert "从备份放回密钥文件" in refused.value.zh
    assert files(secrets) == []
    Keyring(secrets)
    with pytest.raises(KeyringRefused, match="no file"):
        await open_keyring(secrets, database)
    (made,) = files(secrets)
    made.write_bytes(saved)
    assert await opened(service(database, clock, ids, secrets), database) == [(1, "A")]
    assert (await open_keyring(secrets, database)).kek_ids


async def test_a_new_data_key_seals_what_comes_and_the_old_still_opens(
    database: Database, clock: FixedClock, ids: IdSource, secrets: Path, market: Market
) -> None:
    inventory = service(database, clock, ids, secrets)
    await add(inventory, market, "A")
    assert await inventory.rotate_data_key(market.shop_id) == 2
    await add(inventory, market, "B")
    assert await opened(inventory, database) == [(1, "A"), (2, "B")]
    rows = await database.fetch("SELECT dek_id, retired_at FROM shop_data_key ORDER BY dek_id")
    assert [(row["dek_id"], row["retired_at"] is None) for row in rows] == [(1, False), (2, True)]


async def test_a_new_key_file_wraps_every_data_key_and_the_old_file_goes(
    database: Database, owner_database: Database, clock: FixedClock, ids: IdSource, secrets: Path, market: Market
) -> None:
    inventory = service(database, clock, ids, secrets)
    elsewhere = service(database, clock, ids, secrets)
    other = await seed_market(owner_database, keys=0)
    await add(inventory, market, "A")
    await inventory.rotate_data_key(market.shop_id)
    await add(inventory, other, "A")
    before = await open_keyring(secrets, database)
    rotation = await inventory.rotate_kek()
    assert (rotation.rewrapped, rotation.removed) == (3, 1)
    assert [path.name for path in files(secrets)] == ["kek-2.key"]
    assert {row["kek_id"] for row in await database.fetch("SELECT kek_id FROM shop_data_key")} == {rotation.kek_id}
    assert rotation.kek_id != before.kek_id
    for running in (inventory, elsewhere, service(database, clock, ids, secrets)):
        assert [text for _, text in await opened(running, database)] == ["A", "A"]
    again = await elsewhere.rotate_kek()
    assert (again.rewrapped, again.removed) == (3, 1)
    await add(inventory, market, "B")
    assert [text for _, text in await opened(inventory, database)] == ["A", "A", "B"]


async def test_a_rotation_that_was_killed_before_the_commit_left_everything_open(
    database: Database, clock: FixedClock, ids: IdSource, secrets: Path, market: Market
) -> None:
    await add(service(database, clock, ids, secrets), market, "A")
    Keyring(secrets).add_kek()
    started = await open_keyring(secrets, database)
    assert len(started.kek_ids) == 2
    inventory = service(database, clock, ids, secrets)
    await inventory.rotate_data_key(market.shop_id)
    await add(inventory, market, "B")
    assert [text for _, text in await opened(inventory, database)] == ["A", "B"]
    rotation = await inventory.rotate_kek()
    assert (rotation.rewrapped, rotation.removed) == (2, 2)
    assert [text for _, text in await opened(service(database, clock, ids, secrets), database)] == ["A", "B"]


async def test_a_rotation_that_was_killed_after_the_commit_is_ended_by_the_next(
    database: Database, clock: FixedClock, ids: IdSource, secrets: Path, market: Market
) -> None:
    inventory = service(database, clock, ids, secrets)
    await add(inventory, market, "A")
    (path,) = files(secrets)
    old = path.read_bytes()
    await inventory.rotate_kek()
    path.write_bytes(old)
    path.chmod(0o600)
    restarted = service(database, clock, ids, secrets)
    assert await opened(restarted, database) == [(1, "A")]
    assert (await restarted.rotate_kek()).removed == 2


async def test_rotations_and_imports_at_once_lose_nothing(
    database: Database, owner_database: Database, clock: FixedClock, ids: IdSource, secrets: Path
) -> None:
    markets = [await seed_market(owner_database, keys=0) for _ in range(6)]
    services = [service(database, clock, ids, secrets) for _ in range(3)]

    async def turn(number: int) -> None:
        inventory = services[number % 3]
        await add(inventory, markets[number], f"A-{number}")
        await inventory.rotate_data_key(markets[number].shop_id)
        await add(inventory, markets[number], f"B-{number}")

    async def rotate() -> None:
        for running in services:
            await running.rotate_kek()

    await asyncio.gather(*(turn(number) for number in range(6)), rotate())
    fresh = InventoryService(database=database, clock=clock, ids=ids, keyring=await open_keyring(secrets, database))
    texts = sorted(text for _, text in await opened(fresh, database))
    assert texts == sorted([f"A-{number}" for number in range(6)] + [f"B-{number}" for number in range(6)])


async def test_the_ciphers_kept_in_memory_are_bounded(
    database: Database, clock: FixedClock, ids: IdSource, secrets: Path, market: Market
) -> None:
    inventory = service(database, clock, ids, secrets)
    count = datakeys_module.KEPT_MAX + 5
    for _ in range(count):
        await inventory.rotate_data_key(market.shop_id)
    keys = DataKeys(database, Keyring(secrets))
    for dek_id in (*range(1, count + 1), count, 1):
        await keys.cipher(market.shop_id, dek_id)
    assert repr(keys) == f"DataKeys({datakeys_module.KEPT_MAX} kept)"
    with pytest.raises(KeyUnreadable, match="no data key"):
        await keys.cipher(market.shop_id, count + 1)
