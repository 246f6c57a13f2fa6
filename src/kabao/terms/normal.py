"""Make a text plain, and know for each plain character where it stood.

One character for one: full width to half, traditional to simplified, look-alikes to what they imitate, capitals to
small letters, radicals that printing puts in place of characters to those.
Dropped: zero-width characters, spaces beside Chinese characters, marks put between them, emphasis.
"""

import re
import unicodedata
from array import array
from collections.abc import Sequence
from functools import cache
from typing import Final

from kabao.terms.model import Text
from kabao.terms.packed import packed

BLANK: Final = "\x00"
HAN: Final = "\u3400-\u9fff\uf900-\ufaff"
ZERO_WIDTH: Final = (
    "\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\u00ad\ufe00-\ufe0f"
    "\u034f\u061c\u180e\u3164\uffa0\u115f\u1160"
)
DROPPED: Final = re.compile(
    rf"(?P<zero_width>[{ZERO_WIDTH}]+)"
    rf"|(?P<interleaved>(?<=[{HAN}])[·.•_~^丨|*'`+=&#@%$、][{ZERO_WIDTH} ]?(?=[{HAN}]))"
    r"|(?P<blank>\x00+)"
    r"|(?P<emphasis>[*`]+|~~|(?m:^[ \t]*#{1,6}(?=\s)))"
    r"|(?P<space>(?<=[^\x21-\x7e\n\r])[ \t\u00a0\u2000-\u200a\u3000]+"
    r"|[ \t\u00a0\u2000-\u200a\u3000]+(?=[^\x21-\x7e\n\r ]))"
)
QUOTED: Final = re.compile(r'"([^"\n]*)"')
BEFORE: Final = re.compile(f"[{HAN}]+$")
AFTER: Final = re.compile(f"[{HAN}]+")
FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
PUNCTUATION: Final = str.maketrans(
    "。；！？，：（）【】［］〔〕「」『』﹁﹂〈〉《》“”‘’｡、\u2028\u2029\x0b\x0c\x85",
    "。;!?,:()[][][]“”“”“”《》《》“”“”。、\n\n\n\n\n",
)
FULL_WIDTH_LETTERS: Final = re.compile("[０-９Ａ-Ｚａ-ｚ]")
TRICKS: Final = frozenset({"zero_width", "interleaved"})
LISTING: Final = frozenset("、.=+&")
DOTS: Final = frozenset("·•")
KANGXI: Final = range(0x2F00, 0x2FD6)
RADICALS: Final = dict(
    zip(
        "⺟⺠⻁⻄⻅⻆⻉⻋⻑⻒⻓⻔⻘⻙⻚⻛⻜⻝⻢⻤⻥⻦⻨⻩⻬⻮⻰⻳",
        "母民虎西见角贝车长长长门青韦页风飞食马鬼鱼鸟麦黄齐齿龙龟",
        strict=True,
    )
)
"""Of the supplement, those that a document printed by a browser holds in place of the characters they look like."""
LONGEST_PART: Final = 3
"""Characters of a word on either side of a dot put into it."""
PAUSE: Final = 6
"""Chinese characters around a space from which on it parts what is said instead of what is written."""


@cache
def tables() -> tuple[dict[int, int | str], re.Pattern[str], re.Pattern[str]]:
    """Return the one-for-one table, and what finds traditional characters and look-alikes."""
    data = packed()
    radicals = {chr(code): unicodedata.normalize("NFKC", chr(code)) for code in KANGXI} | RADICALS
    traditional, imitating = data.traditional, data.look_alikes
    table: dict[int, int | str] = {code: chr(code).lower() for code in range(ord("A"), ord("Z") + 1)}
    table.update(FULL_WIDTH)
    table.update({code: chr(code - 0xFEE0).lower() for code in range(0xFF21, 0xFF3B)})
    table.update(PUNCTUATION)
    table.update({ord(old): new for old, new in zip(traditional[0], traditional[1], strict=True)})
    table.update({ord(old): new for old, new in zip(imitating[0], imitating[1], strict=True)})
    simple = dict(zip(traditional[0], traditional[1], strict=True))
    table.update({ord(radical): simple.get(whole, whole) for radical, whole in radicals.items()})
    table[0x3000] = " "
    table[0xA0] = " "
    table[0x1C] = " "
    return table, re.compile(f"[{re.escape(traditional[0])}]"), re.compile(f"[{re.escape(imitating[0])}]")


