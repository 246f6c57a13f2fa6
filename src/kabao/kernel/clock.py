"""The clock as a port: in production only the database's clock decides, in tests an instant is handed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Answers the instant a step takes place."""

    def instant(self) -> datetime | None:
        """Return the instant to use, or None where the database's own clock decides."""


@dataclass(frozen=True, slots=True)
class DatabaseClock:
    """Leaves every decision about time to the database."""

    def instant(self) -> datetime | None:
        """Return None: the SQL falls back to now()."""
        return None


@dataclass(slots=True)
class FixedClock:
    """Stands at one aware instant until it is moved."""

    at: datetime

    def instant(self) -> datetime | None:
        """Return the instant it stands at."""
        return self.at

    def advance(self, by: timedelta) -> None:
        """Move on (or back, for a negative step)."""
        self.at += by
