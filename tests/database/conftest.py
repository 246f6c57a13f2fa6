"""What most database tests ask for besides `database`: ids, and a clock that stands still until it is moved."""

from datetime import UTC, datetime

import pytest

from kabao.kernel import FixedClock, IdSource


@pytest.fixture
def ids() -> IdSource:
    return IdSource()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
