"""Impossible pairs as implications: what follows from a literal, and which faults a set of pairs can have."""

from collections.abc import Iterable, Mapping, Sequence

from kabao.adjudication.model import Fact, Literal, Party

Pair = tuple[Literal, Literal]
Closure = dict[Literal, frozenset[Literal]]


def closure(pairs: Iterable[Pair]) -> Closure:
    """Return for each literal in a pair everything that follows from it, itself included."""
    step: dict[Literal, set[Literal]] = {}
    for first, second in pairs:
        step.setdefault(first, set()).add(second.denied)
        step.setdefault(second, set()).add(first.denied)
    found: Closure = {}
    for start in step:
        seen = {start}
        todo = [start]
        while todo:
            for after in step.get(todo.pop(), ()):
                if after not in seen:
                    seen.add(after)
                    todo.append(after)
        found[start] = frozenset(seen)
    return found


def never_true(follows: Closure) -> list[Literal]:
    """List literals from which their own denial follows."""
    return sorted(literal for literal, after in follows.items() if literal.denied in after)


def both_by_default(pair: Pair, facts: Mapping[str, Fact], follows: Closure) -> bool:
    """Tell whether both literals of a pair can hold by burden alone, some evidence having moved the burdens."""
    ways = [_ways(facts[literal.fact], literal.holds) for literal in pair]
    unknown = {literal.fact for literal in pair}
    return any(_possible([*one, *other], unknown, follows) for one in ways[0] for other in ways[1])


def _ways(fact: Fact, value: bool) -> list[Sequence[Literal]]:  # noqa: FBT001 - the value of a fact
    """List the evidence under which the unknown fact settles to the value; earlier shifts are not ruled out."""
    found: list[Sequence[Literal]] = [shift.when for shift in fact.shifts if fact.by_default(shift.to) is value]
    if fact.by_default(fact.burden) is value:
        found.append(())
    return found


def _possible(literals: Sequence[Literal], unknown: set[str], follows: Closure) -> bool:
    known: set[Literal] = set()
    for literal in literals:
        known |= follows.get(literal, frozenset({literal}))
    return not any(literal.denied in known or literal.fact in unknown for literal in known)


def hurtful_shifts(fact: Fact, facts: Mapping[str, Fact]) -> list[tuple[Party, Literal]]:
    """List shifts that turn the default against the party whom their own literals favour."""
    sides = {Party.BUYER: Party.MERCHANT, Party.MERCHANT: Party.BUYER}
    found: list[tuple[Party, Literal]] = []
    for shift in fact.shifts:
        value = fact.by_default(shift.to)
        helped = fact.favours if value else sides.get(fact.favours, Party.NOBODY)
        for literal in shift.when:
            favours = facts[literal.fact].favours
            side = favours if literal.holds else sides.get(favours, Party.NOBODY)
            if side in sides and helped in sides and side is not helped:
                found.append((shift.to, literal))
    return found
