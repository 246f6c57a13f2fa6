"""The decisions about a case between its parties: from its state, a command and an instant to what changes.

Nothing here reads a clock or a database. What deadlines do, and what those who decide may do, stands in `ladder.rules`.
An offer that was refused is not weighed against anyone.
"""

from datetime import datetime, timedelta
from typing import Final, assert_never

import msgspec

from kabao.cases.ladder.model import Windows
from kabao.cases.ladder.rules import rise_to_support
from kabao.cases.machine import STEPS, Stage
from kabao.cases.model import (
    Action,
    CaseState,
    Decision,
    OfferState,
    OpenOffer,
    Remedy,
    RoseWhy,
    Side,
    Turn,
)
from kabao.kernel import Refusal, Refused

DEMANDS_OF: Final = {
    Side.BUYER: frozenset({Remedy.FULL_REFUND, Remedy.PARTIAL_REFUND, Remedy.REPLACEMENT}),
    Side.MERCHANT: frozenset({Remedy.RELEASE, Remedy.PARTIAL_REFUND}),
}
"""What each side may demand."""
CASES_OF_MERCHANT: Final = 1
"""Cases a merchant may open on one order, so that nobody is held in quarrels."""
WITHDRAWALS_AT_MOST: Final = 2
"""Cases withdrawn on one order before no new one may be opened, so that a frozen release is not frozen for ever."""
ESCALATE_UNANSWERED_AFTER: Final = timedelta(hours=24)
"""From then on who opened a case may call support even though the other side has not answered."""

CLOCK_LEAST_AFTER_WITHDRAWAL: Final = timedelta(hours=24)
"""A buyer who withdraws keeps at least this long before the money is released."""

_PRECEDENCE: Final = {code: place for place, code in enumerate(Refusal)}


def side_of(
    account_id: int, *, buyer_id: int, owner_id: int, is_support: bool, is_seated: bool = False, is_duty: bool = False
) -> Side | None:
    """Tell in which role somebody stands in a case; None is a stranger. A party never decides its own case.

    `is_seated` tells of a seat on this case's panel, `is_duty` of a duty officer where one has to step in.
    """
    if account_id == buyer_id:
        return Side.BUYER
    if account_id == owner_id:
        return Side.MERCHANT
    if is_seated:
        return Side.PANEL
    if is_duty:
        return Side.DUTY
    return Side.SUPPORT if is_support else None


def first_refusal(*answers: object) -> Refused | None:
    """Pick, of several answers, the refusal that stands first in the table; None where nothing is refused."""
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    return min(refused, key=lambda answer: _PRECEDENCE[answer.code], default=None)


def remedy_amount(kind: Remedy, asked_minor: int, held_minor: int) -> int | Refused:
    """Tell what a demand or offer refunds, in minor units; refuses REFUND_OUT_OF_RANGE for a partial refund."""
    match kind:
        case Remedy.FULL_REFUND:
            return held_minor
        case Remedy.PARTIAL_REFUND:
            return asked_minor if 0 < asked_minor <= held_minor else Refused(Refusal.REFUND_OUT_OF_RANGE)
        case Remedy.REPLACEMENT | Remedy.RELEASE:
            return 0
        case _:
            assert_never(kind)


def may_open(by: Side, opened: int, withdrawn: int, *, is_held: bool, has_sealed: bool) -> Refused | None:
    """Say who may open a case on an order on which that side has `opened` some and `withdrawn` some of them.

    A merchant may while money is held and no key is sealed: a sealed one is refunded for no reason, which no case may
    hold up. Refuses CASE_LIMIT, ALREADY_RELEASED, STILL_SEALED.
    """
    if by is Side.BUYER:
        return Refused(Refusal.CASE_LIMIT) if withdrawn >= WITHDRAWALS_AT_MOST else None
    if not is_held:
        return Refused(Refusal.ALREADY_RELEASED)
    if has_sealed:
        return Refused(Refusal.STILL_SEALED)
    return Refused(Refusal.CASE_LIMIT) if opened >= CASES_OF_MERCHANT else None


def decide_open(
    held_minor: int, demand: Remedy, demand_minor: int, now: datetime, by: Side = Side.BUYER
) -> Decision | Refused:
    """Open a case: the other side has to answer, by default within 48 hours; see `open_until`.

    Refuses INVALID_FIELDS (a demand that is the other side's to make), REFUND_OUT_OF_RANGE.
    """
    if demand not in DEMANDS_OF[by]:
        return Refused(Refusal.INVALID_FIELDS, {"demand": "选一个要求。"})
    amount = remedy_amount(demand, demand_minor, held_minor)
    if isinstance(amount, Refused):
        return amount
    return Decision(
        kind="opened",
        stage=Stage.NEGOTIATION,
        turn=Turn(by.other),
        due_at=now + timedelta(hours=Windows().reply),
        remedy=demand,
        refund_minor=amount,
    )


