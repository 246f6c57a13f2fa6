"""Pasted chats of WeChat, QQ and Telegram, in any mixture, read into messages: who, when, what, and where it stands.

Nothing is lost: every character of the paste belongs to exactly one message or to one stretch that was left, with the
reason. A line that is no heading belongs to the message before it. The work grows in step with the text.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import Final

import msgspec

from kabao.selfhelp.chatexports import Exported, exported
from kabao.selfhelp.chatlines import UNSEEN, ChatFormat, Heading, Line, Reader, lines_of, weak_names
from kabao.selfhelp.chattimes import Days
from kabao.selfhelp.model import ChatText, Message, Moment, Side

LARGEST: Final = 5 * 1024 * 1024
"""Characters that are read; what goes on after them is left."""
_CLOSING: Final = re.compile(r"[\s\]}]*+")
_JSON_OPENS: Final = re.compile(r"^\ufeff?\{", re.MULTILINE)
_HTML_OPENS: Final = re.compile(r"^\ufeff?<", re.MULTILINE)
_OPENING_LOOKED_AT: Final = 4000
_THINGS: Final = re.compile(
    r"\[(?P<thing>图片|照片|视频|语音|文件|动画表情|表情|链接|位置|名片|转账|红包|微信转账|微信红包|聊天记录|小程序"
    r"|Photo|Video|Voice message|Sticker|File|Voice|Image)\][^\n]{0,200}"
)


class Said(StrEnum):
    """What a message is."""

    WORDS = "words"
    THING = "thing"
    """A picture, file, voice message or transfer, of which the copy keeps only a mark."""
    RECALLED = "recalled"


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message at its characters of the paste, line numbers from 1; `is_inferred` where its time was worked out.

    `thing` names what a mark such as [图片] stands for.
    """

    name: str
    at: datetime | None
    is_inferred: bool
    said: str
    kind: Said
    thing: str
    format: ChatFormat
    line: int
    start: int
    end: int


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """Characters that belong to no message: what only frames the chat, or what could not be read."""

    start: int
    end: int
    line: int
    is_frame: bool


class Chat(msgspec.Struct, frozen=True):
    """A paste as it was read; messages and what was left stand apart, in order, and cover it together."""

    messages: tuple[ChatMessage, ...]
    left: tuple[Left, ...]

    @property
    def unread(self) -> int:
        """How many characters nobody could make anything of."""
        return sum(part.end - part.start for part in self.left if not part.is_frame)


def read_chat(text: str, *, seen: date | None = None) -> Chat:
    """Read a paste; `seen` is the day it was copied, from which years and words like 昨天 are worked out."""
    return _Reading(text, seen).whole()


def messages(chat: ChatText, *, seen: date | None = None) -> tuple[Message, ...]:
    """Return the messages of a chat of a story, each by whom its name stands for."""
    return tuple(
        Message(
            at=Moment(found.at) if found.at else None,
            name=found.name,
            side=chat.names.get(found.name, Side.OTHER),
            said=found.said or f"[{found.thing}]",
            file=chat.file,
            line=found.line,
        )
        for found in read_chat(chat.text, seen=seen or chat.seen).messages
    )


