"""SMS and WeChat through the operator's gateway: for who switched them on, once, in time, and no further than that."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from browser import Browser
from fronts import lent
from gateways import SECRET, Gate, standing
from kabao.identity import Person
from kabao.kernel import FixedClock
from kabao.notices import Channel, Mailer, QuietHours
from kabao.notices.texter import A_DAY
from kabao.postgres import Database
from kabao.wiring import App, Settings, build
from market import NOON, person
from pages import Postbox, Site

BOTH = frozenset({Channel.SMS, Channel.WECHAT})
LINE = "「点卡」的纠纷：轮到你了"


@pytest.fixture
def gate() -> Iterator[Gate]:
    with standing() as gate:
        yield gate


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest_asyncio.fixture
async def site(database: Database, tmp_path: Path, gate: Gate, clock: FixedClock) -> AsyncIterator[Site]:
    settings = Settings(
        data=tmp_path, sms_gateway=gate.url("sms"), wechat_gateway=gate.url("wechat"), gateway_secret=SECRET
    )
    app = await build(settings, database, clock=clock)
    with lent(app) as front:
        made = Site(app, front, Postbox())
        yield made
        for client in made.open_clients:
            await client.aclose()


async def tell(app: App, who: Person, kind: str = "case_answered", line: str = LINE) -> None:
    async with app.database.transaction() as conn:
        await app.notices.tell(conn, who.account_id, kind, line, "/c/1-2", by=app.clock.instant())


async def signed_in(site: Site, gate: Gate, phone: str = "13900139000") -> Browser:
    """Sign in with the code that came through the gateway."""
    browser = site.stranger()
    page = await browser.get("/sign-in")
    assert "终端" not in page.words
    page = await browser.send("/sign-in", {"phone": phone})
    assert "终端" not in page.words
    await browser.send("/sign-in/code", {"code": gate.taken[-1]["code"]})
    assert "/sign-in" not in browser.page.path
    return browser


async def account(site: Site) -> Person:
    [row] = await site.app.database.fetch("SELECT account_id FROM account WHERE phone = '+8613900139000'")
    return person(row["account_id"])


async def test_a_code_comes_by_sms_and_what_was_switched_on_follows_to_the_phone(
    site: Site, gate: Gate, database: Database
) -> None:
    app, browser = site.app, await signed_in(site, gate)
    code = gate.taken[0]
    assert (code["kind"], code["to"], code["url"]) == ("code", "+8613900139000", "")
    assert code["code"] in code["line"]
    me = await account(site)
    await tell(app, me)
    assert await app.notices.send_short() == 0
    page = await browser.get("/me/notices")
    assert "短信和微信" in page.words
    assert "免打扰" not in page.words
    await browser.send("/me/notices/short", {"channel": ["sms", "wechat"]})
    assert "免打扰" in browser.page.words
    await tell(app, me)
    await tell(app, me, kind="sale", line="卖出一张")
    assert await app.notices.send_short() == 2
    assert (gate.lines("sms")[1:], gate.lines("wechat")) == ([LINE], [LINE])
    assert gate.taken[-1]["url"].endswith("/c/1-2")
    await browser.send("/me/notices/short", {"channel": ["wechat"]})
    await tell(app, me)
    assert await app.notices.send_short() == 1
    assert await database.fetchval("SELECT count(*) FROM short_message WHERE last_error IS NOT NULL") == 0


async def test_a_gateway_that_is_down_loses_nothing_and_holds_up_no_other_channel(
    site: Site, gate: Gate, clock: FixedClock
) -> None:
    app = site.app
    await signed_in(site, gate)
    me = await account(site)
    await app.texter.choose(me, BOTH)
    await tell(app, me)
    await tell(app, me, line="第二条")
    gate.answers = [503]
    assert await app.notices.send_short() == 3
    assert (gate.lines("sms")[1:], len(gate.lines("wechat"))) == ([], 2)
    assert await app.notices.send_short() == 1
    clock.advance(timedelta(minutes=1))
    assert await app.notices.send_short() == 1
    assert sorted(gate.lines("sms")[1:]) == sorted([LINE, "第二条"])
    clock.advance(timedelta(days=8))
    assert await app.texter.empty_old() == 4


async def test_who_cannot_be_reached_is_switched_off_and_told_on_the_site(site: Site, gate: Gate) -> None:
    app = site.app
    await signed_in(site, gate)
    me = await account(site)
    await app.texter.choose(me, BOTH)
    await tell(app, me)
    gate.answers = [202, 404]
    assert await app.notices.send_short() == 2
    assert await app.texter.choices(me) == {Channel.SMS: True, Channel.WECHAT: False}
    [notice] = [one for one in await app.notices.inbox(me) if one.kind == "address_failed"]
    assert "关注本站的公众号" in notice.subject
    await app.texter.choose(me, BOTH)
    await tell(app, me)
    await app.database.execute("UPDATE account SET frozen_at = now() WHERE account_id = $1", me.account_id)
    assert await app.notices.send_short() == 2
    assert len(gate.taken) == 2, "nothing goes to who is frozen"


async def test_quiet_hours_hold_messages_and_a_day_has_its_measure(site: Site, gate: Gate, clock: FixedClock) -> None:
    app = site.app
    await signed_in(site, gate)
    me, mailer = await account(site), site.app.mailer
    assert isinstance(mailer, Mailer)
    await app.texter.choose(me, frozenset({Channel.SMS}))
    night = QuietHours(19 * 60, 7 * 60, "Asia/Shanghai")
    assert await mailer.keep_quiet(me, night) is None
    async with app.database.transaction() as conn:
        for number in range(A_DAY + 5):
            await app.notices.tell(conn, me.account_id, "due_case", f"第 {number} 条", "/c/1-2")
    assert await app.notices.send_short() == 0
    assert await mailer.keep_quiet(me, None) is None
    assert await app.notices.send_short(100) == A_DAY
    clock.advance(timedelta(hours=24, seconds=1))
    await tell(app, me)
    assert await app.notices.send_short() == 1


async def test_a_number_the_gateway_never_takes_and_a_gateway_that_is_away_are_told_at_sign_in(
    site: Site, gate: Gate
) -> None:
    browser = site.stranger()
    await browser.get("/sign-in")
    gate.answers = [404, 500]
    page = await browser.send("/sign-in", {"phone": "13900139001"})
    assert "短信发不到这个号码" in page.words
    await browser.get("/sign-in")
    page = await browser.send("/sign-in", {"phone": "13900139002"})
    assert (page.status, "短信现在发不出去" in page.words) == (503, True)
    assert gate.taken == []
