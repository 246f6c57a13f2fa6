"""Where a list goes on, and what a merchant does best."""

from datetime import UTC, datetime

import pytest

from kabao.cases import Cursor, Remedy, read_cursor, write_cursor
from kabao.figures import Move, best_move

NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize("cursor", [Cursor(NOON, 7), Cursor(None, 2**63 - 1)])
def test_a_place_in_a_list_survives_an_address(cursor: Cursor) -> None:
    assert read_cursor(write_cursor(cursor)) == cursor


@pytest.mark.parametrize("text", ["", "x", "1-", "-1", "never-99999999999999999999", f"1-{2**63}", "１-2", "1-2 "])
def test_what_is_no_place_begins_the_list_anew(text: str) -> None:
    assert read_cursor(text) is None


@pytest.mark.parametrize(
    ("outcome", "refund", "demand", "asked", "move"),
    [
        ("FULL_REFUND", 9650, Remedy.FULL_REFUND, 9650, Move.ACCEPT),
        ("FULL_REFUND", 9650, Remedy.PARTIAL_REFUND, 4000, Move.ACCEPT),
        ("FULL_REFUND", 9650, Remedy.REPLACEMENT, 0, Move.ACCEPT),
        ("PARTIAL_REFUND", 3000, Remedy.FULL_REFUND, 9650, Move.OFFER),
        ("PARTIAL_REFUND", 0, Remedy.FULL_REFUND, 9650, Move.CONTEST),
        ("REPLACE", 0, Remedy.REPLACEMENT, 0, Move.ACCEPT),
        ("REPLACE", 0, Remedy.FULL_REFUND, 9650, Move.REPLACE),
        ("DENY", 0, Remedy.REPLACEMENT, 0, Move.CONTEST),
        ("CONFLICT", 0, Remedy.FULL_REFUND, 9650, Move.SHOW),
    ],
)
def test_the_best_move_never_costs_more_than_the_rules_come_to(
    outcome: str, refund: int, demand: Remedy, asked: int, move: Move
) -> None:
    found = best_move(held_minor=9650, demand=demand, demand_minor=asked, outcome=outcome, refund_minor=refund)
    assert found is move
