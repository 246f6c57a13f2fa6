"""Two versions of a rulebook compared: as cases whose outcome changes, not as lines of a file."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import numpy as np
import z3

from kabao.adjudication.compiler import Compiled, compile_book
from kabao.adjudication.findings import brief
from kabao.adjudication.model import Article, Damages, Fact, Issue, Literal, Rulebook, Value
from kabao.adjudication.solver import Symbolic
from kabao.adjudication.universe import EXHAUSTIVE_BITS, Universe, scope

_AT_MOST: Final = 3

Word = tuple[str, Value | None]
_NOTHING: Final[Word] = ("nothing", None)
_CLASH: Final[Word] = ("a contradiction", None)
_NO_DAMAGES: Final[Word] = (brief(Damages()), Damages())
"""Saying that there are none is the same as saying nothing."""


class Change(msgspec.Struct, frozen=True):
    """Where these facts are settled so, the issue is decided otherwise."""

    claims: tuple[str, ...]
    issue: Issue
    before: str
    after: str
    facts: tuple[Literal, ...]


class Difference(msgspec.Struct, frozen=True):
    """Everything that differs."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    reworded: tuple[str, ...]
    rules: tuple[str, ...]
    facts: tuple[str, ...]
    changes: tuple[Change, ...]

    @property
    def empty(self) -> bool:
        """Tell whether both versions decide every case alike and read alike."""
        return not any((self.added, self.removed, self.reworded, self.rules, self.facts, self.changes))


def diff(
    old: Rulebook, new: Rulebook, *, at_most: int = _AT_MOST, exhaustive_bits: int = EXHAUSTIVE_BITS
) -> Difference:
    """Compare two books, with so many examples of each change.

    Burdens, standards and evidence kinds are compared as such, articles by their effect.
    """
    first, second = compile_book(old), compile_book(new)
    changes = _changes(first, second, at_most, exhaustive_bits)
    return Difference(
        tuple(name for name in new.articles if name not in old.articles),
        tuple(name for name in old.articles if name not in new.articles),
        tuple(
            name
            for name, one in new.articles.items()
            if name in old.articles and _said(one) != _said(old.articles[name])
        ),
        tuple(
            name
            for name, one in new.articles.items()
            if name in old.articles and _rule(one) != _rule(old.articles[name])
        ),
        tuple(_facts(old, new)),
        changes,
    )


def _said(article: Article) -> tuple[Any, ...]:
    return (article.number, article.title, article.message, article.summary, article.examples, article.cites)


def _rule(article: Article) -> tuple[Any, ...]:
    overrides = {(one.target, one.issue) for one in article.overrides}
    return (
        article.claims, frozenset(article.condition), article.values, overrides, article.source, article.mandatory,
    )  # fmt: skip


def _facts(old: Rulebook, new: Rulebook) -> Iterator[str]:
    for name in new.facts.keys() | old.facts.keys():
        before, after = old.facts.get(name), new.facts.get(name)
        if before is None or after is None:
            yield f"{name}: {'new' if before is None else 'removed'}"
        elif _weighed(before) != _weighed(after):
            yield f"{name}: burden {before.burden} → {after.burden}, standard {before.standard} → {after.standard}"
    for title, one, two in (
        ("standard", old.standards, new.standards),
        ("evidence kind", old.evidence_kinds, new.evidence_kinds),
        ("parameter", old.parameters, new.parameters),
    ):
        for name in one.keys() | two.keys():
            before_value = one[name].value if name in one else None
            after_value = two[name].value if name in two else None
            if before_value != after_value:
                yield f"{title} {name}: {before_value} → {after_value}"
    if set(map(frozenset, old.impossible)) != set(map(frozenset, new.impossible)):
        yield "the impossible pairs differ"


def _weighed(fact: Fact) -> tuple[Any, ...]:
    return (fact.favours, fact.burden, fact.if_unknown, fact.standard, fact.shifts)


