"""`/help-me`: from the first question to letters, days and the folder, with nothing kept and without any script."""

import io
import re
import secrets
import zipfile
from datetime import datetime, timedelta
from urllib.parse import quote

from pypdf import PdfReader

from helpstories import NOW
from helpwalk import CHAT, START, taken, walk
from kabao.helpcases import HelpState
from kabao.selfhelp import CHINA, Story
from kabao.selfhelp.book import names
from kabao.selfhelp.storyfile import read_story
from kabao.web.helpstate import Lost, open_state, seal_state
from pages import Site


async def test_a_person_without_scripts_comes_to_letters_days_and_the_folder_and_nothing_is_kept(site: Site) -> None:
    person = await walk(site)
    page = await person.send("/help-me", {"pick": "12315"})
    assert "消费者投诉书" in page.words
    assert "ABCD-1234" not in page.text.split("<textarea")[1]
    page = await person.send(
        "/help-me", {"go": "letters", "person_name": "某人", "body": "我改过的信，卡密 ABCD-1234-EFGH"}
    )
    assert "我改过的信，卡密 AB****GH" in page.text
    page = await person.send("/help-me", {"pick": "merchant"})
    assert "某人" in page.text
    page = await person.send("/help-me", {"pick": "12315"})
    assert "我改过的信" in page.text
    text = await taken(person, "letter.txt")
    name = quote(f"给12315（市场监督管理部门）的信 点卡 {datetime.now(CHINA):%Y-%m-%d}.txt", safe="")
    disposition = f"attachment; filename=\"letter-12315.txt\"; filename*=UTF-8''{name}"
    assert text.headers["content-disposition"] == disposition
    assert text.headers["cache-control"] == "no-store"
    assert "我改过的信，卡密 AB****GH" in text.text
    printed = PdfReader(io.BytesIO((await taken(person, "letter.pdf")).content))
    assert "我改过的信" in "".join(sheet.extract_text() for sheet in printed.pages)
    page = await person.send("/help-me", {"go": "letters", "fresh": "yes"})
    assert "我改过的信" not in page.text
    assert "请求调解" in page.text
    page = await person.send("/help-me", {"go": "next"})
    assert "加到手机日历" in page.words
    assert "你的案子：7 月 14 日在“某店”买“点卡”，付了 268.00 元。" in page.words
    assert re.search(r"要记住 \d 个日子", page.words)
    assert re.search(r"法律 \d 个，.*最近的是“", page.words)
    assert page.text.count('<table class="cal">') >= 1
    assert page.text.count('scope="col"') == 7 * page.text.count('<table class="cal">')
    assert '<td class="today now" aria-current="date">' in page.text
    calendar = await taken(person, "days.ics")
    assert "BEGIN:VCALENDAR" in calendar.text
    assert quote("别错过的日子 点卡") in calendar.headers["content-disposition"]
    folder = zipfile.ZipFile(io.BytesIO((await taken(person, "folder.zip")).content))
    assert folder.namelist() == ["case.yaml", "chat/1.txt", "terms/1.txt"]
    story = read_story(folder.read("case.yaml"), "case.yaml", names())
    assert (story.claim, story.person.name, story.shop.real_name) == ("key_invalid", "某人", "某公司")
    assert "退不了" in folder.read("chat/1.txt").decode()


async def test_signs_of_fraud_put_police_and_payment_before_every_other_step(site: Site) -> None:
    person = site.stranger()
    await person.get("/help-me?lang=en")
    page = await person.send("/help-me", {**START, "sign": "codes_asked", "go": "letters"})
    assert "Call 110" in page.words
    assert "To whom" not in page.words
    page = await person.send("/help-me", {"go": "next"})
    assert page.status == 422
    page = await person.send("/help-me", {"go": "next", "first_police_called": "yes", "first_payment_stopped": "no"})
    assert "What happened" in page.words
    page = await person.send("/help-me", {"go": "days", "title": "a key"})
    assert re.search(r"\d days to remember", page.words)
    assert "Your case: bought “a key” from “某店” on 2026-07-14 for 268.00 yuan." in page.words


