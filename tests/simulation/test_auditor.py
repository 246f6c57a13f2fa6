"""The auditor's own model, by hand: it expects what decision records 0006 and 0007 say, not what the code does."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from kabao.simulation.auditor import Ballot, Followed, Times
from kabao.simulation.books import Books, OrderBook, Paid
from kabao.simulation.model import Award

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TIMES = Times(
    negotiation=48,
    negotiation_green=24,
    support_outcome=48,
    question_pause=12,
    panel=72,
    review_window=168,
    review=72,
    duty=72,
    panel_three_from=500_00,
    small_amount=50_00,
    green_channel_amount=200_00,
)
STAKE = 96_50
ALL, PART = Award(STAKE), Award(40_00)


def followed(
    stake: int = STAKE, *, is_held: bool = True, demand: str = "full_refund", opened_by: str = "buyer"
) -> Followed:
    return Followed(
        ref="1-C",
        order_ref="1-A",
        shop_id=1,
        case_id=2,
        buyer_id=3,
        owner_id=4,
        claim="already_used",
        demand=demand,
        asked_minor=10_00,
        stake_minor=stake,
        is_held=is_held,
        opened_at=NOON,
        times=TIMES,
        reply=48,
        tally=Counter(),
        opened_by=opened_by,
    )


def pays(_case: Followed, _award: Award) -> bool:
    return True


def short(_case: Followed, _award: Award) -> bool:
    return False


def stands(case: Followed) -> tuple[str, str, datetime | None]:
    return case.stage, case.turn, case.due_at


def ruled(award: Award = PART) -> Followed:
    case = followed()
    case.escalated("buyer", NOON)
    case.handed_in(9, "support", award, NOON)
    assert not case.pass_time(NOON + timedelta(seconds=9), None, pays)
    assert case.pass_time(NOON + timedelta(seconds=10), None, pays)
    return case


def test_a_small_amount_a_first_purchase_and_proved_facts_shorten_the_time_to_answer() -> None:
    assert TIMES.reply(50_01, is_first=False, is_proved=False) == 48
    assert TIMES.reply(50_00, is_first=False, is_proved=False) == 24
    assert TIMES.reply(900_00, is_first=True, is_proved=False) == 24
    assert TIMES.reply(900_00, is_first=False, is_proved=True) == 24


def test_what_a_silent_merchant_comes_to_depends_on_the_rulebook_and_on_where_the_money_is() -> None:
    late = NOON + 48 * HOUR
    supported, unsupported, released = followed(), followed(), followed(is_held=False)
    assert not supported.pass_time(late - HOUR, ALL, pays)
    assert [one.pass_time(late, ALL, pays) for one in (supported, released)] == [True, True]
    assert unsupported.pass_time(late, None, pays)
    assert (*stands(supported), supported.rulings) == (
        "ruled_open",
        "parties",
        late + 168 * HOUR,
        [("default", ALL)],
    )
    assert stands(unsupported) == stands(released) == ("support", "support", late + 48 * HOUR)
    assert supported.tally == unsupported.tally == Counter(missed=1)


def test_what_is_decided_at_once_ends_by_itself_and_pays_nothing_more() -> None:
    case = followed()
    case.decided_at_once(NOON)
    assert stands(case) == ("green", "parties", NOON + 168 * HOUR)
    assert case.standing.ruling == ("green", ALL)
    assert not case.pass_time(NOON + 167 * HOUR, None, short)
    assert case.pass_time(NOON + 168 * HOUR, None, short)
    assert stands(case) == ("executed", "nobody", None)


def test_a_case_rises_step_by_step_where_nobody_moves_and_waits_for_the_duty_officer() -> None:
    case, now = followed(stake=500_00), NOON
    case.contested(now)
    for hours, expected in ((48, ("support", "support")), (48, ("panel", "panel")), (72, ("panel", "duty"))):
        now += hours * HOUR
        assert case.pass_time(now, None, pays)
        assert (case.stage, case.turn) == expected
    assert (case.seats, case.next_at, case.is_due(now)) == (3, None, False)
    assert not case.pass_time(now + 900 * HOUR, None, pays)
    assert case.tally == Counter(met=1, missed=3)


def test_a_review_that_nobody_decides_leaves_the_ruling_standing() -> None:
    case = ruled()
    case.review_asked("merchant", NOON + DAY)
    assert case.pass_time(NOON + DAY + 72 * HOUR, None, pays)
    assert stands(case) == ("review", "duty", NOON + DAY + 144 * HOUR)
    assert case.pass_time(NOON + DAY + 144 * HOUR, None, pays)
    assert (case.stage, case.rulings, case.tally["stood"]) == ("executed", [("support", PART)], 1)
    assert not case.pass_time(NOON + 900 * DAY, None, pays)


def test_a_review_replaces_the_ruling_and_is_carried_out_at_once_or_waits_for_money() -> None:
    case = ruled()
    case.review_asked("buyer", NOON + DAY)
    case.handed_in(7, "panel", ALL, NOON + DAY)
    known = NOON + DAY + timedelta(seconds=10)
    assert case.pass_time(known, None, short)
    assert (*stands(case), case.rulings[-1]) == ("review", "nobody", known, ("review", ALL))
    assert (case.is_waiting, case.next_at) == (True, None)
    assert not case.pass_time(known + HOUR, None, short)
    assert case.pass_time(known + 2 * HOUR, None, pays)
    assert (case.stage, case.ruled_by) == ("executed", {7, 9})
    assert case.tally["overturned"] == case.tally["waited_for_money"] == 1


def test_both_waive_and_a_ruling_is_carried_out_or_the_window_passes() -> None:
    first, second = ruled(), ruled()
    first.review_waived("buyer", NOON + HOUR, pays)
    assert first.stage == "ruled_open"
    first.review_waived("merchant", NOON + HOUR, pays)
    assert second.pass_time(NOON + timedelta(seconds=10) + 168 * HOUR, None, pays)
    assert first.stage == second.stage == "executed"
    assert second.tally == Counter(moot=1, met=1), "time to ask for a review is nobody's deadline"


def test_questions_pause_a_stage_for_twelve_hours_in_all() -> None:
    case = followed()
    case.escalated("buyer", NOON)
    case.asked(NOON + HOUR)
    assert case.due_at == NOON + 60 * HOUR
    case.asked(NOON + 2 * HOUR)
    assert case.due_at == NOON + 60 * HOUR, "the clock stands still already"
    case.replied(NOON + 3 * HOUR, is_last=False)
    assert case.due_at == NOON + 60 * HOUR
    case.replied(NOON + 6 * HOUR, is_last=True)
    assert case.due_at == NOON + 53 * HOUR
    case.asked(NOON + 20 * HOUR)
    assert case.due_at == NOON + 60 * HOUR, "five hours had been used"
    case.asked(NOON + 40 * HOUR)
    assert case.due_at == NOON + 60 * HOUR, "nothing is left to pause"


def test_what_an_authority_has_stands_still_until_it_is_given_back_or_thirty_days_are_over() -> None:
    waited, returned = followed(stake=500_00), followed(stake=500_00)
    for case in (waited, returned):
        case.contested(NOON)
        case.escalated("buyer", NOON)
        case.offered("merchant", "partial_refund", 1_00, NOON)
        case.passed_on(NOON)
        case.voted(6, Ballot(upholds=True, award=ALL), NOON)
        assert not case.may_be_routed
        case.has_signs = True
        assert (case.may_be_routed, case.is_negotiable) == (True, True)
        case.routed_out("panel", NOON)
        assert (*stands(case), case.offer, case.ballots) == ("routed_out", "duty", NOON + 30 * DAY, None, {})
        assert (case.may_be_routed, case.is_negotiable) == (False, False)
    assert not waited.pass_time(NOON + 29 * DAY, ALL, pays)
    assert waited.pass_time(NOON + 30 * DAY, ALL, pays)
    returned.given_back(NOON + DAY)
    assert stands(waited) == ("panel", "panel", NOON + 33 * DAY)
    assert stands(returned) == ("panel", "panel", NOON + 4 * DAY)
    assert (waited.may_be_routed, waited.is_negotiable) == (False, False)
    assert waited.tally == returned.tally == Counter(met=4), "an authority has no deadline that staff could miss"


def test_three_vote_and_majorities_and_medians_decide() -> None:
    case = followed(stake=600_00)
    case.passed_on(NOON)
    ballots = [
        Ballot(upholds=True, award=Award(300_00, 10_00, replaces=True)),
        Ballot(upholds=False, award=Award(100_00, 0)),
        Ballot(upholds=True, award=Award(500_00, 90_00, replaces=True)),
    ]
    for number, ballot in enumerate(ballots):
        assert not case.has_ruling_in()
        case.voted(number, ballot, NOON)
    assert case.handed is not None
    assert case.handed.award == Award(300_00, 10_00, replaces=True)
    case.taken_back(2)
    assert not case.has_ruling_in()
    case.voted(2, Ballot(upholds=False, award=Award(500_00)), NOON)
    assert case.handed.award == Award(0)
    assert case.next_at == NOON + timedelta(seconds=10)


def test_offers_pass_the_turn_on_and_a_move_out_of_turn_lengthens_nothing() -> None:
    case = followed(demand="partial_refund")
    case.offered("buyer", "partial_refund", 30_00, NOON + HOUR)
    assert (*stands(case), case.offer) == (
        "negotiation",
        "merchant",
        NOON + 48 * HOUR,
        ("buyer", "partial_refund", 30_00),
    )
    case.refused("merchant", NOON + 2 * HOUR)
    assert (*stands(case), case.offer) == ("negotiation", "buyer", NOON + 50 * HOUR, None)
    assert case.granted_minor == 10_00
    case.settled("merchant", NOON + 3 * HOUR)
    assert case.standing.is_closed
    other = followed()
    other.withdrawn(NOON)
    assert stands(other) == ("withdrawn", "nobody", None)


def books(amount: int = 100_00) -> Books:
    kept = Books()
    kept.paid(
        OrderBook(
            ref="1-A",
            shop_id=1,
            amount_minor=amount,
            fee_bps=300,
            placed_at=NOON,
            escrow=3 * DAY,
            release_due=NOON + 3 * DAY,
            claim_days=7 * DAY,
            sealed=2,
        )
    )
    return kept


def test_a_case_stops_the_release_clock_and_a_withdrawal_leaves_a_day() -> None:
    kept = books()
    kept.frozen("1-A", NOON + 3 * DAY - HOUR)
    assert kept.due(NOON + 9 * DAY) == []
    kept.thawed("1-A", NOON + 4 * DAY)
    assert kept.due(NOON + 5 * DAY - HOUR) == []
    assert kept.due(NOON + 5 * DAY) == ["1-A"]
    kept.frozen("1-A", NOON + 4 * DAY)
    kept.replaced("1-A", NOON + 4 * DAY)
    assert kept.due(NOON + 7 * DAY) == ["1-A"]


def test_claims_after_the_release_draw_on_deposit_then_reserve_and_releases_pay_back() -> None:
    kept = books()
    kept.released("1-A", NOON)
    kept.deposited(1, 30_00)
    kept.reserve_filled(50_00)
    assert not kept.reaches("1-A", 40_00)
    assert not kept.resolved("1-A", 100_00, NOON, with_reserve=True), "neither reaches, so nothing is paid in part"
    assert kept.fund(1).deposit == 30_00
    assert kept.resolved("1-A", 60_00, NOON, with_reserve=True)
    assert (kept.fund(1).deposit, kept.fund(1).owed, kept.reserve) == (0, 30_00, 20_00)
    kept.orders["1-B"] = books(40_01).orders["1-A"]
    kept.released("1-B", NOON)
    assert kept.fund(1).owed == 30_00 - 19_41, "half of 38.81, rounded up"
    assert kept.reserve == 20_00 + 19_41


def test_damages_come_out_of_the_deposit_and_what_it_does_not_reach_is_owed_the_oldest_first() -> None:
    kept = books()
    kept.orders["1-B"] = books().orders["1-A"]
    kept.deposited(1, 30_00)
    kept.awarded("1-B", 40_00, NOON)
    kept.awarded("1-A", 5_00, NOON + HOUR)
    assert (kept.fund(1).deposit, kept.orders["1-B"].damages, kept.pay_owed()) == (0, 30_00, 0)
    kept.deposited(1, 12_00)
    assert kept.pay_owed() == 12_00
    assert (kept.orders["1-B"].damages, kept.orders["1-A"].damages) == (40_00, 2_00)
    assert kept.fund(1).damages == [(NOON + HOUR, "1-A", 3_00)]


def test_when_an_order_may_be_claimed_on() -> None:
    kept = books()
    assert kept.may_claim("1-A", NOON) == ""
    kept.opened("1-A", NOON, is_partly=True)
    kept.released("1-A", NOON + DAY)
    assert kept.may_claim("1-A", NOON + 8 * DAY - HOUR) == "", "one key was still sealed at the release"
    assert kept.may_claim("1-A", NOON + 8 * DAY) == "claim_days_over"
    kept.opened("1-A", NOON + 2 * DAY, is_partly=False)
    assert kept.may_claim("1-A", NOON + 8 * DAY) == ""
    assert kept.resolved("1-A", 0, NOON + 8 * DAY, with_reserve=True)
    assert kept.may_claim("1-A", NOON + 8 * DAY) == "case_closed"
    whole = books()
    whole.refunded_sealed("1-A", 100_00)
    assert whole.may_claim("1-A", NOON) == "already_refunded"
    assert whole.due(NOON + 9 * DAY) == []


def test_what_the_custodian_has_otherwise_is_told_with_both_figures() -> None:
    kept = books()
    kept.released("1-A", NOON)
    kept.paid_for_nothing("1-Z", 5_00)
    kept.deposited(1, 30_00)
    kept.deposit_returned(1, 10_00)
    agreed = {"1-A": Paid(to_merchant=97_00, fee=3_00), "1-Z": Paid(to_buyer=5_00)}
    assert list(kept.off_by(agreed, {"deposit:1": 20_00}, {})) == []
    off = list(kept.off_by({"1-A": Paid(to_merchant=97_00, fee=2_00)}, {"reserve": 1}, {1: 3}))
    assert off == [
        ("order 1-A fee", 3_00, 2_00),
        ("order 1-Z to_buyer", 5_00, 0),
        ("shop 1 deposit", 20_00, 0),
        ("shop 1 recouped", 0, 3),
        ("reserve", 0, 1),
    ]


def test_only_the_merchant_objects_to_what_was_decided_at_once_and_the_buyer_keeps_it() -> None:
    waived, reviewed = followed(), followed()
    for case in (waived, reviewed):
        case.decided_at_once(NOON)
        assert [case.may_object(side) for side in ("buyer", "merchant")] == [False, True]
    waived.review_waived("merchant", NOON, pays)
    reviewed.review_asked("merchant", NOON)
    reviewed.handed_in(7, "panel", PART, NOON)
    assert reviewed.pass_time(NOON + timedelta(seconds=10), None, short)
    assert (waived.stage, reviewed.is_waiting) == ("executed", True)
    kept = books()
    kept.reserve_filled(9_70)
    assert kept.resolved("1-A", 100_00, NOON, with_reserve=False)
    assert not kept.reverse("1-A", 10_01)
    assert kept.reverse("1-A", 10_00)
    assert (kept.reserve, kept.orders["1-A"].reversed, kept.fund(1).owed) == (0, 9_70, 0)


def test_a_buyer_who_is_silent_in_a_merchants_case_loses_nothing_and_the_case_rises() -> None:
    case = followed(demand="release", opened_by="merchant")
    assert (case.turn, case.answerer, case.granted_minor, case.may_stand) == ("buyer", "buyer", 0, False)
    assert case.pass_time(NOON + 48 * HOUR, ALL, pays)
    assert stands(case) == ("support", "support", NOON + 96 * HOUR)
    other = followed(demand="release", opened_by="merchant")
    other.contested(NOON + HOUR)
    assert stands(other) == ("negotiation", "merchant", NOON + 49 * HOUR)
    assert other.pass_time(NOON + 49 * HOUR, ALL, pays)
    assert (other.stage, other.rulings) == ("support", [])
    other.withdrawn(NOON + 50 * HOUR)
    assert other.tally == Counter(met=1, missed=1, moot=1)