def normalise(source: str, joined: Sequence[int] = ()) -> Text:
    """Return the plain text with its way back; ``joined`` are line ends that part no lines. Linear in the length."""
    table, traditional, imitating = tables()
    even = source.translate(table)
    if joined:
        edges = [0, *(end + 1 for end in joined)]
        even = (
            BLANK.join(even[start:end] for start, end in zip(edges, joined, strict=False)) + BLANK + even[edges[-1] :]
        )
    if '"' in even:
        even = QUOTED.sub(r"“\1”", even)
    tricks: list[tuple[str, int, int]] = []
    pieces: list[str] = []
    at = array("I")
    position = 0
    for found in DROPPED.finditer(even):
        start, end = found.span()
        kind = found.lastgroup or ""
        if kind == "interleaved" and found[0][0] in LISTING and not _chained(even, start):
            continue
        if kind == "interleaved" and found[0][0] in DOTS and not (_chained(even, start) or _hides(even, start, end)):
            continue
        if kind == "zero_width" and not _within_words(even, start, end):
            kind = "space"
        if kind in TRICKS:
            tricks.append((kind, start, end))
        pieces.append(even[position:start])
        at.extend(range(position, start))
        position = end
        if kind == "space" and _pauses(even, start, end):
            pieces.append(",")
            at.append(start)
    pieces.append(even[position:])
    at.extend(range(position, len(even) + 1))
    tricks.extend(("look_alike", found.start(), found.end()) for found in imitating.finditer(source))
    counts = {
        "traditional": len(traditional.findall(source)),
        "full_width": len(FULL_WIDTH_LETTERS.findall(source)),
        "look_alike": sum(kind == "look_alike" for kind, _, _ in tricks),
        "zero_width": sum(kind == "zero_width" for kind, _, _ in tricks),
        "interleaved": sum(kind == "interleaved" for kind, _, _ in tricks),
    }
    return Text(source, "".join(pieces), at, tuple(sorted(tricks, key=lambda each: each[1])), counts)


def _chained(text: str, at: int) -> bool:
    """Whether a mark that lists things stands again after one character: 概、不、退、款."""
    mark = text[at]
    return text[at + 2 : at + 3] == mark or (at >= 2 and text[at - 2] == mark)  # noqa: PLR2004  one character between


def _hides(text: str, start: int, end: int) -> bool:
    """Whether a dot stands in a word that the checker looks for, and not in a name: 退·款, but 阿·买提."""
    words = packed().words
    before, after = text[max(0, start - LONGEST_PART) : start], text[end : end + LONGEST_PART]
    return any(
        before[first:] + after[:last] in words for first in range(len(before)) for last in range(1, len(after) + 1)
    )


def _pauses(text: str, start: int, end: int) -> bool:
    """Whether a space stands for a comma, as chats write: 卡出不退 别问. Between words torn apart it does not."""
    before, after = BEFORE.search(text, max(0, start - PAUSE), start), AFTER.match(text, end, end + PAUSE)
    if before is None or after is None:
        return False
    lengths = before.end() - before.start(), after.end() - after.start()
    return min(lengths) > 1 and sum(lengths) >= PAUSE


def _within_words(text: str, start: int, end: int) -> bool:
    """Whether letters or Chinese characters stand on both sides, so that the characters part a word."""
    return start > 0 and end < len(text) and text[start - 1].isalnum() and text[end].isalnum()
