"""The whole application in this process, asked through ASGI, with scripts of every role."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from fronts import lent
from kabao.identity import Role
from kabao.kernel import Refused
from kabao.postgres import Database
from kabao.wiring import App, Settings, build

SHOP = {
    "name": "测试点卡店",
    "legal_name": "测试主体",
    "address": "测试地址，不对应真实地点",
    "licence_number": "000000000000009",
}
LISTING: dict[str, Any] = {
    "title": "测试点卡 100 元",
    "description": "只用于测试的点卡。",
    "category": "game_card",
    "price_minor": 9650,
    "max_quantity": 5,
    "terms": {"escrow_hours": 72, "claim_days": 3},
}


@dataclass
class Script:
    """A caller with a token."""

    client: httpx.AsyncClient
    token: str
    account_id: int
    headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.headers = {"authorization": f"Bearer {self.token}"}

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.client.get(f"/api/v1{path}", headers=self.headers, **options)

    async def post(self, path: str, json: Any = None, *, key: str | None = None, **options: Any) -> httpx.Response:
        headers = self.headers | options.pop("headers", {})
        if key is not None:
            headers["idempotency-key"] = key
        return await self.client.post(f"/api/v1{path}", json=json, headers=headers, **options)

    async def step(self, path: str, json: Any = None) -> httpx.Response:
        """Post with a key of its own."""
        return await self.post(path, json, key=secrets.token_hex(8))


@dataclass
class Stall:
    """A shop with one live listing and keys, and who trades there."""

    merchant: Script
    buyer: Script
    stranger: Script
    rival: Script
    support: Script
    shop: str
    listing: str
    keys: list[str]
    snapshot_no: int
    notices: list[str]

    def wish(self, quantity: int = 1) -> dict[str, Any]:
        return {
            "listing_ref": self.listing,
            "snapshot_no": self.snapshot_no,
            "quantity": quantity,
            "confirmed": self.notices,
        }


Pay = Callable[[Script, str], Awaitable[None]]


@pytest_asyncio.fixture
async def app(database: Database, tmp_path: Path) -> App:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    app = await build(Settings(data=data), database)
    await app.rulebook.begin()
    return app


@pytest_asyncio.fixture
async def client(app: App) -> AsyncIterator[httpx.AsyncClient]:
    with lent(app) as front:
        transport = httpx.ASGITransport(front)  # type: ignore[arg-type]  Litestar's own ASGI types
        async with httpx.AsyncClient(transport=transport, base_url="http://kabao.test") as http:
            yield http


async def script(app: App, client: httpx.AsyncClient, number: int, role: Role) -> Script:
    phone = f"+120255501{number:02d}"
    account_id = await app.identity.find_or_create(phone, f"测试{number}", [Role.BUYER, role])
    token = await app.identity.create_token(phone, role)
    assert not isinstance(token, Refused)
    return Script(client, token, account_id)


@pytest_asyncio.fixture
async def stall(app: App, client: httpx.AsyncClient) -> Stall:
    merchant = await script(app, client, 1, Role.MERCHANT)
    opened = await merchant.post("/shops", SHOP)
    assert opened.status_code == 201, opened.text
    shop = opened.json()["ref"]
    written = await merchant.post(f"/shops/{shop}/listings", LISTING)
    assert written.status_code == 201, written.text
    listing = written.json()["ref"]
    keys = [f"TEST-{number:04d}-{secrets.token_hex(6)}" for number in range(6)]
    imported = await merchant.client.post(
        f"/api/v1/shops/{shop}/listings/{listing}/keys",
        content="\n".join(keys).encode(),
        headers=merchant.headers | {"content-type": "text/plain"},
    )
    assert imported.status_code == 201, imported.text
    assert imported.json()["added"] == len(keys)
    live = await merchant.post(f"/shops/{shop}/listings/{listing}/publish")
    assert live.status_code == 200, live.text
    return Stall(
        merchant=merchant,
        buyer=await script(app, client, 2, Role.BUYER),
        stranger=await script(app, client, 3, Role.BUYER),
        rival=await script(app, client, 5, Role.MERCHANT),
        support=await script(app, client, 4, Role.SUPPORT),
        shop=shop,
        listing=listing,
        keys=keys,
        snapshot_no=live.json()["snapshot_no"],
        notices=[notice["notice_id"] for notice in live.json()["notices"]],
    )


@pytest.fixture
def script_of(app: App, client: httpx.AsyncClient) -> Callable[[int, Role], Awaitable[Script]]:
    async def made(number: int, role: Role) -> Script:
        return await script(app, client, number, role)

    return made


@pytest.fixture
def pay(app: App) -> Pay:
    async def paid(buyer: Script, order: str) -> None:
        checkout = await buyer.post(f"/orders/{order}/checkout")
        assert checkout.status_code == 200, checkout.text
        payment = await app.custody.pay(checkout.json()["pay_path"].rpartition("/")[2])
        assert payment is not None
        assert await app.custody.notify(payment, app.take_notice)

    return paid


@pytest.fixture
def bought(stall: Stall, pay: Pay) -> Callable[[], Awaitable[str]]:
    async def buy() -> str:
        placed = await stall.buyer.step("/orders", stall.wish())
        assert placed.status_code == 201, placed.text
        ref: str = placed.json()["ref"]
        await pay(stall.buyer, ref)
        return ref

    return buy
