"""The desk on pages: its queue, who else is there, drafts, what both sides will read, what nobody sees too early."""

import gzip
import re

from browser import POINT, Browser, Shown
from kabao.cases import OpenCase, Remedy
from kabao.identity import STAFF_ROLES, Act, Role
from kabao.identity.rules import LIMITS
from kabao.kernel import Refused, parse_ref
from kabao.postgres import Database
from kabao.web.render import STATIC
from media import picture
from pages import Site

VIEW = {"outcome": "no_refund", "share_merchant": "30", "share_buyer": "70", "sentence": "先看快照。"}
RULING = {
    "outcome": "partial_refund",
    "refund": "40",
    "share_merchant": "60",
    "share_buyer": "40",
    "facts": "商品页没有写区服。",
    "reasons": "没有显著提示，退一部分。",
    "differs_reason": "双方各有疏忽。",
}
TOO_EARLY = ("规则推演", 'id="h-dec"', "找相似案件", "按规则推出的是", 'data-suggested="', "和按规则推出的金额一致")


async def at_support(site: Site) -> tuple[Browser, Browser, Browser, str]:
    """Lead a quarrel with a picture from each side to support; returns merchant, buyer, support and the case."""
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/reveal")
    await buyer.send("/reveal")
    wish = OpenCase(claim="not_as_described", demand=Remedy.FULL_REFUND, statement="区服和商品页写的不一样。")
    opened = await site.app.cases.open(await site.known("小买家"), ref, wish)
    assert not isinstance(opened, Refused)
    for person, name in ((buyer, "screen.png"), (merchant, "record.png")):
        await person.get(f"/c/{opened.ref}")
        await person.send(
            "/say", {"body": "见附件。"}, files=[("files", (name, picture("PNG", (len(name) * 4, 30)), "image/png"))]
        )
    await buyer.get(f"/c/{opened.ref}")
    await buyer.send("/escalate")
    return merchant, buyer, await site.support(), opened.ref


async def published(site: Site, database: Database) -> None:
    await database.execute("UPDATE ruling_submission SET visible_at = submitted_at WHERE ended_at IS NULL")
    await site.app.cases.tick()


def draws_nothing_too_early(page: Shown) -> bool:
    return not any(mark in page.text for mark in TOO_EARLY)


async def test_the_case_is_read_before_anything_of_the_rules_is_shown(site: Site) -> None:
    merchant, buyer, staff, case = await at_support(site)
    path = f"/desk/{case}"
    page = await staff.get(path)
    assert draws_nothing_too_early(page)
    for said in ("关键时间", "下单", "首次拆封" if "首次拆封" in page.words else "送达", "截止", "隔 "):
        assert said in page.words
    assert page.text.count('class="shot"') == 2, "one picture of each side, side by side"
    assert "E1 / E2" in page.words
    assert "谁交的" in page.words
    page = await staff.get(f"{path}?left=2&right=1")
    assert "E2 / E1" in page.words
    # Templates are filled from the order and can be changed.
    page = await staff.get(f"{path}?macro=ask_check")
    assert "发卡前的校验记录和来源凭证" in page.form("/ask").fields["question"][0]
    assert page.form("/ask").fields["to"] == ["merchant"]
    page = await staff.get(f"{path}?macro=first_word")
    assert "还有材料的，请在" in page.form("/say").fields["body"][0]
    # Somebody else comes, told by role and to staff alone.
    other = await site.staff("客服二", Role.SUPPORT)
    page = await other.get(path)
    assert "另一位客服正在看" in page.words
    beat = re.search(r'data-beat="([^"]+)"', page.text)
    assert beat
    part = await staff.get(beat[1])
    assert "另一位客服正在看" in part.text
    assert "这件有更新" not in part.text
    assert draws_nothing_too_early(part)
    assert "这件有更新" in (await staff.get(f"{path}/beside?v=old")).text
    for party in (buyer, merchant):
        assert "正在看" not in (await party.get(f"/c/{case}")).text
        assert "客服一" not in party.page.text
        assert (await party.get(f"{path}/beside")).status == 404
    # Neither a ruling's preview nor a draft tells it, and none is taken yet.
    token = (await staff.get(path)).form("/first-view").fields
    page = await staff.post(f"{path}/rule", token | RULING)
    assert page.status == 409
    assert draws_nothing_too_early(page)
    assert "提交这份裁决" not in page.words
    page = await staff.post(f"{path}/draft", token | RULING)
    assert page.status == 409
    assert draws_nothing_too_early(page)
    assert draws_nothing_too_early(await staff.get("/desk"))
    await staff.get(path)
    # An amount beside an outcome that gives none could mean either; a first view cannot be changed, so it is asked.
    for outcome, said in (("no_refund", "选了不支持，这里要空着"), ("full_refund", "选了全额退，这里要空着")):
        page = await staff.send("/first-view", VIEW | {"outcome": outcome, "refund": "20"}, is_bare=True)
        assert page.status == 422
        assert said in page.words
    page = await staff.send("/first-view", VIEW | {"refund": ""})
    for said in ("规则推演", "责任归属", "你的初步意见", "先看快照。", "还缺什么"):
        assert said in page.words
    assert draws_nothing_too_early(await other.get(path)), "another's first view opens nothing"
    weight = sum(
        len(gzip.compress(content))
        for content in (
            page.text.encode(),
            *(
                (STATIC / name).read_bytes()
                for name in ("tokens.css", "app.css", "desk.css", "app.js", "desk.js", "icons.svg")
            ),
        )
    )
    assert weight <= 60 * 1024


