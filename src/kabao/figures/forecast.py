"""Forecasts a case before anybody files it: the rulebook on the facts as known, and how similar cases ended."""

import asyncio
from typing import Any, Final, NamedTuple

import msgspec

from kabao.adjudication import Unreadable, make_case
from kabao.adjudication.service import RulebookService
from kabao.cases import CLAIMS, DecisionService, DecisionView, Remedy, Side
from kabao.cases.facts import DEMANDS
from kabao.cases.ladder.awards import demanded_of
from kabao.figures import store
from kabao.figures.model import DirectRefund, Forecast, ForeseeFacts, ForeseeOrder, Similar
from kabao.figures.rules import similar_of
from kabao.identity import Person
from kabao.kernel import Refusal, Refused
from kabao.orders import OrderService, OrderView
from kabao.postgres import Database

PROBLEMS_TOLD: Final = 5
"""How many faults of stated facts are told at once."""


class Alike(NamedTuple):
    """What makes closed cases similar to the one at hand."""

    claim: str
    category: str
    is_opened: bool


class ForecastService:
    """Tells parties what a claim would come to; files nothing."""

    def __init__(
        self, *, database: Database, orders: OrderService, decisions: DecisionService, rulebook: RulebookService
    ) -> None:
        self._database = database
        self._orders = orders
        self._decisions = decisions
        self._rulebook = rulebook

    async def of_order(self, person: Person, wish: ForeseeOrder) -> Forecast | Refused:
        """Forecast a case on an order, for its buyer or its merchant.

        Refusals: not_found (a stranger's order, or no rulebook has words for it), not_allowed (whoever decides cases),
        invalid_fields (claim), not_paid, in_case (it has its own decision), refund_out_of_range (a partial demand
        outside what is held).
        """
        order = await self._orders.order(person, wish.order_ref)
        if isinstance(order, Refused):
            return order
        refused = may_foresee(order, wish)
        if refused is not None:
            return refused
        decision = await self._decisions.foresee(order, wish.claim, wish.demand, wish.demand_minor)
        if isinstance(decision, Refused):
            return decision
        alike = Alike(wish.claim, str(order.document.get("category", "")), order.opened_at is not None)
        at_once = await self._decisions.foresee_at_once(order, wish.claim, wish.demand)
        return msgspec.structs.replace(
            await self._with_similar(decision, alike),
            at_once=at_once,
            demanded_minor=demanded_of(wish.demand, wish.demand_minor, order.at_stake_minor, in_place_minor=0),
            direct=direct_of(order),
        )

    async def of_facts(self, wish: ForeseeFacts, viewer: Side) -> Forecast | Refused:
        """Forecast bare facts by the rulebook in force; amounts need `price_minor`.

        Refusals: not_found (no rulebook binds), invalid_fields (claim, or facts with what is wrong in them).
        """
        judge = await self._rulebook.in_force()
        if isinstance(judge, Refused):
            return judge
        if wish.claim not in judge.book.claims:
            return Refused(Refusal.INVALID_FIELDS, {"claim": "规则里没有这个诉求"})
        file: dict[str, Any] = {
            "claim": wish.claim,
            "demand": DEMANDS[wish.demand],
            "facts": dict(wish.facts),
            "amounts": dict(wish.amounts),
            "id": "forecast",
        }
        try:
            await asyncio.to_thread(make_case, file, judge.book)
        except Unreadable as error:
            told = "; ".join(problem.message for problem in error.problems[:PROBLEMS_TOLD])
            return Refused(Refusal.INVALID_FIELDS, {"facts": told})
        decision = await self._decisions.foresee_file(judge, file, viewer)
        if isinstance(decision, Refused):
            return decision
        return await self._with_similar(decision, Alike(wish.claim, wish.category, wish.is_opened))

    async def _with_similar(self, decision: DecisionView, alike: Alike) -> Forecast:
        return Forecast(decision=decision, similar=await self._similar(alike) if alike.category else None)

    async def _similar(self, alike: Alike) -> Similar | None:
        async with self._database.connection() as conn:
            counts = await store.similar_endings(conn, alike.claim, alike.category, is_opened=alike.is_opened)
        return similar_of(counts)


def direct_of(order: OrderView) -> DirectRefund | None:
    """Tell what of an order its buyer may give back at once without a case: the keys that nobody ever opened."""
    sealed = sum(slot.state == "sealed" and slot.generation == 0 for slot in order.keys)
    if "refund" not in order.allowed or order.escrow is None:
        return None
    refund = min(order.unit_minor * sealed, order.escrow.held_minor)
    return DirectRefund(keys=sealed, refund_minor=refund, is_all=refund == order.escrow.held_minor)


def may_foresee(order: OrderView, wish: ForeseeOrder) -> Refused | None:
    """Refuse a forecast to staff, and of a case that could not be filed or is filed already."""
    if order.role not in {Side.BUYER, Side.MERCHANT}:
        return Refused(Refusal.NOT_ALLOWED)
    if wish.claim not in CLAIMS:
        return Refused(Refusal.INVALID_FIELDS, {"claim": "选一种情况"})
    if order.escrow is None:
        return Refused(Refusal.NOT_PAID)
    if order.in_case:
        return Refused(Refusal.IN_CASE)
    is_out = not 0 < wish.demand_minor <= order.at_stake_minor
    if wish.demand is Remedy.PARTIAL_REFUND and is_out:
        return Refused(Refusal.REFUND_OUT_OF_RANGE)
    return None