async def test_goods_that_may_not_be_traded_are_told_plainly_and_lead_nowhere(site: Site) -> None:
    person = site.stranger()
    await person.get("/help-me")
    page = await person.send("/help-me", {**START, "goods": "real_name"})
    assert "不许买卖" in page.words
    page = await person.send("/help-me", {"go": "letters"})
    assert "写给谁" not in page.words


async def test_what_is_wrong_is_said_at_its_field_and_kept_as_it_was_typed(site: Site) -> None:
    person = site.stranger()
    await person.get("/help-me")
    wrong = {**START, "paid_at": "2026-13-01", "paid_at_time": "25:00", "amount": "很多", "goods": "", "shop_name": ""}
    page = await person.send("/help-me", wrong)
    assert page.status == 422
    for words in ("还有 4 处要改", "写日期", "不是金额", "选一个", "写几个字"):
        assert words in page.words
    assert 'value="很多"' in page.text
    page = await person.send("/help-me", {**START, "paid_at_time": "25:00"})
    assert "时间写成 20:51 这样" in page.words
    await person.send("/help-me", {**START, "amount": "40 USD"})
    page = await person.send("/help-me", {"go": "claim", "title": "x", "event1_at": "x", "chat": "字" * 25_001})
    assert page.status == 422
    assert "不是人民币" in page.words
    both = {"go": "events", "title": "x", "event1_at": "2026-01-02", "event1_text": "没货"}
    page = await person.send("/help-me", {**both, "event2_at": "x"})
    assert (page.status, page.text.count("没货")) == (422, 1)  # in its field alone, until all of them are right
    page = await person.send("/help-me", {**both, "event2_at": "", "chat": "", "event1_kind": "refused"})
    assert (page.status, 'id="event1_by-e"' in page.text) == (422, True)  # nobody is accused without being named
    page = await person.send("/help-me", {**both, "event2_at": "", "event1_kind": "refused", "event1_by": "merchant"})
    assert (page.text.count("没货"), "对方拒绝，商家" in page.words) == (1, True)
    late = {"go": "claim", "title": "x", "drop_event": "1", "event1_at": "2027-01-01", "event1_amount": "1"}
    page = await person.send("/help-me", late)
    assert "还没到" in page.words
    page = await person.send("/help-me", {"go": "next", "claim": "nothing"})
    assert page.status == 422
    page = await person.send("/help-me", {"go": "events", "claim": "key_invalid"})
    page = await person.send(
        "/help-me", {"go": "events", "drop_event": "1", "drop_chat": "yes", "secrets": "abcdefgh\nab"}
    )
    assert "还没到" not in page.words
    assert (page.status, "已记 1 个" in page.words) == (422, True)


async def test_a_state_that_is_old_broken_foreign_or_too_much_begins_anew(site: Site) -> None:
    person = site.stranger()
    await person.get("/help-me")
    await person.send("/help-me", START)
    kept = person.page.form("/help-me").fields["state"]
    page = await person.send("/help-me", {"state": "x" + kept[0][1:]})
    assert "打不开" in page.words
    page = await person.send("/help-me", {"state": kept[0], "step": "resume", "go": "events"})
    assert "说清经过" in page.words
    page = await person.send("/help-me", {"shop_name": "字" * 300_000})
    assert "内容太多" in page.words
    for _ in range(4):
        noise = "".join(chr(0x4E00 + secrets.randbelow(20_000)) for _ in range(8_000))
        await person.get("/help-me")
        page = await person.send("/help-me", {"state": kept[0], "step": "events", "title": "x", "chat": noise})
        kept = page.form("/help-me").fields["state"]
    page = await person.post(
        "/help-me/cases", {"state": kept[0], "csrf_token": page.form("/help-me").fields["csrf_token"]}
    )
    assert (page.status, "带不过登录这一步" in page.words) == (422, True)
    other = await site.stranger().post("/help-me", {"state": kept[0]})
    assert other.status == 403


