"""When to ask again, when to stop, when a stamp is renewed."""

from datetime import datetime, timedelta
from typing import Final

from kabao.timestamps.model import Fault

MAX_DATA_BYTES: Final = 65_536
MAX_SUBJECT: Final = 200
MAX_RESPONSE_BYTES: Final = 65_536

FIRST_WAIT: Final = timedelta(seconds=15)
LONGEST_WAIT: Final = timedelta(hours=1)
NEVER_SO_FAR: Final = timedelta(hours=2)
"""No wait reaches this far; one that does was written by a clock that jumped."""
LEASE: Final = timedelta(seconds=60)
"""Longer than a request may take, so that a stamp is asked for twice only where its asker died."""
PATIENCE: Final = timedelta(days=30)
CLOCK_TOLERANCE: Final = timedelta(minutes=10)
RENEWED_BEFORE: Final = timedelta(days=90)
RENEWED_AT_MOST_EVERY: Final = timedelta(days=30)


def wait_after(failures: int, fraction: float) -> timedelta:
    """Return the pause after the n-th failure in a row: doubling from 15 seconds to an hour, less up to half.

    `fraction`, from 0 to 1, is drawn at random, so that many askers do not come back in step.
    """
    doublings = min(failures, 16) - 1
    whole = min(LONGEST_WAIT, FIRST_WAIT * (1 << doublings))
    return whole * (1 - fraction / 2)


def is_given_up(wanted_at: datetime, now: datetime, fault: Fault) -> bool:
    """Tell whether a failure is the last one. Where the two clocks differ, ours may be the wrong one: never then."""
    return fault is not Fault.CLOCK and now - wanted_at > PATIENCE


def is_plausible(stamped_at: datetime, now: datetime) -> bool:
    """Tell whether an authority's time agrees with the database's."""
    return abs(stamped_at - now) <= CLOCK_TOLERANCE


def renewal_at(stamped_at: datetime, expires_at: datetime) -> datetime:
    """Return when data is stamped anew: 90 days before the certificate ends, but not sooner than 30 days later."""
    return max(expires_at - RENEWED_BEFORE, stamped_at + RENEWED_AT_MOST_EVERY)
