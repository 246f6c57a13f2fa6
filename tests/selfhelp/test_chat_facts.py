"""Messages of a pasted chat that the person ticks become dated facts of the letters, and nothing else does."""

import json
from datetime import date, datetime
from pathlib import Path

import msgspec
import pytest

from helpstories import NOW, told
from kabao.cli.selfhelp import chat
from kabao.selfhelp import CHINA, ChatText, Event, Happening, Language, Letter, Moment, Side, Story, To
from kabao.selfhelp.assessing import assess
from kabao.selfhelp.book import law_rules, names
from kabao.selfhelp.chatcommand import chat_command
from kabao.selfhelp.chatfacts import moved, quoted, shortened, talkers, ticked, unclear, with_names
from kabao.selfhelp.commands import new_command, next_command
from kabao.selfhelp.folder import load, save
from kabao.selfhelp.letters import letter
from kabao.selfhelp.questions import questions
from kabao.selfhelp.storyfile import read_story, write_story

PASTE = (
    "小李 2026/11/14 20:51:07\n在吗，卡密 ABCD-1234-EFGH 用不了\n"
    "店主 2026/11/14 20:52:00\n退不了，概不退换\n"
    "小李, [15.11.2026 09:00]\n请退款\n\n"
    "2026-11-15 10:00:00 店主(12345678)\n拉黑了\n"
)
"""Three formats at once."""
TEXT = ChatText(file="chat/1.txt", text=PASTE, seen=date(2026, 11, 16))


def with_chat(*chats: ChatText, **more: object) -> Story:
    return told("key_invalid", "delivered", "opened", "key_failed", chats=chats or (TEXT,), **more)


def written(story: Story, language: Language = Language.ZH) -> str:
    made = letter(story, assess(story, law_rules(), NOW), To.PLATFORM, language, NOW)
    assert isinstance(made, Letter)
    return made.body


def test_what_is_ticked_stands_in_the_letter_with_its_time_its_speaker_and_no_key() -> None:
    story = with_names(with_chat(), {"小李": Side.ME, "店主": Side.MERCHANT})
    assert "概不退换" not in written(story)
    story = ticked(story, TEXT, range(1, 5), {1, 2, 3})
    body = written(story)
    assert "2026年11月14日 20:51，我在聊天里说：“在吗，卡密 AB****GH 用不了”。" in body
    assert "2026年11月14日 20:52，商家在聊天里说：“退不了，概不退换”。" in body
    assert "拉黑" not in body
    assert "the merchant said in the chat: “退不了，概不退换”." in written(story, Language.EN)
    refused = msgspec.structs.replace(
        story,
        events=tuple(
            msgspec.structs.replace(one, kind=Happening.REFUSED) if one.name == "店主" else one for one in story.events
        ),
    )
    assert "商家拒绝，说：“退不了，概不退换”。" in written(refused)
    again = ticked(story, TEXT, range(1, 5), {2, 3})
    assert [one.source for one in again.events] == ["chat/1.txt#2", "chat/1.txt#3"]
    assert ticked(again, TEXT, range(1, 5), {2, 3}) == again
    # A page that lists other messages changes nothing of these.
    assert ticked(again, TEXT, range(5, 9), ()) == again
    assert read_story(write_story(again, None), "case.yaml", names()).events == again.events


def test_whose_words_they_are_is_asked_where_nothing_says_it_and_followed_once_it_is_said() -> None:
    story = ticked(with_chat(), TEXT, range(1, 5), {2})
    assert unclear(story) == ("小李", "店主")
    assert "“店主”在聊天里说" in written(story)
    asked = [one.field for one in questions(story, law_rules(), NOW)]
    assert asked[:2] == ["names.小李", "names.店主"]
    story = with_names(story, {"店主": Side.MERCHANT, "别人": Side.ME})
    assert (story.events[0].by, "别人" in story.chats[0].names) == (Side.MERCHANT, False)
    assert unclear(story) == ("小李",)
    assert unclear(with_names(story, {"小李": Side.ME})) == ()


def test_names_that_say_it_themselves_are_not_asked_for_and_bystanders_only_when_they_are_quoted() -> None:
    paste = "我 2026/11/14 20:51:07\n在吗\n一家店 2026/11/14 20:52:00\n在\n路人 2026/11/14 20:53:00\n我也被骗\n"
    group = ChatText(file="chat/1.txt", text=paste)
    story = with_chat(group)
    assert [(one.name, one.side) for one in talkers(story)] == [
        ("我", Side.ME), ("一家店", Side.MERCHANT), ("路人", None),
    ]  # fmt: skip
    assert unclear(story) == ()
    story = ticked(story, group, range(1, 4), {3})
    assert unclear(story) == ("路人",)
    assert unclear(told("key_invalid")) == ()


