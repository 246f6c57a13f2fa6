"""What stories come to; the engine's answers are held by tests/rulings, here it is what a person is told of them."""

import msgspec
import pytest

from helpstories import NO, NOW, YES, asked_out, at, happened, shown, told
from kabao.adjudication import Outcome
from kabao.adjudication.model import Shares
from kabao.selfhelp import (
    Answer,
    Business,
    Goods,
    Happening,
    Kind,
    Path,
    Side,
    Story,
    Strength,
    TermsKind,
    TermsText,
    To,
)
from kabao.selfhelp.assessing import assess
from kabao.selfhelp.book import law_rules
from kabao.selfhelp.questions import questions
from kabao.selfhelp.testimony import answers_of

RULES = law_rules()


def kinds(story: Story) -> list[tuple[str, str, int]]:
    return [(ask.strength.value, ask.what, ask.amount_minor) for ask in assess(story, RULES, NOW).asks]


def test_ones_own_word_makes_a_fair_demand_and_a_recording_a_strong_one() -> None:
    word = told("key_invalid", "delivered", "opened", "key_failed")
    found = assess(word, RULES, NOW)
    assert found.path is Path.ORDINARY
    assert kinds(word)[0] == ("fair", "refund", 10000)
    assert (found.wanted[0].fact, found.wanted[0].told) == ("key_failed", True)
    assert "录屏录像" in [text.zh for text in found.wanted[0].shown_by]
    assert any("只有本人陈述" in text.zh for text in found.unverified)
    seen = told("key_invalid", "delivered", "opened", "key_failed", evidence=(shown(Kind.RECORDING, "key_failed"),))
    assert kinds(seen)[0] == ("strong", "refund", 10000)
    assert all(cite.mark in {"V", "V2"} for ask in assess(seen, RULES, NOW).asks for cite in ask.cites)
    assert {"good_when_opened", "redeemed_by_buyer"} <= {risk.fact for risk in assess(seen, RULES, NOW).risks}


def test_a_file_counts_only_for_what_its_kind_can_show() -> None:
    paid = told("key_invalid", "delivered", "key_failed", evidence=(shown(Kind.PAYMENT_RECORD, "mismatch", "deceit"),))
    assert {strength for strength, _, _ in kinds(paid)} == {"fair", "weak"}


def test_treble_damages_are_weak_until_the_merchant_admits_deceit() -> None:
    """Judges want it beyond reasonable doubt, so a person is told that it is not the demand to start with."""
    fake = ("delivered", "key_failed")
    assert ("weak", "damages", 50000) in kinds(told("key_invalid", *fake))
    proof = (shown(Kind.ADMISSION, "deceit"), shown(Kind.RECORDING, "key_failed"))
    assert ("strong", "damages", 50000) in kinds(told("key_invalid", *fake, "deceit", evidence=proof))


@pytest.mark.parametrize(
    ("story", "outcome", "shares", "refund"),
    [
        (told("reclaimed", "access_lost", "risk_known", yuan=3500), Outcome.PARTIAL_REFUND, Shares(15, 85, 0), 297500),
        (told("minor_purchase", "child_acted", "under_18", "-guardian_agreed", yuan=36652),
         Outcome.VOID_RESTITUTION, Shares(0, 100, 0), 3665200),
        (told("not_as_described", "mismatch", yuan=40810), Outcome.FULL_REFUND, Shares(0, 100, 0), 4081000),
        (told("charged_at_export", "charge_hidden", yuan=9), Outcome.FULL_REFUND, Shares(0, 100, 0), 900),
        (told("bundle_item_failed", "mismatch", "one_item_affected", yuan=5500, amounts={"failed_minor": 60000}),
         Outcome.PARTIAL_REFUND, Shares(0, 100, 0), 60000),
        (told("clause_unfair", "ground_shown", yuan=14000, terms=(
            TermsText(file="terms/a.txt", of=Side.MERCHANT, kind=TermsKind.AGREEMENT,
                      text="虚拟商品一经售出，概不退换。"),)),
         Outcome.FULL_REFUND, Shares(0, 100, 0), 1400000),
        (told("delivery_changed", "mode_changed", "seller_is_platform", yuan=158),
         Outcome.FULL_REFUND, Shares(0, 0, 100), 15800),
        (told("service_closed", "service_stopped", "idle_by_choice", yuan=30000),
         Outcome.PARTIAL_REFUND, Shares(40, 60, 0), 1200000),
    ],
)  # fmt: skip
def test_a_published_case_told_by_its_buyer_ends_as_the_law_has_it(
    story: Story, outcome: Outcome, shares: Shares, refund: int
) -> None:
    found = assess(story, RULES, NOW).as_told
    assert found is not None
    assert (found.outcome, found.shares, found.refund_minor) == (outcome, shares, refund)


