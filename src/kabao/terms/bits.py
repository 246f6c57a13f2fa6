"""Sets of concepts as whole numbers, one bit each: what a frame holds is compared a thousand times a line.

The upper half stands for what is denied: ``bit("NO:REFUND")`` is ``bit("REFUND")`` moved up.
"""

from collections.abc import Iterable
from functools import cache

from kabao.terms.packed import packed


@cache
def positions() -> dict[str, int]:
    """Return each concept's bit."""
    data = packed()
    names = {name for meanings in data.words.values() for meaning in meanings for name in meaning}
    names |= {"TIME", "PERCENT", "MONEY", "MULTIPLE", "TIMES", "GRANTED_LATE"} | {
        derived[0] for derived in data.derived
    }
    return {name: number for number, name in enumerate(sorted(names))}


@cache
def width() -> int:
    """Return how far a denied concept is moved up."""
    return len(positions())


@cache
def bit(name: str) -> int:
    """Return a concept's bit; of one that no word means, none."""
    place = positions().get(name.removeprefix("NO:"))
    if place is None:
        return 0
    return 1 << (place + width() if name.startswith("NO:") else place)


def bits(names: Iterable[str]) -> int:
    """Return the bits of several concepts."""
    held = 0
    for name in names:
        held |= bit(name)
    return held


@cache
def bits_of(names: frozenset[str]) -> int:
    """Return the bits of a word's concepts; there are few thousand different ones."""
    return bits(names)