async def test_a_draft_lives_until_it_is_ruled_and_both_sides_read_what_was_previewed(
    site: Site, owner_database: Database
) -> None:
    merchant, buyer, staff, case = await at_support(site)
    path = f"/desk/{case}"
    await staff.get(path)
    await staff.send("/first-view", VIEW)
    typed = {"facts": "写了一半", "share_buyer": "40"}
    form = staff.page.form("/rule")
    page = await staff.post(f"{path}/draft", form.fields | typed)
    assert "草稿已存，只有你看得到" in page.words
    page = await staff.get(path)
    assert page.form("/rule").fields["facts"] == ["写了一半"]
    assert page.form("/rule").fields["share_buyer"] == ["40"]
    other = await site.staff("客服二", Role.SUPPORT)
    await other.get(path)
    page = await other.send("/first-view", VIEW)
    assert "写了一半" not in page.text
    for party in (buyer, merchant):
        assert "写了一半" not in (await party.get(f"/c/{case}")).text
    # The script is answered with the time alone; too long a text is not cut.
    script = {"x-kabao-draft": "1"}
    page = await staff.post(f"{path}/draft", form.fields | typed, headers=script)
    assert re.fullmatch(r"\d\d:\d\d:\d\d", page.text)
    page = await staff.post(f"{path}/draft", form.fields | {"facts": "长" * 4001}, headers=script)
    assert page.status == 422
    # A different amount needs its reason before anything is previewed.
    await staff.get(path)
    page = await staff.send("/rule", RULING | {"differs_reason": "", "facts": ""}, is_bare=True)
    assert (page.status, "写查明的事实" in page.words) == (422, True), "all of it is told at once"
    for said in ("你写的不同，要写明为什么", "每一点都要回答", "至少选一条条文或者一条法律作依据"):
        assert said in page.words
    wish = await decided_over_a_question(staff, buyer, case)
    page = await staff.send("/rule", wish, is_bare=True)
    assert "双方会读到的" in page.words
    for said in (
        "采纳 ：说得对。",
        "第 29 条 超时即可取消",
        "《消费者权益保护法》第五十五条",
        "这只是建议，裁决没有照它",
    ):
        assert said in page.words, said
    for said in ("不同（只有你看得到这一行）", "客服的裁决：部分退款 ¥40.00", RULING["facts"], "商家责任", "12315"):
        assert said in page.words.replace("，写了理由", "") or said in page.words
    read = re.search(r'<section class="card ruling".*?</section>', page.text, re.DOTALL)
    assert read
    page = await staff.send("/rule", {"step": "sure"})
    assert "data-undo" in page.text
    assert "在那以前可以撤回" in page.words
    page = await staff.send("/take-back")
    assert page.form("/rule").fields["facts"] == [RULING["facts"]], "what was taken back is there to be mended"
    await staff.send("/rule", {"differs_reason": RULING["differs_reason"]})
    await staff.send("/rule", {"step": "sure"})
    await published(site, owner_database)
    page = await staff.get(path)
    assert "已裁决，见左边" in page.words
    assert "没有交上" not in page.words
    told = [
        re.search(r'<section class="card ruling".*?</section>', (await party.get(f"/c/{case}")).text, re.DOTALL)
        for party in (buyer, merchant)
    ]
    paragraphs = re.findall(r'<p class="pre read">.*?</p>', read[0], re.DOTALL)
    assert len(paragraphs) == 3
    for one in told:
        assert one
        assert re.findall(r'<p class="pre read">.*?</p>', one[0], re.DOTALL) == paragraphs


