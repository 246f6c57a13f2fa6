"""A model of each case that is kept beside the services: what must follow from what the auditor saw happen.

Written from docs/decisions/0006 and 0007 and from the rulebook's parameters alone; it shares no code with
`kabao.cases`, so that the two can disagree.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median_low
from typing import Final

import msgspec

from kabao.simulation.model import HOUR, Award, Standing

UNDO: Final = timedelta(seconds=10)
AUTHORITY: Final = timedelta(days=30)
"""How long a case waits for what an authority says."""
UNDECIDED: Final = ("negotiation", "support", "panel")
OTHER: Final = {"buyer": "merchant", "merchant": "buyer"}

Pays = Callable[["Followed", Award], bool]
"""Gives what was ruled in the auditor's own books; False where neither deposit nor reserve reaches."""


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """The rulebook's times in hours and amounts in minor units that the ladder goes by."""

    negotiation: int
    negotiation_green: int
    support_outcome: int
    question_pause: int
    panel: int
    review_window: int
    review: int
    duty: int
    panel_three_from: int
    small_amount: int
    green_channel_amount: int

    @classmethod
    def of(cls, named: Mapping[str, int]) -> "Times":
        """Take them from the parameters of a rulebook; raises KeyError where one is missing."""
        return cls(**{name: named[name] for name in cls.__struct_fields__})

    def reply(self, stake_minor: int, *, is_first: bool, is_proved: bool) -> int:
        """Tell how long a merchant has to answer: less for a small amount, a first purchase, or proved facts."""
        is_short = is_first or is_proved or stake_minor <= self.small_amount
        return min(self.negotiation, self.negotiation_green) if is_short else self.negotiation


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """A ruling that was handed in and may be taken back until it becomes visible."""

    staff_id: int
    by: str
    award: Award
    visible_at: datetime


class Ballot(msgspec.Struct, frozen=True):
    """A panellist's vote as far as it decides what is given."""

    upholds: bool
    award: Award


