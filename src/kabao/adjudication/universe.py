"""One claim and one issue over every reachable combination of its facts: where articles leave a gap, clash or hurt.

Exhaustive, by planes of 2**n states; ``n`` is at most EXHAUSTIVE_BITS.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from kabao.adjudication.compiler import Compiled, IssuePlan, base_facts
from kabao.adjudication.findings import for_buyer
from kabao.adjudication.model import Article, Issue, Literal, Outcome, Party, Price
from kabao.adjudication.planes import ALL, Columns, Plane, effective, state_bit, unpack

EXHAUSTIVE_BITS: Final = 16
_STOP: Final = {Outcome.ROUTE_OUT, Outcome.NEEDS_PERSON}
_NONE: Final = -30_000

Bools = npt.NDArray[np.bool_]


def stopping(plan: IssuePlan) -> list[int]:
    """Return the positions of the price rules after which nothing else counts, and of all that may defeat them."""
    found: set[int] = set()
    todo = []
    for position, rule in enumerate(plan.rules):
        value = plan.values[rule.value]
        if isinstance(value, Price) and value.outcome in _STOP:
            todo.append(position)
    while todo:
        position = todo.pop()
        if position not in found:
            found.add(position)
            todo.extend(plan.rules[position].beaten_by)
    return sorted(found)


def scope(compiled: Compiled, claim: str, issue: Issue, more: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the base facts on which gaps and clashes of the issue depend, in the order of the file."""
    plan = compiled.plans[claim]
    names = set(plan.issues[issue].facts)
    if issue is not Issue.PRICE:
        price = plan.issues[Issue.PRICE]
        literals = (one.fact for position in stopping(price) for one in price.rules[position].condition)
        names |= base_facts(literals, compiled.book.derived)
    names |= base_facts(more, compiled.book.derived)
    return tuple(name for name in compiled.book.facts if name in names)