def _changes(first: Compiled, second: Compiled, at_most: int, bits: int) -> tuple[Change, ...]:
    found: dict[tuple[Any, ...], Change] = {}
    for claim in first.book.claims:
        if claim not in second.book.claims:
            continue
        for issue in Issue:
            names = {*scope(first, claim, issue), *scope(second, claim, issue)}
            facts = tuple(dict.fromkeys(n for book in (first.book, second.book) for n in book.facts if n in names))
            for change in _compare(first, second, claim, issue, facts, at_most, bits):
                key = (issue, change.before, change.after, change.facts)
                if key in found:
                    claims = (*found[key].claims, claim)
                    change = msgspec.structs.replace(change, claims=claims)  # noqa: PLW2901 - the same with one more
                found[key] = change
    return tuple(found.values())


def _compare(
    first: Compiled, second: Compiled, claim: str, issue: Issue, facts: tuple[str, ...], at_most: int, bits: int
) -> Iterator[Change]:
    if len(facts) <= bits:
        one, two = (Universe(each, claim, issue, (), facts) for each in (first, second))
        examples = _tried(one, two, at_most)
    else:
        this, that = (Symbolic(each, claim, issue, (), facts) for each in (first, second))
        examples = _solved(this, that, at_most)
    for old, new, literals in examples:
        yield Change((claim,), issue, old, new, literals)


def _tried(one: Universe, two: Universe, at_most: int) -> Iterator[tuple[str, str, tuple[Literal, ...]]]:
    before, after = _by_word(one), _by_word(two)
    for old, old_plane in before.items():
        for new, new_plane in after.items():
            if old != new:
                both = old_plane & new_plane & one.reachable & two.reachable
                if both.any():
                    for facts in one.examples(both, at_most):
                        yield old[0], new[0], facts


def _solved(one: Symbolic, two: Symbolic, at_most: int) -> Iterator[tuple[str, str, tuple[Literal, ...]]]:
    before, after = _formulas(one), _formulas(two)
    same = z3.Or([z3.And(formula, after[word]) for word, formula in before.items() if word in after])
    if not one.examples(z3.And(two.reachable, z3.Not(same)), 1):
        return
    for old, old_formula in before.items():
        for new, new_formula in after.items():
            if old != new:
                for facts in one.examples(z3.And(two.reachable, old_formula, new_formula), at_most):
                    yield old[0], new[0], facts


def _formulas(world: Symbolic) -> dict[Word, Any]:
    by_value: dict[Word, list[Any]] = {}
    for rule, formula in zip(world.plan.rules, world.formulas, strict=True):
        value = world.plan.values[rule.value]
        by_value.setdefault((brief(value), value), []).append(formula)
    either = {word: z3.Or(formulas) for word, formulas in by_value.items()}
    found: dict[Word, Any] = {
        word: z3.And(world.unstopped, formula, *(z3.Not(rest) for other, rest in either.items() if other != word))
        for word, formula in either.items()
    }
    nothing = z3.Or(z3.Not(world.unstopped), z3.Not(z3.Or(list(either.values()))))
    found[_CLASH] = z3.Not(z3.Or(nothing, *found.values()))
    found[_NOTHING] = z3.Or(nothing, found.pop(_NO_DAMAGES, z3.BoolVal(val=False)))
    return found


def _by_word(world: Universe) -> dict[Word, Any]:
    found: dict[Word, Any] = {}
    for rule, plane in zip(world.plan.rules, world.standing, strict=True):
        value = world.plan.values[rule.value]
        key = (brief(value), value)
        found[key] = found[key] | plane if key in found else plane.copy()
    seen = np.zeros_like(world.open)
    twice = np.zeros_like(world.open)
    for plane in found.values():
        twice |= seen & plane
        seen |= plane
    for plane in found.values():
        np.bitwise_and(plane, ~twice & world.open, out=plane)
    found[_CLASH] = twice & world.open
    found[_NOTHING] = ~seen | ~world.open | found.pop(_NO_DAMAGES, np.zeros_like(seen))
    return found
