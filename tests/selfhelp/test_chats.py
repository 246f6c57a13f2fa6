"""Pasted chats: every format read, every character accounted for, every hostile paste read in one pass."""

import json
import time
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kabao.selfhelp.chatlines import ChatFormat
from kabao.selfhelp.chats import LARGEST, Chat, Said, messages, read_chat
from kabao.selfhelp.model import CHINA, ChatText, Side

WECHAT, QQ, TELEGRAM = ChatFormat.WECHAT, ChatFormat.QQ, ChatFormat.TELEGRAM
SEEN = date(2026, 11, 25)  # A Wednesday.
JSON = json.dumps(
    {
        "name": "店主",
        "messages": [
            {"type": "service", "action": "create_group", "text": ""},
            {"type": "message", "date": "2026-11-14T20:51:07", "from": "小李", "text": ["看 ", {"text": "链接"}, None]},
            {"type": "message", "date_unixtime": "1794660720", "from": "店主", "text": "\ud800好"},
            {"type": "message", "date": "never", "from": None, "text": "", "media_type": "voice_message", "file": "a"},
        ],
    },
    indent=1,
)
HTML = """<html><body>
<div class="message service" id="message-1"><div class="body details">14 November 2026</div></div>
<div class="message default clearfix" id="message2">
<div class="pull_right date details" title="14.11.2026 20:51:07 UTC+08:00">20:51</div>
<div class="from_name">
店主 &amp; Co
</div><div class="text">在<br>的 <a href="x">链接</a></div></div>
<div class="message default clearfix joined" id="message3">
<div class="pull_right date details" title="99.11.2026 20:51:07">x</div>
<div class="media"><div class="title bold">Photo</div></div></div>
</body></html>
"""


def told(chat: Chat) -> list[tuple[str, str, str]]:
    return [(one.name, f"{one.at:%m-%d %H:%M:%S}" if one.at else "", one.said) for one in chat.messages]


@pytest.mark.parametrize(
    ("paste", "form", "expected"),
    [
        ("小李 2026/11/14 20:51:07\n在吗\n卡密呢\n店主 2026/11/14 20:52:00\n[图片]\n", WECHAT,
         [("小李", "11-14 20:51:07", "在吗\n卡密呢"), ("店主", "11-14 20:52:00", "[图片]")]),
        ("——— 2026-11-14 ———\n\n小李  20:51\n\n在吗\n\n店主  20:52\n\n在\n", WECHAT,
         [("小李", "11-14 20:51:00", "在吗"), ("店主", "11-14 20:52:00", "在")]),
        ("小李\n2026年11月14日 下午8:51\n在吗\n\n店主\n昨天 中午12:10\n在\n店主\n周三 01:02\n还\n", WECHAT,
         [("小李", "11-14 20:51:00", "在吗"), ("店主", "11-24 12:10:00", "在"), ("店主", "11-18 01:02:00", "还")]),
        ("2026-11-14 8:51:07 小:李(12345678)\n在吗\n\n2026-11-14 20:52:00 【群主】店主<a@example.com>\n在\n", QQ,
         [("小:李", "11-14 08:51:07", "在吗"), ("店主", "11-14 20:52:00", "在")]),
        ("小李: 11-14 20:51:07\n在吗\n店主(123456) 20:52:00\n在\n", QQ,
         [("小李", "11-14 20:51:07", "在吗"), ("店主", "11-14 20:52:00", "在")]),
        ("小李, [14.11.2026 20:51]\n在: 吗\n店, 主, [Nov 14, 2026 at 8:52:00 PM]:\n在\n", TELEGRAM,
         [("小李", "11-14 20:51:00", "在: 吗"), ("店, 主", "11-14 20:52:00", "在")]),
        ("店: 主, [14.11.26 20:50]\n在\n[14.11.2026 20:51] 小李: 在: 在\n[14.11.2026 20:52] 店: 主: 在\n", TELEGRAM,
         [("店: 主", "11-14 20:50:00", "在"),
          ("小李", "11-14 20:51:00", "在: 在"), ("店: 主", "11-14 20:52:00", "在")]),
        ("昨天 20:51\n我:\n在吗\n\n店主: 在\n店主：退不了\n", ChatFormat.PLAIN,
         [("我", "11-24 20:51:00", "在吗"), ("店主", "11-24 20:51:00", "在"), ("店主", "11-24 20:51:00", "退不了")]),
        (JSON, ChatFormat.TELEGRAM_JSON,
         [("小李", "11-14 20:51:07", "看 链接"), ("店主", "11-14 20:52:00", "好"), ("", "", "")]),
        (HTML, ChatFormat.TELEGRAM_HTML,
         [("店主 & Co", "11-14 20:51:07", "在\n的 链接"), ("店主 & Co", "", "")]),
    ],
)  # fmt: skip
def test_each_program_s_copy_is_read(paste: str, form: ChatFormat, expected: list[tuple[str, str, str]]) -> None:
    for text in (paste, paste.replace("\n", "\r\n"), "\ufeff" + paste):
        chat = read_chat(text, seen=SEEN)
        assert told(chat) == expected
        assert {one.format for one in chat.messages} == {form}
        # An export's own frame, day lines and banners are no loss; nothing else stands in these pastes.
        assert chat.unread <= len("\ufeff")


