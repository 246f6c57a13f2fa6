"""The rules of a case, read as a ledger of moves: who may do what when, and what a deadline does."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kabao.cases import rules
from kabao.cases.ladder import rules as ladder
from kabao.cases.ladder.model import Award, Windows
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

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HELD = 9650
HOUR = timedelta(hours=1)
REPLY = 48 * HOUR


def offer(by: Side = Side.MERCHANT, kind: Remedy = Remedy.PARTIAL_REFUND, refund: int = 6000) -> OpenOffer:
    return OpenOffer(offer_id=7, by_role=by, kind=kind, refund_minor=refund)


CASE = CaseState(
    stage=Stage.NEGOTIATION,
    turn=Turn.MERCHANT,
    due_at=NOON + REPLY,
    opened_at=NOON,
    answered_at=None,
    demand=Remedy.FULL_REFUND,
    demand_minor=HELD,
    held_minor=HELD,
    price_minor=HELD,
    offer=None,
)
PERSON_ASKED = msgspec.structs.replace(CASE, person_asked=True)
ANSWERED = msgspec.structs.replace(CASE, turn=Turn.BUYER, answered_at=NOON + HOUR, due_at=NOON + HOUR + REPLY)
AT_SUPPORT = msgspec.structs.replace(ANSWERED, stage=Stage.SUPPORT, turn=Turn.SUPPORT, due_at=NOON + REPLY)
CLOSED = msgspec.structs.replace(AT_SUPPORT, stage=Stage.SETTLED, turn=Turn.NOBODY, due_at=None)


def with_offer(case: CaseState, made: OpenOffer | None = None) -> CaseState:
    return msgspec.structs.replace(case, offer=made or offer())


def code(answer: object) -> Refusal:
    assert isinstance(answer, Refused)
    return answer.code


def done(answer: Decision | Refused | None) -> Decision:
    assert isinstance(answer, Decision)
    return answer


def test_a_new_case_gives_the_merchant_48_hours() -> None:
    decision = done(rules.decide_open(HELD, Remedy.FULL_REFUND, 1, NOON))
    assert (decision.stage, decision.turn, decision.due_at) == (
        Stage.NEGOTIATION,
        Turn.MERCHANT,
        NOON + timedelta(hours=48),
    )
    assert decision.refund_minor == HELD


@pytest.mark.parametrize(
    ("kind", "asked", "refunds"),
    [
        (Remedy.FULL_REFUND, 0, HELD),
        (Remedy.FULL_REFUND, 5, HELD),
        (Remedy.PARTIAL_REFUND, 1, 1),
        (Remedy.PARTIAL_REFUND, HELD, HELD),
        (Remedy.REPLACEMENT, 500, 0),
    ],
)
def test_what_is_asked_refunds_within_what_is_held(kind: Remedy, asked: int, refunds: int) -> None:
    assert rules.remedy_amount(kind, asked, HELD) == refunds


@pytest.mark.parametrize("asked", [0, -1, HELD + 1, 2**62])
def test_a_partial_refund_outside_what_is_held_is_refused(asked: int) -> None:
    assert code(rules.decide_open(HELD, Remedy.PARTIAL_REFUND, asked, NOON)) is Refusal.REFUND_OUT_OF_RANGE
    made = rules.decide_offer(CASE, Side.MERCHANT, Remedy.PARTIAL_REFUND, asked, NOON)
    assert code(made) is Refusal.REFUND_OUT_OF_RANGE


def test_an_answer_gives_the_turn_to_the_buyer_who_loses_nothing_by_silence() -> None:
    answered = done(rules.decide_answer(CASE, Side.MERCHANT, NOON + HOUR))
    assert (answered.turn, answered.due_at, answered.answered) == (
        Turn.BUYER,
        NOON + HOUR + REPLY,
        True,
    )
    assert ladder.decide_due(ANSWERED, NOON + HOUR, Award(HELD)) is None
    risen = done(ladder.decide_due(ANSWERED, ANSWERED.due_at or NOON, Award(HELD)))
    assert (risen.stage, risen.turn, risen.rose_why) == (Stage.SUPPORT, Turn.SUPPORT, RoseWhy.BUYER_SILENT)


@pytest.mark.parametrize(
    ("case", "side", "why"),
    [
        (CASE, Side.BUYER, Refusal.NOT_ALLOWED),
        (CASE, Side.SUPPORT, Refusal.NOT_ALLOWED),
        (CLOSED, Side.MERCHANT, Refusal.CASE_CLOSED),
        (ANSWERED, Side.MERCHANT, Refusal.NOT_YOUR_TURN),
        (AT_SUPPORT, Side.MERCHANT, Refusal.NOT_YOUR_TURN),
    ],
)
def test_who_may_not_answer(case: CaseState, side: Side, why: Refusal) -> None:
    assert code(rules.decide_answer(case, side, NOON)) is why


def test_a_new_offer_takes_the_place_of_the_open_one() -> None:
    first = done(rules.decide_offer(CASE, Side.MERCHANT, Remedy.PARTIAL_REFUND, 6000, NOON))
    assert (first.offer_becomes, first.turn, first.answered) == (None, Turn.BUYER, True)
    counter = done(rules.decide_offer(with_offer(ANSWERED), Side.BUYER, Remedy.PARTIAL_REFUND, 8000, NOON + HOUR))
    assert (counter.offer_becomes, counter.turn, counter.answered) == (OfferState.SUPERSEDED, Turn.MERCHANT, False)
    assert counter.due_at == NOON + HOUR + REPLY


def test_an_offer_out_of_turn_does_not_lengthen_the_other_sides_time() -> None:
    early = done(rules.decide_offer(CASE, Side.BUYER, Remedy.REPLACEMENT, 0, NOON + 5 * HOUR))
    assert (early.turn, early.due_at) == (Turn.MERCHANT, CASE.due_at)
    again = done(rules.decide_offer(with_offer(ANSWERED), Side.MERCHANT, Remedy.FULL_REFUND, 0, NOON + 9 * HOUR))
    assert (again.turn, again.due_at) == (Turn.BUYER, ANSWERED.due_at)


def test_at_support_the_parties_may_still_settle_and_support_keeps_its_time() -> None:
    made = done(rules.decide_offer(AT_SUPPORT, Side.MERCHANT, Remedy.FULL_REFUND, 0, NOON))
    assert (made.stage, made.turn, made.due_at) == (Stage.SUPPORT, Turn.SUPPORT, AT_SUPPORT.due_at)


def test_only_the_parties_offer_and_only_while_the_case_is_open() -> None:
    assert code(rules.decide_offer(CASE, Side.SUPPORT, Remedy.FULL_REFUND, 0, NOON)) is Refusal.NOT_ALLOWED
    assert code(rules.decide_offer(CLOSED, Side.BUYER, Remedy.FULL_REFUND, 0, NOON)) is Refusal.CASE_CLOSED


@pytest.mark.parametrize(
    ("case", "side", "offer_id", "why"),
    [
        (with_offer(CASE), Side.SUPPORT, 7, Refusal.NOT_ALLOWED),
        (with_offer(CASE), Side.MERCHANT, 7, Refusal.NOT_ALLOWED),
        (with_offer(CASE, offer(Side.BUYER)), Side.BUYER, 7, Refusal.NOT_ALLOWED),
        (CLOSED, Side.BUYER, 7, Refusal.CASE_CLOSED),
        (CASE, Side.BUYER, 7, Refusal.OFFER_GONE),
        (with_offer(CASE), Side.BUYER, 8, Refusal.OFFER_GONE),
    ],
)
def test_only_the_other_side_decides_on_the_open_offer(
    case: CaseState, side: Side, offer_id: int, why: Refusal
) -> None:
    assert code(rules.decide_accept(case, side, offer_id)) is why
    assert code(rules.decide_refuse(case, side, offer_id, NOON)) is why


def test_accepting_settles_on_the_offer() -> None:
    settled = done(rules.decide_accept(with_offer(ANSWERED), Side.BUYER, 7))
    assert (settled.stage, settled.turn, settled.due_at, settled.offer_becomes) == (
        Stage.SETTLED,
        Turn.NOBODY,
        None,
        OfferState.ACCEPTED,
    )
    assert (settled.remedy, settled.refund_minor, settled.answered) == (Remedy.PARTIAL_REFUND, 6000, False)
    assert done(rules.decide_accept(with_offer(CASE, offer(Side.BUYER)), Side.MERCHANT, 7)).answered


def test_refusing_gives_the_turn_back_and_counts_against_nobody() -> None:
    refused = done(rules.decide_refuse(with_offer(ANSWERED), Side.BUYER, 7, NOON + 2 * HOUR))
    assert (refused.turn, refused.due_at, refused.offer_becomes) == (
        Turn.MERCHANT,
        NOON + 2 * HOUR + REPLY,
        OfferState.REFUSED,
    )
    assert refused.rose_why is None


def test_the_merchant_may_grant_the_demand_at_once() -> None:
    granted = done(rules.decide_accept_demand(CASE, Side.MERCHANT))
    assert (granted.stage, granted.remedy, granted.refund_minor, granted.offer_becomes) == (
        Stage.SETTLED,
        Remedy.FULL_REFUND,
        HELD,
        None,
    )
    over_an_offer = done(rules.decide_accept_demand(with_offer(AT_SUPPORT), Side.MERCHANT))
    assert over_an_offer.offer_becomes is OfferState.SUPERSEDED


def test_who_may_not_grant_the_demand() -> None:
    assert code(rules.decide_accept_demand(CASE, Side.BUYER)) is Refusal.NOT_ALLOWED
    assert code(rules.decide_accept_demand(CLOSED, Side.MERCHANT)) is Refusal.CASE_CLOSED
    too_much = msgspec.structs.replace(CASE, demand=Remedy.PARTIAL_REFUND, demand_minor=HELD + 1)
    assert code(rules.decide_accept_demand(too_much, Side.MERCHANT)) is Refusal.REFUND_OUT_OF_RANGE


def test_the_buyer_calls_support_once_answered_or_after_a_day() -> None:
    assert code(rules.decide_escalate(CASE, Side.BUYER, NOON + 24 * HOUR - timedelta(seconds=1))) is (
        Refusal.NOT_YOUR_TURN
    )
    assert done(rules.decide_escalate(CASE, Side.BUYER, NOON + 24 * HOUR)).rose_why is RoseWhy.BUYER_ASKED
    assert done(rules.decide_escalate(ANSWERED, Side.BUYER, NOON + HOUR)).stage is Stage.SUPPORT


def test_the_merchant_calls_support_only_after_its_own_answer() -> None:
    assert code(rules.decide_escalate(CASE, Side.MERCHANT, NOON + 47 * HOUR)) is Refusal.NOT_YOUR_TURN
    assert done(rules.decide_escalate(ANSWERED, Side.MERCHANT, NOON)).rose_why is RoseWhy.MERCHANT_ASKED


@pytest.mark.parametrize(
    ("case", "side", "why"),
    [
        (ANSWERED, Side.SUPPORT, Refusal.NOT_ALLOWED),
        (CLOSED, Side.BUYER, Refusal.CASE_CLOSED),
        (AT_SUPPORT, Side.BUYER, Refusal.NOT_YOUR_TURN),
    ],
)
def test_who_may_not_escalate(case: CaseState, side: Side, why: Refusal) -> None:
    assert code(rules.decide_escalate(case, side, NOON + 30 * HOUR)) is why


def test_only_the_buyer_withdraws_and_an_open_offer_lapses() -> None:
    assert done(rules.decide_withdraw(CASE, Side.BUYER)).offer_becomes is None
    withdrawn = done(rules.decide_withdraw(with_offer(AT_SUPPORT), Side.BUYER))
    assert (withdrawn.stage, withdrawn.offer_becomes) == (Stage.WITHDRAWN, OfferState.LAPSED)
    assert code(rules.decide_withdraw(CASE, Side.MERCHANT)) is Refusal.NOT_ALLOWED
    assert code(rules.decide_withdraw(CLOSED, Side.BUYER)) is Refusal.CASE_CLOSED


@pytest.mark.parametrize("stage", [Stage.RULED_OPEN, Stage.REVIEW])
def test_after_a_ruling_nothing_is_offered_accepted_or_taken_back(stage: Stage) -> None:
    ruled = msgspec.structs.replace(with_offer(AT_SUPPORT), stage=stage)
    answers = [
        rules.decide_offer(ruled, Side.MERCHANT, Remedy.FULL_REFUND, 0, NOON),
        rules.decide_accept(ruled, Side.BUYER, 7),
        rules.decide_refuse(ruled, Side.BUYER, 7, NOON),
        rules.decide_accept_demand(ruled, Side.MERCHANT),
        rules.decide_withdraw(ruled, Side.BUYER),
    ]
    assert {code(answer) for answer in answers} == {Refusal.ALREADY_RULED}


def test_the_time_to_answer_is_that_of_the_rulebook() -> None:
    windows = Windows(reply=24)
    opened = rules.open_until(done(rules.decide_open(HELD, Remedy.FULL_REFUND, 0, NOON)), NOON, windows)
    assert opened.due_at == NOON + 24 * HOUR
    short = msgspec.structs.replace(CASE, windows=windows)
    assert done(rules.decide_answer(short, Side.MERCHANT, NOON + HOUR)).due_at == NOON + 25 * HOUR


def test_support_that_is_a_party_stands_as_the_party() -> None:
    def side(account_id: int, *, is_support: bool) -> Side | None:
        return rules.side_of(account_id, buyer_id=1, owner_id=2, is_support=is_support)

    assert side(1, is_support=True) is Side.BUYER
    assert side(2, is_support=True) is Side.MERCHANT
    assert side(3, is_support=True) is Side.SUPPORT
    assert side(3, is_support=False) is None


def test_a_seat_or_duty_comes_before_support_and_after_being_a_party() -> None:
    def side(account_id: int, *, seated: bool, duty: bool) -> Side | None:
        return rules.side_of(account_id, buyer_id=1, owner_id=2, is_support=True, is_seated=seated, is_duty=duty)

    assert side(3, seated=True, duty=True) is Side.PANEL
    assert side(3, seated=False, duty=True) is Side.DUTY
    assert side(2, seated=True, duty=True) is Side.MERCHANT


def test_the_first_refusal_of_the_table_is_answered() -> None:
    closed, invalid = Refused(Refusal.CASE_CLOSED), Refused(Refusal.INVALID_FIELDS, {"body": "x"})
    assert rules.first_refusal(closed, invalid, None) == invalid
    assert rules.first_refusal(None, 5) is None


def test_who_wants_a_person_gets_one_without_moving_anybodys_time() -> None:
    for side in (Side.BUYER, Side.MERCHANT):
        decision = rules.decide_ask_person(CASE, side)
        assert not isinstance(decision, Refused)
        assert (decision.stage, decision.turn, decision.due_at) == (CASE.stage, CASE.turn, CASE.due_at)
        assert not decision.answered, "asking is no answer"
    assert code(rules.decide_ask_person(CASE, Side.SUPPORT)) is Refusal.NOT_ALLOWED
    assert code(rules.decide_ask_person(PERSON_ASKED, Side.BUYER)) is Refusal.NOT_YOUR_TURN
    assert code(rules.decide_ask_person(AT_SUPPORT, Side.BUYER)) is Refusal.NOT_YOUR_TURN
    assert code(rules.decide_ask_person(CLOSED, Side.BUYER)) is Refusal.CASE_CLOSED
    late = ladder.decide_due(PERSON_ASKED, NOON + REPLY, HELD)
    assert late is not None
    assert (late.kind, late.stage, late.rose_why) == ("rose", Stage.SUPPORT, RoseWhy.MERCHANT_SILENT)


TALK = {Action.SAY, Action.ADD_FILE}


@pytest.mark.parametrize(
    ("case", "side", "allowed"),
    [
        (CASE, Side.BUYER, {Action.OFFER, Action.WITHDRAW, Action.ASK_PERSON}),
        (PERSON_ASKED, Side.BUYER, {Action.OFFER, Action.WITHDRAW}),
        (CASE, Side.MERCHANT, {Action.ANSWER, Action.OFFER, Action.ACCEPT_DEMAND, Action.ASK_PERSON}),
        (CASE, Side.SUPPORT, set()),
        (
            with_offer(ANSWERED),
            Side.BUYER,
            {Action.OFFER, Action.ACCEPT, Action.REFUSE, Action.ESCALATE, Action.WITHDRAW, Action.ASK_PERSON},
        ),
        (
            with_offer(ANSWERED),
            Side.MERCHANT,
            {Action.OFFER, Action.ACCEPT_DEMAND, Action.ESCALATE, Action.ASK_PERSON},
        ),
        (AT_SUPPORT, Side.SUPPORT, set()),
        (CLOSED, Side.BUYER, set()),
        (CLOSED, Side.SUPPORT, set()),
    ],
)
def test_what_a_viewer_is_offered(case: CaseState, side: Side, allowed: set[Action]) -> None:
    assert rules.allowed_actions(case, side, NOON + HOUR) == allowed | TALK


@pytest.mark.parametrize("side", [Side.PANEL, Side.DUTY])
def test_the_panel_and_the_duty_officer_ask_instead_of_talking(side: Side) -> None:
    assert rules.allowed_actions(CASE, side, NOON) == frozenset()


@pytest.mark.parametrize("stage", [Stage.ROUTED_OUT, Stage.PANEL])
def test_nobody_settles_or_withdraws_what_an_authority_has_or_had(stage: Stage) -> None:
    """Else time alone could release the money once the case is taken back."""
    routed = msgspec.structs.replace(CASE, stage=stage, was_routed_out=True)
    answers = [
        rules.decide_withdraw(routed, Side.BUYER),
        rules.decide_accept_demand(routed, Side.MERCHANT),
        rules.decide_offer(routed, Side.MERCHANT, Remedy.FULL_REFUND, 0, NOON),
    ]
    assert {getattr(answer, "code", None) for answer in answers} == {Refusal.ROUTED_OUT}
    assert rules.allowed_actions(routed, Side.BUYER, NOON) == {Action.SAY, Action.ADD_FILE}
    ruled = msgspec.structs.replace(routed, stage=Stage.RULED_OPEN)
    assert getattr(rules.decide_withdraw(ruled, Side.BUYER), "code", None) is Refusal.ALREADY_RULED


def test_only_those_who_decide_can_be_overdue() -> None:
    late = NOON + timedelta(days=9)
    assert rules.is_overdue(Stage.SUPPORT, Turn.SUPPORT, NOON, late)
    assert rules.is_overdue(Stage.PANEL, Turn.PANEL, NOON, late)
    assert rules.is_overdue(Stage.PANEL, Turn.DUTY, late, NOON)
    assert not rules.is_overdue(Stage.ROUTED_OUT, Turn.DUTY, NOON, late)
    assert not rules.is_overdue(Stage.SUPPORT, Turn.SUPPORT, late, late)
    assert not rules.is_overdue(Stage.SUPPORT, Turn.SUPPORT, None, late)
    assert not rules.is_overdue(Stage.NEGOTIATION, Turn.MERCHANT, NOON, late)


STATES = st.builds(
    CaseState,
    stage=st.sampled_from(Stage),
    turn=st.sampled_from(Turn),
    due_at=st.none() | st.datetimes(NOON.replace(tzinfo=None), timezones=st.just(UTC)),
    opened_at=st.just(NOON),
    answered_at=st.sampled_from([None, NOON]),
    demand=st.sampled_from(Remedy),
    demand_minor=st.integers(0, 3 * HELD),
    held_minor=st.just(HELD),
    offer=st.none() | st.sampled_from([offer(), offer(Side.BUYER, Remedy.REPLACEMENT, 0)]),
)


@given(STATES, st.sampled_from(Side), st.integers(-5, 3 * HELD), st.integers(0, 90))
def test_every_decision_is_a_step_of_the_table_and_moves_no_more_than_is_held(
    case: CaseState, side: Side, amount: int, hours: int
) -> None:
    now = NOON + hours * HOUR
    answers = [
        rules.decide_answer(case, side, now),
        *(rules.decide_offer(case, side, kind, amount, now) for kind in Remedy),
        rules.decide_accept(case, side, 7),
        rules.decide_refuse(case, side, 7, now),
        rules.decide_accept_demand(case, side),
        rules.decide_escalate(case, side, now),
        rules.decide_withdraw(case, side),
    ]
    for decision in answers:
        if isinstance(decision, Decision):
            assert decision.stage is case.stage or (case.stage, decision.stage) in STEPS
            assert 0 <= decision.refund_minor <= HELD
            assert decision.stage.is_open or (decision.turn is Turn.NOBODY and decision.due_at is None)


# ---- a merchant's case

OF_MERCHANT = msgspec.structs.replace(
    CASE, opened_by=Side.MERCHANT, turn=Turn.BUYER, demand=Remedy.RELEASE, demand_minor=0, answered_at=None, offer=None
)


def test_a_merchants_case_is_the_buyers_to_answer_and_demands_what_is_held() -> None:
    opened = done(rules.decide_open(HELD, Remedy.RELEASE, 0, NOON, Side.MERCHANT))
    assert (opened.turn, opened.refund_minor) == (Turn.BUYER, 0)
    assert done(rules.decide_open(HELD, Remedy.PARTIAL_REFUND, 900, NOON, Side.MERCHANT)).refund_minor == 900
    for by, demand in ((Side.MERCHANT, Remedy.FULL_REFUND), (Side.BUYER, Remedy.RELEASE)):
        assert code(rules.decide_open(HELD, demand, 0, NOON, by)) is Refusal.INVALID_FIELDS


@pytest.mark.parametrize(
    ("by", "opened", "withdrawn", "is_held", "has_sealed", "refusal"),
    [
        (Side.BUYER, 5, 1, False, True, None),
        (Side.BUYER, 5, 2, True, False, Refusal.CASE_LIMIT),
        (Side.MERCHANT, 0, 0, True, False, None),
        (Side.MERCHANT, 1, 0, True, False, Refusal.CASE_LIMIT),
        (Side.MERCHANT, 0, 0, False, False, Refusal.ALREADY_RELEASED),
        (Side.MERCHANT, 0, 0, True, True, Refusal.STILL_SEALED),
    ],
)
def test_who_may_open_a_case(
    by: Side, opened: int, withdrawn: int, *, is_held: bool, has_sealed: bool, refusal: Refusal | None
) -> None:
    answer = rules.may_open(by, opened, withdrawn, is_held=is_held, has_sealed=has_sealed)
    assert (None if answer is None else answer.code) is refusal


def test_in_a_merchants_case_the_buyer_answers_and_grants_and_the_merchant_withdraws() -> None:
    answered = done(rules.decide_answer(OF_MERCHANT, Side.BUYER, NOON))
    assert (answered.turn, answered.answered) == (Turn.MERCHANT, True)
    assert code(rules.decide_answer(OF_MERCHANT, Side.MERCHANT, NOON)) is Refusal.NOT_ALLOWED
    granted = done(rules.decide_accept_demand(OF_MERCHANT, Side.BUYER))
    assert (granted.stage, granted.remedy, granted.refund_minor) == (Stage.SETTLED, Remedy.RELEASE, 0)
    assert code(rules.decide_accept_demand(OF_MERCHANT, Side.MERCHANT)) is Refusal.NOT_ALLOWED
    assert done(rules.decide_withdraw(OF_MERCHANT, Side.MERCHANT)).stage is Stage.WITHDRAWN
    assert code(rules.decide_withdraw(OF_MERCHANT, Side.BUYER)) is Refusal.NOT_ALLOWED
    later = OF_MERCHANT.opened_at + rules.ESCALATE_UNANSWERED_AFTER
    assert done(rules.decide_escalate(OF_MERCHANT, Side.MERCHANT, later)).rose_why is RoseWhy.MERCHANT_ASKED
    assert code(rules.decide_escalate(OF_MERCHANT, Side.BUYER, later)) is Refusal.NOT_YOUR_TURN


def test_everything_for_the_merchant_is_offered_only_in_a_merchants_case() -> None:
    assert done(rules.decide_offer(OF_MERCHANT, Side.BUYER, Remedy.RELEASE, 0, NOON)).refund_minor == 0
    assert code(rules.decide_offer(CASE, Side.BUYER, Remedy.RELEASE, 0, NOON)) is Refusal.NOT_ALLOWED


def test_a_buyer_who_is_silent_in_a_merchants_case_loses_nothing_by_it() -> None:
    risen = done(ladder.decide_due(OF_MERCHANT, OF_MERCHANT.due_at or NOON, Award(HELD)))
    assert (risen.stage, risen.rose_why) == (Stage.SUPPORT, RoseWhy.BUYER_SILENT)