def test_a_buyer_at_fault_is_told_so_and_gets_an_offer_instead_of_a_demand() -> None:
    mistaken = asked_out(told("wrong_purchase", "opened", "exclusion_confirmed", "restriction_prominent"))
    found = assess(mistaken, RULES, NOW)
    assert (found.path, found.asks, found.letters) == (Path.BUYER, (), (To.MERCHANT,))
    assert "由你自己负责" in found.plainly[0].zh
    assert found.offer is not None
    assert (found.offer.keep_minor, found.offer.back_minor) == (1000, 9000)
    fee = msgspec.structs.replace(mistaken, amounts={"published_fee_minor": 500})
    offer = assess(fee, RULES, NOW).offer
    assert offer is not None
    assert (offer.keep_minor, offer.back_minor) == (500, 9500)
    used = assess(asked_out(told("key_invalid", "redeemed_by_buyer")), RULES, NOW)
    assert (used.path, used.offer, used.letters) == (Path.BUYER, None, ())


def test_who_does_not_know_what_decides_is_not_told_that_it_is_his_own_matter() -> None:
    story = told("key_invalid", "delivered")
    found = assess(story, RULES, NOW)
    assert (found.path, found.plainly, found.letters, found.as_told) == (Path.INCOMPLETE, (), (), None)
    assert assess(told("minor_purchase"), RULES, NOW).path is Path.INCOMPLETE
    assert assess(asked_out(told("wrong_purchase", "delivered")), RULES, NOW).path is Path.BUYER


def test_a_problem_without_the_fact_it_is_named_for_is_asked_again_and_in_no_letter() -> None:
    denied = told("reclaimed", "delivered", "-access_lost")
    found = assess(denied, RULES, NOW)
    assert (found.path, found.letters) == (Path.INCOMPLETE, ())
    again = questions(denied, RULES, NOW)[0]
    assert again.field in {"claim", "answers.access_lost"}
    assert again.again is not None
    assert "不要紧" in again.again.zh
    unknown = told("key_invalid", "delivered", answers={"delivered": YES, "key_failed": Answer.UNKNOWN})
    found = assess(unknown, RULES, NOW)
    assert (found.path, found.offer) == (Path.UNSETTLED, None)


def test_fraud_comes_before_every_letter_and_the_merchant_is_never_warned() -> None:
    story = told("not_delivered", "-delivered", "late", signs={"pay_to_unlock": YES})
    found = assess(story, RULES, NOW)
    assert (found.path, found.letters) == (Path.FRAUD, ())
    assert "110" in found.first[0].text.zh
    assert [cite.cite for cite in found.first[0].cites] == ["反诈法 20"]
    after = told(
        "not_delivered", "-delivered", signs={"pay_to_unlock": YES, "police_called": YES, "payment_stopped": NO}
    )
    assert assess(after, RULES, NOW).letters == (To.PAYMENT, To.PLATFORM)
    two = told("not_delivered", signs={"paid_privately": YES, "vanished": YES})
    assert assess(two, RULES, NOW).path is Path.FRAUD
    assert assess(told("not_delivered", signs={"vanished": YES}), RULES, NOW).path is not Path.FRAUD
    untold = told("", signs={"codes_asked": YES})
    assert assess(untold, RULES, NOW).path is Path.FRAUD