async def decided_over_a_question(staff: Browser, buyer: Browser, case: str) -> dict[str, str]:
    """Try to rule while a question is open, take it back, and return the ruling as it is taken then."""
    path = f"/desk/{case}"
    # With a question open the form says so; it is waited for, taken back or decided without, and why.
    await staff.send("/ask", {"to": "buyer", "question": "显示的是哪个区服？"})
    page = await staff.get(path)
    assert "还没有等到回答" in page.words
    assert "等买家回答，结论最晚" in page.words
    assert "轮到你" not in page.words
    assert 'class="cd paused"' in page.text
    fields = {name for name in page.form("/rule").names if POINT.match(name)}
    answered = {name: "accepted" if name.startswith("take_") else "说得对。" for name in fields}
    page = await staff.send("/rule", RULING | answered | {"damages": "50000"}, is_bare=True)
    assert page.status == 422, "no preview of what cannot be ruled"
    assert "赔偿最多是付款的十倍或者 500 元" in page.words
    wish = RULING | answered | {"damages": "", "article_1": "第 29条", "law_1": "《消费者权益保护法》第五十五条"}
    page = await staff.send("/rule", wish | {"law_2": "没有的法"}, is_bare=True)
    assert "目录里没有这一条" in page.words
    page = await staff.send("/rule", wish | {"law_2": ""}, is_bare=True)
    assert page.status == 422
    assert "等回答、撤回问题，或者写明为什么不等就裁决" in page.words
    assert page.form("/rule").fields["article_1"] == ["第 29条"], "what was typed is still there"
    await staff.send("/withdraw-question")
    assert "已撤回这个问题" in staff.page.words
    assert "还没有等到回答" not in staff.page.words
    assert "已撤回，不用回答了。" in (await buyer.get(f"/c/{case}")).words
    await staff.get(path)
    return wish


async def seen_as(staff: Browser, path: str) -> str:
    """Open a case on the desk, and return where its script asks whether it has moved on."""
    found = re.search(r'data-beat="([^"]+)"', (await staff.get(path)).text)
    assert found
    return found[1].replace("&amp;", "&")


async def test_what_a_party_says_while_a_ruling_is_written_refuses_nothing_and_is_named_at_each_step(
    site: Site, owner_database: Database
) -> None:
    merchant, buyer, staff, case = await at_support(site)
    path, offer = f"/desk/{case}", {"kind": "partial_refund", "refund": "1", "note": "最后一句。"}

    async def offered(note: str) -> None:
        await merchant.get(f"/c/{case}/offer")
        await merchant.send("/offer", offer | {"note": note})

    await staff.get(path)
    await staff.send("/first-view", VIEW)
    version = await seen_as(staff, path)
    form = staff.page
    await offered("最后一句。")
    assert "这件有更新" in (await staff.get(version)).words
    staff.page = form
    page = await staff.send("/rule", RULING)
    assert "你打开表单以后来的，1 点 商家 提方案时说" in page.words
    assert "裁决时尚未读到" in page.words
    page = await staff.send("/rule", {"step": "sure"})
    assert "data-undo" in page.text
    assert "提交以后又来了新的" not in page.words
    version = await seen_as(staff, path)
    await offered("再一句。")
    assert "提交以后又来了新的" in (await staff.get(version)).words
    assert "提交以后又来了新的，在左边。" in (await staff.get(path)).words
    # Taken back, the form has read it all; handed in again, nothing is left unread.
    page = await staff.send("/take-back")
    await staff.send("/rule", RULING)
    assert "你打开表单以后来的" not in staff.page.words
    await staff.send("/rule", {"step": "sure"})
    await offered("又一句。")
    await published(site, owner_database)
    assert "你后来提的 1 点，裁决时尚未读到" in (await merchant.get(f"/c/{case}")).words
    assert "你后来提的" not in (await buyer.get(f"/c/{case}")).words
    assert "可以申请复核，把它写进理由" in (await buyer.get(f"/c/{case}/ruling")).words


