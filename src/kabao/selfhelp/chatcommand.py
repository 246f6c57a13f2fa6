"""`kabao selfhelp chat`: shows the chats of a folder, and takes messages into the facts of the letters."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from kabao.adjudication.model import Text
from kabao.selfhelp import folder
from kabao.selfhelp.chatfacts import Told, is_dated, reading, shortened, ticked, told
from kabao.selfhelp.chats import Chat
from kabao.selfhelp.commands import Said, json_of, no_case, refused, said_in, unreadable
from kabao.selfhelp.masks import hide
from kabao.selfhelp.model import CHINA, Language, Story
from kabao.selfhelp.storyfile import MOST, UnreadableCaseError

MOST_LISTED: Final = 200
_LINE: Final = 100
_REF: Final = re.compile(r"(?:(?P<place>[0-9]{1,4}):)?(?P<number>[0-9]{1,9})")
_NO_SUCH: Final = Text("聊天里没有第 {} 条，或者那一条没有时间", "message {} is not there, or has no time")
_TOO_MANY: Final = Text(f"最多记 {MOST} 件事", f"at most {MOST} events")


class Listed(msgspec.Struct, frozen=True):
    """A message as it is listed: `ref` names it, such as 1:12 for the twelfth of the first chat."""

    ref: str
    at: datetime | None
    name: str
    said: str
    ticked: bool


def chat_command(
    place: Path, now: datetime, *, find: str, first: int, tick: Iterable[str], untick: Iterable[str], as_json: bool
) -> Said:
    """List messages from one on, those alone that hold the words; before that, tick and untick."""
    language = Language.ZH
    try:
        story = folder.load(place)
        language = story.language
        story = folder.take_stock(place, story, now).story
        read = [reading(chat, story) for chat in story.chats]
        for ref in (*tick, *untick):
            if not _is_there(read, ref):
                text = Text(_NO_SUCH.zh.format(ref[:40]), _NO_SUCH.en.format(ref[:40]))
                return refused("no_message", text, language, as_json=as_json)
        story = _with(story, read, tick, untick)
        if len(story.events) > MOST:
            return refused("too_many", _TOO_MANY, language, as_json=as_json)
        folder.save(place, story)
    except UnreadableCaseError as error:
        return unreadable(error, language, as_json=as_json)
    except OSError as error:
        return no_case(place, error, language, as_json=as_json)
    found = [one for one in _listed(story, read) if find.casefold() in one.said.casefold()][max(first - 1, 0) :]
    if as_json:
        return Said(json_of({"messages": found[:MOST_LISTED], "more": max(len(found) - MOST_LISTED, 0)}))
    return Said("\n".join(_lines(found, place, language)))


def _with(story: Story, read: Sequence[Chat], tick: Iterable[str], untick: Iterable[str]) -> Story:
    """Tick and untick in every chat."""
    taken, dropped = [_ref(one) for one in tick], [_ref(one) for one in untick]
    for number, chat in enumerate(story.chats, 1):
        on = {message for place, message in taken if place == number}
        off = {message for place, message in dropped if place == number}
        if on or off:
            story = ticked(story, chat, on | off, on, read[number - 1])
    return story


def _ref(ref: str) -> tuple[int, int]:
    """Read `1:12`, or `12` of the first chat; nothing that is there where it is neither."""
    found = _REF.fullmatch(ref.strip())
    return (int(found["place"] or 1), int(found["number"])) if found else (0, 0)


def _is_there(read: Sequence[Chat], ref: str) -> bool:
    place, number = _ref(ref)
    if not 0 < place <= len(read):
        return False
    messages = read[place - 1].messages
    return 0 < number <= len(messages) and is_dated(messages[number - 1])


def _listed(story: Story, read: Sequence[Chat]) -> list[Listed]:
    def one_of(place: int, one: Told) -> Listed:
        said = one.message.said or f"[{one.message.thing}]"
        return Listed(f"{place}:{one.number}", one.message.at, one.message.name, hide(said, story), one.is_ticked)

    chats = enumerate(zip(story.chats, read, strict=True), 1)
    return [one_of(place, one) for place, (chat, found) in chats for one in told(chat, story, found)]


def _lines(found: list[Listed], place: Path, language: Language) -> Iterable[str]:
    for one in found[:MOST_LISTED]:
        at = f"{one.at.astimezone(CHINA):%Y-%m-%d %H:%M}" if one.at else "-"
        mark = "*" if one.ticked else " "
        yield f"{mark} {one.ref}  {at}  {one.name or '-'}  {shortened(' '.join(one.said.split()), _LINE)}"
    if len(found) > MOST_LISTED:
        more = len(found) - MOST_LISTED
        yield said_in(Text(f"还有 {more} 条：用 --from 或 --find", f"{more} more: use --from or --find"), language)
    if not found:
        yield said_in(Text("没有这样的消息。聊天记录放进 chat/。", "No such message. Chats go into chat/."), language)
    else:
        said = Text(
            f"带 * 的写进信里。要写哪一句：kabao selfhelp chat {place} --tick 编号",
            f"Those with * stand in the letters. To add one: kabao selfhelp chat {place} --tick NUMBER",
        )
        yield said_in(said, language)