class Universe:
    """Every combination of the facts in scope."""

    def __init__(
        self,
        compiled: Compiled,
        claim: str,
        issue: Issue,
        more: Iterable[str] = (),
        facts: tuple[str, ...] | None = None,
    ) -> None:
        self.compiled = compiled
        self.claim = claim
        self.issue = issue
        self.plan = compiled.plans[claim].issues[issue]
        self.facts = scope(compiled, claim, issue, more) if facts is None else facts
        self.bits = len(self.facts)
        self.count = 1 << self.bits
        where = {name: index for index, name in enumerate(self.facts)}
        self.columns = Columns(lambda name: state_bit(where[name], self.bits), compiled.book.derived)
        words = max(self.count // 64, 1)
        self._size = words
        self.reachable = self._reachable()
        self.standing = effective(self.plan, self.columns)
        self.open = self.reachable if issue is Issue.PRICE else self.reachable & ~self._stopped()

    def _reachable(self) -> Plane:
        plane = np.full(self._size, ALL, dtype=np.uint64)
        inside = set(self.facts)
        for one, after in self.compiled.follows.items():
            if one.fact in inside:
                for other in after:
                    if other.fact in inside and other != one:
                        plane &= ~(self.columns.literal(one) & ~self.columns.literal(other))
        return plane

    def _stopped(self) -> Plane:
        price = self.compiled.plans[self.claim].issues[Issue.PRICE]
        kept = stopping(price)
        place = {position: index for index, position in enumerate(kept)}
        planes: list[Plane] = []
        stopped = np.zeros(self._size, dtype=np.uint64)
        for position in kept:
            rule = price.rules[position]
            plane = self.columns.all_of(rule.condition)
            for winner in rule.beaten_by:
                plane &= ~planes[place[winner]]
            planes.append(plane)
            value = price.values[rule.value]
            if isinstance(value, Price) and value.outcome in _STOP:
                stopped |= plane
        return stopped

    def gap(self) -> Plane:
        """Return where nothing decides."""
        decided = np.zeros(self._size, dtype=np.uint64)
        for plane in self.standing:
            decided |= plane
        return self.open & ~decided

    def clashes(self) -> Iterator[tuple[int, int, Plane]]:
        """Return pairs of rules that stand together with different values, and where."""
        for second, later in enumerate(self.standing):
            for first in range(second):
                if self.plan.rules[first].value != self.plan.rules[second].value:
                    both = self.standing[first] & later & self.open
                    if both.any():
                        yield first, second, both

    def where(self, literals: Sequence[Literal]) -> Plane:
        """Return where all the literals hold."""
        return self.columns.all_of(tuple(literals))

    def examples(self, plane: Plane, at_most: int = 3) -> list[tuple[Literal, ...]]:
        """Return small sets of literals under which every reachable state lies in the plane."""
        bad = unpack(plane, self.count).astype(bool)
        left = bad.copy()
        fine = ~bad & unpack(self.reachable, self.count).astype(bool)
        found: list[tuple[Literal, ...]] = []
        states = np.arange(self.count, dtype=np.uint32)
        while len(found) < at_most:
            hits = np.flatnonzero(left)
            if not len(hits):
                break
            state = int(hits[np.argmin(np.bitwise_count(hits.astype(np.uint32)))])
            care = self._widened(state, fine, states)
            left &= (states & np.uint32(care)) != np.uint32(state & care)
            found.append(tuple(self._literals(state, care)))
        return found

    def _widened(self, state: int, fine: Bools, states: npt.NDArray[np.uint32]) -> int:
        care = self.count - 1
        differ = states[fine] ^ np.uint32(state)
        for index in range(self.bits):
            fewer = care & ~(1 << index)
            if not bool(np.any((differ & np.uint32(fewer)) == 0)):
                care = fewer
        return care

    def _literals(self, state: int, care: int) -> Iterator[Literal]:
        for index, name in enumerate(self.facts):
            if care >> index & 1:
                yield Literal(name, bool(state >> index & 1))

    def effective_somewhere(self) -> list[str]:
        """List the articles that decide the issue in some reachable state."""
        return [
            rule.article_id
            for rule, plane in zip(self.plan.rules, self.standing, strict=True)
            if (plane & self.reachable).any()
        ]

    def gap_examples(self) -> list[tuple[Literal, ...]]:
        """Return small examples of states that no article decides."""
        plane = self.gap()
        return self.examples(plane) if plane.any() else []

    def clash_examples(self) -> Iterator[tuple[int, int, list[tuple[Literal, ...]]]]:
        """Return pairs of clashing rules, each with a small example."""
        for first, second, plane in self.clashes():
            yield first, second, self.examples(plane, 1)

    def broken(self, position: int, condition: tuple[Literal, ...]) -> list[tuple[Literal, ...]]:
        """Return a small example in which the rule stands under the condition."""
        plane = self.standing[position] & self.reachable & self.where(condition)
        return self.examples(plane, 1) if plane.any() else []

    def hurt(self) -> tuple[tuple[Literal, ...], tuple[Literal, ...], int, int] | None:
        """Find evidence better for the buyer that leaves the buyer worse.

        Returns the facts before, the facts that change, and the values' indexes before and after. Every number of
        changed facts is covered, whether or not the states between can be reached.
        """
        low, high, value = self._ranks()
        if low is None or high is None:
            return None
        order = self._order()
        best = low.copy()
        for index in range(self.bits):
            if order >> index & 1 or self._against >> index & 1:
                cube = best.reshape(-1, 2, 1 << index)
                worse, better = (1, 0) if self._against >> index & 1 else (0, 1)
                np.maximum(cube[:, better, :], cube[:, worse, :], out=cube[:, better, :])
        broken = np.flatnonzero((best > high) & (high > _NONE))
        if not len(broken):
            return None
        after = int(broken[np.argmin(np.bitwise_count(broken.astype(np.uint32)))])
        before = self._before(after, int(high[after]), low, order)
        changed = before ^ after
        return (
            tuple(self._literals(before, self._told(before))),
            tuple(self._literals(after, changed)),
            int(value[before]),
            int(value[after]),
        )

    def _told(self, state: int) -> int:
        """Leave out facts that favour nobody and are at their default."""
        care = self.count - 1
        for index, name in enumerate(self.facts):
            fact = self.compiled.book.facts[name]
            if fact.favours is Party.NOBODY and bool(state >> index & 1) is fact.if_unknown:
                care &= ~(1 << index)
        return care

    def _before(self, after: int, top: int, low: npt.NDArray[np.int16], order: int) -> int:
        states = np.arange(self.count, dtype=np.uint32)
        changed = states ^ np.uint32(after)
        movable = np.uint32(order | self._against)
        ups = changed & np.uint32(order)
        downs = changed & np.uint32(self._against)
        fits = (changed & ~movable == 0) & (states & ups == 0) & (states & downs == downs) & (low > top)
        hits = np.flatnonzero(fits)
        return int(hits[np.argmin(np.bitwise_count(changed[hits]))])

    def _order(self) -> int:
        up = 0
        self._against = 0
        for index, name in enumerate(self.facts):
            favours = self.compiled.book.facts[name].favours
            if favours is Party.BUYER:
                up |= 1 << index
            elif favours is Party.MERCHANT:
                self._against |= 1 << index
        return up

    def _ranks(
        self,
    ) -> tuple[npt.NDArray[np.int16] | None, npt.NDArray[np.int16] | None, npt.NDArray[np.int16]]:
        low = np.full(self.count, _NONE, dtype=np.int16)
        high = np.full(self.count, _NONE, dtype=np.int16)
        value = np.full(self.count, -1, dtype=np.int16)
        ranks = [for_buyer(one) for one in self.plan.values]
        if len({rank for rank in ranks if rank}) < (1 if self.issue is Issue.DAMAGES else 2):
            return None, None, value
        seen = np.zeros(self.count, dtype=bool)
        inside = unpack(self.open, self.count).astype(bool)
        clash = np.zeros(self.count, dtype=bool)
        for rule, plane in zip(self.plan.rules, self.standing, strict=True):
            rank = ranks[rule.value]
            here = unpack(plane, self.count).astype(bool) & inside
            clash |= here & seen & (value != rule.value)
            seen |= here
            value[here] = rule.value
            if rank is not None:
                low[here], high[here] = rank
            else:
                low[here] = high[here] = _NONE
        if self.issue is Issue.DAMAGES:
            nothing = inside & ~seen
            low[nothing] = high[nothing] = 0
        low[clash] = high[clash] = _NONE
        return low, high, value


def jointly(compiled: Compiled, first: Article, second: Article) -> bool:
    """Tell whether the conditions of two articles can hold together, for a claim both apply to."""
    if set(first.claims).isdisjoint(second.claims):
        return False
    literals = (*first.condition, *second.condition)
    names = base_facts((one.fact for one in literals), compiled.book.derived)
    facts = [name for name in compiled.book.facts if name in names]
    bits = len(facts)
    where = {name: index for index, name in enumerate(facts)}
    columns = Columns(lambda name: state_bit(where[name], bits), compiled.book.derived)
    plane = columns.all_of(literals)
    for one, after in compiled.follows.items():
        if one.fact in where:
            for other in after:
                if other.fact in where:
                    plane &= ~(columns.literal(one) & ~columns.literal(other))
    return bool(plane.any())
