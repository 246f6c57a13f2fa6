"""Find the law that a text names.

As people write it: 消法 25(1)(3), 《电子商务法》第四十九条第二款, 法释〔2022〕8号 第2条, 民法典 563, 566、577; 13-15.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from kabao.law.model import Instrument, Place, article_key, canonical, read_groups
from kabao.law.numerals import read_number

# One character for one, so that positions stay those of the text.
PLAIN: Final = str.maketrans("０１２３４５６７８９（）［］【】，；　–—－~～〇", "0123456789()〔〕〔〕,; -----零")
NUMBER: Final = r"[零一二三四五六七八九十百千]+|\d{1,4}"
WIDEST_RANGE: Final = 30

ARTICLE: Final = re.compile(
    rf"""\s*(?:Article\s*|Art\.\s*)?(?:
        第\s*(?P<written>{NUMBER})\s*条(?:之(?P<branch>[一二三四五六七八九十]))?
      | (?P<bare>\d{{1,4}})(?:\s*条)?(?!\d|\s?[年月日天元小时个倍款项%号]|\.\d)
    )""",
    re.VERBOSE,
)
GROUPS: Final = re.compile(r"(?:\s?\(\d{1,2}\))+")
PARAGRAPH: Final = re.compile(rf"\s*第\s*(?P<number>{NUMBER})\s*款")
ITEM: Final = re.compile(rf"\s*第\s*\(?(?P<number>{NUMBER})\)?\s*项")
# What may close a name: 》, a bracketed year or number, 的.
CLOSING: Final = re.compile(r"》?(?:\s*\((?!\d{1,2}\))[^()]{1,20}\))?\s*的?\s*")
SEPARATOR: Final = re.compile(r"\s*(?:以及|[、,;+和及与或/])\s*|\s+(?=\d|第)")
RANGE: Final = re.compile(r"\s*(?:-|至|到)\s*(?=\d|第)")


class Mention(NamedTuple):
    """A provision named in a text: where, in which words, and which."""

    start: int
    end: int
    written: str
    instrument: Instrument
    place: Place


def name_pattern(instruments: Mapping[str, Instrument]) -> tuple[re.Pattern[str], dict[str, Instrument]]:
    """Build what ``mentions`` looks for: every name and id, the longest first."""
    by_name: dict[str, Instrument] = {}
    for instrument in instruments.values():
        for name in (instrument.id, *instrument.names()):
            by_name.setdefault(plain(name), instrument)
    longest_first = sorted(by_name, key=len, reverse=True)
    ids = "|".join(re.escape(name) for name in longest_first if name in instruments)
    names = "|".join(re.escape(name) for name in longest_first if name not in instruments)
    # An id is a word of its own; a Chinese name stands wherever it stands.
    return re.compile(rf"(?<![\w-])(?:{ids})(?![\w-])|(?:{names})"), by_name


def plain(text: str) -> str:
    """Write brackets, title marks, digits and dashes one way; the length stays."""
    return text.translate(PLAIN).replace("[", "〔").replace("]", "〕").replace("〈", "《").replace("〉", "》")


def mentions(text: str, pattern: re.Pattern[str], by_name: Mapping[str, Instrument]) -> Iterator[Mention]:
    """Yield each provision named, in the order of the text.

    A name that no article follows is no mention. One stretch of text may name several places: 消法 26(2)(3) names two.
    """
    source = plain(text)
    position = 0
    while name := pattern.search(source, position):
        instrument = by_name[name[0]]
        position = name.end()
        closing = CLOSING.match(source, position)
        for start, end, place in _places(source, closing.end() if closing else position, instrument):
            begin = name.start() if position == name.end() else start
            yield Mention(begin, end, text[begin:end], instrument, place)
            position = max(position, end)


def _places(source: str, position: int, instrument: Instrument) -> Iterator[tuple[int, int, Place]]:
    last: Place | None = None
    while True:
        read = _read(source, position, instrument, last)
        if read is None:
            return
        start, position, places = position, read[0], read[1]
        for place in places:
            yield start, position, place
        last = places[-1]
        step = SEPARATOR.match(source, position)
        if step is None:
            return
        position = step.end()


def _read(source: str, position: int, instrument: Instrument, last: Place | None) -> tuple[int, list[Place]] | None:
    article = ARTICLE.match(source, position)
    if article is None:
        return _continued(source, position, instrument, last) if last else None
    number = _article(article)
    if number is None:
        return None
    end = article.end()
    if through := RANGE.match(source, end):
        until = ARTICLE.match(source, through.end())
        closing = _article(until) if until else None
        if until is not None and closing is not None:
            places = _through(number, closing, branches=through[0].strip() == "-")
            return (until.end(), places) if places else None
    shape = instrument.shapes.get(number)
    if groups := GROUPS.match(source, end):
        numbers = [int(digits) for digits in re.findall(r"\d+", groups[0])]
        return groups.end(), read_groups(shape, number, numbers)
    return _parts(source, end, instrument, Place(number))


def _article(found: re.Match[str]) -> str | None:
    number = read_number(found["written"] or found["bare"])
    if number is None:
        return None
    branch = read_number(found["branch"]) if found["branch"] else None
    return f"{number}-{branch}" if branch else str(number)


def _through(first: str, last: str, *, branches: bool) -> list[Place]:
    """Read 6-8 as three articles and 287-2 as one, since a range runs upwards."""
    low, high = article_key(first)[0], article_key(last)[0]
    if high < low:
        return [Place(f"{low}-{high}")] if branches else []
    if high - low > WIDEST_RANGE:
        return []
    return [Place(str(number)) for number in range(low, high + 1)]


def _continued(source: str, position: int, instrument: Instrument, last: Place) -> tuple[int, list[Place]] | None:
    """Read what follows an article already named: 第一款、第二款, or 第三项和第四项."""
    if PARAGRAPH.match(source, position):
        return _parts(source, position, instrument, Place(last.article))
    if last.item is not None and ITEM.match(source, position):
        return _parts(source, position, instrument, Place(last.article, last.paragraph))
    return None


def _parts(source: str, position: int, instrument: Instrument, place: Place) -> tuple[int, list[Place]]:
    if (paragraph := PARAGRAPH.match(source, position)) and (number := read_number(paragraph["number"])):
        place, position = place._replace(paragraph=number), paragraph.end()
    if (item := ITEM.match(source, position)) and (number := read_number(item["number"])):
        place, position = place._replace(item=number), item.end()
    return position, [canonical(instrument.shapes.get(place.article or ""), place)]
