"""What proves a claim by the platform's records alone, and what is decided at once; values in, values out."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kabao.cases.green import rules
from kabao.cases.ladder.model import Award, RulingStage, Standing
from kabao.cases.ladder.rules import decide_due, decide_publish, decide_review, decide_wait, decide_waive, may_decide
from kabao.cases.machine import Stage
from kabao.cases.model import LimitBy, Remedy, Side, Turn
from kabao.kernel import Refusal
from kabao.orders import EscrowView
from ladders import HELD, HOUR, NOBODY, NOON, case, code, done
from orderviews import order, slot

SMALL = {"green_channel_amount": HELD}
GREEN = Standing(ruling_no=1, stage=RulingStage.GREEN, award=Award(HELD))
REFUNDED = case(Stage.GREEN, Turn.PARTIES, 168, ruling=GREEN, green_minor=HELD)
IN_REVIEW = case(Stage.REVIEW, Turn.DUTY, 72, ruling=GREEN, green_minor=HELD)
ESCROW = EscrowView(state="disputed", held_minor=HELD, released=0, refunded=0, fee=0, due_at=None, remaining_seconds=9)
DECISION: dict[str, Any] = {
    "outcome": "FULL_REFUND",
    "refund_minor": HELD,
    "damages_minor": 0,
    "responsible": {"buyer": 0, "merchant": 100, "platform": 0},
}


def test_only_a_small_full_refund_of_held_money_may_be_decided_at_once() -> None:
    assert rules.may_be_decided(order(), Remedy.FULL_REFUND, SMALL)
    assert not rules.may_be_decided(order(), Remedy.PARTIAL_REFUND, SMALL)
    assert not rules.may_be_decided(order(), Remedy.FULL_REFUND, {"green_channel_amount": HELD - 1})
    assert not rules.may_be_decided(order(), Remedy.FULL_REFUND, {})
    assert not rules.may_be_decided(order(escrow=replace(ESCROW, state="released")), Remedy.FULL_REFUND, SMALL)
    assert not rules.may_be_decided(
        order(escrow=replace(ESCROW, state="refunded", held_minor=0)), Remedy.FULL_REFUND, SMALL
    )
    assert not rules.may_be_decided(
        order(keys=[replace(slot("sealed", opened=False), generation=1)]), Remedy.FULL_REFUND, SMALL
    )
    assert not rules.may_be_decided(order(keys=[slot("replaced", opened=True)]), Remedy.FULL_REFUND, SMALL)


def test_what_people_say_is_left_out_and_a_proof_can_be_turned_round() -> None:
    said = {"evidence": [{"shows": "proved", "kind": "screenshot", "confidence": 65}]}
    file = {"claim": "late", "facts": {"opened": "disproved", "key_failed": said, "late": "proved"}}
    records = rules.of_records(file)
    assert records["facts"] == {"opened": "disproved", "late": "proved"}
    [proof] = rules.proofs_in(records)
    records["facts"]["return_promised"] = "proved"
    assert rules.the_other_way(records, proof)["facts"] == {"opened": "proved", "late": "proved"}
    assert "没有拆封" in rules.facts_found([proof])
    assert rules.proofs_in({"facts": {"delivered": "disproved"}}) == []
    assert len(rules.proofs_in({"facts": {"delivered": "disproved", "late": "proved"}})) == 1


@pytest.mark.parametrize(
    ("change", "gives"),
    [
        ({}, True),
        ({"outcome": "PARTIAL_REFUND"}, False),
        ({"refund_minor": HELD - 1}, False),
        ({"damages_minor": 1}, False),
        ({"responsible": {"buyer": 0, "merchant": 0, "platform": 0}}, False),
    ],
)
def test_only_all_of_it_and_nothing_beyond_is_certain(change: dict[str, Any], gives: bool) -> None:  # noqa: FBT001
    assert rules.gives_all(DECISION | change, HELD) is gives
    assert rules.gives_all(None, HELD) is False


def test_what_is_decided_at_once_waits_only_for_the_merchant() -> None:
    decision = rules.decide_green(case(Stage.NEGOTIATION, Turn.NOBODY, None), NOON)
    assert (decision.stage, decision.turn, decision.refund_minor) == (Stage.GREEN, Turn.PARTIES, HELD)
    assert decision.due_at == NOON + 168 * HOUR
    assert code(decide_review(REFUNDED, Side.BUYER, NOON)) is Refusal.NOT_ALLOWED
    assert code(decide_waive(REFUNDED, Side.BUYER)) is Refusal.NOT_ALLOWED
    asked = done(decide_review(REFUNDED, Side.MERCHANT, NOON))
    assert (asked.stage, asked.turn, asked.due_at) == (Stage.REVIEW, Turn.PANEL, NOON + 72 * HOUR)
    waived = done(decide_waive(REFUNDED, Side.MERCHANT))
    assert (waived.kind, waived.stage, waived.refund_minor) == ("green_waived", Stage.EXECUTED, HELD)
    assert code(may_decide(REFUNDED, Side.SUPPORT, 7, NOBODY)) is Refusal.ALREADY_RULED


def test_time_ends_it_as_it_is() -> None:
    assert decide_due(REFUNDED, NOON + 167 * HOUR, None) is None
    assert done(decide_due(REFUNDED, NOON + 168 * HOUR, None)).kind == "green_over"
    stood = done(decide_due(IN_REVIEW, NOON + 72 * HOUR, None))
    assert (stood.kind, stood.stage, stood.refund_minor) == ("green_stood", Stage.EXECUTED, HELD)


@given(st.integers(0, HELD))
def test_a_review_keeps_or_reverses_and_a_reversal_can_wait_for_money(refund: int) -> None:
    found = decide_publish(IN_REVIEW, Award(refund), NOON)
    assert (found.stage, found.refund_minor) == (Stage.EXECUTED, refund)
    assert found.kind == ("green_kept" if refund == HELD else "green_reversed")
    waits = done(decide_wait(IN_REVIEW, found, NOON))
    assert (waits.stage, waits.turn) == (Stage.REVIEW, Turn.NOBODY)
    assert waits.kind == ("short" if refund == HELD else "green_reversed")


def test_thirty_days_are_thirty_days() -> None:
    assert timedelta(days=30) == rules.WITHIN
    assert rules.AT_MOST == 5


def test_a_persons_own_limit_is_told_before_the_payers() -> None:
    assert [rules.limit_by(*used) for used in ((4, 4), (4, 5), (5, 5), (5, 0))] == [
        None,
        LimitBy.PAYER,
        LimitBy.PERSON,
        LimitBy.PERSON,
    ]