async def test_who_rules_second_is_told_and_keeps_what_was_written(site: Site, owner_database: Database) -> None:
    _, _, first, case = await at_support(site)
    second = await site.staff("客服二", Role.SUPPORT)
    for one, facts in ((first, "第一人查明"), (second, "第二人查明")):
        await one.get(f"/desk/{case}")
        await one.send("/first-view", VIEW)
        await one.send("/rule", RULING | {"facts": facts})
    page = await first.send("/rule", {"step": "sure"})
    assert "裁决已提交" in page.words
    page = await second.send("/rule", {"step": "sure"})
    assert page.status == 409
    assert "已经有裁决了" in page.words
    assert "你写了、没有交上的" in page.words
    assert "第二人查明" in page.words
    assert "第一人查明" not in page.words, "nobody but its author sees a ruling before its ten seconds are over"
    await published(site, owner_database)
    page = await second.get(f"/desk/{case}")
    assert "第一人查明" in page.words
    assert "你写了、没有交上的" in page.words
    await second.send("/draft", {"step": "drop"})
    assert "没有交上" not in second.page.words
    # A draft is not kept without end.
    [account] = await site.app.accounts("客服二")
    for _ in range(LIMITS[Act.SAVE_DRAFT].hits):
        await site.app.identity.may(Act.SAVE_DRAFT, account)
    token = second.page.form("/say").fields
    page = await second.post(f"/desk/{case}/draft", token | {"facts": "x"})
    assert page.status == 429


async def test_the_queue_is_filtered_searched_and_kept_while_going_through_it(site: Site) -> None:
    _, _, staff, case = await at_support(site)
    page = await staff.get("/desk")
    assert f'href="/desk/{case}"' in page.text
    assert "待我 1 等对方 0 别人办 0 全组 1 不限 1 已超时 0 快超时 0 还早 1" in page.words
    order = (await staff.get(f"/desk/{case}")).text.split('href="/o/')[1].split('"')[0]
    for query in (
        f"q={case}",
        f"q={order.lower()}",
        "q=区服",
        "q=测试点卡店",
        "stage=support&claim=not_as_described",
        "least=96.5&most=100",
        "lane=team",
    ):
        page = await staff.get(f"/desk?{query}")
        assert f"/desk/{case}?" in page.text, query
    for query in (
        "q=没有这样的字",
        "stage=panel",
        "claim=late",
        "least=200",
        "time=near",
        "time=breached",
        "lane=waiting",
        "lane=others",
        "q=9-9",
    ):
        page = await staff.get(f"/desk?{query}")
        assert f'href="/desk/{case}' not in page.text, query
    assert "没有找到" in (await staff.get("/desk?q=没有这样的字")).words
    page = await staff.get("/desk?least=一百")
    assert "金额填数字" in page.words
    assert "“从”比“到”大" in (await staff.get("/desk?least=100&most=50")).words
    # Nonsense in the address is no error, and the list stays the same from case to case.
    page = await staff.get("/desk?lane=x&stage=x&claim=x&after=x")
    assert f"/desk/{case}" in page.text
    page = await staff.get("/desk?lane=team&after=99999999999999999-1-1")
    assert page.status == 200
    page = await staff.get("/desk?lane=team&after=9999999999999999-1-1")
    assert "回最前" in page.words
    page = await staff.get(f"/desk/{case}?lane=team&stage=support")
    assert f'href="/desk/{case}?lane=team&amp;stage=support" aria-current="true"' in page.text
    assert (
        'href="/desk?lane=team&amp;stage=support"' in page.text
        or 'href="/desk?stage=support&amp;lane=team"' in page.text
    )


