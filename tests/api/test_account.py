"""A program's own address, and which notices go there."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from kabao.identity import Role
from kabao.kernel import Refused
from kabao.notices.rules import Failure
from kabao.postgres import Database
from kabao.wiring import App, Settings, build, create_asgi
from letterbox import Letterbox

ALL_ON = {"orders": True, "cases": True, "receipts": True, "reminders": True, "digest": True, "quiet": None}
NONE = {"is_on": True, "email": None, "is_working": False, "pending": None, **ALL_ON}


@pytest.fixture
def box() -> Letterbox:
    return Letterbox()


async def caller(app: App, phone: str) -> AsyncIterator[httpx.AsyncClient]:
    await app.identity.find_or_create(phone, "测试", [Role.BUYER])
    token = await app.identity.create_token(phone, Role.BUYER)
    assert not isinstance(token, Refused)
    transport = httpx.ASGITransport(create_asgi(app))  # type: ignore[arg-type]  Litestar's own ASGI types
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://kabao.test/api/v1", headers=headers) as http:
        yield http


@pytest_asyncio.fixture
async def me(database: Database, tmp_path: Path, box: Letterbox) -> AsyncIterator[httpx.AsyncClient]:
    app = await build(Settings(data=tmp_path), database, transport=box)
    async for http in caller(app, "+12025550101"):
        yield http


@pytest_asyncio.fixture
async def without_mail(app: App) -> AsyncIterator[httpx.AsyncClient]:
    async for http in caller(app, "+12025550101"):
        yield http


async def test_an_address_is_confirmed_shown_masked_and_removed(me: httpx.AsyncClient, box: Letterbox) -> None:
    assert (await me.get("/me/notices")).json() == NONE
    asked = await me.post("/me/email", json={"email": "xiaoman@example.com"})
    assert (asked.status_code, asked.json()) == (202, {"pending": "x***@example.com"})
    assert (await me.get("/me/notices")).json() == NONE | {"pending": "x***@example.com"}
    wrong = await me.post("/me/email/confirm", json={"code": "x"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "code_wrong")
    found = re.search(r"\d{6}", box.text())
    assert found is not None
    confirmed = await me.post("/me/email/confirm", json={"code": found[0]})
    in_force = NONE | {"email": "x***@example.com", "is_working": True}
    assert (confirmed.status_code, confirmed.json()) == (200, in_force)
    assert (await me.get("/me/notices")).json() == in_force
    removed = await me.delete("/me/email")
    assert (removed.status_code, removed.json()) == (200, NONE)


async def test_topics_are_chosen(me: httpx.AsyncClient) -> None:
    wish = {"orders": False, "cases": True, "receipts": True, "reminders": True}
    chosen = await me.put("/me/notices", json=wish)
    assert (chosen.status_code, chosen.json()) == (200, NONE | {"orders": False})
    assert (await me.get("/me/notices")).json() == NONE | {"orders": False}
    # What an older program does not know of stays as it is.
    await me.put("/me/notices", json=wish | {"reminders": False})
    del wish["reminders"]
    assert (await me.put("/me/notices", json=wish)).json()["reminders"] is False
    for wrong in ({"orders": True}, wish | {"spam": True}, wish | {"orders": "yes"}):
        assert (await me.put("/me/notices", json=wrong)).status_code == 422


async def test_quiet_hours_are_set_and_ended(me: httpx.AsyncClient) -> None:
    night = {"from_minute": 1320, "to_minute": 480, "zone": "Asia/Shanghai"}
    answer = await me.put("/me/quiet-hours", json={"from_minute": 1320, "to_minute": 480})
    assert (answer.status_code, answer.json()["quiet"]) == (200, night)
    assert (await me.get("/me/notices")).json()["quiet"] == night
    for wrong in ({"zone": "Mars/Base"}, {"to_minute": 1320}, {"to_minute": 700}, {"from_minute": 1440}):
        assert (await me.put("/me/quiet-hours", json=night | wrong)).status_code == 422, wrong
    assert (await me.delete("/me/quiet-hours")).json()["quiet"] is None


async def test_what_cannot_be_taken_is_refused_by_name(me: httpx.AsyncClient, box: Letterbox) -> None:
    answer = await me.post("/me/email", json={"email": "a@b"})
    assert (answer.status_code, list(answer.json()["fields"])) == (422, ["email"])
    assert (await me.post("/me/email", json={"email": "a" * 255})).status_code == 422
    box.failures = [Failure.SERVER]
    away = await me.post("/me/email", json={"email": "a@example.com"})
    assert (away.status_code, away.json()["code"]) == (503, "mail_unreachable")
    assert away.headers["retry-after"] == "5"


async def test_a_site_without_mail_says_so(without_mail: httpx.AsyncClient) -> None:
    assert (await without_mail.get("/me/notices")).json() == NONE | {"is_on": False}
    answer = await without_mail.post("/me/email", json={"email": "a@example.com"})
    assert (answer.status_code, answer.json()["code"]) == (409, "mail_off")


async def test_a_stranger_has_no_account(me: httpx.AsyncClient) -> None:
    assert (await me.get("/me/notices", headers={"authorization": ""})).status_code == 401
