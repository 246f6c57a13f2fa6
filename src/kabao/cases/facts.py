"""What the platform itself knows of a case, as facts of the rulebook. Pure: rows in, a case file out.

Facts the records prove are stated as proved or disproved. What a party says is evidence and no more: a claim's own
fact is a statement of whoever claims it, and a file shows only the facts of which its giver said that it shows them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from kabao.cases.claims import CLAIMS, ClaimKind
from kabao.cases.clauses.model import Clause
from kabao.cases.clauses.rules import said_by_clauses, told_of
from kabao.cases.model import Remedy
from kabao.orders import OrderView

BEIJING: Final = ZoneInfo("Asia/Shanghai")
SEVEN_DAYS: Final = timedelta(days=7)
STALLED_AFTER: Final = timedelta(days=15)
STATEMENT: Final = 50
STATEMENTS: Final = frozenset({"buyer_statement", "merchant_statement"})
"""The kinds of evidence that are a party's own word."""

DEMANDS: Final = {
    Remedy.FULL_REFUND: "refund",
    Remedy.PARTIAL_REFUND: "refund",
    Remedy.REPLACEMENT: "replace",
    Remedy.RELEASE: "refund",
}
"""What the rulebook is told of a demand; what a merchant demands is the other end of a refund."""

CORE: Final = {
    "already_used": "key_failed",
    "key_invalid": "key_failed",
    "not_as_described": "mismatch",
    "reclaimed": "access_lost",
    "warranty_refused": "fault_in_cover",
}
"""The fact that a buyer states by making a claim: that it holds."""
MERCHANTS_CORE: Final = {
    "buyer_false_claim": "reason_untrue",
    "buyer_used_it": "redeemed_by_buyer",
    "buyer_pressure": "pressure_shown",
    "fee_due": "fee_incurred",
}
"""The fact that a merchant states by making a claim."""
FEE: Final = "fee_due"
"""The claim that grants a refund and disputes what is kept of it."""
RETURN: Final = "changed_mind"
"""The claim by which keys go back without a reason."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What someone says of a fact: which way, by what kind of evidence, how surely (1..100), and when.

    `said_id` is its number once it is kept.
    """

    said_id: int = 0
    fact: str
    shows: bool
    kind: str
    confidence: int
    by: str
    at: datetime


class CaseRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform's records hold of a case."""

    order: OrderView
    claim: str
    demand: Remedy
    opened_at: datetime
    answered_at: datetime | None
    case_ref: str
    said: Sequence[Said]
    conflict_for: timedelta
    """How long the rulebook lets contradictory evidence hold a case up."""
    key_opened_before: bool
    """Whether every key of the order had been opened in another order before it was opened here."""
    had_before: bool
    """Whether the buyer had opened and kept the same version of the same listing before placing the order."""
    demand_minor: int = 0
    """How much is to go back to the buyer, where a part is demanded."""
    clauses: Sequence[Clause] = ()
    """What the terms checker read in the words the order was sold by."""


def case_file(record: CaseRecord) -> dict[str, Any]:
    """Write the case as the rulebook reads it; amounts in minor units, dates by Beijing's calendar."""
    facts: dict[str, Any] = dict(_known(record))
    evidence = _of_clauses(record)
    for by, core in (("buyer", CORE), ("merchant", MERCHANTS_CORE)):
        if record.claim in core:
            claimed = {"shows": "proved", "kind": f"{by}_statement", "confidence": STATEMENT, "by": by}
            evidence[core[record.claim]] = [claimed]
    for said in record.said:
        item = {"shows": "proved" if said.shows else "disproved", "kind": said.kind, "confidence": said.confidence}
        # What support establishes is nobody's own evidence.
        evidence.setdefault(said.fact, []).append(item if said.by == "support" else item | {"by": said.by})
    examined = {said.fact for said in record.said if said.by == "support"}
    evidence = {fact: items if fact in examined else _unexamined(items) for fact, items in evidence.items()}
    # What the records prove is not weighed against what people say.
    facts |= {fact: {"evidence": items} for fact, items in evidence.items() if fact not in facts}
    told = told_of(record.claim, record.clauses)
    return {
        "claim": record.claim,
        "demand": DEMANDS[record.demand],
        "facts": facts,
        "amounts": _amounts(record),
        "ordered_on": record.order.placed_at.astimezone(BEIJING).date().isoformat(),
        "filed_on": record.opened_at.astimezone(BEIJING).date().isoformat(),
        "conflict_expired": _conflict_expired(record),
        "id": record.case_ref,
        "merchant": f"shop-{record.order.shop_id}",
        **({"clauses": told} if told else {}),
    }


