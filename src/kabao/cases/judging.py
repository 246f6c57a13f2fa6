"""Lets the rulebook that binds a case decide it: from what was read of the case to its case file and the decision."""

import asyncio
from datetime import timedelta
from fractions import Fraction
from typing import Any

import msgspec
import structlog

from kabao.adjudication import Adjudicator, Unreadable, make_case, plain
from kabao.cases import store
from kabao.cases.clauses.service import clauses_for
from kabao.cases.facts import CaseRecord, case_file
from kabao.cases.model import Asked, Beside, Side
from kabao.evidence import Item
from kabao.inventory import opened_before
from kabao.orders import OrderView, had_before
from kabao.postgres import Connection

_log = structlog.get_logger(__name__)

_SHARE = "refund_share"


async def file_of(
    conn: Connection, asked: Asked, order: OrderView, items: list[Item], judge: Adjudicator
) -> dict[str, Any]:
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
            opened_at=asked.opened_at,
            answered_at=asked.answered_at,
            case_ref=asked.ref,
            pictures_by_buyer=sum(
                item.given_role.value == Side.BUYER.value and item.media_type.startswith("image/") for item in items
            ),
            said=await store.said_facts(conn, shop_id, asked.case_id),
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
    """Decide a case file; file and decision are None where the book has no words for the case."""
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
