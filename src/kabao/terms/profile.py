"""A document's profile: what a buyer may expect in each situation, beside what the law gives whatever is written."""

from collections.abc import Sequence
from functools import cache

from kabao.terms.matching import Compiled, compiled, matches
from kabao.terms.model import Frame, Situation
from kabao.terms.packed import packed
from kabao.terms.spots import Reading


@cache
def _rows() -> tuple[tuple[str, tuple[Compiled, ...], tuple[Compiled, ...]], ...]:
    return tuple(
        (row.id, tuple(map(compiled, row.gives)), tuple(map(compiled, row.refuses))) for row in packed().profile
    )


def of(readings: Sequence[Reading]) -> dict[str, Situation]:
    """Return for each situation what the documents give; the first clause that says so is shown."""
    given: dict[str, tuple[Reading, Frame]] = {}
    refused: dict[str, tuple[Reading, Frame]] = {}
    for reading in readings:
        for sentence in reading.sentences:
            for frame in sentence.frames:
                if frame.meta or frame.conditional:
                    continue
                for key, gives, refuses in _rows():
                    if key not in given and any(matches(rule, frame) for rule in gives):
                        given[key] = reading, frame
                    if key not in refused and any(matches(rule, frame) for rule in refuses):
                        refused[key] = reading, frame
    told = {}
    for row in packed().profile:
        yes, no = given.get(row.id), refused.get(row.id)
        shown = yes or no
        stance = "conditional" if yes and no else "yes" if yes else "no" if no else "silent"
        spot = None
        if shown:
            reading, frame = shown
            spot = reading.spot(*reading.trimmed(frame.start, frame.end))
        told[row.id] = Situation(row.title, stance, spot.words if spot else "", row.floor, row.law, spot)
    return told