def test_words_are_read_as_on_the_day_they_were_pasted_and_what_has_no_day_is_no_fact() -> None:
    paste = "小李\n昨天 20:51\n在吗\n店主\n周三 01:02\n在\n"
    pasted = ChatText(file="chat/1.txt", text=paste, seen=date(2026, 11, 16))
    story = ticked(with_chat(pasted), pasted, range(1, 9), {1})
    assert story.events[0].at == Moment(datetime(2026, 11, 15, 20, 51, tzinfo=CHINA))
    timeless = ChatText(file="chat/2.txt", text="小李: 在吗\n店主: 在\n小李: 退款\n店主: 不退\n")
    assert ticked(with_chat(timeless), timeless, range(1, 9), range(1, 9)).events == ()


def test_a_quotation_is_short_and_never_ends_inside_a_key() -> None:
    assert shortened("退款" * 50, 10) == "退款" * 5 + "……"
    assert shortened("卡密是 QWERTYUIOPASDF", 10) == "卡密是……"
    long = Event(at=Moment(NOW), text="甲乙\n" * 60, name="x", source="chat/1.txt#1")
    assert len(quoted(long, with_chat(), 80)) <= 82


def test_of_a_chat_that_goes_the_noted_words_stay() -> None:
    story = ticked(with_chat(), TEXT, range(1, 5), {2})
    assert moved(story, {"chat/1.txt": "chat/7.txt"}).events[0].source == "chat/7.txt#2"
    gone = moved(story, {}).events[0]
    assert (gone.source, gone.text) == ("", "退不了，概不退换")


@pytest.mark.parametrize("ref", ["9", "0", "2:1", "x", "1:", "-1", "9" * 5000, "1:2:3"])
def test_a_message_that_is_not_there_is_refused(tmp_path: Path, ref: str) -> None:
    place = folder_of(tmp_path)
    said = chat_command(place, NOW, find="", first=1, tick=(ref,), untick=(), as_json=True)
    assert (said.code, json.loads(said.text)["error"]) == (1, "no_message")


def folder_of(tmp_path: Path) -> Path:
    place = tmp_path / "c"
    new_command(place, None, NOW, Language.ZH, as_json=False)
    save(place, msgspec.structs.replace(told("key_invalid", "key_failed"), title="点卡"))
    (place / "chat" / "wx.txt").write_text(PASTE, "utf-8")
    return place


def test_the_folder_lists_ticks_and_asks_who_is_who(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = folder_of(tmp_path)
    said = chat_command(place, NOW, find="退", first=1, tick=(), untick=(), as_json=False).text
    assert "  1:2  2026-11-14 20:52  店主  退不了，概不退换" in said
    assert "1:4" not in said
    assert "聊天里的“小李”是谁" in next_command(place, (), NOW, as_json=False).text
    assert "只能是其中之一" in next_command(place, ("names.小李=x",), NOW, as_json=False).text
    assert "聊天里没有“小王”" in next_command(place, ("names.小王=me",), NOW, as_json=False).text
    next_command(place, ("names.小李=me", "names.店主=merchant"), NOW, as_json=False)
    assert chat(place, tick=("1", "1:2"), as_json=True) == 0
    listed = json.loads(capsys.readouterr().out)["messages"]
    assert [one["ticked"] for one in listed] == [True, True, False, False]
    assert "ABCD-1234" not in str(listed)
    story = load(place)
    assert [(one.by, one.source) for one in story.events] == [
        (Side.ME, "chat/wx.txt#1"), (Side.MERCHANT, "chat/wx.txt#2"),
    ]  # fmt: skip
    assert "* 1:2" in chat_command(place, NOW, find="", first=1, tick=(), untick=("1",), as_json=False).text
    assert len(load(place).events) == 1
    assert "没有这样的消息" in chat_command(place, NOW, find="无", first=1, tick=(), untick=(), as_json=False).text
    assert chat_command(tmp_path / "no", NOW, find="", first=1, tick=(), untick=(), as_json=True).code == 1
    (place / "case.yaml").write_text("case_id: [", "utf-8")
    assert chat_command(place, NOW, find="", first=1, tick=(), untick=(), as_json=True).code == 2


def test_a_letter_that_is_full_leaves_out_bare_quotations_first_and_says_so() -> None:
    first = Event(at=Moment(datetime(2026, 11, 14, 20, tzinfo=CHINA)), kind=Happening.DELIVERED, by=Side.MERCHANT)
    paste = "".join(f"小李 2026/11/15 10:{number:02}:00\n催 {number}\n" for number in range(30))
    many = ChatText(file="chat/1.txt", text=paste, names={"小李": Side.ME})
    story = ticked(with_chat(many, events=(first,)), many, range(1, 31), range(1, 31))
    made = letter(story, assess(story, law_rules(), NOW), To.PLATFORM, Language.ZH, NOW)
    assert isinstance(made, Letter)
    assert ("1. 2026年11月14日 20:00，商家发来卡密。" in made.body, "20. " in made.body) == (True, True)
    assert ("21. " in made.body, "催 29" in made.body, "催 10”" in made.body) == (False, True, False)
    assert made.notes[-1] == "记下的事有 31 件，信里只写 20 件；其余的在证据包里。"
