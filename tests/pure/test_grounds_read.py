"""Which points whoever rules has read: what came after may wait for an hour and holds no ruling up."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from kabao.cases.ladder import rules
from kabao.cases.ladder.grounds import CAME_MEANWHILE, NOT_THERE, Point, check_read
from kabao.cases.ladder.model import READ_WITHIN, Shares, Vote

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CLAIM = Point(key="claim", by="buyer", kind="claim", said="用不了", at=NOW - timedelta(days=1))
EARLIER = Point(key="o1", by="merchant", kind="offered", said="退一点", at=NOW - timedelta(hours=5))
LATE = Point(key="f2", by="merchant", kind="fact", said="好的", at=NOW - READ_WITHIN)
POINTS, STANDING = [CLAIM, EARLIER, LATE], {"claim", "f2"}


def test_who_names_nothing_has_read_all_there_is() -> None:
    assert check_read(POINTS, STANDING, None, (), NOW) == (["claim", "f2"], {})


def test_what_came_after_reading_may_wait_for_an_hour_and_no_longer() -> None:
    assert check_read(POINTS, STANDING, ["claim"], (), NOW) == (["claim"], {})
    later = NOW + timedelta(seconds=1)
    assert check_read(POINTS, STANDING, ["claim"], (), later) == (["claim"], {"take_f2": CAME_MEANWHILE})


def test_what_is_answered_was_read_and_a_replaced_offer_asks_for_no_look() -> None:
    assert check_read(POINTS, STANDING, ["claim", "o1"], {"f2"}, NOW) == (["claim", "f2"], {})
    assert check_read(POINTS, STANDING, [], {"claim"}, NOW) == (["claim"], {})


def test_a_point_that_the_case_does_not_have_was_not_read() -> None:
    assert check_read(POINTS, STANDING, ["claim", "f2", "f3"], (), NOW) == (["claim", "f2"], {"read": NOT_THERE})


def test_the_panel_has_read_what_somebody_of_its_majority_had() -> None:
    first = Vote(
        panellist_id=1,
        upholds=True,
        refund_minor=1,
        shares=Shares(merchant=100),
        facts="一",
        reasons="一",
        seen=["claim"],
    )
    votes = [first, replace(first, panellist_id=2, seen=["claim", "f2"]), replace(first, panellist_id=3, upholds=False)]
    counted = rules.tally([*votes[:2], replace(votes[2], seen=["claim", "o1"])], 3)
    assert counted is not None
    assert list(counted.seen) == ["claim", "f2"]
