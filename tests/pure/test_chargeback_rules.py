"""The bank takes a payment back: which cases end by it, and that nothing moves for them."""

import msgspec
import pytest

from kabao.cases.machine import Stage
from kabao.cases.model import CaseState, OfferState, Turn
from kabao.cases.rules import decide_charged_back
from ladders import AT_PANEL, AT_SUPPORT, IN_REVIEW, OFFER, RULED, SILENT_MERCHANT, case, done


@pytest.mark.parametrize("state", [SILENT_MERCHANT, AT_SUPPORT, AT_PANEL, RULED, IN_REVIEW])
def test_the_bank_ends_a_case_from_any_stage_without_moving_money(state: CaseState) -> None:
    ended = done(decide_charged_back(state))
    assert (ended.kind, ended.stage, ended.turn, ended.due_at) == (
        "charged_back",
        Stage.CHARGED_BACK,
        Turn.NOBODY,
        None,
    )
    assert (ended.refund_minor, ended.award) == (0, None)


def test_the_bank_ends_no_case_that_has_ended_or_was_refunded_at_once() -> None:
    for stage in (Stage.GREEN, Stage.EXECUTED, Stage.WITHDRAWN, Stage.CHARGED_BACK):
        assert decide_charged_back(case(stage, Turn.NOBODY)) is None


def test_an_offer_on_the_table_lapses_as_the_bank_takes_the_money_back() -> None:
    offered = msgspec.structs.replace(AT_SUPPORT, offer=OFFER)
    assert done(decide_charged_back(offered)).offer_becomes is OfferState.LAPSED
