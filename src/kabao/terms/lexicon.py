"""Find the lexicon's words and quantities in plain text: the longest at each place, in one pass."""

import re
from functools import cache
from typing import Final

from kabao.terms.bits import bits, bits_of
from kabao.terms.model import Quantity, Token
from kabao.terms.packed import packed

NUMERALS: Final = {"零": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
TENS: Final = {"十": 10, "百": 100, "千": 1000, "万": 10000}
NUMBER: Final = r"(?:[0-9]{1,9}(?:\.[0-9]{1,4})?|[零一二两三四五六七八九十百千万]{1,9}|半)"
QUANTITY: Final = re.compile(
    rf"(?P<money_mark>[¥￥$])\s?(?P<marked>[0-9]{{1,9}}(?:\.[0-9]{{1,2}})?)"
    rf"|(?:假一|退一)[赔罚](?P<fold>{NUMBER})|(?P<double>双|两)倍"
    rf"|百分之(?P<hundredths>{NUMBER})"
    rf"|(?P<number>{NUMBER})(?:\s?[-~至到]\s?(?P<upper>{NUMBER}))?\s?(?:个)?(?P<unit>"
    r"工作日|自然日|日历日|小时|个小时|刻钟|分钟|分(?![不钱都也文毛])|秒钟|秒|周岁|周年|周|星期|个月|月|年|天|日|钟头|min(?:ute)?s?|hours?|hrs?|h|days?|weeks?|months?|years?"
    r"|%|％|元|块钱|块|rmb|万元|倍|折|成|次(?![转销性退消]))(?![a-z])"
    r"|(?:(?<=罚)|(?<=罚款)|(?<=赔)|(?<=赔偿)|(?<=扣))(?P<bare>[0-9]{2,6}|[一两三四五六七八九]?[百千万])(?![0-9.零一二三四五六七八九十百千万个张])"
)
SECONDS: Final = {
    "工作日": 86400, "自然日": 86400, "日历日": 86400, "天": 86400, "日": 86400, "day": 86400, "days": 86400,
    "小时": 3600, "个小时": 3600, "钟头": 3600, "hour": 3600, "hours": 3600, "hr": 3600, "hrs": 3600, "h": 3600,
    "刻钟": 900, "分钟": 60, "分": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60, "秒": 1, "秒钟": 1,
    "周": 604800, "星期": 604800, "week": 604800, "weeks": 604800,
    "月": 2592000, "个月": 2592000, "month": 2592000, "months": 2592000,
    "年": 31536000, "周年": 31536000, "year": 31536000, "years": 31536000,
}  # fmt: skip
UNITS: Final = {
    "%": ("PERCENT", 1), "％": ("PERCENT", 1), "成": ("PERCENT", 10), "倍": ("MULTIPLE", 1), "次": ("TIMES", 1),
    "元": ("MONEY", 100), "块": ("MONEY", 100), "块钱": ("MONEY", 100), "rmb": ("MONEY", 100),
    "万元": ("MONEY", 1_000_000),
}  # fmt: skip
TEN: Final = 10
MEANT: Final = {"TIMES": ("TIMES_COUNT",)}
FOLD: Final = ("PROMISE_EXTRA", "COMPENSATE")
STARTERS: Final = frozenset("0123456789零一二两三四五六七八九十百千万半¥￥$假退双")
LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz")


class Node:
    """The forms that begin alike: by the next character, and what they mean where one ends here."""

    __slots__ = ("following", "meanings")

    def __init__(self) -> None:
        self.following: dict[str, Node] = {}
        self.meanings: tuple[tuple[frozenset[str], int], ...] | None = None


@cache
def trie() -> dict[str, Node]:
    """Return the forms by their characters, one after the other."""
    root = Node()
    for form, meanings in packed().words.items():
        node = root
        for character in form:
            node = node.following.setdefault(character, Node())
        node.meanings = tuple((frozenset(meaning), bits(meaning)) for meaning in meanings)
    return root.following


def read_number(text: str) -> float:
    """Read 3, 2.5, 十五, 两百 or 半."""
    if text == "半":
        return 0.5
    if text[0] in "0123456789":
        return float(text)
    total, current = 0, 0
    for character in text:
        if character in NUMERALS:
            current = NUMERALS[character]
        else:
            total += (current or (0 if total and TENS[character] < total else 1)) * TENS[character]
            current = 0
    return float(total + current)


def read_quantity(found: re.Match[str]) -> Quantity | None:
    """Return what a match of ``QUANTITY`` says; the larger end of a range."""
    if found["fold"] or found["double"]:
        return Quantity("MULTIPLE", round(read_number(found["fold"] or "两")), found[0])
    if found["marked"]:
        return Quantity("MONEY", round(float(found["marked"]) * 100), found[0])
    if found["hundredths"] or found["bare"]:
        name, factor = ("PERCENT", 1) if found["hundredths"] else ("MONEY", 100)
        return Quantity(name, round(read_number(found["hundredths"] or found["bare"]) * factor), found[0])
    number, unit = read_number(found["upper"] or found["number"]), found["unit"]
    if unit == "周岁":
        return None
    if unit == "折":
        return Quantity("PERCENT", round(100 - (number * 10 if number < TEN else number)), found[0])
    name, factor = ("TIME", SECONDS[unit]) if unit in SECONDS else UNITS[unit]
    return Quantity(name, round(number * factor), found[0])


def _quantity_token(found: re.Match[str], quantity: Quantity) -> Token:
    names = frozenset((quantity.unit, *MEANT.get(quantity.unit, ()), *(FOLD if found["fold"] else ())))
    return Token(found.start(), found.end(), names, bits_of(names), quantity)


def tokenise(text: str, start: int, end: int) -> list[Token]:
    """Return the tokens of a stretch in order; no two overlap unless one form has several meanings in a row."""
    root = trie()
    tokens: list[Token] = []
    position = start
    while position < end:
        character = text[position]
        if character in STARTERS:
            found = QUANTITY.match(text, position, end)
            quantity = read_quantity(found) if found else None
            if found and quantity:
                tokens.append(_quantity_token(found, quantity))
                position = found.end()
                continue
        node = root.get(character)
        best, stop, cursor = None, position, position + 1
        while node is not None:
            if node.meanings is not None:
                best, stop = node.meanings, cursor
            if cursor >= end:
                break
            node = node.following.get(text[cursor])
            cursor += 1
        if best is None or (character in LETTERS and not _word(text, position, stop)):
            position += 1
            continue
        for names, held in best:
            if names:
                tokens.append(Token(position, stop, names, held))
        position = stop
    return tokens


def _word(text: str, start: int, stop: int) -> bool:
    """Whether Latin letters stand there as a word of their own."""
    before = text[start - 1 : start] if start else ""
    after = text[stop : stop + 1]
    return not (before in LETTERS and before) and not (after in LETTERS and after and text[stop - 1] in LETTERS)
