"""How often, how slowly and how oddly one may ask: limits shared by pages and programs, slow bodies, odd letters."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from kabao.identity import Act
from kabao.identity.rules import LIMITS
from kabao.kernel import Refusal, Refused
from kabao.wiring import App, Patience, Settings, serve

Buy = Callable[[], Awaitable[str]]
TOO_MANY = Refused(Refusal.TOO_MANY_TRIES)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def spend(app: App, act: Act, *whose: object, leave: int = 0) -> None:
    """Use up what is let through, but for some."""
    for _ in range(LIMITS[act].hits - leave):
        await app.identity.may(act, *whose)


async def test_asking_in_vain_again_and_again_is_stopped_and_what_is_there_is_still_found(
    app: App, stall: Any, bought: Buy
) -> None:
    ref = await bought()
    await spend(app, Act.MISS, stall.buyer.account_id, leave=2)
    for path in (f"/orders/{stall.shop}-9", "/cases/x"):
        assert code_of(await stall.buyer.get(path)) == (404, "not_found")
    answer = await stall.buyer.get(f"/orders/{stall.shop}-8")
    assert code_of(answer) == (429, "too_many_tries")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert code_of(await stall.buyer.step("/orders/1-1/refund")) == (429, "too_many_tries")
    assert (await stall.buyer.get(f"/orders/{ref}")).status_code == 200
    assert code_of(await stall.stranger.get(f"/orders/{ref}")) == (404, "not_found")
    # An address that names nothing by reference is no look-up.
    assert code_of(await stall.buyer.get("/nothing")) == (404, "not_found")


async def test_strangers_are_counted_by_their_network_on_pages_and_api_together(
    app: App, client: httpx.AsyncClient, stall: Any
) -> None:
    await spend(app, Act.MISS, "net:127.0.0.0/24", leave=2)
    assert (await client.get("/i/1-9")).status_code == 404
    assert (await client.get("/api/v1/listings/1-9")).status_code == 404
    page = await client.get("/i/1-8")
    assert page.status_code == 429
    assert TOO_MANY.zh in page.text
    assert page.headers["content-security-policy"]
    assert code_of(await client.get("/api/v1/listings/1-8")) == (429, "too_many_tries")
    assert (await client.get("/nothing")).status_code == 404
    assert (await client.get("/static/nothing.css")).status_code == 404
    assert (await client.get(f"/i/{stall.listing}")).status_code == 200


async def test_talk_reveals_and_offers_are_bounded(app: App, stall: Any, bought: Buy) -> None:
    ref = await bought()
    buyer, merchant = stall.buyer, stall.merchant
    await buyer.post(f"/orders/{ref}/reveal", {})
    wish = {"order_ref": ref, "claim": "other", "demand": "full_refund", "statement": "打不开。"}
    case = (await buyer.step("/cases", wish)).json()["ref"]
    await spend(app, Act.SAY, buyer.account_id, leave=1)
    assert (await buyer.post(f"/orders/{ref}/messages", {"body": "一"})).status_code == 201
    assert code_of(await buyer.post(f"/orders/{ref}/messages", {"body": "二"})) == (429, "too_many_tries")
    assert code_of(await buyer.post(f"/cases/{case}/messages", {"body": "三"})) == (429, "too_many_tries")

    await spend(app, Act.REVEAL, buyer.account_id)
    assert code_of(await buyer.post(f"/orders/{ref}/reveal", {})) == (429, "too_many_tries")

    offer = {"kind": "partial_refund", "refund_minor": 100}
    await spend(app, Act.OFFER, merchant.account_id, case, leave=1)
    first = await merchant.post(f"/cases/{case}/offers", offer, key="one")
    assert first.status_code == 201
    assert code_of(await merchant.step(f"/cases/{case.lower()}/offers", offer)) == (429, "too_many_tries")
    again = await merchant.post(f"/cases/{case}/offers", offer, key="one")
    assert again.content == first.content
    assert LIMITS[Act.OFFER] == (20, 3600)
    assert LIMITS[Act.REVEAL] == (60, 3600)
    assert LIMITS[Act.SAY] == (30, 60)


@pytest.mark.parametrize("letter", ["\x00", "\x01", "\n", "\x7f"])
async def test_control_characters_are_refused_where_names_and_words_belong(
    client: httpx.AsyncClient, stall: Any, letter: str
) -> None:
    assert code_of(await client.get("/api/v1/listings", params={"q": f"卡{letter}点"})) == (422, "invalid_fields")
    answer = await stall.buyer.step("/orders", stall.wish() | {"confirmed": [f"a{letter}b"]})
    assert code_of(answer) == (422, "invalid_fields")
    assert list(answer.json()["fields"]) == ["confirmed"]
    for path in (f"/orders/{{}}{letter}", f"/cases/{{}}{letter}", f"/listings/{letter}{{}}"):
        url = httpx.URL("http://kabao.test/api/v1" + path.format(stall.listing).replace(letter, f"%{ord(letter):02x}"))
        assert (await client.get(url, headers=stall.buyer.headers)).status_code == 404, path
    shown = await client.get("/", params={"q": f"测试{letter}点卡"})
    assert shown.status_code == 200
    assert "测试点卡 100 元" in shown.text


async def test_a_key_files_name_is_kept_without_what_cannot_be_seen(stall: Any) -> None:
    answer = await stall.merchant.client.post(
        f"/api/v1/shops/{stall.shop}/listings/{stall.listing}/keys",
        content=b"KEY-OF-ODD-NAME",
        headers=stall.merchant.headers | {"content-type": "text/plain", "x-file-name": "a%00%0A%1bb%E5%8D%A1.txt"},
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["file_name"] == "ab卡.txt"


async def test_a_lost_database_does_not_turn_not_found_into_something_else(app: App, stall: Any) -> None:
    assert (await stall.buyer.get("/orders")).status_code == 200  # the token is remembered for two seconds
    await app.database.close()
    assert code_of(await stall.buyer.get("/orders/x")) == (404, "not_found")


# ---------------------------------------------------------------- over a real connection


@asynccontextmanager
async def served(settings: Settings, patience: Patience) -> AsyncIterator[int]:
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def listening(app: App) -> None:
        ready.set_result(app.settings.port)

    serving = asyncio.create_task(serve(settings, on_ready=listening, stop=stop, patience=patience))
    try:
        yield await asyncio.wait_for(ready, 30)
    finally:
        stop.set()
        await asyncio.wait_for(serving, 30)


@pytest.fixture
def settings(tmp_path: Path, owner_dsn: str, dsn: str) -> Settings:
    return Settings(data=tmp_path / "served", port=0, owner_dsn=owner_dsn, app_dsn=dsn)


async def sent(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    """Send pieces with pauses and return everything the server says until it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()


