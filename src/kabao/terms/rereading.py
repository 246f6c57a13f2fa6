"""Read a document a second time by likeness: add what the grammar missed, leave alone what reads like nothing void."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Final, NamedTuple

from kabao.terms.likeness import CONFIDENCE, LIKELY, UNLIKE, Likeness
from kabao.terms.model import Finding, FindingClass, Fine, Sentence, Severity
from kabao.terms.packed import Entry, packed
from kabao.terms.spots import Reading

LONGEST: Final = 400
"""Characters of a paragraph that is read as one clause; of a longer one each sentence is."""
SHORTEST: Final = 12
"""Characters of a clause that is told of by its likeness alone; a shorter one is a heading as often."""
HAN: Final = re.compile("[\u3400-\u9fff]")
UNLIKE_REASON: Final = "字面上像这一类，整句读下来更像合法的写法，没有把握就不指"
LIKELY_WHY: Final = "没有逐字对上，但写法和这一类条款很像，请自己看一眼：{}"

Found = list[Finding | Fine]


class Unit(NamedTuple):
    """Sentences that are read as one clause."""

    sentences: tuple[Sentence, ...]

    @property
    def start(self) -> int:
        """Where it begins."""
        return self.sentences[0].start

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.sentences[-1].end


def reread(reading: Reading, found: Sequence[Finding | Fine]) -> Found:
    """Return what was found by the grammar, less what reads like nothing void, and what reads very much like it."""
    likeness = Likeness(reading.text.plain)
    at = reading.text.at
    kept: Found = []
    waiting = sorted(found, key=lambda one: one.start)
    place = 0
    for unit in units(reading):
        last = at[unit.end]
        inside: Found = []
        while place < len(waiting) and waiting[place].start < last:
            inside.append(waiting[place])
            place += 1
        like = likeness.of(unit.start, unit.end)
        if inside:
            kept += [
                one if not _is_void(one) or _is_like(reading, likeness, unit, one) else _left(one) for one in inside
            ]
        elif like >= LIKELY and _is_readable(reading.text.plain[unit.start : unit.end]):
            kept.append(_likely(reading, unit, likeness))
    return kept + waiting[place:]


def units(reading: Reading) -> Iterator[Unit]:
    """Yield what is read as one clause: a paragraph, or of a long one each sentence."""
    for _, group in groupby(reading.sentences, key=lambda one: one.paragraph):
        sentences = tuple(group)
        if sentences[-1].end - sentences[0].start <= LONGEST:
            yield Unit(sentences)
        else:
            yield from (Unit((one,)) for one in sentences)


@cache
def entries() -> Mapping[str, Entry]:
    """Return the catalogue's entries by their ids."""
    return {entry.id: entry for entry in packed().entries}


def _is_readable(words: str) -> bool:
    """Whether a clause is long enough, no question, and in Chinese, of which alone enough was learned."""
    return len(words) >= SHORTEST and "?" not in words and 2 * len(HAN.findall(words)) > len(words)


def _is_like(reading: Reading, likeness: Likeness, unit: Unit, one: Finding | Fine) -> bool:
    """Whether a finding's unit reads like a void clause at all, or one of its sentences that the finding stands in."""
    at = reading.text.at
    spans = [(each.start, each.end) for each in unit.sentences if at[each.start] < one.end and one.start < at[each.end]]
    return any(likeness.of(*span) >= UNLIKE for span in ((unit.start, unit.end), *spans))


def _is_void(one: Finding | Fine) -> bool:
    return isinstance(one, Finding) and one.kind is FindingClass.VOID


def _left(one: Finding | Fine) -> Fine:
    return Fine(one.id, one.words, one.line, one.start, one.end, UNLIKE_REASON, one.document)


def _likely(reading: Reading, unit: Unit, likeness: Likeness) -> Finding:
    """Tell of the sentence of a unit that is most like a void clause, or of all of it where none is by itself."""
    best = max(unit.sentences, key=lambda one: likeness.of(one.start, one.end))
    start, end = (best.start, best.end) if likeness.of(best.start, best.end) >= LIKELY else (unit.start, unit.end)
    entry = entries()[likeness.entry(start, end)]
    spot = reading.spot(*reading.trimmed(start, end))
    return Finding(
        kind=FindingClass.VOID,
        id=entry.id,
        words=spot.words,
        line=spot.line,
        start=spot.start,
        end=spot.end,
        severity=Severity.MEDIUM,
        title=entry.title,
        why=LIKELY_WHY.format(entry.why),
        law=entry.law,
        rewrite=entry.rewrite,
        confidence=CONFIDENCE,
        lawful_if=entry.lawful_if,
        document=reading.number,
        evasion=reading.tricks_within(spot.start, spot.end),
    )
