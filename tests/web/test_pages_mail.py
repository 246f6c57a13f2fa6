"""The address notices go to: confirmed by its code, changed, removed; and letters stopped by who holds one."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from browser import Browser
from kabao.notices.rules import Failure
from kabao.orders import MerchantDigest
from kabao.postgres import Database
from kabao.wiring import Settings, build, create_asgi
from letterbox import Letterbox
from pages import Postbox, Site

CODE = re.compile(r"验证码：(\d{6})")


@pytest.fixture
def box() -> Letterbox:
    return Letterbox()


@pytest_asyncio.fixture
async def mailing(database: Database, tmp_path: Path, box: Letterbox) -> AsyncIterator[Site]:
    post = Postbox()
    app = await build(Settings(data=tmp_path), database, sender=post, transport=box)
    await app.rulebook.begin()
    made = Site(app, create_asgi(app), post)
    yield made
    for client in made.open_clients:
        await client.aclose()


def code_in(box: Letterbox) -> str:
    found = CODE.search(box.text())
    assert found is not None
    return found[1]


async def confirmed(site: Site, box: Letterbox, name: str, email: str) -> Browser:
    browser = await site.person(name)
    await browser.get("/me/notices")
    await browser.send("/me/notices/email", {"email": email})
    page = await browser.send("/me/notices/confirm", {"code": code_in(box)})
    assert "邮箱已确认" in page.text
    return browser


async def test_a_site_without_mail_says_so_and_shows_no_form(site: Site) -> None:
    buyer = await site.person("小买家")
    page = await buyer.get("/me")
    assert "/me/notices" in page.read.links
    page = await buyer.get("/me/notices")
    assert "这个站没有开邮件" in page.text
    assert [form.action for form in page.read.forms if form.action.startswith("/me")] == []
    csrf = (await buyer.get("/me")).form("/me").fields["csrf_token"]
    page = await buyer.post("/me/notices/email", {"csrf_token": csrf, "email": "a@example.com"})
    assert (page.status, "这个站没有开邮件" in page.text) == (409, True)


async def test_an_address_is_added_by_its_code_and_removed(mailing: Site, box: Letterbox) -> None:
    buyer = await mailing.person("小买家")
    page = await buyer.get("/me/notices")
    assert "加一个邮箱" in page.text
    assert "打印在服务器的终端里" not in page.text
    page = await buyer.send("/me/notices/email", {"email": "not an address"})
    assert page.status == 422
    assert "邮箱的写法不对" in page.text
    assert page.form("/me/notices/email").fields["email"] == ["not an address"]
    page = await buyer.send("/me/notices/email", {"email": "xiaoman@example.com"})
    assert "验证码已发出" in page.text
    assert "确认 x***@example.com" in page.words
    assert "xiaoman" not in page.text
    page = await buyer.send("/me/notices/email", {"email": "xiaoman@example.com"})
    assert (page.status, "试得太频繁" in page.text) == (429, True)
    page = await buyer.send("/me/notices/confirm", {"code": "1"})
    assert (page.status, "验证码不对" in page.text) == (422, True)
    page = await buyer.send("/me/notices/confirm", {"code": code_in(box)})
    assert "邮箱已确认" in page.text
    assert "x***@example.com" in page.text
    page = await buyer.send("/me/notices/remove")
    assert "邮箱已删除" in page.text
    assert "example.com" not in page.words.replace("name@example.com", "")


async def test_where_letters_are_only_shown_the_page_says_where(mailing: Site, box: Letterbox) -> None:
    box.delivers = False
    buyer = await mailing.person("小买家")
    page = await buyer.get("/me/notices")
    assert "打印在服务器的终端里" in page.text


async def test_an_address_no_server_takes_is_said_at_its_field(mailing: Site, box: Letterbox) -> None:
    buyer = await mailing.person("小买家")
    await buyer.get("/me/notices")
    box.failures = [Failure.ADDRESS, Failure.LATER]
    page = await buyer.send("/me/notices/email", {"email": "a@example.com"})
    assert (page.status, "不收这个地址" in page.text) == (422, True)
    page = await buyer.send("/me/notices/email", {"email": "a@example.com"})
    assert (page.status, "现在发不出去" in page.text) == (503, True)
    assert "/me/notices/confirm" not in page.text


async def test_topics_are_chosen(mailing: Site, box: Letterbox) -> None:
    buyer = await confirmed(mailing, box, "小买家", "a@example.com")
    page = await buyer.get("/me/notices")
    assert page.form("/me/notices").fields["topic"] == ["orders", "cases", "reminders", "receipts"]
    page = await buyer.send("/me/notices", {"topic": ["cases", "nonsense"]})
    assert "已保存" in page.text
    assert page.form("/me/notices").fields["topic"] == ["cases"]
    page = await buyer.send("/me/notices", {"topic": []})
    assert "topic" not in page.form("/me/notices").fields


async def test_quiet_hours_are_kept_and_taken_back(mailing: Site, box: Letterbox) -> None:
    buyer = await confirmed(mailing, box, "小买家", "a@example.com")
    fields = (await buyer.get("/me/notices")).form("/me/notices/quiet").fields
    assert (fields["from"], fields["to"], fields["zone"], "quiet" in fields) == (
        ["22:00"],
        ["08:00"],
        ["Asia/Shanghai"],
        False,
    )
    page = await buyer.send("/me/notices/quiet", {"quiet": "1", "from": "23:30", "to": "07:15", "zone": "Asia/Tokyo"})
    fields = page.form("/me/notices/quiet").fields
    assert (fields["from"], fields["to"], fields["zone"]) == (["23:30"], ["07:15"], ["Asia/Tokyo"])
    page = await buyer.send("/me/notices/quiet", {"quiet": "1", "from": "x", "to": "25:00", "zone": "Asia/Tokyo"})
    assert (page.status, "开始写成 22:00 这样" in page.text) == (422, True)
    page = await buyer.send("/me/notices/quiet", {"quiet": "1", "from": "08:00", "to": "22:00"})
    assert (page.status, "最长 12 小时" in page.text) == (422, True)
    page = await buyer.send("/me/notices/quiet", {"quiet": []})
    assert "quiet" not in page.form("/me/notices/quiet").fields


async def test_staff_may_do_without_the_letter_of_the_morning(mailing: Site, box: Letterbox) -> None:
    support = await mailing.support()
    await support.get("/me/notices")
    await support.send("/me/notices/email", {"email": "desk@example.com"})
    page = await support.send("/me/notices/confirm", {"code": code_in(box)})
    assert "digest" in page.form("/me/notices").fields["topic"]
    page = await support.send("/me/notices", {"topic": ["cases"]})
    assert page.form("/me/notices").fields["topic"] == ["cases"]


async def test_a_sale_reaches_the_merchants_mailbox_and_one_click_stops_it(mailing: Site, box: Letterbox) -> None:
    app = mailing.app
    digest = MerchantDigest(database=app.database, clock=app.clock, notices=app.notices, margin=timedelta(0))
    await digest.run()
    merchant, _, listing = await mailing.selling()
    await merchant.get("/me/notices")
    await merchant.send("/me/notices/email", {"email": "shop@example.com"})
    await merchant.send("/me/notices/confirm", {"code": code_in(box)})
    buyer = await mailing.person("小买家")
    await mailing.bought(buyer, listing)
    box.taken.clear()
    assert await digest.run() == 1
    assert await app.notices.send_mail() == 1
    [message] = box.taken
    assert "卖出 1 单" in str(message["Subject"])
    link = urlsplit(str(message["List-Unsubscribe"]).strip("<>"))
    path = f"{link.path}?{link.query}"
    stranger = mailing.stranger()
    page = await stranger.get(path)
    assert (page.status, "不再收「订单」的邮件" in page.text) == (200, True)
    page = await merchant.get("/me/notices")
    assert "orders" in page.form("/me/notices").fields["topic"]
    # As a mail program does it: no cookie, no token, no page seen before.
    answer = await mailing.stranger().client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, "已退订" in answer.text) == (200, True)
    page = await merchant.get("/me/notices")
    assert page.form("/me/notices").fields["topic"] == ["cases", "reminders", "receipts"]
    page = await stranger.get(path)
    assert (await stranger.send("/mail/unsubscribe")).status == 200
    for action in (stranger.get, stranger.post):
        page = await action("/mail/unsubscribe?t=1.orders.AAAA")
        assert page.status == 404


async def test_forms_of_the_settings_need_their_token(mailing: Site, box: Letterbox) -> None:
    buyer = await confirmed(mailing, box, "小买家", "a@example.com")
    for path in ("/me/notices", "/me/notices/email", "/me/notices/confirm", "/me/notices/remove"):
        assert (await buyer.post(path, {"csrf_token": "x"})).status == 403, path
        page = await mailing.stranger().post(path, {"email": "a@example.com"})
        assert page.status == 401, path
    assert (await mailing.stranger().get("/me/notices")).path.startswith("/sign-in")
    page = await buyer.get("/me/notices")
    assert "a***@example.com" in page.text


async def test_an_address_that_stopped_working_is_shown_as_such(mailing: Site, box: Letterbox) -> None:
    buyer = await confirmed(mailing, box, "小买家", "a@example.com")
    [account] = await mailing.app.accounts("小买家")
    async with mailing.app.database.transaction() as conn:
        await mailing.app.notices.tell(conn, account, "case_ruled", "裁决", "/c/1-2")
    box.failures = [Failure.ADDRESS]
    await mailing.app.notices.send_mail()
    page = await buyer.get("/messages")
    assert "你的通知邮箱收不到信" in page.text
    page = await buyer.get("/me/notices")
    assert "对方的邮件服务器拒收" in page.text
