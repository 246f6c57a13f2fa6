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
    WAITS_DAY = "waits_day"
    """Not before a deadline, but after a turn began."""
    WAITS_TWO = "waits_two"


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


class Wait(NamedTuple):
    """A mark stands `after` a turn began, up to `until`."""

    mark: Mark
    after: timedelta
    until: timedelta


WAITS: Final = (
    Wait(Mark.WAITS_DAY, timedelta(hours=24), timedelta(hours=48)),
    Wait(Mark.WAITS_TWO, timedelta(hours=48), timedelta(hours=72)),
)
CLEAR: Final = timedelta(hours=30)
"""Where less is left, the deadline's own reminders tell it: never two for the same moment."""


class Talk(NamedTuple):
    """When what a party wrote in an order's talk, and nobody answered, is told: so long after it was written."""

    name: str
    after: timedelta


TALKS: Final = (
    Talk("talk", timedelta(minutes=1)),
    Talk("talk_day", timedelta(hours=24)),
    Talk("talk_two", timedelta(hours=48)),
)
"""The first leaves a minute for what was written and not yet committed."""


class DueCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case whose deadline is near, or whose turn began long ago; `waived_by` waived the review of its ruling.

    `was_long` tells that this mark is worth a reminder: enough time was given before a deadline, or enough is left.
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
    waited: timedelta = timedelta(0)
    """How long it has been somebody's turn; zero where a deadline is told."""

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


class Unanswered(msgspec.Struct, frozen=True, kw_only=True):
    """The first of a party's words in an order's talk that the other side has not answered, outside any case."""

    shop_id: int
    order_id: int
    title: str
    by_role: str
    buyer_id: int
    owner_id: int

    @property
    def ref(self) -> str:
        """The order's reference."""
        return format_ref(self.shop_id, self.order_id)


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
