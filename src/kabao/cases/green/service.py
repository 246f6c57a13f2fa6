"""Decides a case at once, in the transaction that opens it, and tells before whether it would be."""

from typing import NamedTuple

from kabao.adjudication import Adjudicator, Rulebook
from kabao.cases.facts import as_return
from kabao.cases.green import rules, store
from kabao.cases.green.rules import Proof
from kabao.cases.judging import decided, decided_as_claimed
from kabao.cases.ladder import store as ladder_store
from kabao.cases.ladder.grounding import points_of
from kabao.cases.ladder.grounds import by_the_book
from kabao.cases.ladder.model import RulingStage, Shares
from kabao.cases.ladder.store import Handed
from kabao.cases.model import MAX_RULING_CHARS, Beside, LimitBy, Outcome, Remedy
from kabao.cases.steps import SYSTEM, CaseSteps
from kabao.cases.store import CaseRow
from kabao.kernel import Refused
from kabao.orders import OrderView
from kabao.postgres import Connection


class Certain(NamedTuple):
    """What the rulebook says on the records alone, and the proofs without which it would not."""

    beside: Beside
    proofs: list[Proof]
    book: Rulebook


class GreenChannel:
    """Finds the claims that the records decide, and decides them."""

    def __init__(self, steps: CaseSteps) -> None:
        self._steps = steps

    async def certain(
        self, judge: Adjudicator | Refused, order: OrderView, demand: Remedy, found: Beside | None
    ) -> Certain | None:
        """Tell whether the records alone decide a claim for the buyer; `found` is what the rulebook says on them."""
        if isinstance(judge, Refused) or found is None or found.file is None:
            return None
        parameters = {name: one.value for name, one in judge.book.parameters.items()}
        if not rules.may_be_decided(order, demand, parameters):
            return None
        returned = as_return(found.file)
        # What the claim itself leaves to people, keys that nobody opened may still decide: they go back for no reason.
        for beside in [found] if returned is None else [found, await decided_as_claimed(judge, returned)]:
            proofs = await self._proofs(judge, order, beside)
            if proofs:
                return Certain(beside, proofs, judge.book)
        return None

    async def _proofs(self, judge: Adjudicator, order: OrderView, beside: Beside) -> list[Proof]:
        """Return the proofs that decide a case for the buyer: turned round, the rulebook would not give everything."""
        stake, file = order.at_stake_minor, beside.file
        if file is None or not rules.gives_all(beside.decision, stake):
            return []
        turned = [(proof, await decided(judge, rules.the_other_way(file, proof))) for proof in rules.proofs_in(file)]
        return [proof for proof, other in turned if not rules.gives_all(other.decision, stake)]

    async def foresee(
        self, judge: Adjudicator, order: OrderView, demand: Remedy, file: dict[str, object]
    ) -> Certain | None:
        """Tell whether a claim that nobody has filed yet would be decided at once."""
        return await self.certain(judge, order, demand, await decided(judge, rules.of_records(file)))

    async def limit_on(self, order: OrderView) -> LimitBy | None:
        """Tell whose limit keeps an order from being refunded at once now: its buyer's, its payer's or nobody's."""
        async with self._steps.database.connection() as conn:
            payer = await store.payer(conn, order.shop_id, order.order_id)
            return rules.limit_by(*await store.uses(conn, order.buyer_id, payer, order.now))

    async def take_use(self, conn: Connection, order: OrderView) -> LimitBy | None:
        """Count a refund at once of an order's buyer and of who paid, or say whose limit is reached."""
        payer = await store.payer(conn, order.shop_id, order.order_id)
        return await store.take_use(conn, order.buyer_id, payer, order.now)

    async def decide(self, conn: Connection, case: CaseRow, certain: Certain) -> Refused | None:
        """Rule and refund in the transaction that opened the case; a refusal of the money is answered unwritten."""
        said, beside = certain.beside.decision or {}, certain.beside
        reasons = "\n".join(reason["zh"] for reason in said["reasons"])
        handed = Handed(
            submission_id=self._steps.ids.next(),
            staff_id=None,
            stage=RulingStage.GREEN,
            by_duty=False,
            outcome=Outcome.FULL_REFUND,
            refund_minor=case.state.held_minor,
            damages_minor=0,
            shares=Shares(**said["responsible"]),
            facts=rules.facts_found(certain.proofs),
            reasons=reasons[:MAX_RULING_CHARS],
            differs_reason="",
            dissent="",
            grounds=by_the_book(await points_of(conn, case), beside, certain.book),
            visible_at=case.now,
        )
        await ladder_store.submit_ruling(conn, case, handed, beside)
        refused = await self._steps.take(conn, case, rules.decide_green(case.state, case.now), SYSTEM)
        if refused is None:
            await ladder_store.publish_ruling(conn, case, handed.submission_id)
        return refused
