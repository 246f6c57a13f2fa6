"""What was said of a case's facts, and what may still be said: the same list for its parties and for support."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from kabao.adjudication import Adjudicator
from kabao.cases.facts import Said


class SaidFact(msgspec.Struct, frozen=True, kw_only=True):
    """Something said of a fact: which way, by whom and when, by what kind of evidence and how surely (1..100).

    `item_no` is the number of the file that shows it; None for a mere word.
    """

    fact: str
    label: str
    shows: bool
    kind: str
    kind_label: str
    confidence: int
    by: str
    item_no: int | None
    note: str
    at: datetime


class FactChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A fact of the claim's family that may be said: whom it helps when true, and how sure one must be (percent)."""

    fact: str
    label: str
    favours: str
    standard: str
    percent: int


class ReadClause(msgspec.Struct, frozen=True, kw_only=True):
    """Words of the listing in which the terms checker found something, and the fact they are evidence of."""

    label: str
    words: str
    id: str
    why: str
    law: list[str]


class FactsView(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of facts, what the records prove by themselves, and what may be said; never a decision.

    `recorded` are (label, holds) pairs; `kinds` are (id, label) pairs. `choices` and `kinds` are empty where the
    rulebook that binds has no words for the claim.
    """

    said: list[SaidFact]
    recorded: list[tuple[str, bool]]
    choices: list[FactChoice]
    kinds: list[tuple[str, str]]
    clauses: list[ReadClause]


def facts_view(
    judge: Adjudicator,
    claim: str,
    file: Mapping[str, Any],
    said: Sequence[tuple[Said, int | None, str]],
    numbers: Mapping[int, int],
) -> FactsView:
    """Put the list together; `said` goes with the file's id and the note, `numbers` from a file's id to its number."""
    book = judge.book
    plan = judge.compiled.plans.get(claim)
    of_family = [] if plan is None else plan.facts
    recorded = {fact: found == "proved" for fact, found in file["facts"].items() if isinstance(found, str)}
    return FactsView(
        said=[
            SaidFact(
                fact=one.fact,
                label=book.facts[one.fact].label.zh,
                shows=one.shows,
                kind=one.kind,
                kind_label=book.evidence_kinds[one.kind].label.zh,
                confidence=one.confidence,
                by=one.by,
                item_no=None if item_id is None else numbers.get(item_id),
                note=note,
                at=one.at,
            )
            for one, item_id, note in said
        ],
        recorded=[(book.facts[fact].label.zh, recorded[fact]) for fact in of_family if fact in recorded],
        choices=[
            FactChoice(
                fact=fact,
                label=book.facts[fact].label.zh,
                favours=book.facts[fact].favours.value,
                standard=book.facts[fact].standard,
                percent=book.standards[book.facts[fact].standard].value,
            )
            for fact in of_family
            if fact not in recorded
        ],
        kinds=[] if plan is None else [(name, kind.label.zh) for name, kind in book.evidence_kinds.items()],
        clauses=[
            ReadClause(
                label=book.facts[one["fact"]].label.zh,
                words=one["words"],
                id=one["id"],
                why=one["why"],
                law=one["law"],
            )
            for one in file.get("clauses", [])
        ],
    )
