"""The panel: its size, the draw, the votes and their tally, recusal; and what the ladder offers to whom."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kabao.cases.ladder import rules
from kabao.cases.ladder.grounds import losing
from kabao.cases.ladder.model import Answer, Award, Candidate, Grounds, Shares, Take, Vote
from kabao.cases.machine import STEPS, Stage
from kabao.cases.model import (
    Action,
    CaseState,
    Decision,
    Remedy,
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
    RULED,
    STANDING,
    WINDOWS,
    case,
    code,
    handed_in,
)

# ---- the panel


def test_three_decide_from_the_amount_of_the_rulebook() -> None:
    assert [rules.panel_size(amount, WINDOWS) for amount in (49_999, 50_000)] == [1, 3]


def test_the_draw_prefers_those_with_fewer_seats_and_is_the_same_by_the_same_seed() -> None:
    pool = [Candidate(number, number % 2) for number in range(1, 9)]
    drawn = rules.draw(pool, "7:panel:0", 4)
    assert sorted(drawn) == [2, 4, 6, 8]
    assert rules.draw(list(reversed(pool)), "7:panel:0", 4) == drawn
    assert len({tuple(rules.draw(pool, f"{seed}", 4)) for seed in range(50)}) > 10
    assert rules.draw(pool, "x", 0) == rules.draw(pool, "x", -1) == []


def vote(number: int, amount: int, *, upholds: bool = True, shares: Shares | None = None) -> Vote:
    return Vote(
        panellist_id=number,
        upholds=upholds,
        refund_minor=amount,
        shares=shares or Shares(merchant=100),
        facts=f"facts {number}",
        reasons=f"reasons {number}",
    )


def test_votes_count_when_all_are_in() -> None:
    assert rules.tally([], 1) is None
    assert rules.tally([vote(1, 10), vote(2, 10)], 3) is None
    one = rules.tally([vote(1, 10)], 1)
    assert one is not None
    assert (one.upholds, one.award.refund_minor, one.facts, one.dissent) == (True, 10, "facts 1", [])


def test_who_is_outvoted_on_the_claim_still_counts_for_the_amount_and_is_printed() -> None:
    votes = [vote(1, 100, upholds=False, shares=Shares(buyer=100)), vote(2, 900), vote(3, 500)]
    counted = rules.tally(votes, 3)
    assert counted is not None
    assert (counted.upholds, counted.award.refund_minor, counted.reasons) == (True, 500, "reasons 3")
    assert counted.dissent == ["reasons 1"]
    assert counted.shares == Shares(merchant=100)
    denied = rules.tally([vote(1, 100, upholds=False), vote(2, 900), vote(3, 500, upholds=False)], 3)
    assert denied is not None
    assert (denied.upholds, denied.award.refund_minor, denied.dissent) == (False, 0, ["reasons 2"])


def test_a_majority_speaks_with_one_members_grounds_and_the_others_fill_what_that_one_left_open() -> None:
    def answered(by: str, *keys: str) -> list[Answer]:
        return [Answer(point=key, take=Take.ACCEPTED, why=by) for key in keys]

    first = Grounds(answers=answered("3", "claim"), unanswered="第三人说不等")
    second = Grounds(answers=answered("2", "claim", "e7"), articles=["late"], laws=["xiaofa-55"])
    outvoted = Grounds(answers=answered("1", "f9"), articles=["crime"])
    votes = [
        replace(vote(1, 100, upholds=False), grounds=outvoted),
        replace(vote(2, 900), grounds=second),
        replace(vote(3, 500), grounds=first),
    ]
    counted = rules.tally(votes, 3)
    assert counted is not None
    assert [(one.point, one.why) for one in counted.grounds.answers] == [("claim", "3"), ("e7", "2")]
    assert (counted.grounds.articles, counted.grounds.laws) == (["late"], ["xiaofa-55"])
    assert counted.grounds.unanswered == "第三人说不等"


@pytest.mark.parametrize(
    ("wants", "award", "lost"),
    [
        ({}, Award(HELD), {"merchant"}),
        ({}, Award(4000), {"buyer", "merchant"}),
        ({}, Award(0), {"buyer"}),
        ({}, Award(0, 500), {"buyer", "merchant"}),
        ({"demand": Remedy.PARTIAL_REFUND, "demand_minor": 4000}, Award(4000), {"merchant"}),
        ({"demand": Remedy.REPLACEMENT}, Award(HELD, replaces=True), {"merchant"}),
        ({"opened_by": Side.MERCHANT, "demand": Remedy.RELEASE}, Award(0), {"buyer"}),
        ({"opened_by": Side.MERCHANT, "demand": Remedy.RELEASE}, Award(HELD), {"merchant"}),
        (
            {"opened_by": Side.MERCHANT, "demand": Remedy.PARTIAL_REFUND, "demand_minor": 4000},
            Award(4000),
            {"buyer"},
        ),
    ],
)
def test_who_does_not_get_all_he_wants_is_answered(wants: dict[str, object], award: Award, lost: set[str]) -> None:
    assert losing(case(Stage.SUPPORT, Turn.SUPPORT, **wants), award) == lost


PARTS = st.tuples(st.integers(0, 100), st.integers(0, 100)).map(
    lambda cut: Shares(buyer=min(cut), merchant=max(cut) - min(cut), platform=100 - max(cut))
)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, HELD), PARTS), min_size=3, max_size=3))
def test_a_tally_is_a_whole_ruling_whatever_the_votes(drawn: list[tuple[bool, int, Shares]]) -> None:
    votes = [vote(n, amount, upholds=up, shares=shares) for n, (up, amount, shares) in enumerate(drawn)]
    counted = rules.tally(votes, 3)
    assert counted is not None
    assert counted.shares.is_whole
    assert 0 <= counted.award.refund_minor <= HELD
    assert len(counted.dissent) <= 1
    assert (counted.award.refund_minor > 0) is counted.upholds


def test_a_panellist_votes_once_within_what_is_held() -> None:
    assert rules.decide_vote(AT_PANEL, Award(HELD), has_voted=False) is None
    assert code(rules.decide_vote(AT_PANEL, Award(HELD), has_voted=True)) is Refusal.ALREADY_VOTED
    for amount in (0, HELD + 1):
        assert code(rules.decide_vote(AT_PANEL, Award(amount), has_voted=False)) is Refusal.REFUND_OUT_OF_RANGE
    for state in (AT_SUPPORT, OVERTIME, IN_REVIEW):
        assert code(rules.decide_vote(state, Award(HELD), has_voted=False)) is Refusal.NOT_YOUR_TURN


def test_new_keys_are_voted_on_where_they_were_demanded() -> None:
    keys = Award(HELD, replaces=True)
    assert code(rules.decide_vote(AT_PANEL, keys, has_voted=False)) is Refusal.REPLACEMENT_NOT_ASKED
    demanded = msgspec.structs.replace(AT_PANEL, demand=Remedy.REPLACEMENT)
    assert rules.decide_vote(demanded, keys, has_voted=False) is None


def test_damages_are_the_median_and_new_keys_the_majoritys() -> None:
    votes = [
        msgspec.structs.replace(vote(number, HELD), damages_minor=damages, replaces=replaces)
        for number, damages, replaces in ((1, 0, True), (2, 50_000, True), (3, 29_000, False))
    ]
    counted = rules.tally(votes, 3)
    assert counted is not None
    assert counted.award == Award(HELD, 29_000, replaces=True)
    denied = rules.tally([msgspec.structs.replace(one, upholds=False) for one in votes], 3)
    assert denied is not None
    assert denied.award == Award(0)


def test_a_panellist_leaves_the_seat_before_deciding() -> None:
    assert rules.decide_recuse(AT_PANEL, Side.PANEL, has_voted=False) is None
    assert rules.decide_recuse(IN_REVIEW, Side.PANEL, has_voted=False) is None
    assert code(rules.decide_recuse(AT_PANEL, Side.DUTY, has_voted=False)) is Refusal.NOT_ALLOWED
    assert code(rules.decide_recuse(CLOSED, Side.PANEL, has_voted=False)) is Refusal.CASE_CLOSED
    assert code(rules.decide_recuse(AT_PANEL, Side.PANEL, has_voted=True)) is Refusal.ALREADY_VOTED
    assert code(rules.decide_recuse(RULED, Side.PANEL, has_voted=False)) is Refusal.ALREADY_RULED
    assert code(rules.decide_recuse(handed_in(IN_REVIEW), Side.PANEL, has_voted=False)) is Refusal.ALREADY_RULED


# ---- what pages offer


@pytest.mark.parametrize(
    ("state", "side", "has_view", "allowed"),
    [
        (AT_SUPPORT, Side.SUPPORT, False, {Action.ASK, Action.PASS_ON, Action.FIRST_VIEW}),
        (AT_SUPPORT, Side.SUPPORT, True, {Action.ASK, Action.PASS_ON, Action.RULE}),
        (handed_in(AT_SUPPORT), Side.SUPPORT, True, {Action.ASK, Action.TAKE_BACK}),
        (AT_PANEL, Side.PANEL, False, {Action.ASK, Action.FIRST_VIEW, Action.RECUSE}),
        (AT_PANEL, Side.PANEL, True, {Action.ASK, Action.VOTE, Action.RECUSE}),
        (IN_REVIEW, Side.PANEL, True, {Action.ASK, Action.RULE, Action.RECUSE}),
        (OVERTIME, Side.DUTY, True, {Action.ASK, Action.RULE}),
        (RULED, Side.BUYER, False, {Action.ASK_REVIEW, Action.WAIVE}),
        (RULED, Side.SUPPORT, True, set()),
        (CLOSED, Side.MERCHANT, False, set()),
    ],
)
def test_what_the_ladder_offers(state: CaseState, side: Side, *, has_view: bool, allowed: set[Action]) -> None:
    found = rules.allowed_actions(
        state, side, 7, NOBODY, has_first_view=has_view, has_voted=False, is_asked=False, now=NOON
    )
    assert found == allowed


def test_a_question_offers_its_answer_while_the_case_is_open() -> None:
    def offered(state: CaseState) -> frozenset[Action]:
        return rules.allowed_actions(
            state, Side.BUYER, 1, NOBODY, has_first_view=False, has_voted=False, is_asked=True, now=NOON
        )

    assert offered(AT_SUPPORT) == {Action.REPLY}
    assert offered(CLOSED) == frozenset()


STATES = st.builds(
    case,
    st.sampled_from(Stage),
    st.sampled_from(Turn),
    st.none() | st.integers(-100, 400),
    ruling=st.sampled_from([None, STANDING]),
    pending=st.sampled_from([None, PENDING]),
    offer=st.sampled_from([None, OFFER]),
)


@given(STATES, st.sampled_from(Side), st.integers(0, 400), st.none() | st.integers(1, HELD))
def test_every_decision_is_a_step_of_the_table(state: CaseState, side: Side, hours: int, supported: int | None) -> None:
    now = NOON + hours * HOUR
    answers = [
        rules.decide_due(state, now, None if supported is None else Award(supported)),
        rules.decide_pass_on(state, now),
        rules.decide_review(state, side, now),
        rules.decide_waive(state, side),
    ]
    for decision in answers:
        if isinstance(decision, Decision):
            assert decision.stage is state.stage or (state.stage, decision.stage) in STEPS
            assert 0 <= decision.refund_minor <= HELD
            assert decision.stage.is_open or (decision.turn is Turn.NOBODY and decision.due_at is None)
