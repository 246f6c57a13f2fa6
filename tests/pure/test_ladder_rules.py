"""The rules above negotiation: what each deadline does, pauses, who may decide, the draw, the votes, review, waiver."""

from datetime import timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kabao.cases.ladder import awards, rules
from kabao.cases.ladder.model import (
    QUESTIONS_AT_MOST,
    Award,
    Pause,
    Question,
    Shares,
    Windows,
)
from kabao.cases.machine import Stage
from kabao.cases.model import (
    Action,
    CaseState,
    Decision,
    OfferState,
    Outcome,
    Remedy,
    RoseWhy,
    Side,
    Turn,
)
from kabao.kernel import Refusal
from ladders import (
    AT_PANEL,
    AT_SUPPORT,
    CLOSED,
    HELD,
    HOUR,
    IN_REVIEW,
    NOBODY,
    NOON,
    OFFER,
    OVERTIME,
    PENDING,
    REVIEW_OVERTIME,
    ROUTED,
    RULED,
    SILENT_MERCHANT,
    STANDING,
    WAITING,
    WINDOWS,
    case,
    code,
    done,
    handed_in,
)

# ---- times


def test_times_come_from_the_rulebook_and_have_defaults() -> None:
    assert rules.windows_of({}, is_short=False) == WINDOWS
    assert rules.windows_of({}, is_short=True).reply == 24
    named = {
        "negotiation": 40,
        "negotiation_green": 20,
        "support_outcome": 30,
        "question_pause": 6,
        "panel": 50,
        "panel_three_from": 100,
        "review_window": 200,
        "review": 60,
        "duty": 10,
    }
    found = rules.windows_of(named, is_short=True)
    assert found == Windows(
        reply=20, support=30, pause=6, panel=50, three_from_minor=100, ask_review=200, review=60, duty=10
    )
    assert rules.windows_of(named, is_short=False).reply == 40
    assert rules.windows_of({"negotiation": 12}, is_short=True).reply == 12


@pytest.mark.parametrize(
    ("amount", "first", "proved", "short"),
    [
        (5000, False, False, True),
        (5001, False, False, False),
        (5001, True, False, True),
        (5001, False, True, True),
    ],
)
def test_what_shortens_negotiation(amount: int, *, first: bool, proved: bool, short: bool) -> None:
    assert rules.is_short(amount, 5000, is_first_purchase=first, is_proved=proved) is short


def test_shares_are_whole_when_they_sum_to_a_hundred() -> None:
    assert Shares(buyer=30, merchant=60, platform=10).is_whole
    assert not Shares(buyer=30, merchant=60).is_whole
    assert not Shares(buyer=-10, merchant=110).is_whole


# ---- deadlines


@pytest.mark.parametrize(
    ("state", "stage", "turn", "kind", "due"),
    [
        (case(Stage.NEGOTIATION, Turn.BUYER), Stage.SUPPORT, Turn.SUPPORT, "rose", 48),
        (SILENT_MERCHANT, Stage.SUPPORT, Turn.SUPPORT, "rose", 48),
        (AT_SUPPORT, Stage.PANEL, Turn.PANEL, "rose", 72),
        (ROUTED, Stage.PANEL, Turn.PANEL, "rose", 72),
        (AT_PANEL, Stage.PANEL, Turn.DUTY, "overdue", None),
        (IN_REVIEW, Stage.REVIEW, Turn.DUTY, "overdue", 72),
        (REVIEW_OVERTIME, Stage.EXECUTED, Turn.NOBODY, "stood", None),
        (RULED, Stage.EXECUTED, Turn.NOBODY, "executed", None),
        (WAITING, Stage.EXECUTED, Turn.NOBODY, "covered", None),
    ],
)
def test_what_a_deadline_does(state: CaseState, stage: Stage, turn: Turn, kind: str, due: int | None) -> None:
    assert state.due_at is not None
    assert rules.decide_due(state, state.due_at - timedelta(seconds=1), Award(HELD)) is None
    moved = done(rules.decide_due(state, state.due_at, None))
    assert (moved.stage, moved.turn, moved.kind) == (stage, turn, kind)
    if due is not None:
        assert moved.due_at == state.due_at + due * HOUR
    assert moved.refund_minor == (4000 if stage is Stage.EXECUTED else 0)


