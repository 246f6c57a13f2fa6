"""Money by formula: exact, the odd fen to the buyer, nothing invented where an amount is missing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kabao.adjudication.amounts import Sums, part, picked, redistribute, sums
from kabao.adjudication.casefile import AMOUNTS, NOT_ABOVE
from kabao.adjudication.model import (
    Base,
    Component,
    Damages,
    Demand,
    Less,
    Loss,
    Outcome,
    Price,
    Remedy,
    Shares,
)
from kabao.adjudication.naive import Naive
from rulebooks import book

REFUND = (Remedy.REFUND,)


def tidied(given: dict[str, int]) -> dict[str, int]:
    """Make drawn amounts possible: nothing used exceeds its total."""
    found = {"price_minor": 1000, **given}
    for less, more in NOT_ABOVE:
        if less in found and more in found:
            found[less] = min(found[less], found[more])
    return found


def partial(base: Base, **more: object) -> Price:
    return Price(Outcome.PARTIAL_REFUND, base, remedy=REFUND, **more)  # type: ignore[arg-type]


def refund(price: Price, shares: Shares | None = None, chosen: int | None = None, **given: int) -> Sums:
    amounts = {"price_minor": 1000, **given}
    return sums(price, shares or Shares(0, 100, 0), Damages(), Demand.REFUND, amounts, chosen)


@pytest.mark.parametrize(
    ("price", "given", "expected"),
    [
        (partial(Base.SHARE, share=33), {}, 330),
        (partial(Base.SHARE, share=33), {"price_minor": 101}, 34),
        (partial(Base.UNUSED_DAYS), {"days_total": 3, "days_used": 1}, 667),
        (partial(Base.UNUSED_DAYS), {"days_total": 3, "days_used": 3}, 0),
        (partial(Base.UNUSED_USES), {"uses_total": 10, "uses_used": 0}, 1000),
        (partial(Base.UNUSED_BALANCE), {"face_minor": 1200, "balance_minor": 300}, 250),
        (partial(Base.UNUSED), {"days_total": 4, "days_used": 1, "uses_total": 2, "uses_used": 2}, 750),
        (partial(Base.UNUSED), {"days_total": 4, "uses_total": 2, "uses_used": 1}, 500),
        (partial(Base.UNUSED), {"face_minor": 100, "balance_minor": 10}, 100),
        (partial(Base.UNUSED), {"use_value_minor": 900}, 100),
        (partial(Base.UNUSED), {"use_value_minor": 1900}, 0),
        (partial(Base.FAILED_ITEMS), {"failed_minor": 600, "items_total": 2, "items_failed": 1}, 600),
        (partial(Base.FAILED_ITEMS), {"items_total": 3, "items_failed": 1}, 334),
        (partial(Base.DIFFERENCE), {"value_received_minor": 400}, 600),
        (partial(Base.OVERPAID), {"overpaid_minor": 1500}, 1500),
        (partial(Base.FULL, less=Less.FEE), {"published_fee_minor": 60, "incurred_fee_minor": 58}, 942),
        (partial(Base.FULL, less=Less.FEE), {"published_fee_minor": 60}, 1000),
        (partial(Base.FULL, less=Less.FEE, fee_percent=10), {"published_fee_minor": 60, "incurred_fee_minor": 58}, 942),
        (
            partial(Base.FULL, less=Less.FEE, fee_percent=10),
            {"published_fee_minor": 400, "incurred_fee_minor": 300},
            900,
        ),
        (partial(Base.FULL, less=Less.FEE, fee_percent=10), {"published_fee_minor": 400}, 1000),
        (
            partial(Base.FULL, less=Less.FEE, fee_percent=10),
            {"price_minor": 1009, "published_fee_minor": 400, "incurred_fee_minor": 300},
            909,
        ),
        (partial(Base.FULL, less=Less.USE), {"use_value_minor": 1200}, 0),
    ],
)
def test_each_formula(price: Price, given: dict[str, int], expected: int) -> None:
    assert refund(price, **given).refund_minor == expected


@pytest.mark.parametrize(
    ("base", "needs"),
    [
        (Base.UNUSED_DAYS, ("days_total", "days_used")),
        (Base.UNUSED, ("days_used", "uses_used", "balance_minor", "use_value_minor")),
        (Base.DIFFERENCE, ("value_received_minor",)),
        (Base.OVERPAID, ("overpaid_minor",)),
        (Base.FAILED_ITEMS, ("items_total", "items_failed")),
    ],
)
def test_a_missing_amount_goes_to_a_person(base: Base, needs: tuple[str, ...]) -> None:
    found = refund(partial(base))
    assert (found.outcome, found.needs, found.refund_minor) == (Outcome.NEEDS_PERSON, needs, 0)


def test_fault_shares_pay_what_the_buyer_does_not_bear() -> None:
    price = partial(Base.FAULT, low=20, high=80)
    assert refund(price, Shares(40, 60, 0)).refund_minor == 600
    chosen = refund(price, Shares(40, 40, 20), chosen=50)
    assert (chosen.refund_minor, chosen.shares) == (500, Shares(50, 34, 16))
    assert refund(price, Shares(40, 60, 0), chosen=5).refund_minor == 200
    assert refund(partial(Base.FAULT), Shares(40, 60, 0), chosen=5).refund_minor == 600
    assert redistribute(Shares(100, 0, 0), 30) == Shares(70, 30, 0)


@given(st.integers(0, 10**9), st.integers(1, 1000), st.data())
def test_a_part_is_never_below_its_exact_value_nor_a_fen_above(amount: int, whole: int, data: st.DataObject) -> None:
    piece = data.draw(st.integers(0, whole))
    found = part(amount, piece, whole)
    assert found * whole >= amount * piece
    assert (found - 1) * whole < amount * piece or found == 0


prices = st.builds(
    Price,
    st.sampled_from([Outcome.PARTIAL_REFUND, Outcome.VOID_RESTITUTION, Outcome.REPLACE, Outcome.PROMISE]),
    st.sampled_from(list(Base)),
    st.integers(1, 99),
    st.none() | st.integers(0, 40),
    st.none() | st.integers(41, 100),
    st.sampled_from(list(Less)),
    st.sampled_from([(), REFUND, (Remedy.REFUND, Remedy.REPLACE), (Remedy.PERFORM, Remedy.REFUND), (Remedy.REPLACE,)]),
    st.booleans(),
    st.booleans(),
)
parts = st.builds(
    Component,
    st.sampled_from([loss for loss in Loss if loss is not Loss.GREATER_OF]),
    st.integers(1, 5),
    st.integers(0, 500),
    st.none() | st.integers(500, 900),
    st.booleans(),
)
components = parts | st.builds(
    Component, st.just(Loss.GREATER_OF), options=st.lists(parts, min_size=2, max_size=3).map(tuple)
)
given_amounts = st.dictionaries(st.sampled_from(sorted(AMOUNTS)), st.integers(1, 400)).map(tidied)


@settings(max_examples=600)
@given(
    prices,
    st.sampled_from([Shares(), Shares(40, 60, 0), Shares(0, 0, 100), Shares(30, 33, 37), Shares(100, 0, 0)]),
    st.lists(components, max_size=3).map(tuple),
    given_amounts,
    st.sampled_from(list(Demand)),
    st.none() | st.integers(0, 100),
)
def test_every_sum_agrees_with_the_oracle_s_fractions(
    price: Price, shares: Shares, owed: tuple[Component, ...], given: dict[str, int], demand: Demand, chosen: int | None
) -> None:
    found = sums(price, shares, Damages(owed), demand, given, chosen)
    slow = Naive(book())._money(price, shares, Damages(owed), None, given, demand, chosen, frozenset())
    assert (found.outcome, found.shares, found.refund_minor, found.damages_minor, found.buyer_pays_minor) == slow[:5]


def damages(*parts: Component, refunded: bool = False, **given: int) -> Sums:
    price = Price(Outcome.FULL_REFUND, Base.FULL, remedy=REFUND) if refunded else Price(Outcome.DAMAGES)
    amounts = {"price_minor": 1000, **given}
    return sums(price, Shares(0, 100, 0), Damages(parts), Demand.NONE, amounts)


def test_damages_by_component() -> None:
    triple = Component(Loss.MULTIPLE, times=3, floor_minor=50000)
    assert damages(triple).damages_minor == 50000
    assert damages(triple, price_minor=100000).damages_minor == 300000
    assert damages(Component(Loss.PROMISE), promise_multiple=10).damages_minor == 10000
    less = Component(Loss.PROMISE, less_refund=True)
    assert damages(less, refunded=True, promise_multiple=10).damages_minor == 9000
    assert damages(Component(Loss.PROMISE)).needs == ("promise_multiple",)
    assert damages(Component(Loss.PROMISED_SUM)).outcome is Outcome.NEEDS_PERSON
    assert damages(Component(Loss.LATE_FEE, cap_minor=100), late_fee_minor=500).damages_minor == 100
    both = damages(Component(Loss.PROVEN_LOSS), Component(Loss.INTEREST), Component(Loss.COSTS), proven_loss_minor=5)
    assert both.damages_minor == 5
    greater = Component(Loss.GREATER_OF, options=(Component(Loss.LATE_FEE), Component(Loss.PROVEN_LOSS)))
    assert damages(greater, proven_loss_minor=7).damages_minor == 7
    assert damages(greater, proven_loss_minor=7, late_fee_minor=9).damages_minor == 9
    neither = Component(Loss.GREATER_OF, options=(Component(Loss.LATE_FEE), Component(Loss.PROMISE)))
    assert damages(neither).needs == ("late_fee_minor",)


def test_the_demand_picks_only_what_is_offered_and_only_where_the_buyer_chooses() -> None:
    offer = Price(Outcome.FULL_REFUND, Base.FULL, remedy=(Remedy.REFUND, Remedy.REPLACE))
    assert picked(offer, Demand.REPLACE) == (Outcome.REPLACE, Remedy.REPLACE)
    assert picked(offer, Demand.PERFORM) == (Outcome.FULL_REFUND, Remedy.REFUND)
    mine = Price(Outcome.FULL_REFUND, Base.FULL, remedy=(Remedy.REFUND, Remedy.REPLACE), buyer_chooses=False)
    assert picked(mine, Demand.REPLACE) == (Outcome.FULL_REFUND, Remedy.REFUND)
    work = Price(Outcome.PERFORM, Base.FULL, remedy=(Remedy.PERFORM, Remedy.REFUND))
    assert picked(work, Demand.NONE) == (Outcome.PERFORM, Remedy.PERFORM)
    assert picked(work, Demand.REFUND) == (Outcome.FULL_REFUND, Remedy.REFUND)
    some = Price(Outcome.REPLACE, Base.UNUSED_DAYS, remedy=(Remedy.REPLACE, Remedy.REFUND))
    assert picked(some, Demand.REFUND) == (Outcome.PARTIAL_REFUND, Remedy.REFUND)
    assert picked(Price(Outcome.DENY), Demand.REFUND) == (Outcome.DENY, None)
