"""A ruling's page and files in a browser: to its parties and its staff, in every state, and before it is handed in."""

import json
from hashlib import sha256
from pathlib import Path

from markupsafe import Markup

from dispute import FIRST_VIEW, HANDED_IN, code, seen
from kabao.kernel import Refusal
from kabao.postgres import Database
from kabao.web.rulings import ruling_preview
from quarrel import FULL, PART, Quarrel, quarrel
from thorough import Thorough


async def words(case: Quarrel, address: str = "") -> str:
    page = await case.buyer.get(f"/c/{case.ref}/ruling{address}")
    assert page.status == 200, page.words
    return page.words


async def test_a_case_leads_to_its_ruling_and_the_ruling_to_all_it_rests_on(database: Database, tmp_path: Path) -> None:
    async with quarrel(database, tmp_path) as case:
        assert (await case.buyer.get(f"/c/{case.ref}/ruling")).status == 404
        await case.ruled(PART)
        assert f"/c/{case.ref}/ruling" in (await case.buyer.get(f"/c/{case.ref}")).read.links
        page = await case.merchant.get(f"/cases/{case.ref}/ruling?no=1")
        assert page.path == f"/c/{case.ref}/ruling?no=1"
        for told in (
            "裁决书：部分退款 ¥40.00",
            "等复核期满",
            "付给商家",
            "商家责任",
            "买家晚了两天才说。",
            "页面写得很清楚。",
            "裁决的依据",
            "第 30 条",
            "不影响结论",
            "按规则推出的结果",
            "这只是建议，裁决没有照它",
            "双方都可以申请一次复核",
            "仲裁协议",
            "消费者权益保护法第 39 条",
            "还没有写进公开日志",
        ):
            assert told in page.words, told
        assert "最终结论" in page.words
        assert "客服一" not in page.words
        assert "<b>" not in page.words.partition("E9 没有交。")[0]
        links = page.read.links
        assert any(link.startswith("/rules/") and link.endswith("#r12") for link in links)
        assert any(link.startswith(f"/o/{case.order}/files/") for link in links)
        for href in (f"/c/{case.ref}#h-rv", "/verify/signer.pem"):
            assert href in links
        await case.site.app.foundations.log.sequence()
        assert f"/o/{case.order}/receipts/" in (await case.buyer.get(f"/c/{case.ref}/ruling")).text


async def test_strangers_and_reviewers_without_a_first_view_do_not_read_it(database: Database, tmp_path: Path) -> None:
    async with quarrel(database, tmp_path) as case:
        await case.ruled(FULL)
        other = await case.site.person("路人")
        for ending in ("", ".pdf", ".json", ".sig"):
            assert (await other.get(f"/c/{case.ref}/ruling{ending}")).status == 404
            assert (await case.site.stranger().get(f"/c/{case.ref}/ruling{ending}")).path.startswith("/sign-in")
        await case.review_asked()
        page = await case.reviewer.get(f"/c/{case.ref}/ruling")
        assert page.status == 409
        assert f"/desk/{case.ref}" in page.read.links
        assert (await case.buyer.get(f"/c/{case.ref}/ruling.pdf?no=7")).status == 404


async def test_every_state_is_told_and_every_ruling_is_reached(database: Database, tmp_path: Path) -> None:
    async with quarrel(database, tmp_path) as case:
        await case.ruled(PART)
        await case.review_asked()
        assert "正在办，在那以前不动钱" in await words(case)
        await case.ruled(FULL, "复核员一")
        page = await words(case)
        for told in (
            "复核的裁决",
            "改变了",
            "已按它执行",
            "E1 看不出版本。",
            "复核改判：部分退款 ¥40.00",
            "公开匿名版",
        ):
            assert told in page, told
        assert f"/c/{case.ref}/ruling?no=1" in case.buyer.page.read.links
        first = await words(case, "?no=1")
        assert "复核的裁决" in first
        assert "申请复核，或放弃复核" not in first


async def test_a_ruling_without_money_says_that_nothing_moved(database: Database, tmp_path: Path) -> None:
    async with quarrel(database, tmp_path, released=True) as case:
        await case.ruled(PART)
        await case.later()
        page = await words(case)
        assert "等钱到位" in page
        assert "不够的平台先垫" in page
        assert "付给商家" not in page


async def test_the_files_are_signed_by_the_key_of_the_verify_page(database: Database, tmp_path: Path) -> None:
    async with quarrel(database, tmp_path) as case:
        await case.ruled(PART)
        client = case.buyer.client
        got = {ending: await client.get(f"/cases/{case.ref}/ruling.{ending}?no=1") for ending in ("pdf", "json", "sig")}
        assert [one.status_code for one in got.values()] == [200, 200, 200]
        assert got["pdf"].headers["content-type"] == "application/pdf"
        assert got["pdf"].content.startswith(b"%PDF-")
        name = f"kabao-{case.ref.lower()}-ruling-1"
        assert got["pdf"].headers["content-disposition"] == f'attachment; filename="{name}.pdf"'
        lines = got["sig"].text.split("\n")
        assert lines[:3] == ["kabao-ruling/1", *(sha256(got[one].content).hexdigest() for one in ("json", "pdf"))]
        assert json.loads(got["json"].content)["record"]["refund_minor"] == 4000
        assert f"{name}.sig" in (await case.buyer.get(f"/c/{case.ref}/ruling")).text
        key = await case.site.stranger().client.get("/verify/signer.pem")
        assert key.content == case.site.app.foundations.signer.pem


async def test_the_desk_s_preview_says_what_the_page_will_say(database: Database, tmp_path: Path) -> None:
    async with quarrel(database, tmp_path) as case:
        app, staff = case.site.app, case.people["客服一"]
        refused = await ruling_preview(app, staff, case.ref, PART, case.clock.at)
        assert code(refused) is Refusal.FIRST_VIEW_NEEDED
        seen(await app.cases.ladder.first_view(staff, case.ref, FIRST_VIEW))
        whole = await Thorough(app.cases.ladder).complete(staff, case.ref, PART)
        drawn = await ruling_preview(app, staff, case.ref, whole, case.clock.at)
        assert isinstance(drawn, Markup)
        seen(await Thorough(app.cases.ladder).rule(staff, case.ref, PART))
        await case.later(HANDED_IN)
        page = await words(case)
        for told in ("部分退款 ¥40.00", "买家晚了两天才说。", "页面写得很清楚。", "裁决的依据", "仲裁协议", "最终结论"):
            assert told in drawn, told
            assert told in page, told


async def test_a_ruling_leads_to_cases_like_it_and_to_its_own_public_copy(database: Database, tmp_path: Path) -> None:
    async with quarrel(database, tmp_path) as case:
        await case.ruled(FULL)
        await case.later()
        assert await case.site.app.precedents.publish() == 1
        page = await case.buyer.get(f"/c/{case.ref}/ruling")
        similar, public = f"/c/{case.ref}/similar", f"/c/{case.ref}/precedent"
        assert {similar, public} <= set(page.read.links)
        page = await case.buyer.get(similar)
        assert "和商品页写的不一样：全额退款" in page.words
        page = await case.buyer.get(public)
        assert page.path.startswith("/precedents/")
        assert any("#r" in link for link in page.read.links)
        article = next(link for link in page.read.links if "#r" in link)
        rules = await case.site.stranger().get(article)
        assert f'id="{article.partition("#")[2]}"' in rules.text