def test_why_a_case_rose() -> None:
    late = NOON + 100 * HOUR
    assert done(rules.decide_due(SILENT_MERCHANT, late, None)).rose_why is RoseWhy.MERCHANT_SILENT
    assert (
        done(rules.decide_due(case(Stage.NEGOTIATION, Turn.BUYER), late, Award(HELD))).rose_why is RoseWhy.BUYER_SILENT
    )
    assert done(rules.decide_due(ROUTED, NOON + 720 * HOUR, Award(HELD))).rose_why is RoseWhy.ROUTED_LONG
    assert done(rules.decide_due(AT_SUPPORT, late, None)).rose_why is RoseWhy.SUPPORT_LATE
    assert done(rules.decide_pass_on(AT_SUPPORT, NOON)).rose_why is RoseWhy.SUPPORT_ASKED


def test_a_claim_left_unanswered_stands_so_far_as_the_rulebook_supports_it() -> None:
    stands = done(rules.decide_due(SILENT_MERCHANT, NOON + 48 * HOUR, Award(6000)))
    assert (stands.kind, stands.stage, stands.turn, stands.refund_minor) == (
        "ruled",
        Stage.RULED_OPEN,
        Turn.PARTIES,
        6000,
    )
    assert stands.due_at == NOON + (48 + 168) * HOUR


@pytest.mark.parametrize(
    "state",
    [OVERTIME, CLOSED, handed_in(AT_SUPPORT), handed_in(AT_PANEL), handed_in(IN_REVIEW), handed_in(REVIEW_OVERTIME)],
)
def test_nothing_is_due_where_a_person_has_to_act_or_has_acted(state: CaseState) -> None:
    assert rules.decide_due(state, NOON + 9000 * HOUR, Award(HELD)) is None


# ---- questions and pauses


def test_a_question_pauses_the_clock_by_what_is_left() -> None:
    asked = rules.decide_ask(AT_SUPPORT, Side.BUYER, [], 0, NOON + HOUR)
    assert asked == rules.Clocked(Pause(NOON + HOUR, NOON + 13 * HOUR), NOON + 60 * HOUR)
    used = [Pause(NOON, NOON + 5 * HOUR)]
    again = rules.decide_ask(AT_SUPPORT, Side.MERCHANT, used, 1, NOON + 6 * HOUR)
    assert again == rules.Clocked(Pause(NOON + 6 * HOUR, NOON + 13 * HOUR), NOON + 60 * HOUR)


@pytest.mark.parametrize(
    ("state", "pauses"),
    [
        (AT_SUPPORT, [Pause(NOON, NOON + 12 * HOUR)]),
        (AT_SUPPORT, [Pause(NOON - 20 * HOUR, NOON - 8 * HOUR)]),
        (OVERTIME, []),
        (case(Stage.SUPPORT, Turn.SUPPORT, 1), []),
        (case(Stage.SUPPORT, Turn.SUPPORT, None), []),
    ],
)
def test_a_clock_that_stands_still_or_has_no_pause_left_is_not_moved(state: CaseState, pauses: list[Pause]) -> None:
    assert rules.decide_ask(state, Side.BUYER, pauses, 0, NOON + HOUR) == rules.Clocked(None, state.due_at)


def test_questions_are_for_parties_and_not_without_end() -> None:
    assert code(rules.decide_ask(AT_SUPPORT, Side.PANEL, [], 0, NOON)) is Refusal.NOT_ALLOWED
    too_many = rules.decide_ask(AT_SUPPORT, Side.BUYER, [], QUESTIONS_AT_MOST, NOON)
    assert code(too_many) is Refusal.TOO_MANY_QUESTIONS


QUESTION = Question(
    question_id=1,
    stage="support",
    by_role="support",
    to_role="buyer",
    body="?",
    asked_at=NOON,
    answer=None,
    answered_at=None,
)


