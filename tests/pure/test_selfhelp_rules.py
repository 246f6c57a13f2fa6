from datetime import date
from typing import Any

import pytest

from helpstories import NO, NOW, YES, at, happened, told
from kabao.selfhelp import (
    Amount,
    Business,
    Ending,
    EndKind,
    EvidenceItem,
    Happening,
    Kind,
    Moment,
    SentLetter,
    Story,
    To,
)
from kabao.selfhelp.rules import faults, is_fraud, is_unlawful

FIFTH, LATER = Moment(NOW.replace(day=25)), at(28)


def found(**more: Any) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.code, one.places) for one in faults(told("key_invalid", **more), NOW)]


def test_a_story_that_can_be_has_no_faults() -> None:
    letter = SentLetter(to=To.MERCHANT, sent=at(20), answered=at(21))
    events = (happened(Happening.PAID, 14, Amount(10000)), happened(Happening.OTHER, 24))
    ended = Ending(kind=EndKind.REFUNDED, at=at(24), amount=Amount(10000))
    today = Moment(at(25, 0).at, exact=False)
    item = EvidenceItem(file="evidence/a.png", kind=Kind.SCREENSHOT, taken=today)
    more = EvidenceItem(file="evidence/b.png", kind=Kind.SCREENSHOT)
    since = Business(name="店", since=date(2020, 1, 1))
    open_letter = SentLetter(to=To.PLATFORM, sent=at(22))
    assert found(letters=(open_letter, letter), events=events, ending=ended, evidence=(item, more), shop=since) == []
    assert found(payment=type(told("").payment)()) == []


def test_dates_to_come_or_before_the_shop_was_there_are_refused_at_their_places() -> None:
    assert found(events=(happened(Happening.OTHER, 28),)) == [("in_future", ("events.1.at",))]
    assert found(ending=Ending(kind=EndKind.STOPPED, at=LATER)) == [("in_future", ("ending.at",))]
    assert found(platform=Business(name="台", since=date(2026, 11, 20))) == [
        ("before_the_shop", ("payment.at", "platform.since"))
    ]
    assert found(letters=(SentLetter(to=To.COURT, sent=at(20), answered=at(19)),)) == [
        ("answered_before_sent", ("letters.1.answered", "letters.1.sent"))
    ]


def test_other_currencies_are_refused_kindly_and_nothing_is_added_up() -> None:
    event = happened(Happening.OTHER, 15, Amount(4000, "USD"))
    one = faults(told("key_invalid", events=(event,)), NOW)[0]
    assert (one.code, one.places) == ("other_currency", ("events.1.amount",))
    assert "40.00 USD" in one.text.zh


@pytest.mark.parametrize(
    ("story", "places"),
    [
        (told("key_invalid", "-opened", "used_up"), ("answers.opened", "answers.used_up")),
        (told("key_invalid", "-delivered", events=(happened(Happening.DELIVERED, 15),)),
         ("answers.delivered", "events.1")),
        (told("key_invalid", events=(happened(Happening.PAID, 14, Amount(1)),)),
         ("payment.amount", "events.1.amount")),
        (told("key_invalid", events=(happened(Happening.PAID, 15),)), ("payment.at", "events.1.at")),
    ],
)  # fmt: skip
def test_what_contradicts_itself_names_both_places(story: Story, places: tuple[str, str]) -> None:
    assert [(one.code, one.places) for one in faults(story, NOW)] == [("contradiction", places)]


def test_figures_that_cannot_be_are_asked_again_and_never_reach_the_engine() -> None:
    assert found(amounts={"items_total": 0}) == [("out_of_bounds", ("amounts.items_total",))]
    assert found(amounts={"promise_multiple": 1001}) == [("out_of_bounds", ("amounts.promise_multiple",))]
    assert found(amounts={"failed_minor": 10001}) == [("contradiction", ("amounts.failed_minor", "payment.amount"))]
    assert found(amounts={"days_used": 9, "days_total": 8}) == [
        ("contradiction", ("amounts.days_used", "amounts.days_total"))
    ]
    assert found(amounts={"days_used": 8, "days_total": 8}) == []
    too_much = type(told("").payment)(amount=Amount(2_000_000_000_00))
    assert found(payment=too_much, amounts={"failed_minor": 1}) == [("out_of_bounds", ("payment.amount",))]


def test_two_payments_are_no_contradiction() -> None:
    assert found(events=(happened(Happening.PAID, 14, Amount(5000)), happened(Happening.PAID, 15, Amount(5000)))) == []


def test_a_crime_or_unlawful_goods_may_also_be_named_outright() -> None:
    assert is_fraud(told("key_invalid", "crime_suspected"))
    assert is_unlawful(told("key_invalid", "goods_unlawful"))
    assert not is_fraud(told("key_invalid", signs={"vanished": YES, "unknown_sign": YES, "nothing_came": NO}))
