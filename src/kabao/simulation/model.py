"""What a simulated market reports, and what the auditor compares. Amounts are minor units; nothing here does I/O."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
FINDINGS_SHOWN: Final = 50

Progress = Callable[[int, int], None]
"""Told how many days of how many are over."""


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as the auditor expected: what it is about, what should be there, what is, and when."""

    at: datetime
    about: str
    expected: str
    found: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How a simulated market ended. The same seed and days give the same report.

    `closed` and `open` count cases; `ruled` those that were ruled on at least once, `settled`, `withdrawn` and
    `executed` how they ended. A deadline is met where who had to act did so in time, missed where its time passed, and
    moot where somebody else's step took it away. `lost_minor` is everything that any two books disagree by.
    """

    seed: int
    days: int
    orders: int
    cases: int
    closed: int
    open: int
    ruled: int
    settled: int
    withdrawn: int
    executed: int
    charged_back: int
    default_rulings: int
    green_rulings: int
    reversed: int
    cases_by_merchant: int
    duty_rulings: int
    routed_out: int
    reviews: int
    overturned: int
    stood: int
    claims_after_release: int
    waited_for_money: int
    refused_refunds: int
    redirects: int
    chargebacks: int
    damages_minor: int
    damages_owed_minor: int
    deadlines_met: int
    deadlines_missed: int
    deadlines_moot: int
    checks: int
    lost_minor: int
    mismatches: int
    happened: dict[str, int]
    findings: list[Mismatch]

    @property
    def is_fine(self) -> bool:
        """Whether every case is closed, every book agrees and every consequence was as expected."""
        return self.open == 0 and self.lost_minor == 0 and self.mismatches == 0


class Award(msgspec.Struct, frozen=True):
    """What a ruling gives: the refund, damages beside it, and whether there are new keys.

    With new keys the refund is what takes their place where there is no stock.
    """

    refund_minor: int
    damages_minor: int = 0
    replaces: bool = False


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a case stands, as the auditor expects it or as the database has it.

    `ruling` is the latest ruling's stage and what it gives; `rulings` how many there are; `offer` the
    open offer's side, kind and refund.
    """

    stage: str
    turn: str
    due_at: datetime | None
    is_closed: bool
    ruling: tuple[str, Award] | None
    rulings: int
    offer: tuple[str, str, int] | None