def test_the_last_answer_lets_the_clock_run_on() -> None:
    paused = case(Stage.SUPPORT, Turn.SUPPORT, 60)
    pauses = [Pause(NOON + HOUR, NOON + 13 * HOUR)]
    answered = rules.decide_reply(paused, Side.BUYER, QUESTION, 1, pauses, NOON + 3 * HOUR)
    assert answered == rules.Clocked(Pause(NOON + HOUR, NOON + 3 * HOUR), NOON + 50 * HOUR)
    waits = rules.Clocked(None, paused.due_at)
    assert rules.decide_reply(paused, Side.BUYER, QUESTION, 2, pauses, NOON + 3 * HOUR) == waits
    assert rules.decide_reply(paused, Side.BUYER, QUESTION, 1, pauses, NOON + 13 * HOUR) == waits


@pytest.mark.parametrize(
    ("state", "side", "question", "why"),
    [
        (AT_SUPPORT, Side.BUYER, None, Refusal.NOT_FOUND),
        (AT_SUPPORT, Side.MERCHANT, QUESTION, Refusal.NOT_ALLOWED),
        (CLOSED, Side.BUYER, QUESTION, Refusal.CASE_CLOSED),
        (AT_SUPPORT, Side.BUYER, msgspec.structs.replace(QUESTION, answered_at=NOON), Refusal.QUESTION_ANSWERED),
    ],
)
def test_who_may_not_answer(state: CaseState, side: Side, question: Question | None, why: Refusal) -> None:
    assert code(rules.decide_reply(state, side, question, 1, [], NOON)) is why


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 600)), max_size=8))
def test_pauses_never_exceed_the_allowance_and_the_due_time_is_always_what_they_come_to(
    gaps: list[tuple[int, int]],
) -> None:
    state, pauses, now = AT_SUPPORT, list[Pause](), NOON
    for wait, answer in gaps:
        now += timedelta(minutes=wait)
        asked = rules.decide_ask(state, Side.BUYER, pauses, 0, now)
        assert isinstance(asked, rules.Clocked)
        if asked.pause is not None:
            pauses.append(asked.pause)
        state = msgspec.structs.replace(state, due_at=asked.due_at)
        now += timedelta(minutes=answer)
        replied = rules.decide_reply(state, Side.BUYER, QUESTION, 1, pauses, now)
        assert isinstance(replied, rules.Clocked)
        if replied.pause is not None:
            pauses[-1] = replied.pause
        state = msgspec.structs.replace(state, due_at=replied.due_at)
        assert rules.paused_for(pauses) <= 12 * HOUR
        assert state.due_at == rules.due_of(Stage.SUPPORT, NOON, WINDOWS, pauses)
        assert all(one.ends_at <= two.began_at for one, two in pairwise(pauses))


# ---- who may decide


@pytest.mark.parametrize(
    ("state", "side"),
    [
        (AT_SUPPORT, Side.SUPPORT),
        (AT_PANEL, Side.PANEL),
        (OVERTIME, Side.DUTY),
        (IN_REVIEW, Side.PANEL),
        (REVIEW_OVERTIME, Side.DUTY),
    ],
)
def test_those_decide_whose_turn_it_is(state: CaseState, side: Side) -> None:
    assert rules.may_decide(state, side, 7, NOBODY) is None
    assert code(rules.may_decide(state, side, 7, frozenset({7}))) is Refusal.RECUSED
    for other in {Side.SUPPORT, Side.PANEL, Side.DUTY} - {side}:
        assert code(rules.may_decide(state, other, 7, NOBODY)) is Refusal.NOT_YOUR_TURN
    for party in (Side.BUYER, Side.MERCHANT):
        assert code(rules.may_decide(state, party, 7, NOBODY)) is Refusal.NOT_ALLOWED


def test_nobody_decides_what_is_ruled_on_or_closed() -> None:
    assert code(rules.may_decide(RULED, Side.SUPPORT, 7, NOBODY)) is Refusal.ALREADY_RULED
    assert code(rules.may_decide(CLOSED, Side.SUPPORT, 7, NOBODY)) is Refusal.CASE_CLOSED


def test_support_passes_on_what_is_its_own_and_undecided() -> None:
    assert done(rules.decide_pass_on(AT_SUPPORT, NOON)).stage is Stage.PANEL
    assert code(rules.decide_pass_on(AT_PANEL, NOON)) is Refusal.NOT_YOUR_TURN
    assert code(rules.decide_pass_on(handed_in(AT_SUPPORT), NOON)) is Refusal.ALREADY_RULED


