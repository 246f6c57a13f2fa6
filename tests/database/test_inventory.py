"""Importing, counting, opening and withdrawing card keys, against PostgreSQL."""

import asyncio
import logging
import traceback
import tracemalloc
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from kabao.inventory import (
    BadLine,
    ImportProgress,
    ImportReport,
    ImportState,
    InventoryService,
    Keyring,
    KeyUnreadable,
    StockCounts,
    UsedColumn,
)
from kabao.inventory.bench import bench_import, made_up_keys
from kabao.inventory.lines import TOO_LONG
from kabao.inventory.service import IMPORT_BROKE, PROCESS_DIED, UPLOAD_STOPPED, UPLOAD_TOO_LARGE
from kabao.kernel import FixedClock, IdSource, Refusal, Refused
from kabao.postgres import Database, DatabaseUnavailable, open_pool
from market import Market, seed_market


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "secrets")


@pytest.fixture
async def market(owner_database: Database) -> Market:
    return await seed_market(owner_database, keys=0)


@pytest.fixture
def inventory(database: Database, clock: FixedClock, ids: IdSource, keyring: Keyring) -> InventoryService:
    return InventoryService(database=database, clock=clock, ids=ids, keyring=keyring)


async def arriving(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def imported(inventory: InventoryService, market: Market, content: bytes, name: str = "keys.txt") -> ImportReport:
    report = await inventory.import_keys(market.shop_id, market.listing_id, arriving(content), name, len(content))
    assert isinstance(report, ImportReport)
    return report


async def opened(inventory: InventoryService, database: Database) -> list[str]:
    rows = await database.fetch("SELECT * FROM card_key ORDER BY key_id")
    return [
        await inventory.open_key(row["shop_id"], row["listing_id"], row["key_id"], row["dek_id"], row["sealed_text"])
        for row in rows
    ]


def code(answer: object) -> Refusal:
    assert isinstance(answer, Refused)
    return answer.code


async def test_every_line_is_accounted_for(
    inventory: InventoryService, database: Database, market: Market, clock: FixedClock
) -> None:
    content = "A-1\r\nB-2\n\nA-1\nＡ-1\n坏\x02行\n".encode() + b"k" * 900 + b"\nC-3"
    progress: list[ImportProgress] = []
    report = await inventory.import_keys(
        market.shop_id, market.listing_id, arriving(content), "keys.txt", len(content), progress.append
    )
    assert isinstance(report, ImportReport)
    assert (report.state, report.failure, report.finished_at) == (ImportState.DONE, None, clock.at)
    assert (report.lines, report.added, report.duplicates, report.bad) == (8, 3, 2, 2)
    assert (report.header_lines, report.blank, report.repeated, report.in_stock) == (0, 1, 2, 0)
    assert (report.columns, report.unused_columns) == ([], 0)
    assert report.bad_lines[1] == BadLine(7, TOO_LONG)
    assert report.bytes_done == report.bytes_total == len(content)
    assert progress[-1].added == 3
    assert await inventory.import_status(market.shop_id, report.import_id) == report
    assert await inventory.imports(market.shop_id, market.listing_id) == [report]
    assert await inventory.stock(market.shop_id, market.listing_id) == StockCounts(available=3)
    assert await opened(inventory, database) == ["A-1", "B-2", "C-3"]


async def test_duplicates_count_against_everything_the_shop_ever_had(
    inventory: InventoryService, database: Database, market: Market
) -> None:
    await imported(inventory, market, b"A\nB\nC\n")
    await database.execute(
        """UPDATE card_key SET state = 'opened', order_id = 1, pos = 1
            WHERE key_id = (SELECT min(key_id) FROM card_key)"""
    )
    await database.execute(
        "INSERT INTO listing (shop_id, listing_id, snapshot_no, state) VALUES ($1, 77, 1, 'live')", market.shop_id
    )
    report = await inventory.import_keys(market.shop_id, 77, arriving(b"key\nA\nB\nD\n"), "more.csv")
    assert isinstance(report, ImportReport)
    assert (report.added, report.duplicates, report.bytes_total) == (1, 2, 0)
    assert (report.lines, report.header_lines, report.repeated, report.in_stock) == (4, 1, 0, 2)
    assert report.columns == [UsedColumn(1, "key")]
    assert await inventory.stock(market.shop_id, 77) == StockCounts(available=1)


async def test_two_shops_may_hold_the_same_key_without_its_showing(
    inventory: InventoryService, database: Database, owner_database: Database, market: Market
) -> None:
    other = await seed_market(owner_database, keys=0)
    await imported(inventory, market, b"SAME\n")
    assert (await imported(inventory, other, b"SAME\n")).added == 1
    sealed = await database.fetch("SELECT sealed_text FROM card_key")
    assert sealed[0] != sealed[1]


async def test_imports_of_one_file_at_once_add_each_key_once(
    inventory: InventoryService, database: Database, market: Market
) -> None:
    listings = [market.listing_id, *range(101, 105)]
    for listing_id in listings[1:]:
        await database.execute(
            "INSERT INTO listing (shop_id, listing_id, snapshot_no, state) VALUES ($1, $2, 1, 'live')",
            market.shop_id,
            listing_id,
        )
    count = 20_000
    lines = [f"{number:08d}-{number * 7919 % 99991:05d}\n" for number in range(count)]
    contents = ["".join(lines if turn % 2 else reversed(lines)).encode() for turn in range(len(listings))]
    reports = await asyncio.gather(
        *(
            inventory.import_keys(market.shop_id, listing_id, arriving(content), "same.txt")
            for listing_id, content in zip(listings, contents, strict=True)
        )
    )
    done = [report for report in reports if isinstance(report, ImportReport)]
    assert [report.state for report in done] == [ImportState.DONE] * len(listings)
    assert all(report.added + report.duplicates == count for report in done)
    assert sum(report.added for report in done) == count
    assert await database.fetchval("SELECT count(*) FROM card_key") == count


async def test_one_import_of_a_listing_runs_at_a_time(inventory: InventoryService, market: Market) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"A\n" * 40_000
        # The import asks for more once it has begun.
        begun.set()
        await gate.wait()
        yield b"B\n"

    first = asyncio.create_task(inventory.import_keys(market.shop_id, market.listing_id, slow(), "slow.txt"))
    await begun.wait()
    second = await inventory.import_keys(market.shop_id, market.listing_id, arriving(b"C\n"), "second.txt")
    assert code(second) is Refusal.IMPORT_RUNNING
    gate.set()
    report = await first
    assert isinstance(report, ImportReport)
    assert (report.state, report.added, report.duplicates) == (ImportState.DONE, 2, 39_999)
    assert (await imported(inventory, market, b"C\n")).added == 1


async def leave_running(database: Database, market: Market, clock: FixedClock) -> int:
    await database.execute(
        """INSERT INTO key_import
             (shop_id, import_id, listing_id, file_name, state, bytes_total, created_at, progress_at)
           VALUES ($1, 5, $2, 'dead.txt', 'running', 9, $3, $3)""",
        market.shop_id,
        market.listing_id,
        clock.at,
    )
    return 5


async def test_an_import_whose_process_died_stands_in_the_way_for_two_minutes(
    inventory: InventoryService, database: Database, market: Market, clock: FixedClock
) -> None:
    dead = await leave_running(database, market, clock)
    clock.advance(timedelta(minutes=1))
    again = await inventory.import_keys(market.shop_id, market.listing_id, arriving(b"A\n"), "again.txt")
    assert code(again) is Refusal.IMPORT_RUNNING
    clock.advance(timedelta(minutes=1))
    assert (await imported(inventory, market, b"A\n")).added == 1
    report = await inventory.import_status(market.shop_id, dead)
    assert isinstance(report, ImportReport)
    assert (report.state, report.failure) == (ImportState.FAILED, PROCESS_DIED)


async def test_a_start_marks_dead_imports(
    inventory: InventoryService, database: Database, market: Market, clock: FixedClock
) -> None:
    await leave_running(database, market, clock)
    assert await inventory.fail_dead_imports() == 0
    assert await inventory.fail_dead_imports(timedelta(0)) == 1
    assert await inventory.fail_dead_imports(timedelta(0)) == 0


async def test_an_import_marked_failed_meanwhile_adds_no_more(inventory: InventoryService, market: Market) -> None:
    stored = asyncio.Event()

    async def interrupted() -> AsyncIterator[bytes]:
        yield b"A\n" * 70_000
        await stored.wait()
        assert await inventory.fail_dead_imports(timedelta(0)) == 1
        yield b"B\n"

    report = await inventory.import_keys(
        market.shop_id, market.listing_id, interrupted(), "x.txt", on_progress=lambda _: stored.set()
    )
    assert isinstance(report, ImportReport)
    assert (report.state, report.failure, report.added) == (ImportState.FAILED, PROCESS_DIED, 1)
    assert await inventory.stock(market.shop_id, market.listing_id) == StockCounts(available=1)


class ConnectionLostError(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (ConnectionLostError("the client went away"), UPLOAD_STOPPED),
        (DatabaseUnavailable("the database went away"), IMPORT_BROKE),
    ],
    ids=["stream", "database"],
)
async def test_a_broken_import_keeps_what_was_stored(
    inventory: InventoryService, market: Market, error: Exception, failure: str
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"".join(f"{number}\n".encode() for number in range(50_000))
        raise error

    with pytest.raises(type(error)):
        await inventory.import_keys(market.shop_id, market.listing_id, broken(), "x.txt")
    (report,) = await inventory.imports(market.shop_id, market.listing_id)
    assert (report.state, report.failure) == (ImportState.FAILED, failure)
    assert 0 < report.added == (await inventory.stock(market.shop_id, market.listing_id)).available
    whole = b"".join(f"{number}\n".encode() for number in range(50_000))
    again = await imported(inventory, market, whole)
    assert (again.duplicates, again.added) == (report.added, 50_000 - report.added)


async def test_an_import_whose_database_goes_away_is_marked_later(
    database: Database, dsn: str, clock: FixedClock, ids: IdSource, keyring: Keyring, market: Market
) -> None:
    lost = await open_pool(dsn)
    inventory = InventoryService(database=lost, clock=clock, ids=ids, keyring=keyring)

    async def outlives_it() -> AsyncIterator[bytes]:
        yield b"A\n" * 40_000
        await lost.close()
        yield b"B\n"

    with pytest.raises(DatabaseUnavailable):
        await inventory.import_keys(market.shop_id, market.listing_id, outlives_it(), "x.txt")
    back = InventoryService(database=database, clock=clock, ids=ids, keyring=keyring)
    (report,) = await back.imports(market.shop_id, market.listing_id)
    assert report.state is ImportState.RUNNING
    assert await back.fail_dead_imports(timedelta(0)) == 1


async def test_an_upload_that_stops_or_never_ends_is_ended(
    database: Database, clock: FixedClock, ids: IdSource, keyring: Keyring, market: Market
) -> None:
    async def stuck(*first: bytes) -> AsyncIterator[bytes]:
        for chunk in first:
            yield chunk
        await asyncio.Event().wait()

    impatient = InventoryService(
        database=database, clock=clock, ids=ids, keyring=keyring, stream_seconds=0.2, most_bytes=300_000
    )
    where = (market.shop_id, market.listing_id)
    assert code(await impatient.import_keys(*where, stuck(b"A\n"), "x.txt")) is Refusal.FILE_UNREADABLE
    report = await impatient.import_keys(*where, stuck(b"A\n" * 70_000), "x.txt")
    assert isinstance(report, ImportReport)
    assert (report.state, report.failure, report.added) == (ImportState.FAILED, UPLOAD_STOPPED, 1)

    assert code(await impatient.import_keys(*where, arriving(), "x.txt", 300_001)) is Refusal.FILE_TOO_LARGE
    assert code(await impatient.import_keys(*where, arriving(b"B\n" * 150_001), "x.txt")) is Refusal.FILE_TOO_LARGE
    report = await impatient.import_keys(*where, arriving(b"B\n" * 100_000, b"C\n" * 100_000), "x.txt")
    assert isinstance(report, ImportReport)
    assert (report.state, report.failure) == (ImportState.FAILED, UPLOAD_TOO_LARGE)


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", Refusal.FILE_EMPTY),
        (b"\x7fELF\x00\x00", Refusal.FILE_NOT_TEXT),
        ("账号,说明\na,b\n".encode(), Refusal.COLUMNS_UNKNOWN),
        ("卡密\n一二三".encode("gb18030"), Refusal.INVALID_FIELDS),
    ],
)
async def test_a_file_that_is_no_list_of_keys_begins_no_import(
    inventory: InventoryService, market: Market, content: bytes, refusal: Refusal
) -> None:
    answer = await inventory.import_keys(market.shop_id, market.listing_id, arriving(content), "x.txt")
    assert code(answer) is refusal
    assert await inventory.imports(market.shop_id, market.listing_id) == []


