"""The shapes that lines of a copied chat have: who and when, a day alone, a name with a colon. One line at a time.

Every pattern is anchored and bounded, so that a line costs the same whatever stands in it; what is long is no heading.
"""

import re
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from kabao.selfhelp.chattimes import DAY, WHEN, Days, Told, has_day, has_seconds, is_dated

UNSEEN: Final = dict.fromkeys(
    map(ord, "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")
)
"""Characters that show nothing and that programs copy along."""
LONGEST_HEADING: Final = 160
NAME_LIMIT: Final = 80
_WEAK_NAME: Final = 24
_NAMES_COUNTED: Final = 20_000
_LONE_NAME: Final = 40

_COMMA: Final = re.compile(rf"(?P<name>.{{1,{NAME_LIMIT}}}?), \[{WHEN}\]:?[ ]?")
_BRACKET: Final = re.compile(rf"\[{WHEN}\][ ]?")
_FRONT: Final = re.compile(rf"{WHEN}[ ]{{1,3}}(?P<name>\S.{{0,{NAME_LIMIT}}})")
_BACK: Final = re.compile(rf"(?P<name>.{{1,{NAME_LIMIT}}}?)(?P<colon>[:：]?)(?P<gap>[ \t\u3000\xa0]{{1,4}}){WHEN}")
_ALONE: Final = re.compile(WHEN)
_RULED: Final = re.compile(rf"[-—–─=·*]{{2,40}}\s{{0,8}}{DAY}\s{{0,8}}[-—–─=·*]{{2,40}}")
_DAY: Final = re.compile(DAY)
_BANNER: Final = re.compile(r"={8,}|消息(?:分组|对象|记录)[:：（].*")
_WEAK: Final = re.compile(rf"(?P<name>[^:：]{{1,{_WEAK_NAME}}})[:：][ ]?")
_WEAK_LINE: Final = re.compile(rf"^(?P<name>[^:：\r\n]{{1,{_WEAK_NAME}}})[:：](?P<alone>[ ]?\r?$)?", re.MULTILINE)
_NUMBER: Final = re.compile(r"[(（<](?P<id>\d{5,12}|[^\s()<>（）]{1,60}@[^\s()<>（）]{1,60})[)）>]$")
_TITLE: Final = re.compile(r"【[^【】]{1,12}】")
_RECALLED: Final = re.compile(
    r"[\"“]?(?P<name>[^\"“”]{1,60}?)[\"”]?[ ]?"
    r"(?:撤回了(?:一条|1条)?(?:成员的?)?消息|recalled a message|unsent a message).{0,20}"
)
_SENTENCE: Final = re.compile(r"[。，！？；,!?;]")
_FIGURES: Final = re.compile(r"\d[-/.:：年月]\d")
_LABEL: Final = re.compile(
    r".*(?:时间|日期|截止|有效期|单号|编号|金额|价格|数量|商品|订单|地址|电话|链接|网址|卡号|卡密|密码|账号|备注"
    r"|消息分组|消息对象|https?|于|在|到|至|前|是|from|to|Forwarded|reply)"
)
_OURSELVES: Final = frozenset({"我", "卖家", "买家", "商家", "客服", "店主", "平台", "对方", "me", "seller", "buyer"})


class ChatFormat(StrEnum):
    """Where a message was copied from."""

    WECHAT = "wechat"
    QQ = "qq"
    TELEGRAM = "telegram"
    TELEGRAM_JSON = "telegram_json"
    TELEGRAM_HTML = "telegram_html"
    PLAIN = "plain"
    """A name and a colon, as a forwarded record is shown and as people write down what was said."""


class Heading(NamedTuple):
    """The start of a message: who, when, in which format; what was said begins `skip` characters into the line.

    `lines` is how many lines the heading has; `is_weak` where only a name and a colon speak for it.
    """

    name: str
    told: Told
    format: ChatFormat
    skip: int
    lines: int = 1
    is_weak: bool = False
    is_recalled: bool = False


class Line(NamedTuple):
    """A line at its place, and its words without what cannot be seen; `after` is where the next begins."""

    start: int
    after: int
    number: int
    words: str


def lines_of(text: str, start: int, end: int, number: int) -> Iterator[Line]:
    """Cut a stretch of text into lines; line ends belong to their line."""
    while start < end:
        found = text.find("\n", start, end)
        after = end if found < 0 else found + 1
        # A heading is short; of a longer line only its beginning can be one.
        yield Line(
            start, after, number, text[start : min(after, start + 2 * LONGEST_HEADING)].translate(UNSEEN).strip()
        )
        start, number = after, number + 1


def weak_names(text: str) -> frozenset[str]:
    """Find the names that stand before colons at the beginning of lines often enough to be people who talk."""
    counted: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for found in _WEAK_LINE.finditer(text):
        name = found["name"].translate(UNSEEN).strip()
        if name in counted or len(counted) < _NAMES_COUNTED:
            counted[name] += 1
            # A name alone on its line is how WeChat copies several messages.
            alone[name] += found["alone"] is not None
    names = {
        name
        for name, count in counted.items()
        if (count > 1 or alone[name] or name.lower() in _OURSELVES)
        and name
        and not name[0].isdigit()
        and name[0] not in '"{<['
        and not _LABEL.fullmatch(name)
    }
    return frozenset(names) if sum(counted[name] for name in names) > 1 else frozenset()