# ---- the suggestion


def said(outcome: str, refund: int = 0, damages: int = 0) -> dict[str, object]:
    return {"outcome": outcome, "refund_minor": refund, "damages_minor": damages}


@pytest.mark.parametrize(
    ("decision", "suggested"),
    [
        (None, None),
        (said("CONFLICT"), None),
        (said("REPLACE"), None),
        (said("DENY"), Award(0)),
        (said("FULL_REFUND", HELD + 5, 50_000), Award(HELD, 50_000)),
        (said("PARTIAL_REFUND", 4000), Award(4000)),
    ],
)
def test_what_the_rulebook_suggests(decision: dict[str, object] | None, suggested: Award | None) -> None:
    assert awards.suggested_of(decision, Remedy.FULL_REFUND, HELD) == suggested


def test_new_keys_are_suggested_where_they_were_demanded_and_everything_in_their_place() -> None:
    assert awards.suggested_of(said("REPLACE"), Remedy.REPLACEMENT, HELD) == Award(HELD, replaces=True)


def test_a_demand_is_supported_at_most_as_far_as_it_goes_and_never_with_damages() -> None:
    full, part = said("FULL_REFUND", HELD, 50_000), said("PARTIAL_REFUND", 4000)
    assert awards.supported_of(full, Remedy.FULL_REFUND, 1, HELD) == Award(HELD)
    assert awards.supported_of(part, Remedy.FULL_REFUND, 1, HELD) == Award(4000)
    assert awards.supported_of(full, Remedy.PARTIAL_REFUND, 500, HELD) == Award(500)
    assert awards.supported_of(full, Remedy.REPLACEMENT, 0, HELD) is None
    assert awards.supported_of(said("REPLACE"), Remedy.REPLACEMENT, 0, HELD) == Award(HELD, replaces=True)
    assert awards.supported_of(said("REPLACE"), Remedy.FULL_REFUND, 0, HELD) is None
    assert awards.supported_of(said("DENY"), Remedy.FULL_REFUND, HELD, HELD) is None
    assert awards.supported_of(None, Remedy.FULL_REFUND, HELD, HELD) is None


def test_what_differs_from_the_suggestion() -> None:
    assert awards.differs(Award(1), Award(2))
    assert not awards.differs(Award(2, 300), Award(2, 300))
    assert awards.differs(Award(2, 300), Award(2))
    assert not awards.differs(None, Award(2))
    assert awards.differs(None, Award(2, 1))
    keys = Award(HELD, replaces=True)
    assert not awards.differs(keys, Award(4000, replaces=True))
    assert awards.differs(keys, Award(4000, 1, replaces=True))
    assert awards.differs(keys, Award(HELD))
    assert awards.differs(Award(HELD), keys)


@pytest.mark.parametrize(
    ("suggested", "damages", "price", "fits"),
    [
        (None, 500_00, 1, True),
        (None, 500_01, 1, False),
        (None, 1000_00, 100_00, True),
        (None, 1000_01, 100_00, False),
        (Award(0, 2000_00), 2000_00, 100_00, True),
        (None, -1, 1, False),
    ],
)
def test_damages_stay_in_range(suggested: Award | None, damages: int, price: int, *, fits: bool) -> None:
    answer = awards.check_damages(suggested, damages, price)
    assert answer is None if fits else code(answer) is Refusal.DAMAGES_OUT_OF_RANGE


# ---- rulings


@pytest.mark.parametrize(
    ("outcome", "asked", "refunds"),
    [(Outcome.FULL_REFUND, 0, HELD), (Outcome.PARTIAL_REFUND, HELD - 1, HELD - 1), (Outcome.NO_REFUND, 55, 0)],
)
def test_a_ruling_refunds_what_it_says(outcome: Outcome, asked: int, refunds: int) -> None:
    assert awards.ruled_amount(AT_SUPPORT, outcome, asked) == refunds
    assert awards.outcome_of(Award(refunds), HELD) is outcome


@pytest.mark.parametrize("asked", [0, HELD, -5])
def test_a_partial_ruling_lies_strictly_between(asked: int) -> None:
    assert code(awards.ruled_amount(AT_SUPPORT, Outcome.PARTIAL_REFUND, asked)) is Refusal.REFUND_OUT_OF_RANGE


