"""The public case library in a browser: anyone searches it, staff of a case write its summary."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest_asyncio

from browser import Browser
from dispute import FIRST_VIEW, MERCHANTS, seen
from kabao.cases import Outcome, Rule
from kabao.figures import Search
from kabao.identity import Role
from kabao.kernel import FixedClock, Refused
from kabao.postgres import Database
from kabao.wiring import Settings, build, create_asgi
from market import person
from pages import Postbox, Site
from thorough import Thorough

FULL = Rule(
    outcome=Outcome.FULL_REFUND, shares=MERCHANTS, facts="来晚了。", reasons="有记录。", differs_reason="记录清楚。"
)


async def quarrel(site: Site) -> tuple[Browser, Browser, str]:
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/problem")
    await buyer.send("/problem", {"claim": "late", "statement": "来晚了。", "by_person": "yes"})
    return merchant, buyer, buyer.page.path.split("/")[2]


async def test_a_case_leads_to_similar_ones_without_naming_itself(site: Site) -> None:
    _, buyer, case = await quarrel(site)
    page = await buyer.get(f"/c/{case}")
    assert f"/c/{case}/similar" not in page.read.links, "nobody is sent to an empty library"
    page = await buyer.get(f"/c/{case}/similar")
    assert page.path.startswith("/precedents?claim=late&fact=")
    assert case not in page.text.replace("/c/", "")
    assert "还没有这样的案例" in page.words
    assert (await buyer.get(f"/c/{case}/precedent")).path == "/precedents"
    other = await site.person("路人")
    for path in ("similar", "precedent"):
        assert (await other.get(f"/c/{case}/{path}")).status == 404
        assert (await site.stranger().get(f"/c/{case}/{path}")).path.startswith("/sign-in")


async def test_the_library_takes_any_address(site: Site) -> None:
    stranger = site.stranger()
    for query in ("claim=%00", "fact=%00&fact=x", "outcome='--", "page=99999", "page=-1", "page=x", "claim=%ff"):
        page = await stranger.get(f"/precedents?{query}")
        assert page.status == 200, query
    assert (await stranger.get("/precedents/nonsense")).status == 404
    assert (await stranger.get("/precedents/%00")).status == 404
    assert "/precedents" in (await stranger.get("/open")).read.links


class Library(NamedTuple):
    """A site with one precedent: its address, the staff of its case, and its buyer."""

    site: Site
    staff: Browser
    buyer: Browser
    address: str
    token: dict[str, str]


@pytest_asyncio.fixture
async def library(database: Database, tmp_path: Path) -> AsyncIterator[Library]:
    clock = FixedClock(datetime.now(UTC))
    app = await build(Settings(data=tmp_path), database, sender=Postbox(), clock=clock)
    await app.rulebook.begin()
    site = Site(app, create_asgi(app), Postbox())
    merchant, buyer, case = await quarrel(site)
    staff = await site.support()
    [staff_id], [buyer_id], [owner_id] = [await app.accounts(name) for name in ("客服一", "小买家", "店主一")]
    await merchant.get(f"/c/{case}")
    await merchant.send("/say", {"body": "不同意。"})
    seen(await app.cases.escalate(person(buyer_id), case))
    judge = person(staff_id, Role.SUPPORT, staff_checked=True)
    seen(await app.cases.ladder.first_view(judge, case, FIRST_VIEW))
    seen(await Thorough(app.cases.ladder).rule(judge, case, FULL))
    clock.advance(timedelta(seconds=10))
    await app.cases.tick()
    for party in (person(buyer_id), person(owner_id, Role.MERCHANT)):
        seen(await app.cases.ladder.waive(party, case))
    assert await app.precedents.publish() == 1
    page = await buyer.get(f"/c/{case}/precedent")
    address = page.path
    assert address.startswith("/precedents/")
    for told in ("发货超过了承诺的时间：全额退款", "客服裁决", "商家责任", "认定的事实", "依据的条文"):
        assert told in page.words
    for secret in (case, "小买家", "店主一", "测试点卡店", "来晚了。"):
        assert secret not in page.text.partition("<main")[2].partition("</main>")[0]
    assert "公开匿名摘要" not in page.words
    token = {"csrf_token": (await buyer.get("/me")).form("/me").fields["csrf_token"][0]}
    yield Library(site, staff, buyer, address, token)
    for client in site.open_clients:
        await client.aclose()


async def test_staff_of_a_case_publish_a_summary_and_everybody_reads_it(library: Library) -> None:
    site, staff, buyer, address, token = library
    page = await staff.get(address)
    assert "公开匿名摘要" in page.words
    page = await staff.send("/summary", {"summary": "测试点卡店不认账。"})
    assert page.status == 422
    assert "可能让人认出是谁" in page.text
    assert "测试点卡店不认账。" in page.text
    page = await staff.send("/summary", {"summary": "送达比承诺的晚，退全款。"})
    assert page.path == address
    assert "送达比承诺的晚，退全款。" in (await site.stranger().get(address)).words
    assert (await buyer.post(f"{address}/summary", token | {"summary": "我来写。"})).status == 404
    assert "发货超过了承诺的时间：全额退款" in (await site.stranger().get("/precedents?claim=late")).words


async def test_staff_of_a_case_take_it_out_of_the_library_and_put_it_back(library: Library) -> None:
    site, staff, buyer, address, token = library
    precedents = site.app.precedents
    page = await staff.get(address)
    assert (await staff.send("/withdraw")).status == 422
    await staff.get(address)
    page = await staff.send("/withdraw", {"why": "names"})
    assert "放回公开案例" in page.words
    gone = await site.stranger().get(address)
    assert (gone.status, "可能让人认出当事人是谁" in gone.words, "放回" in gone.words) == (410, True, False)
    assert "认定的事实" not in gone.text
    assert "发货超过了承诺的时间：全额退款" not in (await site.stranger().get("/precedents")).words
    assert await precedents.publish() == 0
    assert (await precedents.has_like("late"), (await precedents.search(Search())).offered) == (False, [])
    assert isinstance(await precedents.precedent(address.rpartition("/")[2]), Refused)
    for step in ("withdraw", "restore"):
        assert (await buyer.post(f"{address}/{step}", token | {"why": "asked"})).status == 404
        assert (await site.stranger().post(f"{address}/{step}", {"why": "asked"})).status == 401
    await staff.get(address)
    assert (await staff.send("/restore")).path == address
    assert "认定的事实" in (await site.stranger().get(address)).words
