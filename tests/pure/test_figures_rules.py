"""What frequencies may be told, and what each answer to a claim costs a merchant."""

from typing import Any

import pytest

from kabao.cases import Remedy
from kabao.figures import LEAST, Choice, Ending, OnTable, choices_of
from kabao.figures.rules import similar_of

PRICE = 9650


def choices(**changes: Any) -> dict[str, Choice]:
    given: dict[str, Any] = {
        "held_minor": PRICE,
        "fee_bps": 200,
        "demand": Remedy.FULL_REFUND,
        "demand_minor": PRICE,
        "outcome": "DENY",
        "refund_minor": 0,
        "damages_minor": 0,
    }
    return {one.kind: one for one in choices_of(**(given | changes))}


def test_nothing_is_said_of_fewer_than_twenty() -> None:
    assert similar_of({"full_refund": LEAST - 1}) is None
    assert similar_of({}) is None


def test_frequencies_are_told_the_most_frequent_first() -> None:
    told = similar_of({"withdrawn": 3, "full_refund": 14, "no_refund": 3})
    assert told is not None
    assert told.cases == 20
    assert [(one.ending, one.cases, one.percent) for one in told.endings] == [
        (Ending.FULL_REFUND, 14, 70),
        (Ending.NO_REFUND, 3, 15),
        (Ending.WITHDRAWN, 3, 15),
    ]
    assert told.endings[0].label == "全额退款"


def test_where_the_rules_deny_the_claim_no_offer_is_urged() -> None:
    found = choices()
    assert set(found) == {"accept", "contest"}
    assert (found["accept"].most_minor, found["accept"].kept_minor) == (PRICE, 0)
    contest = found["contest"]
    assert (contest.least_minor, contest.most_minor, contest.kept_minor) == (0, PRICE, PRICE - 193)


def test_an_offer_at_the_forecast_stands_below_the_demand_only() -> None:
    found = choices(outcome="PARTIAL_REFUND", refund_minor=4000)
    assert (found["offer"].refund_minor, found["offer"].kept_minor) == (4000, 5650 - 113)
    assert found["contest"].refund_minor == 4000
    assert "offer" not in choices(outcome="FULL_REFUND", refund_minor=PRICE)
    assert "offer" not in choices(outcome="CONFLICT", refund_minor=4000)


@pytest.mark.parametrize(
    ("demand_minor", "refund_minor", "damages_minor", "most"),
    [(3000, 4000, 0, 4000), (3000, 2000, 500, 3500), (0, 0, 0, PRICE), (3000, 20_000, 0, PRICE)],
)
def test_losing_costs_at_most_the_demand_or_what_the_rules_give_and_the_damages(
    demand_minor: int, refund_minor: int, damages_minor: int, most: int
) -> None:
    found = choices(
        demand=Remedy.PARTIAL_REFUND,
        demand_minor=demand_minor,
        outcome="PARTIAL_REFUND",
        refund_minor=refund_minor,
        damages_minor=damages_minor,
    )
    assert found["contest"].most_minor == most


def test_a_replacement_costs_a_key_and_no_money() -> None:
    found = choices(demand=Remedy.REPLACEMENT, demand_minor=0, outcome="REPLACE", keys=2, unit_minor=PRICE // 2)
    accept = found["accept"]
    assert (accept.keys, accept.keys_minor, accept.most_minor, accept.fee_minor) == (2, PRICE, 0, 193)
    assert "replace" not in found
    beside = choices(keys=1, unit_minor=PRICE)["replace"]
    assert (beside.keys_minor, beside.refund_minor, beside.kept_minor) == (PRICE, 0, PRICE - 193)


@pytest.mark.parametrize(
    ("kind", "refund", "back", "fee"),
    [
        (Remedy.PARTIAL_REFUND, 4000, 4000, 113),
        (Remedy.FULL_REFUND, 0, PRICE, 0),
        (Remedy.REPLACEMENT, 0, 0, 193),
        (Remedy.RELEASE, 0, 0, 193),
    ],
)
def test_the_offer_on_the_table_tells_what_is_left_after_the_fee(
    kind: Remedy, refund: int, back: int, fee: int
) -> None:
    found = choices(table=OnTable(kind=kind, refund_minor=refund, is_mine=True), keys=1, unit_minor=PRICE)
    table = found["table"]
    assert (table.refund_minor, table.fee_minor, table.kept_minor) == (back, fee, PRICE - back - fee)
    assert table.is_mine
    assert ("replace" in found) is (kind is not Remedy.REPLACEMENT)
