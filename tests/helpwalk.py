"""What people type on `/help-me`, without a script."""

from typing import Any

import httpx

from browser import Browser
from pages import Site

START: dict[str, Any] = {
    "go": "next", "shop_name": "某店", "platform_name": "某平台", "goods": "key", "paid_at": "2026-07-14",
    "paid_at_time": "20:51", "amount": "268", "channel": "alipay",
}  # fmt: skip
CHAT = "小李 2026/07/14 20:51:07\n在吗，卡密 ABCD-1234-EFGH 用不了\n店主 2026/07/14 20:52:00\n退不了\n"


async def walk(site: Site) -> Browser:
    """Go to the letters as a person without scripts does."""
    person = site.stranger()
    await person.get("/help-me")
    page = await person.send("/help-me", START)
    assert "说清经过" in page.words
    page = await person.send("/help-me", {"go": "events", "title": "点卡", "order_no": "A17", "chat": CHAT})
    assert "退不了" in page.words
    await person.send("/help-me", {"go": "next", "side": ["me", "merchant"]})
    page = await person.send("/help-me", {"go": "claim", "claim": "key_invalid", "demand": "refund"})
    assert "卡密在正确的地方无法兑换" in page.words
    page = await person.send("/help-me", {"go": "next", "answer_key_failed": "yes"})
    assert "先留这个" in page.words
    await person.send("/help-me", {"go": "next"})
    await person.send("/help-me", {"go": "next", "shop_real_name": "某公司"})
    page = await person.send("/help-me", {"go": "terms", "terms": "一经售出概不退换", "terms_of": "merchant"})
    assert "概不退换" in page.words
    page = await person.send("/help-me", {"go": "next"})
    assert "写给谁" in page.words
    return person


async def taken(person: Browser, name: str) -> httpx.Response:
    """Press a button that gives a file."""
    fields = person.page.form("/help-me").fields
    return await person.client.post(f"/help-me/{name}", data={key: values for key, values in fields.items() if key})
