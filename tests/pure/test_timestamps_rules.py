"""When an authority is asked again, when no more, and when data is stamped anew."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kabao.timestamps import Authority, Fault
from kabao.timestamps.rules import (
    FIRST_WAIT,
    LEASE,
    LONGEST_WAIT,
    NEVER_SO_FAR,
    is_given_up,
    is_plausible,
    renewal_at,
    wait_after,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_the_wait_doubles_up_to_an_hour() -> None:
    seconds = [wait_after(failures, 0).total_seconds() for failures in range(1, 11)]
    assert seconds == [15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


@given(failures=st.integers(1, 10**9), fraction=st.floats(0, 1))
def test_no_wait_is_under_half_its_step_or_over_an_hour(failures: int, fraction: float) -> None:
    assert FIRST_WAIT / 2 <= wait_after(failures, fraction) <= LONGEST_WAIT
    assert wait_after(failures, 0) / 2 <= wait_after(failures, fraction)


def test_a_wait_that_a_jumping_clock_wrote_is_told_from_every_true_one() -> None:
    assert max(LONGEST_WAIT, LEASE) < NEVER_SO_FAR


@pytest.mark.parametrize(
    ("days", "fault", "is_over"),
    [
        (30, Fault.UNREACHABLE, False),
        (31, Fault.UNREACHABLE, True),
        (31, Fault.UNTRUSTED, True),
        (31, Fault.CLOCK, False),
    ],
)
def test_nobody_gives_up_in_thirty_days_or_while_clocks_differ(days: int, fault: Fault, *, is_over: bool) -> None:
    assert is_given_up(NOW - timedelta(days=days), NOW, fault) is is_over


@pytest.mark.parametrize(("minutes", "holds"), [(0, True), (10, True), (-10, True), (11, False), (-11, False)])
def test_a_time_is_believed_within_ten_minutes(minutes: int, *, holds: bool) -> None:
    assert is_plausible(NOW + timedelta(minutes=minutes), NOW) is holds


def test_data_is_stamped_anew_ninety_days_before_its_certificate_ends_but_not_twice_a_month() -> None:
    assert renewal_at(NOW, NOW + timedelta(days=1000)) == NOW + timedelta(days=910)
    assert renewal_at(NOW, NOW + timedelta(days=100)) == NOW + timedelta(days=30)


def test_every_fault_has_its_words_and_an_authority_never_shows_its_address() -> None:
    assert all(fault.zh for fault in Fault)
    assert repr(Authority(name="a", url="https://a.example/?key=secret", roots_pem=b"")) == "Authority(a)"
