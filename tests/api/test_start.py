"""Starting and serving over somebody else's PostgreSQL, in this process; the embedded one is tried by tests/cli."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from kabao.postgres import DatabaseUnavailable, DataFolderBusy
from kabao.wiring import (
    App,
    NotMigrated,
    PortTaken,
    Settings,
    audit_books,
    demo_access,
    finish_demo,
    is_demo_unfinished,
    migrate,
    schema_status,
    seed_demo,
    serve,
    start,
)


@pytest.fixture
def settings(tmp_path: Path, owner_dsn: str, dsn: str) -> Settings:
    return Settings(data=tmp_path / "data", port=0, owner_dsn=owner_dsn, app_dsn=dsn)


ROLES = ["buyer"] * 2 + ["merchant"] * 3 + ["support"] + ["panel"] * 3 + ["duty", "operator"]
STANDING = """
SELECT c.stage, count(*) AS cases, max(t.seats) AS seats FROM cases c
  LEFT JOIN LATERAL (SELECT count(*) AS seats FROM panel_seat p
                      WHERE p.shop_id = c.shop_id AND p.case_id = c.case_id AND p.stage = c.stage) t ON true
 GROUP BY c.stage ORDER BY c.stage
"""
LIBRARY = "SELECT claim, stage, outcome FROM precedent ORDER BY claim, stage"


async def test_a_folder_is_held_while_it_is_served_and_commands_work_beside(settings: Settings) -> None:
    app = await start(settings)
    assert app.server is None
    with pytest.raises(DataFolderBusy):
        await start(settings)
    beside = await start(settings, purpose="command")
    await beside.probe()
    await beside.close()
    await app.close()
    await app.close()
    again = await start(settings)
    await again.close()


async def test_a_failed_start_leaves_the_folder_free(settings: Settings) -> None:
    nowhere = msgspec.structs.replace(settings, app_dsn="postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(DatabaseUnavailable):
        await start(nowhere)
    app = await start(settings)
    await app.close()


async def test_schema_and_books_are_looked_at_where_they_are(settings: Settings, owner_database: Any) -> None:
    assert (await migrate(settings)).pending == []
    assert (await schema_status(settings)).current is not None
    assert (await audit_books(settings)).ok
    await owner_database.execute("UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(NotMigrated):
        await audit_books(settings)


async def test_the_demo_market_is_made_once_and_its_books_agree(settings: Settings, owner_database: Any) -> None:
    app = await start(settings)
    try:
        assert (await demo_access(app)).links == []
        assert await seed_demo(app)
        assert not await is_demo_unfinished(app)
        assert not await seed_demo(app)
        access = await demo_access(app)
        assert [str(link.role) for link in access.links] == ROLES
        assert len(access.staff) == 6
        assert (await audit_books(settings)).ok
        before = {row["stage"]: (row["cases"], row["seats"]) for row in await owner_database.fetch(STANDING)}
        await owner_database.execute("UPDATE ruling_submission SET visible_at = now()")
        await finish_demo(app, wait_seconds=0)
        await finish_demo(app)
        assert (await audit_books(settings)).ok
    finally:
        await app.close()
    assert before == {
        "negotiation": (1, 0),
        # Four of these were ruled on a moment ago, which nobody sees for ten seconds.
        "support": (5, 0),
        "panel": (2, 3),
        "review": (1, 1),
        "settled": (1, 0),
        "executed": (1, 0),
    }
    after = {row["stage"]: row["cases"] for row in await owner_database.fetch(STANDING)}
    assert after == {stage: cases for stage, (cases, _) in before.items()} | {
        "support": 1,
        "ruled_open": 1,
        "executed": 4,
    }
    assert [tuple(row) for row in await owner_database.fetch(LIBRARY)] == [
        ("already_used", "support", "full_refund"),
        ("changed_mind", "green", "full_refund"),
        ("changed_mind", "support", "no_refund"),
        ("not_as_described", "support", "full_refund"),
    ]
    states = {row["state"] for row in await owner_database.fetch("SELECT DISTINCT state FROM orders")}
    assert states == {"placed", "delivered", "opened", "settled", "refunded", "partly_refunded"}


async def test_a_demo_market_that_broke_off_says_so_and_stays(settings: Settings, owner_database: Any) -> None:
    app = await start(settings)
    try:
        # The institution's books are away when the first demo payment is made: the shops stand, the trades do not.
        await owner_database.execute("ALTER TABLE sandbox.payment RENAME TO away")
        with pytest.raises(Exception, match="payment"):
            await seed_demo(app)
        assert await is_demo_unfinished(app)
        await owner_database.execute("ALTER TABLE sandbox.away RENAME TO payment")
        shops = await owner_database.fetchval("SELECT count(*) FROM shop")
        assert shops > 0
        assert not await seed_demo(app)
        assert await is_demo_unfinished(app)
        assert await owner_database.fetchval("SELECT count(*) FROM shop") == shops
        assert (await audit_books(settings)).ok
    finally:
        await app.close()


async def test_it_serves_until_told_to_stop(settings: Settings) -> None:
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    order: list[str] = []

    async def before(_app: App) -> None:
        order.append("prepared")

    async def listening(app: App) -> None:
        order.append("listening")
        ready.set_result(app.settings.origin)

    serving = asyncio.create_task(serve(settings, prepare=before, on_ready=listening, stop=stop))
    origin = await asyncio.wait_for(ready, 30)
    async with httpx.AsyncClient() as http:
        assert (await http.get(origin)).status_code == 200
        assert (await http.get(f"{origin}/healthz")).json() == {"status": "ok"}
    stop.set()
    await asyncio.wait_for(serving, 30)
    assert order == ["prepared", "listening"]
    async with httpx.AsyncClient() as http:
        with pytest.raises(httpx.TransportError):
            await http.get(origin)


async def test_a_stop_during_the_start_serves_nothing(settings: Settings) -> None:
    stop = asyncio.Event()
    stop.set()

    async def never(_app: App) -> None:
        raise AssertionError("nothing is served after a stop")

    await serve(settings, prepare=never, on_ready=never, stop=stop)


async def test_a_taken_port_is_told_with_what_to_do(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PortTaken) as refused:
            await serve(msgspec.structs.replace(settings, port=taken.getsockname()[1]))
    assert "--port" in refused.value.zh
    with pytest.raises(PortTaken):
        await serve(msgspec.structs.replace(settings, port=70_000))


async def test_an_upload_that_breaks_off_is_no_bug(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def listening(app: App) -> None:
        ready.set_result(app.settings.port)

    serving = asyncio.create_task(serve(settings, on_ready=listening, stop=stop))
    port = await asyncio.wait_for(ready, 30)
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /api/v1/custody/sandbox/notice HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.2)
    stop.set()
    await asyncio.wait_for(serving, 30)
    said = capsys.readouterr()
    assert "internal_error" not in said.out + said.err