def open_until(opening: Decision, now: datetime, windows: Windows, *, is_decided: bool = False) -> Decision:
    """Give the other side the binding rulebook's time to answer; none where the case is decided at once."""
    if is_decided:
        return msgspec.structs.replace(opening, turn=Turn.NOBODY, due_at=None)
    return msgspec.structs.replace(opening, due_at=now + timedelta(hours=windows.reply))


def decide_answer(case: CaseState, side: Side, now: datetime) -> Decision | Refused:
    """Let the side that is claimed on contest with a statement; then it is the other's turn."""
    if side is not case.opened_by.other:
        return Refused(Refusal.NOT_ALLOWED)
    if not case.stage.is_open:
        return Refused(case.stage.closed_as)
    if case.stage is not Stage.NEGOTIATION or case.turn is not Turn(side):
        return Refused(Refusal.NOT_YOUR_TURN)
    return _pass_on(case, side, "answered", now)


def decide_offer(case: CaseState, side: Side, kind: Remedy, refund_minor: int, now: datetime) -> Decision | Refused:
    """Put an offer on the table in the place of the open one, whoever made that; the turn goes to the other side."""
    if not side.is_party:
        return Refused(Refusal.NOT_ALLOWED)
    if kind is Remedy.RELEASE and case.opened_by is not Side.MERCHANT:
        return Refused(Refusal.NOT_ALLOWED)
    refused = _ended(case)
    if refused is not None:
        return refused
    amount = remedy_amount(kind, refund_minor, case.held_minor)
    if isinstance(amount, Refused):
        return amount
    becomes = None if case.offer is None else OfferState.SUPERSEDED
    return _pass_on(case, side, "offered", now, becomes=becomes, remedy=kind, refund_minor=amount)


def decide_accept(case: CaseState, side: Side, offer_id: int) -> Decision | Refused:
    """Settle on the open offer of the other side; the money moves with it."""
    offer = _offer_of_the_other(case, side, offer_id)
    if isinstance(offer, Refused):
        return offer
    return Decision(
        kind="accepted",
        stage=Stage.SETTLED,
        turn=Turn.NOBODY,
        due_at=None,
        answered=side is not case.opened_by,
        offer_becomes=OfferState.ACCEPTED,
        remedy=offer.kind,
        refund_minor=offer.refund_minor,
    )


def decide_refuse(case: CaseState, side: Side, offer_id: int, now: datetime) -> Decision | Refused:
    """Turn the open offer down; it counts against nobody, and the other side may offer again."""
    offer = _offer_of_the_other(case, side, offer_id)
    if isinstance(offer, Refused):
        return offer
    return _pass_on(case, side, "refused", now, becomes=OfferState.REFUSED)


def decide_accept_demand(case: CaseState, side: Side) -> Decision | Refused:
    """Let the side that is claimed on grant what was demanded: an offer equal to the demand, accepted by definition."""
    if side is not case.opened_by.other:
        return Refused(Refusal.NOT_ALLOWED)
    refused = _ended(case)
    if refused is not None:
        return refused
    amount = remedy_amount(case.demand, case.demand_minor, case.held_minor)
    if isinstance(amount, Refused):
        return amount
    return Decision(
        kind="granted",
        stage=Stage.SETTLED,
        turn=Turn.NOBODY,
        due_at=None,
        answered=True,
        offer_becomes=None if case.offer is None else OfferState.SUPERSEDED,
        remedy=case.demand,
        refund_minor=amount,
    )


def decide_escalate(case: CaseState, side: Side, now: datetime) -> Decision | Refused:
    """Call support: who opened the case once answered or after 24 hours, the other side once it has answered."""
    if not side.is_party:
        return Refused(Refusal.NOT_ALLOWED)
    if not case.stage.is_open:
        return Refused(case.stage.closed_as)
    waited = side is case.opened_by and now >= case.opened_at + ESCALATE_UNANSWERED_AFTER
    if case.stage is not Stage.NEGOTIATION or (case.answered_at is None and not waited):
        return Refused(Refusal.NOT_YOUR_TURN)
    return rise_to_support(case, now, RoseWhy.BUYER_ASKED if side is Side.BUYER else RoseWhy.MERCHANT_ASKED)


def decide_ask_person(case: CaseState, side: Side) -> Decision | Refused:
    """Let a party want a person: no rule decides by itself what is left unanswered, the case rises to support instead.

    It moves neither the turn nor the deadline. Above negotiation persons decide anyhow (NOT_YOUR_TURN).
    """
    if not side.is_party:
        return Refused(Refusal.NOT_ALLOWED)
    refused = _ended(case)
    if refused is not None:
        return refused
    if case.stage is not Stage.NEGOTIATION or case.person_asked:
        return Refused(Refusal.NOT_YOUR_TURN)
    return Decision(kind="person_asked", stage=case.stage, turn=case.turn, due_at=case.due_at)