def as_return(file: Mapping[str, Any]) -> dict[str, Any] | None:
    """Write a case on keys that nobody ever opened as a return without a reason; None where it is none.

    A sealed key may go back at any time, so whoever demands the price need not show what else is wrong with it.
    """
    facts = file["facts"]
    is_buyers = file["claim"] in CLAIMS and not _is_merchants(file["claim"])
    # Stated by the records: the second also where a key that was opened gave way to a sealed one.
    is_sealed = facts.get("opened") == facts.get("redeemed_by_buyer") == "disproved"
    if not is_buyers or not is_sealed or facts.get("delivered") != "proved" or file["claim"] == RETURN:
        return None
    return {name: value for name, value in file.items() if name != "clauses"} | {"claim": RETURN}


def _is_merchants(claim: str) -> bool:
    known = CLAIMS.get(claim)
    return known is not None and known.kind is ClaimKind.CONDUCT


def _unexamined(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out a party's own word beside material of its own: until somebody looked, the one proves not the other."""
    shown = {(item.get("by"), item["shows"]) for item in items if item["kind"] not in STATEMENTS}
    return [item for item in items if item["kind"] not in STATEMENTS or (item.get("by"), item["shows"]) not in shown]


def _of_clauses(record: CaseRecord) -> dict[str, list[dict[str, Any]]]:
    """Return what the terms checker says of facts; where support has spoken of one, a person has read it instead."""
    spoken = {said.fact for said in record.said if said.by == "support"}
    found = said_by_clauses(record.claim, record.clauses)
    return {fact: items for fact, items in found.items() if fact not in spoken}


def _known(record: CaseRecord) -> dict[str, str]:
    """State what the records prove; what they are silent on is left to people, never taken as its opposite."""
    known = _order(record) | _keys(record) | _promises(record)
    return {fact: "proved" if holds else "disproved" for fact, holds in known.items()}


def _order(record: CaseRecord) -> dict[str, bool]:
    """What became of the order and its money, and when."""
    order = record.order
    known = {
        "delivered": order.delivered_at is not None,
        "released": order.escrow is not None and order.escrow.state in ("released", "split"),
        "money_held": _was_held(record),
        "seller_is_platform": False,
        "is_gift": False,
        "refund_received": order.given_back_minor > 0,
        "surplus_paid": _overpaid(order) > 0,
    }
    promise = timedelta(seconds=int(_terms(order).get("delivery_promise_seconds", 60)))
    if order.delivered_at is None and order.paid_at is not None and record.opened_at - order.paid_at > promise:
        known["late"] = True
    if order.delivered_at is not None and order.paid_at is not None:
        known["late"] = _first_delivered(order, order.delivered_at) - order.paid_at > promise
        known["within_seven_days"] = (
            _days_between(_last_delivered(order, order.delivered_at), record.opened_at) <= SEVEN_DAYS
        )
        known["within_seven_of_payment"] = record.opened_at - order.paid_at <= SEVEN_DAYS
        # A key from stock is ready before it is bought; nothing is made for this buyer.
        known["work_begun"] = False
    if (record.answered_at or order.now) - record.opened_at > STALLED_AFTER:
        # An answer in time is not yet a cure, so the record never disproves it.
        known["stalled_15_days"] = True
    if known["surplus_paid"]:
        refunds = [move.state for move in order.money_moves if move.kind == "refund"]
        # What was stopped the payer's bank has given back.
        known["surplus_returned"] = all(state in {"done", "stopped"} for state in refunds)
    if record.had_before:
        known["same_service_before"] = True
    return known


def _keys(record: CaseRecord) -> dict[str, bool]:
    """What the sealing and opening of the keys shows."""
    opened = _opened(record.order)
    known = {"opened": bool(opened)}
    if record.claim in CORE:
        # A complaint about a key is about one the buyer holds; a change of mind looks at all he has seen.
        known["opened"] = any(slot.state == "opened" for slot in record.order.keys)
    if record.key_opened_before:
        known["key_opened_before"] = True
    if not opened:
        # Redeemed after opening it cannot be, where it was never opened.
        known["redeemed_by_buyer"] = False
    if record.order.quantity == 1:
        known["only_part_failed"] = False
    return known


def _promises(record: CaseRecord) -> dict[str, bool]:
    """What the listing's structured terms promised; a promise they lack may still stand in its words or in the chat."""
    order, terms, opened = record.order, _terms(record.order), _opened(record.order)
    known = {
        "bad_key_replaced_promised": bool(terms.get("replacement_offered")),
        "fee_published": terms.get("changed_mind_after_open") == "partial",
        "fee_agreed": terms.get("changed_mind_after_open") == "partial",
        "return_promised": terms.get("refund_while_sealed") == "always" and not opened,
        "within_cover": _still_runs(record, terms.get("warranty_days")),
        "notified_in_time": _still_runs(record, terms.get("claim_days")),
    }
    known = {fact: holds for fact, holds in known.items() if holds}
    known["exclusion_confirmed"] = _confirmed(order, "no_reason_after_open")
    if terms.get("validity_text"):
        known["validity_prominent"] = _confirmed(order, "validity")
    return known


def _still_runs(record: CaseRecord, days: int | None) -> bool:
    """Tell whether a time that runs from the opening of the first key held was still running when the case was opened.

    A key given in another's place has a time of its own, from its own opening; of several the first opened counts.
    """
    opened = [slot.opened_at for slot in record.order.keys if slot.state == "opened" and slot.opened_at is not None]
    return bool(days) and (not opened or record.opened_at <= min(opened) + timedelta(days=days or 0))


def _terms(order: OrderView) -> dict[str, Any]:
    terms: dict[str, Any] = order.document.get("terms", {})
    return terms


def _opened(order: OrderView) -> list[datetime]:
    return [slot.opened_at for slot in order.keys if slot.opened_at is not None]


def _first_delivered(order: OrderView, latest: datetime) -> datetime:
    """Return when the order was first delivered; a key given in another's place counts as a delivery of its own."""
    return next((event.at for event in order.events if event.kind == "delivered"), latest)


def _last_delivered(order: OrderView, first: datetime) -> datetime:
    """Return when the buyer last received a key: the order's delivery, or a later one in another's place."""
    return max([first, *[event.at for event in order.events if event.kind == "replaced"]])


def _days_between(earlier: datetime, later: datetime) -> timedelta:
    """Count by Beijing's calendar from the day after, as the law counts days."""
    return later.astimezone(BEIJING).date() - earlier.astimezone(BEIJING).date()


def _overpaid(order: OrderView) -> int:
    return sum(move.amount_minor for move in order.money_moves if move.outcome == "second_payment")


def _conflict_expired(record: CaseRecord) -> bool:
    """Tell whether the first contradiction is older than the book allows; a later one buys nobody new time."""
    first: dict[tuple[str, bool], datetime] = {}
    stated = (CORE | MERCHANTS_CORE).get(record.claim)
    if stated is not None:
        first[stated, True] = record.opened_at
    first |= {(fact, True): record.opened_at for fact in _of_clauses(record)}
    for said in record.said:
        first.setdefault((said.fact, said.shows), said.at)
    began = [max(at, first[fact, not way]) for (fact, way), at in first.items() if (fact, not way) in first]
    return bool(began) and record.order.now - min(began) > record.conflict_for


def _confirmed(order: OrderView, notice_id: str) -> bool:
    """An order is only placed with every notice of its snapshot ticked, so the snapshot's list is the record."""
    return any(notice.get("notice_id") == notice_id for notice in order.document.get("notices", []))


def _was_held(record: CaseRecord) -> bool:
    """Tell whether money was in escrow as the claim was made; a merchant's case is opened at no other time."""
    escrow = record.order.escrow
    is_filed = record.opened_at < record.order.now
    return escrow is not None and (escrow.held_minor > 0 or (is_filed and _is_merchants(record.claim)))


def _amounts(record: CaseRecord) -> dict[str, int]:
    """State the amounts; in a merchant's case what is held is the price at issue, whatever went back before."""
    order = record.order
    held = order.escrow.held_minor if order.escrow is not None and _is_merchants(record.claim) else 0
    price = held or order.amount_minor
    amounts = {"price_minor": price, "items_total": order.quantity}
    percent = _terms(order).get("partial_fee_percent")
    if percent:
        amounts["published_fee_minor"] = price * int(percent) // 100
    if record.claim == FEE:
        # A fee that other words published is the one claimed; whether it was published or incurred at all are facts.
        claimed = max(price - record.demand_minor, 0)
        amounts = {"published_fee_minor": claimed, **amounts, "incurred_fee_minor": claimed}
    if order.given_back_minor and not held:
        amounts["granted_minor"] = order.given_back_minor
    if _overpaid(order):
        amounts["overpaid_minor"] = _overpaid(order)
    return amounts
