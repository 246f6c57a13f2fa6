"""What every answer carries, and what people and programs see when something underneath fails."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from litestar import Litestar, get

from kabao.evidence import StorageFull
from kabao.postgres import Database, DatabaseFull, DatabaseUnavailable
from kabao.wiring import App, Settings, build, create_asgi

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECRET = "a row with a card key"


@get("/full", opt={"public": True})
async def full() -> None:
    raise DatabaseFull("DiskFullError (53100)")


@get("/lost", opt={"public": True})
async def lost() -> None:
    raise DatabaseUnavailable("ConnectionDoesNotExistError (08003)")


@get("/no-room", opt={"public": True})
async def no_room() -> None:
    raise StorageFull


@get("/bug", opt={"public": True})
async def bug() -> None:
    raise RuntimeError(SECRET)


FAILING = (full, lost, no_room, bug)


@pytest_asyncio.fixture
async def failing(app: App) -> AsyncIterator[httpx.AsyncClient]:
    """The application with four handlers more, each failing in its own way, for pages and for programs."""
    from litestar import Router  # noqa: PLC0415  only here

    asgi: Litestar = create_asgi(app)
    asgi.register(Router("/api/v1/failing", route_handlers=list(FAILING)))
    asgi.register(Router("/failing", route_handlers=list(FAILING)))
    transport = httpx.ASGITransport(asgi)  # type: ignore[arg-type]  Litestar's own ASGI types
    async with httpx.AsyncClient(transport=transport, base_url="http://kabao.test") as http:
        yield http


@pytest.mark.parametrize(
    "path",
    ["/", "/api/v1/listings", "/api/v1/nothing", "/nothing", "/healthz", "/schema/openapi.json", "/sign-in"],
)
async def test_every_answer_carries_the_protective_headers(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"
    assert "camera=()" in headers["permissions-policy"]
    wanted = "no-referrer" if path.startswith(("/api/", "/schema")) else "same-origin"
    assert headers["referrer-policy"] == wanted
    assert "strict-transport-security" not in headers
    assert "server" not in headers


async def test_behind_https_browsers_are_told_to_stay_there(database: Database, tmp_path: Path) -> None:
    settings = Settings.of(tmp_path, environment={"KABAO_PUBLIC_ORIGIN": "https://kabao.test/"})
    app = await build(settings, database)
    transport = httpx.ASGITransport(create_asgi(app))  # type: ignore[arg-type]  Litestar's own ASGI types
    async with httpx.AsyncClient(transport=transport, base_url="https://kabao.test") as http:
        answer = await http.get("/")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("full", 503, "storage_full"), ("lost", 503, "database_unavailable"), ("no-room", 503, "storage_full")],
)
async def test_a_lost_or_full_store_is_a_503_that_says_when_to_return(
    failing: httpx.AsyncClient, name: str, status: int, code: str
) -> None:
    answer = await failing.get(f"/api/v1/failing/{name}")
    assert answer.status_code == status
    assert answer.json()["code"] == code
    assert answer.headers["retry-after"] == "5"
    page = await failing.get(f"/failing/{name}")
    assert page.status_code == status
    assert page.headers["retry-after"] == "5"
    assert page.headers["content-type"].startswith("text/html")
    assert "钱没有动" in page.text


async def test_a_bug_tells_nothing_but_a_reference(
    failing: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await failing.get("/api/v1/failing/bug")
    assert answer.status_code == 500
    problem = answer.json()
    assert problem["code"] == "internal_error"
    assert re.fullmatch(r"[0-9a-f]{12}", problem["reference"])
    page = await failing.get("/failing/bug")
    assert page.status_code == 500
    logged = capsys.readouterr()
    assert problem["reference"] in logged.out + logged.err
    for text in (answer.text, page.text, logged.out, logged.err):
        assert SECRET not in text
        assert "RuntimeError" not in answer.text + page.text


async def test_without_its_database_the_application_answers_503_and_recovers(
    app: App, client: httpx.AsyncClient
) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/api/v1/listings")).status_code == 200
    await app.database.close()
    health = await client.get("/healthz")
    assert (health.status_code, health.json()) == (503, {"status": "database_unavailable"})
    assert (await client.get("/api/v1/listings")).json()["code"] == "database_unavailable"
    assert (await client.get("/")).status_code == 503


async def test_pages_answer_unknown_addresses_and_large_forms_as_pages(client: httpx.AsyncClient) -> None:
    missing = await client.get("/nothing/here")
    assert missing.status_code == 404
    assert missing.headers["content-type"].startswith("text/html")
    large = await client.post(
        "/sign-in",
        content=b"phone=" + b"1" * (300 * 1024),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert large.status_code == 413


def test_settings_say_where_they_are_and_no_secret() -> None:
    settings = Settings.of(
        Path("some"),
        port=81,
        host="::1",
        environment={"KABAO_DATABASE_URL": "postgresql://owner:hunter2@db/kabao"},
    )
    assert settings.origin == "http://[::1]:81"
    assert settings.app_dsn == settings.owner_dsn
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(msgspec.structs.replace(settings, port=1))
    apart = Settings.of(Path("/x"), environment={"KABAO_DATABASE_URL": "a", "KABAO_APP_DATABASE_URL": "b"})
    assert (apart.owner_dsn, apart.app_dsn) == ("a", "b")


async def test_a_shop_page_of_the_market_is_served(client: httpx.AsyncClient, stall: Any) -> None:
    page = await client.get(f"/i/{stall.listing}")
    assert page.status_code == 200
    assert "测试点卡 100 元" in page.text
