"""The desk as plain values: a queue with its lanes, presence, drafts, seats, and what staff sees beside a case."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

import msgspec

from kabao.cases.ladder.model import Shares, Vote
from kabao.cases.model import CaseCard

HERE_FOR: Final = timedelta(seconds=90)
"""How long a page counts as open after it was last heard of."""
DRAFT_KEPT: Final = timedelta(days=30)
NEAR: Final = timedelta(hours=6)
"""A case with no more time left than this is near its breach."""
COUNTED_TO: Final = 1000
"""Lanes are counted no further."""
MAX_DRAFT_FIELDS: Final = 300
MAX_DRAFT_CHARS: Final = 4000
MAX_DRAFT_WHOLE: Final = 80_000
"""Characters of all fields of a draft together."""
MAX_SEARCH_CHARS: Final = 60


class Lane(StrEnum):
    """Which part of the queue: a case waits for the reader, for a party's answer or for others; the team's are all."""

    MINE = "mine"
    WAITING = "waiting"
    OTHERS = "others"
    TEAM = "team"


class TimeLeft(StrEnum):
    """How a case's deadline stands, by the time that is left of it; a pause leaves it as it is."""

    BREACHED = "breached"
    NEAR = "near"
    LATER = "later"


Counts: TypeAlias = Mapping[tuple[Lane, TimeLeft], int]
"""How many cases stand in each lane, the team's apart, by the time left; every case is counted once."""


class After(NamedTuple):
    """The last case of the page before, by what the queue is ordered by."""

    due_at: datetime
    shop_id: int
    case_id: int


class QueueWish(msgspec.Struct, frozen=True, kw_only=True):
    """What part of the queue somebody wants to see; amounts are the order's, in minor units."""

    lane: Lane = Lane.MINE
    time: TimeLeft | None = None
    stage: str = ""
    claim: str = ""
    least_minor: int = 0
    most_minor: int = 2**62
    text: str = ""
    after: After | None = None


class QueueCard(msgspec.Struct, frozen=True, kw_only=True):
    """A case in the queue; `is_asked` where a party was asked and has not answered.

    `runs_from` is the moment from which the time left counts: now or, in a pause, its end.
    """

    card: CaseCard
    is_asked: bool
    runs_from: datetime


class QueuePage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the queue; `after` leads to the next, None on the last."""

    cards: Sequence[QueueCard]
    after: After | None


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody else of the staff who has the case open, by role alone."""

    role: str
    seen_at: datetime


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What its author has typed, by the form's fields, in a stage that may have passed."""

    stage: str
    typed: dict[str, str]
    saved_at: datetime


class OwnView(msgspec.Struct, frozen=True, kw_only=True):
    """The first view somebody has put down in this stage."""

    outcome: str
    refund_minor: int
    damages_minor: int
    shares: Shares
    sentence: str
    at: datetime


class Seats(msgspec.Struct, frozen=True, kw_only=True):
    """A panel's seats: how many there are and are filled, how many have voted, and the reader's own (None: none)."""

    needed: int
    drawn: int
    voted: int
    mine: int | None


class Pausing(msgspec.Struct, frozen=True, kw_only=True):
    """The clock of a stage: until when it stands still (None: it runs), and how much pause is left after that."""

    until: datetime | None
    left: timedelta


class DeskView(msgspec.Struct, frozen=True, kw_only=True):
    """What a member of staff sees beside a case; `is_recused` where he may decide nothing in it.

    `own_vote` is what he has voted on the panel that sits; what others voted is told to nobody.
    """

    is_recused: bool
    others: Sequence[Other]
    draft: Draft | None
    own_view: OwnView | None
    own_vote: Vote | None
    seats: Seats | None
    pausing: Pausing | None