def test_new_keys_are_ruled_where_they_were_demanded_with_a_refund_in_their_place() -> None:
    demanded = msgspec.structs.replace(AT_SUPPORT, demand=Remedy.REPLACEMENT, demand_minor=0)
    assert [awards.ruled_amount(demanded, Outcome.REPLACEMENT, asked) for asked in (0, 4000, HELD)] == [
        HELD,
        4000,
        HELD,
    ]
    for asked in (HELD + 1, -1):
        assert code(awards.ruled_amount(demanded, Outcome.REPLACEMENT, asked)) is Refusal.REFUND_OUT_OF_RANGE
    assert code(awards.ruled_amount(AT_SUPPORT, Outcome.REPLACEMENT, 0)) is Refusal.REPLACEMENT_NOT_ASKED
    assert awards.outcome_of(Award(HELD, replaces=True), HELD) is Outcome.REPLACEMENT


def test_one_ruling_at_a_time_and_the_panel_votes() -> None:
    for state in (AT_SUPPORT, OVERTIME, IN_REVIEW, REVIEW_OVERTIME):
        assert rules.decide_submit(state) is None
        assert code(rules.decide_submit(handed_in(state))) is Refusal.ALREADY_RULED
    assert code(rules.decide_submit(AT_PANEL)) is Refusal.NOT_YOUR_TURN


@pytest.mark.parametrize("state", [AT_SUPPORT, AT_PANEL, OVERTIME])
def test_a_ruling_that_becomes_known_waits_for_its_review(state: CaseState) -> None:
    known = done(rules.decide_publish(msgspec.structs.replace(state, offer=OFFER), Award(4000), NOON))
    assert (known.kind, known.stage, known.turn, known.due_at) == (
        "ruled",
        Stage.RULED_OPEN,
        Turn.PARTIES,
        NOON + 168 * HOUR,
    )
    assert known.offer_becomes is OfferState.LAPSED
    assert done(rules.decide_publish(state, Award(4000), NOON)).offer_becomes is None


def test_a_review_is_carried_out_at_once() -> None:
    known = done(rules.decide_publish(IN_REVIEW, Award(100), NOON))
    assert (known.kind, known.stage, known.turn, known.due_at, known.refund_minor) == (
        "reviewed",
        Stage.EXECUTED,
        Turn.NOBODY,
        None,
        100,
    )


@pytest.mark.parametrize(
    ("state", "kind", "said"),
    [(RULED, "executed", "short"), (RULED, "waived_both", "waived_both"), (IN_REVIEW, "reviewed", "reviewed")],
)
def test_a_ruling_the_reserve_cannot_pay_waits_where_it_stands(state: CaseState, kind: str, said: str) -> None:
    decision = Decision(kind=kind, stage=Stage.EXECUTED, turn=Turn.NOBODY, due_at=None, refund_minor=4000)
    waits = done(rules.decide_wait(state, decision, NOON))
    assert (waits.kind, waits.stage, waits.turn, waits.due_at) == (said, state.stage, Turn.NOBODY, NOON)
    assert rules.decide_wait(WAITING, decision, NOON) is None


def test_a_ruling_that_waits_for_money_is_beyond_review_and_waiver() -> None:
    assert code(rules.decide_review(WAITING, Side.MERCHANT, NOON)) is Refusal.NOT_YOUR_TURN
    assert code(rules.decide_waive(WAITING, Side.BUYER)) is Refusal.NOT_YOUR_TURN


def test_only_its_author_takes_a_ruling_back_and_only_unseen() -> None:
    state = handed_in(AT_SUPPORT)
    assert rules.decide_take_back(state, 7, NOON + timedelta(seconds=9)) is None
    for wrong, account_id, at in (
        (state, 8, NOON),
        (state, 7, PENDING.visible_at),
        (AT_SUPPORT, 7, NOON),
    ):
        assert code(rules.decide_take_back(wrong, account_id, at)) is Refusal.UNDO_OVER


# ---- review and waiver


def waived(*sides: Side) -> CaseState:
    return msgspec.structs.replace(
        RULED, ruling=msgspec.structs.replace(STANDING, waived_by=frozenset(side.value for side in sides))
    )


