"""What each answer to a claim costs the merchant, by what the rules lead to on the facts as they stand."""

from kabao.cases import Action, CaseView, DecisionView, Side
from kabao.figures import Choice, OnTable, choices_of


def costs_of(case: CaseView, decision: DecisionView) -> list[Choice]:
    """List the merchant's choices while the claim can still be answered; nothing for anybody else.

    After the release nothing is kept or lost of a held amount any more, so that there is nothing to compare.
    """
    order = case.order
    if case.viewer is not Side.MERCHANT or Action.ACCEPT_DEMAND not in case.allowed or order.is_released:
        return []
    return choices_of(
        held_minor=case.held_minor,
        fee_bps=order.fee_bps,
        demand=case.demand,
        demand_minor=case.demand_minor,
        outcome=decision.outcome,
        refund_minor=decision.refund_minor,
        damages_minor=decision.damages_minor,
        keys=sum(slot.state == "opened" for slot in order.keys),
        unit_minor=order.unit_minor,
        table=on_table(case),
    )


def on_table(case: CaseView) -> OnTable | None:
    """Return the offer that stands, as its reader sees it."""
    offer = case.open_offer
    if offer is None:
        return None
    return OnTable(kind=offer.kind, refund_minor=offer.refund_minor, is_mine=offer.by_role is case.viewer)
