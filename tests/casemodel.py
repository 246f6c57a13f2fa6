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

    def goes(self, stage: str, turn: str, due: datetime | None) -> None:
        assert (self.stage, stage) in {(str(one), str(two)) for one, two in STEPS}
        self.stage, self.turn, self.due = stage, turn, due
        if stage not in OPEN:
            self.pending = None
        if stage not in UNDECIDED:
            self.offer = 0
