"""What may be sold: the categories, and the list of prohibited goods with its legal basis, both packaged as data.

Text is compared after NFKC, in lower case, without white space and invisible characters. Phrases of the allow-list
are taken out first, so that 手机卡顿 is not a 手机卡. A match is a reason to refuse the listing, not a finding of law;
the list holds only bases whose text was read.
"""

import re
import unicodedata
from collections.abc import Iterable
from importlib import resources
from typing import Final

import msgspec

from kabao.shops.model import Category


class Basis(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A citation: the law's short title, the article as it is cited, and the mark of its verification (V or V2)."""

    law: str
    article: str
    mark: str


class ProhibitedGoods(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of goods that may not be sold; `words` and regular `patterns` find it in normalised text."""

    goods_id: str
    name_zh: str
    why_zh: str
    basis: list[Basis]
    words: list[str]
    patterns: list[str] = []
    allow: list[str] = []


class Finding(msgspec.Struct, frozen=True):
    """Why a text was refused: the kind of goods and the words found in it."""

    goods: ProhibitedGoods
    found: str

    @property
    def sentence(self) -> str:
        """What the merchant reads."""
        cited = "、".join(f"《{basis.law}》{basis.article}" for basis in self.goods.basis)
        return f"「{self.found}」属于{self.goods.name_zh}，不能卖：{self.goods.why_zh}（{cited}）"


class ProhibitedList:
    """The prohibited goods, ready to be searched."""

    def __init__(self, goods: Iterable[ProhibitedGoods]) -> None:
        self._entries: list[tuple[ProhibitedGoods, re.Pattern[str], re.Pattern[str] | None]] = []
        for entry in goods:
            words = sorted((re.escape(normalised(word)) for word in entry.words), key=len, reverse=True)
            allow = sorted((re.escape(normalised(phrase)) for phrase in entry.allow), key=len, reverse=True)
            self._entries.append(
                (entry, re.compile("|".join([*words, *entry.patterns])), re.compile("|".join(allow)) if allow else None)
            )

    @property
    def goods(self) -> list[ProhibitedGoods]:
        """Every entry, for the page that publishes the list."""
        return [entry for entry, _, _ in self._entries]

    def find(self, text: str) -> Finding | None:
        """Return the first kind of prohibited goods that a text offers, or None."""
        plain = normalised(text)
        for entry, pattern, allow in self._entries:
            match = pattern.search(plain if allow is None else allow.sub("\n", plain))
            if match is not None:
                return Finding(entry, match[0])
        return None


def normalised(text: str) -> str:
    """Return the text as it is compared: NFKC, lower case, without white space and invisible characters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(
        letter for letter in folded if not letter.isspace() and unicodedata.category(letter) not in {"Cf", "Cc", "Mn"}
    )


def load_categories() -> dict[str, Category]:
    """Read categories.json, in the order in which the form offers them."""
    found = msgspec.json.decode(_packaged("categories.json"), type=list[Category])
    return {category.category_id: category for category in found}


def load_prohibited() -> ProhibitedList:
    """Read prohibited.json."""
    return ProhibitedList(msgspec.json.decode(_packaged("prohibited.json"), type=list[ProhibitedGoods]))


def _packaged(name: str) -> bytes:
    return resources.files("kabao.shops").joinpath(name).read_bytes()


CATEGORIES: Final = load_categories()
PROHIBITED: Final = load_prohibited()