class Reader:
    """Tells what a line is, knowing the days told so far and the names that were seen to talk."""

    def __init__(self, days: Days, weak: frozenset[str]) -> None:
        self._days = days
        self._weak = weak
        self._known: set[str] = set()
        self.since = Told(None, is_inferred=True)

    def heading(self, line: Line, following: str, *, is_apart: bool, in_weak: bool) -> Heading | None:
        """Return the heading that a line is; `following` is the next line, `is_apart` that a blank one came before."""
        words = line.words
        if not words:
            return None
        found = self._timed(words, following, is_apart=is_apart) or self._recall(words)
        if found is None and (in_weak or is_apart):
            found = self._named(words)
        if found and not found.is_weak and not found.is_recalled:
            self._known.add(found.name)
            self.since = found.told
        return found

    def mark(self, line: Line, following: str) -> bool:
        """Tell whether a line only says when the next messages were written, or names the chat; then take its day."""
        words = line.words
        if len(words) > LONGEST_HEADING or not words:
            return not words
        if _BANNER.fullmatch(words):
            return True
        ruled = _RULED.fullmatch(words)
        if ruled:
            return self._days.turn(ruled)
        weak = _WEAK.match(following)
        if not (weak and weak["name"].strip() in self._weak) and not _ALONE.match(following):
            return False
        day, alone = _DAY.fullmatch(words), _ALONE.fullmatch(words)
        if day:
            return self._days.turn(day)
        told = self._days.told(alone) if alone else None
        self.since = told or self.since
        return told is not None

    def _timed(self, words: str, following: str, *, is_apart: bool) -> Heading | None:
        if words.startswith("["):
            return self._bracketed(words)
        if not any(letter.isdigit() for letter in words[:LONGEST_HEADING]) and not following[-2:].strip().isdigit():
            return None
        if ", [" in words[: NAME_LIMIT + len(", [")] and (found := _COMMA.match(words)):
            return self._head(found, ChatFormat.TELEGRAM, found.end())
        if len(words) > LONGEST_HEADING:
            return None
        if _ALONE.fullmatch(words):
            return None
        return self._written_out(words, following) or self._over_two(words, following, is_apart=is_apart)

    def _written_out(self, words: str, following: str) -> Heading | None:
        found = _FRONT.fullmatch(words)
        if found and is_dated(found) and has_seconds(found):
            # A list of events has the next moment at once; a chat has what was said.
            return self._head(found, ChatFormat.QQ, len(words)) if following and not _ALONE.match(following) else None
        found = _BACK.fullmatch(words)
        if not found or not _may_be_name(found["name"]):
            return None
        number = _NUMBER.search(found["name"].strip())
        is_sure = len(found["gap"]) > 1 or has_seconds(found) or number or _name(found["name"]) in self._known
        if not is_dated(found) and not is_sure:
            return None
        is_qq = number or (found["colon"] and not found["y"])
        return self._head(found, ChatFormat.QQ if is_qq else ChatFormat.WECHAT, len(words))

    def _over_two(self, words: str, following: str, *, is_apart: bool) -> Heading | None:
        """Read a name on one line and the time on the next."""
        if len(words) > _LONE_NAME or not (is_apart or words in self._known) or not _may_be_name(words):
            return None
        found = _ALONE.fullmatch(following)
        if not found or not (has_day(found) or words in self._known):
            return None
        told = self._days.told(found)
        return Heading(_name(words), told, ChatFormat.WECHAT, 0, lines=2) if told else None

    def _bracketed(self, words: str) -> Heading | None:
        found = _BRACKET.match(words)
        if not found or not has_day(found):
            return None
        told = self._days.told(found)
        name = self._spoken(words, found.end())
        if not name or not told:
            return None
        return Heading(_name(name), told, ChatFormat.TELEGRAM, found.end() + len(name) + len(": "))

    def _spoken(self, words: str, start: int) -> str:
        """Return the name before a colon; of one with colons in it the longest that was seen before."""
        shortest, end = "", words.find(": ", start)
        best = ""
        while start < end <= start + NAME_LIMIT:
            name = words[start:end]
            shortest = shortest or name
            best = name if _name(name) in self._known else best
            end = words.find(": ", end + 1)
        return best or shortest

    def _head(self, found: "re.Match[str]", form: ChatFormat, skip: int) -> Heading | None:
        told = self._days.told(found)
        return Heading(_name(found["name"]), told, form, skip) if told else None

    def _recall(self, words: str) -> Heading | None:
        found = _RECALLED.fullmatch(words) if len(words) <= LONGEST_HEADING else None
        if not found:
            return None
        return Heading(_name(found["name"]), self._since(), ChatFormat.WECHAT, 0, is_recalled=True)

    def _named(self, words: str) -> Heading | None:
        found = _WEAK.match(words)
        if not found or found["name"].strip() not in self._weak:
            return None
        return Heading(found["name"].strip(), self._since(), ChatFormat.PLAIN, found.end(), is_weak=True)

    def _since(self) -> Told:
        return Told(self.since.at, is_inferred=True)


def _may_be_name(words: str) -> bool:
    bare = words.strip().rstrip(":：")
    return bool(bare) and not _SENTENCE.search(bare) and not _FIGURES.search(bare) and not _LABEL.fullmatch(bare)


def _name(words: str) -> str:
    bare = _TITLE.sub("", words.strip(), count=1).strip() or words.strip()
    return (_NUMBER.sub("", bare).strip() or bare)[:NAME_LIMIT]
