"""The stages of a case and the only steps between them, the same as the table case_step in the database."""

from enum import StrEnum
from typing import Final


class Stage(StrEnum):
    """Where a case stands. The last three are ends."""

    NEGOTIATION = "negotiation"
    SUPPORT = "support"
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"
    RULED = "ruled"

    @property
    def is_open(self) -> bool:
        """Whether anything can still happen to the money."""
        return self in {Stage.NEGOTIATION, Stage.SUPPORT}


STEPS: Final = frozenset(
    {
        ("none", Stage.NEGOTIATION),
        (Stage.NEGOTIATION, Stage.SUPPORT),
        (Stage.NEGOTIATION, Stage.SETTLED),
        (Stage.NEGOTIATION, Stage.WITHDRAWN),
        (Stage.SUPPORT, Stage.SETTLED),
        (Stage.SUPPORT, Stage.WITHDRAWN),
        (Stage.SUPPORT, Stage.RULED),
    }
)
