"""The ladder as plain values: times and amounts, shares, first views, questions, pauses, seats, votes, rulings."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

MAX_SENTENCE_CHARS: Final = 500
MAX_QUESTION_CHARS: Final = 500
MAX_REASON_CHARS: Final = 2000
MAX_ANSWER_CHARS: Final = 300
CITED_AT_MOST: Final = 20
"""Articles, and laws, that one ruling may name."""
READ_WITHIN: Final = timedelta(hours=1)
"""How old a point may be, at most, that whoever rules has not read as the ruling is handed in."""
QUESTIONS_AT_MOST: Final = 10
"""Questions that may be asked in one case."""
UNDO: Final = timedelta(seconds=10)
"""How long the author of a ruling may take it back, and nobody else sees it."""
ROUTED_OUT_FOR: Final = timedelta(days=30)
"""How long a case waits for an authority before a panel has to rule on the money."""
WHOLE: Final = 100
"""Shares are percent."""


class RulingStage(StrEnum):
    """Which rung of the ladder a ruling comes from; DEFAULT is one for want of an answer."""

    SUPPORT = "support"
    PANEL = "panel"
    REVIEW = "review"
    DEFAULT = "default"
    GREEN = "green"


class Windows(msgspec.Struct, frozen=True, kw_only=True):
    """Times in hours and amounts in minor units, as the rulebook that binds a case has them.

    They are fixed when the case is opened; a case from before has those that stand here.
    """

    reply: int = 48
    first_word: int = 24
    support: int = 48
    pause: int = 12
    panel: int = 72
    three_from_minor: int = 500_00
    ask_review: int = 168
    review: int = 72
    duty: int = 72


class Shares(msgspec.Struct, frozen=True, kw_only=True):
    """Who is responsible, in percent."""

    buyer: int = 0
    merchant: int = 0
    platform: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether they are percentages that sum to 100."""
        parts = (self.buyer, self.merchant, self.platform)
        return min(parts) >= 0 and sum(parts) == WHOLE


class Award(msgspec.Struct, frozen=True):
    """What a ruling gives or the rulebook suggests, in minor units; the refund is at most what is held.

    With `replaces` there are new keys, and the refund takes their place where there is no stock.
    """

    refund_minor: int
    damages_minor: int = 0
    replaces: bool = False


class Pause(msgspec.Struct, frozen=True):
    """An interval in which a stage's clock stands still; its end may lie ahead."""

    began_at: datetime
    ends_at: datetime


class Take(StrEnum):
    """How whoever rules takes a party's point."""

    ACCEPTED = "accepted"
    NOT_ACCEPTED = "not_accepted"
    NOT_DECISIVE = "not_decisive"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one point of a party, named by its key, in one line."""

    point: str
    take: Take
    why: str


class Grounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a ruling rests on beside its words.

    `articles` are ids of the rulebook that binds the order, `laws` of citations in the catalogue; `unanswered` is why
    an open question was not waited for. `unread` are the points that came in after whoever ruled had read, written as
    the ruling becomes known; None where nobody read (the rules decided) and on what is older.
    """

    answers: Sequence[Answer] = ()
    articles: Sequence[str] = ()
    laws: Sequence[str] = ()
    unanswered: str = ""
    unread: Sequence[str] | None = None

    @classmethod
    def of_majority(cls, grounds: "Sequence[Grounds]") -> "Grounds":
        """Put a majority's grounds together: the first one's, and what it says nothing of from the next."""
        naming = next((one for one in grounds if one.articles or one.laws), cls())
        answers: dict[str, Answer] = {}
        for answer in (answer for one in grounds for answer in one.answers):
            answers.setdefault(answer.point, answer)
        return cls(
            answers=list(answers.values()),
            articles=naming.articles,
            laws=naming.laws,
            unanswered=next((one.unanswered for one in grounds if one.unanswered), ""),
        )


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question to one party, asked in a stage; both sides see it and its answer.

    One that was withdrawn, by who decides or by a ruling that did not wait, needs no answer any more.
    """

    question_id: int
    stage: str
    by_role: str
    to_role: str
    body: str
    asked_at: datetime
    answer: str | None
    answered_at: datetime | None
    withdrawn_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still waits for its answer."""
        return self.answered_at is None and self.withdrawn_at is None


class Candidate(msgspec.Struct, frozen=True):
    """A panellist who may be drawn, with the open seats he already has."""

    panellist_id: int
    open_seats: int


class Vote(msgspec.Struct, frozen=True, kw_only=True):
    """One panellist's vote: does the claim stand, what is given if it does, shares, facts and reasons."""

    panellist_id: int
    upholds: bool
    refund_minor: int
    shares: Shares
    facts: str
    reasons: str
    differs_reason: str = ""
    damages_minor: int = 0
    replaces: bool = False
    grounds: Grounds = Grounds()
    seen: Sequence[str] = ()
    """The points that had been read, by key."""


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What the votes come to, issue by issue; `dissent` are the reasons of those whom the majority did not follow."""

    upholds: bool
    award: Award
    shares: Shares
    facts: str
    reasons: str
    differs_reason: str
    dissent: Sequence[str]
    grounds: Grounds = Grounds()
    seen: Sequence[str] = ()
    """The points that somebody of the majority had read."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Of a case's latest ruling what later decisions need."""

    ruling_no: int
    stage: RulingStage
    award: Award
    waived_by: frozenset[str] = frozenset()


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A ruling handed in and not yet visible to anybody but its author (None: nobody's, by default)."""

    submission_id: int
    staff_id: int | None
    visible_at: datetime


# ---- what people send in


class GiveFirstView(msgspec.Struct, frozen=True, kw_only=True):
    """What one thinks before the rulebook's suggestion is shown; `refund_minor` counts for a partial refund only."""

    outcome: str
    refund_minor: int = 0
    damages_minor: int = 0
    shares: Shares
    sentence: str


class CastVote(msgspec.Struct, frozen=True, kw_only=True):
    """A vote: what one would give if the claim stands, whether or not one thinks it does.

    With `replaces` there would be new keys, and `refund_minor` takes their place where there is no stock.
    """

    upholds: bool
    refund_minor: int
    damages_minor: int = 0
    replaces: bool = False
    shares: Shares
    facts: str
    reasons: str
    differs_reason: str = ""
    grounds: Grounds = Grounds()
    read: Sequence[str] | None = None
    """The points read before voting, as in `Rule`."""