async def test_a_line_of_ten_megabytes_and_bytes_that_are_no_text_are_told_by_number(
    inventory: InventoryService, market: Market
) -> None:
    chunks = [b"A\n" * 40_000, *[b"k" * 1_048_576] * 10, b"\nB\n\x00\x01\x02\nC\n"]
    report = await inventory.import_keys(market.shop_id, market.listing_id, arriving(*chunks), "x.txt")
    assert isinstance(report, ImportReport)
    assert (report.state, report.added, report.bad) == (ImportState.DONE, 3, 2)
    assert [line.line_no for line in report.bad_lines] == [40_001, 40_003]


async def test_bad_lines_are_counted_exactly_and_the_first_thousand_kept(
    inventory: InventoryService, market: Market
) -> None:
    report = await imported(inventory, market, b"ok\n" + b"b\x01d line\n" * 40_000)
    assert (report.bad, len(report.bad_lines), report.bad_lines[-1].line_no) == (40_000, 1_000, 1_001)


async def test_strangers_to_the_database_are_not_found(inventory: InventoryService, market: Market) -> None:
    assert code(await inventory.import_keys(market.shop_id, 1, arriving(b"A\n"), "x.txt")) is Refusal.NOT_FOUND
    assert code(await inventory.import_keys(999, 1, arriving(b"A\n"), "x.txt")) is Refusal.NOT_FOUND
    assert code(await inventory.import_status(market.shop_id, 1)) is Refusal.NOT_FOUND
    assert code(await inventory.rotate_data_key(999)) is Refusal.NOT_FOUND
    assert await inventory.stock(999, 1) == StockCounts()