def decide_withdraw(case: CaseState, side: Side) -> Decision | Refused:
    """Let who opened the case take it back; the release clock runs on, and the buyer may open another."""
    if side is not case.opened_by:
        return Refused(Refusal.NOT_ALLOWED)
    refused = _ended(case)
    if refused is not None:
        return refused
    return Decision(
        kind="withdrawn",
        stage=Stage.WITHDRAWN,
        turn=Turn.NOBODY,
        due_at=None,
        offer_becomes=None if case.offer is None else OfferState.LAPSED,
    )


def decide_charged_back(case: CaseState) -> Decision | None:
    """End a case whose money the payer's bank took back; None for one that has ended or had refunded it at once."""
    if (case.stage, Stage.CHARGED_BACK) not in STEPS:
        return None
    lapsed = None if case.offer is None else OfferState.LAPSED
    return Decision(kind="charged_back", stage=Stage.CHARGED_BACK, turn=Turn.NOBODY, due_at=None, offer_becomes=lapsed)


def allowed_actions(case: CaseState, side: Side, now: datetime) -> frozenset[Action]:
    """Tell which of the parties' steps would not be refused now; a talk and a file are never too late.

    The panel and the duty officer do not talk in a case: they ask.
    """
    if side in {Side.PANEL, Side.DUTY}:
        return frozenset()
    allowed = {Action.SAY, Action.ADD_FILE}
    steps: list[tuple[Action, Decision | Refused]] = [
        (Action.ANSWER, decide_answer(case, side, now)),
        (Action.OFFER, decide_offer(case, side, Remedy.FULL_REFUND, 0, now)),
        (Action.ACCEPT_DEMAND, decide_accept_demand(case, side)),
        (Action.ESCALATE, decide_escalate(case, side, now)),
        (Action.ASK_PERSON, decide_ask_person(case, side)),
        (Action.WITHDRAW, decide_withdraw(case, side)),
    ]
    if case.offer is not None:
        steps.append((Action.ACCEPT, decide_accept(case, side, case.offer.offer_id)))
        steps.append((Action.REFUSE, decide_refuse(case, side, case.offer.offer_id, now)))
    allowed.update(action for action, answer in steps if not isinstance(answer, Refused))
    return frozenset(allowed)


def is_overdue(stage: Stage, turn: Turn, due_at: datetime | None, now: datetime) -> bool:
    """Tell whether those who decide are past their time; a late negotiation rises by itself and is never overdue.

    Nor is a case that an authority has: the duty officer only holds it.
    """
    late = turn in {Turn.SUPPORT, Turn.PANEL} and due_at is not None and now > due_at
    return late or (turn is Turn.DUTY and stage is not Stage.ROUTED_OUT)


def _ended(case: CaseState) -> Refused | None:
    """Refuse what only goes before a ruling."""
    if not case.stage.is_open:
        return Refused(case.stage.closed_as)
    if case.was_routed_out and (case.stage is Stage.ROUTED_OUT or case.stage.is_undecided):
        return Refused(Refusal.ROUTED_OUT)
    return None if case.stage.is_undecided else Refused(Refusal.ALREADY_RULED)


def _offer_of_the_other(case: CaseState, side: Side, offer_id: int) -> OpenOffer | Refused:
    if not side.is_party:
        return Refused(Refusal.NOT_ALLOWED)
    offer = case.offer
    if offer is not None and offer.offer_id == offer_id and offer.by_role is side:
        return Refused(Refusal.NOT_ALLOWED)
    refused = _ended(case)
    if refused is not None:
        return refused
    if offer is None or offer.offer_id != offer_id:
        return Refused(Refusal.OFFER_GONE)
    return offer


def _pass_on(
    case: CaseState,
    side: Side,
    kind: str,
    now: datetime,
    *,
    becomes: OfferState | None = None,
    remedy: Remedy | None = None,
    refund_minor: int = 0,
) -> Decision:
    """Give the turn to the other side with a fresh deadline; a move out of turn does not lengthen the other's time.

    Support keeps its own turn and deadline, whatever the parties still settle between them.
    """
    turn, due_at = case.turn, case.due_at
    other = Turn.BUYER if side is Side.MERCHANT else Turn.MERCHANT
    if case.stage is Stage.NEGOTIATION and turn is not other:
        turn, due_at = other, now + timedelta(hours=case.windows.reply)
    return Decision(
        kind=kind,
        stage=case.stage,
        turn=turn,
        due_at=due_at,
        answered=side is not case.opened_by,
        offer_becomes=becomes,
        remedy=remedy,
        refund_minor=refund_minor,
    )