class _Reading:
    """One pass over a paste."""

    def __init__(self, text: str, seen: date | None) -> None:
        self._text = text
        self._end = min(len(text), LARGEST)
        self._days = Days(seen)
        self._reader = Reader(self._days, weak_names(text[: self._end]))
        self._messages: list[ChatMessage] = []
        self._left: list[Left] = []
        self._line = 1
        self._counted = 0

    def whole(self) -> Chat:
        at = 0
        for message in exported(self._text[: self._end]):
            if message.start > at:
                self._before(at, message, is_first=not at or not self._is_exported())
            self._take(message)
            at = message.end
        if self._is_exported():
            closing = _CLOSING.match(self._text, at, self._end)
            after = closing.end() if closing else at
            self._leave(at, after, is_frame=True)
            at = after
        self._lines(at, self._end)
        self._leave(self._end, len(self._text), is_frame=False)
        return Chat(tuple(self._messages), tuple(self._left))

    def _is_exported(self) -> bool:
        return bool(self._messages) and self._messages[-1].format in {
            ChatFormat.TELEGRAM_JSON,
            ChatFormat.TELEGRAM_HTML,
        }

    def _before(self, at: int, message: Exported, *, is_first: bool) -> None:
        """Read what stands before an exported message: the export's own frame, and lines before the export."""
        if not is_first:
            self._leave(at, message.start, is_frame=True)
            return
        sign = _JSON_OPENS if message.is_json else _HTML_OPENS
        found = sign.search(self._text, max(at, message.start - _OPENING_LOOKED_AT), message.start)
        opening = found.start() if found else message.start
        self._lines(at, opening)
        self._leave(opening, message.start, is_frame=True)

    def _take(self, message: Exported) -> None:
        if message.at:
            self._days.take(message.at)
        self._messages.append(
            ChatMessage(
                name=message.name,
                at=message.at,
                is_inferred=False,
                said=message.said.translate(UNSEEN),
                kind=Said.THING if message.thing else Said.WORDS,
                thing=message.thing,
                format=ChatFormat.TELEGRAM_JSON if message.is_json else ChatFormat.TELEGRAM_HTML,
                line=self._line_at(message.start),
                start=message.start,
                end=message.end,
            )
        )

    def _lines(self, start: int, end: int) -> None:
        """Read a stretch line by line."""
        open_heading: tuple[Heading, Line] | None = None
        words_from = unread_from = start
        is_apart, skipped = True, 0
        for line, following in _with_next(lines_of(self._text, start, end, self._line_at(start))):
            if skipped:
                skipped -= 1
                continue
            is_weak = open_heading is None or open_heading[0].is_weak or open_heading[0].is_recalled
            heading = self._reader.heading(
                line, following.words if following else "", is_apart=is_apart, in_weak=is_weak
            )
            is_apart = not line.words
            if heading is None and (is_apart or not self._reader.mark(line, following.words if following else "")):
                continue
            self._close(open_heading, words_from, unread_from, line.start)
            open_heading, unread_from = None, line.start
            if heading is None:
                self._leave(line.start, line.after, is_frame=True)
                unread_from, is_apart = line.after, True
                continue
            open_heading, skipped = (heading, line), heading.lines - 1
            words_from = following.after if skipped and following else line.start
        self._close(open_heading, words_from, unread_from, end)

    def _close(self, opened: tuple[Heading, Line] | None, words_from: int, unread_from: int, end: int) -> None:
        if opened is None:
            self._leave(unread_from, end, is_frame=not self._text[unread_from:end].translate(UNSEEN).strip())
            return
        heading, line = opened
        whole = self._text[words_from:end].translate(UNSEEN).replace("\r\n", "\n")
        said = whole.strip() if heading.lines > 1 else whole.lstrip()[heading.skip :].strip()
        thing = _THINGS.fullmatch(said)
        kind = Said.RECALLED if heading.is_recalled else Said.THING if thing else Said.WORDS
        self._messages.append(
            ChatMessage(
                name=heading.name,
                at=heading.told.at,
                is_inferred=heading.told.is_inferred,
                said=said,
                kind=kind,
                thing=thing["thing"] if thing else "",
                format=heading.format,
                line=line.number,
                start=line.start,
                end=end,
            )
        )

    def _leave(self, start: int, end: int, *, is_frame: bool) -> None:
        if end > start:
            self._left.append(Left(start=start, end=end, line=self._line_at(start), is_frame=is_frame))

    def _line_at(self, place: int) -> int:
        """Count lines up to a place; places are asked for in order, so that the text is counted once."""
        if place >= self._counted:
            self._line += self._text.count("\n", self._counted, place)
            self._counted = place
            return self._line
        return self._line - self._text.count("\n", place, self._counted)


def _with_next(lines: Iterator[Line]) -> Iterator[tuple[Line, Line | None]]:
    """Pair every line with the one after it."""
    here = next(lines, None)
    while here is not None:
        following = next(lines, None)
        yield here, following
        here = following
