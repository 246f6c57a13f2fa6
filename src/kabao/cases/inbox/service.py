"""The use cases of a shop's inbox: reading it, and granting many demands, each in a transaction of its own."""

from collections.abc import Sequence

from kabao.cases import rules
from kabao.cases import store as case_store
from kabao.cases.inbox import store
from kabao.cases.inbox.model import BULK_AT_MOST, PAGE, Cursor, Granted, InboxPage, Tab, ToGrant, Waiting
from kabao.cases.machine import Stage
from kabao.cases.model import CaseCard, CaseView, Decision, OfferState, Side
from kabao.cases.steps import NOT_FOUND, CaseSteps
from kabao.cases.store import CaseRow
from kabao.identity import Person
from kabao.kernel import Refusal, Refused, parse_ref


class InboxService:
    """Lists a shop's cases for its owner and grants what was demanded in many of them."""

    def __init__(self, steps: CaseSteps) -> None:
        self._steps = steps

    async def page(
        self, owner: Person, shop_id: int, tab: Tab, after: Cursor | None = None, limit: int = PAGE
    ) -> InboxPage | Refused:
        """List a shop's cases under a tab: open ones by the time left, others the newest first; refuses NOT_FOUND."""
        async with self._steps.database.connection() as conn:
            if await case_store.owner_of(conn, shop_id) != owner.account_id:
                return NOT_FOUND
            counts = await store.counts(conn, shop_id)
            cards = await store.cards(conn, shop_id, tab, after, limit + 1, self._steps.clock.instant())
        shown = cards[:limit]
        return InboxPage(tab=tab, counts=counts, cards=shown, after=_place(shown[-1]) if len(cards) > limit else None)

    async def waiting(self, owner: Person, shop_id: int) -> list[Waiting] | Refused:
        """List a shop's rulings that wait for money, for its owner; refuses NOT_FOUND."""
        async with self._steps.database.connection() as conn:
            if await case_store.owner_of(conn, shop_id) != owner.account_id:
                return NOT_FOUND
            return await store.waiting(conn, shop_id)

    async def grant(self, owner: Person, shop_id: int, wishes: Sequence[ToGrant]) -> list[Granted] | Refused:
        """Grant what the buyers of up to 50 cases demanded, as it was read, one transaction a case.

        A case granted before by the merchant counts as granted. Refuses INVALID_FIELDS (more than 50, or none); of a
        single case NOT_FOUND (also one of another shop), DEMAND_CHANGED (it would cost something else by now) and what
        `CaseService.accept_demand` does.
        """
        if not 0 < len(wishes) <= BULK_AT_MOST:
            return Refused(Refusal.INVALID_FIELDS, {"ref": f"一次选 1 到 {BULK_AT_MOST} 件。"})
        once = {wish.ref: wish for wish in wishes}
        return [Granted(wish.ref, await self._grant(owner, shop_id, wish)) for wish in once.values()]

    async def _grant(self, owner: Person, shop_id: int, wish: ToGrant) -> Refusal | None:
        at = parse_ref(wish.ref)
        if at is None or at.shop_id != shop_id:
            return Refusal.NOT_FOUND

        def decide(case: CaseRow, side: Side) -> Decision | Refused:
            decision = rules.decide_accept_demand(case.state, side)
            if isinstance(decision, Refused) or decision.refund_minor == wish.refund_minor:
                return decision
            return Refused(Refusal.DEMAND_CHANGED)

        done = await self._steps.step(owner, wish.ref, decide, new_offer=OfferState.ACCEPTED)
        if not isinstance(done, Refused):
            return None
        if done.code is not Refusal.CASE_CLOSED:
            return done.code
        seen = await self._steps.case(owner, wish.ref)
        return None if isinstance(seen, CaseView) and was_granted(seen) else done.code


def was_granted(case: CaseView) -> bool:
    """Tell whether a case ended because the merchant gave what was demanded."""
    return case.stage is Stage.SETTLED and any(line.kind == "granted" for line in case.timeline)


def _place(card: CaseCard) -> Cursor:
    at = parse_ref(card.ref)
    assert at is not None  # noqa: S101  the store made this reference
    return Cursor(card.due_at, at.object_id)