NOTICE = b"POST /api/v1/custody/sandbox/notice HTTP/1.1\r\nhost: x\r\n"


async def test_a_body_that_stops_arriving_is_answered_and_its_connection_closed(settings: Settings) -> None:
    async with served(settings, Patience(stall=0.3)) as port:
        answer = await sent(port, NOTICE + b"content-length: 100\r\n\r\n{")
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"connection: close" in answer.lower()
        assert b"problem+json" in answer
        page = await sent(
            port,
            b"POST /sign-in HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n"
            b"content-length: 100\r\n\r\nphone=1",
        )
        assert page.startswith(b"HTTP/1.1 408")
        assert b"text/html" in page


async def test_a_body_that_trickles_has_an_end_and_a_steady_one_is_waited_for(settings: Settings) -> None:
    async with served(settings, Patience(stall=5, body=0.4)) as port:
        trickle = await sent(port, NOTICE + b"content-length: 100\r\n\r\n", *[b"x"] * 3, pause=0.1)
        assert trickle.startswith(b"HTTP/1.1 408")
        pieces = [b"x" * 3000] * 4
        head = NOTICE + b"connection: close\r\ncontent-length: 12000\r\n\r\n"
        steady = await sent(port, head, *pieces, pause=0.2)
        assert steady.startswith(b"HTTP/1.1 400")
        assert b"signature_wrong" in steady


async def test_a_connection_that_says_nothing_or_half_a_request_is_hung_up_on(settings: Settings) -> None:
    async with served(settings, Patience(headers=0.3)) as port:
        assert await sent(port) == b""
        assert await sent(port, b"GET / HTTP/1.1\r\n", b"a: b\r\n", b"c: d\r\n", pause=0.05) == b""
        answered = await sent(port, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n", b"\r\n", b"\r\n", pause=0.1)
        assert answered.startswith(b"HTTP/1.1 200")


async def test_beyond_its_connections_the_server_says_503_and_recovers(settings: Settings) -> None:
    async with served(settings, Patience(connections=3)) as port:
        ask = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        assert (await sent(port, ask)).startswith(b"HTTP/1.1 200")
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        refused = await sent(port, ask)
        assert refused.startswith(b"HTTP/1.1 503")
        assert b"connection: close" in refused.lower()
        for _, writer in idle:
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(0.1)
        assert (await sent(port, ask)).startswith(b"HTTP/1.1 200")
