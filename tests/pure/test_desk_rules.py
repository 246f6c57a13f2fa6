"""The desk's rules: what is kept of a draft, how a place in the queue travels in an address, what pause is left."""

from datetime import timedelta

import pytest

from kabao.cases.desk import rules
from kabao.cases.desk.model import MAX_DRAFT_CHARS, MAX_DRAFT_FIELDS, After
from kabao.cases.ladder.model import Pause
from kabao.kernel import Refusal, Refused
from ladders import HOUR, NOON


def test_a_draft_keeps_what_was_typed_and_is_never_cut_short() -> None:
    whole = "字" * MAX_DRAFT_CHARS
    assert rules.draft_of({"facts": whole, "reasons": " ", "share_buyer": "30"}) == {
        "facts": whole,
        "share_buyer": "30",
    }
    for wrong in ({"facts": whole + "长"}, {"Facts": "x"}, {"a b": "x"}):
        refused = rules.draft_of(wrong)
        assert isinstance(refused, Refused)
        assert (refused.code, set(refused.fields)) == (Refusal.INVALID_FIELDS, set(wrong))
    whole_form = {f"why_f{number}": "x" for number in range(MAX_DRAFT_FIELDS)}
    assert rules.draft_of(whole_form) == whole_form
    assert isinstance(rules.draft_of(whole_form | {"too_many": "x"}), Refused)
    assert isinstance(rules.draft_of(dict.fromkeys(list(whole_form)[:21], whole)), Refused)


def test_a_place_in_the_queue_comes_back_from_an_address() -> None:
    place = After(NOON + timedelta(microseconds=7), 12, 2**63 - 1)
    assert rules.read_after(rules.write_after(place)) == place


@pytest.mark.parametrize(
    "text", ["", "1-2", "x-1-2", f"1-{2**63}-2", f"1-2-{2**63}", "-1-2-3", "١-١-١", "1" * 17 + "-1-1"]
)
def test_what_is_no_place_in_the_queue_is_none(text: str) -> None:
    assert rules.read_after(text) is None


def test_a_search_means_itself() -> None:
    assert rules.like("") == ""
    assert rules.like(r"5%_\点卡") == r"%5\%\_\\点卡%"


def test_a_pause_that_runs_is_used_to_the_end_set_for_it() -> None:
    over, running = Pause(NOON - 9 * HOUR, NOON - 6 * HOUR), Pause(NOON - HOUR, NOON + 8 * HOUR)
    stands = rules.pausing([over, running], 12, NOON)
    assert (stands.until, stands.left) == (NOON + 8 * HOUR, timedelta())
    stands = rules.pausing([over], 12, NOON)
    assert (stands.until, stands.left) == (None, 9 * HOUR)
    assert rules.pausing([over, running], 2, NOON).left == timedelta()
