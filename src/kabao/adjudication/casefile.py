"""A CASE, from YAML, JSON or plain values: unknown facts, wrong types, impossible amounts are refused by name."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from kabao.adjudication.evidence import STATED, status, weigh
from kabao.adjudication.fields import Fields, day, flag, items, mapping, nearest, text, whole, word
from kabao.adjudication.model import Case, Clause, Demand, Evidence, Problem, Rulebook, Unreadable
from kabao.adjudication.yamlread import Node, TextNode, parse, read_bytes
from kabao.kernel.money import MAX_MINOR

AMOUNTS: Final = {
    "price_minor": MAX_MINOR, "days_total": 100_000, "days_used": 100_000, "uses_total": 1_000_000_000,
    "uses_used": 1_000_000_000, "balance_minor": MAX_MINOR, "face_minor": MAX_MINOR, "items_total": 1_000_000,
    "items_failed": 1_000_000, "failed_minor": MAX_MINOR, "value_received_minor": MAX_MINOR,
    "overpaid_minor": MAX_MINOR, "published_fee_minor": MAX_MINOR, "incurred_fee_minor": MAX_MINOR,
    "use_value_minor": MAX_MINOR, "promise_multiple": 1000, "promised_sum_minor": MAX_MINOR,
    "late_fee_minor": MAX_MINOR, "proven_loss_minor": MAX_MINOR, "interest_minor": MAX_MINOR,
    "costs_minor": MAX_MINOR, "granted_minor": MAX_MINOR,
}  # fmt: skip
"""Every amount a case may state, with the largest taken."""

NOT_ABOVE: Final = (
    ("days_used", "days_total"), ("uses_used", "uses_total"), ("items_failed", "items_total"),
    ("balance_minor", "face_minor"), ("failed_minor", "price_minor"), ("value_received_minor", "price_minor"),
    ("granted_minor", "price_minor"),
)  # fmt: skip
"""Pairs of amounts of which the first is never more than the second."""

CLAUSES: Final = {"VOID": None, "HURDLE": None, "VAGUE": None, "CONFLICT": None}
"""How a clause may be wrong, as the terms checker calls it."""

POSITIVE: Final = ("days_total", "uses_total", "items_total", "face_minor", "promise_multiple")
"""Amounts of which there is at least one."""


def load_case(path: Path, book: Rulebook) -> Case:
    """Load a case file. Raises Unreadable."""
    return read_case(read_bytes(path), book, path.name)


def read_case(raw: bytes | str, book: Rulebook, name: str = "") -> Case:
    """Read a case from YAML or JSON text. Raises Unreadable with lines."""
    root = parse(raw, name)
    try:
        return case_of(root, book)
    except Unreadable as error:
        raise Unreadable(error.problems, name) from None


def make_case(plain: Mapping[str, Any], book: Rulebook) -> Case:
    """Read a case from plain values (as from an API). Raises Unreadable; lines refer to its JSON form."""
    return read_case(json.dumps(plain, ensure_ascii=False, default=_plain, indent=1), book)


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return f"?{type(value).__name__}"


def case_of(node: Node, book: Rulebook) -> Case:
    """Read a case from a node."""
    fields = Fields(
        node, "claim facts amounts", "id merchant demand ordered_on filed_on conflict_expired chosen_share clauses"
    )
    known: dict[str, bool] = {}
    contested: list[str] = []
    weights: dict[str, tuple[int, int]] = {}
    problems: list[Problem] = []
    for key, value in mapping(fields["facts"]).entries.values():
        try:
            found = _fact(key, value, book, weights)
        except Unreadable as error:
            problems.extend(error.problems)
            continue
        if isinstance(found, bool):
            known[key.text] = found
        elif found == "contested":
            contested.append(key.text)
    if problems:
        raise Unreadable(problems)
    ordered = fields.maybe("ordered_on", day, book.edition.effective)
    return Case(
        claim=word(fields["claim"], book.claims),
        demand=Demand(fields.maybe("demand", lambda n: word(n, list(Demand)), "refund")),
        known=known,
        contested=tuple(contested),
        weights=weights,
        amounts=_amounts(fields["amounts"]),
        ordered_on=ordered,
        filed_on=fields.maybe("filed_on", day, ordered),
        conflict_expired=fields.maybe("conflict_expired", flag, default=False),
        chosen_share=fields.maybe("chosen_share", _percent, None),
        case_id=fields.maybe("id", text, ""),
        merchant=fields.maybe("merchant", text, ""),
        clauses=fields.maybe("clauses", lambda node: _clauses(node, book), ()),
    )


def _clauses(node: Node, book: Rulebook) -> tuple[Clause, ...]:
    """Read the clauses of which the reasons tell; what they prove stands among the facts."""
    return tuple(_clause(Fields(item, "fact class id words", "why law"), book) for item in items(node, at_most=200))


def _clause(fields: Fields, book: Rulebook) -> Clause:
    return Clause(
        word(fields["fact"], book.facts),
        word(fields["class"], CLAUSES),
        text(fields["id"]),
        text(fields["words"]),
        fields.maybe("why", text, ""),
        fields.maybe("law", lambda one: tuple(text(each) for each in items(one, at_most=50)), ()),
    )


def _percent(node: Node) -> int | None:
    return whole(node, 0, 100)


def _fact(key: TextNode, node: Node, book: Rulebook, weights: dict[str, tuple[int, int]]) -> bool | str:
    name = key.text
    fact = book.facts.get(name)
    if fact is None:
        if name in book.derived:
            raise key.problem(f"{name} is derived from other facts and cannot be stated")
        raise key.problem(f"the fact {name} is not in the rulebook", nearest(name, book.facts))
    if isinstance(node, TextNode):
        stated = word(node, ["proved", "disproved", "unknown"])
        return stated if stated == "unknown" else stated == "proved"
    fields = Fields(node, "evidence")
    given = [_evidence(item, book) for item in items(fields["evidence"], at_most=200)]
    weights[name] = weigh(book, name, given)
    return status(weights[name], book.standards[fact.standard].value)


def _evidence(node: Node, book: Rulebook) -> Evidence:
    fields = Fields(node, "shows confidence", "kind by note")
    fields.maybe("note", text, "")
    return Evidence(
        word(fields["shows"], ["proved", "disproved"]) == "proved",
        whole(fields["confidence"], 0, STATED),
        fields.maybe("kind", lambda n: _maybe_word(n, book.evidence_kinds), None),
        fields.maybe("by", lambda n: _maybe_word(n, dict.fromkeys(["buyer", "merchant", "platform"])), None),
    )


def _maybe_word(node: Node, known: Mapping[str, object]) -> str | None:
    return word(node, known)


def _amounts(node: Node) -> dict[str, int]:
    fields = Fields(node, "price_minor", " ".join(AMOUNTS))
    found = {}
    for name, (_, value) in fields.node.entries.items():
        try:
            found[name] = whole(value, 1 if name in POSITIVE else 0, AMOUNTS[name])
        except Unreadable as error:
            first = error.problems[0]
            raise value.problem(f"{name}: {first.message}", first.hint) from None
    for less, more in NOT_ABOVE:
        if less in found and more in found and found[less] > found[more]:
            raise fields[less].problem(f"{less} is more than {more}")
    return found
