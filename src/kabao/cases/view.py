"""Builds what one viewer sees of a case from what was read."""

from datetime import datetime
from typing import Final

import msgspec

from kabao.cases import rules, words
from kabao.cases.claims import CLAIMS
from kabao.cases.ladder.model import Pending, Question, RulingStage
from kabao.cases.ladder.rules import first_word_due
from kabao.cases.machine import Stage
from kabao.cases.model import Action, CaseView, OfferState, OfferView, RulingView, Rung, Side, TimelineLine
from kabao.cases.store import CaseEvent, CaseRow, ErasureRow
from kabao.cases.timeline import CaseSources, Sources, merge
from kabao.evidence import Item, Message
from kabao.orders import OrderView

_BY_THE_RULES: Final = frozenset({RulingStage.DEFAULT, RulingStage.GREEN})
"""Rulings whose words are the rulebook's own."""
UNREAD: Final = "按规则自动作出。写过初步意见的人可以看，其他人等纠纷结束再看。"
"""Stands for the words of such a ruling where staff may not read what the rulebook suggests."""


def build_view(
    case: CaseRow,
    side: Side,
    order: OrderView,
    *,
    offers: list[OfferView],
    rulings: list[RulingView],
    events: list[CaseEvent],
    questions: list[Question],
    messages: list[Message],
    items: list[Item],
    erasures: list[ErasureRow],
    pending: Pending | None,
    paused_until: datetime | None,
    has_first_view: bool,
    reads_rules: bool,
    allowed: frozenset[Action],
) -> CaseView:
    """Put a case together; the timeline is the same whoever looks."""
    state, claim, demand_label = case.state, CLAIMS[case.claim], _demand_label(case)
    own = CaseSources(f"{claim.label}，要求{demand_label}", offers, rulings, events)
    return CaseView(
        ref=case.ref,
        order=order,
        viewer=side,
        opened_by=state.opened_by,
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
        paused_until=paused_until,
        first_word_due_at=first_word_due(state.stage, case.stage_since, state.windows),
        first_word_at=case.first_word_at,
        what_if_due=_what_if_due(case, side),
        is_overdue=rules.is_overdue(state.stage, state.turn, state.due_at, case.now),
        opened_at=state.opened_at,
        stage_since=case.stage_since,
        answered_at=state.answered_at,
        closed_at=case.closed_at,
        may_escalate_at=state.opened_at + rules.ESCALATE_UNANSWERED_AFTER,
        rose_why=case.rose_why,
        ladder=_rungs(case, events),
        offers=offers,
        open_offer=next((offer for offer in offers if offer.state is OfferState.OPEN), None),
        ruling=rulings[-1] if rulings else None,
        rulings=rulings,
        waived_by=_waived_by(case),
        questions=questions,
        pending=pending,
        green_minor=state.green_minor,
        # How often somebody was refunded at once is nobody else's business.
        limit_by=case.limit_by if side is Side.BUYER else None,
        has_first_view=has_first_view,
        reads_rules=reads_rules,
        person_asked=state.person_asked,
        timeline=_timeline(case, order, own, messages, items, erasures),
        allowed=allowed,
    )


def may_read_rules(
    case: CaseRow, side: Side, viewed: frozenset[Stage], *, is_barred: bool, is_order_free: bool
) -> bool:
    """Tell whether a viewer may read what the rulebook suggests in a case: a party always, staff not before judging it.

    Whoever put a first view down (`viewed`) may in that stage, while the ruling waits, and once he is barred from
    deciding; everybody when the case is over, unless the order is in another one.
    """
    if side.is_party or case.state.stage in viewed:
        return True
    if case.closed_at is not None:
        return is_order_free
    return bool(viewed) and (is_barred or case.state.stage is Stage.RULED_OPEN)


def readable(rulings: list[RulingView], *, reads_rules: bool) -> list[RulingView]:
    """Leave out of rulings what tells how the rulebook decides, for who may not read it."""
    if reads_rules:
        return rulings
    return [
        msgspec.structs.replace(one, differs_reason="", facts=UNREAD, reasons=UNREAD, shares=None, grounds=None)
        if one.stage in _BY_THE_RULES
        else msgspec.structs.replace(one, differs_reason="", grounds=None)
        for one in rulings
    ]


def _timeline(
    case: CaseRow,
    order: OrderView,
    own: CaseSources,
    messages: list[Message],
    items: list[Item],
    erasures: list[ErasureRow],
) -> list[TimelineLine]:
    sources = Sources(
        shop_id=case.shop_id,
        order_id=case.order_id,
        cases=[own],
        order_events=order.events,
        messages=messages,
        items=items,
        erasures=erasures,
    )
    return merge(sources)


def _demand_label(case: CaseRow) -> str:
    return words.remedy_label(case.state.demand, case.state.demand_minor)


def _what_if_due(case: CaseRow, side: Side) -> str:
    state = case.state
    return words.what_if_due(
        state.stage, state.turn, side, may_stand=case.may_stand, is_green=state.green_minor is not None
    )


def _waived_by(case: CaseRow) -> list[Side]:
    ruling = case.state.ruling
    return sorted(Side(role) for role in (ruling.waived_by if ruling is not None else ()))


def _rungs(case: CaseRow, events: list[CaseEvent]) -> list[Rung]:
    reached = frozenset(event.to_stage or "" for event in events)
    return words.ladder(case.state.stage, reached, case.state.windows)
