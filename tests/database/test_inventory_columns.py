"""Keys in two columns, duplicates told apart, imports taken back, and keys that their merchant looks for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kabao.inventory import (
    FoundKey,
    ImportReport,
    InventoryService,
    Keyring,
    KeyTail,
    StockCounts,
    UsedColumn,
)
from kabao.inventory.store import KEYS_PER_IMPORT, SQL
from kabao.kernel import FixedClock, IdSource, Refusal, Refused, format_ref
from kabao.postgres import Database
from market import Market, seed_market

PAIRS = "序号,卡号,密码\n1,AAA001,PW001\n2,AAA002,PW002\n\n3,AAA001,PW001\n4,AAA003,\n".encode()


@pytest.fixture
async def market(owner_database: Database) -> Market:
    return await seed_market(owner_database, keys=0)


@pytest.fixture
def inventory(database: Database, clock: FixedClock, ids: IdSource, tmp_path: Path) -> InventoryService:
    return InventoryService(database=database, clock=clock, ids=ids, keyring=Keyring(tmp_path / "secrets"))


async def imported(inventory: InventoryService, market: Market, content: bytes, name: str = "keys.csv") -> ImportReport:
    async def arriving() -> AsyncIterator[bytes]:
        yield content

    report = await inventory.import_keys(market.shop_id, market.listing_id, arriving(), name, len(content))
    assert isinstance(report, ImportReport), report
    return report


async def sell(database: Database, market: Market, quantity: int) -> int:
    """Place an order, pay it and open its first key, by the money steps; returns the order."""
    order_id = 7_001
    await database.execute(
        """INSERT INTO orders (shop_id, order_id, buyer_id, listing_id, snapshot_no, quantity, unit_minor, amount_minor,
             currency, fee_bps, escrow_seconds, previous, state, idempotency_key, reserve_slot, reserve_until,
             placed_at, delivered_at)
           SELECT $1, $2, $3, $4, 1, $5, 100, 100 * $5, 'CNY', 0, 3600, previous, state, 'k', 0, now(), now(), now()
             FROM order_step WHERE state = 'opened' LIMIT 1""",
        market.shop_id,
        order_id,
        market.buyer_id,
        market.listing_id,
        quantity,
    )
    await database.execute(
        """UPDATE card_key k SET state = CASE x.pos WHEN 1 THEN 'opened' ELSE 'sealed' END, order_id = $3, pos = x.pos,
                  opened_at = CASE x.pos WHEN 1 THEN now() END
             FROM (SELECT key_id, row_number() OVER (ORDER BY key_id) AS pos FROM card_key
                    WHERE shop_id = $1 AND state = 'available' LIMIT $2) x
            WHERE k.shop_id = $1 AND k.key_id = x.key_id""",
        market.shop_id,
        quantity,
        order_id,
    )
    return order_id


async def test_a_number_and_its_password_are_kept_together_and_the_report_says_what_was_read(
    inventory: InventoryService, database: Database, market: Market
) -> None:
    report = await imported(inventory, market, PAIRS)
    assert report.columns == [UsedColumn(2, "卡号"), UsedColumn(3, "密码")]
    assert (report.unused_columns, report.header_lines, report.blank) == (1, 1, 1)
    assert (report.added, report.duplicates, report.repeated, report.in_stock, report.bad) == (2, 1, 1, 0, 1)
    assert report.lines == 6 == report.header_lines + report.blank + report.added + report.duplicates + report.bad
    rows = await database.fetch("SELECT * FROM card_key ORDER BY key_id")
    texts = [
        await inventory.open_key(row["shop_id"], row["listing_id"], row["key_id"], row["dek_id"], row["sealed_text"])
        for row in rows
    ]
    assert texts == ["卡号 AAA001 密码 PW001", "卡号 AAA002 密码 PW002"]
    again = await imported(inventory, market, PAIRS)
    assert (again.added, again.duplicates, again.repeated, again.in_stock) == (0, 3, 0, 3)


async def test_a_key_that_comes_twice_is_told_apart_from_one_in_stock_across_batches(
    inventory: InventoryService, market: Market
) -> None:
    await imported(inventory, market, b"OLD\n", "a.txt")
    many = b"".join(f"NEW-{number:09d}\n".encode() for number in range(20_000))
    report = await imported(inventory, market, b"OLD\n" + many + b"OLD\nNEW-000000000\n" + b"LAST\n" * 3, "b.txt")
    assert (report.added, report.repeated, report.in_stock) == (20_001, 3, 2)
    assert report.duplicates == 5


async def test_a_wrong_import_is_taken_back_and_imported_right(
    inventory: InventoryService, database: Database, market: Market
) -> None:
    other = await imported(inventory, market, b"KEPT\n", "a.txt")
    wrong = await imported(inventory, market, b"A\nB\nC\n", "b.txt")
    await database.execute(
        "UPDATE card_key SET state = 'sealed', order_id = 1, pos = 1 WHERE key_id = $1::bigint + 1", wrong.import_id
    )
    assert await inventory.left_of_import(market.shop_id, wrong.import_id) == 2
    assert await inventory.withdraw_import(market.shop_id, wrong.import_id) == 2
    assert await inventory.withdraw_import(market.shop_id, wrong.import_id) == 0
    assert await inventory.left_of_import(market.shop_id, wrong.import_id) == 0
    assert await inventory.stock(market.shop_id, market.listing_id) == StockCounts(available=1, sealed=1, withdrawn=2)
    report = await inventory.import_status(market.shop_id, wrong.import_id)
    assert isinstance(report, ImportReport)
    assert (report.added, report.withdrawn) == (3, 2)
    right = await imported(inventory, market, b"A\nB\nC\n", "b.txt")
    assert (right.added, right.in_stock) == (2, 1)
    assert await inventory.withdraw_import(market.shop_id, right.import_id) == 2
    assert (await imported(inventory, market, b"B\n", "b.txt")).added == 1
    assert await inventory.left_of_import(market.shop_id, other.import_id) == 1


async def test_an_import_that_is_not_there_or_still_runs_is_not_withdrawn(
    inventory: InventoryService, database: Database, owner_database: Database, market: Market
) -> None:
    report = await imported(inventory, market, b"A\n", "a.txt")
    stranger = await seed_market(owner_database, keys=0)
    assert await inventory.withdraw_import(stranger.shop_id, report.import_id) == Refused(Refusal.NOT_FOUND)
    assert await inventory.left_of_import(stranger.shop_id, report.import_id) == 0
    await database.execute("UPDATE key_import SET state = 'running'")
    assert await inventory.withdraw_import(market.shop_id, report.import_id) == Refused(Refusal.IMPORT_RUNNING)


@pytest.mark.parametrize("pasted", ["AAA001 PW001", "AAA001,PW001", "AAA001----PW001", "卡号 AAA001 密码 PW001 "])
async def test_a_merchant_finds_the_order_a_key_went_to(
    inventory: InventoryService, database: Database, market: Market, pasted: str
) -> None:
    report = await imported(inventory, market, PAIRS)
    order_id = await sell(database, market, 1)
    found = await inventory.find_key(market.shop_id, pasted)
    assert isinstance(found, FoundKey)
    assert (found.state, found.order_ref, found.pos) == ("opened", format_ref(market.shop_id, order_id), 1)
    assert (found.import_ref, found.file_name, found.listing_ref) == (report.ref, "keys.csv", market.listing_ref)
    assert found.placed_at
    assert found.delivered_at
    assert found.opened_at
    assert "AAA001" not in repr(found)


async def test_a_key_in_stock_is_found_before_one_taken_back(
    inventory: InventoryService, owner_database: Database, market: Market
) -> None:
    first = await imported(inventory, market, b"A\n", "a.txt")
    await inventory.withdraw_import(market.shop_id, first.import_id)
    found = await inventory.find_key(market.shop_id, "A")
    assert isinstance(found, FoundKey)
    assert (found.state, found.order_ref, found.placed_at) == ("withdrawn", None, None)
    second = await imported(inventory, market, b"A\n", "b.txt")
    found = await inventory.find_key(market.shop_id, " Ａ ")
    assert isinstance(found, FoundKey)
    assert (found.state, found.import_ref) == ("available", second.ref)
    stranger = await seed_market(owner_database, keys=0)
    for shop_id, text in (
        (stranger.shop_id, "A"),
        (market.shop_id, "B"),
        (market.shop_id, " "),
        (market.shop_id, "A" * 501),
    ):
        assert await inventory.find_key(shop_id, text) == Refused(Refusal.NOT_FOUND)


async def test_a_merchant_knows_the_keys_of_an_order_by_their_tails(
    inventory: InventoryService, database: Database, market: Market
) -> None:
    await imported(inventory, market, b"CARD-1111-2222\nCARD-1111-3333\nBROKEN-1\n", "a.txt")
    order_id = await sell(database, market, 3)
    await database.execute("UPDATE card_key SET sealed_text = '\\x00' WHERE pos = 3")
    assert await inventory.tails(market.shop_id, order_id) == [
        KeyTail(pos=1, generation=0, tail="2222"),
        KeyTail(pos=2, generation=0, tail="3333"),
    ]
    assert await inventory.tails(market.shop_id, order_id + 1) == []


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("find_key", (1, [b"0" * 16])),
        ("keys_of_order", (1, 1, 200)),
        ("left_of_import", (1, 1, 1, KEYS_PER_IMPORT)),
        ("withdraw_import", (1, 1, 1, KEYS_PER_IMPORT, 10)),
        ("count_repeated", (1, 1, [b"0" * 16], 0)),
    ],
)
@pytest.mark.usefixtures("market")
async def test_the_queries_go_by_an_index(database: Database, name: str, arguments: tuple[object, ...]) -> None:
    async with database.transaction() as conn:
        await conn.execute("SET LOCAL enable_seqscan = off")
        await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        plan = "\n".join(row[0] for row in await conn.fetch(f"EXPLAIN {SQL[name]}", *arguments))
    assert "Seq Scan" not in plan
    assert "card_key_pkey" not in plan or name == "withdraw_import"
