"""The stages of a case and the only steps between them, the same as the table case_step in the database."""

from enum import StrEnum
from typing import Final

from kabao.kernel import Refusal


class Stage(StrEnum):
    """Where a case stands. The last four are ends."""

    NEGOTIATION = "negotiation"
    SUPPORT = "support"
    PANEL = "panel"
    ROUTED_OUT = "routed_out"
    """Handed to an authority: the money stays frozen until a person rules on it, and nobody settles meanwhile."""
    GREEN = "green"
    """Ruled on and carried out as it was opened, on the platform's own records; the merchant may ask for a review."""
    RULED_OPEN = "ruled_open"
    """Ruled on, and not carried out before the time for asking a review is over or both sides waive it."""
    REVIEW = "review"
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"
    EXECUTED = "executed"
    CHARGED_BACK = "charged_back"
    """Ended by the custodian's word: the payer's bank took the payment back."""

    @property
    def is_open(self) -> bool:
        """Whether anything can still happen to the money."""
        return self not in {Stage.SETTLED, Stage.WITHDRAWN, Stage.EXECUTED, Stage.CHARGED_BACK}

    @property
    def closed_as(self) -> Refusal:
        """How a step in a case that has ended is refused."""
        return Refusal.CASE_CHARGED_BACK if self is Stage.CHARGED_BACK else Refusal.CASE_CLOSED

    @property
    def is_undecided(self) -> bool:
        """Whether nobody has ruled yet, so that the parties may still settle or take the case back."""
        return self in {Stage.NEGOTIATION, Stage.SUPPORT, Stage.PANEL}


STEPS: Final = frozenset(
    {
        ("none", Stage.NEGOTIATION),
        (Stage.NEGOTIATION, Stage.SUPPORT),
        (Stage.NEGOTIATION, Stage.SETTLED),
        (Stage.NEGOTIATION, Stage.WITHDRAWN),
        (Stage.NEGOTIATION, Stage.RULED_OPEN),
        (Stage.NEGOTIATION, Stage.GREEN),
        (Stage.GREEN, Stage.REVIEW),
        (Stage.GREEN, Stage.EXECUTED),
        (Stage.SUPPORT, Stage.PANEL),
        (Stage.SUPPORT, Stage.SETTLED),
        (Stage.SUPPORT, Stage.WITHDRAWN),
        (Stage.SUPPORT, Stage.RULED_OPEN),
        (Stage.SUPPORT, Stage.ROUTED_OUT),
        (Stage.PANEL, Stage.ROUTED_OUT),
        (Stage.ROUTED_OUT, Stage.PANEL),
        (Stage.PANEL, Stage.SETTLED),
        (Stage.PANEL, Stage.WITHDRAWN),
        (Stage.PANEL, Stage.RULED_OPEN),
        (Stage.RULED_OPEN, Stage.REVIEW),
        (Stage.RULED_OPEN, Stage.EXECUTED),
        (Stage.REVIEW, Stage.EXECUTED),
        (Stage.NEGOTIATION, Stage.CHARGED_BACK),
        (Stage.SUPPORT, Stage.CHARGED_BACK),
        (Stage.PANEL, Stage.CHARGED_BACK),
        (Stage.RULED_OPEN, Stage.CHARGED_BACK),
        (Stage.REVIEW, Stage.CHARGED_BACK),
        (Stage.ROUTED_OUT, Stage.CHARGED_BACK),
    }
)
