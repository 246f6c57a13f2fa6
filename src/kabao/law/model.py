"""Instruments, citations and what makes a citation fit to stand in a ruling. No I/O, no clock."""

from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from kabao.law.numerals import to_chinese


class Mark(StrEnum):
    """How surely a text is known."""

    READ = "V"  # the text itself was read
    READ_TWICE = "V2"  # two independent copies were read and agree
    SECONDARY = "S"  # others write so
    GENERAL = "K"  # general knowledge


CITABLE_MARKS: Final = frozenset({Mark.READ, Mark.READ_TWICE})

Shape = tuple[int, ...]  # of an article: how many items each of its paragraphs lists


class Place(NamedTuple):
    """Where in an instrument; ``article`` is None for a provision whose number is not known."""

    article: str | None
    paragraph: int | None = None
    item: int | None = None


class Instrument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A law, regulation, rule or judicial interpretation; both dates are days on which it is in force.

    ``shapes`` holds the articles whose text was read. Where ``paragraphs_known`` is false the copies that were read
    had lost their paragraph breaks, so that only articles and items can be named.
    """

    id: str
    name_zh: str
    name_en: str
    short_zh: str
    issuer_zh: str
    issuer_en: str
    in_force_from: date
    mark: Mark
    sources: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    number_zh: str | None = None
    in_force_to: date | None = None
    verified_on: date | None = None
    paragraphs_known: bool = True
    shapes: dict[str, Shape] = {}
    note: str | None = None

    def names(self) -> tuple[str, ...]:
        """Every name it goes by in a text."""
        number = (self.number_zh,) if self.number_zh else ()
        country = "中华人民共和国"
        return (self.name_zh, self.name_zh.removeprefix(country), self.short_zh, *self.aliases, *number)


class Citation(msgspec.Struct, frozen=True):
    """A provision and what it says, in our own words; the dates are days on which this wording is in force."""

    id: str
    instrument: Instrument
    place: Place
    in_force_from: date
    in_force_to: date | None
    summary_zh: str
    summary_en: str
    mark: Mark
    sources: tuple[str, ...]
    verified_on: date | None
    topic_zh: str | None = None
    topic_en: str | None = None
    note: str | None = None

    def text_zh(self) -> str:
        """Name it as a letter does: 《消费者权益保护法》第二十五条第一款第三项."""
        name = titled(self.instrument.name_zh.removeprefix("中华人民共和国"))
        return name + (place_zh(self.place) if self.place.article else f"（{self.topic_zh}）")

    def text_en(self) -> str:
        """Name it in English: Consumer Rights Protection Law, Article 25(1)(3)."""
        detail = f"Article {place_en(self.place)}" if self.place.article else self.topic_en
        return f"{self.instrument.name_en}, {detail}"


def titled(name: str) -> str:
    """Put a Chinese title into its marks; a title inside it takes the single ones, 〈〉 (GB/T 15834, 4.15.3)."""
    return f"《{name.replace('《', '〈').replace('》', '〉')}》"


def in_force(citation: Citation, on: date) -> bool:
    """Whether this wording is in force on a day."""
    return citation.in_force_from <= on and (citation.in_force_to is None or on <= citation.in_force_to)


def citable(citation: Citation, on: date) -> bool:
    """Whether a ruling or letter may rest on it: its text was read, and it is in force on the day in question."""
    return citation.mark in CITABLE_MARKS and in_force(citation, on)


def article_key(article: str) -> tuple[int, int]:
    """Order articles as they stand: 287 before 287-2 before 288."""
    number, _, branch = article.partition("-")
    return int(number), int(branch or 0)


def place_zh(place: Place) -> str:
    """第二百八十七条之二第一款; raises ValueError where the article is not known."""
    if place.article is None:
        raise ValueError("no article to write")
    number, branch = article_key(place.article)
    return (
        f"第{to_chinese(number)}条"
        + (f"之{to_chinese(branch)}" if branch else "")
        + (f"第{to_chinese(place.paragraph)}款" if place.paragraph else "")
        + (f"第{to_chinese(place.item)}项" if place.item else "")
    )


def place_en(place: Place) -> str:
    """25(1)(3), or 5, item 10 where the article has one paragraph."""
    text = f"{place.article}" + (f"({place.paragraph})" if place.paragraph else "")
    if not place.item:
        return text
    return f"{text}({place.item})" if place.paragraph else f"{text}, item {place.item}"


def canonical(shape: Shape | None, place: Place) -> Place:
    """Name a place the one way the catalogue does.

    An article of one paragraph is named without it, and an item is named with the paragraph that alone lists items.
    """
    if shape is None:
        return place
    article, paragraph, item = place
    if len(shape) == 1:
        return Place(article, None if paragraph == 1 else paragraph, item)
    listing = [number for number, items in enumerate(shape, 1) if items]
    if item is not None and paragraph is None and len(listing) == 1:
        return Place(article, listing[0], item)
    return place


def exists(shape: Shape, place: Place) -> bool:
    """Whether an article of this shape has the paragraph and item; ``place`` is canonical."""
    _, paragraph, item = place
    if paragraph is None:
        return item is None or (len(shape) == 1 and 1 <= item <= shape[0])
    if not 1 <= paragraph <= len(shape):
        return False
    return item is None or 1 <= item <= shape[paragraph - 1]


def read_groups(shape: Shape | None, article: str, groups: list[int]) -> list[Place]:
    """Read the numbers in brackets after an article.

    25(1)(3) is paragraph 1, item 3. In an article of one paragraph they are items: 12(1)(2) names two. After a
    paragraph that lists items the rest are its items: 48(1)(2)(4) names two. Else they are paragraphs: 26(2)(3).
    """
    if not groups:
        return [Place(article)]
    if shape is not None and len(shape) == 1 and shape[0]:
        return [Place(article, None, item) for item in groups]
    first, *items = groups
    if items and shape is not None and first <= len(shape) and not shape[first - 1]:
        return [canonical(shape, Place(article, paragraph)) for paragraph in groups]
    named: list[int | None] = [*items] or [None]
    return [canonical(shape, Place(article, first, item)) for item in named]