def test_formats_may_follow_each_other_and_unknown_lines_belong_to_the_message_before() -> None:
    paste = (
        "给律师看：\n小李 2026/11/14 20:51:07\n在吗\n\n"
        + JSON
        + "\n2026-11-15 08:00:00 店主(12345678)\n消息: 退不了\n单号: 1\n单号: 2\n"
        "\u200b[文件] a.txt\n店主, [15.11.2026 08:01]\n好"
    )
    chat = read_chat(paste, seen=SEEN)
    assert [one.name for one in chat.messages] == ["小李", "小李", "店主", "", "店主", "店主"]
    assert chat.messages[4].said == "消息: 退不了\n单号: 1\n单号: 2\n[文件] a.txt"
    assert [paste[part.start : part.end] for part in chat.left if not part.is_frame] == ["给律师看：\n"]
    assert [paste.split("\n")[one.line - 1].strip()[:1] for one in chat.messages] == ["小", "{", "{", "{", "2", "店"]


def test_a_year_that_is_not_told_is_worked_out_and_says_so() -> None:
    paste = "a(123456) 12-30 20:00:00\n1\na(123456) 01-02 20:00:00\n2\n"
    paste += "a 2026-01-03 上午 12:05:00\n3\na(12345) 02-29 1:00:00\n4\n"
    chat = read_chat(paste, seen=date(2026, 2, 1))
    assert [(one.at and one.at.date(), one.is_inferred) for one in chat.messages] == [
        (date(2025, 12, 30), True),
        (date(2026, 1, 2), True),
        (date(2026, 1, 3), False),
        (date(2024, 2, 29), True),
    ]
    assert chat.messages[2].at == datetime(2026, 1, 3, 0, 5, tzinfo=CHINA)
    bare = read_chat("a(123456) 12-30 20:00:00\n1\nb(123456) 昨天 20:00:00\n2\nb(123456) 21:00:00\n3\n")
    assert [(one.at, one.is_inferred) for one in bare.messages] == [(None, True)] * 3
    slashes = read_chat("a 13/5/2026 20:00:00\n1\na 5/6/2026 晚上 8:00:00\n2\n").messages
    assert [(str(one.at), one.is_inferred) for one in slashes] == [
        ("2026-05-13 20:00:00+08:00", False),
        ("2026-05-06 20:00:00+08:00", True),
    ]


@pytest.mark.parametrize("line", [
    "你撤回了一条消息", '"店主" 撤回了一条消息', "店主撤回了一条消息", "店主 recalled a message",
])  # fmt: skip
def test_a_recalled_message_stays_a_fact_of_its_own(line: str) -> None:
    chat = read_chat(f"小李 2026/11/14 20:51:07\n在吗\n{line}\n然后呢\n", seen=SEEN)
    assert [one.kind for one in chat.messages] == [Said.WORDS, Said.RECALLED]
    assert chat.messages[1].name in {"你", "店主"}
    assert chat.messages[1].at == chat.messages[0].at
    assert chat.messages[1].is_inferred