async def in_the_place_of(leaver: Browser, site: Site, case: str) -> Browser:
    """Let a panellist leave the staff, who is out at once, and return who is drawn instead."""
    assert "由你裁决" in (await leaver.get(f"/desk/{case}")).words
    member = await site.staff("组员一", Role.PANEL)
    assert (await member.get(f"/desk/{case}")).status == 404
    assert await site.app.dismiss(await site.known("组员零"), STAFF_ROLES) == ({Role.PANEL}, 1)
    for path in ("/desk", f"/desk/{case}", f"/c/{case}"):
        assert (await leaver.get(path)).status == 404
    return member


async def test_a_panel_hands_over_blind_and_who_is_recused_has_no_form(site: Site, owner_database: Database) -> None:
    merchant, buyer, staff, case = await at_support(site)
    leaver = await site.staff("组员零", Role.PANEL)
    officer = await site.staff("值班长一", Role.DUTY)
    await staff.get(f"/desk/{case}")
    await staff.send("/pass-on", {"summary": "区服没有写明；激活截图已核对。"})
    member = await in_the_place_of(leaver, site, case)
    for reader, path in ((buyer, f"/c/{case}"), (merchant, f"/c/{case}"), (member, f"/desk/{case}")):
        assert "区服没有写明；激活截图已核对。" in (await reader.get(path)).words
    assert "一人争议组，由你裁决" in member.page.words
    assert "别人投了什么" not in member.page.words
    assert "/desk/looks" not in member.page.text
    assert draws_nothing_too_early(member.page)
    await member.send("/first-view", VIEW)
    vote = RULING | {"upholds": "no", "refund": "40"}
    page = await member.send("/vote", vote | {"step": "preview", "facts": ""})
    assert page.status == 422
    page = await member.send("/vote", vote | {"step": "preview"})
    assert "投这一票" in page.words
    assert "争议组的裁决：不退款" in page.words
    assert "提交后 10 秒内可以撤回" in page.words
    page = await member.send("/vote", {"step": "back"})
    assert page.form("/vote").fields["facts"] == [RULING["facts"]]
    assert (await officer.get(f"/desk/{case}")).status == 404
    assert parse_ref(case)
    await owner_database.execute("UPDATE cases SET due_at = now() - interval '1 minute' WHERE turn = 'panel'")
    await site.app.cases.tick()
    assert f"/desk/{case}" in (await officer.get("/desk?time=breached")).text
    await officer.get(f"/desk/{case}")
    await officer.send("/first-view", VIEW)
    await officer.send("/rule", RULING)
    assert "由值班长，因为争议组到时没有结论作出" in officer.page.words
    await officer.send("/rule", {"step": "sure"})
    await published(site, owner_database)
    # Who sat on the panel reads what became of the case, but has no hand in its review.
    page = await member.get(f"/desk/{case}")
    assert "已裁决，见左边" in page.words
    assert "由值班长作出" in page.words
    forms = {form.action.rsplit("/", 1)[1] for form in page.read.forms if form.action.startswith(f"/desk/{case}/")}
    assert forms <= {"draft"}, "nothing but throwing one's own draft away"
    said = {"fact": "mismatch", "shows": "yes", "kind": "screenshot", "confidence": "80"}
    assert (await member.post(f"/desk/{case}/fact", page.form("/draft").fields | said)).status == 409
    assert (await member.get(f"/c/{case}/ruling")).status == 200
    await buyer.get(f"/c/{case}")
    await buyer.send("/review", {"reason": "截图没有看。"})
    assert (await member.get(f"/desk/{case}")).status == 404
    page = await officer.get(f"/desk/{case}")
    assert "你在这件里要回避" in page.words
    forms = {form.action.rsplit("/", 1)[1] for form in page.read.forms if form.action.startswith(f"/desk/{case}/")}
    assert forms == set()
    page = await staff.get(f"/desk/{case}")
    assert "现在不轮到你" in page.words