def test_unlawful_goods_get_plain_words_and_no_letter() -> None:
    found = assess(told("not_delivered", goods=Goods.REAL_NAME), RULES, NOW)
    assert (found.path, found.letters, found.asks) == (Path.UNLAWFUL, (), ())
    assert "不许买卖" in found.plainly[0].zh
    assert "民法典" in found.plainly[1].zh


def test_where_law_is_open_or_figures_are_missing_nothing_is_claimed() -> None:
    open_law = assess(told("changed_mind", "opened", "-used_up", "-exclusion_confirmed",
                           "restriction_prominent"), RULES, NOW)  # fmt: skip
    assert (open_law.path, open_law.letters) == (Path.UNSETTLED, tuple(to for to in To if to is not To.REPORT))
    assert [(ask.strength, ask.needs) for ask in open_law.asks] == [(Strength.WEAK, ("return_promised",))]
    lacking = assess(told("bundle_item_failed", "mismatch", "one_item_affected"), RULES, NOW)
    assert (lacking.path, lacking.plainly[0].zh) == (Path.UNSETTLED, "还差数目，算不出来。")
    assert assess(told("key_invalid", payment=type(lacking_payment())()), RULES, NOW).path is Path.INCOMPLETE


def lacking_payment() -> object:
    return told("key_invalid").payment


def test_letters_fit_who_was_bought_from_and_who_bought() -> None:
    alone = told("key_invalid", "key_failed", platform=Business(name="-"))
    assert assess(alone, RULES, NOW).letters == (To.MERCHANT, To.PAYMENT, To.ASSOCIATION, To.OFFICE, To.COURT)
    lied = assess(told("key_invalid", "key_failed", "deceit"), RULES, NOW).letters
    assert lied.index(To.REPORT) == lied.index(To.OFFICE) + 1
    trader = assess(told("reseller_purchase", "defect_shown", "notified_in_time", "not_consumer"), RULES, NOW)
    assert not {To.OFFICE, To.ASSOCIATION} & set(trader.letters)


def test_a_demand_never_names_law_that_was_not_in_force_when_the_order_was_placed() -> None:
    old = told("key_invalid", "key_failed")
    paid = type(old.payment)(at=type(at(1))(at(1).at.replace(year=2021)), amount=old.payment.amount)
    asks = assess(told("key_invalid", "key_failed", payment=paid), RULES, NOW).asks
    assert asks
    assert not [cite for ask in asks for cite in ask.cites if "实施条例" in cite.name.zh]
    assert asks[0].strength is Strength.FAIR


def test_events_and_dates_answer_what_they_already_tell() -> None:
    """What an event shows is not asked for; seven days are counted by the law's own beginnings."""
    events = (happened(Happening.DELIVERED, 14), happened(Happening.OPENED, 14), happened(Happening.COMPLAINED, 16))
    found = answers_of(told("key_invalid", "key_failed", "-opened", events=events, goods=Goods.BALANCE), NOW)
    assert (found["delivered"], found["opened"], found["within_seven_days"]) == (YES, NO, YES)
    assert (found["within_seven_of_payment"], found["stalled_15_days"], found["stored_value"]) == (YES, NO, YES)
    late = (happened(Happening.DELIVERED, 1), happened(Happening.COMPLAINED, 9), happened(Happening.CONFIRMED, 2))
    found = answers_of(told("key_invalid", events=late, signs={"vanished": YES}), NOW)
    assert (found["within_seven_days"], found["stalled_15_days"], found["released"]) == (NO, YES, YES)
    assert found["merchant_unnamed"] is Answer.UNKNOWN


def test_nothing_is_named_as_worth_showing_that_would_bring_nothing() -> None:
    found = assess(told("not_delivered", signs={"pay_to_unlock": YES, "police_called": YES, "payment_stopped": YES}),
                   RULES, NOW)  # fmt: skip
    assert found.wanted
    assert [one.fact for one in found.wanted if one.effect.zh == "不予退款"] == []
