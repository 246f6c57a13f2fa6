"""Many cases of one claim at once, for replay: facts as planes of bits in, one verdict number per case out."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from kabao.adjudication.compiler import CLASH, CONFLICT, ClaimPlan, Verdict
from kabao.adjudication.model import Case, Issue, Literal
from kabao.adjudication.planes import Columns, Plane, by_value, effective, numbers, pack, unpack, words_for

CHUNK: Final = 1 << 18
"""Cases decided in one go: large enough to be quick, small enough to stay in the cache."""


class CaseBatch(msgspec.Struct):
    """Facts of ``count`` cases of one claim: which are proved and which disproved, one bit per case."""

    claim: str
    count: int
    proved: dict[str, Plane]
    disproved: dict[str, Plane]

    def part(self, start: int, count: int) -> "CaseBatch":
        """Return the cases from ``start``, a multiple of 64."""
        words = slice(start // 64, start // 64 + words_for(count))
        return CaseBatch(
            self.claim,
            count,
            {name: plane[words] for name, plane in self.proved.items()},
            {name: plane[words] for name, plane in self.disproved.items()},
        )


def batch_of(claim: str, known: Sequence[tuple[Mapping[str, bool], Iterable[str]]]) -> CaseBatch:
    """Lay out cases as planes; each is its known facts and its contested ones (both proved and disproved)."""
    count = len(known)
    flags: tuple[dict[str, npt.NDArray[np.bool_]], dict[str, npt.NDArray[np.bool_]]] = ({}, {})
    for index, (facts, contested) in enumerate(known):
        for name, value in facts.items():
            _column(flags[0 if value else 1], name, count)[index] = True
        for name in contested:
            for side in flags:
                _column(side, name, count)[index] = True
    proved, disproved = ({name: pack(column) for name, column in side.items()} for side in flags)
    return CaseBatch(claim, count, proved, disproved)


def _column(side: dict[str, npt.NDArray[np.bool_]], name: str, count: int) -> npt.NDArray[np.bool_]:
    found = side.get(name)
    if found is None:
        found = side[name] = np.zeros(count, dtype=bool)
    return found


class BatchDecider:
    """Decides batches of one claim by one compiled rulebook."""

    def __init__(self, plan: ClaimPlan) -> None:
        self.plan = plan
        self._sizes = [len(plan.issues[issue].values) + 2 for issue in Issue]
        self._total = int(np.prod(self._sizes))
        self._verdicts: dict[int, Verdict] = {self._total: CONFLICT}
        inside = set(plan.facts)
        self._sources: dict[Literal, list[Literal]] = {}
        for name, value in plan.literals:
            one = Literal(name, value)
            for after in plan.follows.get(one, (one,)):
                if after.fact in inside:
                    self._sources.setdefault(after, []).append(one)

    def decide(self, batch: CaseBatch) -> npt.NDArray[np.uint32]:
        """Return a number per case; ``verdict`` says what it stands for."""
        if batch.count <= CHUNK:
            return self._chunk(batch)
        found = np.empty(batch.count, dtype=np.uint32)
        for start in range(0, batch.count, CHUNK):
            count = min(CHUNK, batch.count - start)
            found[start : start + count] = self._chunk(batch.part(start, count))
        return found

    def verdict(self, number: int) -> Verdict:
        """Return the verdict of a number that ``decide`` gave."""
        found = self._verdicts.get(number)
        if found is None:
            key, rest = [], number
            for size in self._sizes:
                rest, value = divmod(rest, size)
                key.append(CLASH if value == size - 1 else value)
            found = self._verdicts[number] = self.plan.build_verdict((key[0], key[1], key[2], key[3]))
        return found

    def _chunk(self, batch: CaseBatch) -> npt.NDArray[np.uint32]:
        plan = self.plan
        nothing = np.zeros(words_for(batch.count), dtype=np.uint64)
        proved, disproved = self._shown(batch, nothing)
        conflict = nothing.copy()
        for name in plan.facts:
            conflict |= proved[name] & disproved[name]
        columns = Columns(lambda name: self._settled(name, proved, disproved), plan.book.derived)
        found = np.zeros(batch.count, dtype=np.uint32)
        factor = 1
        for issue, size in zip(Issue, self._sizes, strict=True):
            part = plan.issues[issue]
            if part.rules:
                values, clash = by_value(part, effective(part, columns))
                column = numbers(values, clash, batch.count)
                if clash is not None:
                    column[column == CLASH] = size - 1
                found += column.astype(np.uint32) * np.uint32(factor)
            factor *= size
        if conflict.any():
            found[unpack(conflict, batch.count).astype(bool)] = self._total
        return found

    def _shown(self, batch: CaseBatch, nothing: Plane) -> tuple[dict[str, Plane], dict[str, Plane]]:
        sides: tuple[dict[str, Plane], dict[str, Plane]] = ({}, {})
        for side, value in zip(sides, (True, False), strict=True):
            for name in self.plan.facts:
                plane: Plane | None = None
                for one in self._sources.get(Literal(name, value), ()):
                    given = (batch.proved if one.holds else batch.disproved).get(one.fact)
                    if given is not None:
                        plane = given if plane is None else plane | given
                side[name] = nothing if plane is None else plane
        return sides

    def _settled(self, name: str, proved: Mapping[str, Plane], disproved: Mapping[str, Plane]) -> Plane:
        fact = self.plan.book.facts[name]
        usual = fact.by_default(fact.burden)
        open_ = ~disproved[name] if usual else np.zeros_like(proved[name])
        for shift in reversed(fact.shifts):
            moved: Plane | None = None
            for one in shift.when:
                plane = (proved if one.holds else disproved)[one.fact]
                moved = plane if moved is None else moved & plane
            if moved is not None:
                value = fact.by_default(shift.to)
                open_ = open_ | (moved & ~disproved[name]) if value else open_ & ~moved
        return proved[name] | open_


def cases_by_claim(cases: Iterable[Case]) -> dict[str, list[Case]]:
    """Sort cases by claim."""
    found: dict[str, list[Case]] = {}
    for case in cases:
        found.setdefault(case.claim, []).append(case)
    return found
