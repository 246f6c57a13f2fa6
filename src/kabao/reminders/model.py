"""What a reminder is about, as plain values."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from kabao.cases import Stage, Turn
from kabao.kernel import format_ref


class Mark(StrEnum):
    """When before a deadline somebody is reminded."""

    DAY = "day"
    SOON = "soon"


class Lead(NamedTuple):
    """A mark stands `before` the deadline, down to `until`; only where the time given was `window` at least."""

    mark: Mark
    before: timedelta
    until: timedelta
    window: timedelta


SOON: Final = timedelta(hours=3)
LEADS: Final = (
    Lead(Mark.SOON, SOON, timedelta(0), timedelta(hours=6)),
    Lead(Mark.DAY, timedelta(hours=24), SOON, timedelta(hours=36)),
)
"""Who was given a day is not reminded as it begins, so a window of 24 hours has its one reminder near its end."""


class DueCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case whose deadline is near; `waived_by` are the sides that have waived the review of its ruling.

    `was_long` tells that enough time was given for a reminder at this mark.
    """

    shop_id: int
    case_id: int
    due_at: datetime
    now: datetime
    stage: Stage
    turn: Turn
    title: str
    buyer_id: int
    owner_id: int
    may_stand: bool
    """Whether a claim that nobody answers may stand."""
    was_long: bool
    waived_by: list[str]

    @property
    def ref(self) -> str:
        """The case's reference."""
        return format_ref(self.shop_id, self.case_id)


class OpenQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question that nobody has answered, near the end of its pause."""

    shop_id: int
    case_id: int
    due_at: datetime
    now: datetime
    title: str
    account_id: int

    @property
    def ref(self) -> str:
        """The case's reference."""
        return format_ref(self.shop_id, self.case_id)


class Releasing(msgspec.Struct, frozen=True, kw_only=True):
    """An order whose money goes to the merchant soon."""

    shop_id: int
    order_id: int
    due_at: datetime
    now: datetime
    title: str
    buyer_id: int
    is_sealed: bool

    @property
    def ref(self) -> str:
        """The order's reference."""
        return format_ref(self.shop_id, self.order_id)