async def test_nothing_is_concluded_before_what_decides_was_asked_and_figures_are_asked_for(site: Site) -> None:
    person = site.stranger()
    await person.get("/help-me")
    page = await person.send("/help-me", {**START, "platform_name": "", "go": "start"})
    assert 'value="-"' not in page.text
    await person.send("/help-me", {"go": "next"})
    await person.send("/help-me", {"go": "claim", "title": "游戏点数"})
    page = await person.send("/help-me", {"go": "claim", "claim": "minor_purchase"})
    assert "还差几样" in page.words
    assert "自己的原因，可以" not in page.words
    assert "checked" not in page.text.split('name="answer_child_acted"')[1][:60]
    page = await person.send("/help-me", {"go": "letters"})
    assert "现在没有要写的信" in page.words
    await person.send("/help-me", {"go": "claim"})
    answers = {"claim": "bundle_item_failed", "answer_mismatch": "yes", "answer_one_item_affected": "yes"}
    page = await person.send("/help-me", {"go": "claim", "claim": "bundle_item_failed"})
    page = await person.send("/help-me", {"go": "claim", **{k: v for k, v in answers.items() if "one_item" not in k}})
    page = await person.send("/help-me", {"go": "claim", **answers})
    assert "有问题的那部分值多少元" in page.words
    assert "商家 0%" not in page.words
    page = await person.send("/help-me", {"go": "letters", "figure_failed_minor": "很多"})
    assert (page.status, "不是金额" in page.words) == (422, True)
    page = await person.send("/help-me", {"go": "claim", "figure_failed_minor": "不知道"})
    assert "一共买了几个" in page.words
    assert 'value="不知道"' in page.text
    page = await person.send("/help-me", {"go": "claim", "figure_failed_minor": "60"})
    assert "退款 ¥60.00" in page.words
    assert 'value="60.00"' in page.text


def test_a_seal_ends_by_itself_and_opens_under_its_own_key_alone() -> None:
    state = HelpState(story=Story(case_id="t", created_at=NOW))
    sealed = seal_state(state, b"k" * 32, NOW)
    assert sealed is not None
    assert open_state(sealed, b"k" * 32, NOW) == state
    assert open_state(sealed, b"k" * 32, NOW + timedelta(days=31)) is Lost.EXPIRED
    assert open_state(sealed, b"o" * 32, NOW) is Lost.BROKEN
    assert open_state("é", b"k" * 32, NOW) is Lost.BROKEN
    assert open_state("A", b"k" * 32, NOW) is Lost.BROKEN
    noise = "".join(secrets.choice("0123456789abcdef") for _ in range(400_000))
    much = HelpState(story=Story(case_id="t", created_at=NOW, summary=noise))
    assert seal_state(much, b"k" * 32, NOW) is None
    more = HelpState(story=Story(case_id="t", created_at=NOW, summary="字" * 700_000))
    assert seal_state(more, b"k" * 32, NOW) is None


async def test_terms_and_clauses_are_noted_and_removed(site: Site) -> None:
    person = await walk(site)
    await person.send("/help-me", {"go": "terms"})
    clause = {"clause_says": "15 天内", "clause_hours": "360", "clause_of": "platform", "clause_from": "paid"}
    page = await person.send("/help-me", {"go": "terms", **clause})
    assert "360 小时" in page.words
    page = await person.send("/help-me", {"go": "terms", "clause_says": "x", "clause_hours": "0"})
    assert page.status == 422
    page = await person.send("/help-me", {"go": "terms", "terms": "概不退换"})
    assert (page.status, "概不退换</textarea>" in page.text) == (422, True)
    page = await person.send("/help-me", {"go": "terms", "terms": "字" * 25_001})
    assert "字" * 25_001 in page.text
    assert page.status == 422
    page = await person.send("/help-me", {"go": "terms", "drop_terms": ["1", "c1", "c2"]})
    assert "贴过的" not in page.words


