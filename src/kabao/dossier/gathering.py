"""Shows the checklist of a case to those it concerns: to its parties while it is open, to support without forecast."""

from collections import Counter

from kabao.cases import CaseView, DecisionService
from kabao.dossier.access import Cases
from kabao.dossier.checklist import Checklist, Gathered, checklist
from kabao.evidence import EvidenceService
from kabao.identity import Person
from kabao.kernel import Refusal, Refused


class ChecklistService:
    """Gathers what there is in a case and lists what is missing."""

    def __init__(self, *, cases: Cases, decisions: DecisionService, evidence: EvidenceService) -> None:
        self._cases = cases
        self._decisions = decisions
        self._evidence = evidence

    async def checklist(self, person: Person, ref: str) -> Checklist | Refused:
        """List what proves what in a case.

        Refuses NOT_FOUND for a stranger and where no rulebook has words for the case, CASE_CLOSED to a party once it
        is over.
        """
        case = await self._cases.case(person, ref)
        return case if isinstance(case, Refused) else await self.of(case)

    async def of(self, case: CaseView) -> Checklist | Refused:
        """List for whoever may see the case; staff are told no outcome, so that nobody rules with one in view."""
        if case.viewer.is_party and case.closed_at is not None:
            return Refused(Refusal.CASE_CLOSED)
        judge = await self._decisions.judge(case)
        if isinstance(judge, Refused):
            return judge
        turns = None
        if case.viewer.is_party:
            decision = await self._decisions.decide(case)
            if isinstance(decision, Refused):
                return decision
            turns = {change.fact: change.turns_to for change in decision.missing if change.holds}
        file = await self._decisions.case_file(case, judge)
        return checklist(judge.book, case.claim, file["facts"], await self._gathered(case), turns)

    async def _gathered(self, case: CaseView) -> Gathered:
        order = case.order
        items = await self._evidence.items(order.shop_id, order.order_id)
        return Gathered(
            # A statement, an answer, a note to an offer are said in the case; the timeline has them all.
            messages=Counter(line.who for line in case.timeline if line.said),
            items=Counter(item.given_role.value for item in items if item.erased_at is None),
            keys_opened=sum(slot.opened_at is not None for slot in order.keys),
            notices=len(order.document.get("notices", [])),
            paid=order.paid_at is not None,
            delivered=order.delivered_at is not None,
        )
