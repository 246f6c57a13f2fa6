"""What was said of a case's facts, and what may still be said: the same list for its parties and for support."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from kabao.adjudication import Adjudicator, Rulebook
from kabao.cases.facts import Said
from kabao.evidence import Item

STAFF: Final = "staff"
"""What the rulebook says of a fact that support alone finds."""
SUPPORT: Final = "support"
GIVERS: Final = {"buyer": "买家", "merchant": "商家", SUPPORT: "客服"}


class SaidFact(msgspec.Struct, frozen=True, kw_only=True):
    """Something said of a fact: which way, by whom and when, by what kind of evidence and how surely (1..100).

    `item_no` and `file_name` are of the file that shows it; None and empty for a mere word. `is_examined` tells that a
    person of the staff has spoken of the fact; until then a file is material for what its giver says, and no more.
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
    file_name: str = ""
    is_examined: bool = False


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
    numbers: Mapping[int, tuple[int, str]],
) -> FactsView:
    """Put the list together; `said` goes with the file's id and the note, `numbers` from there to number and name."""
    book = judge.book
    plan = judge.compiled.plans.get(claim)
    of_family = [] if plan is None else plan.facts
    examined = {one.fact for one, _, _ in said if one.by == SUPPORT}
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
                item_no=numbers.get(item_id or 0, (None, ""))[0],
                file_name=numbers.get(item_id or 0, (None, ""))[1],
                is_examined=one.fact in examined,
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


def sayable(judge: Adjudicator, found: FactsView) -> list[FactChoice]:
    """Leave out what no party may say."""
    return [choice for choice in found.choices if judge.book.facts[choice.fact].set_by != STAFF]


def carried_lines(book: Rulebook, said: Sequence[tuple[Said, int | None, str]], items: Sequence[Item]) -> list[str]:
    """Write of each fact which file it rests on, and whether anybody has examined it; one line a fact and side."""
    names = {item.item_id: f"证据 {item.item_no} {item.file_name}" for item in items}
    examined = {one.fact for one, _, _ in said if one.by == SUPPORT}
    found: dict[tuple[str, bool, str], list[str]] = {}
    for one, item_id, _ in said:
        if item_id in names and one.fact in book.facts:
            files = found.setdefault((one.fact, one.shows, one.by), [])
            files.extend([] if names[item_id] in files else [names[item_id]])
    return [
        f"{book.facts[fact].label.zh}{'' if shows else '（不成立）'} ← {'、'.join(files)}（{GIVERS[by]}所交，"
        f"{'客服看过' if fact in examined else '没有经人工核验，只算有材料的主张'}）"
        for (fact, shows, by), files in found.items()
    ]