async def test_what_is_ticked_of_a_pasted_chat_stands_in_the_letter_and_who_is_who_is_asked(site: Site) -> None:
    person = site.stranger()
    await person.get("/help-me")
    await person.send("/help-me", START)
    long = "".join(f"小李 2026/07/14 21:{number // 60:02}:{number % 60:02}\n催 {number}\n" for number in range(120))
    page = await person.send("/help-me", {"go": "events", "title": "点卡", "chat": CHAT + long})
    assert ("读出 122 条消息" in page.words, "催 97" in page.words, "催 98" in page.words) == (True, True, False)
    page = await person.send("/help-me", {"go": "events", "tick": ["1-1", "1-2"], "event1_at": "2026-07-15"})
    assert page.text.count('name="kind') == 2
    page = await person.send("/help-me", {"pick": "chat-1-100"})
    assert ("催 98" in page.words, "催 97" in page.words) == (True, False)
    page = await person.send("/help-me", {"go": "claim"})
    assert ("聊天里谁是谁" in page.words, 'name="side"' in page.text) == (True, True)
    page = await person.send("/help-me", {"go": "claim", "claim": "key_invalid", "side": ["me", "merchant"]})
    assert ("聊天里谁是谁" in page.words, "还差的证据" in page.words) == (False, False)
    page = await person.send("/help-me", {"go": "letters", "answer_key_failed": "yes"})
    body = page.form("/help-me").fields["body"][0]
    assert "2026年7月14日 20:51，我在聊天里说：“在吗，卡密 AB****GH 用不了”。" in body
    assert "贵店在聊天里说：“退不了”。" in body
    page = await person.send("/help-me", {"go": "events"})
    fields = page.form("/help-me").fields
    assert fields["tick"] == ["1-1", "1-2"]
    # The second event goes though its box in the timeline is still ticked; the third says what it was.
    page = await person.send("/help-me", {"go": "events", "drop_event": "1", "kind2": "refused"})
    assert ("对方拒绝，商家" in page.words, page.text.count('name="kind')) == (True, 1)
    page = await person.send("/help-me", {"go": "events", "drop_chat": "yes"})
    assert ("对方拒绝，商家" in page.words, "读出" in page.words) == (True, False)
    page = await person.send("/help-me", {"go": "events", "chat": long})
    page = await person.send("/help-me", {"go": "events", "tick": [f"1-{number}" for number in range(1, 62)]})
    assert (page.status, "最多记 60 件事" in page.words) == (422, True)


async def test_room_is_told_before_it_runs_out_and_what_was_typed_stays(site: Site) -> None:
    person = site.stranger()
    await person.get("/help-me")
    page = await person.send("/help-me", START)
    assert ("已记 0 件，最多 60 件" in page.words, "一共还能贴 60000 个字" in page.words) == (True, True)
    selected = [part.split("</select>")[0] for part in page.text.split('_by"')[1:]]
    assert all('value="" selected' in one for one in selected if "<option" in one)
    page = await person.send("/help-me", {"go": "events", "title": "点卡", "chat": "字" * 25_001})
    assert (page.status, "字" * 25_001 in page.text) == (422, True)
    page = await person.send("/help-me", {"go": "events", "chat": "字" * 24_999})
    assert "一共还能贴 35001 个字" in page.words
    page = await person.send("/help-me", {"go": "events", "chat": "字" * 24_999})
    assert ("一次最多 10002 个字" in page.words, 'maxlength="10002"' in page.text) == (True, True)
    # A text that fits is taken though something else is wrong, and does not come twice.
    page = await person.send("/help-me", {"go": "events", "title": "", "chat": "小李: 在"})
    assert (page.status, "小李: 在" in page.text.split('id="chat"')[1]) == (422, False)
    for number in range(20):
        rows = {f"event{row}_{part}": value for row in (1, 2, 3)
                for part, value in (("at", "2026-07-15"), ("text", f"{number}"))}  # fmt: skip
        page = await person.send("/help-me", {"go": "events", "title": "点卡", **rows})
    assert ("已经记满" in page.words, 'name="event1_at"' in page.text) == (True, False)