@pytest.mark.parametrize("paste", [
    "下单时间：2026-11-14 20:51:07\n有效期至 2026-12-14 20:51:07\n",
    "2026-11-14 20:51:07 付款 268 元\n2026-11-14 20:52:00 收到卡密\n",
    "我们约 12:34\n他说 25:61:00\n2026-13-45 20:51:07 店主(12345)\n好\n\nabc 2026/2/30 20:51:07\n",
    "[14.11.2026 20:51] 没有冒号\n",
    "商品: 点卡\n商品: 会员\n金额: 3\n金额: 4\n12:34\n",
    '{"messages": [{"a": ' + "[" * 3000,
    '{"messages": [{"type": "message", "text": "a"', "店主: 只此一句\n",
])  # fmt: skip
def test_what_only_looks_like_a_heading_is_left_and_counted(paste: str) -> None:
    chat = read_chat(paste, seen=SEEN)
    assert chat.messages == ()
    assert chat.unread == len(paste)


def test_a_story_s_chat_names_its_sides() -> None:
    paste = "小李 2026/11/14 20:51:07\n在吗\n店主: 11-14 20:52:07\n在\n"
    paste += '{"messages":[{"photo":"a.jpg","from":"路人"}]}'
    found = messages(ChatText(file="chat/1.txt", text=paste, names={"小李": Side.ME, "店主": Side.MERCHANT}), seen=SEEN)
    assert [(one.side, one.said, one.line) for one in found] == [
        (Side.ME, "在吗", 1),
        (Side.MERCHANT, "在", 3),
        (Side.OTHER, "[图片]", 5),
    ]
    assert found[2].at is None


LINES = st.sampled_from([
    "小李 2026/11/14 20:51:07", "店: 主(12345) 20:51:07", "2026-11-14 20:51:07 小李", "小李, [14.11.2026 20:51]",
    "[14.11.2026 20:51] a: b",
    "昨天 20:51", "——— 2026-11-14 ———", "我: 在", "我:", "小李", "2026年11月14日 下午8:51",
    "", " ", "\u200b", "你撤回了一条消息", "========", "[图片]",
    '{"messages": [', '{"text":"a"},', "]}", '<div class="message x">', '<div class="text">a</div>',
    "消息对象:小李", "99:99", "\ufeff我：\r",
])  # fmt: skip


@given(paste=st.one_of(st.text(), st.lists(st.one_of(LINES, st.text(max_size=30)), max_size=30).map("\n".join)),
       seen=st.sampled_from([SEEN, None, date.min, date.max]))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_no_character_is_lost_or_counted_twice(paste: str, seen: date | None) -> None:
    chat = read_chat(paste, seen=seen)
    parts = sorted([*chat.messages, *chat.left], key=lambda part: part.start)
    assert "".join(paste[part.start : part.end] for part in parts) == paste
    assert all(part.end > part.start for part in parts)
    assert [one.line for one in parts] == [1 + paste.count("\n", 0, one.start) for one in parts]
    assert all(one.at is None or one.at.tzinfo for one in chat.messages)


@pytest.mark.parametrize("unit", [
    "1 " * 70 + "\n", "1:1\n", ", [" * 40, "[1:1:", '"messages":[{', '<div class="message <', "\n", ": \n", "a:\n",
    "2026-05-06 12:34:5 " * 8 + "\n",
    "[06.05.2026 12:34] a: b\n", "张三 2026/5/6 12:34:56\n", "—" * 40, '"' * 60 + "撤\n",
])  # fmt: skip
def test_the_work_grows_in_step_with_a_hostile_paste(unit: str) -> None:
    """A pattern that went back over what it had read would take hundreds of times as long for eight times the text."""

    def seconds(length: int) -> float:
        paste = (unit * (length // len(unit) + 1))[:length]
        start = time.process_time()
        chat = read_chat(paste, seen=SEEN)
        assert sum(part.end - part.start for part in (*chat.messages, *chat.left)) == len(paste)
        return time.process_time() - start

    short = min(seconds(20_000) for _ in range(3))
    assert min(seconds(160_000) for _ in range(2)) < 40 * max(short, 0.004)


def test_what_goes_on_after_the_limit_is_left() -> None:
    paste = "我: 在\n" + "在" * LARGEST
    chat = read_chat(paste, seen=SEEN)
    assert chat.left[-1].end == len(paste)
    assert chat.left[-1].start == LARGEST