def test_either_party_asks_for_a_review_once() -> None:
    for side in (Side.BUYER, Side.MERCHANT):
        asked = done(rules.decide_review(RULED, side, NOON))
        assert (asked.stage, asked.turn, asked.due_at) == (Stage.REVIEW, Turn.PANEL, NOON + 72 * HOUR)
        assert code(rules.decide_review(IN_REVIEW, side, NOON)) is Refusal.NOT_YOUR_TURN
        assert code(rules.decide_review(CLOSED, side, NOON)) is Refusal.CASE_CLOSED
    assert code(rules.decide_review(RULED, Side.SUPPORT, NOON)) is Refusal.NOT_ALLOWED
    assert code(rules.decide_review(waived(Side.BUYER), Side.BUYER, NOON)) is Refusal.NOT_YOUR_TURN
    assert done(rules.decide_review(waived(Side.BUYER), Side.MERCHANT, NOON)).stage is Stage.REVIEW


def test_two_waivers_carry_the_ruling_out() -> None:
    one = done(rules.decide_waive(RULED, Side.BUYER))
    assert (one.kind, one.stage, one.turn, one.due_at) == ("waived", Stage.RULED_OPEN, Turn.PARTIES, RULED.due_at)
    both = done(rules.decide_waive(waived(Side.BUYER), Side.MERCHANT))
    assert (both.kind, both.stage, both.refund_minor) == ("waived_both", Stage.EXECUTED, 4000)
    assert code(rules.decide_waive(waived(Side.BUYER), Side.BUYER)) is Refusal.NOT_YOUR_TURN
    assert code(rules.decide_waive(AT_SUPPORT, Side.BUYER)) is Refusal.NOT_YOUR_TURN


def test_a_case_is_routed_out_once_where_the_rulebook_says_so() -> None:
    for state in (AT_SUPPORT, AT_PANEL, OVERTIME):
        routed = done(rules.decide_route_out(state, "ROUTE_OUT", NOON))
        assert (routed.stage, routed.turn, routed.due_at) == (Stage.ROUTED_OUT, Turn.DUTY, NOON + 720 * HOUR)
        assert code(rules.decide_route_out(state, "DENY", NOON)) is Refusal.NOT_ROUTED_OUT
    assert routed.offer_becomes is None
    offered = msgspec.structs.replace(AT_SUPPORT, offer=OFFER)
    assert done(rules.decide_route_out(offered, "ROUTE_OUT", NOON)).offer_becomes is OfferState.LAPSED
    assert code(rules.decide_route_out(IN_REVIEW, "ROUTE_OUT", NOON)) is Refusal.NOT_YOUR_TURN
    assert code(rules.decide_route_out(handed_in(AT_PANEL), "ROUTE_OUT", NOON)) is Refusal.ALREADY_RULED
    again = msgspec.structs.replace(AT_PANEL, was_routed_out=True)
    assert code(rules.decide_route_out(again, "ROUTE_OUT", NOON)) is Refusal.ROUTED_OUT


def test_what_an_authority_has_the_duty_officer_gives_to_the_panel_and_nobody_decides() -> None:
    assert code(rules.may_decide(ROUTED, Side.DUTY, 7, NOBODY)) is Refusal.ROUTED_OUT
    assert rules.may_decide(ROUTED, Side.DUTY, 7, NOBODY, takes_back=True) is None
    assert code(rules.may_decide(ROUTED, Side.DUTY, 7, frozenset({7}), takes_back=True)) is Refusal.RECUSED
    back = done(rules.decide_route_back(ROUTED, NOON))
    assert (back.kind, back.stage, back.turn, back.due_at) == (
        "routed_back",
        Stage.PANEL,
        Turn.PANEL,
        NOON + 72 * HOUR,
    )
    assert code(rules.decide_route_back(AT_PANEL, NOON)) is Refusal.NOT_YOUR_TURN
    for side, barred, allowed in ((Side.DUTY, NOBODY, {Action.ROUTE_BACK}), (Side.DUTY, frozenset({7}), set())):
        may = rules.allowed_actions(
            ROUTED, side, 7, barred, has_first_view=True, has_voted=False, is_asked=False, now=NOON
        )
        assert may == allowed
