"""How much words read like clauses that are void: a second reading beside the grammar's, by what words are made of.

Of each clause of the development corpus the groups of one to four characters were counted, and weights found by
logistic regression (``tools/terms_likeness.py``). Where the grammar finds nothing and a clause reads very much like
void ones, it is told as likely; where the grammar finds something and the words read like none at all, it is left
alone. Nothing is decided by a likeness: its findings stay below the confidence from which a clause counts as void.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from math import exp, sqrt
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

WEIGHTS: Final = Path(__file__).with_name("likeness.npz")
LONGEST_GROUP: Final = 4
ID_BITS: Final = 13
"""Of a group's hash, how many bits tell which entry a clause is like."""
BITS: Final = 17
FACTORS: Final = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)
UNTOLD: Final = 0.5
SHORTEST: Final = 6
"""Characters of a stretch of which a likeness is told at all."""
LIKELY: Final = 0.85
"""From this likeness on a clause is told of that the grammar finds nothing in."""
UNLIKE: Final = 0.05
"""Below this likeness a finding of the grammar is left alone."""
CONFIDENCE: Final = 0.7
"""Of a finding by likeness alone: told, and never decided by."""


class Weights(NamedTuple):
    """What was learned: a weight of each group, the intercept, and of each entry its weights by the first bits."""

    weight: npt.NDArray[np.float32]
    intercept: float
    ids: tuple[str, ...]
    of_id: npt.NDArray[np.float32]


@cache
def weights() -> Weights:
    """Load the weights, once."""
    with np.load(WEIGHTS, allow_pickle=False) as held:
        return Weights(
            weight=held["weight"].astype(np.float32) * float(held["scale"]),
            intercept=float(held["intercept"]),
            ids=tuple(str(one) for one in held["ids"]),
            of_id=held["of_id"].astype(np.float32),
        )


class Likeness:
    """The likeness of stretches of one plain text; groups of the whole text are looked up once."""

    def __init__(self, plain: str) -> None:
        self._codes, self._before = codes_of(plain)
        held = weights().weight
        zero = np.zeros(1)
        self._sums = [
            np.concatenate([zero, np.cumsum(held[one], dtype=np.float64)]) for one in groups(self._codes, BITS)
        ]

    def of(self, start: int, end: int) -> float:
        """Return how much a stretch reads like a void clause, 0 to 1; the middle for one that is too short to tell."""
        first, last = self._span(start, end)
        if last - first < SHORTEST:
            return UNTOLD
        total, count = 0.0, 0
        for length, sums in enumerate(self._sums, 1):
            stop = last - length + 1
            if stop > first:
                total += float(sums[stop] - sums[first])
                count += stop - first
        return 1 / (1 + exp(-(weights().intercept + total / sqrt(count))))

    def entry(self, start: int, end: int) -> str:
        """Return the id of the catalogue's entry that a stretch is most like."""
        first, last = self._span(start, end)
        held = weights()
        counts = counted(list(groups(self._codes[first:last], ID_BITS)), ID_BITS)
        return held.ids[int(np.argmax(held.of_id @ counts))]

    def _span(self, start: int, end: int) -> tuple[int, int]:
        return int(self._before[start]), int(self._before[end])


def codes_of(plain: str) -> tuple[Codes, Places]:
    """Return the characters of a text without its spaces, every figure as one, and how many stand before each place."""
    points = np.frombuffer(plain.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    spaces = np.array([ord(one) for one in " \t\n\r\x0b\x0c\x00"], dtype=np.uint32)
    is_kept = ~np.isin(points, spaces)
    is_figure = (points >= ord("0")) & (points <= ord("9"))
    kept = np.where(is_figure, ord("0"), points)[is_kept].astype(np.uint64)
    before = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(is_kept)])
    return kept, before


def groups(codes: Codes, bits: int) -> Iterator[Places]:
    """Yield for one to four characters the groups that begin at each place, as numbers of so many bits."""
    one, two, three = (np.uint64(factor) for factor in FACTORS)
    hashed: Any = None
    for length in range(1, LONGEST_GROUP + 1):
        if len(codes) < length:
            break
        fresh = codes[length - 1 :] * one + np.uint64(length)
        hashed = fresh if hashed is None else (hashed[:-1] * two) ^ fresh
        mixed = (hashed ^ (hashed >> np.uint64(29))) * three
        yield ((mixed ^ (mixed >> np.uint64(32))) & np.uint64((1 << bits) - 1)).astype(np.int64)


def counted(found: Sequence[Places], bits: int) -> npt.NDArray[np.float32]:
    """Count groups by their numbers, as a direction of length one."""
    counts = np.bincount(np.concatenate(found), minlength=1 << bits).astype(np.float32)
    length = float(np.linalg.norm(counts))
    return counts / length if length else counts
