"""Lets the rulebook that binds a case decide it: from what was read of the case to its case file and the decision."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Any

import msgspec
import structlog

from kabao.adjudication import Adjudicator, Unreadable, make_case, plain
from kabao.adjudication.model import Outcome
from kabao.adjudication.reasons import is_return
from kabao.cases import store
from kabao.cases.clauses.service import clauses_for
from kabao.cases.facts import RETURN, CaseRecord, as_return, case_file
from kabao.cases.model import Asked, Beside
from kabao.inventory import opened_before
from kabao.orders import OrderView, had_before
from kabao.postgres import Connection

_log = structlog.get_logger(__name__)

_SHARE = "refund_share"
_ALL = "FULL_REFUND"
_KEPT = frozenset({"ROUTE_OUT", "REPLACE", "PERFORM"})
"""What a return does not take the place of: an authority's matter, and another remedy that was demanded."""


async def file_of(conn: Connection, asked: Asked, order: OrderView, judge: Adjudicator) -> dict[str, Any]:
    """Write a case as the rulebook reads it, with what the records know and what people have shown.

    A refund given as the case was opened is what is at issue, so the order is read as it stood before it.
    """
    if asked.green_minor and order.escrow is not None:
        before = msgspec.structs.replace(order.escrow, refunded=order.escrow.refunded - asked.green_minor)
        order = msgspec.structs.replace(order, escrow=before)
    shop_id, order_id = order.shop_id, order.order_id
    file = case_file(
        CaseRecord(
            order=order,
            claim=asked.claim,
            demand=asked.demand,
            demand_minor=asked.demand_minor,
            opened_at=asked.opened_at,
            answered_at=asked.answered_at,
            case_ref=asked.ref,
            said=[
                one
                for one in await store.said_facts(conn, shop_id, asked.case_id)
                if f"f{one.said_id}" not in asked.unread
            ],
            conflict_for=timedelta(hours=judge.book.conflict.hours),
            key_opened_before=await opened_before(conn, shop_id, order_id, asked.opened_at),
            had_before=await had_before(conn, shop_id, order_id),
            clauses=await clauses_for(conn, asked, order),
        )
    )
    # A version from before a fact had its name is told nothing of it.
    file["facts"] = {fact: found for fact, found in file["facts"].items() if fact in judge.book.facts}
    if "clauses" in file:
        file["clauses"] = [clause for clause in file["clauses"] if clause["fact"] in judge.book.facts]
    return file


async def decided(judge: Adjudicator, file: dict[str, Any]) -> Beside:
    """Decide a case file; file and decision are None where the book has no words for the case.

    Keys that nobody ever opened go back for any reason and for none. Where the claim made gives less than the price,
    the case is decided as such a return, and file and decision name that claim.
    """
    made = await decided_as_claimed(judge, file)
    returned = as_return(file)
    if returned is None or RETURN not in judge.book.claims or not _may_return(made):
        return made
    other = await decided_as_claimed(judge, returned)
    return other if other.decision is not None and other.decision["outcome"] == _ALL else made


def _may_return(made: Beside) -> bool:
    """Tell whether a claim as made leaves room for a return: it gives less, and nothing else that would be lost."""
    said, file = made.decision, made.file
    if said is None or file is None:
        return True
    gives = said["refund_minor"] >= file["amounts"]["price_minor"] or said["damages_minor"] > 0
    return not gives and said["outcome"] not in _KEPT


async def decided_as_claimed(judge: Adjudicator, file: dict[str, Any]) -> Beside:
    """Decide a case file by the claim that it names and no other."""
    version = judge.book.edition.version
    try:
        made = make_case(file, judge.book)
    except Unreadable:
        _log.warning("the rulebook cannot read a case", case=file["id"], version=version)
        return Beside(rulebook_version=version)
    decision = plain(await asyncio.to_thread(judge.decide, made))
    # A share is no integer and follows from refund and price, so it stays out of the canonical form.
    del decision[_SHARE]
    return Beside(rulebook_version=version, file=file, decision=decision)


def in_full(beside: Beside) -> dict[str, Any]:
    """Return a decision as `kabao rulebook decide --json` prints it; there must be one."""
    assert beside.file is not None  # noqa: S101  the caller has looked
    assert beside.decision is not None  # noqa: S101
    price = beside.file["amounts"]["price_minor"]
    share = float(round(Fraction(beside.decision["refund_minor"], price), 4))
    return beside.decision | {_SHARE: share}


def is_without_fault(decision: Mapping[str, Any]) -> bool:
    """Tell whether a decision gives the price back by a right to return the goods, which asks for nobody's fault."""
    return is_return(Outcome(decision["outcome"]), decision["decided"])