@dataclass(slots=True, kw_only=True)
class Followed:
    """One case as the auditor knows it. `epoch` grows with each change of stage, turn or offer."""

    ref: str
    order_ref: str
    shop_id: int
    case_id: int
    buyer_id: int
    owner_id: int
    claim: str
    demand: str
    asked_minor: int
    stake_minor: int
    is_held: bool
    opened_at: datetime
    times: Times
    reply: int
    tally: Counter[str]
    stage: str = "negotiation"
    turn: str = "merchant"
    due_at: datetime | None = None
    since: datetime = field(init=False)
    answered: bool = False
    opened_by: str = "buyer"
    wants_person: bool = False
    green_minor: int | None = None
    """What was refunded as the case was opened."""
    offer: tuple[str, str, int] | None = None
    pauses: list[tuple[datetime, datetime]] = field(default_factory=list)
    handed: Handed | None = None
    ballots: dict[int, Ballot] = field(default_factory=dict)
    rulings: list[tuple[str, Award]] = field(default_factory=list)
    ruled_by: set[int] = field(default_factory=set)
    waived: set[str] = field(default_factory=set)
    left: set[int] = field(default_factory=set)
    """Panellists who stood aside."""
    has_signs: bool = False
    """Whether staff put down that a crime is suspected, which a platform does not decide."""
    was_routed: bool = False
    """Whether it was handed to an authority, after which nobody settles, withdraws or hands it over again."""
    epoch: int = 0

    def __post_init__(self) -> None:
        """Let the time of the side that is claimed on begin."""
        self.since, self.turn = self.opened_at, self.answerer
        self.due_at = self.opened_at + self.reply * HOUR

    # ---- what is expected

    @property
    def answerer(self) -> str:
        """The side that is claimed on."""
        return OTHER[self.opened_by]

    @property
    def is_closed(self) -> bool:
        """Whether the case has ended."""
        return self.stage in {"settled", "withdrawn", "executed", "charged_back"}

    @property
    def is_waiting(self) -> bool:
        """Whether a ruling waits for money."""
        return self.turn == "nobody" and not self.is_closed

    @property
    def standing(self) -> Standing:
        """What the database must say."""
        return Standing(
            stage=self.stage,
            turn=self.turn,
            due_at=self.due_at,
            is_closed=self.is_closed,
            ruling=self.rulings[-1] if self.rulings else None,
            rulings=len(self.rulings),
            offer=self.offer,
        )

    @property
    def next_at(self) -> datetime | None:
        """When time itself next moves the case; None where it waits for a person or for money."""
        if self.is_closed or self.is_waiting:
            return None
        if self.handed is not None:
            return self.handed.visible_at
        return None if (self.stage, self.turn) == ("panel", "duty") else self.due_at

    @property
    def may_stand(self) -> bool:
        """Whether an unanswered claim may stand without a person: a buyer's, while money is held, who wanted none."""
        return self.opened_by == "buyer" and self.is_held and not self.wants_person

    def is_due(self, now: datetime) -> bool:
        """Tell whether its time is over; the duty officer of a panel has none, and a wait for money is always over."""
        return self.due_at is not None and self.due_at <= now and (self.stage, self.turn) != ("panel", "duty")

    @property
    def is_negotiable(self) -> bool:
        """Whether the two may still settle, and who opened the case take it back."""
        return self.stage in UNDECIDED and not self.was_routed

    @property
    def may_be_routed(self) -> bool:
        """Whether those whose turn it is may hand it to an authority: on signs of a crime, once, and unruled."""
        is_theirs = self.stage in {"support", "panel"} and self.handed is None
        return is_theirs and self.has_signs and not self.was_routed

    def has_ruling_in(self) -> bool:
        """Tell whether a ruling was handed in that nobody has seen."""
        return self.handed is not None

    @property
    def seats(self) -> int:
        """How many panellists decide."""
        is_large = self.stage == "panel" and self.stake_minor >= self.times.panel_three_from
        return 3 if is_large else 1

    @property
    def granted_minor(self) -> int:
        """What granting the demand refunds."""
        return {"full_refund": self.stake_minor, "partial_refund": self.asked_minor}.get(self.demand, 0)

    def decided_at_once(self, now: datetime) -> None:
        """Note that the records decided the case as it was opened: everything back, and the merchant may object."""
        self.green_minor = self.stake_minor
        self.rulings.append(("green", Award(self.stake_minor)))
        self.stage, self.turn = "green", "parties"
        self.due_at = now + self.times.review_window * HOUR

    def may_object(self, side: str) -> bool:
        """Tell whether a side may ask for a review or waive it; a buyer who was given everything at once may not."""
        is_his = self.stage == "ruled_open" or (self.stage == "green" and side == "merchant")
        return is_his and self.turn == "parties" and side not in self.waived

    # ---- between the parties

    def contested(self, now: datetime) -> None:
        """Note that the side that is claimed on contested; it is the other's turn."""
        self._pass_on(self.answerer, now)

    def offered(self, side: str, kind: str, asked_minor: int, now: datetime) -> None:
        """Note an offer in the place of the open one."""
        refund = {"full_refund": self.stake_minor, "partial_refund": asked_minor}.get(kind, 0)
        self.offer = (side, kind, refund)
        self._pass_on(side, now)

    def refused(self, side: str, now: datetime) -> None:
        """Note that the open offer was turned down."""
        self.offer = None
        self._pass_on(side, now)

    def settled(self, side: str, now: datetime) -> None:
        """Note that the two agreed."""
        self._end("settled", side, now)

    def withdrawn(self, now: datetime) -> None:
        """Note that who opened the case took it back."""
        self._end("withdrawn", self.opened_by, now)

    def charged_back(self, now: datetime) -> None:
        """Note that the payer's bank took the money, which ends the case with nobody's fault found."""
        self._end("charged_back", "bank", now)

    def escalated(self, side: str, now: datetime) -> None:
        """Note that a party called support."""
        self._rise("support", side, now)

    # ---- those who decide

    def passed_on(self, now: datetime) -> None:
        """Note that support passed the case on."""
        self._rise("panel", "support", now)

    def routed_out(self, by: str, now: datetime) -> None:
        """Note that an authority has the case: the open offer lapses, votes are void, its money stays where it is."""
        self.offer = None
        self.ballots.clear()
        self.was_routed = True
        self._move("routed_out", "duty", now + AUTHORITY, by, now)

    def given_back(self, now: datetime) -> None:
        """Note that the duty officer gave it to the panel before the authority's time was over."""
        self._rise("panel", "duty", now)

    def asked(self, now: datetime) -> None:
        """Note a question: the clock stands still for what is left of the stage's pauses."""
        left = self.times.question_pause * HOUR - sum((end - begin for begin, end in self.pauses), timedelta())
        is_paused = any(begin <= now < end for begin, end in self.pauses)
        if self.due_at is None or self.turn == "duty" or is_paused or left <= timedelta():
            return
        self.pauses.append((now, now + left))
        self.due_at += left

    def replied(self, now: datetime, *, is_last: bool) -> None:
        """Note an answer; with the last one a running pause ends, and the deadline comes that much earlier."""
        if not is_last or self.due_at is None:
            return
        for place, (begin, end) in enumerate(self.pauses):
            if begin <= now < end:
                self.pauses[place] = (begin, now)
                self.due_at -= end - now

    def handed_in(self, staff_id: int, by: str, award: Award, now: datetime) -> None:
        """Note a ruling that nobody else sees for ten seconds."""
        self.handed = Handed(staff_id=staff_id, by=by, award=award, visible_at=now + UNDO)

    def voted(self, staff_id: int, ballot: Ballot, now: datetime) -> None:
        """Note a vote; the last one hands the panel's ruling in: majorities first, then the medians of the amounts."""
        self.ballots[staff_id] = ballot
        if len(self.ballots) < self.seats:
            return
        votes = list(self.ballots.values())
        upholds = 2 * sum(one.upholds for one in votes) > len(votes)
        award = Award(
            median_low(one.award.refund_minor for one in votes),
            median_low(one.award.damages_minor for one in votes),
            2 * sum(one.award.replaces for one in votes) > len(votes),
        )
        self.handed_in(staff_id, "panel", award if upholds else Award(0), now)

    def taken_back(self, staff_id: int) -> None:
        """Note that an author took back what nobody had seen."""
        self.handed = None
        self.ballots.pop(staff_id, None)

    # ---- the parties, after a ruling

    def review_asked(self, side: str, now: datetime) -> None:
        """Note that a party asked for a review."""
        self._move("review", "panel", now + self.times.review * HOUR, side, now)

    def review_waived(self, side: str, now: datetime, pays: Pays) -> None:
        """Note a waiver: the second carries the ruling out; of one carried out already the merchant's ends the case."""
        self.waived.add(side)
        if self.stage == "green" or len(self.waived) == len(OTHER):
            self._execute(side, now, pays)

    # ---- time

    def pass_time(self, now: datetime, supported: Award | None, pays: Pays) -> bool:
        """Do what the passing of time has to do at this instant; tells whether the case moved.

        `supported` is what of an unanswered demand the rulebook supports on the facts known (None: nothing).
        """
        if self.is_closed:
            return False
        if self.is_waiting:
            return self._execute("time", now, pays)
        if self.handed is not None:
            return now >= self.handed.visible_at and self._publish(self.handed, now, pays)
        if self.due_at is None or now < self.due_at:
            return False
        return self._overdue(now, supported, pays)

    def _overdue(self, now: datetime, supported: Award | None, pays: Pays) -> bool:
        match self.stage, self.turn:
            case "negotiation", "merchant" if supported is not None and self.may_stand:
                self.rulings.append(("default", supported))
                self._ruled("time", now)
            case "negotiation", _:
                self._rise("support", "time", now)
            case (("support" | "routed_out"), _):
                self._rise("panel", "time", now)
            case "panel", "panel":
                self._move("panel", "duty", self.due_at, "time", now)
            case "review", "panel":
                self._move("review", "duty", now + self.times.duty * HOUR, "time", now)
            case "review", "duty":
                self.tally["stood"] += 1
                return self._execute("time", now, pays)
            case (("ruled_open" | "green"), _):
                return self._execute("time", now, pays)
            case _:
                return False
        return True

    def _publish(self, handed: Handed, now: datetime, pays: Pays) -> bool:
        is_review = self.stage == "review"
        self.handed = None
        self.ballots.clear()
        self.ruled_by.add(handed.staff_id)
        self.tally["duty_rulings"] += handed.by == "duty"
        if is_review:
            self.tally["overturned"] += handed.award != self.rulings[-1][1]
        self.rulings.append((self.stage, handed.award))
        if is_review:
            return self._execute(handed.by, now, pays)
        self._ruled(handed.by, now)
        return True

    def _ruled(self, by: str, now: datetime) -> None:
        self.offer = None
        self._move("ruled_open", "parties", now + self.times.review_window * HOUR, by, now)

    def _execute(self, by: str, now: datetime, pays: Pays) -> bool:
        # What was decided at once was paid then.
        if self.stage != "green" and not pays(self, self.rulings[-1][1]):
            if self.is_waiting:
                return False
            self.tally["waited_for_money"] += 1
            self._move(self.stage, "nobody", now, by, now)
            return True
        self._end("executed", by, now)
        return True

    # ---- moving

    def _pass_on(self, side: str, now: datetime) -> None:
        """Give the other side its turn and a fresh time; a move out of turn does not lengthen the other's time."""
        self.answered = self.answered or side != self.opened_by
        self.epoch += 1
        other = OTHER[side]
        if self.stage == "negotiation" and self.turn != other:
            self._move("negotiation", other, now + self.reply * HOUR, side, now)

    def _rise(self, stage: str, by: str, now: datetime) -> None:
        hours = self.times.support_outcome if stage == "support" else self.times.panel
        self._move(stage, stage, now + hours * HOUR, by, now)

    def _end(self, stage: str, by: str, now: datetime) -> None:
        self.offer = None
        self.handed = None
        self._move(stage, "nobody", None, by, now)

    def _move(self, stage: str, turn: str, due_at: datetime | None, by: str, now: datetime) -> None:
        self._count(by)
        if stage != self.stage:
            self.since, self.pauses = now, []
        self.stage, self.turn, self.due_at = stage, turn, due_at
        self.epoch += 1

    def _count(self, by: str) -> None:
        """Count how a deadline ended.

        Time to ask is nobody's deadline, the duty officer of a panel has none, and for an authority he only waits.
        """
        if self.turn in {"nobody", "parties"} or (self.turn == "duty" and self.stage != "review"):
            return
        self.tally["missed" if by == "time" else "met" if by == self.turn else "moot"] += 1
