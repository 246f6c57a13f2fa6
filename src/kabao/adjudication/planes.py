"""Truth in bulk: a plane holds one bit per state or case, 64 to a word; articles are evaluated plane by plane.

The same evaluation fills the decision tables (every state of the facts) and replays past cases (every case).
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from kabao.adjudication.model import Derived, Literal

if TYPE_CHECKING:
    from kabao.adjudication.compiler import IssuePlan

Plane = npt.NDArray[np.uint64]

_LOW = (
    0xAAAAAAAAAAAAAAAA,
    0xCCCCCCCCCCCCCCCC,
    0xF0F0F0F0F0F0F0F0,
    0xFF00FF00FF00FF00,
    0xFFFF0000FFFF0000,
    0xFFFFFFFF00000000,
)
_WORD_BITS = 6
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


def words_for(count: int) -> int:
    """Return how many words hold that many bits."""
    return max((count + 63) // 64, 1)


def state_bit(index: int, bits: int) -> Plane:
    """Return the plane of one bit over the 2**bits states (state number = packed bits)."""
    words = 1 << max(bits - _WORD_BITS, 0)
    if index < _WORD_BITS:
        return np.full(words, _LOW[index], dtype=np.uint64)
    half = 1 << (index - _WORD_BITS)
    plane = np.zeros((words // (2 * half), 2, half), dtype=np.uint64)
    plane[:, 1, :] = ALL
    return plane.reshape(words)


def unpack(plane: Plane, count: int) -> npt.NDArray[np.uint8]:
    """Return one byte (0 or 1) per bit."""
    return np.unpackbits(plane.astype("<u8", copy=False).view(np.uint8), count=count, bitorder="little")


def pack(bits: npt.NDArray[np.bool_]) -> Plane:
    """Return the plane of an array of truths, the last word filled with zeros."""
    padded = np.zeros(words_for(len(bits)) * 64, dtype=np.uint8)
    padded[: len(bits)] = bits
    return np.packbits(padded, bitorder="little").view("<u8").astype(np.uint64, copy=False)


class Columns:
    """Planes of base facts, and of derived ones on demand."""

    def __init__(self, base: Callable[[str], Plane], derived: Mapping[str, Derived]) -> None:
        self._base = base
        self._derived = derived
        self._known: dict[str, Plane] = {}

    def fact(self, name: str) -> Plane:
        """Return the plane in which the fact holds."""
        plane = self._known.get(name)
        if plane is None:
            derived = self._derived.get(name)
            plane = self._base(name) if derived is None else self._compute(derived)
            self._known[name] = plane
        return plane

    def literal(self, literal: Literal) -> Plane:
        """Return the plane in which the literal holds."""
        plane = self.fact(literal.fact)
        return plane if literal.holds else ~plane

    def all_of(self, literals: tuple[Literal, ...]) -> Plane:
        """Return the plane in which every literal holds; the tuple is not empty."""
        plane = self.literal(literals[0]).copy()
        for literal in literals[1:]:
            other = self.fact(literal.fact)
            np.bitwise_and(plane, other if literal.holds else ~other, out=plane)
        return plane

    def _compute(self, derived: Derived) -> Plane:
        plane = self.literal(derived.of[0]).copy()
        for literal in derived.of[1:]:
            if derived.is_any:
                np.bitwise_or(plane, self.literal(literal), out=plane)
            else:
                np.bitwise_and(plane, self.literal(literal), out=plane)
        return plane


def effective(plan: "IssuePlan", columns: Columns) -> list[Plane]:
    """Return for each rule of the plan where it holds and nothing undefeated defeats it."""
    found: list[Plane] = []
    for rule in plan.rules:
        plane = columns.all_of(rule.condition)
        if rule.beaten_by and plane.any():
            for winner in rule.beaten_by:
                np.bitwise_and(plane, ~found[winner], out=plane)
        found.append(plane)
    return found


def by_value(plan: "IssuePlan", planes: list[Plane]) -> tuple[list[Plane], Plane | None]:
    """Return the plane of each distinct value, and where two of them clash (None where nowhere)."""
    values: list[Plane | None] = [None] * len(plan.values)
    for rule, plane in zip(plan.rules, planes, strict=True):
        have = values[rule.value]
        values[rule.value] = plane if have is None else have | plane
    done = [plane for plane in values if plane is not None]
    seen: Plane | None = None
    clash: Plane | None = None
    for plane in done:
        if seen is None:
            seen = plane
            continue
        both = seen & plane
        if both.any():
            clash = both if clash is None else clash | both
        seen = seen | plane
    return done, clash


def numbers(values: list[Plane], clash: Plane | None, count: int) -> npt.NDArray[np.uint8]:
    """Return per bit 0 where no value holds, 1 + its index for a value, 255 for a clash."""
    found = np.zeros(count, dtype=np.uint8)
    for bit in range(len(values).bit_length()):
        plane: Plane | None = None
        for index, value in enumerate(values, 1):
            if index >> bit & 1:
                plane = value if plane is None else plane | value
        if plane is not None:
            found |= unpack(plane, count) << np.uint8(bit)
    if clash is not None:
        found[unpack(clash, count).astype(bool)] = 255
    return found
