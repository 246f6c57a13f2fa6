"""Masks words that abuse a person, by the list beside this file, in what both sides read."""

import re
from functools import cache
from pathlib import Path
from typing import Final

LIST: Final = Path(__file__).with_name("abuse.txt")
MASK: Final = "＊"
_BETWEEN: Final = (
    r"[\u00ad\u034f\u061c\u115f\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]*"
    r"(?:[\s*.,·_\-][\u00ad\u200b-\u200f\u2060-\u206f\ufeff]*){0,3}"
)
"""What may stand between two letters of a word without hiding it: a few marks, and any number of what nobody sees."""


@cache
def _abusive() -> re.Pattern[str]:
    lines = [line.strip() for line in LIST.read_text("utf-8").splitlines()]
    words = sorted((line for line in lines if line and not line.startswith("#")), key=len, reverse=True)
    return re.compile("|".join(_pattern(word) for word in words), re.IGNORECASE)


def _pattern(word: str) -> str:
    spelled = _BETWEEN.join(_letter(letter) for letter in word)
    # A Latin word is only meant where no letter goes on; Chinese has no such borders.
    return rf"(?<![a-z0-9]){spelled}(?![a-z0-9])" if word.isascii() else spelled


def _letter(letter: str) -> str:
    # Latin letters have a full-width form as well, the same number of places on.
    return f"[{letter}{chr(ord(letter) + 0xFEE0)}]" if letter.isascii() and letter.isalnum() else re.escape(letter)


def mask_abuse(text: str) -> str:
    """Put marks in the place of abusive words, as many as there are letters; the rest stays as it is."""
    return _abusive().sub(lambda found: MASK * len(found[0]), text)
