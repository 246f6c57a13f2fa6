"""The whole application in this process, and browsers without scripts for people of every role."""

from dataclasses import dataclass, field
from typing import Any

import httpx
import pyotp

from browser import Browser
from kabao.identity import Person, Role
from kabao.kernel import Refused
from kabao.wiring import App

SHOP = {
    "name": "测试点卡店",
    "legal_name": "测试主体",
    "address": "测试地址，不对应真实地点",
    "licence_number": "000000000000009",
}
TITLE = "测试点卡 100 元"
KEYS = [f"TEST-{number:04d}-AAAA" for number in range(5)]


class Postbox:
    """Takes the codes that would go to phones."""

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}

    delivers = False

    async def send(self, phone: str, code: str) -> None:
        self.codes[phone] = code


@dataclass
class Site:
    """The application, and how people come in."""

    app: App
    asgi: Any
    post: Postbox
    people: int = 0
    open_clients: list[httpx.AsyncClient] = field(default_factory=list)

    def stranger(self) -> Browser:
        transport = httpx.ASGITransport(app=self.asgi, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://testserver")
        self.open_clients.append(client)
        return Browser(client)

    async def person(self, name: str, role: Role = Role.BUYER) -> Browser:
        """Sign someone in by a link."""
        self.people += 1
        account = await self.app.identity.find_or_create(f"1380000{self.people:04d}", name, {Role.BUYER, role})
        browser = self.stranger()
        token = await self.app.identity.make_link(account, role)
        await browser.get(f"/sign-in/link/{token}")
        await browser.send(f"/sign-in/link/{token}")
        return browser

    async def known(self, name: str) -> Person:
        """Find a person as services know them."""
        [account] = await self.app.accounts(name)
        return Person(account_id=account, display_name=name, phone_masked="", roles=frozenset({Role.BUYER}))

    async def support(self) -> Browser:
        """Sign a member of support in, checked."""
        return await self.staff("客服一", Role.SUPPORT)

    async def staff(self, name: str, role: Role) -> Browser:
        """Sign a member of staff in, checked."""
        browser = await self.person(name, role)
        [account] = await self.app.accounts(name)
        uri = await self.app.identity.set_staff_credential(account, "correct horse battery")
        assert not isinstance(uri, Refused)
        code = pyotp.parse_uri(uri).now()
        await browser.get("/desk")
        await browser.send("/desk/check", {"password": "correct horse battery", "totp": code})
        return browser

    async def selling(self, *, keys: list[str] | None = None) -> tuple[Browser, str, str]:
        """Open a shop with one listing on sale; returns its merchant, the shop's and the listing's reference."""
        merchant = await self.person("店主一")
        await merchant.get("/m/shops/new")
        page = await merchant.send("/m/shops/new", SHOP)
        shop = page.path.split("/")[2]
        page = await merchant.send(
            "/listings/new",
            {
                "title": "测试点卡 100 元",
                "description": "只用于测试。",
                "price_minor": "96.50",
                "validity_text": "一年",
            },
        )
        listing = page.path.split("/")[4]
        await merchant.send("/keys", {"keys": "\n".join(keys or KEYS)})
        await merchant.get(f"/m/{shop}/listings/{listing}")
        page = await merchant.send(f"/listings/{listing}", {"then": "publish"})
        assert "已上架" in page.text
        return merchant, shop, listing

    async def bought(self, buyer: Browser, listing: str, *, quantity: int = 1) -> str:
        """Buy and pay at the custodian's page; returns the order's reference."""
        page = await buyer.get(f"/buy/{listing}")
        notices = ["no_reason_after_open", "validity"]
        page = await buyer.send(f"/buy/{listing}", {"quantity": str(quantity), "notice": notices})
        assert page.path.startswith("/o/"), page.words
        ref = page.path.split("/")[2]
        page = await buyer.send("/pay")
        assert page.path.startswith("/sandbox-custodian/")
        page = await buyer.send(page.path)
        assert page.path == f"/o/{ref}"
        return ref

    async def complained(self, buyer: Browser, listing: str, claim: str = "already_used") -> str:
        """Buy, open and complain; returns the case's reference."""
        ref = await self.bought(buyer, listing)
        await buyer.get(f"/o/{ref}/reveal")
        await buyer.send(f"/o/{ref}/reveal")
        await buyer.get(f"/o/{ref}/problem")
        await buyer.send("/problem", {"claim": claim, "demand": "full_refund"})
        page = await buyer.send("/problem", {"statement": "提示已被使用", "step": ""})
        assert page.path.startswith("/c/"), page.words
        return page.path.split("/")[2].split("?")[0]
