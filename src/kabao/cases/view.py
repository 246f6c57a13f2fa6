"""Builds what one viewer sees of a case from what was read."""

from kabao.cases import rules, words
from kabao.cases.claims import CLAIMS
from kabao.cases.model import CaseView, OfferState, OfferView, RulingView, Side
from kabao.cases.store import CaseEvent, CaseRow, ErasureRow
from kabao.cases.timeline import CaseSources, Sources, merge
from kabao.evidence import Item, Message
from kabao.orders import OrderView


def build_view(
    case: CaseRow,
    side: Side,
    order: OrderView,
    *,
    offers: list[OfferView],
    ruling: RulingView | None,
    events: list[CaseEvent],
    messages: list[Message],
    items: list[Item],
    erasures: list[ErasureRow],
) -> CaseView:
    """Put a case together; the timeline is the same whoever looks."""
    state, claim = case.state, CLAIMS[case.claim]
    demand_label = words.remedy_label(state.demand, state.demand_minor)
    timeline = merge(
        Sources(
            shop_id=case.shop_id,
            order_id=case.order_id,
            cases=[
                CaseSources(
                    opening=f"{claim.label}，要求{demand_label}",
                    offers=offers,
                    ruling=ruling,
                    events=events,
                )
            ],
            order_events=order.events,
            messages=messages,
            items=items,
            erasures=erasures,
        )
    )
    return CaseView(
        ref=case.ref,
        order=order,
        viewer=side,
        claim=case.claim,
        claim_kind=claim.kind.value,
        claim_label=claim.label,
        demand=state.demand,
        demand_label=demand_label,
        demand_minor=state.demand_minor,
        held_minor=state.held_minor,
        statement=case.statement,
        stage=state.stage,
        stage_label=words.STAGE_LABELS[state.stage],
        turn=state.turn,
        due_at=state.due_at,
        what_if_due=words.what_if_due(state.stage, state.turn, side),
        is_overdue=rules.is_overdue(state.stage, state.due_at, case.now),
        opened_at=state.opened_at,
        stage_since=case.stage_since,
        answered_at=state.answered_at,
        closed_at=case.closed_at,
        may_escalate_at=state.opened_at + rules.ESCALATE_UNANSWERED_AFTER,
        rose_why=case.rose_why,
        ladder=words.ladder(state.stage, has_risen=case.rose_why is not None),
        offers=offers,
        open_offer=next((offer for offer in offers if offer.state is OfferState.OPEN), None),
        ruling=ruling,
        timeline=timeline,
        allowed=rules.allowed_actions(state, side, case.now),
    )
