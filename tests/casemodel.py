"""What a person can hold in the head of a case on its ladder, for the walk that compares the two."""

from dataclasses import dataclass, field
from datetime import datetime

from kabao.cases import STEPS
from kabao.cases.ladder.model import Award

OPEN = {"negotiation", "support", "panel", "green", "ruled_open", "review", "routed_out"}
UNDECIDED = {"negotiation", "support", "panel"}
DECIDERS = {"support", "panel", "duty"}
NOTHING = Award(0)


@dataclass
class Model:
    """One case as the model sees it."""

    ref: str
    order_id: int
    opened_at: datetime
    due: datetime | None
    stage: str = "negotiation"
    turn: str = "merchant"
    answered: bool = False
    pending: datetime | None = None
    pending_award: Award = NOTHING
    ruled: Award = NOTHING
    damages: int = 0
    swaps: bool = False
    by: str = "buyer"
    replaced: bool = False
    waived: set[str] = field(default_factory=set)
    offer: int = 0
    offered_by: str = ""
    views: set[tuple[int, str]] = field(default_factory=set)
    refunded: int = 0
    reply: int = 48
    crime: bool = False
    routed: bool = False
    how: str = "whole"
    """How the order stood as the case was opened: whole, a part refunded before, or after its release."""
    before: int = 0
    """What of the order was refunded before the case."""
    is_paid: bool = False
    """The custodian has paid what it was asked to since the money last moved."""
    is_taken: bool = False
    was_held: bool = False
    """The payer's bank has taken the payment, and what was still held with it."""
    steps: set[tuple[str, str]] = field(default_factory=set)
    """Which transitions it took."""
    is_green: bool = False
    """Refunded as it was opened; a review leaves that as it is."""
    stands: bool = False
    """The rulebook supports the claim on the records, so that silence makes it stand."""

    @property
    def other(self) -> str:
        return "merchant" if self.by == "buyer" else "buyer"

    @property
    def may_settle(self) -> bool:
        return self.stage in UNDECIDED and not self.routed

    @property
    def is_held(self) -> bool:
        is_moved = self.stage in {"settled", "executed", "charged_back"} and not self.replaced
        return not (self.is_green or self.how == "after" or is_moved)

    def goes(self, stage: str, turn: str, due: datetime | None) -> None:
        assert (self.stage, stage) in {(str(one), str(two)) for one, two in STEPS}
        self.steps.add((self.stage, stage))
        self.stage, self.turn, self.due = stage, turn, due
        if stage not in OPEN:
            self.pending, self.is_paid = None, False
        if stage not in UNDECIDED:
            self.offer = 0
