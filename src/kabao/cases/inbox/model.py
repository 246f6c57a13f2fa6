"""A shop's cases as its owner works through them, and what became of many answered at once. Values only."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from kabao.cases.model import CaseCard
from kabao.kernel import Refusal

BULK_AT_MOST: Final = 50
"""Cases that are granted in one go."""
PAGE: Final = 20
COUNTED: Final = 1000
"""Up to here cases are counted; beyond it stands that there are more."""


class Tab(StrEnum):
    """Which of a shop's cases are listed."""

    MINE = "mine"
    """The merchant's move: an answer, a question of the staff, or a ruling that waits for the deposit."""
    THEIRS = "theirs"
    """Somebody else's move."""
    REVIEW = "review"
    """Ruled on, and a review may still be asked for by the merchant."""
    RULED = "ruled"
    CLOSED = "closed"

    @property
    def is_by_due(self) -> bool:
        """Whether the list is of open cases, by the time left; the others are the newest first."""
        return self in {Tab.MINE, Tab.THEIRS, Tab.REVIEW}


class Cursor(msgspec.Struct, frozen=True):
    """Behind which case a list goes on: its deadline (None: it has none, or the list is not by deadlines), its id."""

    due_at: datetime | None
    case_id: int


class InboxPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a shop's cases: how many there are under each tab, the cards, where it goes on (None: it ends)."""

    tab: Tab
    counts: Mapping[Tab, int]
    cards: Sequence[CaseCard]
    after: Cursor | None


class ToGrant(msgspec.Struct, frozen=True):
    """A case to be granted as it was read: the refund it costs then, 0 for a replacement."""

    ref: str
    refund_minor: int


class Granted(msgspec.Struct, frozen=True):
    """What became of one case of a bulk: None was refused where it is granted, now or before."""

    ref: str
    refused: Refusal | None


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A ruling that waits for money."""

    ref: str
    claim_label: str
    refund_minor: int
