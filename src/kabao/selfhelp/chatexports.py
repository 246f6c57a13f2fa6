"""Telegram's exports, pasted as they are: JSON message by message, HTML division by division.

Each reader goes over the text once, and stops at the first thing it cannot read; the rest is left to the line reader.
"""

import html
import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from kabao.selfhelp.chattimes import of_iso, of_unix

_LIST: Final = re.compile(r'"messages"[ \t\r\n]{0,8}:[ \t\r\n]{0,8}\[')
_BETWEEN: Final = re.compile(r"[\s,]*+")
_DIVISION: Final = '<div class="message '
_TITLE: Final = re.compile(r'title="(\d\d)\.(\d\d)\.(\d{4}) (\d\d:\d\d:\d\d)(?: UTC([+-]\d\d:\d\d))?')
_BREAK: Final = re.compile(r"<br ?/?>")
_MARKUP: Final = re.compile(r"<[^<>]*>")
_NAME: Final = '<div class="from_name">'
_TEXT: Final = '<div class="text">'
_MEDIA: Final = '<div class="title bold">'
_ENDED: Final = "</div>"
MOST_NAME: Final = 80


class Exported(NamedTuple):
    """A message of an export at its characters; an empty `said` with `thing` set is a file without words."""

    start: int
    end: int
    name: str
    at: datetime | None
    said: str
    thing: str
    is_json: bool


def exported(text: str) -> Iterator[Exported]:
    """Yield the messages of every export in a text, in order and apart from each other."""
    if '"messages"' in text:
        yield from _of_json(text)
    elif _DIVISION in text:
        yield from _of_html(text)


def _of_json(text: str) -> Iterator[Exported]:
    decoder = json.JSONDecoder(parse_int=str, parse_float=str)
    at = 0
    while found := _LIST.search(text, at):
        at = found.end()
        while True:
            at = _end(_BETWEEN.match(text, at), at)
            if not text.startswith("{", at):
                break
            try:
                value, end = decoder.raw_decode(text, at)
            except (ValueError, RecursionError):
                # What is broken here would be read again from every later place.
                return
            if message := _message(value, at, end):
                yield message
            at = end


def _end(found: "re.Match[str] | None", otherwise: int) -> int:
    return found.end() if found else otherwise


def _message(value: dict[str, Any], start: int, end: int) -> Exported | None:
    if value.get("type", "message") != "message":
        return None
    said = _whole(value.get("text", ""))
    thing = "".join(word for key, word in (("photo", "图片"), ("file", "文件")) if isinstance(value.get(key), str))
    thing = {"voice_message": "语音", "video_message": "视频", "video_file": "视频", "sticker": "动画表情"}.get(
        str(value.get("media_type")), thing
    )
    at = of_unix(str(value.get("date_unixtime", ""))) or of_iso(str(value.get("date", "")))
    name = value.get("from")
    return Exported(
        start, end, _sound(name if isinstance(name, str) else "")[:MOST_NAME], at, said, thing, is_json=True
    )


def _whole(text: object) -> str:
    """Put a text together that an export cut up at its links and marks."""
    parts = text if isinstance(text, list) else [text]
    words = [part.get("text", "") if isinstance(part, dict) else part for part in parts]
    return _sound("".join(word for word in words if isinstance(word, str)))


def _sound(text: str) -> str:
    """Drop half characters, which JSON can name and nothing can write."""
    return text.encode("utf-8", "ignore").decode()


def _of_html(text: str) -> Iterator[Exported]:
    start, name = text.find(_DIVISION), ""
    while start >= 0:
        end = text.find(_DIVISION, start + 1)
        division = text[start : end if end >= 0 else len(text)]
        name = _plain(_within(division, _NAME))[:MOST_NAME] or name
        said = _plain(_within(division, _TEXT))
        thing = _plain(_within(division, _MEDIA))
        if not division.startswith("service", len(_DIVISION)) and (said or thing):
            yield Exported(
                start, start + len(division), name, _titled(division), said, "" if said else thing, is_json=False
            )
        start = end


def _within(division: str, opening: str) -> str:
    start = division.find(opening)
    if start < 0:
        return ""
    start += len(opening)
    end = division.find(_ENDED, start)
    return division[start : end if end >= 0 else len(division)]


def _plain(markup: str) -> str:
    return _sound(html.unescape(_MARKUP.sub("", _BREAK.sub("\n", markup))).strip())


def _titled(division: str) -> datetime | None:
    found = _TITLE.search(division[:2000])
    if not found:
        return None
    day, month, year, clock, offset = found.groups()
    try:
        return datetime.fromisoformat(f"{year}-{month}-{day}T{clock}{offset or '+08:00'}")
    except ValueError:
        return None
