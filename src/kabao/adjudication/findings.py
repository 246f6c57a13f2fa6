"""What a check finds: the kind, a sentence, where in the file, and a small case that shows it."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from kabao.adjudication.model import Article, Base, Damages, Issue, Literal, Outcome, Price, Rulebook, Shares, Value


class Kind(StrEnum):
    """The kinds of findings, the gravest first."""

    GAP = "gap"
    CONTRADICTION = "contradiction"
    DUTY = "duty"
    MONOTONICITY = "monotonicity"
    UNREACHABLE = "unreachable"
    OVERRIDE_CYCLE = "override_cycle"
    SHIFT_HURTS = "shift_hurts"
    UNUSED = "unused"
    CITATION = "citation"
    NOTICE = "notice"
    PARAMETER = "parameter"
    NOTE = "note"


class Example(msgspec.Struct, frozen=True):
    """A claim and the facts that matter; facts not named may be either way."""

    claims: tuple[str, ...]
    facts: tuple[Literal, ...]
    better: tuple[Literal, ...] = ()


class Finding(msgspec.Struct, frozen=True):
    """One finding. ``line`` is 0 where it belongs to no line."""

    kind: Kind
    message: str
    line: int = 0
    articles: tuple[str, ...] = ()
    example: Example | None = None


def merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Join findings that differ only in the claim, and put the gravest first."""
    found: dict[tuple[Any, ...], Finding] = {}
    for one in findings:
        example = one.example
        facts = (example.facts, example.better) if example else ()
        key = (one.kind, one.message, one.line, one.articles, facts)
        have = found.get(key)
        if have is not None and have.example is not None and example is not None:
            claims = dict.fromkeys((*have.example.claims, *example.claims))
            joined = msgspec.structs.replace(have.example, claims=tuple(claims))
            found[key] = msgspec.structs.replace(have, example=joined)
        else:
            found[key] = one
    order = {kind: rank for rank, kind in enumerate(Kind)}
    return tuple(sorted(found.values(), key=lambda one: (order[one.kind], one.line, one.message)))


def told(finding: Finding, book: Rulebook | None, name: str) -> str:
    """Write a finding for people: place, sentence, and the example with labels."""
    place = f"{name}:{finding.line}: " if finding.line else f"{name}: "
    lines = [f"{place}{finding.kind}: {finding.message}"]
    example = finding.example
    if example is not None and book is not None:
        lines.append(f"    claim: {', '.join(example.claims)}")
        lines.extend(f"    {_status(one, book)}" for one in example.facts)
        lines.extend(f"    better evidence: {_status(one, book)}" for one in example.better)
    return "\n".join(lines)


def _status(literal: Literal, book: Rulebook) -> str:
    return f"{literal.fact}: {'proved' if literal.holds else 'disproved'}  # {book.facts[literal.fact].label.zh}"


def plain(finding: Finding) -> dict[str, Any]:
    """Return a finding as plain values for JSON."""
    example = finding.example
    return {
        "kind": finding.kind.value,
        "message": finding.message,
        "line": finding.line or None,
        "articles": list(finding.articles),
        "case": example
        and {
            "claims": list(example.claims),
            "facts": _facts(example.facts),
            "better": _facts(example.better) or None,
        },
    }


def _facts(literals: Iterable[Literal]) -> dict[str, str]:
    return {one.fact: "proved" if one.holds else "disproved" for one in literals}


def brief(value: Value) -> str:
    """Name a value in a few characters."""
    match value:
        case Price():
            return value.outcome.value if value.base in {Base.NONE, Base.FULL} else f"{value.outcome} ({_by(value)})"
        case Shares():
            return f"buyer {value.buyer} merchant {value.merchant} platform {value.platform}"
        case Damages():
            return " + ".join(part.base.value for part in value.parts) or "no damages"
        case _:
            return f"payer {value.who}"


def _by(price: Price) -> str:
    return f"{price.share}%" if price.base is Base.SHARE else price.base.value


WORST, BEST = -1, 1000

_FIXED: Mapping[Outcome, tuple[int, int]] = {
    Outcome.DENY: (0, 0),
    Outcome.BUYER_PAYS: (WORST, WORST),
    Outcome.DAMAGES: (50, BEST),
    Outcome.PROMISE: (100, BEST),
}


def for_buyer(value: Value) -> tuple[int, int] | None:
    """Return the least and the most a value can mean to the buyer; None where it cannot be ranked.

    Refunds rank by their percent, formulas lie anywhere between; of shares only the buyer's own is ranked; damages
    are better than none.
    """
    match value:
        case Price():
            return _price_for_buyer(value)
        case Shares():
            return -value.buyer, -value.buyer
        case Damages():
            return (1, 1) if value.parts else (0, 0)
        case _:
            return None


def _price_for_buyer(price: Price) -> tuple[int, int] | None:  # noqa: PLR0911 - a table
    if price.outcome in _FIXED:
        return _FIXED[price.outcome]
    if price.outcome in {Outcome.ROUTE_OUT, Outcome.NEEDS_PERSON}:
        return None
    if price.low is not None and price.high is not None:
        return price.low, price.high
    match price.base:
        case Base.FULL if price.less.value == "nothing":
            return 100, 100
        case Base.SHARE if price.less.value == "nothing":
            return price.share, price.share
        case Base.OVERPAID:
            return 1, BEST
        case Base.NONE:
            return 60, 100
        case _:
            return 0, 100


def deciding(article: Article, issue: Issue) -> str:
    """Write ``article 3 (bad_on_delivery)`` with its value on the issue."""
    return f"article {article.number} ({article.article_id}): {brief(article.values[issue])}"