async def test_a_sealed_text_opens_only_where_it_was_sealed(
    inventory: InventoryService, database: Database, market: Market
) -> None:
    await imported(inventory, market, b"A-1\nB-2\n")
    first, second = await database.fetch("SELECT * FROM card_key ORDER BY key_id")
    sealed: bytes = first["sealed_text"]
    for key_id, listing_id, dek_id, text in (
        (second["key_id"], first["listing_id"], 1, sealed),
        (first["key_id"], first["listing_id"] + 1, 1, sealed),
        (first["key_id"], first["listing_id"], 2, sealed),
        (first["key_id"], first["listing_id"], 1, sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (first["key_id"], first["listing_id"], 1, b""),
    ):
        with pytest.raises(KeyUnreadable):
            await inventory.open_key(market.shop_id, listing_id, key_id, dek_id, text)


async def test_all_that_is_available_can_be_withdrawn_and_keys_in_orders_stay(
    inventory: InventoryService, database: Database, market: Market
) -> None:
    await imported(inventory, market, b"".join(f"{number}\n".encode() for number in range(10_005)))
    await database.execute(
        """UPDATE card_key SET state = 'sealed', order_id = 1, pos = x.n
             FROM (SELECT key_id AS k, row_number() OVER () AS n FROM card_key LIMIT 3) x WHERE key_id = x.k"""
    )
    assert await inventory.withdraw_available(market.shop_id, market.listing_id) == 10_002
    assert await inventory.stock(market.shop_id, market.listing_id) == StockCounts(sealed=3, withdrawn=10_002)
    (report,) = await inventory.imports(market.shop_id, market.listing_id)
    assert report.withdrawn == 10_002


async def test_no_key_shows_in_logs_errors_or_the_database(
    inventory: InventoryService,
    database: Database,
    market: Market,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    secret = "TOP-SECRET-KEY"

    async def broken() -> AsyncIterator[bytes]:
        yield f"{secret}-1\n{secret}-2\x01\n".encode() * 5_000
        raise ConnectionLostError

    asyncio.get_running_loop().set_debug(True)
    shown = ""
    with caplog.at_level(logging.DEBUG):
        report = await imported(inventory, market, f'key\n{secret}-0\n"{secret}\n{secret}-0\n'.encode(), "x.csv")
        try:
            await inventory.import_keys(market.shop_id, market.listing_id, broken(), "x.txt")
        except ConnectionLostError as error:
            shown += "".join(traceback.format_exception(error))
        row = await database.fetchrow("SELECT * FROM card_key ORDER BY key_id")
        assert row is not None
        try:
            await inventory.open_key(market.shop_id, 1, row["key_id"], 1, row["sealed_text"])
        except KeyUnreadable as error:
            shown += "".join(traceback.format_exception(error))
    asyncio.get_running_loop().set_debug(False)
    kept = "".join(map(repr, await database.fetch("SELECT * FROM card_key")))
    kept += "".join(map(repr, await database.fetch("SELECT * FROM key_import")))
    said = capfd.readouterr()
    assert await inventory.open_key(
        row["shop_id"], row["listing_id"], row["key_id"], row["dek_id"], row["sealed_text"]
    ) == (f"{secret}-0")
    for text in (shown, kept, caplog.text, said.out, said.err, repr(report), repr(vars(inventory))):
        assert secret not in text


async def test_memory_stays_flat_however_many_keys_arrive(inventory: InventoryService, market: Market) -> None:
    peaks = []
    for count in (20_000, 200_000):
        tracemalloc.start()
        report = await inventory.import_keys(market.shop_id, market.listing_id, made_up_keys(count), "x.txt")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert isinstance(report, ImportReport)
        assert report.added == count
    assert peaks[1] < 16 * 1024 * 1024
    assert peaks[1] < peaks[0] * 1.5


async def test_the_benchmark_measures_both_sides_on_the_same_rows(database: Database, keyring: Keyring) -> None:
    figures = await bench_import(database, keyring, 4_000)
    assert figures["keys"] == 4_000
    assert figures["ratio"] == pytest.approx(figures["keys_per_second"] / figures["copy_rows_per_second"], abs=0.01)
    assert await database.fetchval("SELECT count(*) FROM card_key") == 1_000 + 4_000 + 4_000
    assert await database.fetchval("SELECT count(DISTINCT blind) FROM card_key") == 5_000


async def test_the_database_itself_refuses_a_second_running_import(
    database: Database, market: Market, clock: FixedClock
) -> None:
    await leave_running(database, market, clock)
    with pytest.raises(asyncpg.UniqueViolationError, match="key_import_one_running"):
        await database.execute(
            """INSERT INTO key_import (shop_id, import_id, listing_id, file_name, state, bytes_total)
               VALUES ($1, 6, $2, 'x', 'running', 0)""",
            market.shop_id,
            market.listing_id,
        )
