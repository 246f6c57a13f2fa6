"""The machine check of a rulebook before it may bind anyone. It proves a book well formed, never that it is right."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from kabao.adjudication.authority import authorities
from kabao.adjudication.clauses import hurtful_shifts
from kabao.adjudication.compiler import Compiled, base_facts
from kabao.adjudication.findings import Example, Finding, Kind, brief, deciding, merged
from kabao.adjudication.model import Duty, Issue, Price, Rulebook
from kabao.adjudication.solver import Symbolic
from kabao.adjudication.universe import EXHAUSTIVE_BITS, Universe, jointly, scope

NOTICE: Final = timedelta(days=7)
MAJOR_NOTICE: Final = timedelta(days=15)
_MUST_DECIDE: Final = (Issue.PRICE, Issue.RESPONSIBLE)

World = Universe | Symbolic


def check(compiled: Compiled, *, exhaustive_bits: int = EXHAUSTIVE_BITS) -> tuple[Finding, ...]:
    """Return everything found, the gravest first. Past ``exhaustive_bits`` facts Z3 looks instead of every state."""
    found: list[Finding] = []
    reached: set[tuple[str, Issue]] = set()
    for claim in compiled.book.claims:
        for issue in Issue:
            world = _world(compiled, claim, issue, (), exhaustive_bits)
            found.extend(_issue(world, reached))
        for duty in compiled.book.duties:
            if claim in duty.claims:
                found.extend(_duty(_world(compiled, claim, Issue.PRICE, _facts_of(duty), exhaustive_bits), duty))
    book = compiled.book
    found.extend(_unreached(book, reached))
    found.extend(_shifts(book))
    found.extend(_unused(book))
    found.extend(_citations(book))
    found.extend(_notice(book))
    found.extend(_parameters(book))
    return merged(found)


def notes(compiled: Compiled) -> tuple[Finding, ...]:
    """Return what is worth a look and no fault: an override of an article that never holds at the same time."""
    return merged(_dead_overrides(compiled))


def _facts_of(duty: Duty) -> tuple[str, ...]:
    return tuple(one.fact for one in duty.condition)


def _world(compiled: Compiled, claim: str, issue: Issue, more: tuple[str, ...], bits: int) -> World:
    if len(scope(compiled, claim, issue, more)) <= bits:
        return Universe(compiled, claim, issue, more)
    return Symbolic(compiled, claim, issue, more)


def _issue(world: World, reached: set[tuple[str, Issue]]) -> Iterator[Finding]:
    book, claim, issue = world.compiled.book, world.claim, world.issue
    rules = world.plan.rules
    for article_id in world.effective_somewhere():
        reached.add((article_id, issue))
    if issue in _MUST_DECIDE:
        for facts in world.gap_examples():
            yield Finding(Kind.GAP, f"no article decides {issue}", example=Example((claim,), facts))
    for first, second, examples in world.clash_examples():
        one, two = (book.articles[rules[position].article_id] for position in (first, second))
        message = f"on {issue}, {deciding(one, issue)} and {deciding(two, issue)} both stand"
        for facts in examples:
            yield Finding(
                Kind.CONTRADICTION, message, one.line, (one.article_id, two.article_id), Example((claim,), facts)
            )
    hurt = world.hurt()
    if hurt is not None:
        facts, better, before, after = hurt
        names = [brief(world.plan.values[index]) if index >= 0 else "nothing" for index in (before, after)]
        message = f"on {issue}, evidence better for the buyer turns {names[0]} into {names[1]}"
        yield Finding(Kind.MONOTONICITY, message, example=Example((claim,), facts, better))


def _duty(world: World, duty: Duty) -> Iterator[Finding]:
    for position, rule in enumerate(world.plan.rules):
        value = world.plan.values[rule.value]
        if isinstance(value, Price) and value.outcome in duty.never:
            for facts in world.broken(position, duty.condition):
                article = world.compiled.book.articles[rule.article_id]
                message = f"{duty.duty_id} ({duty.label.zh}) is broken by {deciding(article, Issue.PRICE)}"
                example = Example((world.claim,), facts)
                yield Finding(Kind.DUTY, message, article.line, (article.article_id,), example)


def _unreached(book: Rulebook, reached: set[tuple[str, Issue]]) -> Iterator[Finding]:
    for article in book.articles.values():
        idle = [issue.value for issue in article.values if (article.article_id, issue) not in reached]
        if idle:
            message = f"article {article.number} ({article.article_id}) never decides {', '.join(idle)}"
            yield Finding(Kind.UNREACHABLE, message, article.line, (article.article_id,))


def _dead_overrides(compiled: Compiled) -> Iterator[Finding]:
    for article in compiled.book.articles.values():
        for override in article.overrides:
            other = compiled.book.articles.get(override.target)
            if other is not None and not jointly(compiled, article, other):
                message = f"article {article.number} overrides {override.target}, but both never hold together"
                yield Finding(Kind.NOTE, message, override.line, (article.article_id, other.article_id))


def _shifts(book: Rulebook) -> Iterator[Finding]:
    for fact in book.facts.values():
        for to, literal in hurtful_shifts(fact, book.facts):
            message = f"“{literal}” shifts the burden of {fact.fact_id} to {to} against the party it favours"
            yield Finding(Kind.SHIFT_HURTS, message, fact.line)


def _unused(book: Rulebook) -> Iterator[Finding]:
    direct = {one.fact for article in book.articles.values() for one in article.condition}
    used = set(base_facts(direct, book.derived))
    used |= {one.fact for name in tuple(used) for shift in book.facts[name].shifts for one in shift.when}
    for fact in book.facts.values():
        if fact.fact_id not in used:
            yield Finding(Kind.UNUSED, f"no article depends on the fact {fact.fact_id}", fact.line)
    for derived in book.derived.values():
        if derived.fact_id not in _derived_in_use(book):
            yield Finding(Kind.UNUSED, f"nothing depends on the derived fact {derived.fact_id}", derived.line)
    named = {claim for article in book.articles.values() for claim in article.claims}
    for claim in book.claims:
        if claim not in named:
            yield Finding(Kind.UNUSED, f"no article applies to the claim {claim}")
    for label, names, taken in (
        ("standard", book.standards, {fact.standard for fact in book.facts.values()}),
        ("chapter", book.chapters, {article.chapter for article in book.articles.values()}),
    ):
        for name in names:
            if name not in taken:
                yield Finding(Kind.UNUSED, f"the {label} {name} is never used")


def _derived_in_use(book: Rulebook) -> set[str]:
    todo = [one.fact for article in book.articles.values() for one in article.condition]
    todo += [one.fact for duty in book.duties for one in duty.condition]
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name in book.derived and name not in found:
            found.add(name)
            todo.extend(one.fact for one in book.derived[name].of)
    return found


_FAULTS: Final = {
    "unknown": "is not in the catalogue of law",
    "not_in_force": "is not in force when this book takes effect",
    "not_read": "may not be relied on, since its text was not read",
}


def _citations(book: Rulebook) -> Iterator[Finding]:
    for article in book.articles.values():
        for cite in article.cites:
            for one in authorities(cite, book.edition.effective):
                if one.fault:
                    message = f"article {article.number} ({article.article_id}): {one.cite} {_FAULTS[one.fault]}"
                    yield Finding(Kind.CITATION, message, article.line, (article.article_id,))


def _notice(book: Rulebook) -> Iterator[Finding]:
    edition = book.edition
    wanted = MAJOR_NOTICE if edition.major else NOTICE
    if edition.effective - edition.published < wanted:
        given = (edition.effective - edition.published).days
        yield Finding(Kind.NOTICE, f"takes effect {given} days after publication; {wanted.days} are needed")


LADDER: Final = {
    "negotiation": "hours",
    "negotiation_green": "hours",
    "small_amount": "minor",
    "support_outcome": "hours",
    "question_pause": "hours",
    "panel": "hours",
    "panel_three_from": "minor",
    "review_window": "hours",
    "review": "hours",
    "duty": "hours",
}
"""The parameters that the ladder of cases reads, and their units."""
AT_MOST: Final = (("negotiation_green", "negotiation"), ("question_pause", "support_outcome"))
"""Pairs of which the first may not exceed the second."""


def _parameters(book: Rulebook) -> Iterator[Finding]:
    """Find numbers that the ladder would misread; a book need not name one, the ladder has its own then."""
    for name, unit in LADDER.items():
        named = book.parameters.get(name)
        if named is not None and (named.unit != unit or named.value < 1):
            yield Finding(Kind.PARAMETER, f"the parameter {name} is to be at least 1 {unit}")
    for lesser, greater in AT_MOST:
        one, other = book.parameters.get(lesser), book.parameters.get(greater)
        if one is not None and other is not None and one.value > other.value:
            yield Finding(Kind.PARAMETER, f"the parameter {lesser} exceeds {greater}")
