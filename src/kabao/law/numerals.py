"""Chinese numerals as statutes write them: 二十五 is 25, 一千一百九十七 is 1197, 一百零八 is 108."""

from typing import Final

DIGITS: Final = "零一二三四五六七八九"
UNITS: Final = {"千": 1000, "百": 100, "十": 10}
LARGEST: Final = 9999


def to_chinese(number: int) -> str:
    """Write 1 to 9999; raises ValueError outside that range."""
    if not 1 <= number <= LARGEST:
        raise ValueError(f"no article has the number {number}")
    text, gap, rest = "", False, number
    for unit, size in UNITS.items():
        digit, rest = divmod(rest, size)
        if digit:
            text += ("零" if gap else "") + DIGITS[digit] + unit
            gap = False
        elif text:
            gap = True
    if rest:
        text += ("零" if gap else "") + DIGITS[rest]
    return text.removeprefix("一") if text.startswith("一十") else text


def read_number(text: str) -> int | None:
    """Read 25, 二十五 or 十; None for what is no number that ``to_chinese`` writes."""
    if text.isascii():
        number = int(text) if text.isdigit() and len(text) <= len(str(LARGEST)) else 0
        return number or None
    number, digit = 0, 0
    for mark in text:
        if mark in UNITS:
            number += (digit or 1) * UNITS[mark]
            digit = 0
        elif mark in DIGITS:
            digit = DIGITS.index(mark)
        else:
            return None
    number += digit
    # Writing it back refuses disorder such as 十百 without a grammar of its own; 一十五 is another way to write 十五.
    written = text[1:] if text.startswith("一十") else text
    return number if 1 <= number <= LARGEST and to_chinese(number) == written else None
