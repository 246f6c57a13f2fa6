"""A document's profile: what a buyer may expect in each situation, beside what the law gives whatever is written."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from kabao.terms.matching import Compiled, compiled, matches
from kabao.terms.model import Frame, Situation
from kabao.terms.packed import packed
from kabao.terms.spots import Reading


class _Said(NamedTuple):
    """A frame that is a case of a row's rule, which is the ``rank``th of them."""

    rank: int
    reading: Reading
    frame: Frame


@cache
def _rows() -> tuple[tuple[str, tuple[Compiled, ...], tuple[Compiled, ...]], ...]:
    return tuple(
        (row.id, tuple(map(compiled, row.gives)), tuple(map(compiled, row.refuses))) for row in packed().profile
    )


@cache
def _acts() -> frozenset[str]:
    """Return what any row is about, so that most frames are passed over."""
    return frozenset(act for _, *sides in _rows() for rules in sides for rule in rules for act in rule.rule.act)


def of(readings: Sequence[Reading]) -> dict[str, Situation]:
    """Return for each situation what the documents give; of several clauses the one that says most is shown."""
    given: dict[str, _Said] = {}
    refused: dict[str, _Said] = {}
    for reading in readings:
        for sentence in reading.sentences:
            for frame in sentence.frames:
                if frame.meta or frame.conditional or not frame.act & _acts():
                    continue
                for key, gives, refuses in _rows():
                    _keep(given, key, gives, reading, frame)
                    _keep(refused, key, refuses, reading, frame)
    told = {}
    for row in packed().profile:
        yes, no = given.get(row.id), refused.get(row.id)
        shown = yes or no
        stance = "conditional" if yes and no else "yes" if yes else "no" if no else "silent"
        spot = None
        if shown:
            spot = shown.reading.spot(*shown.reading.trimmed(shown.frame.start, shown.frame.end))
        told[row.id] = Situation(row.title, stance, spot.words if spot else "", row.floor, row.law, spot)
    return told


def _keep(told: dict[str, _Said], key: str, rules: tuple[Compiled, ...], reading: Reading, frame: Frame) -> None:
    """Keep what a frame says of a situation unless one before is a case of the same rule or an earlier one."""
    known = told.get(key)
    for rank, rule in enumerate(rules if known is None else rules[: known.rank]):
        if matches(rule, frame):
            told[key] = _Said(rank, reading, frame)
            return
